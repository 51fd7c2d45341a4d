"""Which rows are looked at; columns that stand still in them are followed through the others."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from deltaprop.arrays import Array, Inputs, SparseRows
from deltaprop.functions import kernels
from deltaprop.model import Model
from deltaprop.targets import ClassWeight, targets_in, weights_in

MOST_SAMPLES = 256  # a share of ½ is found to within 0.06, twice its standard error
FEWEST_SAMPLES = 32  # of networks so large that the next number would leave fewer; a unit at work for 1 in 10 shows
_MOST_NUMBERS = 2**20  # of ∂E/∂w, a matrix for each sample, that a trace writes: a millisecond or two
_FIRST_NUMBERS = 2**11  # of them for each sample, in the first layer
_PREDICTED = 16  # weights that a prediction passes in the time in which a trace writes one
_READ = 8  # numbers that a trace writes in the time that each input takes, which is looked at again and again
_FEWEST_AT_ONCE, _MOST_AT_ONCE = 4, 32  # rows of a network whose first layer is wide
_MOST_COMPARED = 2**12  # where E of a sample leaves open whether it is below that of a constant; a class of 1 in 1,000
_COMPARING_WORK = 2**27  # multiply-adds of the pass that it takes, about: some ten milliseconds
FEWEST_ROWS = 4  # for a word about "every sample": of one sample half of relu's units are off, of XOR's four a quarter
_CHUNK_ROWS = 4096  # of all rows at a time, where a column that stood still in the sample is followed up


class Rows:
    """All rows, of which samples are drawn: those alone that weigh anything.

    Of long arrays only the rows that are drawn are checked and converted; to do so with all would cost more than the
    rest. Others are as the engine reads them.

    Raises
    ------
    TypeError, ValueError
        If a shape, a number, a target or a weight does not fit, or there are no rows.
    """

    def __init__(
        self,
        model: Model,
        X: ArrayLike,
        R: ArrayLike | None,
        sample_weight: ArrayLike | None,
        class_weight: ClassWeight | None,
        where: str,
    ) -> None:
        self.model, self.where = model, where
        self.X: Any
        self.R: Any
        self.X, self.R = X, R
        self.weights: Array | None = None
        as_given = type(X) is np.ndarray and type(R) is np.ndarray and X.ndim == 2 and R.ndim > 0
        self.as_given = as_given and len(self.X) == len(self.R) > most_samples(model)
        if not self.as_given:
            self.X, self.R, self.weights = model.samples(X, self.R, sample_weight, where, class_weight)
        elif sample_weight is not None or class_weight is not None:
            definition = model.definition
            domain = kernels.whose_targets(definition.loss_entry, definition.functions[-1])
            targets = targets_in(self.R, len(self.X), model.layers[-1], domain, model.dtype, where=where)
            self.weights = weights_in(sample_weight, class_weight, targets, where=where)
        if not len(self.X):
            raise ValueError(f"{where}: X has no rows, so there is nothing to look at.")
        self._weighty = None if self.weights is None else np.flatnonzero(self.weights)

    def __len__(self) -> int:
        return len(self.X)

    @property
    def weighty(self) -> int:
        """How many rows weigh anything."""
        return len(self) if self._weighty is None else len(self._weighty)

    @property
    def effective(self) -> float:
        """As how many rows of one weight they count, (Σ w)² / Σ w²."""
        if self.weights is None:
            return float(len(self))
        w = np.asarray(self.weights, np.float64)
        return float(w.sum() ** 2 / np.square(w).sum())

    def drawn(self, most: int) -> Sample:
        """Return all rows where they are few, else some drawn by a fixed seed."""
        chosen = _chosen(self.weighty, most) if self.weighty > most else np.arange(self.weighty)
        if self._weighty is not None:
            chosen = self._weighty[chosen]
        weights = None if self.weights is None else self.weights[chosen]
        if self.as_given:
            x, r, _ = self.model.samples(self.X[chosen], self.R[chosen], None, self.where)
        else:
            x, r = _rows_of(self.X, chosen), self.R[chosen]
        return Sample(x, r, weights, self)

    def have_one_target(self) -> bool:
        """Whether all rows have the same target: it is looked for until one differs."""
        R = self.R if self._weighty is None else self.R[self._weighty]
        return all((R[start : start + _CHUNK_ROWS] == R[0]).all() for start in range(0, len(R), _CHUNK_ROWS))


@dataclass(frozen=True)
class Sample:
    """The rows that are looked at: x (n, n_in), r (n, n_out) and their weights, as the engine reads them."""

    x: Array
    r: Array
    weights: Array | None
    of: Rows

    @property
    def rows(self) -> int:
        """Out of how many rows they are."""
        return len(self.of)

    @property
    def complete(self) -> bool:
        """Whether they are all that weigh anything."""
        return len(self.x) == self.of.weighty

    @property
    def one_target(self) -> bool:
        """Whether all of them have the same target."""
        return bool((self.r == self.r[0]).all())

    def mean(self, of_samples: Array) -> float:
        """Return the weighted mean of a number of each sample."""
        return float(np.average(of_samples, weights=self.weights))

    @cached_property
    def low(self) -> Array:
        """The least value of each column, in the rows looked at."""
        return np.asarray(self.x.min(axis=0))

    @cached_property
    def high(self) -> Array:
        """The largest."""
        return np.asarray(self.x.max(axis=0))

    @cached_property
    def standing_still(self) -> Array:
        """The columns that hold one value in the rows looked at."""
        return np.flatnonzero(self.low == self.high)

    def constant_among(self, columns: Array) -> Array:
        """Return which of these columns hold one value in all rows: each is followed up until it changes."""
        X = self.of.X
        if isinstance(X, SparseRows):
            return np.setdiff1d(columns[self.x[0, columns] == 0], np.unique(X.columns[X.values != 0]))
        first = X[0, columns]
        for start in range(0, len(X), _CHUNK_ROWS):
            if not len(columns):
                break
            still = (X[start : start + _CHUNK_ROWS, columns] == first).all(axis=0)
            columns, first = columns[still], first[still]
        return columns


@lru_cache(maxsize=16)  # a network is looked at again and again while it trains
def _chosen(rows: int, most: int) -> Array:
    chosen = np.sort(np.random.default_rng(0).choice(rows, most, replace=False))
    chosen.flags.writeable = False
    return chosen


def most_samples(model: Model) -> int:
    """Return how many samples of this network are looked at, at most.

    Examples
    --------
    >>> most_samples(Model([30, 32, 16, 1])), most_samples(Model([784, 128, 10])), most_samples(Model([784, 512, 10]))
    (256, 66, 32)
    """
    return min(MOST_SAMPLES, max(FEWEST_SAMPLES, _MOST_NUMBERS // numbers_of_a_trace(model)))


def inputs_of_a_trace(model: Model) -> int:
    """Return how many inputs the first layer has where it is traced, at most: a few stand for any number (figures.py).

    They are the rows that go through the engine at once, so that few are many calls, and many much to write.
    """
    return min(model.layers[0], max(_FEWEST_AT_ONCE, min(_MOST_AT_ONCE, _FIRST_NUMBERS // model.layers[1])))


def most_compared(model: Model) -> int:
    """Return of how many rows E is taken, at most, where that of the sample leaves open if it is below a constant's.

    Examples
    --------
    >>> most_compared(Model([30, 32, 16, 1])), most_compared(Model([784, 128, 10]))
    (4096, 1318)
    """
    return max(most_samples(model), min(_MOST_COMPARED, _COMPARING_WORK // model.n_parameters))


def numbers_of_a_trace(model: Model) -> int:
    """Return how many numbers are written for one sample, about, or what takes as long.

    They are ∂E/∂w, of the first layer for a few inputs where it has many, and the Jacobian of softmax.
    """
    n_in, n_1, n_out = *model.layers[:2], model.layers[-1]
    unwritten = n_1 * (n_in - inputs_of_a_trace(model))
    softmax = model.definition.functions[-1].output_only
    written = model.n_parameters - unwritten + (n_out**2 if softmax else 0)
    return written + unwritten // _PREDICTED + n_in * _READ


def _rows_of(X: Inputs, chosen: Array) -> Array:
    if isinstance(X, SparseRows):
        return np.concatenate([X[k : k + 1].dense() for k in chosen]) if len(chosen) else X.dense()
    rows: Array = X[chosen]
    return rows
