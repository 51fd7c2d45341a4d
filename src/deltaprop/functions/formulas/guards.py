"""The last rewritings, which bring abs and where in: they save digits, and are not to be differentiated."""

from __future__ import annotations

from fractions import Fraction

from deltaprop.functions.formulas.algebra import (
    ONE,
    ZERO,
    as_number,
    collected,
    factors,
    raised,
    sum_of,
    terms,
    times,
)
from deltaprop.functions.formulas.ranges import range_of
from deltaprop.functions.formulas.stable import called, product
from deltaprop.functions.formulas.tree import Node, rebuilt, with_args


def guarded(node: Node) -> Node:
    """Return a stable tree without the cancellations that only abs and where can avoid.

    Examples
    --------
    >>> from deltaprop.functions.formulas.parser import parse
    >>> from deltaprop.functions.formulas.stable import stable
    >>> str(guarded(stable(parse("log(cosh(a))", ["a"], "h"))))
    'abs(a) + log1p(0.5 * expm1(-2 * abs(a)))'
    """

    def made(node: Node, args: tuple[Node, ...]) -> Node:
        node = with_args(node, args) if args else node
        if node.op == "log" and args[0].op == "cosh":
            return _log_cosh(args[0].args[0])
        return _root_of_square(node) if node.op in ("add", "subtract") else node

    return rebuilt(node, made)


def _root_of_square(node: Node) -> Node:
    """Write x + sqrt(x² + k) anew: it cancels where x < 0; there it is k / (|x| + sqrt(x² + k))."""
    sums = terms(node)
    for root, c in sums.items():
        under = terms(root.args[0]) if root.op == "sqrt" else {}
        k = under.get(ONE, Fraction(0))
        for term, d in sums.items() if k > 0 else ():
            x = times(d / c, term)
            if (
                term in (root, ONE)
                or range_of(x)[0] >= 0
                or collected([*terms(product(raised(factors(x), Fraction(2)))).items(), (ONE, k)]) != under
            ):
                continue
            apart = sum_of({called("abs", (x,)): Fraction(1), root: Fraction(1)})
            below = Node("divide", (as_number(k), apart))
            made = Node("where", (Node("less", (ZERO, x)), apart, below))
            return sum_of(collected([*((t, e) for t, e in sums.items() if t not in (root, term)), (made, c)]))
    return node


def _log_cosh(x: Node) -> Node:
    """Return log(cosh(x)) = |x| + log((1 + exp(-2|x|)) / 2), near 0 no difference of logarithms."""
    x = called("abs", (x,))
    shrunk = Node("log1p", (times(Fraction(1, 2), called("expm1", (times(-2, x),))),))
    return sum_of({x: Fraction(1), shrunk: Fraction(1)})
