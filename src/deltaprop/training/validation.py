"""Samples that are held out of training, and what the network makes of them after each epoch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from deltaprop.arrays import Array, SparseRows
from deltaprop.model import Model
from deltaprop.real_numbers import real_number
from deltaprop.training.holdout import hold_out
from deltaprop.training.metrics import Metric


@dataclass(frozen=True)
class Validation:
    """Samples as the engine reads them, and the metrics that are looked at."""

    X: Any
    R: Array
    weights: Array | None
    metrics: tuple[Metric, ...]

    def look(self, model: Model) -> dict[str, float]:
        """Return the metrics of the network as it is, by name, E always among them."""
        found = {"E": model.mean_loss(self.X, self.R, self.weights)}
        others = [metric for metric in self.metrics if metric.measure is not None]
        if others:
            y = model.predictions(self.X).astype(np.float64)
            split = model.definition.loss_entry.targets == "class"  # by 0, as of hinge, and not by 0.5
            w = np.ones(len(y)) if self.weights is None else self.weights.astype(np.float64)
            for metric in others:
                assert metric.measure is not None
                own = y + 0.5 if split and metric.needs != "any" else y
                found[metric.name] = metric.measure(own, self.R.astype(np.float64), w / w.sum())
        return found


def divided(
    model: Model,
    samples: tuple[Any, Array, Array | None],
    validation: Any,
    metrics: tuple[Metric, ...],
    where: str,
) -> tuple[tuple[Any, Array, Array | None], Validation | None]:
    """Return the samples to train on, and those held out: a share of them, of each class alike, or a pair by itself."""
    if validation is None:
        return samples, None
    if isinstance(validation, tuple | list):
        if len(validation) not in (2, 3):
            raise TypeError(f"{where}: validation needs (X, R) or (X, R, weights); got {len(validation)} parts.")
        X, R, weights = (*validation, None)[:3]
        held = model.samples(X, R, weights, f"{where}: validation")
        if not len(held[0]):
            raise ValueError(f"{where}: validation has no rows.")
        return samples, _checked(Validation(*held, metrics), where)
    share = _share(validation, where)
    all_X, all_R, all_weights = samples
    rows, held_out = hold_out(len(all_X), share, model.seed, _classes(all_R))
    if not (len(rows) and len(held_out)):
        left = f"holds {len(held_out)} out and leaves {len(rows)}"
        raise ValueError(f"{where}: of {len(all_X)} rows a share of {share:g} {left}.")

    def part(chosen: Array) -> tuple[Any, Array, Array | None]:
        own = all_X.take(chosen) if isinstance(all_X, SparseRows) else all_X[chosen]
        return own, all_R[chosen], None if all_weights is None else all_weights[chosen]

    return part(rows), _checked(Validation(*part(held_out), metrics), where)


def _checked(held: Validation, where: str) -> Validation:
    """Return samples held out; raise ValueError where they weigh nothing, or a metric has no value on any outputs."""
    counted = held.R if held.weights is None else held.R[held.weights > 0]
    if not len(counted):
        raise ValueError(f"{where}: validation: all rows weigh 0.")
    for metric in held.metrics:
        if metric.needs != "any" and not ((counted >= 0) & (counted <= 1)).all():
            raise ValueError(f"{where}: {metric.name} is of classes, and these targets are quantities.")
        if metric.needs == "one output" and len({bool(r) for r in counted[:, 0] > 0.5}) < 2:
            raise ValueError(f"{where}: {metric.name} compares two classes, and the validation rows have one of them.")
    return held


def _share(validation: Any, where: str) -> float:
    what = f"{where}: validation needs a pair (X, R) of samples held out, or a share of the rows between 0 and 1"
    try:
        share = real_number(validation, "validation", where=where)
    except TypeError:
        raise TypeError(f"{what}; got {type(validation).__name__}.") from None
    if not 0 < share < 1:
        raise ValueError(f"{what}; got {validation!r}.")
    return share


def _classes(R: Array) -> Array | None:
    """Return the class of each row, where the targets are 0 and 1, or shares that sum to 1; None of quantities."""
    if R.shape[1] == 1:
        return R[:, 0].astype(int) if np.isin(R, (0, 1)).all() else None
    shares = (R >= 0).all() and np.allclose(R.sum(axis=1), 1)
    return R.argmax(axis=1) if shares else None
