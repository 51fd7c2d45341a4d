"""Levenberg's and Marquardt's step for squared errors: (JᵀJ + μ I) Δθ = −Jᵀe, μ between Newton's step and a short one.

Where JᵀJ + μ I is not positive definite in floating point, a larger μ makes it so.

Source: Levenberg 1944, Marquardt 1963; μ as in Nielsen, Damping parameter in Marquardt's method, IMM 1999, and Madsen,
Nielsen, Tingleff, Methods for non-linear least squares problems, 2nd ed., 2004, algorithm 3.16.
"""

from __future__ import annotations

import numpy as np

from deltaprop.descent.full_batch.one_thread import ONE_THREAD
from deltaprop.descent.full_batch.problem import Memories, Problem, Step, dot

_TRIALS = 60  # of μ in one step


def levenberg_marquardt(problem: Problem, parameters: dict[str, float], memories: Memories) -> Step:
    """Make one step that lowers E; it has converged where no entry of the gradient exceeds ``gtol``, or none does."""
    with ONE_THREAD:
        return _step(problem, parameters, memories)


def _step(problem: Problem, parameters: dict[str, float], memories: Memories) -> Step:
    from scipy.linalg import LinAlgError, cho_factor, cho_solve  # here, for who never needs it

    theta = problem.theta
    E, _ = problem.look(theta)
    A, g = problem.normal_equations()
    if not (np.isfinite(A).all() and np.isfinite(g).all()):
        return Step(theta, end="the products of errors' slopes are too large for float64")
    if not memories.steps:
        memories.numbers[:] = [parameters["damping"] * max(float(A.diagonal().max()), np.finfo(float).tiny), 2.0]
    mu, nu = memories.numbers
    if np.abs(g).max() <= parameters["gtol"]:
        return Step(theta, end=f"no entry of the gradient exceeds gtol, {parameters['gtol']:g}")
    diagonal = A.diagonal().copy()
    for _ in range(_TRIALS):
        np.fill_diagonal(A, diagonal + mu)
        try:
            change = -cho_solve(cho_factor(A, check_finite=False), g, check_finite=False)
        except LinAlgError:
            mu, nu = mu * nu, nu * 2
            continue
        if np.sqrt(dot(change, change)) <= problem.eps * np.sqrt(dot(theta, theta)):
            break
        new = problem.rounded(problem.moved(change))
        E_new, _ = problem.look(new)
        expected = dot(change, mu * change - g) / 2
        gain = (E - E_new) / expected if np.isfinite(E_new) and expected > 0 else -1.0
        if gain > 0:
            memories.numbers[:] = [mu * max(1 / 3, 1 - (2 * gain - 1) ** 3), 2.0]
            flat = E - E_new <= problem.eps * E
            return Step(new, end="E falls no more, as far as its digits tell" if flat else "")
        mu, nu = mu * nu, nu * 2
    return Step(theta, end="no step lowers E")
