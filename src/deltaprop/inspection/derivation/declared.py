"""The derivative that is declared for a function, where it is shorter than what was found, and why it is equal."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

from deltaprop.functions.formulas.tree import Node, substitute, variable
from deltaprop.inspection.derivation.algebra import Algebra, Expression
from deltaprop.inspection.derivation.document import Step, Words
from deltaprop.inspection.derivation.effort import TooLongError, limited
from deltaprop.inspection.derivation.evaluation import Point, agree, value_or_none
from deltaprop.inspection.derivation.simplification import put_together, weight

AT_KINKS: Words = ("and at a kink, where there are two slopes, as the engine has it",)
_OTHERWISE: Words = ("as it is usually written",)


def or_declared(
    steps: list[Step],
    declared: Node,
    meaning: tuple[str, Node] | None,
    points: Sequence[Point],
    kinks: Sequence[Point],
    algebra: Algebra,
) -> list[Step]:
    """Return the steps to a derivative, with the declared one at their end where that is shorter, or other at a kink.

    Parameters
    ----------
    steps : list of Step
        The first is what the rules of differentiation give.
    declared : Node
    meaning : (str, Node) or None
        A name that may stand in what is declared, with what it stands for: z for h(a).
    points, kinks : sequence of Point
        Where the two have to agree, and where they may differ.
    algebra : Algebra
    """
    raw, shortest = steps[0].right, steps[-1].right
    if declared == shortest or not agree(raw, declared, points):
        return steps
    if weight(declared) <= weight(shortest) and put_together(declared, algebra) == put_together(raw, algebra):
        return [Step(declared)]  # 0.3 for 3 / 10
    if _has_cases(raw) and any(_differ(raw, declared, p) for p in kinks):
        return [steps[0], Step(declared, AT_KINKS)]
    if weight(declared) >= weight(shortest):
        return steps
    return [steps[0], Step(declared, _reason(raw, declared, meaning, algebra))]


def _has_cases(node: Node) -> bool:
    return any(x.op in ("where", "sign", "max", "min") for x in node.parts())


def _differ(first: Node, second: Node, point: Point) -> bool:
    one, two = value_or_none(first, point), value_or_none(second, point)
    return one is not None and two is not None and abs(one - two) > 1e-12


def _reason(raw: Node, declared: Node, meaning: tuple[str, Node] | None, algebra: Algebra) -> Words:
    words: Words = ()
    if meaning is not None and meaning[0] in declared.variables:
        words = ("with ", variable(meaning[0]), " = ", meaning[1])
        declared = substitute(declared, dict([meaning]))
    try:
        with limited():
            needed = _identities_between(raw, declared, algebra)
    except TooLongError:
        needed = None
    if needed is None:
        return words or _OTHERWISE
    texts = [f"as {text}" for text in needed]
    return (*words, ", " * bool(words and texts) + ", ".join(texts)) if words or texts else ("rearranged",)


def _identities_between(first: Node, second: Node, algebra: Algebra) -> tuple[str, ...] | None:
    """Return the fewest identities by which, with algebra, two trees are one; None where these here do not do."""
    sympy = algebra.sympy

    def by_cosh(x: Expression) -> Expression:
        return x.replace(
            lambda f: f.is_Pow and f.base.func == sympy.cosh and f.exp.is_even,
            lambda f: (1 - sympy.tanh(f.base.args[0]) ** 2) ** (-f.exp / 2),
        )

    def by_erfc(x: Expression) -> Expression:
        return x.replace(
            lambda f: f.func == sympy.erfc and f.args[0].could_extract_minus_sign(),
            lambda f: 2 - sympy.erfc(-f.args[0]),
        )

    identities = {"1 − tanh(x)² = 1 / cosh(x)²": by_cosh, "erfc(−x) = 2 − erfc(x)": by_erfc}
    difference = algebra.expression(first) - algebra.expression(second)
    for n in range(len(identities) + 1):
        for chosen in combinations(identities, n):
            rest = difference
            for text in chosen:
                rest = identities[text](rest)
            if sympy.cancel(rest) == 0:
                return chosen
    return None
