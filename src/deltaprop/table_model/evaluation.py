"""How good predictions are, beside what a trivial model reaches: the most frequent class, or the mean."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from deltaprop.data.targets import Labels, Quantity, label_text, shorten
from deltaprop.errors import TableError, did_you_mean

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
        """Return the model's value of the metric called ``name``; raise KeyError where there is none."""
        values = {metric.name: metric.value for metric in self.metrics}
        if name not in values:
            raise KeyError(f"no metric {name!r}.{did_you_mean(name, values)} There are: {', '.join(values)}.")
        return values[name]

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

    P = P / P.sum(axis=1, keepdims=True)  # float32 leaves 1e-7 of it
    shares = np.array(target.counts) / sum(target.counts)
    known = classes >= 0
    if not known.any():
        labels = ", ".join(shorten(label_text(label)) for label in target.labels[:10])
        raise TableError(f"No row has a label of {target.name!r} that was met in training: {labels}.")
    seen, seen_P = classes[known], P[known]
    present = np.unique(seen)
    predicted, frequent = P.argmax(axis=1), np.full(len(classes), int(shares.argmax()))
    places = np.arange(len(shares))

    def recall(guess: NDArray[np.intp]) -> float:
        return float(metrics.recall_score(seen, guess[known], labels=present, average="macro", zero_division=0))

    def log_loss(P: Array) -> float:
        return float(metrics.log_loss(seen, np.maximum(P, np.finfo(np.float64).tiny), labels=places))

    results = [
        Metric("accuracy", float((predicted == classes).mean()), float((frequent == classes).mean()), True),
        Metric("balanced accuracy", recall(predicted), recall(frequent), True),
        Metric("log loss", log_loss(seen_P), log_loss(np.tile(shares, (len(seen), 1))), False),
    ]
    if len(shares) == 2 and len(present) == 2:
        results.append(Metric("ROC AUC", float(metrics.roc_auc_score(seen, seen_P[:, 1])), 0.5, True))
    return Evaluation(len(classes), tuple(results), int((~known).sum()))


def evaluate_quantity(target: Quantity, y: Array, r: Array) -> Evaluation:
    """Judge the network's y (n,) by r (n,), both standardised; the baseline is the training mean.

    Errors are given in the target's own unit; squares of large and of tiny quantities stay in range.
    """
    from sklearn import metrics

    mean = np.full(len(r), (target.mean - target.shift) / target.scale)
    results = []
    if len(r) > 1 and np.ptp(r) > 0:
        results.append(Metric("R²", float(metrics.r2_score(r, y)), float(metrics.r2_score(r, mean)), True))
    for name, function in (("RMSE", metrics.root_mean_squared_error), ("MAE", metrics.mean_absolute_error)):
        own, trivial = (target.scale * float(function(r, guess)) for guess in (y, mean))
        results.append(Metric(f"{name} ({target.name})", own, trivial, False))
    return Evaluation(len(r), tuple(results))
