"""Optimizers whose step needs E and its gradient over all samples: a step is an epoch."""

from __future__ import annotations

from collections.abc import Callable

from deltaprop.descent.full_batch.lbfgs import lbfgs
from deltaprop.descent.full_batch.levenberg_marquardt import levenberg_marquardt
from deltaprop.descent.full_batch.problem import Memories, Problem, Step
from deltaprop.descent.full_batch.rprop import rprop, rprop_minus

STEPS: dict[str, Callable[[Problem, dict[str, float], Memories], Step]] = {
    "lbfgs": lbfgs,
    "levenberg_marquardt": levenberg_marquardt,
    "rprop": rprop,
    "rprop_minus": rprop_minus,
}

__all__ = ["STEPS", "Memories", "Problem", "Step"]
