"""What descent changes: the parameters, and what an optimizer remembers from step to step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from deltaprop.descent.optimizers import Optimizer

Array = NDArray[Any]


@dataclass
class Memory:
    """What an optimizer remembers from step to step: its arrays, each laid out like theta, and the steps so far."""

    optimizer: Optimizer
    state: Array
    steps: int = 0
    numbers: tuple[float, ...] = ()  # beside the arrays, of a full-batch optimizer
    average: Array | None = None  # of theta, a running one, where a descent asks for it


@dataclass
class Pass:
    """Where in an epoch a descent stands: samples presented, and the sums of w E and of w over them."""

    samples: int = 0
    E: float = 0.0
    weight: float = 0.0

    @property
    def mean(self) -> float:
        """E so far."""
        return self.E / self.weight if self.weight else 0.0


@dataclass(frozen=True)
class State:
    """All that descent changes: theta as the engine lays it out, and what the optimizer remembers."""

    theta: Array
    optimizer: Optimizer
    memory: Array
    steps: int
    numbers: tuple[float, ...]
    average: Array | None
    presented: int
