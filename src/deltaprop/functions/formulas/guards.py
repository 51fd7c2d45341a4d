"""The last rewritings, which bring abs and where in: they save digits, and are not to be differentiated."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from fractions import Fraction

from deltaprop.functions.formulas.algebra import (
    ONE,
    ZERO,
    as_number,
    collected,
    factors,
    multiplied,
    product_of,
    raised,
    sum_of,
    terms,
    times,
)
from deltaprop.functions.formulas.ranges import Range, range_of
from deltaprop.functions.formulas.stable import called, product, total
from deltaprop.functions.formulas.tree import Node, number, rebuilt, with_args


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
        if node.op == "multiply":
            return _fading(node)
        return _one_less_quotient(_root_of_square(node)) if node.op in ("add", "subtract") else node

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


def _fading(node: Node) -> Node:
    """Write exp(u) · sigmoid(-c · exp(u) …), inf · 0 where u is large, as exp(u - softplus(c · exp(u) …))."""
    c, bases = factors(node)
    for exponential in [x for x, n in bases.items() if x.op == "exp" and n == 1]:
        for sigmoid in [x for x, n in bases.items() if x.op == "sigmoid" and n >= 1]:
            if terms(sigmoid.args[0]).get(exponential, Fraction(0)) < 0:
                softplus = Node("softplus", (times(-1, sigmoid.args[0]),))
                own = sum_of(collected([*terms(exponential.args[0]).items(), (softplus, Fraction(-1))]))
                rest = {exponential: Fraction(-1), sigmoid: Fraction(-1), Node("exp", (own,)): Fraction(1)}
                return product_of(*multiplied((c, bases), (Fraction(1), rest)))
    return node


def _one_less_quotient(node: Node) -> Node:
    """Write 1 - k / (k + x) as 1 / (1 + k / x) where x ≥ 0: as exact near 0, and no inf / inf where x overflows."""
    sums = terms(node)
    for term, c in sums.items():
        _, bases = factors(term)
        for base in (x for x, n in bases.items() if n == -1 and x.op in ("add", "subtract")):
            others = {x: m for x, m in bases.items() if x != base}
            alone = product_of(Fraction(1), others)
            k = -c / sums[alone] if alone in sums else Fraction(0)
            x = total([*terms(base).items(), (ONE, -k)]) if k > 0 else ONE
            if ONE not in terms(x) and range_of(x)[0] >= 0:
                ratio = product(multiplied((k, {}), raised(factors(x), Fraction(-1))))
                below = {sum_of(collected([*terms(ratio).items(), (ONE, Fraction(1))])): Fraction(-1)}
                made = product(multiplied((Fraction(1), others), (Fraction(1), below)))
                rest = [(t, d) for t, d in sums.items() if t not in (alone, term)]
                return sum_of(collected([*rest, (made, sums[alone])]))
    return node


def _log_cosh(x: Node) -> Node:
    """Return log(cosh(x)) = |x| + log((1 + exp(-2|x|)) / 2), near 0 no difference of logarithms."""
    x = called("abs", (x,))
    shrunk = Node("log1p", (times(Fraction(1, 2), called("expm1", (times(-2, x),))),))
    return sum_of({x: Fraction(1), shrunk: Fraction(1)})


def with_floors(node: Node, variables: Mapping[str, Range], differences: Collection[str] = ()) -> Node:
    """Return a tree in which what is not negative, and is divided by or has its logarithm taken, is never 0.

    For losses that are infinite where y is 0 or 1, of outputs that come there by rounding alone. What is 0 because it
    is too small counts as the least normal number; what is so because a sum has lost it, as 1 - y has, as a quarter of
    epsilon: the slope above it has not become 0 yet, and must not be divided by less. What is weighted by r = 0, or by
    1 - r = 0, is 0 however large. Not to be rewritten any more.

    Parameters
    ----------
    node : Node
    variables : mapping
        Bounds on the variables.
    differences : collection of str
        Variables that are sums.

    Examples
    --------
    >>> from deltaprop.functions.formulas.parser import parse
    >>> str(with_floors(parse("log(erfc(a)) / a", ["a"], "h"), {}))
    'log(positive(erfc(a))) / a'
    >>> str(with_floors(parse("1 / (1 - y)", ["y"], "E"), {"y": (0.0, 1.0)}))
    '1 / apart(1 - y)'
    """
    bounds: dict[Node, Range] = {}

    def bound(node: Node, args: tuple[Node, ...]) -> Node:
        bounds[node] = range_of(node, variables)
        return node

    rebuilt(node, bound)

    def floored(node: Node, own: Node) -> Node:
        """Return ``own``, which is ``node`` with its parts made, and at least 0, and its factors, never 0."""
        if node.op in ("add", "subtract") or node.name in differences:
            return Node("apart", (own,))
        if node.op == own.op == "multiply" and all(bounds[x][0] >= 0 for x in node.args):
            own = with_args(own, tuple(map(floored, node.args, own.args)))
        if node.op == own.op == "power" and bounds[node.args[0]][0] >= 0:
            own = with_args(own, (floored(node.args[0], own.args[0]), own.args[1]))
        return own if node.op == "number" else Node("positive", (own,))

    def not_0(node: Node, own: Node) -> Node:
        """Return the same of what may be negative, where something is wrong: only 0 itself is no 0."""
        is_0 = Node("and", (Node("less_equal", (own, ZERO)), Node("less_equal", (ZERO, own))))
        return Node("where", (is_0, floored(node, own), own))

    def made(node: Node, args: tuple[Node, ...]) -> Node:
        if node.op == "log1p" and bounds[node.args[0]][0] >= -1:
            near = Node("log", (Node("apart", (Node("add", (ONE, *args)),)),))
            return Node("where", (Node("less", (*args, number(-0.5))), near, with_args(node, args)))
        if node.op == "multiply":
            return _never_0_times_inf(node, args)
        if node.op == "log":
            low, _ = bounds[node.args[0]]
            return with_args(node, ((floored if low >= 0 else not_0)(node.args[0], args[0]),))
        if node.op == "divide" and node.args[1].op != "number":
            low, high = bounds[node.args[1]]
            if low >= 0:
                return with_args(node, (args[0], floored(node.args[1], args[1])))
            if high <= 0:
                below = Node("positive", (Node("neg", args[1:]),))
                return with_args(node, (Node("neg", args[:1]), below))
            if node.args[1].op in ("add", "subtract"):
                return with_args(node, (args[0], not_0(node.args[1], args[1])))
        return with_args(node, args) if args else node

    return rebuilt(node, made)


def _never_0_times_inf(node: Node, args: tuple[Node, ...]) -> Node:
    for weight, own in zip(node.args, args, strict=True):
        if weight.variables == {"r"} and node.variables != {"r"}:
            other = Node("or", (Node("less", (own, ZERO)), Node("less", (ZERO, own))))
            return Node("where", (other, with_args(node, args), ZERO))
    return with_args(node, args)
