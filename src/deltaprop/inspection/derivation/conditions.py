"""The conditions of cases: solved for their variable, and what min and max are where one holds."""

from __future__ import annotations

from deltaprop.functions.formulas.tree import Node, rebuilt, with_args
from deltaprop.inspection.derivation.algebra import Algebra


def solved(condition: Node, algebra: Algebra) -> Node:
    """Return a comparison as one of a variable with a number, where it is linear in one alone.

    Examples
    --------
    >>> from deltaprop.functions.formulas import parse
    >>> for text in ("a < 0.1 * a", "6 <= a + 3", "-a < 1", "a < a**2"):
    ...     print(solved(parse(f"where({text}, 1, 0)", ["a"], "h").args[0], Algebra()))
    a < 0
    a >= 3
    -1 < a
    a < a**2
    """
    if condition.op not in ("less", "less_equal"):
        return condition
    left, right = map(algebra.expression, condition.args)
    difference = algebra.sympy.expand(left - right)
    symbols = difference.free_symbols
    if len(symbols) != 1 or algebra.nodes[next(iter(symbols))].op != "variable":
        return condition
    (x,) = symbols
    slope = difference.coeff(x, 1)
    rest = difference - slope * x
    if slope == 0 or rest.has(x):
        return condition
    sides = (algebra.tree(x), algebra.tree(-rest / slope))
    return Node(condition.op, sides if slope > 0 else sides[::-1])


def first_is_it(node: Node, algebra: Algebra) -> Node:
    """Return the condition on which min or max of two is the first of them; where it does not hold it is the second."""
    x, y = node.args
    return solved(Node("less", (y, x) if node.op == "max" else (x, y)), algebra)


def decided(node: Node, condition: Node, holds: bool, algebra: Algebra) -> Node:
    """Return a tree with every min and max that a condition decides as the one of the two that it is.

    Examples
    --------
    >>> from deltaprop.functions.formulas import parse
    >>> tree, cases = (parse(text, ["a"], "h") for text in ("2 * max(a, 0)", "where(0 < a, 1, 0)"))
    >>> [str(decided(tree, cases.args[0], holds, Algebra())) for holds in (True, False)]
    ['2 * a', '2 * 0']
    """

    def decide(node: Node, args: tuple[Node, ...]) -> Node:
        if node.op in ("min", "max") and first_is_it(node, algebra) == condition:
            return args[0 if holds else 1]
        return with_args(node, args) if args else node

    return rebuilt(node, decide)
