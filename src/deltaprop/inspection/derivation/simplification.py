"""Shorter ways to write a tree, with the lines between, each checked at random points before it is taken."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from deltaprop.functions.formulas.tree import Node, rebuilt, with_args
from deltaprop.inspection.derivation.algebra import Algebra, Expression, UnwrittenError, is_wild
from deltaprop.inspection.derivation.cancelling import uncancelled
from deltaprop.inspection.derivation.conditions import decided
from deltaprop.inspection.derivation.document import Step, Words
from deltaprop.inspection.derivation.effort import TooLongError, limited
from deltaprop.inspection.derivation.evaluation import Point, agree
from deltaprop.inspection.derivation.ways import Way, ways

LARGEST = 250  # nodes of a tree that is simplified
MOST_TERMS = 200  # that multiplying out may bring
_HARD = ("exp", "log", "tanh", "sinh", "cosh", "tan", "sin", "cos", "atan", "erf", "erfc", "power", "sqrt", "where")
CANCELS: Words = ("what stands above and below cancels",)


def weight(node: Node) -> int:
    """Return how much there is to read in a tree; a fraction within a fraction is read twice."""
    return _read(node)[0]


def _read(node: Node) -> tuple[int, bool]:
    """Return the weight of a tree, and whether there is a fraction in it."""
    if node.op == "number":
        return 1 + 4 * (node.value >= 1000 or len(repr(node.value)) > 8) + 20 * (node.value >= 1e6), False
    parts = [_read(x) for x in node.args]
    divided, divides = any(x for _, x in parts), node.op == "divide"
    own = (
        (node.op == "abs" and parts[0][0] > 1)
        + (node.op != "neg")
        + (node.op in _HARD)
        + divides
        + (divides and divided)
    )
    return own + sum(x for x, _ in parts), divided or divides


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
            forms = [
                (_by(way, node, algebra), way)
                for way in ways(algebra, complete, any(x.op == "divide" for x in node.parts()))
            ]
            between = _by(Way(algebra.sympy.together), node, algebra) if complete else node
    except TooLongError:
        return Simplified([], False)
    good = [form for form in forms if _effort(form[0]) < _effort(node) and agree(node, form[0], points)]
    if not good:
        return Simplified([], complete)
    best, way = min(good, key=lambda form: _effort(form[0]))
    whole = best.op == between.op == "divide" and best.args[1] == between.args[1]
    if whole and between != node and weight(best) < weight(between) and agree(node, between, points):
        return Simplified(
            [
                Step(between, ("over one denominator",)),
                Step(best, (way.reason if way.identity else "multiplied out above",)),
            ],
            complete,
        )
    return Simplified(
        [Step(best, CANCELS if len(uncancelled(best)) < len(uncancelled(node)) else (way.reason,))], complete
    )


def _effort(node: Node) -> tuple[int, int]:
    """Return what the shortest way to write a tree has least of: what could cancel, then what there is to read."""
    return len(uncancelled(node)), weight(node)


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


def _worth_a_try(node: Node) -> bool:
    return any(x.op in ("add", "subtract", "multiply", "divide") for x in node.parts())


def put_together(node: Node, algebra: Algebra) -> Node:
    """Return a tree with its numbers and like factors put together, as SymPy does it unasked."""
    return _by(Way(lambda x: x), node, algebra)


def _by(way: Way, node: Node, algebra: Algebra) -> Node:
    """Rewrite a tree, and the branches in it by themselves."""

    def rewrite(node: Node) -> Node:
        try:
            return algebra.tree(way.rewrite(algebra.expression(node)))
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
        chosen = decided(chosen, cases.args[0], place == 1, algebra)
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
