"""h′(a) with σ(a) for 1 / (1 + exp(−a)), and with z where h(a) is a factor: σ(a) + z (1 − σ(a)) of silu."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import permutations

from deltaprop.functions.formulas.tree import Node, variable
from deltaprop.inspection.derivation.algebra import Algebra, Expression, UnwrittenError
from deltaprop.inspection.derivation.document import Step, Words
from deltaprop.inspection.derivation.effort import TooLongError, limited
from deltaprop.inspection.derivation.evaluation import Point, agree
from deltaprop.inspection.derivation.notation import ONE, plus
from deltaprop.inspection.derivation.simplification import LARGEST, weight

_MOST_SYMBOLS = 4  # a, and functions of it, whose orders are all tried


def reduced(name: str, h: Node, slope: Node, points: Sequence[Point], algebra: Algebra) -> list[Step]:
    """Return the steps to h′(a) with σ and with z = h(a); none where that is no shorter.

    Where h is a polynomial p of a and of functions of a, z − p is divided out of h′: of silu p is a σ(a), and a σ(a) in
    σ(a) + a σ(a) (1 − σ(a)) is z.
    """
    if h.size + slope.size > LARGEST or h.op in ("variable", "where"):
        return []
    try:
        with limited():
            return _steps(name, h, slope, points, algebra)
    except TooLongError:
        return []


def _steps(name: str, h: Node, slope: Node, points: Sequence[Point], algebra: Algebra) -> list[Step]:
    sympy = algebra.sympy
    of_h, of_slope = algebra.expression(h), algebra.expression(slope)
    best, direct = slope, slope  # direct: with σ put in, and nothing put together
    reason: Words = ()
    for exponent in _exponents(of_h + of_slope, algebra):
        node = Node("sigmoid", (algebra.tree(exponent),))
        s = algebra.symbol(node)
        by_s = [_with_sigmoid(x, exponent, s, sympy) for x in (of_h, of_slope)]
        if any(x is None for x in by_s):
            continue
        form = _shortest([by_s[1], *_rewritten(by_s[1], [s], sympy)], slope, points, algebra)
        if form is not None and weight(form) < weight(best):
            of_h, of_slope, best = *by_s, form
            direct = algebra.tree(of_slope)
            denominator = plus(ONE, Node("exp", (algebra.tree(-exponent),)))
            reason += (", " if reason else "with ", node, " = ", Node("divide", (ONE, denominator)))
    z = algebra.symbol(variable(name))
    forms = [x for remainder in _divided(of_h, of_slope, z, algebra) for x in remainder]
    form = _shortest(forms, slope, points, algebra)
    if form is None or weight(form) >= weight(best):
        return [Step(best, reason)] if reason else []
    return [
        *([Step(direct, reason)] if reason else []),
        Step(form, ("as ", variable(name), " = ", algebra.tree(of_h))),
    ]


def _shortest(forms: Sequence[Expression], slope: Node, points: Sequence[Point], algebra: Algebra) -> Node | None:
    """Return the shortest tree that has the value of h′."""
    trees = []
    for form in forms:
        with suppress(UnwrittenError):
            trees.append(algebra.tree(form))
    return next((tree for tree in sorted(trees, key=_to_read) if agree(slope, tree, points)), None)


def _to_read(node: Node) -> int:
    """Return how much there is to read, σ(a) being no more than a symbol."""
    return weight(node) - _count_of_sigmoid(node)


def _count_of_sigmoid(node: Node) -> int:
    return (node.op == "sigmoid") + sum(map(_count_of_sigmoid, node.args))


def _exponents(x: Expression, algebra: Algebra) -> list[Expression]:
    """Return u of every exp(u) or exp(−u) that stands in a denominator beside 1, as it is positive where a is."""
    sympy = algebra.sympy
    a = algebra.symbol(variable("a"))
    found = []
    for power in sorted(x.atoms(sympy.Pow), key=sympy.default_sort_key):
        inner = power.base.atoms(sympy.exp) if power.base.is_Add and power.exp.is_negative else ()
        for e in sorted(inner, key=sympy.default_sort_key):
            u = e.exp if e.exp.subs(a, 1).is_positive else -e.exp
            if u.has(a) and u not in found:
                found.append(u)
    return found


def _with_sigmoid(x: Expression, exponent: Expression, s: Expression, sympy: Expression) -> Expression | None:
    """Return an expression with s / (1 − s) for exp(u), outside of functions; None where that leaves quotients."""

    def put(x: Expression) -> Expression:
        if isinstance(x, sympy.exp):
            ratio = sympy.cancel(x.exp / exponent)
            return (s / (1 - s)) ** ratio if ratio.is_Integer else x
        if not x.args or x.is_Function:
            return x
        return x.func(*map(put, x.args))

    terms = [sympy.factor(sympy.cancel(term)) for term in sympy.Add.make_args(put(x))]
    return None if any(sympy.fraction(term)[1].has(s) for term in terms) else sympy.Add(*terms)


def _divided(h: Expression, slope: Expression, z: Expression, algebra: Algebra) -> Iterator[list[Expression]]:
    """Yield h′ with z for h as a factor, and what is left when z − h is divided out of it, written in several ways."""
    sympy = algebra.sympy
    a = algebra.symbol(variable("a"))
    back: Mapping[Expression, Expression]
    back, (p, q) = _with_symbols([h, slope], a, algebra)
    symbols = [a, *back, *(s for s in sorted(h.free_symbols, key=str) if s != a)]
    constants = sorted((s for s in (p + q).free_symbols if s not in symbols), key=str)
    gens = [*symbols, *constants]
    whole = _with_factors(p, q, z, sympy)
    if whole is not None:
        yield [whole.subs(back)]
    if len(symbols) > _MOST_SYMBOLS or not (p.is_polynomial(*gens) and q.is_polynomial(*gens)):
        return
    if sympy.Poly(p, *gens).total_degree() < 2:
        return
    for order in permutations(symbols):
        (quotient,), rest = sympy.reduced(q, [p - z], *order, *constants, z, order="lex")
        if quotient != 0:
            yield [x.subs(back) for x in (*_rewritten(rest, [z, *symbols], sympy), rest)]


def _with_factors(h: Expression, slope: Expression, z: Expression, sympy: Expression) -> Expression | None:
    """Return h′ with z for h in each term that has all factors of h; None where none has."""
    own, found = _powers(h, sympy), False
    number = own.pop(None)
    terms = []
    for term in sympy.Add.make_args(slope):
        powers = _powers(term, sympy)
        factor = powers.pop(None)
        if own and all(powers.get(base, 0) >= n for base, n in own.items()):
            rest = [base ** (n - own.get(base, 0)) for base, n in powers.items()]
            term, found = sympy.Mul(factor / number, z, *rest), True
        terms.append(term)
    return sympy.Add(*terms) if found else None


def _powers(x: Expression, sympy: Expression) -> dict[Expression | None, Expression]:
    """Return the factors of a product with their exponents, and the number before them, as that of None."""
    powers: dict[Expression | None, Expression] = {None: sympy.Integer(1)}
    for argument in sympy.Mul.make_args(x):
        factors = sympy.Mul.make_args(sympy.factor(argument))
        if sum(not factor.is_number for factor in factors) < 2:
            factors = (argument,)  # 1 + a²/2 stays as it is
        for factor in factors:
            if factor.is_number:
                powers[None] *= factor
                continue
            base, n = factor.as_base_exp()
            powers[base] = powers.get(base, 0) + n
    return powers


def _with_symbols(
    expressions: Sequence[Expression], a: Expression, algebra: Algebra
) -> tuple[dict[Expression, Expression], list[Expression]]:
    """Return symbols with the functions of a that they stand for, and expressions with them."""
    sympy = algebra.sympy
    back: dict[Expression, Expression] = {}

    def put(x: Expression) -> Expression:
        if x.is_Function and x.has(a):
            known = next((s for s, own in back.items() if own == x), None)
            if known is None:
                known = sympy.Symbol(f"f{len(back)}", real=True)
                back[known] = x
            return known
        return x.func(*map(put, x.args)) if x.args else x

    return back, [put(x) for x in expressions]


def _rewritten(x: Expression, symbols: Sequence[Expression], sympy: Expression) -> Iterator[Expression]:
    """Yield an expression collected by each symbol, and as a product."""
    for symbol in symbols:
        yield sympy.collect(sympy.expand(x), symbol, sympy.factor)
    yield sympy.factor(x)
