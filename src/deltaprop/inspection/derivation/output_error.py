"""δ of the output, ∂E/∂a, for one output function and one loss: ∂E/∂y, ∂y/∂a, their product, and what is left of it.

In the variables a, y and r of one output, and q where each output has a parameter of that name. Under softmax, where
every y depends on every a, they bear the indices k and m: δ is that of output k, and m runs over all outputs.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from deltaprop.functions import Activation, Loss, kernels
from deltaprop.functions.formulas.tree import Node, numbers_in, substitute, variable
from deltaprop.inspection.derivation.algebra import Algebra
from deltaprop.inspection.derivation.calculus import derivative, for_people
from deltaprop.inspection.derivation.cancelling import factors_by_side
from deltaprop.inspection.derivation.declared import or_declared
from deltaprop.inspection.derivation.document import Step, Words
from deltaprop.inspection.derivation.evaluation import Number, Point, agree, precise, slopes_agree, value_or_none
from deltaprop.inspection.derivation.notation import ONE, expanded, minus, plus, summed, symbol, times
from deltaprop.inspection.derivation.simplification import into_branches, put_together, simplified, weight
from deltaprop.inspection.derivation.slopes import A, Slope, slope_of, tree_of

Y, R = variable("y"), variable("r")
_SHORT = 20  # weight of what a reason repeats
_OUTPUTS = 3  # of softmax, where its lines are checked


@dataclass(frozen=True)
class OutputError:
    """How δ of the output comes about.

    Attributes
    ----------
    E : Node
        E of one output, in y and r.
    parameter : str
        The name of a parameter that each output has its own of, or "".
    targets : str
        What the targets have to be, as in `Loss`.
    loss_steps : tuple of Step
        ∂E/∂y.
    slope : Slope or None
        y = h(a) and ∂y/∂a; None for softmax.
    steps : tuple of Step
        δ: first the product (or the sum of products), then shorter.
    complete : bool
        Whether no simplification was given up as too long.
    confirmed : bool
        Whether δ and ∂E/∂y agree with differences of E at random points.
    """

    E: Node
    parameter: str
    targets: str
    loss_steps: tuple[Step, ...]
    slope: Slope | None
    steps: tuple[Step, ...]
    complete: bool
    confirmed: bool

    @property
    def final(self) -> Node:
        """δ as it goes on."""
        return self.steps[-1].right


@lru_cache(maxsize=64)
def output_error(output: Activation, loss: Loss) -> OutputError:
    """Return δ of the output for an output function and a loss.

    Examples
    --------
    >>> from deltaprop.functions import activation, loss
    >>> found = output_error(activation("sigmoid", where="output"), loss("log", where="loss"))
    >>> for step in (*found.loss_steps, *found.steps):
    ...     print(step.right)
    (1 - r) / (1 - y) - r / y
    ((1 - r) * y - r * (1 - y)) / (y * (1 - y))
    (y - r) / (y * (1 - y))
    (y - r) / (y * (1 - y)) * (y * (1 - y))
    y - r
    """
    parameter = next((p.name for p, v in zip(loss.parameters, loss.values, strict=True) if isinstance(v, tuple)), "")
    variables = ["y", "r", *([parameter] if parameter else [])]
    E = for_people(loss.written.tree) if loss.written else tree_of(loss, loss.formula, variables)
    slope = None if output.output_only else slope_of(output)
    targets = kernels.whose_targets(loss, output).targets
    points = _points(loss, slope, variables)
    positive = [name for name in ("y",) if slope is None or slope.positive]
    algebra = Algebra(points, positive)
    loss_points = points if loss.written else _points_of(loss, variables)
    raw = derivative(E, "y", algebra)
    shorter, complete = simplified(raw, loss_points, algebra)
    loss_steps = [Step(raw), *shorter]
    if loss.written is None:
        declared = tree_of(loss, loss.derivative, variables)
        loss_steps = or_declared(loss_steps, declared, None, loss_points, _kinks_of(E, loss, variables), algebra)
    confirmed = slopes_agree(E, "y", raw, loss_points)
    slope_of_E = loss_steps[-1].right
    if slope is None:
        steps = _of_softmax(slope_of_E, points, algebra, targets == "distribution")
        confirmed &= _softmax_agrees(E, steps, loss, variables, targets == "distribution")
        return OutputError(E, parameter, targets, tuple(loss_steps), None, tuple(steps), complete, confirmed)
    slope_of_y = substitute(slope.final, {"z": Y})
    product = times(slope_of_E, slope_of_y)
    shorter, whole = simplified(product, points, algebra)
    complete &= whole and slope.complete
    steps = [Step(product), *(shorter or _as_one_fraction(product, points, algebra))]
    steps += into_branches(steps[-1].right, points, algebra)
    E_of_a = substitute(E, {"y": slope.h})
    confirmed &= slope.confirmed and slopes_agree(E_of_a, "a", steps[-1].right, points)
    return OutputError(E, parameter, targets, tuple(loss_steps), slope, tuple(steps), complete, confirmed)


def _as_one_fraction(product: Node, points: Sequence[Point], algebra: Algebra) -> list[Step]:
    """Return a fraction times something else as one fraction, where that is no longer."""
    if product.op != "multiply" or [x.op for x in product.args].count("divide") != 1:
        return []
    one = put_together(product, algebra)
    taken = one.op == "divide" and weight(one) <= weight(product) and agree(product, one, points)
    return [Step(one, ("as one fraction",))] if taken else []


def _kinks_of(E: Node, loss: Loss, variables: Sequence[str]) -> list[Point]:
    """Return where a declared loss may have its kinks: where y, or y − r, is 0 or ± a number in it, for a target."""
    draw, mp = random.Random(5), precise()
    points: list[Point] = []
    for size in {0.0, 1.0, *numbers_in(E)}:
        for by in (size, -size):
            r = mp.mpf(_target(draw, loss))
            others = {variable(name): mp.mpf(draw.uniform(0.05, 0.95)) for name in variables[2:]}
            points += [{Y: by + shift, R: r, **others} for shift in (r, mp.mpf(0))]
    return points


def _target(draw: random.Random, loss: Loss, k: int = 0) -> float:
    """Return an r from the domain of a loss; of one that is a formula, from 0 to 1 unless k is a multiple of 4."""
    if loss.written and k % 4:
        return draw.uniform(0.02, 0.98)
    if loss.targets == "class":
        return float(draw.randrange(2))
    if loss.targets in ("unit", "distribution"):
        return draw.uniform(0.02, 0.98)
    if loss.targets in ("count", "positive"):
        return draw.uniform(0.1, 4)
    return draw.uniform(-2, 2)


def _points(loss: Loss, slope: Slope | None, variables: Sequence[str]) -> list[Point]:
    """Return random a, y = h(a), r and q."""
    draw = random.Random(2)
    mp = precise()
    points: list[Point] = []
    for k in range(24):
        a = mp.mpf(draw.uniform(-3, 3))
        y = mp.mpf(draw.uniform(0.02, 0.98)) if slope is None else value_or_none(slope.h, {A: a})
        r = _target(draw, loss, k)
        others = {variable(name): mp.mpf(draw.uniform(0.05, 0.95)) for name in variables[2:]}
        if y is not None:
            points.append({A: a, Y: y, R: mp.mpf(r), **others})
    return points


def _points_of(loss: Loss, variables: Sequence[str]) -> list[Point]:
    """Return random y, r and q where a declared loss is defined, and away from its kinks."""
    draw, mp = random.Random(4), precise()
    low, high = (0.02, 0.98) if loss.of_probabilities else (0.1, 4.0) if loss.low == 0 else (-3.0, 3.0)
    return [
        {Y: mp.mpf(draw.uniform(low, high)), R: mp.mpf(_target(draw, loss))}
        | {variable(name): mp.mpf(draw.uniform(0.05, 0.95)) for name in variables[2:]}
        for _ in range(24)
    ]


# ---- softmax ---------------------------------------------------------------------------------------------------------


def indexed(node: Node, index: str) -> Node:
    """Return a tree of y, r and q of one output with an index."""
    return substitute(node, {name: symbol(name, index) for name in node.variables})


def indicator(left: str, right: str) -> Node:
    """Return 1 where two indices are the same, else 0."""
    return Node("indicator", (variable(left), variable(right)))


SOFTMAX_SLOPE = times(symbol("y", "m"), minus(indicator("m", "k"), symbol("y", "k")))  # ∂y_m/∂a_k


def _of_softmax(slope_of_E: Node, points: Sequence[Point], algebra: Algebra, sums_to_one: bool) -> list[Step]:
    """Return δ_k = Σ_m ∂E/∂y_m y_m (1{m=k} − y_k), and shorter.

    The term of m = k is taken from the sum where something cancels in it that does not in the others.
    """
    together, apart = _as_one_sum(slope_of_E, points, algebra, sums_to_one), _case_by_case(slope_of_E, points, algebra)
    return apart if apart and weight(apart[-1].right) < weight(together[-1].right) else together


def _case_by_case(slope_of_E: Node, points: Sequence[Point], algebra: Algebra) -> list[Step]:
    """Return δ_k = ∂E/∂y_k y_k (1 − y_k) − y_k Σ_{m≠k} ∂E/∂y_m y_m, and shorter; nothing where it is no shorter."""
    own, other = times(slope_of_E, times(Y, minus(ONE, Y))), times(slope_of_E, Y)
    shorter = [simplified(part, points, algebra).steps for part in (own, other)]
    if not shorter[0]:
        return []

    def written(own: Node, other: Node) -> Node:
        return minus(indexed(own, "k"), times(symbol("y", "k"), summed("m", indexed(other, "m"), without="k")))

    shorter[1] = shorter[1] or _as_one_fraction(other, points, algebra)
    last = [part[-1].right if part else whole for part, whole in zip(shorter, (own, other), strict=True)]
    y_k = symbol("y", "k")
    steps = [
        Step(summed("m", times(indexed(slope_of_E, "m"), SOFTMAX_SLOPE))),
        Step(
            written(own, other),
            (variable("m"), " = ", variable("k"), " by itself, and the others, where ", indicator("m", "k"), " = 0"),
        ),
        Step(written(*last), shorter[0][-1].reason),
    ]
    rest = _without_y(last[0], algebra)
    if rest is not None:
        in_front = times(y_k, minus(indexed(rest, "k"), summed("m", indexed(last[1], "m"), without="k")))
        steps.append(Step(in_front, ("with ", y_k, " in front")))
    return steps


def _without_y(node: Node, algebra: Algebra) -> Node | None:
    """Return a product without its factor y; None where it has none."""
    if Y not in factors_by_side(node)[0]:
        return None
    return algebra.tree(algebra.expression(node) / algebra.symbol(Y))


def _as_one_sum(slope_of_E: Node, points: Sequence[Point], algebra: Algebra, sums_to_one: bool) -> list[Step]:
    """Return the steps with the indicator multiplied out."""
    D_m, y_k = indexed(slope_of_E, "m"), symbol("y", "k")
    product = times(slope_of_E, Y)
    shorter = simplified(product, points, algebra).steps
    G = shorter[-1].right if shorter else product
    G_k, G_m = indexed(G, "k"), indexed(G, "m")
    apart = minus(indexed(product, "k"), times(y_k, summed("m", indexed(product, "m"))))
    steps = [
        Step(summed("m", times(D_m, SOFTMAX_SLOPE))),
        Step(apart, ("multiplied out: of the indicators one is 1",)),
    ]
    if shorter:
        by: Words = ("as ", product, " = ", G) if weight(product) <= _SHORT else shorter[-1].reason
        steps.append(Step(minus(G_k, times(y_k, summed("m", G_m))), by))
    r_k, r_m = symbol("r", "k"), symbol("r", "m")
    factor, rest = algebra.expression(G).as_independent(*algebra.expression(G).free_symbols, as_Add=False)
    if factor != 1:
        of_k, of_m = (indexed(algebra.tree(rest), index) for index in ("k", "m"))
        mean = times(y_k, summed("m", of_m))
        size = algebra.tree(abs(factor))

        def multiple(node: Node) -> Node:
            if size.op == "divide":
                return Node("divide", (node if size.args[0] == ONE else times(size.args[0], node), size.args[1]))
            return node if size == ONE else times(size, node)

        inner = minus(mean, of_k) if factor < 0 else minus(of_k, mean)
        steps.append(Step(multiple(inner), ("with ", algebra.tree(factor), " taken out of all terms")))
        without_y = _without_y(algebra.tree(rest), algebra)
        if without_y is not None:
            own, others = indexed(without_y, "k"), summed("m", of_m)
            inner = times(y_k, minus(others, own) if factor < 0 else minus(own, others))
            steps.append(Step(multiple(inner), ("with ", y_k, " in front")))
        if rest == algebra.symbol(R) and sums_to_one:
            inner = minus(y_k, r_k) if factor < 0 else minus(r_k, y_k)
            steps.append(Step(multiple(inner), ("as ", summed("m", r_m), " = 1")))
        return steps
    in_front = times(y_k, minus(indexed(slope_of_E, "k"), summed("m", indexed(product, "m"))))
    if not shorter:
        steps.append(Step(in_front, ("with ", y_k, " in front")))
    return steps


def _softmax_agrees(E: Node, steps: Sequence[Step], loss: Loss, variables: Sequence[str], sums_to_one: bool) -> bool:
    """Whether all steps of δ_1 agree with each other, and with differences of E, at random a of three outputs."""
    sizes = {"m": _OUTPUTS, "n": _OUTPUTS}
    all_a = [symbol("a", m) for m in range(1, _OUTPUTS + 1)]
    exps = [Node("exp", (a,)) for a in all_a]
    softmax = {symbol("y", m): Node("divide", (exps[m - 1], plus(*exps))) for m in range(1, _OUTPUTS + 1)}
    draw, mp = random.Random(3), precise()
    points: list[Point] = []
    for k in range(12):
        point: dict[Node, Number] = {a: mp.mpf(draw.uniform(-2, 2)) for a in all_a}
        point |= {y: value_or_none(tree, point) for y, tree in softmax.items()}
        targets = [_target(draw, loss, k) for _ in all_a]
        total = sum(targets) if sums_to_one else 1
        for m, r in enumerate(targets, start=1):
            point[symbol("r", m)] = mp.mpf(r) / mp.mpf(total)
            point |= {symbol(name, m): mp.mpf(draw.uniform(0.05, 0.95)) for name in variables[2:]}
        points.append(point)
    written = [expanded(substitute(step.right, {"k": variable("1"), **_at_first(step.right)}), sizes) for step in steps]
    chain = all(agree(one, two, points) for one, two in pairwise(written))
    whole = plus(*(substitute(indexed(E, str(m)), {y.name: tree for y, tree in softmax.items()})
                   for m in range(1, _OUTPUTS + 1)))  # fmt: skip
    return chain and slopes_agree(whole, all_a[0].name, written[-1], points)


def _at_first(node: Node) -> dict[str, Node]:
    """Return the symbols of output k as those of output 1."""
    return {name: variable(name[: -len("k")] + "1") for name in node.variables if name.endswith("_k")}
