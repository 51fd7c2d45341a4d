"""h′ where a formula bends, or only seems to: at a point where abs, sign, min, max or a comparison changes sides.

By the rules of differentiation max(a, 0) + log(1 + exp(-abs(a))) has the derivative 0 at a = 0, though it is softplus,
and smooth. So h′ is looked at on both sides of such points.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from deltaprop.functions.formulas.algebra import ONE, terms
from deltaprop.functions.formulas.poles import poles
from deltaprop.functions.formulas.tree import Node, number, variable

Array = NDArray[np.float64]

_MOST = 16  # points that are looked at
_BESIDE = 1e-30  # of 0, and 1e-14 of any other point
_SAME = 1e-9


def at_kinks(tree: Node, name: str, slope: Callable[[float], float]) -> Node:
    """Return the tree of a derivative, right at its kinks.

    Where the derivative comes to the same value from both sides, it has that; where it jumps, a value between the two,
    or else that on the left. Where it has no limit it stays as it is.

    Parameters
    ----------
    tree : Node
    name : str
        The variable.
    slope : callable
        The derivative at a value of it, as the tree has it.

    Examples
    --------
    >>> from deltaprop.functions.formulas.parser import parse
    >>> slope = parse("where(a > 0, 1, 0) - sign(a) / 2", ["a"], "h")
    >>> str(at_kinks(slope, "a", lambda a: (a > 0) - np.sign(a) / 2))
    'where(a <= 0 and a >= 0, 0.5, where(a > 0, 1, 0) - sign(a) / 2)'
    """
    a = variable(name)
    for point in sorted({*_points(tree, name), *poles(tree, name)})[:_MOST]:
        value = _value_at(point, slope)
        if value is not None:
            here = Node("and", (Node("less_equal", (a, number(point))), Node("less_equal", (number(point), a))))
            tree = Node("where", (here, number(value), tree))
    return tree


def at_removable_kinks(tree: Node, name: str, slope: Callable[[float], Array], beside: Callable[[float], Node]) -> Node:
    """Return the tree of a derivative, right where it has one limit from both sides, and by its rules another value.

    Parameters
    ----------
    tree : Node
    name : str
        The variable.
    slope : callable
        The derivative at a value of it, for some values of the others.
    beside : callable
        The tree at a value of it.
    """
    a = variable(name)
    for point in sorted(_points(tree, name))[:_MOST]:
        step = 1e-14 * abs(point) or _BESIDE
        here, left, right = (slope(x) for x in (point, point - step, point + step))
        slack = _SAME * (1 + np.abs(right))
        if np.isfinite([left, right]).all() and (np.abs(left - right) <= slack).all():
            if (np.abs(here - right) <= slack).all():
                continue
            at = Node("and", (Node("less_equal", (a, number(point))), Node("less_equal", (number(point), a))))
            tree = Node("where", (at, beside(point + step), tree))
    return tree


def _value_at(point: float, slope: Callable[[float], float]) -> float | None:
    """Return what the derivative is to be at a point; None where it is that already, or has no limit."""
    step = 1e-14 * abs(point) or _BESIDE
    here, sides = slope(point), []
    for side in (-1, 1):
        near, far = (slope(point + side * k * step) for k in (1, 2))
        if not (np.isfinite([near, far]).all() and abs(near - far) <= _SAME * (1 + abs(near))):
            return None
        sides.append(near)
    slack = _SAME * (1 + max(map(abs, sides)))
    if min(sides) - slack <= here <= max(sides) + slack:
        return None
    return float(np.mean(sides)) if abs(sides[1] - sides[0]) <= slack else float(sides[0])


def _points(tree: Node, name: str) -> set[float]:
    """Return where the arguments of abs and sign are 0, and the two of a comparison equal, if they are linear."""
    found = set()
    for node in tree.parts():
        if node.op in ("abs", "sign"):
            difference = terms(node.args[0])
        elif node.op in ("less", "less_equal", "min", "max") and len(node.args) == 2:
            difference = terms(Node("subtract", node.args))
        else:
            continue
        slope = difference.get(variable(name), Fraction(0))
        if slope and set(difference) <= {variable(name), ONE}:
            found.add(float(-difference.get(ONE, Fraction(0)) / slope) + 0.0)
    return found
