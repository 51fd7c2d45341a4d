"""Limited-memory BFGS: a quasi-Newton direction from the last changes of θ and of the gradient, and a search along it.

The direction is Nocedal's two-loop recursion; the search is SciPy's, for the strong Wolfe conditions. What is
remembered are the changes themselves, so that a run can be interrupted and resumed like any other.

Source: Liu and Nocedal, On the limited memory BFGS method for large scale optimization, Mathematical Programming 45,
1989; Nocedal and Wright, Numerical optimization, 2nd ed., algorithms 7.4, 7.5, 3.1, 3.5 and 3.6.
"""

from __future__ import annotations

import math
import warnings

import numpy as np

from deltaprop.descent.full_batch.problem import Array, Memories, Problem, Step, dot

_DECREASE, _CURVATURE = 1e-4, 0.9  # of the strong Wolfe conditions
_SEARCH = 25  # trials at most
_SHORTER = (0.1, 0.5)  # of a length that was too long, the next one is at least and at most so much


def lbfgs(problem: Problem, parameters: dict[str, float], memories: Memories) -> Step:
    """Make one step; it has converged where no entry of the gradient exceeds ``gtol``, or E falls no more."""
    changes, turns = np.split(memories.vectors, 2)  # of θ, of the gradient, the last ones last; 0 where there are none
    theta = problem.theta
    E, g = problem.look(theta)
    if np.abs(g).max() <= parameters["gtol"]:
        return Step(theta, 0.0, f"no entry of the gradient exceeds gtol, {parameters['gtol']:g}")
    direction = -_two_loops(g, changes, turns)
    length = _search(problem, theta, direction, E, g)
    if length is None and changes[-1].any():  # begin anew, down the gradient
        changes[...] = turns[...] = 0
        direction = -_two_loops(g, changes, turns)
        length = _search(problem, theta, direction, E, g)
    if length is None:
        return Step(theta, 0.0, "no step down the gradient lowers E")
    new = problem.rounded(theta + length * direction)
    E_new, g_new = problem.look(new)
    s, y = new - theta, g_new - g
    if dot(s, y) > np.finfo(float).eps * dot(y, y):
        for kept, own in ((changes, s), (turns, y)):
            kept[:-1] = kept[1:]
            kept[-1] = own
    flat = E - E_new <= problem.eps * max(abs(E), abs(E_new))
    return Step(new, length, "E falls no more, as far as its digits tell" if flat else "")


def _two_loops(g: Array, changes: Array, turns: Array) -> Array:
    """Return H g, H the inverse Hessian as the changes have it; where there are none, g with a length of at most 1."""
    n = int(changes.any(axis=1).sum())
    if not n:
        return np.asarray(g * min(1.0, 1 / float(np.abs(g).sum())))
    S, Y = changes[-n:], turns[-n:]
    rho = 1 / (S * Y).sum(axis=1)
    q, parts = g.copy(), np.empty(n)
    for k in reversed(range(n)):
        parts[k] = rho[k] * dot(S[k], q)
        q -= parts[k] * Y[k]
    q *= 1 / (rho[-1] * dot(Y[-1], Y[-1]))
    for k in range(n):
        q += (parts[k] - rho[k] * dot(Y[k], q)) * S[k]
    return np.asarray(q)


def _search(problem: Problem, theta: Array, direction: Array, E: float, g: Array) -> float | None:
    """Return how far to go along a direction; None where E does not fall along it."""
    from scipy.optimize import line_search  # here, for who never needs it

    slope = dot(g, direction)
    if not -math.inf < slope < 0:
        return None

    def value(length: Array) -> float:
        found = problem.look(theta + float(length[0]) * direction)[0]
        return found if math.isfinite(found) else math.inf  # NaN would lead it further out

    def slope_at(length: Array) -> Array:
        return np.array([dot(problem.look(theta + float(length[0]) * direction)[1], direction)])

    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")  # that the search did not end is in what it returns
        found = line_search(
            value, slope_at, np.zeros(1), np.ones(1), np.array([slope]), E,
            c1=_DECREASE, c2=_CURVATURE, maxiter=_SEARCH,
        )  # fmt: skip
        if found[0] is not None and found[3] < E:
            return float(found[0])
        return _shorter(problem, theta, direction, E, slope)


def _shorter(problem: Problem, theta: Array, direction: Array, E: float, slope: float) -> float | None:
    """Return a length by which E falls enough, down from 1: where curvatures differ, SciPy's search ends too soon."""
    length, least, most = 1.0, *_SHORTER
    while (problem.rounded(theta + length * direction) != theta).any():
        risen = problem.look(theta + length * direction)[0] - E
        if risen <= _DECREASE * length * slope:
            return length if risen < 0 else None
        vertex = -slope * length**2 / (2 * (risen - length * slope))  # of the parabola through both values
        length = min(max(vertex, least * length), most * length) if math.isfinite(vertex) else least * length
    return None
