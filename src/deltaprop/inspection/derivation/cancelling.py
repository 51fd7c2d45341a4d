"""What a product multiplies by and what it divides by: where one base is both, something cancels."""

from __future__ import annotations

from collections import Counter

from deltaprop.functions.formulas.tree import Node
from deltaprop.inspection.derivation.writer import signed_terms


def factors_by_side(node: Node) -> tuple[list[Node], list[Node]]:
    """Return the factors of a product that stand above a fraction line, and those below; powers as they are written.

    Examples
    --------
    >>> from deltaprop.functions.formulas import parse
    >>> above, below = factors_by_side(parse("-(y - r) / (y * (1 - y)) * y", ["y", "r"], "E"))
    >>> [str(x) for x in above], [str(x) for x in below]
    (['y - r', 'y'], ['y', '1 - y'])
    """
    match node.op:
        case "neg":
            return factors_by_side(node.args[0])
        case "multiply" | "divide":
            above, below = factors_by_side(node.args[0])
            more = factors_by_side(node.args[1])
            over, under = more if node.op == "multiply" else more[::-1]
            return above + over, below + under
        case "power" if node.args[1].op == "neg":
            return [], [Node("power", (node.args[0], node.args[1].args[0]))]
    return [node], []


def uncancelled(node: Node) -> set[Node]:
    """Return the bases that a product in a tree multiplies by and divides by, in the terms of its sums too.

    Examples
    --------
    >>> from deltaprop.functions.formulas import parse
    >>> for text in ("(1 - r / y) * y", "(y - r) * y", "(y - r) / y**2 * y", "1 / y + y"):
    ...     print([str(x) for x in uncancelled(parse(text, ["y", "r"], "E"))])
    ['y']
    []
    ['y']
    []
    """
    found: set[Node] = set()
    for part in node.parts():
        if part.op in ("multiply", "divide"):
            above, below = factors_by_side(part)
            divisors = {_base(x) for x in below}.union(*(_divisors_in_terms(x) for x in above))
            found |= {_base(x) for x in above if x.variables} & divisors
    return found


def is_product_of(node: Node, *factors: Node) -> bool:
    """Whether a tree is a product of others as they stand, in any order; numbers may be put together, not cancelled.

    Examples
    --------
    >>> from deltaprop.functions.formulas import parse
    >>> parts = [parse(text, ["y", "r"], "E") for text in ("2 * (y - r)", "3 * y * (1 - y)", "y / 2")]
    >>> is_product_of(parse("6 * (y - r) * y * (1 - y)", ["y", "r"], "E"), *parts[:2])
    True
    >>> is_product_of(parse("6 * (y - r) * (y - y**2)", ["y", "r"], "E"), *parts[:2])
    False
    >>> is_product_of(parse("(y - r) * y", ["y", "r"], "E"), parts[0], parts[2])
    False
    """
    own, sides = factors_by_side(node), [factors_by_side(x) for x in factors]
    divided = any(x.op == "number" for _, below in sides for x in below)
    return all(
        _counted(own[place], divided) == _counted([x for side in sides for x in side[place]], divided)
        for place in (0, 1)
    )


def _counted(factors: list[Node], with_numbers: bool) -> Counter[Node]:
    return Counter(x for x in factors if with_numbers or x.variables)


def _base(factor: Node) -> Node:
    return _base(factor.args[0]) if factor.op in ("power", "sqrt") else factor


def _divisors_in_terms(factor: Node) -> set[Node]:
    """Return by what the terms of a sum divide, and those of the sums in them."""
    found: set[Node] = set()
    terms = signed_terms(_base(factor))
    for _, term in terms if len(terms) > 1 else ():
        above, below = factors_by_side(term)
        found |= {_base(x) for x in below}.union(*(_divisors_in_terms(x) for x in above))
    return found
