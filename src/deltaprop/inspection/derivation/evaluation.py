"""The value of a tree at numbers, with 40 digits: by it lines are checked that ought to be equal."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import cache, lru_cache
from typing import Any

from deltaprop.errors import optional
from deltaprop.functions.formulas.tree import Node, variable

Number = Any  # of mpmath, which has no types
Point = Mapping[Node, Number]  # what symbols are

_DIGITS = 40
_ENOUGH = 3  # points at which two trees have to be finite to be called equal


class UndefinedError(ArithmeticError):
    """A tree has no real, finite value at a point."""


@cache
def precise() -> Any:
    """Return mpmath's arithmetic with 40 digits, which comes with SymPy."""
    context = optional("mpmath", "derive").MPContext()
    context.dps = _DIGITS
    return context


def evaluate(node: Node, point: Point) -> Number:
    """Return the value of a tree; what the point holds, a symbol or a larger tree, is taken from there.

    Raises
    ------
    UndefinedError
        If it has none that is real and finite, or the point lacks a symbol.

    Examples
    --------
    >>> from deltaprop.functions.formulas import parse
    >>> float(evaluate(parse("where(a > 0, a**2, sqrt(a))", ["a"], "h"), {variable("a"): 3}))
    9.0
    """
    mp = precise()
    known: dict[Node, Number] = {}

    def visit(node: Node) -> Number:
        if node in point:
            return mp.mpf(point[node])
        if node not in known:
            known[node] = _value(node)
        return known[node]

    def _value(node: Node) -> Number:
        match node.op:
            case "number":
                return _constant(node.value)
            case "value":
                return mp.mpf(node.value)
            case "where":
                return visit(node.args[1] if visit(node.args[0]) else node.args[2])
        if node.op not in _OPERATIONS:
            raise UndefinedError(f"{node.op} {node.name}")
        result = _OPERATIONS[node.op](mp, *(visit(x) for x in node.args))
        if not isinstance(result, bool) and (isinstance(result, mp.mpc) or not mp.isfinite(result)):
            raise UndefinedError(node.op)
        return result

    try:
        return visit(node)
    except (ArithmeticError, ValueError) as error:
        raise UndefinedError(str(error)) from None


@lru_cache(maxsize=1000)
def _constant(x: float) -> Number:
    """Return a number of a formula as it was written: 0.1 is a tenth, π has all its digits."""
    mp = precise()
    return mp.pi + 0 if x == math.pi else mp.e + 0 if x == math.e else mp.mpf(repr(x))


def _sigmoid(mp: Any, x: Number) -> Number:
    return 1 / (1 + mp.exp(-x))


_OPERATIONS: dict[str, Callable[..., Any]] = {
    "add": lambda mp, x, y: x + y,
    "subtract": lambda mp, x, y: x - y,
    "multiply": lambda mp, x, y: x * y,
    "divide": lambda mp, x, y: mp.fdiv(x, y),
    "neg": lambda mp, x: -x,
    "power": lambda mp, x, y: mp.power(x, y),
    "less": lambda mp, x, y: bool(x < y),
    "less_equal": lambda mp, x, y: bool(x <= y),
    "and": lambda mp, x, y: x and y,
    "or": lambda mp, x, y: x or y,
    "not": lambda mp, x: not x,
    "min": lambda mp, *x: min(x),
    "max": lambda mp, *x: max(x),
    "sign": lambda mp, x: mp.mpf(mp.sign(x)),
    "abs": lambda mp, x: abs(x),
    "sigmoid": _sigmoid,
    "softplus": lambda mp, x: mp.log1p(mp.exp(x)),
    "relu": lambda mp, x: max(x, mp.mpf(0)),
    **{
        name: lambda mp, x, name=name: getattr(mp, name)(x)
        for name in (
            *("exp", "expm1", "log", "log1p", "sqrt", "tanh", "sinh", "cosh", "tan", "sin", "cos", "atan"),
            *("erf", "erfc"),
        )
    },
}


def value_or_none(node: Node, point: Point) -> Number | None:
    """Return the value of a tree, None where it has none."""
    try:
        return evaluate(node, point)
    except UndefinedError:
        return None


def agree(first: Node, second: Node, points: Sequence[Point]) -> bool:
    """Whether the second tree has the value of the first wherever that has one, at three points or more.

    Examples
    --------
    >>> from deltaprop.functions.formulas import parse
    >>> square, other = (parse(text, ["a"], "h") for text in ("(a - 1)**2", "a**2 - 2 * a + 1"))
    >>> points = [{variable("a"): precise().mpf(x)} for x in ("0.5", "-1.5", "2")]
    >>> agree(square, other, points), agree(square, parse("a", ["a"], "h"), points)
    (True, False)
    """
    met = 0
    for point in points:
        one, two = value_or_none(first, point), value_or_none(second, point)
        if one is None:
            continue
        if two is None or abs(one - two) > 1e-12 * (abs(one) + abs(two)) + 1e-25:
            return False
        met += 1
    return met >= _ENOUGH


def slopes_agree(function: Node, name: str, slope: Node, points: Sequence[Point]) -> bool:
    """Whether a tree is the derivative of another by a variable: against differences, at three points or more.

    A point where the differences to the left and to the right are two is at a kink, and says nothing.
    """
    mp, by = precise(), variable(name)
    met = 0
    for point in points:
        step = mp.mpf(10) ** -13 * abs(point[by]) + mp.mpf(10) ** -20
        there, middle = value_or_none(slope, point), value_or_none(function, point)
        sides = [value_or_none(function, {**point, by: point[by] + side * step}) for side in (-1, 1)]
        if there is None or middle is None or None in sides:
            continue
        left, right = (middle - sides[0]) / step, (sides[1] - middle) / step
        if abs(left - right) > 1e-6 * (1 + abs(left) + abs(right)):
            continue
        if abs((left + right) / 2 - there) > 1e-12 * (1 + abs(there)):
            return False
        met += 1
    return met >= _ENOUGH
