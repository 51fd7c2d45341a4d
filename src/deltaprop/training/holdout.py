"""Rows that are held out of training, to tell how well it goes."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Indices = NDArray[np.intp]


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
    random = np.random.default_rng(seed)
    groups = [np.arange(n)] if classes is None else [np.flatnonzero(classes == c) for c in np.unique(classes)]
    train, held_out = [], []
    for rows in groups:
        shuffled = random.permutation(rows)
        count = min(round(fraction * len(rows)), len(rows) - 1)
        held_out.append(shuffled[:count])
        train.append(shuffled[count:])
    return np.sort(np.concatenate(train)), np.sort(np.concatenate(held_out))
