"""How an epoch goes through the samples step by step, by the engine."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from deltaprop.arrays import Array, whole_number
from deltaprop.descent.memory import Pass, State
from deltaprop.descent.terms import Terms
from deltaprop.model import Model
from deltaprop.plan import block_in
from deltaprop.training.diagnosis import where_not_finite
from deltaprop.training.keeping import Keeper


class Steps:
    """The samples of a run, and the steps through them.

    Attributes
    ----------
    end : str
        Why there is nothing more to gain: never, so "".
    after : None
        E after the last pass is not known.
    eta : ndarray
        η of the last pass: one for all of its steps, or of each.
    keeper : Keeper or None
        What keeps states on the way.
    """

    end, after = "", None

    def __init__(
        self, model: Model, samples: tuple[Any, Array, Array | None], batch_size: int, block: int, *, each_step: bool
    ) -> None:
        self._model, self._samples, self._each_step = model, samples, each_step
        self._batch_size, self._block = batch_size, block
        self.keeper: Keeper | None = None
        self._start: State | None = None
        self._formulas = model.definition.has_formulas
        self._order, self.eta, self._terms = np.empty(0, np.int64), np.empty(0), Terms()

    def passing(self, order: Array, eta: Array, terms: Terms, at: Pass) -> Iterator[tuple[int, float]]:
        """Go through the samples in an order from where that stands; yield (samples presented, mean E so far)."""
        self._order, self.eta, self._terms = order, eta, terms
        self._start = self._model.state() if self._formulas and not at.samples else None
        how = (self._batch_size, self._block, terms)
        return self._model.passing(
            *self._samples, order, eta, *how, each_step=self._each_step, at=at, keeper=self.keeper
        )

    @property
    def highest(self) -> float | None:
        """The largest η of the last pass."""
        return float(self.eta.max())

    def where_not_finite(self, presented: int) -> str:
        """Return in words which formula met what is not finite in the last pass, and where; "" where none did."""
        if self._start is None:
            return ""
        how = (self._batch_size, self._block, self._terms)
        return where_not_finite(self._model, self._start, self._samples, self._order[:presented], self.eta, how)


def steps_in(batch_size: Any, online_block: Any, where: str) -> tuple[int, int]:
    """Return how many samples make a step, and how many go through the first layer together, for the engine."""
    batch_size, block = (
        whole_number(batch_size, "batch_size", at_least=1, where=where),
        block_in(online_block, where=where),
    )
    if block > 1 < batch_size:
        raise ValueError(
            f"{where}: online_block is of steps after every sample; with batch_size={batch_size} it has no use."
        )
    return batch_size, block
