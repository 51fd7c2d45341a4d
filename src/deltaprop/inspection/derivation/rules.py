"""The lecture's own part of a derivation: the chain rule, (1), the delta rule (2), and the update."""

from __future__ import annotations

from deltaprop.functions import Activation
from deltaprop.functions.formulas.tree import Node, substitute, variable
from deltaprop.inspection.derivation.document import Line, Section, Step, Words
from deltaprop.inspection.derivation.network_equations import name_of, units_in_words, weighted_sum
from deltaprop.inspection.derivation.notation import (
    ETA,
    ONE,
    E,
    LayerSymbols,
    applied,
    at,
    minus,
    partial,
    summed,
    symbol,
    times,
)
from deltaprop.inspection.derivation.rule import is_plain, rule_lines
from deltaprop.inspection.derivation.slopes import Slope, slope_of
from deltaprop.model import Model

UNCONFIRMED: Words = ("This could not be confirmed by differences at random points.",)
TOO_LONG: Words = ("It is not simplified further: that would take too long.",)
_REST = variable("…")


def chain_rule_section() -> Section:
    """Return the generalised chain rule."""
    x, y, l = symbol("x", "i"), variable("y"), "ℓ"
    u = [symbol("u", 1), _REST, symbol("u", "m")]
    xs = [symbol("x", 1), _REST, symbol("x", "n")]
    rule = summed(l, times(partial(y, symbol("u", l)), partial(symbol("u", l), x)))
    return Section(
        "The generalised chain rule",
        (
            Line(y, (Step(applied(variable("f"), *u)),), words=("In this rule y, u and x are any numbers, where",)),
            Line(symbol("u", l), (Step(applied(symbol("g", l), *xs)),)),
            Line(partial(y, x), (Step(rule),), words=("Then",)),
        ),
    )


def weights_section(bias: bool) -> Section:
    """Return (1), ∂E/∂w_ji = δ_j z_i."""
    a, w, z, delta, b = symbol("a", "j"), symbol("w", "j", "i"), symbol("z", "i"), symbol("δ", "j"), symbol("b", "j")
    layer = LayerSymbols(1, 1, 1, True, 0, "w", "j", "i", "z", 0, variable("h"))
    lines = [
        Line(
            partial(E, w),
            (Step(times(partial(E, a), partial(a, w))),),
            words=("For a weight from unit i to unit j, in any layer, by the chain rule, as E depends on ", w,
                   " through ", a, " alone:"),
        ),
        Line(delta, (Step(partial(E, a)),), words=("The first factor has a name,",)),
        Line(
            partial(a, w),
            (Step(partial(at(weighted_sum(layer, "j", bias=bias), i="ℓ"), w)), Step(z)),
            words=("and the second is",),
        ),
        Line(partial(E, w), (Step(times(delta, z)),), words=("So",), tag="1"),
    ]  # fmt: skip
    if bias:
        steps = (Step(times(delta, partial(a, b))), Step(delta, ("as ", partial(a, b), " = 1")))
        lines.append(Line(partial(E, b), steps, words=("A bias is the weight of a constant 1:",)))
    return Section("The gradient with respect to a weight", tuple(lines))


def delta_rule_section(model: Model, layers: list[LayerSymbols]) -> Section:
    """Return (2), the delta rule, and what it is with the h′ of each hidden layer."""
    delta, a, z = symbol("δ", "j"), symbol("a", "j"), symbol("z", "j")
    a_k, delta_k, w = symbol("a", "k"), symbol("δ", "k"), symbol("w", "k", "j")
    slope = applied(symbol("h′"), a)
    steps = (
        Step(partial(E, a)),
        Step(summed("k", times(partial(E, a_k), partial(a_k, a))), ("the chain rule over the units k of layer n + 1",)),
        Step(summed("k", times(delta_k, partial(a_k, a)))),
        Step(summed("k", times(delta_k, partial(a_k, z), partial(z, a)))),
        Step(summed("k", times(delta_k, w, slope))),
        Step(times(slope, summed("k", times(delta_k, w)))),
    )
    words: Words = ("For a unit j of a hidden layer n, on which E depends through the units of layer n + 1:",)
    lines = [Line(delta, steps, words=words, tag="2")]
    hidden = list(zip(layers[:-1], model.definition.functions[:-1], strict=True))
    if not hidden:
        lines.append(Line(words=("This network has no hidden layer: it needs (1) and δ of the output alone.",)))
    shown: set[tuple[Node, Activation]] = set()
    for layer, entry in hidden:
        if (layer.function, entry) not in shown:
            shown.add((layer.function, entry))
            lines += slope_lines(layer, slope_of(entry), entry)
    for layer, above in zip(reversed(layers[:-1]), reversed(layers[1:]), strict=True):
        lines.append(_of_layer(layer, above, slope_of(model.definition.functions[layer.number - 1])))
    return Section("The delta rule", tuple(lines))


def slope_lines(layer: LayerSymbols, slope: Slope, entry: Activation) -> list[Line]:
    """Return h′(a_j), step by step."""
    unit = layer.unit
    symbols = {"a": layer.a(unit), "z": layer.z(unit)}
    steps = tuple(Step(substitute(s.right, symbols), in_symbols(s.reason, symbols)) for s in slope.steps)
    lines = [Line(layer.slope(unit), steps, words=("With ", layer.function, f" = {name_of(entry)}:"))]
    return [*lines, *caveats(slope.complete, slope.confirmed)]


def caveats(complete: bool, confirmed: bool) -> list[Line]:
    """Return what is to be said of a derivative that is not as it should be."""
    lines = [] if complete else [Line(words=TOO_LONG)]
    if not confirmed:
        lines.append(Line(words=UNCONFIRMED))
    return lines


def in_symbols(words: Words, symbols: dict[str, Node]) -> Words:
    """Return words with variables replaced in the trees among them."""
    return tuple(x if isinstance(x, str) else substitute(x, symbols) for x in words)


def from_above(layer: LayerSymbols, above: LayerSymbols, unit: str) -> Node:
    """Return Σ_k δ_k w_kj, or δ_y v_j where there is one unit above."""
    product = times(above.delta("k"), above.w("k", unit))
    return product if above.single else summed("k", product)


def _of_layer(layer: LayerSymbols, above: LayerSymbols, slope: Slope) -> Line:
    unit = layer.unit
    written = substitute(slope.final, {"a": layer.a(unit), "z": layer.z(unit)})
    rest = from_above(layer, above, unit)
    steps = [Step(times(layer.slope(unit), rest)), Step(times(written, rest))]
    words: Words = (f"So in layer {layer.number}",)
    return Line(layer.delta(unit), tuple(steps if slope.final != ONE else [steps[0], Step(rest)]), words=(*words, ":"))


def update_section(model: Model, layers: list[LayerSymbols]) -> Section:
    """Return the gradient and the update of each layer, and where the network's present rule is another, that."""
    plain = is_plain(model)
    words: Words = ("With the learning rate ", ETA, ", after each sample (of a batch, by the mean of the gradients):")
    lines = [Line(words=words if plain else ("After each sample (of a batch, of the mean of the gradients):",))]
    for layer in layers:
        unit, below = layer.unit, layer.below
        w, delta, b = layer.w(unit, below), layer.delta(unit), layer.b(unit)
        gradient = times(delta, layer.input(below))
        lines += [
            Line(partial(E, w), (Step(gradient),), words=(*units_in_words(layer), ":")),
        ]
        if plain:
            lines.append(Line(w, (Step(minus(w, times(ETA, gradient))),), relation="←"))
        if model.bias:
            of_bias = Line(b, (Step(minus(b, times(ETA, delta))),), relation="←")
            lines.append(of_bias if plain else Line(partial(E, b), (Step(delta),)))
    return Section("The update", (*lines, *rule_lines(model)))
