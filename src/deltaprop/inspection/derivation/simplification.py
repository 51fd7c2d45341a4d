"""Shorter ways to write a tree, with the lines between, each checked at random points before it is taken."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from typing import NamedTuple

from deltaprop.functions.formulas.tree import Node, rebuilt, with_args
from deltaprop.inspection.derivation.algebra import Algebra, Expression, UnwrittenError, is_wild
from deltaprop.inspection.derivation.document import Step, Words
from deltaprop.inspection.derivation.effort import TooLongError, limited
from deltaprop.inspection.derivation.evaluation import Point, agree

LARGEST = 250  # nodes of a tree that is simplified
MOST_TERMS = 200  # that multiplying out may bring
_HARD = ("exp", "log", "tanh", "sinh", "cosh", "tan", "sin", "cos", "atan", "erf", "erfc", "power", "sqrt", "where")
CANCELS: Words = ("what stands above and below cancels",)

Way = Callable[[Expression], Expression]


def weight(node: Node) -> int:
    """Return how much there is to read in a tree."""
    if node.op == "number":
        return 1 + 4 * (node.value >= 1000 or len(repr(node.value)) > 8) + 20 * (node.value >= 1e6)
    return (node.op != "neg") + (node.op in _HARD) + (node.op == "divide") + sum(weight(x) for x in node.args)


class Simplified(NamedTuple):
    """The steps from a tree to the shortest way to write it, none where it is that; and whether none was given up."""

    steps: list[Step]
    complete: bool


def simplified(node: Node, points: Sequence[Point], algebra: Algebra) -> Simplified:
    """Return the steps from a tree to the shortest way to write it.

    Parameters
    ----------
    node : Node
    points : sequence of Point
        At which each step must have the value of the tree.
    algebra : Algebra
    """
    if node.size > LARGEST:
        return Simplified([], not _worth_a_try(node))
    try:
        with limited():
            complete = terms_of(algebra.expression(node)) <= MOST_TERMS
            forms = [_by(way, node, algebra) for way in _ways(algebra, complete)]
            between = _by(algebra.sympy.together, node, algebra) if complete else node
    except TooLongError:
        return Simplified([], False)
    good = [form for form in forms if weight(form) < weight(node) and agree(node, form, points)]
    if not good:
        return Simplified([], complete)
    best = min(good, key=weight)
    whole = best.op == between.op == "divide" and best.args[1] == between.args[1]
    if whole and between != node and weight(best) < weight(between) and agree(node, between, points):
        return Simplified([Step(between, ("over one denominator",)), Step(best, ("multiplied out above",))], complete)
    return Simplified([Step(best, _what_happened(node, best))], complete)


def terms_of(expression: Expression) -> int:
    """Return a bound on how many terms an expression has when it is multiplied out; of many, that they are too many."""
    count = 1
    if expression.is_Add:
        count = sum(terms_of(x) for x in expression.args)
    elif expression.is_Mul:
        for x in expression.args:
            count = min(count * terms_of(x), MOST_TERMS + 1)
    elif expression.is_Pow and expression.exp.is_Rational:
        count = terms_of(expression.base)
        if count > 1:
            n = math.ceil(abs(expression.exp))
            count = math.comb(count + n - 1, n) if n <= MOST_TERMS else n
    elif expression.func.__name__ == "exp" and is_wild(expression.args[0]):
        count = MOST_TERMS + 1
    else:
        count = max((terms_of(x) for x in expression.args), default=1)
    return min(count, MOST_TERMS + 1)


def _ways(algebra: Algebra, complete: bool) -> list[Way]:
    """Return what is tried; of what would have very many terms nothing that multiplies out."""
    sympy = algebra.sympy

    def by_powers(x: Expression) -> Expression:
        return sympy.powsimp(sympy.cancel(x))

    def term_by_term(x: Expression) -> Expression:
        sums = [f for f in x.args if f.is_Add] if x.is_Mul else []
        if not sums:
            return x
        longest = max(sums, key=lambda f: len(f.args))
        return sympy.Add(*(sympy.factor(sympy.cancel(t * x / longest)) for t in longest.args))

    def by_tangent(x: Expression) -> Expression:
        return sympy.cancel(
            x.replace(sympy.sinh, lambda u: sympy.tanh(u) * sympy.cosh(u)).replace(
                sympy.sin, lambda u: sympy.tan(u) * sympy.cos(u)
            )
        )

    def by_pythagoras(x: Expression) -> Expression:
        def square(f: Expression) -> bool:
            return bool(f.is_Pow and f.exp == 2 and f.base.func in (sympy.sinh, sympy.sin))

        def other(f: Expression) -> Expression:
            u = f.base.args[0]
            return sympy.cosh(u) ** 2 - 1 if f.base.func == sympy.sinh else 1 - sympy.cos(u) ** 2

        return sympy.cancel(x.replace(square, other))

    if not complete:
        return [lambda x: x, sympy.factor_terms]
    return [
        lambda x: x,
        sympy.factor_terms,
        sympy.cancel,
        sympy.factor,
        sympy.powsimp,
        by_powers,
        term_by_term,
        by_tangent,
        by_pythagoras,
    ]


def _worth_a_try(node: Node) -> bool:
    return any(x.op in ("add", "subtract", "multiply", "divide") for x in node.parts())


def _what_happened(node: Node, best: Node) -> Words:
    return CANCELS if _divisors(node).total() > _divisors(best).total() else ()


def _divisors(node: Node) -> Counter[Node]:
    """Return by what a tree divides, and how often: the bases of the factors of its denominators."""
    found: Counter[Node] = Counter()

    def add(factor: Node) -> None:
        if factor.op in ("multiply", "power", "sqrt"):
            for x in factor.args[:1] if factor.op == "power" else factor.args:
                add(x)
        elif factor.variables:
            found[factor] += 1

    for x in node.parts():
        if x.op == "divide":
            add(x.args[1])
    return found


def _by(way: Way, node: Node, algebra: Algebra) -> Node:
    """Rewrite a tree, and the branches in it by themselves."""

    def rewrite(node: Node) -> Node:
        try:
            return algebra.tree(way(algebra.expression(node)))
        except UnwrittenError:
            return node

    def branches(node: Node, args: tuple[Node, ...]) -> Node:
        if node.op == "where":
            return Node("where", (args[0], rewrite(args[1]), rewrite(args[2])))
        return with_args(node, args) if args else node

    return rewrite(rebuilt(node, branches))


def into_branches(node: Node, points: Sequence[Point], algebra: Algebra) -> list[Step]:
    """Return a product with a function of cases as cases of products, where that is shorter."""
    cases = next((x for x in node.parts() if x.op == "where"), None)
    if cases is None or node.op == "where" or node.size > LARGEST:
        return []

    def branch(place: int) -> Node:
        chosen = rebuilt(node, lambda n, args: cases.args[place] if n == cases else with_args(n, args) if args else n)
        steps = simplified(chosen, points, algebra).steps
        return steps[-1].right if steps else chosen

    try:
        with limited():
            form = Node("where", (cases.args[0], _tidy(branch(1), algebra), _tidy(branch(2), algebra)))
    except TooLongError:
        return []
    if weight(form) < weight(node) and agree(node, form, points):
        return [Step(form, ("case by case",))]
    return []


def _tidy(node: Node, algebra: Algebra) -> Node:
    form = algebra.tree(algebra.expression(node))
    return form if weight(form) < weight(node) else node
