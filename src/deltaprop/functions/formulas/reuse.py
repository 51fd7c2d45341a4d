"""What is known already is not computed again: z stands for h(a) in h′, and a sigmoid serves its mirror image."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from fractions import Fraction

from deltaprop.functions.formulas.algebra import (
    ONE,
    Factors,
    Product,
    Terms,
    collected,
    factors,
    minus,
    multiplied,
    negative,
    product_of,
    raised,
    sum_of,
    terms,
    times,
)
from deltaprop.functions.formulas.tree import Node, number, rebuilt, variable, with_args


def reused(node: Node, given: Mapping[str, Node], *, mirrors: bool = False) -> Node:
    """Return a stable tree with variables in the place of trees whose values are given.

    Parameters
    ----------
    node : Node
        A stable tree.
    given : mapping
        By variable, the stable tree whose value it has.
    mirrors : bool
        Whether to write sigmoid(-x) as 1 - sigmoid(x), and 4 sigmoid(2x) sigmoid(-2x) as 1 - tanh(x)², wherever the
        other is there too. That saves a function, and digits where the difference is small.

    Examples
    --------
    >>> from deltaprop.functions.formulas.parser import parse
    >>> from deltaprop.functions.formulas.stable import stable
    >>> for h, slope in (("sigmoid(a)", "sigmoid(a) * sigmoid(-a)"), ("tanh(a)", "1 - tanh(a)**2")):
    ...     given = {"z": stable(parse(h, ["a"], "h"))}
    ...     print(reused(stable(parse(slope, ["a"], "h")), given, mirrors=True))
    z * (1 - z)
    1 - z**2
    """
    given = {name: h for name, h in given.items() if h.variables}
    there = _functions(node, *given.values()) if mirrors else {}
    known: dict[Node, Node] = {h: variable(name) for name, h in given.items()}

    def visit(node: Node) -> Node:
        if node not in known:
            known[node] = _visit(node)
        return known[node]

    def _visit(node: Node) -> Node:
        if node.op in ("add", "subtract"):
            parts = _in_sum(terms(node), given)
            return sum_of(collected((t, c * d) for x, c in parts.items() for t, d in terms(visit(x)).items()))
        c, bases = factors(node)
        if bases == {node: 1}:
            mirrored = Node("sigmoid", (minus(node.args[0]),)) if node.op == "sigmoid" else node
            if mirrored in there and negative(node.args[0]):
                return sum_of({ONE: Fraction(1), visit(mirrored): Fraction(-1)})
            return with_args(node, tuple(visit(x) for x in node.args)) if node.args else node
        bases = _in_product(_without_tanh_pairs(bases, there), given)
        return product_of(*multiplied((c, {}), *(_raised(visit(x), n) for x, n in bases.items())))

    return visit(node)


def _raised(base: Node, n: Fraction) -> Product:
    return raised(factors(base), n) if n.denominator == 1 else (Fraction(1), {base: n})


def _functions(*trees: Node) -> dict[Node, None]:
    """Return the sigmoids and the tanh in the trees, in the order in which they come."""
    found: dict[Node, None] = {}
    for tree in trees:
        rebuilt(tree, lambda x, args: found.setdefault(x) or x)
    return dict.fromkeys(x for x in found if x.op in ("sigmoid", "tanh"))


def _without_tanh_pairs(bases: Factors, there: Collection[Node]) -> Factors:
    for tanh in there:
        if tanh.op != "tanh":
            continue
        pair = [Node("sigmoid", (times(c, tanh.args[0]),)) for c in (2, -2)]
        n = min(bases.get(x, Fraction(0)) for x in pair)
        if n >= 1 and n.denominator == 1:
            square = Node("power", (tanh, number(2)))
            quarter = product_of(Fraction(1, 4), {sum_of({ONE: Fraction(1), square: Fraction(-1)}): Fraction(1)})
            bases = collected([*bases.items(), *((x, -n) for x in pair), (quarter, n)])
    return bases


def _in_product(bases: Factors, given: Mapping[str, Node]) -> Factors:
    """Put a variable for the factors whose product it is."""
    for name, h in given.items():
        c, own = factors(h)
        ratios = [bases.get(x, Fraction(0)) / n for x, n in own.items()]
        often = Fraction(int(min(ratios, key=abs, default=0)))
        if often and all(ratio * often > 0 for ratio in ratios):
            z = product_of(1 / c, {variable(name): Fraction(1)})
            bases = collected([*bases.items(), *((x, -often * n) for x, n in own.items()), (z, often)])
    return bases


def _in_sum(parts: Terms, given: Mapping[str, Node]) -> Terms:
    """Put a variable for the terms whose sum it is."""
    for name, h in given.items():
        own = terms(h)
        if len(own) < 2:
            continue
        first = next(iter(own))
        ratio = parts.get(first, Fraction(0)) / own[first]
        if ratio and all(parts.get(x) == ratio * c for x, c in own.items()):
            parts = collected([*parts.items(), *((x, -ratio * c) for x, c in own.items()), (variable(name), ratio)])
    return parts
