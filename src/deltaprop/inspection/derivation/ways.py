"""What is tried to make an expression shorter, each with what is said of it where it is taken."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import NamedTuple

from deltaprop.functions.formulas.tree import Node
from deltaprop.inspection.derivation.algebra import Algebra, Expression


class Way(NamedTuple):
    """A way to rewrite an expression, and what is said of it."""

    rewrite: Callable[[Expression], Expression]
    reason: str = ""
    identity: bool = False  # whether it takes more than sums, products and powers


def ways(algebra: Algebra, complete: bool, divided: bool) -> list[Way]:
    """Return what is tried.

    Parameters
    ----------
    algebra : Algebra
    complete : bool
        Whether to multiply out, which is not for what would have very many terms.
    divided : bool
        Whether there are fractions in what is rewritten.
    """
    sympy = algebra.sympy
    short = [
        Way(lambda x: x, "numbers and like factors put together"),
        Way(sympy.factor_terms, "common factors in front"),
    ]
    if not complete:
        return short
    cancelled = cache(sympy.cancel)
    multiplied_out = "over one denominator" if divided else "multiplied out"
    return [
        *short,
        Way(cancelled, multiplied_out),
        Way(sympy.factor, "as a product"),
        Way(sympy.powsimp, "powers put together"),
        Way(lambda x: sympy.powsimp(cancelled(x), deep=True), f"{multiplied_out}, powers put together"),
        _term_by_term(sympy),
        *_with_moduli(algebra, cancelled),
        _by_tangent(sympy, sympy.sinh, sympy.cosh, sympy.tanh),
        _by_tangent(sympy, sympy.sin, sympy.cos, sympy.tan),
        _by_pythagoras(sympy, sympy.sinh, lambda u: sympy.cosh(u) ** 2 - 1, "as cosh(x)² − sinh(x)² = 1"),
        _by_pythagoras(sympy, sympy.sin, lambda u: 1 - sympy.cos(u) ** 2, "as sin(x)² + cos(x)² = 1"),
    ]


def _term_by_term(sympy: Expression) -> Way:
    """Multiply a sum with fractions in it by what stands beside it."""

    def divides(x: Expression) -> bool:
        return x.is_Add and any(sympy.fraction(t)[1].free_symbols or any(map(divides, t.args)) for t in x.args)

    def rewrite(x: Expression) -> Expression:
        if x.is_Add:
            return sympy.Add(*map(rewrite, x.args))
        broken = next(filter(divides, x.args), None) if x.is_Mul else None
        return x if broken is None else sympy.Add(*(rewrite(t * x / broken) for t in broken.args))

    return Way(rewrite, "term by term")


def _with_moduli(algebra: Algebra, cancelled: Callable[[Expression], Expression]) -> list[Way]:
    """Return what is tried where there are signs and moduli, or other functions with kinks."""
    sympy = algebra.sympy

    def moduli(x: Expression) -> list[tuple[Expression, Expression, Expression]]:
        """Return the sign, |x| and x of every sign(x)."""
        inner = [(s, algebra.nodes[s].args[0]) for s in own(x) if algebra.nodes[s].op == "sign"]
        return [(s, algebra.symbol(Node("abs", (u,))), algebra.expression(u)) for s, u in inner]

    def own(x: Expression) -> list[Expression]:
        return sorted((s for s in x.free_symbols if algebra.nodes[s].op != "variable"), key=str)

    def by_modulus(x: Expression) -> Expression:
        found = moduli(x)
        return sympy.factor(x.subs([(sign * u, modulus) for sign, modulus, u in found])) if found else x

    def by_sign(x: Expression) -> Expression:
        return sympy.factor_terms(x.subs([(sign * modulus, u) for sign, modulus, u in moduli(x)]))

    def collected(x: Expression) -> Expression:
        found = own(x)
        return sympy.collect(sympy.expand(cancelled(x)), found, sympy.factor) if found else x

    return [
        Way(collected, "multiplied out, and collected"),
        Way(by_modulus, "as x sign(x) = |x|", identity=True),
        Way(by_sign, "as |x| sign(x) = x", identity=True),
    ]


def _by_tangent(sympy: Expression, sine: Expression, cosine: Expression, tangent: Expression) -> Way:
    def rewrite(x: Expression) -> Expression:
        return sympy.cancel(x.replace(sine, lambda u: tangent(u) * cosine(u))) if x.has(sine) else x

    return Way(rewrite, f"as {sine.__name__}(x) = {tangent.__name__}(x) {cosine.__name__}(x)", identity=True)


def _by_pythagoras(sympy: Expression, sine: Expression, other: Callable[[Expression], Expression], reason: str) -> Way:
    def square(f: Expression) -> bool:
        return bool(f.is_Pow and f.exp == 2 and f.base.func == sine)

    def rewrite(x: Expression) -> Expression:
        return sympy.cancel(x.replace(square, lambda f: other(f.base.args[0]))) if x.has(sine) else x

    return Way(rewrite, reason, identity=True)
