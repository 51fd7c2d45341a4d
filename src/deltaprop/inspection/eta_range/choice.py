"""Which η the curve of a range test speaks for."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from deltaprop.arrays import Array

_WIDTH = 0.025  # the standard deviation of the Gaussian that smooths, as a share of a test's points
_LITTLE = 0.01  # of E: a change by less is none
_TENTH = 10.0  # how far below the η of the least E one trains, by the rule
_NEAREST = 3.0  # how near to it a suggestion comes at most


@dataclass(frozen=True)
class Curve:
    """E over the η of a range test so far, and what is taken from it.

    Attributes
    ----------
    eta : ndarray (k,)
        A point's η, the middle of its steps'.
    E, E_start : ndarray (k,)
        The mean of E over a point's samples, each before its own update; and with the parameters of the start. NaN
        where the samples weigh nothing.
    points : int
        How many a whole test has.
    """

    eta: Array
    E: Array
    E_start: Array
    points: int

    @property
    def start(self) -> float:
        """E before the first step: over all samples of the test."""
        known = self.E_start[np.isfinite(self.E_start)]
        return float(known.mean()) if len(known) else float("nan")

    @property
    def change(self) -> Array:
        """What the steps before have made of E of the same samples: little is left in it of how hard these are."""
        return self.E - self.E_start

    @property
    def little(self) -> float:
        """A change of E that says nothing yet: a tenth of how much points differ by themselves, 1 % of E at least."""
        known = self.E_start[np.isfinite(self.E_start)]
        return max(float(known.std()) / 10, _LITTLE * abs(self.start))

    @property
    def ceiling(self) -> float:
        """The change of E where a test ends: as far above the start as E ever was below it."""
        change = self.change[np.isfinite(self.change)]
        three = np.convolve(change, np.full(3, 1 / 3), "valid") if len(change) >= 3 else np.zeros(1)
        return max(-float(three.min()), 0.0) + 5 * self.little

    @property
    def diverged(self) -> bool:
        """Whether E has been above the ceiling at three points in a row."""
        last = self.change[np.isfinite(self.change)][-3:]
        return len(last) == 3 and bool((last > self.ceiling).all())

    def smoothed(self, wider: float = 1.0) -> Array:
        """Return E around each point: the start's and the mean change by a Gaussian over log η.

        What is above the ceiling counts as that.
        """
        width = max(_WIDTH * self.points * wider, 0.5)
        known = np.isfinite(self.change)
        change = np.where(known, np.minimum(self.change, self.ceiling), 0.0)
        k = np.arange(len(change))
        apart = np.abs(k[:, None] - k)
        weights = np.exp(-((apart / width) ** 2) / 2) * (apart <= 4 * width) * known
        with np.errstate(invalid="ignore"):
            mean: Array = self.start + weights @ change / weights.sum(axis=1)
        return mean


@dataclass(frozen=True)
class Choice:
    """What a curve speaks for.

    Attributes
    ----------
    steepest, least : float or None
        The η where the smoothed E falls most steeply over log η, and where it is least; None where it never fell.
    suggestion : float or None
    reason : str
        Why, in a clause.
    """

    steepest: float | None
    least: float | None
    suggestion: float | None
    reason: str


def choose(curve: Curve) -> Choice:
    """Return what a curve speaks for.

    Of the two rules the larger counts: measured over wine_quality, titanic, california_housing and penguins with sgd
    and adam, online and in batches of 32, E of held-out rows after five epochs was lower by it in every case but two.
    """
    E = curve.smoothed()
    if not np.isfinite(E).any():
        return Choice(None, None, None, "no step could be made")
    least = int(np.nanargmin(E))
    if not E[least] < curve.start - 2 * curve.little:
        return Choice(None, None, None, "E never fell by more than its noise")
    falls = np.gradient(curve.smoothed(wider=2.0), np.log(curve.eta))
    steepest = float(curve.eta[int(np.nanargmin(falls[: least + 1]))])
    at_least = float(curve.eta[least])
    tenth, nearest = at_least / _TENTH, at_least / _NEAREST
    if steepest > nearest:
        return Choice(
            steepest, at_least, nearest, "a third of the η where E is least, below which it falls most steeply"
        )
    if steepest >= tenth:
        return Choice(steepest, at_least, steepest, "where E falls most steeply")
    return Choice(steepest, at_least, tenth, "a tenth of the η where E is least")
