"""How well predictions do, by name: what can be looked at after each epoch, and trained for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from deltaprop.arrays import Array
from deltaprop.errors import did_you_mean
from deltaprop.functions import Entry

Measure = Callable[[Array, Array, Array], float]  # (y, r, weights that sum to 1), rows of float64


@dataclass(frozen=True, repr=False)
class Metric(Entry):
    """What is known of a metric.

    Attributes
    ----------
    measure : callable or None
        (y, r, weights) ↦ its value; None for E, which the network says itself.
    more_is_better : bool
    needs : str
        Of which targets it is: "any"; "classes", r of each output 0 or 1, or a share, and y above 0.5 where it is one;
        "one output" of these.
    """

    measure: Measure | None = None
    more_is_better: bool = False
    needs: str = "any"


def _accuracy(y: Array, r: Array, w: Array) -> float:
    """Of classes that exclude each other, r of a row sums to 1, the largest y counts; of others each of a row's."""
    if y.shape[1] > 1 and np.allclose(r.sum(axis=1), 1):
        return float(w @ (y.argmax(axis=1) == r.argmax(axis=1)))
    return float(w @ ((y > 0.5) == (r > 0.5)).all(axis=1))


def _mean_square(y: Array, r: Array, w: Array) -> float:
    return float(w @ np.square(y - r).mean(axis=1))


def _r2(y: Array, r: Array, w: Array) -> float:
    left, spread = w @ np.square(y - r), w @ np.square(r - w @ r)
    return float(np.mean(1 - left / np.where(spread > 0, spread, np.nan)))


def _auc(y: Array, r: Array, w: Array) -> float:
    """Return the share of pairs of a positive and a negative that stand in the right order, ties half."""
    values, place = np.unique(y[:, 0], return_inverse=True)
    positive = r[:, 0] > 0.5
    ups, downs = (np.bincount(place, w * side, len(values)) for side in (positive, ~positive))
    pairs = ups.sum() * downs.sum()
    return float((ups * (np.cumsum(downs) - downs / 2)).sum() / pairs) if pairs else float("nan")


METRICS = {
    entry.name: entry
    for entry in (
        Metric("E", "the mean of E over the samples, without the penalty"),
        Metric("accuracy", "the share of samples whose classes are right: y > 0.5 (of hinge > 0), or the largest y",
               measure=_accuracy, more_is_better=True, needs="classes"),
        Metric("auc", "the share of pairs of a positive and a negative sample in the right order, ties half",
               measure=_auc, more_is_better=True, needs="one output", source="Hanley and McNeil, Radiology 143, 1982"),
        Metric("rmse", "sqrt(mean((y - r)**2))", measure=lambda y, r, w: float(np.sqrt(_mean_square(y, r, w)))),
        Metric("mae", "mean(abs(y - r))", measure=lambda y, r, w: float(w @ np.abs(y - r).mean(axis=1))),
        Metric("r2", "1 - sum((y - r)**2) / sum((r - mean(r))**2), the mean of the outputs",
               measure=_r2, more_is_better=True),
    )
}  # fmt: skip


def metric_in(name: object, n_out: int, *, where: str) -> Metric:
    """Return the metric of a name.

    Raises
    ------
    TypeError, ValueError
        If there is none of that name, or it is of one output and there are more.

    Examples
    --------
    >>> metric_in("accuracy", 3, where="fit").more_is_better
    True
    """
    if not isinstance(name, str):
        raise TypeError(f"{where} needs the name of a metric; got {name!r}.")
    if name not in METRICS:
        raise ValueError(
            f"{where}: no metric is called {name!r}.{did_you_mean(name, METRICS)} There are: {', '.join(METRICS)}."
        )
    if METRICS[name].needs == "one output" and n_out > 1:
        raise ValueError(f"{where}: {name} is of one output; the network has {n_out}.")
    return METRICS[name]
