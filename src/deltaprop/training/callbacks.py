"""What a caller's own functions are told while a network trains, and how they may stop it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from deltaprop.model import Model
from deltaprop.training.history import History


@dataclass(frozen=True)
class Now:
    """Where a training run stands, as callbacks are told.

    Attributes
    ----------
    model : Network
        As it is now; to be read only.
    epoch : int
        The one that has ended, or that the step is in, counted since the network's start.
    samples : int
        How many of the epoch's have been presented.
    E : float
        The mean of E over these, each before its own update.
    validation : mapping
        The metrics of the validation samples by name, after an epoch, where there are some.
    history : History
        Up to here.
    """

    model: Model
    epoch: int
    samples: int
    E: float
    validation: Mapping[str, float]
    history: History


def _wants_to_stop(answer: Any) -> bool:
    return isinstance(answer, bool | np.bool_) and bool(answer)


class Callbacks:
    """The caller's functions, each with the moments at which it is called; one that returns True stops the training.

    A function is called after each epoch, as is an object's ``on_epoch``; its ``on_step`` after each step.
    """

    def __init__(self, given: Any, where: str) -> None:
        if given is None:
            given = ()
        if not isinstance(given, Sequence) or isinstance(given, str):
            raise TypeError(f"{where}: callbacks needs a list of functions; got {given!r}.")
        self._epoch: list[Callable[[Now], Any]] = []
        self._step: list[Callable[[Now], Any]] = []
        for callback in given:
            methods = [getattr(callback, name, None) for name in ("on_epoch", "on_step")]
            if isinstance(callback, type) or not (any(map(callable, methods)) or callable(callback)):
                raise TypeError(
                    f"{where}: a callback is a function, or an object with on_epoch or on_step; got {callback!r}."
                )
            if callable(methods[0]):
                self._epoch.append(methods[0])
            elif not callable(methods[1]):
                self._epoch.append(callback)
            if callable(methods[1]):
                self._step.append(methods[1])

    def __bool__(self) -> bool:
        return bool(self._epoch)

    @property
    def each_step(self) -> bool:
        """Whether any wants to be called after each step."""
        return bool(self._step)

    def after_epoch(self, now: Now) -> bool:
        """Call them; return whether one wants to stop."""
        answers = [called(now) for called in self._epoch]
        return any(map(_wants_to_stop, answers))

    def after_step(self, now: Now) -> bool:
        """Call those of each step; return whether one wants to stop."""
        answers = [called(now) for called in self._step]
        return any(map(_wants_to_stop, answers))
