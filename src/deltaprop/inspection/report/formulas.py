"""The formulas of a page, in MathML: each rule in the lecture's letters, and with empty places for a unit's numbers.

The script of the page fills the places from the record. A place names the number that belongs there: ``a`` and ``z``
are those of the unit that is looked at, ``z:2:0`` is z of the first unit of layer 2.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import pairwise

from deltaprop.errors import MissingExtraError
from deltaprop.functions import Activation
from deltaprop.functions.formulas.tree import Node, number, substitute, variable
from deltaprop.inspection.derivation.calculus import for_people
from deltaprop.inspection.derivation.html import words_in
from deltaprop.inspection.derivation.mathml import MathmlWriter
from deltaprop.inspection.derivation.network_equations import weighted_sum
from deltaprop.inspection.derivation.notation import (
    ETA,
    E,
    LayerSymbols,
    applied,
    at,
    expanded,
    minus,
    partial,
    plus,
    summed,
    symbol,
    symbols_of,
    times,
)
from deltaprop.inspection.derivation.output_error import OutputError, output_error
from deltaprop.inspection.derivation.output_section import delta_in_symbols
from deltaprop.inspection.derivation.rule import is_plain, rule_lines
from deltaprop.inspection.derivation.rules import from_above
from deltaprop.inspection.derivation.slopes import slope_of, tree_of
from deltaprop.inspection.derivation.writer import FRACTION
from deltaprop.model import Model

MOST_TERMS = 8  # of a sum that are written one by one
_A, _Z = variable("a"), variable("z")
_PLACE = re.compile(r'<mrow data-slot="[^"]*"></mrow>')


class _Writer(MathmlWriter):
    """MathML with places for numbers, which stand in brackets below 0 unless they are by themselves."""

    def symbol(self, name: str) -> str:
        if name.startswith("⟨"):
            return f'<mrow data-slot="{name[1:-1]}"></mrow>'
        return super().symbol(name)

    def brackets(self, text: str) -> str:
        return super().brackets(_bare(text))

    def call(self, function: str, args: Sequence[str]) -> str:
        return super().call(function, [_bare(text) for text in args])

    def needs_dot(self, left: Node, right: Node) -> bool:
        return _has_place(left) or _has_place(right) or super().needs_dot(left, right)


_writer = _Writer()


def _bare(text: str) -> str:
    return text.replace("data-slot", "data-bare") if _PLACE.fullmatch(text) else text


def _has_place(node: Node) -> bool:
    return any(name.startswith("⟨") for name in node.variables)


def _place(key: str) -> Node:
    return variable(f"⟨{key}⟩")


def _math(*nodes: Node | str) -> str:
    text = "".join(node if isinstance(node, str) else _writer.write(node) for node in nodes)
    return f"<math><mrow>{text}</mrow></math>"


def _equation(left: Node, *rights: Node, relation: str = "=") -> str:
    """Return an equation in pieces, so that a narrow page can put its right sides below each other."""
    sign = f"<mo>{relation}</mo>"
    pieces = [_math(left, sign, rights[0]), *(_math("<mo>=</mo>", right) for right in rights[1:])]
    return "".join(f"<span>{piece}</span>" for piece in pieces)


def templates_of(model: Model) -> dict[str, str]:
    """Return the formulas of a network by the names that the page's script knows them by.

    Examples
    --------
    >>> sorted(templates_of(Model([2, 2, 1])))[:4]
    ['E-0', 'delta-0', 'dh-1', 'dh-2']
    """
    definition = model.definition
    layers = symbols_of(model)
    found = _output_error(definition.functions[-1], model)
    made: dict[str, str] = {}
    for layer, entry in zip(layers, definition.functions, strict=True):
        made |= _of_layer(model, layer, entry)
    for layer, above in pairwise(layers):
        made[f"rule-delta-{layer.number}"] = _equation(
            layer.delta(layer.unit), times(layer.slope(layer.unit), from_above(layer, above, layer.unit))
        )
    made |= _of_loss(model, layers[-1], found)
    if not is_plain(model):
        made["rule-step"] = _of_rule(model)
    return made


def _of_rule(model: Model) -> str:
    """Return the equations of the network's present rule, and what is to be said of them."""
    shown = []
    for line in rule_lines(model):
        if line.words:
            shown.append(words_in(line.words))
        if line.left is not None:
            shown.append(_equation(line.left, *(step.right for step in line.steps), relation=line.relation))
    return "".join(f"<div>{text}</div>" for text in shown)


def _output_error(output: Activation, model: Model) -> OutputError | None:
    """Return how δ of the output comes about; None where SymPy is missing."""
    try:
        return output_error(output, model.definition.loss_entry)
    except MissingExtraError:
        return None


def _of_layer(model: Model, layer: LayerSymbols, entry: Activation) -> dict[str, str]:
    unit, below, k = layer.unit, layer.below, layer.number
    a, z, w, b = layer.a(unit), layer.z(unit), layer.w(unit, below), layer.b(unit)
    made = {
        f"rule-a-{k}": _equation(a, weighted_sum(layer, unit, bias=model.bias)),
        f"rule-dW-{k}": _equation(partial(E, w), times(layer.delta(unit), layer.input(below))),
        f"rule-w-{k}": _equation(w, minus(w, times(ETA, partial(E, w))), relation="←")
        if is_plain(model)
        else _equation(w, plus(w, times(variable("Δ"), w)), relation="←"),
    }
    if model.bias:
        made[f"rule-db-{k}"] = _equation(partial(E, b), layer.delta(unit))
    if entry.output_only:
        total = summed("n", Node("exp", (layer.a("n"),)))
        made[f"rule-z-{k}"] = _equation(z, Node("divide", (Node("exp", (a,)), total)))
        return made
    h = _function(entry)
    made[f"rule-z-{k}"] = _equation(z, applied(layer.function, a), substitute(h, {"a": a}))
    if h != _A:
        made[f"h-{k}"] = _math(substitute(h, {"a": _place("a")}))
    slope = _slope(entry)
    if slope is not None:
        made[f"rule-dh-{k}"] = _equation(layer.slope(unit), substitute(slope, {"a": a, "z": z}))
        if slope.variables:
            made[f"dh-{k}"] = _math(substitute(slope, {"a": _place("a"), "z": _place("z")}))
    return made


def _function(entry: Activation) -> Node:
    return for_people(entry.written.tree) if entry.written else tree_of(entry, entry.formula, ["a"])


def _slope(entry: Activation) -> Node | None:
    """Return h′ as it is declared, and of a formula of the user's own as SymPy finds it, where there is SymPy."""
    if entry.written is None:
        return tree_of(entry, entry.derivative, ["a", "z"])
    try:
        return slope_of(entry).final
    except MissingExtraError:
        return None


def _of_loss(model: Model, output: LayerSymbols, found: OutputError | None) -> dict[str, str]:
    """Return E and δ of the output, with places for the numbers of each output that is written."""
    loss, n = model.definition.loss_entry, output.n_out
    k = output.number
    several = {p.name: v for p, v in zip(loss.parameters, loss.values, strict=True) if isinstance(v, tuple)}
    made = {}
    formula = for_people(loss.written.tree) if loss.written else tree_of(loss, loss.formula, ["y", "r", *several])
    own = delta_in_symbols(output, formula)
    made["rule-E"] = _equation(E, own if output.single else summed("k", own))
    made[f"rule-delta-{k}"] = _delta_rule(output, found)
    for j in range(n) if n <= MOST_TERMS else (*range(MOST_TERMS - 2), n - 1):
        numbers = {"a": _place(f"a:{k}:{j}"), "y": _place(f"z:{k}:{j}"), "r": _place(f"r:{j}")}
        numbers |= {name: number(values[j]) for name, values in several.items()}
        tree = substitute(formula, numbers)
        made[f"E-{j}"] = _math(_writer.write(tree) if n == 1 else _writer.inside(tree, FRACTION))
    if found is None:
        return made
    for j in range(n):
        delta = _delta_in_places(output, found, j, several)
        if delta is not None:
            made[f"delta-{j}"] = _math(delta)
    return made


def _delta_rule(output: LayerSymbols, found: OutputError | None) -> str:
    left, way = output.delta("k"), partial(E, output.a("k"))
    if found is None:
        return _equation(left, way)
    final = found.final if found.slope is None else delta_in_symbols(output, found.final)
    return _equation(left, way, final)


def _delta_in_places(
    output: LayerSymbols, found: OutputError, j: int, several: Mapping[str, tuple[float, ...]]
) -> Node | None:
    """Return δ of output j with places; None where it is a sum over more outputs than are written."""
    n, k = output.n_out, output.number
    if found.slope is not None:
        places = {"a": _place(f"a:{k}:{j}"), "y": _place(f"z:{k}:{j}"), "r": _place(f"r:{j}")}
        return substitute(found.final, {**places, **{name: number(values[j]) for name, values in several.items()}})
    if n > MOST_TERMS and any(part.op == "sum" for part in found.final.parts()):
        return None
    tree = expanded(at(found.final, k=j + 1), {"m": n, "n": n})
    places = {}
    for m in range(n):
        places[symbol("y", m + 1).name] = _place(f"z:{k}:{m}")
        places[symbol("a", m + 1).name] = _place(f"a:{k}:{m}")
        places[symbol("r", m + 1).name] = _place(f"r:{m}")
        places |= {symbol(name, m + 1).name: number(values[m]) for name, values in several.items()}
    return substitute(tree, places)


def symbols_for_script(model: Model) -> list[dict[str, object]]:
    """Return which letters and indices the symbols of each layer have, as the page's script writes them."""
    return [
        {
            "single": layer.single,
            "hidden": layer.hidden,
            "shown": layer.shown,
            "weight": layer.weight,
            "function": layer.function.name,
        }
        for layer in symbols_of(model)
    ]
