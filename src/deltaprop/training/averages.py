"""Averages of the parameters over steps or epochs: what a run may end with in place of its last parameters."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import numpy as np

from deltaprop.arrays import Array
from deltaprop.functions import Entry, Parameter
from deltaprop.functions.entries import find
from deltaprop.model import Model

AVERAGES = {
    entry.name: entry
    for entry in (
        Entry("ema", "mean = mean + (1 - keep) * (w - mean), after each step; it begins where the run begins",
              parameters=(Parameter("keep", 0.999, 0.0, 1.0, open_low=True, open_high=True),),
              source="Polyak and Juditsky, Acceleration of stochastic approximation by averaging, 1992; in this form "
                     "Tarvainen and Valpola, Mean teachers, NIPS 2017"),
        Entry("last", "mean of w after each of the last `epochs` epochs",
              parameters=(Parameter("epochs", 5, 1.0, whole=True),),
              source="Izmailov and others, Averaging weights leads to wider optima, UAI 2018"),
    )
}  # fmt: skip
_AS_IT_IS = nullcontext()


def average_in(value: Any, *, where: str) -> Entry:
    """Return the average that a text or an entry names.

    Examples
    --------
    >>> str(average_in("last:10", where="fit"))
    'last:epochs=10'
    """
    if not isinstance(value, str | Entry):
        raise TypeError(f"{where}: average needs to be 'ema', 'last', or such a text; got {value!r}.")
    return find(value, AVERAGES, kind="average", where=where)


class Average:
    """The average of one run, if it has one.

    Attributes
    ----------
    keep : float
        How much of a running average a step keeps; 0 where there is none.
    """

    def __init__(self, model: Model, entry: Entry | None) -> None:
        self._model, self.keep = model, 0.0
        self._last: deque[Array] | None = None
        if entry is not None and entry.name == "ema":
            self.keep = entry.numbers[0]
        elif entry is not None:
            self._last = deque(maxlen=int(min(entry.numbers[0], 2**62)))

    def begin(self) -> None:
        """Begin where the model stands."""
        self._model.begin_average(self.keep > 0)

    def epoch_done(self) -> None:
        """Take note of the parameters at the end of an epoch."""
        if self._last is not None:
            self._last.append(self._model.padded_theta.copy())

    @property
    def mean(self) -> Array | None:
        """The average as the engine lays theta out; None where there is none yet."""
        if self._last is None:
            return self._model.average
        if not self._last:
            return None
        total = np.zeros(self._last[0].shape)
        for theta in self._last:
            total += theta
        return (total / len(self._last)).astype(self._model.dtype)

    def in_place(self) -> AbstractContextManager[None]:
        """Let the model have the average, if there is one, for its parameters for a while."""
        return self._in_place() if self._last is not None or self.keep else _AS_IT_IS

    @contextmanager
    def _in_place(self) -> Iterator[None]:
        mean = self.mean
        if mean is None:
            yield
            return
        own = self._model.padded_theta.copy()
        self._model.padded_theta[...] = mean
        try:
            yield
        finally:
            self._model.padded_theta[...] = own

    def stay(self) -> None:
        """Give the model the average; what an optimizer remembers of other parameters goes."""
        if (mean := self.mean) is not None:
            self._model.put_back(mean.copy())
        self._model.begin_average(False)

    def state(self) -> dict[str, Array]:
        """Return what it remembers, dense, by name."""
        if self._last is not None:
            return {f"last{k}": self._model.dense(theta) for k, theta in enumerate(self._last)}
        return {} if self._model.average is None else {"ema": self._model.dense(self._model.average)}

    def go_on(self, state: Mapping[str, Array]) -> None:
        """Remember what `state` returned."""
        if self._last is not None:
            for k in range(len(state)):
                theta = self._model.padded_theta.copy()
                self._model.pad(state[f"last{k}"], theta)
                self._last.append(theta)
        elif self._model.average is not None:
            self._model.pad(state["ema"], self._model.average)
