"""Rows that are held out of training, to tell how well it goes."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from deltaprop.plan import shuffled_order

Indices = NDArray[np.int64]


def hold_out(n: int, fraction: float, seed: int, classes: NDArray[Any] | None = None) -> tuple[Indices, Indices]:
    """Divide n rows at random into rows to train on and rows held out, both in ascending order.

    Parameters
    ----------
    n : int
    fraction : float
        Of the rows, or of each class, that is held out, rounded; a class keeps at least one row to train on.
    seed : int
        The same seed, the same rows.
    classes : ndarray (n,), optional
        The class of each row: then each is divided by itself (stratified).

    Examples
    --------
    >>> train, held_out = hold_out(10, 0.2, seed=0, classes=np.array([0] * 5 + [1] * 5))
    >>> len(train), len(held_out), (held_out // 5).tolist()
    (8, 2, [0, 1])
    """
    shuffled = shuffled_order(n, seed, 0)  # epochs count from 1
    groups = [shuffled]
    if classes is not None:
        groups = [shuffled[classes[shuffled] == c] for c in np.unique(classes)]
    counts = [min(round(fraction * len(rows)), len(rows) - 1) for rows in groups]
    held_out = np.concatenate([rows[:count] for rows, count in zip(groups, counts, strict=True)])
    train = np.concatenate([rows[count:] for rows, count in zip(groups, counts, strict=True)])
    return np.sort(train), np.sort(held_out)
