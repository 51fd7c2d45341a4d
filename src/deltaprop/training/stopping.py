"""When to stop: the epoch whose held-out samples had the least E is the one to keep."""

from __future__ import annotations

import math

from deltaprop.model import Model


class BestEpoch:
    """Remembers the parameters of the best epoch so far.

    Parameters
    ----------
    model : Model
        Being trained.
    patience : int
        How many epochs in a row may bring nothing better.
    """

    def __init__(self, model: Model, patience: int) -> None:
        self._model = model
        self._patience = patience
        self._E = math.inf
        self._theta = model.padded_theta.copy()
        self._since = 0
        self.epoch = model.epoch

    def is_last(self, E_validation: float) -> bool:
        """Take note of an epoch's E; return True where there have been `patience` epochs without a better one."""
        if E_validation < self._E:
            self._E, self._since, self.epoch = E_validation, 0, self._model.epoch
            self._theta[...] = self._model.padded_theta
        else:
            self._since += 1
        return self._since >= self._patience

    def restore(self) -> None:
        """Give the model the parameters of the best epoch; what an optimizer remembers of later ones goes."""
        if self._since:
            self._model.put_back(self._theta)
