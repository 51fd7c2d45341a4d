"""Which rows are looked at; columns that stand still in them are followed through the others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from deltaprop.arrays import Array, Inputs, SparseRows
from deltaprop.model import Model

MOST_SAMPLES = 256  # a share of ½ is found to within 0.06, twice its standard error
FEWEST_SAMPLES = 32  # of networks so large that the next number would leave fewer; a unit at work for 1 in 10 shows
_MOST_NUMBERS = 2**20  # of ∂E/∂w, a matrix for each sample, that a trace writes: a millisecond or two
_CHUNK_ROWS = 4096  # of all rows at a time, where a column that stood still in the sample is followed up


@dataclass(frozen=True)
class Sample:
    """The rows that are looked at, x (n, n_in) and r (n, n_out) as the engine reads them, and all there are."""

    x: Array
    r: Array
    everything: Any

    @property
    def rows(self) -> int:
        """Out of how many rows they are."""
        return len(self.everything)

    def standing_still(self) -> Array:
        """Return the columns that hold one value in the rows looked at."""
        return np.flatnonzero((self.x == self.x[0]).all(axis=0))

    def constant_among(self, columns: Array) -> Array:
        """Return which of these columns hold one value in all rows: each is followed up until it changes."""
        X = self.everything
        if isinstance(X, SparseRows):
            return np.setdiff1d(columns[self.x[0, columns] == 0], np.unique(X.columns[X.values != 0]))
        first = X[0, columns]
        for start in range(0, len(X), _CHUNK_ROWS):
            if not len(columns):
                break
            still = (X[start : start + _CHUNK_ROWS, columns] == first).all(axis=0)
            columns, first = columns[still], first[still]
        return columns


def sample_of(model: Model, X: ArrayLike, R: ArrayLike, where: str) -> Sample:
    """Return the rows to look at: all where they are few, else some drawn by a fixed seed.

    Raises
    ------
    TypeError, ValueError
        If a shape, a number or a target does not fit, or there are no rows. Of long arrays only the rows looked at are
        checked: to check and convert all would cost more than the rest.
    """
    everything: Any = X
    most = most_samples(model)
    if type(X) is np.ndarray and type(R) is np.ndarray and X.ndim == 2 and R.ndim and len(X) == len(R) > most:
        chosen = _chosen(len(X), most)
        x, r, _ = model.samples(X[chosen], R[chosen], None, where)
    else:
        everything, r, _ = model.samples(X, R, None, where)
        chosen = _chosen(len(everything), most)
        x, r = _rows_of(everything, chosen), r[chosen]
    if not len(x):
        raise ValueError(f"{where}: X has no rows, so there is nothing to look at.")
    return Sample(x, r, everything)


def most_samples(model: Model) -> int:
    """Return how many samples of this network are looked at, at most.

    Examples
    --------
    >>> most_samples(Model([30, 32, 16, 1])), most_samples(Model([784, 128, 10])), most_samples(Model([784, 512, 10]))
    (256, 58, 32)
    """
    return min(MOST_SAMPLES, max(FEWEST_SAMPLES, _MOST_NUMBERS // numbers_of_a_trace(model)))


def numbers_of_a_trace(model: Model) -> int:
    """Return how many numbers are written for one sample, about.

    They are ∂E/∂w, but for the first layer where that is wide (figures.py), and the Jacobian of softmax.
    """
    n_in, n_1, n_out = *model.layers[:2], model.layers[-1]
    softmax = model.definition.functions[-1].output_only
    return model.n_parameters - n_1 * max(0, n_in - n_1) + (n_out**2 if softmax else 0)


def _chosen(rows: int, most: int) -> Array:
    if rows <= most:
        return np.arange(rows)
    return np.sort(np.random.default_rng(0).choice(rows, most, replace=False))


def _rows_of(X: Inputs, chosen: Array) -> Array:
    if isinstance(X, SparseRows):
        return np.concatenate([X[k : k + 1].dense() for k in chosen]) if len(chosen) else X.dense()
    rows: Array = X[chosen]
    return rows
