"""h′(a) by z = h(a), where that is shorter: z (1 − z) for the sigmoid."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress

from deltaprop.functions.formulas.tree import Node, variable
from deltaprop.inspection.derivation.algebra import Algebra, Expression, UnwrittenError
from deltaprop.inspection.derivation.document import Step, Words
from deltaprop.inspection.derivation.effort import TooLongError, limited
from deltaprop.inspection.derivation.evaluation import Point, agree
from deltaprop.inspection.derivation.simplification import LARGEST, MOST_TERMS, terms_of, weight

_MOST_OPERATIONS = 60  # of a formula that is rewritten with exponentials


def in_terms_of(name: str, h: Node, slope: Node, points: Sequence[Point], algebra: Algebra) -> list[Step]:
    """Return h′(a) by z = h(a), where that is shorter: z (1 − z) for the sigmoid.

    One function of a in h, g(a), is solved for: of 1 / (1 + exp(−a)) = z, exp(−a) = (1 − z) / z; and put into h′.
    """
    if h.size + slope.size > LARGEST or h.op == "variable":
        return []
    if h.op == slope.op == "where" and h.args[0] == slope.args[0]:
        parts = [in_terms_of(name, h.args[k], slope.args[k], points, algebra) for k in (1, 2)]
        ends = [part[-1].right if part else slope.args[k] for k, part in zip((1, 2), parts, strict=True)]
        form = Node("where", (h.args[0], *ends))
        taken = weight(form) < weight(slope) and agree(slope, form, points)
        return [Step(form, ("as ", variable(name), " is ", h))] if taken else []
    best: tuple[Node, Words] | None = None
    try:
        with limited():
            for inner, solution, form in _solutions(name, h, slope, algebra):
                if weight(form) < weight(slope if best is None else best[0]) and agree(slope, form, points):
                    best = form, ("as ", inner, " = ", solution)
    except TooLongError:
        return []
    return [] if best is None else [Step(*best)]


def _solutions(name: str, h: Node, slope: Node, algebra: Algebra) -> Iterator[tuple[Node, Node, Node]]:
    """Yield each function of a in h that z gives, as it is given, and h′ with that put in."""
    sympy = algebra.sympy
    written = algebra.expression(h), algebra.expression(slope)
    found = False
    for of_h, of_slope in (written, tuple(x.rewrite(sympy.exp) for x in written)):
        large = of_h.count_ops() + of_slope.count_ops() > _MOST_OPERATIONS
        if found or large or max(terms_of(of_h), terms_of(of_slope)) > MOST_TERMS:
            return
        for g in _functions_of(algebra.symbol(variable("a")), of_h, algebra):
            for solution in _solved_for(g, of_h, of_slope, algebra.symbol(variable(name)), algebra):
                found = True
                yield solution


def _solved_for(
    g: Expression, h: Expression, slope: Expression, z: Expression, algebra: Algebra
) -> Iterator[tuple[Node, Node, Node]]:
    """Yield a power of a function as z gives it, where z gives one, and h′ with that put in."""
    sympy = algebra.sympy
    a, inner = algebra.symbol(variable("a")), sympy.Dummy("g", positive=True)
    h_of_g, slope_of_g = _with(h, g, inner, sympy), _with(slope, g, inner, sympy)
    above, below = sympy.fraction(sympy.cancel(h_of_g))
    equation = sympy.expand(above - z * below)
    if not equation.is_polynomial(inner) or not equation.has(inner):
        return
    coefficients = sympy.Poly(equation, inner).as_dict()
    powers = [k for (k,) in coefficients if k]
    if len(powers) != 1:
        return
    n = powers[0]
    solved = sympy.factor(-coefficients.get((0,), 0) / coefficients[n,])
    if sympy.fraction(solved)[1].has(a) or solved.atoms(sympy.Function) or not solved.free_symbols <= {a, z}:
        return
    form = sympy.factor(sympy.cancel(slope_of_g))
    form = sympy.cancel(form.subs(inner, inner ** sympy.Rational(1, n)).subs(inner, solved))
    with suppress(UnwrittenError):
        for shown in (sympy.factor(form), form) if form.has(z) else ():
            yield algebra.tree(g**n), algebra.tree(solved), algebra.tree(shown)


def _functions_of(a: Expression, h: Expression, algebra: Algebra) -> list[Expression]:
    sympy = algebra.sympy
    atoms = h.atoms(sympy.Function, sympy.exp) | {p for p in h.atoms(sympy.Pow) if p.exp.is_Rational and p.exp.q > 1}
    roots = {sympy.sqrt(x.base) if x.is_Pow and x.exp == -sympy.Rational(1, 2) else x for x in atoms}
    own = {s for s in h.free_symbols if algebra.nodes[s].op != "variable"}  # such as the language's sigmoid(a)
    return sorted((g for g in roots | own if g.has(a) or g in own), key=lambda g: (g.count_ops(), str(g)))


def _with(expression: Expression, g: Expression, inner: Expression, sympy: Expression) -> Expression:
    """Put a symbol for a function, and its powers for what exponentials are powers of it."""
    if isinstance(g, sympy.exp):
        exponent = g.exp

        def power(x: Expression) -> Expression:
            ratio = sympy.cancel(x / exponent)
            return inner**ratio if ratio.is_Integer else sympy.exp(x)

        return expression.replace(sympy.exp, power)
    if isinstance(g, sympy.Pow):  # √u stands in 1/√u and in √u³ too
        base = g.base
        return expression.replace(
            lambda x: x.is_Pow and x.base == base and x.exp.is_Rational and x.exp.q == g.exp.q,
            lambda x: inner ** (x.exp * g.exp.q),
        )
    return expression.subs(g, inner)
