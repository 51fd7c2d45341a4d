"""Penalties on the weights: what they add to E, and to its gradient. Biases are left out.

The engine has them in its rules (rules.hpp, Penalty); here they are for E, and for gradients that are looked at.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deltaprop.functions import Entry, Parameter

Array = NDArray[Any]

PENALTIES = {
    entry.name: entry
    for entry in (
        Entry("l2", "l2 / 2 * w**2, summed over the weights", parameters=(Parameter("l2", 0.0, 0.0),),
              source="Hoerl and Kennard, Ridge regression, Technometrics 12, 1970"),
        Entry("l1", "l1 * abs(w), summed over the weights", parameters=(Parameter("l1", 0.0, 0.0),),
              source="Tibshirani, Regression shrinkage and selection via the lasso, 1996"),
    )
}  # fmt: skip


def penalty(W: Iterable[Array], l2: float, l1: float) -> float:
    """Return Ω(θ) = l2/2 Σ w² + l1 Σ |w|.

    Examples
    --------
    >>> penalty([np.array([[1.0, -2.0]])], 0.1, 1.0)
    3.25
    """
    if not (l2 or l1):
        return 0.0
    squares = sizes = 0.0
    for w in W:
        squares += float(np.square(w, dtype=np.float64).sum())
        sizes += float(np.abs(w).sum(dtype=np.float64))
    return l2 / 2 * squares + l1 * sizes


def add_gradient(dW: Iterable[Array], W: Iterable[Array], l2: float, l1: float) -> None:
    """Add ∂Ω/∂w = l2 w + l1 sign(w) to the gradient of each layer's weights, in place.

    Examples
    --------
    >>> dW = [np.zeros((1, 3))]
    >>> add_gradient(dW, [np.array([[1.0, -2.0, 0.0]])], 0.1, 1.0)
    >>> dW[0]
    array([[ 1.1, -1.2,  0. ]])
    """
    if l2 or l1:
        for own, w in zip(dW, W, strict=True):
            own += l2 * w + l1 * np.sign(w)
