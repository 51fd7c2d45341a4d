"""Which epoch's parameters are kept, and when to stop."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from deltaprop.model import Model
from deltaprop.training.metrics import Metric

KEEP = ("last", "best", "last best")


@dataclass(frozen=True)
class Aim:
    """What is watched, and what ends the training.

    Attributes
    ----------
    metric : Metric
        Of the validation samples, or E of the training's own where there are none.
    patience : int or None
        How many epochs in a row may bring nothing better.
    min_gain : float
        By how much a value has to be better to count.
    keep : str
        "last": the parameters of the last epoch; "best": of the best one, the first of equals; "last best".
    goal : float or None
        The value that is good enough.
    """

    metric: Metric
    patience: int | None
    min_gain: float
    keep: str
    goal: float | None


class BestEpoch:
    """Remembers the best epoch so far, and its parameters where they are to be kept."""

    def __init__(self, model: Model, aim: Aim) -> None:
        self._model, self._aim = model, aim
        self._sign = -1.0 if aim.metric.more_is_better else 1.0
        self._best = math.inf  # of sign · value: less is better
        self._kept = math.inf
        self._since = 0
        self._kept_last = True
        self._theta = model.padded_theta.copy() if aim.keep != "last" else None
        self.epoch = model.epoch

    def reason_to_stop(self, epoch: int, value: float) -> str:
        """Take note of an epoch's value; return why training ends here, "" where it does not.

        As long as no epoch has had a value that is a number, the last is kept.
        """
        aim, cost = self._aim, self._sign * value
        if math.isnan(cost):
            cost = math.inf
        no_number = self._kept == cost == math.inf
        self._kept_last = cost < self._kept or (cost == self._kept and aim.keep == "last best") or no_number
        if self._kept_last:
            self._kept, self.epoch = cost, epoch
            if self._theta is not None:
                self._theta[...] = self._model.padded_theta
        if cost < self._best - aim.min_gain or self._best == math.inf > cost:
            self._best, self._since = cost, 0
        else:
            self._since += 1
        if aim.goal is not None and cost <= self._sign * aim.goal:
            return "goal"
        return "patience" if aim.patience is not None and self._since >= aim.patience else ""

    def state(self) -> dict[str, Any]:
        """Return what it remembers, theta dense."""
        theta = None if self._theta is None else self._model.dense(self._theta)
        numbers = {"best": self._best, "kept": self._kept, "since": self._since, "kept_last": self._kept_last}
        return {**numbers, "epoch": self.epoch, "theta": theta}

    def go_on(self, state: Mapping[str, Any]) -> None:
        """Remember what `state` returned."""
        self._best, self._kept, self._since = state["best"], state["kept"], state["since"]
        self._kept_last, self.epoch = state["kept_last"], state["epoch"]
        if self._theta is not None:
            self._model.pad(state["theta"], self._theta)

    def restore(self) -> None:
        """Give the model the parameters that are kept; what an optimizer remembers of later ones goes."""
        if self._theta is not None and not self._kept_last:
            self._model.put_back(self._theta)
