"""The slope of E along a line through theta: by steps of many lengths, whose truncation and noise are known apart."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from deltaprop.arrays import Array

TOLERANCE = 1e-6  # relative, of a central difference whose step is chosen well
CREDIBLE = 2e-5  # relative: with such an error of its own a slope tells 1e-4 from 0
_FIRST = 1e-4  # the step that is enough for most
_STEPS = 4.0 ** -np.arange(1.0, 16)  # 0.25 … 1e-9, where it is not
_DEEPEST = 4  # times a slope is extrapolated
_SIGMAS = 5.0  # of the noise of E, so that what it makes of a slope is hardly ever more
_EPSILON = float(np.finfo(float).eps)


@dataclass(frozen=True)
class Verdict:
    """A slope that is claimed, ``analytic``, beside the one that was measured; ``allowed`` is of the larger's size."""

    name: str
    analytic: float
    numeric: float
    allowed: float
    kink: bool = False

    @property
    def error(self) -> float:
        """|a − n| / max(|a|, |n|), 0 of 0 and 0."""
        return abs(self.analytic - self.numeric) / self.size if self.size else 0.0

    @property
    def size(self) -> float:
        """max(|a|, |n|)."""
        return max(abs(self.analytic), abs(self.numeric))

    @property
    def ok(self) -> bool:
        """Whether the two agree."""
        return self.error <= self.allowed


@dataclass
class Line:
    """E along a line through theta: of one parameter, or of a direction of many.

    Parameters
    ----------
    E_at : callable
        Returns E after a step along the line, and the step as it was rounded.
    analytic : float
        The slope that is claimed.
    rounding : float
        What rounding in the network's own dtype may have made of it.
    scale : float
        What steps are in proportion to.
    E, noise : float
        E where the line starts, and the standard deviation that rounding gives it.
    name : str
    """

    E_at: Callable[[float], tuple[float, float]]
    analytic: float
    rounding: float
    scale: float
    E: float
    noise: float
    name: str
    _known: dict[float, tuple[float, float]] = field(default_factory=dict)

    def verdict(self) -> Verdict:
        """Compare the claimed slope with central differences, by more steps where the first leaves it open."""
        n, error = self._central(_FIRST)
        size = max(abs(self.analytic), abs(n))
        if abs(self.analytic - n) <= TOLERANCE * size + self.rounding and error <= CREDIBLE / 2 * size:
            return self._verdict(n, 0.0)
        n, error = self._closest([self._central(step) for step in _STEPS])
        found = self._verdict(n, error)
        if found.ok or not self._is_between_two_slopes():
            return found
        return Verdict(self.name, self.analytic, n, found.allowed, kink=True)

    def _verdict(self, n: float, error: float) -> Verdict:
        size = max(abs(self.analytic), abs(n)) or 1.0
        return Verdict(self.name, self.analytic, n, TOLERANCE + (self.rounding + error) / size)

    def _closest(self, measured: list[tuple[float, float]]) -> tuple[float, float]:
        """Return the slope that comes closest to the claimed one, of those that can be trusted; else the surest.

        A kink of h near by spoils the steps that reach it, and no others: what shorter steps contradict is no slope.
        """
        slopes, errors, finest = extrapolated(measured, 16.0)
        central, noise = np.array(measured).T
        shorter = np.arange(len(central)) > finest[:, None]
        contradicted = shorter & (np.abs(central - slopes[:, None]) > 2 * noise + errors[:, None])
        errors = np.where(contradicted.any(axis=1), np.inf, errors)
        sizes = np.maximum(abs(self.analytic), np.abs(slopes))
        credible = np.flatnonzero(errors <= CREDIBLE * sizes)
        if len(credible):
            allowed = TOLERANCE * sizes + errors + self.rounding
            ratio = (np.abs(slopes - self.analytic) / allowed)[credible]
            k = int(credible[np.argmin(ratio)])
        else:
            k = int(np.argmin(errors))
        return float(slopes[k]), float(errors[k])

    def _at(self, step: float) -> tuple[float, float]:
        if step not in self._known:
            self._known[step] = self.E_at(step)
        return self._known[step]

    def _central(self, step: float) -> tuple[float, float]:
        """Return the slope between two steps to either side, and what the noise of E may have made of it."""
        (up, ahead), (down, back) = self._at(step * self.scale), self._at(-step * self.scale)
        with np.errstate(all="ignore"):
            return (up - down) / (ahead - back), self._noise(up, down) / (ahead - back)

    def _one_sided(self, step: float) -> tuple[float, float]:
        E, taken = self._at(step * self.scale)
        with np.errstate(all="ignore"):
            return (E - self.E) / taken, self._noise(E, self.E) / abs(taken)

    def _noise(self, one: float, other: float) -> float:
        return _SIGMAS * math.sqrt(2) * self.noise + _EPSILON * (abs(one) + abs(other)) / 2

    def _is_between_two_slopes(self) -> bool:
        """Whether E bends where the line starts, and ``analytic`` lies between its slopes to the left and the right.

        A kink that stands a little off is none: at steps that do not reach it both sides have one slope.
        """
        left, right = ([self._one_sided(side * step) for step in _STEPS] for side in (-1, 1))
        (l, l_error), (r, r_error) = (surest(extrapolated(side, 4.0)) for side in (left, right))
        jump, error = abs(r - l), l_error + r_error
        if not min(l, r) - l_error - self.rounding <= self.analytic <= max(l, r) + r_error + self.rounding:
            return False
        if jump <= error:  # no bend that shows, and the claim is between them
            return error <= CREDIBLE * max(abs(l), abs(r), abs(self.analytic))
        near = [(abs(b[0] - a[0]), a[1] + b[1]) for a, b in zip(left, right, strict=True)]
        resolved = [gap for gap, noise in near if noise <= jump / 10]
        return bool(resolved) and resolved[-1] >= jump / 2


def extrapolated(slopes: list[tuple[float, float]], ratio: float) -> Array:
    """Return estimates of a slope, the error of each, and which step is the shortest in it, (3, estimates).

    They come from slopes by steps that fall to a quarter.

    Richardson's: an error that goes with a power of the step is ``ratio`` times as large in the larger of two, so that
    it can be taken out; then the next power, ``ratio`` times that. An estimate's error is half the distance of the
    two that it is made of, which holds where E bends and the error goes with ε, too, and the noise of E in it.

    Parameters
    ----------
    slopes : list of (slope, noise)
        The largest step first.
    ratio : float
        16 of central differences, whose error begins with ε², 4 of one-sided ones.

    Examples
    --------
    The slope of x³ at 1 is 3, and central differences are 3 + ε²; ε = 1, ¼ and 1/16:

    >>> extrapolated([(4.0, 0.0), (3.0625, 0.0), (3.00390625, 0.0)], 16.0)[0]
    array([3.0625    , 3.00390625, 3.        , 3.        , 3.        ])
    """
    with np.errstate(all="ignore"):
        values, noise = np.array(slopes).T
        places = np.arange(len(values))
        found = [np.array([values[1:], np.abs(np.diff(values)) / 2 + noise[1:], places[1:]])]
        for depth in range(1, min(_DEEPEST, len(values) - 1) + 1):
            factor = ratio**depth
            mended = values[1:] + (values[1:] - values[:-1]) / (factor - 1)
            noise = (factor * noise[1:] + noise[:-1]) / (factor - 1)
            found.append(np.array([mended, np.abs(np.diff(values)) / 2 + noise, places[depth:]]))
            values = mended
    estimates = np.concatenate(found, axis=1)
    good = np.isfinite(estimates).all(axis=0)
    return np.asarray(estimates[:, good]) if good.any() else np.array([[0.0], [np.inf], [0.0]])


def surest(estimates: Array) -> tuple[float, float]:
    """Return the estimate with the least error, and that."""
    k = int(np.argmin(estimates[1]))
    return float(estimates[0, k]), float(estimates[1, k])
