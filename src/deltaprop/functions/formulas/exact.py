"""Trees in many digits, to tell which of two ways to write them has lost some; by mpmath, which SymPy brings."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from deltaprop.errors import optional
from deltaprop.functions.formulas.tree import Node, rebuilt

_DIGITS = 60


def exactly(node: Node, values: Mapping[str, float]) -> float | None:
    """Return a tree's value at a point, or None where it has none, or too large a one.

    Examples
    --------
    >>> from deltaprop.functions.formulas.parser import parse
    >>> exactly(parse("a + sqrt(a**2 + 1)", ["a"], "h"), {"a": -1e8})
    5e-09
    """
    with optional("mpmath", "derive").workdps(_DIGITS):
        value = digits(node, values)
        return None if value is None else float(value)


def digits(node: Node, values: Mapping[str, Any]) -> Any:
    """Return a tree's value at a point in the digits that mpmath works with; None where it has none."""
    mp = optional("mpmath", "derive")
    found: dict[Node, Any] = {}

    def made(node: Node, _: tuple[Node, ...]) -> Node:
        if node.op == "number":
            found[node] = mp.mpf(node.value)
        elif node.op == "variable":
            found[node] = mp.mpf(values[node.name])
        else:
            found[node] = _operations(mp)[node.op](*(found[x] for x in node.args))
        return node

    try:
        rebuilt(node, made)
        return mp.mpf(found[node])
    except (ArithmeticError, ValueError, TypeError, KeyError):  # 1 / 0, a complex root, what it has no function for
        return None


def _operations(mp: Any) -> Mapping[str, Callable[..., Any]]:
    return {
        "neg": lambda x: -x, "add": lambda x, y: x + y, "subtract": lambda x, y: x - y, "multiply": lambda x, y: x * y,
        "divide": lambda x, y: x / y, "power": lambda x, y: x**y, "abs": abs, "sign": mp.sign, "min": min, "max": max,
        "less": lambda x, y: x < y, "less_equal": lambda x, y: x <= y, "and": lambda x, y: x and y,
        "or": lambda x, y: x or y, "not": lambda x: not x, "where": lambda c, x, y: x if c else y,
        "relu": lambda x: max(x, 0), "sigmoid": lambda x: 1 / (1 + mp.exp(-x)),
        "softplus": lambda x: mp.log1p(mp.exp(x)) if x < 0 else x + mp.log1p(mp.exp(-x)),
        **{name: getattr(mp, name) for name in (
            "sqrt", "exp", "expm1", "log", "log1p", "tanh", "sinh", "cosh", "tan", "sin", "cos", "atan", "erf", "erfc"
        )},
    }  # fmt: skip
