"""The best prediction that looks at no input: what a network's E has to be below."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import numpy as np

from deltaprop.arrays import Array
from deltaprop.inspection.health.sample import Sample
from deltaprop.model import Model

_SIZES = 4.0 ** np.arange(-5, 13)  # of a, to both sides of 0: from a thousandth to some ten millions
_GRID = np.concatenate([-_SIZES[::-1], [0.0], _SIZES])
_HALVINGS = 40  # of an interval of the grid: to 12 digits
_ROWS = 2000  # that go through the output and the loss at once, about
_BLOCKS = 32  # of samples, whose differences scatter
_LEAST_SHARE = 1e-12  # of a class, whose logarithm is taken


def best_constant(model: Model, R: Array, weights: Array | None = None) -> tuple[float, Array]:
    """Return the E of the best y that is the same for all samples, and that y (n_out,).

        ∂E/∂a_j = Σ_ℓ w_ℓ δ_j^ℓ / Σ_ℓ w_ℓ = 0        a the same for all samples

    It is found through the network's own output and loss, in float64, by a bias alone: output by output the sum of δ
    changes its sign there. Under softmax y is the mean of r, the best constant for every proper loss. Where E has
    several valleys it may be in a lesser one; E is that of the y returned in any case.

    Parameters
    ----------
    model : Model
    R : ndarray (n, n_out)
        Targets as the engine reads them, already smoothed.
    weights : ndarray (n,), optional
        How much each sample counts.

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
    best = _best_of(model, R, weights)
    return best.E, best.y


@dataclass(frozen=True)
class _Best:
    """The best constant: its E, y and a, E of a = 0, and the mean of r."""

    E: float
    y: Array
    a: Array
    at_0: float
    shares: Array


def _best_of(model: Model, R: Array, weights: Array | None) -> _Best:
    return _best_constant(*_key_of(model, R, weights))


def _key_of(model: Model, R: Array, weights: Array | None) -> tuple[str, str, tuple[int, ...], bytes, bytes]:
    """Return all that a constant prediction depends on, in what can be looked up."""
    R = np.ascontiguousarray(R, np.float64)
    w = np.ones(len(R)) if weights is None else np.asarray(weights, np.float64)
    return model.output, model.loss, R.shape, R.tobytes(), w.tobytes()


@dataclass(frozen=True)
class Comparison:
    """E of n samples beside that of the best constant y.

    ``at_0`` is that of a = 0 for all outputs, ``shares`` the mean of r. ``error`` is the standard error of E − chance,
    0 where the samples are all there are. ``tells`` is False where all their targets are the same, which a constant
    suits as well as any network.
    """

    E: float
    chance: float
    at_0: float
    constant: Array
    shares: Array
    n: int
    error: float
    tells: bool


def compared(model: Model, sample: Sample, E: float) -> Comparison:
    """Return E of the rows that are looked at beside the best constant."""
    best = _best_of(model, sample.r, sample.weights)
    return Comparison(E, best.E, best.at_0, best.y, best.shares, len(sample.x), 0.0, not sample.one_target)


def compared_further(model: Model, sample: Sample) -> Comparison:
    """Return E of more rows beside the best constant; block by block, so that the error of the difference is known."""
    x, r, w = sample.x, sample.r, sample.weights
    best = _best_of(model, r, w)
    shares, of_constant = _by_blocks(*_key_of(model, r, w))
    with np.errstate(all="ignore"):
        own = np.array([model.mean_loss(x[k], r[k], None if w is None else w[k]) for k in _blocks_of(len(x))])
        differences = own - of_constant
        E = float(shares @ own)
        error = float(np.sqrt(np.square(shares * (differences - shares @ differences)).sum()))
    E, error = (E, 0.0 if sample.complete else error) if np.isfinite(E) else (math.inf, 0.0)
    return Comparison(E, best.E, best.at_0, best.y, best.shares, len(x), error, not sample.one_target)


def _blocks_of(n: int) -> list[slice]:
    ends = [k * n // min(_BLOCKS, n) for k in range(min(_BLOCKS, n) + 1)]
    return [slice(*pair) for pair in pairwise(ends)]


@lru_cache(maxsize=16)
def _by_blocks(output: str, loss: str, shape: tuple[int, ...], targets: bytes, weights: bytes) -> tuple[Array, Array]:
    """Return the share of each block of the samples, and E of the best constant there."""
    best = _best_constant(output, loss, shape, targets, weights)
    R, w = np.frombuffer(targets).reshape(shape), np.frombuffer(weights)
    constant = Model([1, shape[1]], output=output, loss=loss, init="zeros")
    constant.b[0][...] = best.a
    blocks = _blocks_of(len(R))
    with np.errstate(all="ignore"):
        E = np.array([constant.mean_loss(np.zeros((len(R[k]), 1)), R[k], w[k]) for k in blocks])
    return np.array([w[k].sum() for k in blocks]) / w.sum(), E


@lru_cache(maxsize=16)  # a network is looked at again and again while it trains
def _best_constant(output: str, loss: str, shape: tuple[int, ...], targets: bytes, weights: bytes) -> _Best:
    R, places = np.unique(np.frombuffer(targets).reshape(shape), axis=0, return_inverse=True)
    shares = np.bincount(places.ravel(), weights=np.frombuffer(weights))
    probe = _Probe(output, loss, R, shares / shares.sum())
    candidates: list[Array]
    with np.errstate(all="ignore"):
        if probe.model.definition.functions[-1].output_only:
            candidates = [np.log(np.maximum(probe.shares @ R, _LEAST_SHARE))]
        else:
            E_of_level, signs = probe.along(np.zeros(R.shape[1]), np.ones(R.shape[1]), _GRID)
            level = np.full(R.shape[1], _GRID[int(np.argmin(E_of_level))])
            candidates = [level, _where_signs_change(probe, signs, level)]
        E = [probe.at(a)[0] for a in candidates]
        best = int(np.argmin(E))
        y, at_0 = probe.at(candidates[best])[1], probe.at(np.zeros(R.shape[1]))[0]
    return _Best(E[best], y, candidates[best], at_0, probe.shares @ R)


class _Probe:
    """The output and the loss alone, of a = base + t · step for each output, for all targets at once."""

    def __init__(self, output: str, loss: str, R: Array, shares: Array) -> None:
        self.model = Model([1, R.shape[1]], output=output, loss=loss, init="zeros")
        self.R, self.shares = R, shares

    def along(self, base: Array, step: Array, t: Array) -> tuple[Array, Array]:
        """Return E (points,), inf where it is not finite, and the signs of Σ δ (points, n_out) at each t."""
        self.model.b[0][...], self.model.W[0][...] = base, step
        X, R = np.repeat(t, len(self.R))[:, None], np.tile(self.R, (len(t), 1))
        passed = self.model.trace_of(X, R)
        E = passed.E.reshape(len(t), -1) @ self.shares
        delta = passed.delta[0].reshape(len(t), len(self.R), -1)
        return np.where(np.isfinite(E), E, np.inf), np.sign(np.einsum("tnj,n->tj", delta, self.shares))

    def at(self, a: Array) -> tuple[float, Array]:
        """Return E and y of one a."""
        E, _ = self.along(a, np.zeros_like(a), np.zeros(1))
        return float(E[0]), self.model.predict(np.zeros((1, 1)))[0]


def _where_signs_change(probe: _Probe, signs: Array, level: Array) -> Array:
    """Return for each output the a where its sign (a row per point of the grid) goes from −1 to 0 or 1.

    Where it never does, E falls to one end of the grid, which is taken, or has no valley, and level is.
    """
    rises = (signs[:-1] < 0) & (signs[1:] >= 0)
    low, high = level.copy(), level.copy()
    for j in range(signs.shape[1]):
        places = np.flatnonzero(rises[:, j])
        if len(places):
            nearest = places[np.argmin(np.abs(_GRID[places]))]
            low[j], high[j] = _GRID[nearest], _GRID[nearest + 1]
        elif (signs[:, j] <= 0).all():
            low[j] = high[j] = _GRID[-1]
        elif (signs[:, j] >= 0).all():
            low[j] = high[j] = _GRID[0]
    parts = int(np.clip(_ROWS // len(probe.R), 2, 64))  # that an interval is divided into, each time
    for _ in range(math.ceil(_HALVINGS / math.log2(parts))):
        width = (high - low) / parts
        below = probe.along(low, width, np.arange(1.0, parts))[1] < 0
        passed = np.where(below.all(axis=0), parts - 1, np.argmin(below, axis=0))
        low, high = low + passed * width, low + (passed + 1) * width
    return np.asarray((low + high) / 2)
