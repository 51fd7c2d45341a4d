"""The first part of a derivation: what the network computes, layer by layer, and E."""

from __future__ import annotations

import re

from deltaprop.errors import FormulaError
from deltaprop.functions import Activation, Loss
from deltaprop.functions.formulas.tree import Node, substitute, variable
from deltaprop.inspection.derivation.document import Line, Section, Step, Words
from deltaprop.inspection.derivation.notation import E, LayerSymbols, applied, plus, summed, symbol, times
from deltaprop.inspection.derivation.output_error import OutputError, indexed
from deltaprop.inspection.derivation.slopes import slope_of, tree_of
from deltaprop.model import Model

TARGETS = {
    "unit": "between 0 and 1", "distribution": "at least 0, and those of a sample sum to 1", "class": "0 or 1",
    "count": "at least 0", "positive": "above 0",
}  # fmt: skip
_DROPPED = "units are dropped at random (dropout)"
_NOISE = "noise is added to the inputs"


def network_section(model: Model, layers: list[LayerSymbols]) -> Section:
    """Return a = Σ w z + b and z = h(a) of each layer."""
    bias = "" if model.bias else " It has no biases, as the lecture's."
    lines = [Line(words=(f"A network with layers of {', '.join(map(str, model.layers))} units, inputs first.{bias}",))]
    for layer, entry in zip(layers, model.definition.functions, strict=True):
        lines += _layer_lines(layer, entry, model.bias)
    drawn = [words for words, given in ((_DROPPED, model.dropout), (_NOISE, model.input_noise)) if given]
    if drawn:
        lines.append(Line(words=(f"In training {' and '.join(drawn)}; the equations here are without.",)))
    if _uses_sigmoid(lines):
        x = symbol("x")
        sigmoid = Node("divide", (symbol("1"), plus(symbol("1"), Node("exp", (Node("neg", (x,)),)))))
        lines.append(Line(Node("sigmoid", (x,)), (Step(sigmoid),), words=("Here, for any number ", x, ",")))
    return Section("The network", tuple(lines))


def _uses_sigmoid(lines: list[Line]) -> bool:
    return any(x.op == "sigmoid" for line in lines for step in line.steps for x in step.right.parts())


def name_of(entry: Activation | Loss) -> str:
    """Return a function's name with its parameters, those too that it has by default.

    Examples
    --------
    >>> from deltaprop.functions import activation, loss
    >>> name_of(loss("tweedie", where="loss")), name_of(activation("a**2", where="h"))
    ('tweedie:p=1.5', 'a formula of its own')
    """
    if entry.written is not None:
        return "a formula of its own"
    in_formula = set(re.findall(r"\w+", entry.formula))
    values = [(p.name, v) for p, v in zip(entry.parameters, entry.values, strict=True)
              if p.name in in_formula and not isinstance(v, tuple)]  # fmt: skip
    if str(entry) != entry.name or not values:
        return str(entry)
    return f"{entry}:" + ",".join(f"{name}={v:g}" for name, v in values)


def units_in_words(layer: LayerSymbols) -> Words:
    """Return of which units a layer is, with the letter of their index."""
    if layer.single:
        return ("The output, one unit",)
    name = f"Layer {layer.number}" if layer.hidden else "The output"
    return (f"{name}, units ", variable(layer.unit), _range(layer.n_out))


def _range(n: int) -> str:
    return f" = 1, …, {n}" if n > 2 else " = 1, 2" if n == 2 else " = 1"


def weighted_sum(layer: LayerSymbols, unit: str, *, bias: bool) -> Node:
    """Return Σ_i w_ji z_i + b_j with letters for indices."""
    inner = summed(layer.below, times(layer.w(unit, layer.below), layer.input(layer.below)))
    return plus(inner, layer.b(unit)) if bias else inner


def _layer_lines(layer: LayerSymbols, entry: Activation, bias: bool) -> list[Line]:
    unit = layer.unit
    a, z = layer.a(unit), layer.z(unit)
    below: Words = (", from ", variable(layer.below), f"{_range(layer.n_in)} below")
    name = name_of(entry)
    words: Words = (*units_in_words(layer), *below, ", with ", layer.function, f" = {name}:")
    lines = [Line(a, (Step(weighted_sum(layer, unit, bias=bias)),), words=words)]
    if entry.output_only:
        total = summed("n", Node("exp", (layer.a("n"),)))
        lines.append(Line(z, (Step(Node("divide", (Node("exp", (a,)), total))),)))
        return lines
    formula = substitute(slope_of(entry).h, {"a": a})
    steps = [Step(applied(layer.function, a))]
    lines.append(Line(z, (*steps, Step(formula))))
    return lines


def loss_section(loss: Loss, output: LayerSymbols, found: OutputError) -> Section:
    """Return E of a sample."""
    lines = []
    name = name_of(loss)
    domain = TARGETS.get(found.targets, "")
    words: Words = (f"The loss of one sample is {name}; ", output.r("k"), " is what ", output.z("k"), " should be")
    words += (f", {domain}:",) if domain else (":",)
    if output.single:
        lines.append(Line(E, (Step(found.E),), words=words))
    else:
        lines += [
            Line(E, (Step(summed("k", symbol("E", "k"))),), words=words),
            Line(symbol("E", "k"), (Step(indexed(found.E, "k")),)),
        ]
    if loss.label_smoothing:
        share = "1/2" if loss.targets != "distribution" else f"1/{output.n_out}"
        lines.append(
            Line(words=("Here ", output.r("k"), f" is the target drawn to {share} by label_smoothing "
                        f"s = {loss.label_smoothing:g}: (1 − s) times what was given, plus s times {share}."))
        )  # fmt: skip
    if found.parameter:
        values = next(v for v in loss.values if isinstance(v, tuple))
        shown = ", ".join(f"{x:g}" for x in values)
        lines.append(Line(words=("Each output has its own ", symbol(found.parameter, "k"), f": {shown}.")))
    if loss.dropped:
        lines.append(Line(words=("The part ", _dropped(loss, output), ", which no weight changes, is left out.")))
    return Section("The loss", tuple(lines))


def _dropped(loss: Loss, output: LayerSymbols) -> str | Node:
    """Return what is left out of a loss as a tree, where the language of formulas has it; log(r!) is none."""
    try:
        return substitute(tree_of(loss, loss.dropped, ["r"]), {"r": output.r("k")})
    except FormulaError:
        return loss.dropped
