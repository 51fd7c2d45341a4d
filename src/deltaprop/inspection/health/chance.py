"""The best prediction that looks at no input: what a network's E has to be below."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from deltaprop.arrays import Array
from deltaprop.model import Model

_SIZES = 4.0 ** np.arange(-5, 13)  # of a, to both sides of 0: from a thousandth to some ten millions
_GRID = np.concatenate([-_SIZES[::-1], [0.0], _SIZES])
_HALVINGS = 40  # of an interval of the grid: to 12 digits
_LEAST_SHARE = 1e-12  # of a class, whose logarithm is taken


def best_constant(model: Model, R: Array) -> tuple[float, Array]:
    """Return the E of the best y that is the same for all samples, and that y (n_out,).

        ∂E/∂a_j = (1/n) Σ_ℓ δ_j^ℓ = 0        a the same for all samples

    It is found through the network's own output and loss, in float64, by a bias alone: output by output the sum of δ
    changes its sign there. Under softmax y is the mean of r, the best constant for every proper loss. Where E has
    several valleys it may be in a lesser one; E is that of the y returned in any case.

    Parameters
    ----------
    model : Model
    R : ndarray (n, n_out)
        Targets as the engine reads them, already smoothed.

    Examples
    --------
    Of three targets 0, 0 and 1 under log loss it is y = ⅓, of squared error the mean, of absolute error the median:

    >>> E, y = best_constant(Model([2, 1]), np.array([[0.0], [0.0], [1.0]]))
    >>> round(E, 6), y.round(6)                # −(log ⅓ + 2 log ⅔) / 3
    (0.636514, array([0.333333]))
    >>> R = np.array([[1.0], [2.0], [9.0]])
    >>> [float(best_constant(Model([2, 1], output="identity", loss=E), R)[1][0].round(6))
    ...  for E in ("squared_error", "absolute_error")]
    [4.0, 2.0]
    """
    R = R.astype(np.float64)
    probe = Model([1, R.shape[1]], output=model.output, loss=model.loss, init="zeros")
    X = np.zeros((len(R), 1))

    def at(b: Array | float) -> tuple[float, Array]:
        probe.b[0][...] = b
        passed = probe.trace_of(X, R)
        E = float(passed.E.mean())
        return (E if np.isfinite(E) else float("inf")), np.sign(passed.delta[0].mean(axis=0))

    candidates: list[Array | float]
    with np.errstate(all="ignore"):
        if model.definition.functions[-1].output_only:
            candidates = [np.log(np.maximum(R.mean(axis=0), _LEAST_SHARE))]
        else:
            E_of_level, signs = zip(*(at(level) for level in _GRID), strict=True)
            level = float(_GRID[int(np.argmin(E_of_level))])
            candidates = [level, _where_signs_change(np.array(signs), level, lambda b: at(b)[1])]
        E = [at(b)[0] for b in candidates]
        best = int(np.argmin(E))
        probe.b[0][...] = candidates[best]
        return E[best], probe.predict(X[:1])[0]


def _where_signs_change(signs: Array, level: float, sign_at: Callable[[Array], Array]) -> Array:
    """Return for each output the a where its sign (a row per point of the grid) goes from −1 to 0 or 1, by halving.

    Where it never does, E falls to one end of the grid, which is taken, or has no valley, and level is.
    """
    rises = (signs[:-1] < 0) & (signs[1:] >= 0)
    low, high = np.full(signs.shape[1], level), np.full(signs.shape[1], level)
    for j in range(signs.shape[1]):
        places = np.flatnonzero(rises[:, j])
        if len(places):
            nearest = places[np.argmin(np.abs(_GRID[places]))]
            low[j], high[j] = _GRID[nearest], _GRID[nearest + 1]
        elif (signs[:, j] <= 0).all():
            low[j] = high[j] = _GRID[-1]
        elif (signs[:, j] >= 0).all():
            low[j] = high[j] = _GRID[0]
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        below = sign_at(middle) < 0
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    return np.asarray((low + high) / 2)
