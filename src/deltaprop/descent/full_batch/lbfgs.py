"""Limited-memory BFGS: a quasi-Newton direction from the last changes of θ and of the gradient, and a search along it.

The direction is Nocedal's two-loop recursion; the search is SciPy's, for the strong Wolfe conditions. What is
remembered are the changes themselves, so that a run can be interrupted and resumed like any other.

Source: Liu and Nocedal, On the limited memory BFGS method for large scale optimization, Mathematical Programming 45,
1989; Nocedal and Wright, Numerical optimization, 2nd ed., algorithms 7.4, 7.5, 3.5 and 3.6.
"""

from __future__ import annotations

import warnings

import numpy as np

from deltaprop.descent.full_batch.problem import Array, Memories, Problem, Step, dot

_DECREASE, _CURVATURE = 1e-4, 0.9  # of the strong Wolfe conditions
_SEARCH = 25  # trials at most
_FLAT = 64  # eps: a relative decrease of E that is none


def lbfgs(problem: Problem, parameters: dict[str, float], memories: Memories) -> Step:
    """Make one step; it has converged where no entry of the gradient exceeds ``gtol``, or E falls no more."""
    changes, turns = np.split(
        memories.vectors, 2
    )  # of θ and of the gradient, the last ones last; 0 where there are none
    theta = problem.theta
    E, g = problem.look(theta)
    if np.abs(g).max() <= parameters["gtol"]:
        return Step(theta, 0.0, True)
    length = None
    direction = -_two_loops(g, changes, turns)
    if dot(g, direction) < 0:
        length = _search(problem, theta, direction, E, g)
    if length is None:  # begin anew, down the gradient
        changes[...] = turns[...] = 0
        direction = -_two_loops(g, changes, turns)
        length = _search(problem, theta, direction, E, g)
    if length is None:
        return Step(theta, 0.0, True)
    new = problem.rounded(theta + length * direction)
    E_new, g_new = problem.look(new)
    s, y = new - theta, g_new - g
    if dot(s, y) > np.finfo(float).eps * dot(y, y):
        for kept, own in ((changes, s), (turns, y)):
            kept[:-1] = kept[1:]
            kept[-1] = own
    flat = E - E_new <= _FLAT * problem.eps * max(abs(E), abs(E_new))
    return Step(new, length, flat)


def _two_loops(g: Array, changes: Array, turns: Array) -> Array:
    """Return H g, H the inverse Hessian as the changes have it; where there are none, g with a length of at most 1."""
    pairs = [(s, y, 1 / dot(s, y)) for s, y in zip(changes, turns, strict=True) if s.any()]
    if not pairs:
        return np.asarray(g * min(1.0, 1 / float(np.abs(g).sum())))
    q, parts = g.copy(), []
    for s, y, rho in reversed(pairs):
        part = rho * dot(s, q)
        parts.append(part)
        q -= part * y
    s, y, rho = pairs[-1]
    q *= 1 / (rho * dot(y, y))
    for (s, y, rho), part in zip(pairs, reversed(parts), strict=True):
        q += (part - rho * dot(y, q)) * s
    return np.asarray(q)


def _search(problem: Problem, theta: Array, direction: Array, E: float, g: Array) -> float | None:
    """Return how far to go along a direction; None where E does not fall along it."""
    from scipy.optimize import line_search  # here, for who never needs it

    def value(length: Array) -> float:
        return problem.look(theta + float(length[0]) * direction)[0]

    def slope(length: Array) -> Array:
        return np.array([dot(problem.look(theta + float(length[0]) * direction)[1], direction)])

    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")  # that the search did not end is in what it returns
        found = line_search(
            value, slope, np.zeros(1), np.ones(1), np.array([dot(g, direction)]), E,
            c1=_DECREASE, c2=_CURVATURE, maxiter=_SEARCH,
        )  # fmt: skip
    if found[0] is None or not np.isfinite(found[3]) or not found[3] < E:
        return None
    return float(found[0])
