"""What is looked for in single rows: a value far beyond all others of its column."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from deltaprop.arrays import Array
from deltaprop.functions import kernels
from deltaprop.inspection.health.findings import Finding, listed
from deltaprop.inspection.health.sample import Sample

if TYPE_CHECKING:
    from deltaprop.inspection.health.prepared import Prepared

LARGE = 10.0  # a step on such an input is a hundred times as long as on one of 1
FAR_OUT = 8.0  # sd from the median: one row in a million of a bell, and less than a heavy tail may have
BEYOND = 50.0  # distances of the quartiles: where many rows are large, they are the tail of a column and no outliers
_MOST_NUMBERS = 2**20  # of X, up to which all rows are looked at
_BOUNDED = ("absolute_error", "huber", "log_cosh", "quantile")  # losses whose δ does not grow with y − r


@dataclass(frozen=True)
class Outlier:
    """A value far beyond the quartiles of its column; ``row`` is None where not all rows were looked at."""

    column: int
    row: int | None
    value: float
    low: float
    high: float


def outliers_in(columns: Array, *, all_rows: bool) -> list[Outlier]:
    """Return the largest outlier of each column that has one.

    Examples
    --------
    >>> column = np.append(np.linspace(-1, 1, 400), 100.0)[:, None]
    >>> [(outlier.column, outlier.row, outlier.value) for outlier in outliers_in(column, all_rows=True)]
    [(0, 400, 100.0)]
    """
    largest = np.maximum(columns.max(axis=0), -columns.min(axis=0))
    candidates = np.flatnonzero((largest > LARGE) & np.isfinite(largest))
    if not len(candidates):
        return []
    some = columns[:, candidates].astype(np.float64)
    with np.errstate(over="ignore", invalid="ignore"):
        distances = np.abs(some - np.median(some, axis=0))
        far_out = distances.max(axis=0) > FAR_OUT * some.std(axis=0)
    found = []
    for k in np.flatnonzero(far_out):
        low, high = np.percentile(some[:, k], [25, 75])
        row = int(distances[:, k].argmax())
        if high > low and distances[row, k] > BEYOND * (high - low):
            value = float(some[row, k])
            found.append(Outlier(int(candidates[k]), row if all_rows else None, value, float(low), float(high)))
    return found


def outlying_inputs(sample: Sample) -> list[Outlier]:
    """Return the outliers of X: of all rows where they are not too many, else of those that are looked at."""
    X = sample.of.X
    if _is_numbers(X) and X.size <= _MOST_NUMBERS:
        return outliers_in(X, all_rows=True)
    if max(float(sample.high.max()), -float(sample.low.min())) <= LARGE:
        return []
    return outliers_in(sample.x, all_rows=False)


def outlying_targets(sample: Sample) -> list[Outlier]:
    """Return the outliers of R, in the same rows."""
    R = sample.of.R
    if _is_numbers(R) and len(R) * sample.x.shape[1] <= _MOST_NUMBERS:
        return outliers_in(R.reshape(len(R), -1), all_rows=True)
    return outliers_in(sample.r, all_rows=False)


def _is_numbers(array: object) -> bool:
    return isinstance(array, np.ndarray) and array.dtype.kind in "iuf"


def of_outliers(data: Prepared) -> Iterator[Finding]:
    """Find inputs and quantities that in one row are far beyond all others."""
    if not data.enough:
        return
    if data.outlying_inputs:
        yield _finding("inputs", 0, data.outlying_inputs, data.inputs)
    definition = data.definition
    output = kernels.declared(definition.functions[-1]) or definition.functions[-1]
    if definition.loss_entry.targets != "real" or definition.loss_entry.name in _BOUNDED or np.isfinite(output.high):
        return
    if data.outlying_targets:
        yield _finding("targets", len(definition.functions), data.outlying_targets, data.outputs)


def _finding(kind: str, layer: int, outliers: list[Outlier], names: Sequence[str]) -> Finding:
    worst = max(outliers, key=lambda outlier: abs(outlier.value))
    where = "in a row looked at" if worst.row is None else f"in row {worst.row:,} (counted from 0)"
    among = f" (outliers are in {listed([names[k.column] for k in outliers])})" if len(outliers) > 1 else ""
    return Finding(
        kind,
        layer,
        f"{names[worst.column]} is {worst.value:.4g} {where}, and half of its rows lie from {worst.low:.3g} to "
        f"{worst.high:.3g}{among}: a step on such a row undoes those on all others, or diverges. Find out whether the "
        "value is right; leave the row out, or cut such values off (np.clip).",
        {"value": worst.value, "low": worst.low, "high": worst.high},
    )
