"""What a training run leaves to read: one entry per epoch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from deltaprop.storage import finite_json, restored_json

if TYPE_CHECKING:
    from deltaprop.picture import Picture


@dataclass
class History:
    """The course of one call of ``fit``, one entry per epoch.

    Attributes
    ----------
    E : list of float
        Mean (weighted, where there are weights) of each sample's E before its own update.
    penalty : list of float
        Ω of the weights after the epoch, which E above leaves out; empty where the network has no penalty.
    E_validation : list of float
        E of the validation samples after the epoch; empty where there are none.
    eta : list of float
        The η_n used; where it changes with every step, that of the epoch's first. Of lbfgs the length of the step; NaN
        where an optimizer has no such number.
    eta_steps : list of ndarray
        η of every step, an array per epoch; empty where it does not change within an epoch.
    seconds : list of float
        Wall time of the epoch's descent and validation.
    metrics : dict of str to list of float
        By name, the metrics of the validation samples after the epoch, those that were asked for.
    stopped : str
        Why training ended: "epochs", all of them done; "patience", "goal", "time" or "callback";
        "converged" where an optimizer that takes all samples at once found nothing more to gain.
    reason : str
        Where it stopped as "converged": what there was to see, in words; empty otherwise.
    best_epoch : int or None
        Where the parameters of the best epoch were kept: that epoch, counted since the network's start.
    """

    E: list[float] = field(default_factory=list)
    penalty: list[float] = field(default_factory=list)
    E_validation: list[float] = field(default_factory=list)
    eta: list[float] = field(default_factory=list)
    eta_steps: list[NDArray[np.float64]] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    metrics: dict[str, list[float]] = field(default_factory=dict)
    stopped: str = "epochs"
    reason: str = ""
    best_epoch: int | None = None

    def __len__(self) -> int:
        return len(self.E)

    def __repr__(self) -> str:
        if not self.E:
            return "History(0 epochs)"
        validation = f", E_validation {self.E_validation[-1]:.6g}" if self.E_validation else ""
        return (
            f"History({len(self)} epochs: E {self.E[0]:.6g} → {self.E[-1]:.6g}{validation}; {sum(self.seconds):.3g} s)"
        )

    def as_json(self) -> dict[str, Any]:
        """Return all but ``eta_steps`` as JSON has it."""
        kept = [own.name for own in fields(self) if own.name != "eta_steps"]
        return {name: finite_json(getattr(self, name)) for name in kept}

    @classmethod
    def from_json(cls, written: Mapping[str, Any]) -> Self:
        """Return what `as_json` was called on; raise TypeError or ValueError where it is none."""
        history = cls(**restored_json(written))
        if not isinstance(history.metrics, dict):
            raise TypeError("a history's metrics have names")
        curves = [history.E, history.penalty, history.E_validation, history.eta, history.seconds]
        for curve in (*curves, *history.metrics.values()):
            if not isinstance(curve, list) or any(type(value) is not float for value in curve):
                raise TypeError("a history needs numbers, one for each epoch")
            if len(curve) not in (0, len(history)):
                raise ValueError("a history has curves of several lengths")
        if not (isinstance(history.stopped, str) and isinstance(history.reason, str)):
            raise TypeError("a history says in words how it ended")
        if not isinstance(history.best_epoch, int | None):
            raise TypeError("a history's best epoch is no number")
        return history

    def plot(self) -> Picture:
        """Draw E over the epochs, that of the validation samples beside it, and their metrics below.

        Returns
        -------
        Picture
            Notebooks show it, ``.save("loss.png")`` writes it (png, svg, pdf), ``.figure`` is matplotlib's.

        Raises
        ------
        MissingExtraError
            If matplotlib is not installed.

        Examples
        --------
        >>> from deltaprop import Network
        >>> history = Network([2, 1]).fit([[0, 1], [1, 1]], [0, 1], epochs=20)
        >>> history.plot().figure.axes[0].get_ylabel()
        'E, mean over the samples'
        """
        from deltaprop.training.loss_curves import loss_curves

        return loss_curves(self)
