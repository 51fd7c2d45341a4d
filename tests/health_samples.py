"""Samples for the tests of health, and what a report says of them in short."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from deltaprop.inspection.health import HealthReport
from deltaprop.inspection.health.sample import Rows, Sample, most_samples
from deltaprop.model import Model

Array = np.ndarray[Any, Any]
SOFTMAX = {"output": "softmax", "loss": "cross_entropy"}
XOR = ([[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0])


def rows(n: int = 200, n_in: int = 5, seed: int = 0) -> tuple[Array, Array]:
    """Inputs of mean 0 and sd 1, and classes that follow from them."""
    X = np.random.default_rng(seed).normal(size=(n, n_in))
    return X, (X[:, 0] + X[:, 1] * X[:, 2] > 0).astype(float)


def quantities(n: int = 200, n_in: int = 5, seed: int = 0) -> tuple[Array, Array]:
    X = np.random.default_rng(seed).normal(size=(n, n_in))
    return X, np.tanh(X[:, 0]) + 0.5 * X[:, 1]


def sample_of(net: Model, X: Array, R: Array) -> Sample:
    """The rows that are looked at."""
    return Rows(net, X, R, None, None, "").drawn(most_samples(net))


def found(report: HealthReport) -> list[tuple[str, int | None]]:
    assert report.ok is not bool(report.findings)
    return [(finding.kind, finding.layer) for finding in report.findings]


def finite(report: HealthReport) -> bool:
    """Whether no figure is NaN, and the table has none either."""
    numbers = [report.E, report.chance]
    for layer in report.layers:
        numbers += [layer.delta, layer.dW, layer.W, layer.dead or 0.0, layer.saturated or 0.0, layer.update or 0.0]
    for finding in report.findings:
        numbers += finding.figures.values()
    return not any(map(math.isnan, numbers)) and "nan" not in str(report)


def classes(n: int = 300) -> tuple[Array, Array]:
    X = np.random.default_rng(3).normal(size=(n, 6))
    return X, np.argmax(X[:, :3] + 0.3 * X[:, 3:], axis=1)


def imbalanced(n: int = 3000) -> tuple[Array, Array]:
    """One in twenty is of class 1, which overlaps with class 0."""
    rng = np.random.default_rng(5)
    X, R = rng.normal(size=(n, 5)), (rng.random(n) < 0.05).astype(float)
    X[R == 1, :2] += 1.0
    return X, R
