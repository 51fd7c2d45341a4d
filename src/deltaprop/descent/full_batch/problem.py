"""What a full-batch optimizer sees of a network, and what it says of a step. Vectors are float64, in one layout."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from numpy.typing import NDArray

Array = NDArray[Any]


class Problem(Protocol):
    """E of all samples, with penalties, as a function of the parameters.

    Attributes
    ----------
    theta : ndarray
        Where the network stands.
    eps : float
        Of the network's dtype: E is no more exact.
    """

    theta: Array
    eps: float

    def look(self, theta: Array) -> tuple[float, Array]:
        """Return E and its gradient at theta, which is rounded to the network's dtype first."""
        ...

    def rounded(self, theta: Array) -> Array:
        """Return theta as the network can have it."""
        ...

    def normal_equations(self) -> tuple[Array, Array]:
        """Return JᵀJ and Jᵀe (dense) at ``theta``, so that E is ½ eᵀe: the Gauss-Newton matrix, and the gradient."""
        ...

    def moved(self, change: Array) -> Array:
        """Return theta and a change that is dense."""
        ...


@dataclass
class Memories:
    """What a rule remembers from step to step: vectors, and numbers; all 0 at the beginning."""

    vectors: Array
    numbers: list[float]
    steps: int


@dataclass(frozen=True)
class Step:
    """Where a step leads.

    Attributes
    ----------
    theta : ndarray
    eta : float
        How long it was in units of its direction; NaN where there is no such number.
    end : str
        Why there is nothing more to gain after it; empty where there may be.
    """

    theta: Array
    eta: float = float("nan")
    end: str = ""


def dot(x: Array, y: Array) -> float:
    """Return x · y in one order, whatever the threads of a linear algebra library."""
    return float((x * y).sum())
