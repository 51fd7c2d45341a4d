"""The update by the network's present rule: the equations of its declaration, in symbols and in a sample's numbers."""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping

from numpy.typing import ArrayLike

from deltaprop.arrays import Array
from deltaprop.descent.optimizers import Optimizer
from deltaprop.functions.formulas import parse
from deltaprop.functions.formulas.tree import Node, number, substitute, variable
from deltaprop.inspection.derivation.document import Line, Step, Words
from deltaprop.inspection.derivation.evaluation import value_or_none
from deltaprop.inspection.derivation.notation import ETA, E, partial, plus, times
from deltaprop.inspection.derivation.sample import Numbers
from deltaprop.model import Model
from deltaprop.training import descend

_G, _W, _T = variable("g"), variable("w"), variable("t")
_GREEK = {"mu": "μ", "rho": "ρ", "beta1": "β1", "beta2": "β2", "epsilon": "ε", "decay": "λ", "psi": "ψ"}


def is_plain(model: Model) -> bool:
    """Whether a step of the network is w ← w − η ∂E/∂w, and nothing beside."""
    return model.step_rule.name == "sgd" and not (model.l2 or model.l1)


def rule_lines(model: Model) -> list[Line]:
    """Return the penalised gradient and the rule's equations; none where a step is the lecture's."""
    if is_plain(model):
        return []
    rule = model.step_rule
    words: Words = (f"The network's present rule is {rule.name}, for every parameter w with the gradient ", _G, ":")
    lines = [Line(_G, (Step(_gradient(model, partial(E, _W), _W)),), words=words)]
    if model.l2 or model.l1:
        lines.append(Line(words=("Of a bias the penalty is no part.",)))
    lines += [Line(_letter(name), (Step(right),), relation="←") for name, right in _equations(rule, {})]
    own = ", ".join(f"{_letter(p.name).name} = {v:g}" for p, v in zip(rule.parameters, rule.numbers, strict=True))
    said = [f"here {own}"] if own else []
    for name in _remembered(rule):
        said.append(f"{name} is remembered from step to step, at first {1 if name == 'P' else 0}")
    if said:
        lines.append(Line(words=("; ".join(said)[:1].upper() + "; ".join(said)[1:] + ".",)))
    return lines


class RuleSteps:
    """One step of the present rule on one sample, on a copy of the network: the engine's numbers by parameter."""

    def __init__(self, model: Model, x: Array, r: ArrayLike, eta: float) -> None:
        self.model, self.rule = model, model.step_rule
        self.after = copy.copy(model)
        descend(self.after, x[None, :], r, eta, optimizer=self.rule, online_block=1)
        self.t = self.after.steps
        self._before, self._after = model.remembered(), self.after.remembered()
        self._names = [name for name in _remembered(self.rule) if name != "P"]

    def lines(
        self, numbers: Numbers, parameter: Node, old: float, penalty: float | None, place: tuple[int, tuple[int, ...]]
    ) -> list[Line]:
        """Return the lines of one parameter; ``penalty`` is ∂Ω/∂w, None of a bias; ``place`` its layer and indices."""
        layer, at = place
        part = 0 if len(at) == 2 else 1
        new = _number((self.after.W, self.after.b)[part][layer], at)
        gradient = partial(E, parameter)
        lines = []
        if penalty:
            own = _gradient(self.model, gradient, parameter)
            lines.append(numbers.line(_G, own, numbers.known[gradient] + penalty))
            numbers[_G] = numbers.known[gradient] + penalty
            gradient = _G
        values: dict[str, Node] = {"g": gradient, "w": parameter, "t": number(self.t), "eta": ETA}
        values |= {
            p.name: number(0.0 if p.name == "decay" and part else v)
            for p, v in zip(self.rule.parameters, self.rule.numbers, strict=True)
        }
        for name, state in zip(self._names, self._before, strict=True):
            numbers[variable(name)] = _number(state[part][layer], at)
        if self.rule.name == "nadam":
            numbers[variable("P")] = self._product()
        found = {n: _number(state[part][layer], at) for n, state in zip(self._names, self._after, strict=True)}
        equations = _equations(self.rule, values)
        for k, (name, right) in enumerate(equations):
            left = parameter if name == "w" else _letter(name)
            last = name == "w" and all(later != "w" for later, _ in equations[k + 1 :])
            result = new if last else found.get(name)
            if result is None:
                result = float(value_or_none(right, numbers.known) or 0.0)
            lines.append(numbers.line(left, right, result, relation="←"))
            numbers[left] = result
        numbers[parameter] = old
        return lines

    def _product(self) -> float:
        beta1, psi = float(self.rule.beta1), float(self.rule.psi)
        return float(math.prod(beta1 * (1 - 0.96 ** (psi * s) / 2) for s in range(1, self.t)))


def _letter(name: str) -> Node:
    return variable(_GREEK.get(name, name))


def _number(array: Array | None, at: tuple[int, ...]) -> float:
    assert array is not None
    return float(array[at])


def _gradient(model: Model, slope: Node, w: Node) -> Node:
    """Return ∂E/∂w + l2 w + l1 sign(w)."""
    parts = [slope]
    if model.l2:
        parts.append(times(number(model.l2), w))
    if model.l1:
        parts.append(times(number(model.l1), Node("sign", (w,))))
    return plus(*parts)


def _equations(rule: Optimizer, values: Mapping[str, Node]) -> list[tuple[str, Node]]:
    """Return what is set, and to what, with the lecture's letters, or with what stands for each."""
    names = ["g", "w", "t", "eta", *(p.name for p in rule.parameters), *(name for name, _ in rule.steps)]
    letters = {"eta": ETA} | {name: _letter(name) for name in _GREEK}
    return [(name, substitute(parse(right, names, rule.name), {**letters, **values})) for name, right in rule.steps]


def _remembered(rule: Optimizer) -> list[str]:
    """Return the names that an equation uses before they are set, in the order in which they are set."""
    names = [name for name, _ in rule.steps]
    allowed = ["g", "w", "t", "eta", *(p.name for p in rule.parameters), *names]
    early: set[str] = set()
    for k, (_, right) in enumerate(rule.steps):
        early |= parse(right, allowed, rule.name).variables - {"w", *names[:k]}
    return [name for name in dict.fromkeys(names) if name in early]
