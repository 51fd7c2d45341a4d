"""Sums as terms with coefficients and products as factors with exponents, both exact, and back to trees.

The same sum or product always becomes the same tree, whatever the order in which it was written.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from fractions import Fraction
from functools import lru_cache

from deltaprop.errors import FormulaError
from deltaprop.functions.formulas.tree import Node, number, variable

Terms = dict[Node, Fraction]  # by what stands beside the coefficient; a number's is ONE
Factors = dict[Node, Fraction]  # exponents by base
Product = tuple[Fraction, Factors]

ONE, ZERO = number(1), number(0)
_Y, _R = variable("y"), variable("r")
LARGEST = 4000  # nodes of a tree, shared ones counted as often as they stand in it
_EXACT_BITS = 256  # of a coefficient; longer ones are rounded to float64


@lru_cache(maxsize=10_000)
def order(node: Node) -> tuple[int, bool, str]:
    """Return what terms and factors are sorted by: the small ones first, and r last, for y - r is what people know."""
    if node.size > LARGEST:
        raise FormulaError("it becomes too large")
    return node.size, node.name == "r", str(node)


def as_number(value: Fraction) -> Node:
    """Return an exact number rounded to float64; raise FormulaError where it is too large or too small for one."""
    try:
        rounded = float(value)
    except OverflowError:
        rounded = math.inf
    if math.isinf(rounded) or (value and not rounded):
        raise FormulaError("its constants come to a number that is too large or too small for float64")
    return number(rounded)


def collected(parts: Iterable[tuple[Node, Fraction]]) -> dict[Node, Fraction]:
    """Return the sums of the fractions by node, without those that are 0."""
    sums: dict[Node, Fraction] = {}
    for node, fraction in parts:
        sums[node] = sums[node] + fraction if node in sums else fraction
    return {node: fraction for node, fraction in sums.items() if fraction}


@lru_cache(maxsize=10_000)
def terms(node: Node) -> Terms:
    """Return the terms of a sum, to be read only; what is no sum is a sum of one.

    Examples
    --------
    >>> from deltaprop.functions.formulas.parser import parse
    >>> {str(term): str(c) for term, c in terms(parse("1 - (2 * a / 3 - 1)", ["a"], "h")).items()}
    {'1': '2', 'a': '-2/3'}
    """
    if node.op in ("add", "subtract"):
        sign = 1 if node.op == "add" else -1
        return collected([*terms(node.args[0]).items(), *((x, sign * c) for x, c in terms(node.args[1]).items())])
    coefficient, bases = factors(node)
    if not bases:
        return {ONE: coefficient} if coefficient else {}
    (base, exponent), *others = bases.items()
    if abs(coefficient) == 1 and exponent == 1 and not others and base.op in ("add", "subtract"):
        return {x: coefficient * c for x, c in terms(base).items()}
    return {product_of(Fraction(1), bases): coefficient}


@lru_cache(maxsize=10_000)
def factors(node: Node) -> Product:
    """Return the coefficient and the factors of a product, to be read only; what is no product is a product of one.

    Examples
    --------
    >>> from deltaprop.functions.formulas.parser import parse
    >>> coefficient, bases = factors(parse("-a * r**2 / (3 * sqrt(a))", ["a", "r"], "h"))
    >>> str(coefficient), {str(base): str(exponent) for base, exponent in bases.items()}
    ('-1/3', {'a': '1/2', 'r': '2'})
    """
    match node.op, node.args:
        case "number", _:
            return Fraction(node.value), {}
        case "neg", (x,):
            c, bases = factors(x)
            return -c, bases
        case "multiply", (x, y):
            return multiplied(factors(x), factors(y))
        case "divide", (x, y):
            return multiplied(factors(x), raised(factors(y), Fraction(-1)))
        case "sqrt", (x,):
            return raised(factors(x), Fraction(1, 2))
        case "power", (x, Node(op="number", value=exponent)):
            return raised(factors(x), Fraction(exponent))
    return Fraction(1), {node: Fraction(1)}


def multiplied(*products: Product) -> Product:
    """Return the product of products."""
    coefficient = Fraction(1)
    for c, _ in products:
        coefficient *= c
    if max(coefficient.numerator.bit_length(), coefficient.denominator.bit_length()) > _EXACT_BITS:
        coefficient = Fraction(as_number(coefficient).value)
    return coefficient, collected(pair for _, bases in products for pair in bases.items())


def raised(product: Product, exponent: Fraction) -> Product:
    """Return a product to a power."""
    coefficient, bases = product
    if not exponent:
        return Fraction(1), {}
    if not coefficient:
        if exponent < 0:
            raise FormulaError("it divides by zero")
        return Fraction(0), {}
    if exponent.denominator == 1:
        return power_of(coefficient, exponent), collected(_even(x, n * exponent) for x, n in bases.items())
    if coefficient > 0 and len(bases) < 2:
        return power_of(coefficient, exponent), dict(_root(x, n, exponent) for x, n in bases.items())
    if coefficient > 0:  # exponentials leave the root, the rest stays together under it
        free = {x: n * exponent for x, n in bases.items() if x.op == "exp"}
        rest = {x: n for x, n in bases.items() if x.op != "exp"}
        under = dict([_root(*next(iter(rest.items())), exponent)]) if len(rest) == 1 else {}
        if len(rest) > 1:
            under = {product_of(Fraction(1), rest): exponent}
        return power_of(coefficient, exponent), {**free, **under}
    if not bases:
        raise FormulaError("it has a root of a negative number")
    return Fraction(1), {product_of(coefficient, bases): exponent}


def _even(base: Node, exponent: Fraction) -> tuple[Node, Fraction]:
    """Return base**exponent, an even power of a sum as that of the one of x and -x without the minus."""
    even = exponent.denominator == 1 and exponent.numerator % 2 == 0 and base.op in ("add", "subtract")
    return (minus(base) if even and negative(base) else base), exponent


def _root(base: Node, inner: Fraction, outer: Fraction) -> tuple[Node, Fraction]:
    """Return (base**inner)**outer, the outer exponent no whole number: sqrt(x**2) is abs(x)."""
    even = inner.denominator == 1 and inner.numerator % 2 == 0
    return (Node("abs", (base,)) if even and base.op != "abs" else base), inner * outer


def power_of(value: Fraction, exponent: Fraction) -> Fraction:
    """Return a coefficient to a power: exact where that is short, to float64 otherwise."""
    if value == 1:
        return value
    if exponent.denominator == 1 and abs(exponent) <= 2:
        return value ** int(exponent)
    try:
        power = as_number(value).value ** float(exponent)
    except OverflowError:
        power = math.inf
    if math.isinf(power) or not power:
        raise FormulaError("its constants come to a number that is too large or too small for float64")
    return Fraction(power)


def product_of(coefficient: Fraction, bases: Factors) -> Node:
    """Return the tree of a product: coefficient · numerator / denominator."""
    if not coefficient:
        return ZERO
    ordered = sorted(bases.items(), key=lambda factor: order(factor[0]))
    above = _chain([powered(x, n) for x, n in ordered if n > 0])
    below = _chain([powered(x, -n) for x, n in ordered if n < 0])
    if above is None:
        return as_number(coefficient) if below is None else Node("divide", (as_number(coefficient), below))
    # 1/6 and 1/3 are no floats: a / 6 is rounded once, a * (1 / 6) twice.
    if abs(coefficient.numerator) == 1 and coefficient.denominator & (coefficient.denominator - 1):
        divisor = as_number(1 / coefficient)
        below, coefficient = divisor if below is None else Node("multiply", (divisor, below)), Fraction(1)
    tree = above if below is None else Node("divide", (above, below))
    if abs(coefficient) != 1:
        return Node("multiply", (as_number(coefficient), tree))
    return tree if coefficient > 0 else Node("neg", (tree,))


def powered(base: Node, exponent: Fraction) -> Node:
    """Return the tree of base**exponent."""
    if exponent == 1:
        return base
    if exponent == Fraction(1, 2):
        return Node("sqrt", (base,))
    return Node("power", (base, as_number(exponent)))


def _chain(args: list[Node]) -> Node | None:
    tree: Node | None = None
    for x in args:
        tree = x if tree is None else Node("multiply", (tree, x))
    return tree


def sum_of(parts: Terms) -> Node:
    """Return the tree of a sum: a coefficient that all terms share stands before it, a positive term comes first."""
    if not parts:
        return ZERO
    shared = {abs(c) for c in parts.values()}
    common = shared.pop() if len(shared) == 1 else Fraction(1)
    if all(c < 0 for c in parts.values()):
        common = -common
    if common != 1 and len(parts) > 1:
        return product_of(common, {sum_of({x: c / common for x, c in parts.items()}): Fraction(1)})
    # The constant comes last, unless only it is positive; what y and r differ by comes first, lest the rest round it.
    apart = _Y in parts and parts[_Y] == -parts.get(_R, Fraction(0))
    ordered = sorted(
        parts.items(), key=lambda t: (not (apart and t[0] in (_Y, _R)), t[1] < 0, t[0] == ONE, order(t[0]))
    )
    tree: Node | None = None
    for x, c in ordered:
        tree = multiple(c, x) if tree is None else Node("subtract" if c < 0 else "add", (tree, multiple(abs(c), x)))
    assert tree is not None
    return tree


def multiple(coefficient: Fraction, node: Node) -> Node:
    """Return coefficient · node."""
    return product_of(*multiplied((coefficient, {}), factors(node)))


def times(coefficient: Fraction | int, node: Node) -> Node:
    """Return coefficient · node, a sum by its terms: -(x - y) is y - x."""
    return sum_of({x: coefficient * c for x, c in terms(node).items()}) if coefficient else ZERO


def minus(node: Node) -> Node:
    """Return -node."""
    return times(-1, node)


def negative(node: Node) -> bool:
    """Tell which of x and -x is the one with the minus."""
    parts = terms(node)
    return bool(parts) and parts[min(parts, key=order)] < 0
