"""The derivation with the numbers of one sample: unit by unit, symbol, formula, formula with numbers, value."""

from __future__ import annotations

from collections.abc import Sequence

from numpy.typing import ArrayLike

from deltaprop.functions.formulas.tree import Node, rebuilt, substitute, with_args
from deltaprop.inspection.derivation.document import Line, Section, Step, Words
from deltaprop.inspection.derivation.notation import (
    ETA,
    ZERO,
    E,
    LayerSymbols,
    at,
    minus,
    partial,
    plus,
    symbol,
    terms_of_sum,
    times,
    value,
)
from deltaprop.inspection.derivation.output_error import OutputError, indexed
from deltaprop.inspection.derivation.output_section import delta_in_symbols
from deltaprop.inspection.derivation.rule import RuleSteps, is_plain
from deltaprop.inspection.derivation.sample import DIGITS, MOST_TERMS, Numbers, as_row
from deltaprop.inspection.derivation.slopes import slope_of
from deltaprop.inspection.trace import LayerTrace, Trace
from deltaprop.model import Model

MOST_UNITS = 8  # of a layer that are shown one by one
_SHOWN = 6  # of a larger one

_NOTE = (
    "Every value is the engine's, shown with {digits} significant digits. What is computed with has as many more as it "
    "takes to come to the value by hand, to its last digit{but}."
)
_LONG_SUMS = "Of a sum of more than {most} terms the first {few} and the last are written; … is all the others."


class SampleSections:
    """The sections of one sample, in the order of the two passes."""

    def __init__(self, model: Model, layers: list[LayerSymbols], found: OutputError, t: Trace) -> None:
        self.model, self.layers, self.found, self.t = model, layers, found, t
        self.functions = model.definition.functions
        self.numbers = Numbers(model.dtype.name)
        self._know()

    def _know(self) -> None:
        """Note every symbol's number, as sums have terms of units that are not shown; weights follow in `_weight`."""
        first, output = self.layers[0], self.layers[-1]
        for i, x in enumerate(self.t.x, start=1):
            self.numbers[first.input(i)] = x
        for j, r in enumerate(self.t.r, start=1):
            self.numbers[output.r(j)] = r
        several = next((v for v in self.model.definition.loss_entry.values if isinstance(v, tuple)), ())
        for j, q in enumerate(several, start=1):
            self.numbers[symbol(self.found.parameter, j)] = q
        for layer, numbers in zip(self.layers, self.t.layers, strict=True):
            for j in range(1, layer.n_out + 1):
                self.numbers[layer.a(j)] = numbers.a[j - 1]
                self.numbers[layer.z(j)] = numbers.z[j - 1]
                self.numbers[layer.delta(j)] = numbers.delta[j - 1]
                if numbers.b is not None:
                    self.numbers[layer.b(j)] = numbers.b[j - 1]
                if numbers.dh.ndim == 1:
                    self.numbers[layer.slope(j)] = numbers.dh[j - 1]

    def _weight(self, layer: LayerSymbols, j: int, i: int) -> Node:
        w = layer.w(j, i)
        self.numbers[w] = self.t.layers[layer.number - 1].W[i - 1, j - 1]
        return w

    def _heading(self, layer: LayerSymbols) -> Line:
        name = f"Layer {layer.number}" if layer.hidden else "The output"
        if layer.n_out > MOST_UNITS:
            return Line(words=(f"{name}, of whose {layer.n_out} units the first {_SHOWN} are shown:",))
        return Line(words=(f"{name}:",))

    def _written_out(self, node: Node) -> Node:
        """Return a tree with sums over all outputs as their terms."""
        n = self.layers[-1].n_out

        def visit(node: Node, args: tuple[Node, ...]) -> Node:
            if node.op == "sum":
                return self.numbers.sum(terms_of_sum(with_args(node, args), n) or [ZERO])
            return with_args(node, args) if args else node

        return rebuilt(node, visit)

    def _given(self, left: Node, number: float, words: Words) -> Line:
        return Line(left, (Step(value(self.numbers.rounded(number))),), words=words, value=number)

    # ---- the sections ----------------------------------------------------------------------------------------------

    def sample(self) -> Section:
        """Return x and r, with the names that somebody gave them."""
        output = self.layers[-1]
        x = [self.layers[0].input(i) for i in range(1, len(self.t.x) + 1)]
        r = [output.r(j) for j in range(1, len(self.t.r) + 1)]
        dtype = self.model.dtype.name
        but = "" if dtype == "float64" else f", give or take one: this network computes in {dtype}"
        lines = [Line(words=(_NOTE.format(digits=DIGITS[dtype], but=but),))]
        if max(self.model.layers) > MOST_TERMS:
            lines.append(Line(words=(_LONG_SUMS.format(most=MOST_TERMS, few=MOST_TERMS - 2),)))
        for symbols, values, names, what in (
            (x, self.t.x, self.t.inputs, "inputs"),
            (r, self.t.r, self.t.layers[-1].units, "targets"),
        ):
            if len(symbols) > MOST_UNITS:
                lines.append(Line(words=(f"Of {len(symbols)} {what} the first {_SHOWN} are shown.",)))
            for left, number, name in list(zip(symbols, values, names, strict=True))[: _few(len(symbols))]:
                lines.append(self._given(left, float(number), () if _plain(name) else (f"{name}:",)))
        return Section("The sample", tuple(lines))

    def forwards(self) -> Section:
        """Return a and z of each layer, and E."""
        lines = []
        for layer, numbers, entry in zip(self.layers, self.t.layers, self.functions, strict=True):
            lines.append(self._heading(layer))
            for j in _units(layer):
                lines.append(self._pre_activation(layer, numbers, j))
                if not entry.output_only:
                    formula = substitute(slope_of(entry).h, {"a": layer.a(j)})
                    lines.append(self.numbers.line(layer.z(j), formula, numbers.z[j - 1]))
            if entry.output_only:
                total = self.numbers.sum([Node("exp", (layer.a(j),)) for j in range(1, layer.n_out + 1)])
                for j in _units(layer):
                    softmax = Node("divide", (Node("exp", (layer.a(j),)), total))
                    lines.append(self.numbers.line(layer.z(j), softmax, numbers.z[j - 1]))
        output = self.layers[-1]
        of_each = [indexed(self.found.E, str(k)) for k in range(1, output.n_out + 1)]
        formula = self.found.E if output.single else self.numbers.sum(of_each)
        lines.append(self.numbers.line(E, formula, self.t.E, words=("The loss:",)))
        return Section("Forwards", tuple(lines))

    def _pre_activation(self, layer: LayerSymbols, numbers: LayerTrace, j: int) -> Line:
        terms = [times(self._weight(layer, j, i), layer.input(i)) for i in range(1, layer.n_in + 1)]
        total = self.numbers.sum(terms)
        if numbers.b is not None:
            total = plus(total, layer.b(j))
        name = numbers.units[j - 1]
        words: Words = () if layer.hidden or _plain(name) else (f"Output {j}, {name}:",)
        return self.numbers.line(layer.a(j), total, numbers.a[j - 1], words=words)

    def backwards(self) -> Section:
        """Return h′ and δ of each layer, the output's first."""
        lines = []
        for layer, numbers, entry in zip(
            reversed(self.layers), reversed(self.t.layers), reversed(self.functions), strict=True
        ):
            lines.append(self._heading(layer))
            for j in _units(layer):
                if not entry.output_only:
                    slope = substitute(slope_of(entry).final, {"a": layer.a(j), "z": layer.z(j)})
                    lines.append(self.numbers.line(layer.slope(j), slope, numbers.dh[j - 1]))
                lines.append(self.numbers.line(layer.delta(j), self._delta(layer, j), numbers.delta[j - 1]))
        return Section("Backwards", tuple(lines))

    def _delta(self, layer: LayerSymbols, j: int) -> Node:
        """Return δ of an output as it was worked out, of a hidden unit by the delta rule."""
        if layer.hidden:
            above = self.layers[layer.number]
            terms = [times(above.delta(k), self._weight(above, k, j)) for k in range(1, above.n_out + 1)]
            return times(layer.slope(j), self.numbers.sum(terms))
        if self.found.slope is None:
            return self._written_out(at(self.found.final, k=j))
        return at(delta_in_symbols(layer, self.found.final), k=j)

    def gradient(self) -> Section:
        """Return ∂E/∂w = δ z and ∂E/∂b = δ."""
        lines = []
        for layer, numbers in zip(self.layers, self.t.layers, strict=True):
            lines.append(self._heading(layer))
            if layer.n_in > MOST_UNITS:
                lines.append(Line(words=(f"Of the {layer.n_in} weights of each unit the first {_SHOWN} are shown.",)))
            for j in _units(layer):
                for i in range(1, _few(layer.n_in) + 1):
                    slope = partial(E, self._weight(layer, j, i))
                    self.numbers[slope] = numbers.dW[i - 1, j - 1]
                    lines.append(
                        self.numbers.line(slope, times(layer.delta(j), layer.input(i)), numbers.dW[i - 1, j - 1])
                    )
                if numbers.db is not None:
                    slope = partial(E, layer.b(j))
                    self.numbers[slope] = numbers.db[j - 1]
                    lines.append(self.numbers.line(slope, layer.delta(j), numbers.db[j - 1]))
        return Section("The gradient", tuple(lines))

    def update(self, eta: float, r: ArrayLike) -> Section:
        """Return w and b after a step of the network's present rule, which the engine makes on a copy of it."""
        steps = RuleSteps(self.model, self.t.x, as_row(r), eta)
        self.numbers[ETA] = eta
        lines = [self._given(ETA, eta, ("With the learning rate",))]
        for layer, numbers in zip(self.layers, self.t.layers, strict=True):
            lines.append(self._heading(layer))
            l = layer.number - 1
            W, b = steps.after.W[l], steps.after.b[l]
            for j in _units(layer):
                for i in range(1, _few(layer.n_in) + 1):
                    at = (i - 1, j - 1)
                    if is_plain(self.model):
                        lines.append(self._step(layer.w(j, i), W[at]))
                        continue
                    own = 0.0 if numbers.dW_penalty is None else float(numbers.dW_penalty[at])
                    lines += steps.lines(self.numbers, self._weight(layer, j, i), float(numbers.W[at]), own, (l, at))
                if b is not None and numbers.b is not None:
                    if is_plain(self.model):
                        lines.append(self._step(layer.b(j), b[j - 1]))
                        continue
                    lines += steps.lines(self.numbers, layer.b(j), float(numbers.b[j - 1]), None, (l, (j - 1,)))
        return Section("The update", tuple(lines))

    def _step(self, parameter: Node, new: float) -> Line:
        return self.numbers.line(parameter, minus(parameter, times(ETA, partial(E, parameter))), new, relation="←")


def _few(n: int) -> int:
    return n if n <= MOST_UNITS else _SHOWN


def _units(layer: LayerSymbols) -> Sequence[int]:
    return range(1, _few(layer.n_out) + 1)


def _plain(name: str) -> bool:
    """Whether a name is the symbol itself: x1, y, y2."""
    return name[:1] in "xy" and (name[1:].isdigit() or name == "y")
