"""The form in which formulas are compared: what is the same polynomial in other words becomes the same tree."""

from __future__ import annotations

from fractions import Fraction

from deltaprop.errors import FormulaError
from deltaprop.functions.formulas import budget
from deltaprop.functions.formulas.algebra import Terms, factors, multiplied, terms
from deltaprop.functions.formulas.stable import product, stable, total
from deltaprop.functions.formulas.tree import Node, rebuilt, with_args

_MOST_TERMS = 50  # of a product that is multiplied out


def multiplied_out(node: Node) -> Node:
    """Return a stable tree with its products of sums multiplied out, as long as those are short.

    Not to be computed by: in a * (1 + a**2) the factors keep digits that the terms may lose.

    Examples
    --------
    >>> from deltaprop.functions.formulas.parser import parse
    >>> str(multiplied_out(stable(parse("sin(a * (1 + 0.5 * a**2)) + (a + 1) * (a - 1)", ["a"], "h"))))
    'a**2 + sin(a + 0.5 * a**3) - 1'
    """
    budget.begin()
    try:
        return rebuilt(node, lambda x, args: _spread(stable(with_args(x, args))) if args else x)
    except (FormulaError, RecursionError):
        return node


def _spread(node: Node) -> Node:
    parts = [(t, c) for x, c in terms(node).items() for t, c in _terms_of(x, c).items()]
    return total(parts) if any(t not in terms(node) for t, _ in parts) else node


def _terms_of(node: Node, coefficient: Fraction) -> Terms:
    """Return the terms of a product, multiplied out."""
    c, bases = factors(node)
    sums = [x for x, n in bases.items() if x.op in ("add", "subtract") and n > 0 and n.denominator == 1]
    count = 1
    for x in sums:
        count *= len(terms(x)) ** min(int(bases[x]), _MOST_TERMS)
    if not sums or count > _MOST_TERMS:
        return {node: coefficient}
    products = [(coefficient * c, {x: n for x, n in bases.items() if x not in sums})]
    for x in sums:
        for _ in range(int(bases[x])):
            products = [multiplied(p, (d, {}), factors(t)) for p in products for t, d in terms(x).items()]
    return dict(terms(total((t, d) for p in products for t, d in terms(product(p)).items())))
