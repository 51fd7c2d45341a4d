"""h′ where it is 0 / 0, as (cos(a) - sin(a) / a) / a at 0: it cancels near by, and a polynomial stands for it there.

The polynomial is Chebyshev's, of the derivative in many digits, on both sides of the point. Where there is none that is
as good as float64, the derivative has no limit there, or bends, and stays as it is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from deltaprop.errors import optional
from deltaprop.functions.formulas.algebra import ONE, factors, terms
from deltaprop.functions.formulas.exact import digits
from deltaprop.functions.formulas.guards import guarded
from deltaprop.functions.formulas.operations import Array
from deltaprop.functions.formulas.program import Program, compiled, evaluate
from deltaprop.functions.formulas.tree import Node, number, substitute, variable

_MOST = 4  # points that are looked at
_RADII = (1.0, 0.5, 0.25, 0.125)
_NODES = 18  # of the polynomial, an even number
_EPS = 2.0**-24  # of float32
_LOST = 8  # of these a derivative may lose, of its largest value
_AT_0 = ("expm1", "sinh", "tanh", "sin", "log1p", "atan", "erf")  # 0 where their argument is, and only there nearby


def poles(tree: Node, name: str) -> list[float]:
    """Return where a factor below a fraction is 0, if that is linear in the variable, or a function of what is linear.

    Examples
    --------
    >>> from deltaprop.functions.formulas.parser import parse
    >>> poles(parse("sin(a) / a + 1 / (2 * a - 1)**2 + a / expm1(a + 3)", ["a"], "h"), "a")
    [-3.0, 0.0, 0.5]
    """
    found = set()
    for node in tree.parts():
        if node.op not in ("divide", "power"):
            continue
        for base, n in factors(node)[1].items():
            sums = terms(base.args[0] if base.op in _AT_0 else base)
            slope = sums.get(variable(name), Fraction(0))
            if n < 0 and slope and set(sums) <= {variable(name), ONE}:
                found.add(float(-sums.get(ONE, Fraction(0)) / slope) + 0.0)
    return sorted(found)


def near_poles(
    tree: Node, best: Node, name: str, inputs: Sequence[str], given: Mapping[str, Node], program: Program
) -> Node:
    """Return the tree of a derivative with a polynomial near each point at which it cancels.

    Parameters
    ----------
    tree : Node
        What the polynomials are to stand beside.
    best : Node
        The derivative by itself.
    name : str
        The variable.
    inputs : sequence of str
        Those of the program, the variable first.
    given : mapping
        By input, the stable tree whose value it has.
    program : Program
        Of the derivative by itself.
    """
    alone = substitute(best, given)
    for point in poles(alone, name)[:_MOST]:
        if not _cancels(alone, name, inputs, given, program, point):
            continue
        for radius in _RADII:
            coefficients = _fitted(alone, name, point, radius)
            if coefficients is not None:
                tree = _beside(tree, name, point, radius, coefficients)
                break
    return tree


def _cancels(
    alone: Node, name: str, inputs: Sequence[str], given: Mapping[str, Node], program: Program, point: float
) -> bool:
    """Whether float32 loses more digits of the derivative near a point than it has to."""
    steps = np.geomspace(1e-5, 0.3, 12)
    at = (point + np.concatenate([-steps, steps])).astype(np.float32)
    own: dict[str, Array] = {name: at}
    for x in inputs[1:]:
        own[x] = evaluate(compiled(guarded(given[x]), [name]), at)[0].astype(np.float32)
    values = evaluate(program, *(own[x] for x in inputs))[0].astype(np.float64)
    with optional("mpmath", "derive").workdps(60):
        exact = np.array([_float(digits(alone, {name: float(x)})) for x in at])
    if not np.isfinite(exact).all():
        return False
    return bool(np.abs(values - exact).max() > _LOST * _EPS * np.abs(exact).max() or not np.isfinite(values).all())


def _fitted(alone: Node, name: str, point: float, radius: float) -> list[float] | None:
    """Return the coefficients of a polynomial of a - point, the constant first, as good as float64; None if none is."""
    mp = optional("mpmath", "derive")

    def exact(u: Any) -> Any:
        value = digits(alone, {name: mp.mpf(point) + u})
        if value is None or not mp.isfinite(value):
            raise ArithmeticError
        return value

    try:
        with mp.workdps(60):
            nodes = [radius * mp.cos(mp.pi * (2 * k + 1) / (2 * _NODES)) for k in range(_NODES)]  # none is the point
            powers = mp.matrix(_NODES, _NODES)
            for row, u in enumerate(nodes):
                for k in range(_NODES):
                    powers[row, k] = u**k
            values = [exact(u) for u in nodes]
            fitted = list(mp.lu_solve(powers, mp.matrix(values)))
            largest = max(map(abs, values))
            between = [radius * mp.cos(mp.pi * k / _NODES) for k in range(_NODES + 1) if 2 * k != _NODES]
            lost = max(abs(exact(u) - mp.polyval(fitted[::-1], u)) for u in between)
            if not 0 < largest < mp.inf or lost > largest * mp.mpf(2) ** -49:
                return None
            least = largest * mp.mpf(2) ** -56
            return [float(c) if abs(c) * radius**k > least else 0.0 for k, c in enumerate(fitted)]
    except (ArithmeticError, ValueError, TypeError):
        return None


def _beside(tree: Node, name: str, point: float, radius: float, coefficients: list[float]) -> Node:
    """Return where(|a - point| < radius, the polynomial, the tree)."""
    a = variable(name)
    u = a if point == 0 else Node("subtract", (a, number(point)))
    odd = not any(coefficients[0::2])
    even = not any(coefficients[1::2])
    own = coefficients[1::2] if odd else coefficients[0::2] if even else coefficients
    step = Node("multiply", (u, u)) if odd or even else u
    while len(own) > 1 and own[-1] == 0:
        own = own[:-1]
    series = number(own[-1])
    for c in reversed(own[:-1]):
        series = Node("add", (Node("multiply", (series, step)), number(c)))
    if odd:
        series = Node("multiply", (series, u))
    return Node("where", (Node("less", (Node("abs", (u,)), number(radius))), series, tree))


def _float(value: Any) -> float:
    return float("nan") if value is None else float(value)
