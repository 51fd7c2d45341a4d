"""The learning-rate range test: E while η rises, and the η at which it falls fastest."""

from __future__ import annotations

import copy
import io
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from deltaprop.arrays import Array, SparseRows, whole_number
from deltaprop.descent.memory import Pass
from deltaprop.descent.optimizers import Optimizer, optimizer_in
from deltaprop.errors import optional
from deltaprop.inspection.curves import PICTURES
from deltaprop.model import Model
from deltaprop.real_numbers import real_number
from deltaprop.storage import PathLike, replace_file
from deltaprop.targets import ClassWeight

_LOOKS = 100  # values of η
_AT_LEAST = 64  # samples for each, so that a step after every sample is not one sample's luck
_SMOOTH = 0.8  # of the running mean of E that stays with the next
_ASTRAY = 4.0  # times the least E: further up there is nothing to see


@dataclass(frozen=True)
class EtaRange:
    """E while η rises from step to step.

    Attributes
    ----------
    eta : ndarray (n,)
        Rising by a constant factor, up to where E goes astray.
    E : ndarray (n,)
        Mean over the samples presented at that η, each before its own update; less what the network made of the same
        samples before, and with its E of all: so the luck of a draw is not in it.
    smoothed : ndarray (n,)
        A running mean of it.
    steepest : float
        The η at which the smoothed E falls fastest per factor of η.
    lowest : float
        The η at which it is least: by then steps are nearly too long.
    suggestion : float
        Where to begin: a quarter of ``lowest``.
    """

    eta: NDArray[np.float64]
    E: NDArray[np.float64]
    smoothed: NDArray[np.float64]
    steepest: float
    lowest: float
    suggestion: float

    def __repr__(self) -> str:
        return (
            f"EtaRange: begin with eta {self.suggestion:.2g}. E falls fastest at {self.steepest:.2g} and is least at "
            f"{self.lowest:.2g}, of {len(self.eta)} values from {self.eta[0]:.2g} to {self.eta[-1]:.2g}."
        )

    def picture(self, suffix: str = ".svg") -> bytes:
        """Return the curve as a picture, ``.png``, ``.svg`` or ``.pdf``; needs matplotlib."""
        if suffix.lower() not in PICTURES:
            raise ValueError(f"A picture needs to be one of {', '.join(PICTURES)}; got {suffix!r}.")
        figure = optional("matplotlib.figure", "plot").Figure(figsize=(7, 4.2), layout="constrained")
        axes = figure.add_subplot()
        axes.plot(self.eta, self.E, ".", color="#9ecae1", markersize=4, label="E at this η")
        axes.plot(self.eta, self.smoothed, color="#0072b2", label="smoothed")
        for value, words, style in (
            (self.suggestion, f"begin with {self.suggestion:.2g}", "-"),
            (self.steepest, f"falls fastest, {self.steepest:.2g}", ":"),
            (self.lowest, f"least, {self.lowest:.2g}", "--"),
        ):
            axes.axvline(value, color="#d55e00", linestyle=style, linewidth=1.2, label=words)
        low, high = float(self.smoothed.min()), float(self.smoothed[: len(self.eta) // 4 + 1].max())
        room = max(high - low, 1e-12 * max(abs(high), 1.0))
        axes.set_ylim(low - 0.15 * room, high + 0.6 * room)
        axes.set_xscale("log")
        axes.set_xlabel("η")
        axes.set_ylabel("E, mean over the samples")
        axes.spines[["top", "right"]].set_visible(False)
        axes.legend(frameon=False)
        drawn = io.BytesIO()
        figure.savefig(drawn, format=suffix.lower().removeprefix("."), dpi=150)
        return drawn.getvalue()

    def save(self, path: PathLike) -> None:
        """Write the picture to a file whose name ends in .png, .svg or .pdf."""
        import os

        replace_file(path, self.picture(os.path.splitext(path)[1]))

    def _repr_svg_(self) -> str:
        return self.picture().decode()


def find_eta(
    model: Model,
    X: ArrayLike,
    R: ArrayLike,
    *,
    batch_size: int = 1,
    optimizer: str | Optimizer = "sgd",
    low: float = 1e-6,
    high: float = 10.0,
    sample_weight: ArrayLike | None = None,
    class_weight: ClassWeight | None = None,
) -> EtaRange:
    """Go through samples with a rising η; `Network.find_eta` documents it."""
    where = f"{type(model).__name__}.find_eta"
    samples = model.samples(X, R, sample_weight, where, class_weight)
    n = len(samples[0])
    if not n:
        raise ValueError(f"{where}: X has no rows, so there is nothing to learn from.")
    batch_size = whole_number(batch_size, "batch_size", at_least=1, where=where)
    low, high = real_number(low, "low", where=where), real_number(high, "high", where=where)
    if not 0 < low < high < math.inf:
        raise ValueError(f"{where}: low and high need to be finite, above 0, and low below high; got {low}, {high}.")
    rule = optimizer_in(optimizer, where=where, dtype=model.dtype)
    if rule.full_batch:
        raise ValueError(f"{where}: {rule.name} takes all samples at once, and has no eta to find.")
    etas = np.geomspace(low, high, _LOOKS)
    E = _means(model, rule, samples, etas, batch_size, -(-_AT_LEAST // batch_size) * batch_size)
    return _range_of(etas[: len(E)], E, where)


def _means(
    model: Model, rule: Optimizer, samples: tuple[Any, Array, Array | None], etas: Array, each: int, at_once: int
) -> list[float]:
    """Return E at each η, up to where it goes astray."""
    X, R, weights = samples
    n = len(X)
    probe = copy.copy(model)  # with its own parameters, counts and memory
    probe.take_up(rule)
    at_start = model.mean_loss(*samples)
    orders = (probe.epoch_order(n, probe.epoch + k, shuffle=True) for k in range(1, 2**31))
    waiting = next(orders)
    found: list[float] = []
    mean, best = 0.0, math.inf
    with np.errstate(all="ignore"):
        for k, eta in enumerate(etas):
            while len(waiting) < at_once:
                waiting = np.concatenate([waiting, next(orders)])
            order, waiting = waiting[:at_once], waiting[at_once:]
            at = Pass()
            for _ in probe.passing(*samples, order, np.array([eta]), each, 0, at=at):
                pass
            if probe.not_finite(at.mean) is not None:
                break
            rows = X.take(order) if isinstance(X, SparseRows) else X[order]
            before = model.mean_loss(rows, R[order], None if weights is None else weights[order])
            found.append(at_start + at.mean - before)
            mean = _SMOOTH * mean + (1 - _SMOOTH) * found[-1]
            smoothed = mean / (1 - _SMOOTH ** (k + 1))
            best = min(best, smoothed)
            if k > _LOOKS // 10 and smoothed > _ASTRAY * best:
                break
    return found


def _range_of(etas: Array, E: list[float], where: str) -> EtaRange:
    if len(E) < _LOOKS // 10:
        raise ValueError(f"{where}: E goes astray with the smallest eta already. Take a smaller low, or scale X and R.")
    values = np.array(E)
    smoothed, mean = np.empty_like(values), 0.0
    for k, value in enumerate(values):
        mean = _SMOOTH * mean + (1 - _SMOOTH) * value
        smoothed[k] = mean / (1 - _SMOOTH ** (k + 1))
    lag = round(1 / (1 - _SMOOTH))  # by which a running mean is late
    lowest = max(int(smoothed.argmin()) - lag, 1)
    slopes = np.gradient(smoothed)[: int(smoothed.argmin()) + 1]
    steepest = max(int(slopes.argmin()) - lag, 0)
    return EtaRange(etas, values, smoothed, float(etas[steepest]), float(etas[lowest]), float(etas[lowest]) / 4)
