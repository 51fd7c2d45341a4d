"""Products in which exponentials meet: what would be inf / inf or inf · 0 becomes sigmoid, tanh or a safe quotient.

Everything is one exponential exp(w) times factors that hold others. A factor (exp(x) + exp(y))^-n takes exp(w) in where
w is one of -(n - k) x - k y: then it is sigmoid(x - y)^(n-k) · sigmoid(y - x)^k times what is left.
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import NamedTuple

from deltaprop.functions.formulas.algebra import (
    ONE,
    Factors,
    Product,
    Terms,
    collected,
    negative,
    power_of,
    sum_of,
    terms,
)
from deltaprop.functions.formulas.tree import Node

_MOST = 8  # the largest n for which all k are tried


def gathered(product: Product) -> Product:
    """Return the product with its exponentials brought together.

    Examples
    --------
    >>> from deltaprop.functions.formulas.algebra import factors, product_of
    >>> from deltaprop.functions.formulas.parser import parse
    >>> str(product_of(*gathered(factors(parse("exp(a) / (1 + exp(a))**2", ["a"], "h")))))
    'sigmoid(a) * sigmoid(-a)'
    >>> str(product_of(*gathered(factors(parse("(exp(a) - exp(-a)) / (exp(a) + exp(-a))", ["a"], "h")))))
    'tanh(a)'
    """
    coefficient, bases = product
    if not any(_exponential(x) for x in bases):
        return product
    outer: Terms = {}
    rest: Factors = {}
    pairs: list[_Pair] = []
    roots: list[tuple[Terms, Terms, Fraction]] = []
    for x, n in bases.items():
        pair = two_exponentials(x) if n < 0 else None
        if x.op == "exp":
            outer = _plus(outer, terms(x.args[0]), n)
        elif pair is not None:
            coefficient *= power_of(pair[0], n)
            pairs.append(_Pair(*pair[1:], int(-n)))
            roots.append((*pair[1:], -n % 1))
        else:
            rest[x] = n
    coefficient, outer, rest = _differences(coefficient, outer, rest, bool(pairs))
    outer = _sigmoids(outer, rest)
    for own in pairs:
        outer = _quotient(outer, own, rest) if own.n else outer
    for first, second, share in roots:
        outer = _root(outer, first, second, share, rest)
    outer = _sums_below(outer, rest)
    coefficient = _tanh(coefficient, rest)
    if set(outer) == {ONE}:  # a number only
        coefficient *= Fraction(math.exp(float(outer[ONE])))
        outer = {}
    if outer:
        exponential = Node("exp", (sum_of(outer),))
        rest[exponential] = rest.get(exponential, Fraction(0)) + 1
    return coefficient, {x: n for x, n in rest.items() if n}


def _exponential(x: Node) -> bool:
    return x.op in ("exp", "expm1", "sigmoid") or (
        x.op in ("add", "subtract") and any(exponent_of(t) is not None for t in terms(x) if t != ONE)
    )


def exponent_of(term: Node) -> Terms | None:
    """Return x of exp(x), no terms of the number 1, None of anything else."""
    if term == ONE:
        return {}
    return terms(term.args[0]) if term.op == "exp" else None


def _plus(x: Terms, y: Terms, times: Fraction | int = 1) -> Terms:
    return collected([*x.items(), *((t, times * c) for t, c in y.items())])


def _weight(x: Terms) -> Fraction:
    return sum((abs(c) for t, c in x.items() if t != ONE), Fraction(0))


def _meet(x: Terms, y: Terms) -> bool:
    return any(t in y for t in x if t != ONE)


class _Pair(NamedTuple):
    """What is (exp(x) + exp(y))^-n."""

    x: Terms
    y: Terms
    n: int


def two_exponentials(base: Node) -> tuple[Fraction, Terms, Terms] | None:
    """Return c, x, y of a base c · (exp(x) + exp(y)), c > 0, of which one may be the number 1."""
    if base.op not in ("add", "subtract"):
        return None
    parts = terms(base)
    if len(parts) != 2 or min(parts.values()) <= 0:
        return None
    (t, c), (u, d) = sorted(parts.items(), key=lambda part: part[0] != ONE)
    x, y = exponent_of(t), exponent_of(u)
    if x is None or y is None:
        return None
    return c, x, _plus(y, {ONE: Fraction(math.log(d / c))} if c != d else {})


def _differences(c: Fraction, outer: Terms, rest: Factors, quotient: bool) -> tuple[Fraction, Terms, Factors]:
    """Write exp(x) - exp(y) as exp(y) · expm1(x - y), and expm1(u) as -exp(u) · expm1(-u), where that shortens w."""
    for base in [base for base, n in rest.items() if n == 1 and base.op == "subtract"]:
        parts = terms(base)
        if len(parts) == 2 and sum(parts.values()) == 0 and (quotient or outer):
            (t, d), (u, _) = sorted(parts.items(), key=lambda part: part[1] < 0)
            first, second = exponent_of(t), exponent_of(u)
            if first is not None and second is not None:
                del rest[base]
                c, outer = c * d, _plus(outer, second)
                rest[Node("expm1", (sum_of(_plus(first, second, -1)),))] = Fraction(1)
    for base in [x for x, n in rest.items() if n == 1 and x.op == "expm1"]:
        argument = terms(base.args[0])
        if _weight(_plus(outer, argument)) < _weight(outer):
            del rest[base]
            c, outer = -c, _plus(outer, argument)
            rest[Node("expm1", (sum_of(_plus({}, argument, -1)),))] = Fraction(1)
    return c, outer, rest


def _sigmoids(outer: Terms, rest: Factors) -> Terms:
    """Let the sigmoids there are take exp(w) in: sigmoid(s) is (1 + exp(-s))^-1."""
    for base in [x for x, n in rest.items() if x.op == "sigmoid" and n >= 1]:
        s = terms(base.args[0])
        mirrored = Node("sigmoid", (sum_of(_plus({}, s, -1)),))
        if not _meet(outer, s) or rest.get(base, 0) <= 0:
            continue
        p, q = int(rest[base]), max(int(rest.get(mirrored, Fraction(0))), 0)  # the roots among them stay
        rest[base] -= p
        rest[mirrored] = rest.get(mirrored, Fraction(0)) - q
        minus = _plus({}, s, -1)
        outer = _quotient(_plus(outer, minus, Fraction(q)), _Pair({}, minus, p + q), rest)
    return outer


def _root(outer: Terms, x: Terms, y: Terms, share: Fraction, rest: Factors) -> Terms:
    """Add (exp(x) + exp(y))^-share, a root: exp(-share · x) · sigmoid(x - y)^share; return exp's argument."""
    if not share:
        return outer
    first, second = sorted((x, y), key=lambda part: _weight(_plus(outer, part, -share)))
    sigmoid = Node("sigmoid", (sum_of(_plus(first, second, -1)),))
    rest[sigmoid] = rest.get(sigmoid, Fraction(0)) + share
    return _plus(outer, first, -share)


def _quotient(outer: Terms, pair: _Pair, rest: Factors) -> Terms:
    """Add exp(w) · (exp(x) + exp(y))^-n to the factors; return what is left of w."""
    x, y, n = pair.x, pair.y, pair.n
    s = _plus(x, y, -1)
    best = min(range(n + 1) if n <= _MOST else (0, n), key=lambda k: (_weight(_plus(_plus(outer, x, k - n), y, -k)), k))
    left = _plus(_plus(outer, x, best - n), y, -best)
    if not _weight(left) or not (_meet(left, x) or _meet(left, y)):
        for sign, times in ((1, n - best), (-1, best)):
            if times:
                sigmoid = Node("sigmoid", (sum_of(_plus({}, s, sign)),))
                rest[sigmoid] = rest.get(sigmoid, Fraction(0)) + times
        return left
    if _meet(outer, x) or _meet(outer, y):  # taken in in equal parts, exp(w) cannot be inf beside 0
        share = _plus({}, outer, Fraction(-1, n))
        base = sum_of({Node("exp", (sum_of(_plus(part, share)),)): Fraction(1) for part in (x, y)})
        rest[base] = rest.get(base, Fraction(0)) - n
        return {}
    base = sum_of({(Node("exp", (sum_of(part),)) if part else ONE): Fraction(1) for part in (x, y)})
    rest[base] = rest.get(base, Fraction(0)) - n
    return outer


def _sums_below(outer: Terms, rest: Factors) -> Terms:
    """Divide a sum of three exponentials or more, below the line, by exp(w)."""
    for base in [x for x, n in rest.items() if n < 0 and x.op in ("add", "subtract")]:
        exponents = [(exponent_of(t), c) for t, c in terms(base).items()]
        if len(exponents) > 2 and all(x is not None and c > 0 for x, c in exponents):
            if not any(_meet(outer, x) for x, _ in exponents if x):
                continue
            n = rest.pop(base)
            parts = [(_plus(x or {}, outer, 1 / n), c) for x, c in exponents]
            base = sum_of(collected(((Node("exp", (sum_of(x),)) if x else ONE), c) for x, c in parts))
            rest[base] = rest.get(base, Fraction(0)) + n
            outer = {}
    return outer


def _tanh(c: Fraction, rest: Factors) -> Fraction:
    """Write expm1(u) · sigmoid(-u) as tanh(u / 2)."""
    for base in [x for x, n in rest.items() if x.op == "expm1" and n == 1]:
        u = terms(base.args[0])
        sigmoid = Node("sigmoid", (sum_of(_plus({}, u, -1)),))
        if rest.get(sigmoid, Fraction(0)) >= 1:
            del rest[base]
            rest[sigmoid] -= 1
            # tanh is odd: its argument is written without the minus.
            sign = -1 if negative(base.args[0]) else 1
            tanh = Node("tanh", (sum_of(_plus({}, u, Fraction(sign, 2))),))
            rest[tanh] = rest.get(tanh, Fraction(0)) + 1
            c *= sign
    return c
