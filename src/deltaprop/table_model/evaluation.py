"""How good predictions are, beside what a trivial model reaches: the most frequent class, or the mean."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from deltaprop.data.targets import Labels, Quantity

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Metric:
    """One measure of a model and of the trivial baseline.

    Attributes
    ----------
    name : str
    value, baseline : float
        The model's, and the baseline's on the same rows.
    larger_is_better : bool
    """

    name: str
    value: float
    baseline: float
    larger_is_better: bool


@dataclass(frozen=True)
class Evaluation:
    """What a model reaches on the rows of a table.

    Attributes
    ----------
    rows : int
        How many rows were judged.
    metrics : tuple of Metric
    unknown : int
        Rows whose label was not met in training: wrong in the accuracies, left out of the others.
    """

    rows: int
    metrics: tuple[Metric, ...]
    unknown: int = 0

    def __getitem__(self, name: str) -> float:
        """Return the model's value of the metric called ``name``."""
        return next(metric.value for metric in self.metrics if metric.name == name)

    def __str__(self) -> str:
        width = max(len(metric.name) for metric in self.metrics)
        lines = [f"{'':<{width}}  {'model':>10}  {'baseline':>10}"]
        lines += [f"{m.name:<{width}}  {m.value:>10.4g}  {m.baseline:>10.4g}" for m in self.metrics]
        return "\n".join(lines)


def evaluate_classes(target: Labels, P: Array, classes: NDArray[np.intp]) -> Evaluation:
    """Judge probabilities P (n, classes) by the true classes (n,), −1 where a label is unknown.

    The baseline gives every row the classes' shares of the training data, and so predicts the most frequent one.
    """
    from sklearn import metrics

    shares = np.array(target.counts) / sum(target.counts)
    known = classes >= 0
    seen, seen_P = classes[known], P[known]
    present = np.unique(seen)
    predicted, frequent = P.argmax(axis=1), np.full(len(classes), int(shares.argmax()))
    results = [
        Metric(
            "accuracy",
            float(metrics.accuracy_score(classes, predicted)),
            float(metrics.accuracy_score(classes, frequent)),
            True,
        )
    ]
    if len(present):
        own, trivial = (
            float(metrics.recall_score(seen, guess[known], labels=present, average="macro", zero_division=0))
            for guess in (predicted, frequent)
        )
        results.append(Metric("balanced accuracy", own, trivial, True))
        labels = np.arange(len(shares))
        floor = np.finfo(np.float64).tiny
        results.append(
            Metric(
                "log loss",
                float(metrics.log_loss(seen, np.maximum(seen_P, floor), labels=labels)),
                float(metrics.log_loss(seen, np.tile(np.maximum(shares, floor), (len(seen), 1)), labels=labels)),
                False,
            )
        )
    if len(shares) == 2 and len(present) == 2:
        results.append(Metric("ROC AUC", float(metrics.roc_auc_score(seen, seen_P[:, 1])), 0.5, True))
    return Evaluation(len(classes), tuple(results), int((~known).sum()))


def evaluate_quantity(target: Quantity, predicted: Array, values: Array) -> Evaluation:
    """Judge predictions (n,) by the true values (n,), both in the target's unit; the baseline is the training mean."""
    from sklearn import metrics

    mean = np.full(len(values), target.mean)
    results = []
    if len(values) > 1 and np.ptp(values) > 0:
        results.append(
            Metric("R²", float(metrics.r2_score(values, predicted)), float(metrics.r2_score(values, mean)), True)
        )
    for name, function in (("RMSE", metrics.root_mean_squared_error), ("MAE", metrics.mean_absolute_error)):
        results.append(
            Metric(f"{name} ({target.name})", float(function(values, predicted)), float(function(values, mean)), False)
        )
    return Evaluation(len(values), tuple(results))
