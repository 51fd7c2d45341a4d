"""min, max and comparisons with numbers in them."""

from __future__ import annotations

from collections.abc import Callable

from deltaprop.functions.formulas.folding import folded
from deltaprop.functions.formulas.tree import Node, number


def extreme(op: str) -> Callable[..., Node]:
    """Return what writes min or max of two arguments at a time.

    A number comes second, so that at the kink of max(0, a) the derivative is 0, as it is at that of max(a, 0).
    """

    def made(*args: Node) -> Node:
        x, *others = args
        for y in others:
            if x.op == "number":
                x, y = y, x
            if x.op == "number":
                x = number(folded(op, [x.value, y.value]))
            elif x != y:
                x = Node(op, (x, y))
        return x

    return made


def comparison(op: str) -> Callable[..., Node | None]:
    """Return what writes max(u, 0) < 6 as u < 6: of two numbers only the one that decides stays."""

    def made(x: Node, y: Node) -> Node | None:
        for side, inner, limit, above in ((x, "max", y, True), (y, "min", x, False)):
            numbers = side.op == inner and limit.op == side.args[1].op == "number"
            if numbers and (limit.value > side.args[1].value if above else limit.value < side.args[1].value):
                return Node(op, (side.args[0], y) if above else (x, side.args[0]))
        return None

    return made
