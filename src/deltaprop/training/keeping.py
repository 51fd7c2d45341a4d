"""What fills a record while a run goes on.

It may cost a descent a twentieth of its time. So states are kept far apart, and nothing is made of one before somebody
asks for it: the engine writes it down, and here it says where.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from deltaprop.arrays import Array, SparseRows
from deltaprop.descent.optimizers import Optimizer
from deltaprop.descent.terms import Terms
from deltaprop.model import Model
from deltaprop.training.record import Record, States, Stretch

MOST_BYTES = 256 * 2**20  # of the states that are kept
FAR = 4096  # samples from one state to the next, at least, for theta and for each array like it that the rule remembers
_LEAST_ROOM, _MOST_ROOM = 2**16, 2**24  # bytes that are asked for at once: page by page they cost more than the copies


class Keeper:
    """What fills a record.

    Parameters
    ----------
    record : Record
        An empty one.
    model : Model
    """

    def __init__(self, record: Record, model: Model) -> None:
        self.record, self._model, self._batch_size = record, model, record.batch_size
        size = model.padded_theta.size + model.memory.state.size
        self._bytes = size * model.dtype.itemsize
        self._span = -(-FAR * size // model.padded_theta.size // self._batch_size) * self._batch_size
        self._room = np.empty((0, size), model.dtype)
        self._used = self._count = 0  # rows of it; of all
        self._states = self._room  # those of a piece
        self._unit = self._first = 0  # samples that a state is kept after; where the first of a piece is
        self._within = False  # whether states are kept within this epoch
        self._place = self._step = self._last = 0  # in the epoch; of all updates; of those before the last state
        record.network_type, record.definition = type(model), model.definition

    def begin_epoch(self, epoch: int, eta: Array, terms: Terms, start: int) -> bool:
        """Note how the updates of an epoch will be made, from its sample ``start`` on.

        Return whether states will be kept before its end.
        """
        record = self.record
        record.stretches.append(Stretch(epoch, eta, terms))
        self._place = start
        if not record.states:
            self._keep_present()
        self._within = start + self._span < record.presented
        return self._within

    def begin_passing(self, unit: int) -> None:
        """Note after how many samples a state may be kept."""
        self._unit = -(-self._span // unit) * unit

    def room(self, start: int, stop: int) -> tuple[Array | None, tuple[int, int]]:
        """Return room for the states of samples start … stop − 1 of the epoch, and after which steps they are kept."""
        span, batch_size = self._unit, self._batch_size
        self._first = (start // span + 1) * span
        if self._first > stop:
            self._states = self._room[:0]
            return None, (0, 0)
        self._states = self._rows((stop - self._first) // span + 1)
        return self._states, ((self._first - start) // batch_size, span // batch_size)

    def took(self, start: int, stop: int, before: tuple[int, int], counted: Array | None) -> None:
        """Note that samples start … stop − 1 have been presented.

        ``before`` are the steps of the rule and the samples presented before them; ``counted`` says which of the
        samples are a step of the rule, where not all are.
        """
        step, first, batch_size = self._step, self._first, self._batch_size
        self._move_to(stop)
        if not len(self._states):
            return
        new = (first - start) // batch_size
        steps: Any = before[0] + new
        if counted is not None:
            each = np.cumsum(counted != 0)
            steps = [before[0] + int(each[place - start - 1]) for place in range(first, stop + 1, self._unit)]
        stretch, optimizer = len(self.record.stretches) - 1, self._model.memory.optimizer
        self.record.states.append(
            States(
                self._states, optimizer, stretch, step + new, self._unit // batch_size, first, self._unit, steps,
                before[1] + first - start,
            )
        )  # fmt: skip
        self._last = self.record.states[-1].steps[-1]

    def end_epoch(self, place: int) -> None:
        """Note that an epoch has ended, after so many of its samples; keep the state where none is near."""
        if not self._within:
            self._move_to(place)
        self.record.updates = self._step
        if place == self.record.presented and (self._step - self._last) * self._batch_size >= self._span:
            self._keep_present()
        if self._count * self._bytes > MOST_BYTES:
            self._thin_out()

    def end(self) -> None:
        """Keep the last state."""
        if self._last < self._step:
            self._keep_present()

    def _move_to(self, place: int) -> None:
        batch_size = self._batch_size
        self._step += -(-place // batch_size) - -(-self._place // batch_size)
        self._place = place

    def _rows(self, count: int) -> Array:
        """Return room for so many states."""
        if self._used + count > len(self._room):
            more = min(max(_LEAST_ROOM, 16 * self._bytes, self._count * self._bytes), _MOST_ROOM)
            self._room = np.empty((max(count, more // self._bytes), self._room.shape[1]), self._room.dtype)
            self._used = 0
        self._used += count
        self._count += count
        return self._room[self._used - count : self._used]

    def _keep_present(self) -> None:
        model, rows = self._model, self._rows(1)
        memory, size = model.memory, model.padded_theta.size
        rows[0, :size], rows[0, size:] = model.padded_theta, memory.state
        stretch = len(self.record.stretches) - 1
        self.record.states.append(
            States(rows, memory.optimizer, stretch, self._step, 1, self._place, 1, memory.steps, model.presented)
        )
        self._last = self._step

    def _thin_out(self) -> None:
        """Drop every second state, and keep half as many from now on."""
        record = self.record
        left = [one for k, one in enumerate(one for states in record.states for one in states.each()) if k % 2 == 0]
        self._room, self._used, self._count = self._room[:0], 0, 0
        for k, one in enumerate(left):
            rows = self._rows(1)
            rows[...] = one.rows
            left[k] = one._replace(rows=rows)
        record.states[:] = left
        self._span *= 2


def record_in(record: Any, rule: Optimizer, where: str) -> Record | None:
    """Return a record that can be filled by a run."""
    if record is None:
        return None
    if not isinstance(record, Record):
        raise TypeError(f"{where}: record needs a deltaprop.Record; got {record!r}.")
    if record.states:
        raise ValueError(f"{where}: this record holds a run; give each run one of its own.")
    if rule.full_batch:
        raise ValueError(f"{where}: a record is of updates after samples, and {rule.name} takes all of them at once.")
    return record


def rows_of(record: Record, X: Any, R: Array, where: str) -> tuple[Array, Array]:
    """Return x and r of the samples that a record asks for; raise ValueError where there are none."""
    for row in record.samples:
        if row >= len(X):
            raise ValueError(f"{where}: the record asks for sample {row}; X has {len(X)} rows, counted from 0.")
    rows = np.array(record.samples, np.int64)
    return X.take(rows).dense() if isinstance(X, SparseRows) else X[rows].copy(), R[rows].copy()
