"""What a range test found: the curve, an η to train with, and why; as words and as a picture."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

import numpy as np

from deltaprop.arrays import Array
from deltaprop.errors import MissingExtraError
from deltaprop.inspection.eta_range.curve import draw_eta_range
from deltaprop.picture import Picture


@dataclass(frozen=True, repr=False, eq=False)
class EtaRange:
    """What `Network.find_eta` found.

    Attributes
    ----------
    eta : ndarray (k,)
        Each point's η, the middle of its steps'.
    E, smoothed : ndarray (k,)
        The mean of E over a point's samples, each before its own update, and the curve through these: E of the start,
        and the mean change around the point. NaN where all samples of a point weigh nothing.
    suggestion : float or None
        The η to train with; None where E never fell.
    steepest, least : float or None
        The η where the smoothed E falls most steeply over log η, and where it is least.
    reason : str
        Why this suggestion, or none.
    stopped : str
        Why the test ended: "diverged", or "high", its last η.
    optimizer : str
    batch_size, steps : int
        Samples per step, and steps per point.

    Examples
    --------
    >>> from deltaprop import Network
    >>> X, R = [[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0]
    >>> found = Network([2, 4, 1], h="tanh", seed=1).find_eta(X, R, batch_size=4, high=1e3)
    >>> found.least > found.suggestion > 0
    True
    """

    eta: Array
    E: Array
    smoothed: Array
    suggestion: float | None
    steepest: float | None
    least: float | None
    reason: str
    stopped: str
    optimizer: str
    batch_size: int
    steps: int

    def __str__(self) -> str:
        batches = "a sample a step" if self.batch_size == 1 else f"{self.batch_size} samples a step"
        if not len(self.eta):
            return f"The first steps already diverged ({self.optimizer}, {batches}): try a smaller low."
        made = f"Over η from {self.eta[0]:.2g} to {self.eta[-1]:.2g} ({self.optimizer}, {batches})"
        end = "then it diverged" if self.stopped == "diverged" else "the end of the test"
        if self.suggestion is None:
            more = "" if self.stopped == "diverged" else ": try a larger high"
            return f"No η can be suggested: {self.reason}. {made}; {end}{more}."
        low, k = float(np.nanmin(self.smoothed)), int(np.nanargmin(self.smoothed))
        rises = (
            "" if k < len(self.eta) - 1 or self.stopped == "diverged" else " It was falling still: try a larger high."
        )
        return (
            f"Train with η = {self.suggestion:.2g}: {self.reason}. {made}, E went from {self.smoothed[0]:.4g} down to "
            f"{low:.4g} at {self.least:.2g}, most steeply at {self.steepest:.2g}; {end}.{rises}"
        )

    __repr__ = __str__

    def draw(self) -> Picture:
        """Draw E over η, the suggestion marked; needs matplotlib.

        Returns
        -------
        Picture
            Notebooks show it, ``.save("eta.png")`` writes it (png, svg, pdf), ``.figure`` is matplotlib's.

        Raises
        ------
        MissingExtraError
            If matplotlib is not installed.
        """
        marks = {"suggested": self.suggestion, "steepest": self.steepest, "least E": self.least}
        return draw_eta_range(self.eta, self.E, self.smoothed, {k: v for k, v in marks.items() if v is not None})

    def _repr_html_(self) -> str:
        """Return words and picture, for a notebook; the words alone where matplotlib is missing."""
        try:
            picture = self.draw().data(".svg").decode()
        except MissingExtraError:
            picture = ""
        return f"<p>{escape(str(self))}</p>{picture[max(picture.find('<svg'), 0) :]}"
