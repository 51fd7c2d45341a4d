"""The record of a run: some of its states, from which any update can be gone back to and looked at."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from deltaprop.arrays import Array, SparseRows, whole_number
from deltaprop.definition import Definition
from deltaprop.descent.memory import Pass, State
from deltaprop.descent.optimizers import Optimizer
from deltaprop.descent.terms import Terms
from deltaprop.model import Model

_BLOCK = 1021  # numbers; a prime, so that rows and columns of samples lie differently in each


class Stretch(NamedTuple):
    """How the updates of an epoch were made.

    Attributes
    ----------
    epoch : int
    eta : ndarray
        One for all steps of the epoch, or one for each.
    terms : Terms
        What surrounds the rule.
    """

    epoch: int
    eta: Array
    terms: Terms


class States(NamedTuple):
    """States of a run at equal distances within one epoch: where it stood, and all that descent changes.

    Attributes
    ----------
    rows : ndarray (states, size)
        theta as the engine lays it out, and what the optimizer remembers, of each.
    optimizer : Optimizer
    stretch : int
        Which of the record's stretches they are in.
    step, steps_apart : int
        The updates before the first, counted from the start of the record, and from one to the next.
    place, samples_apart : int
        Likewise the samples of that epoch that had been presented.
    counted : int or sequence of int
        The steps of the rule before the first; or before each, where not every sample is one.
    presented : int
        Samples presented before the first since the network's start.
    """

    rows: Array
    optimizer: Optimizer
    stretch: int
    step: int
    steps_apart: int
    place: int
    samples_apart: int
    counted: Any
    presented: int

    @property
    def steps(self) -> range:
        """The updates before each."""
        return range(self.step, self.step + len(self.rows) * self.steps_apart, self.steps_apart)

    def one(self, k: int) -> States:
        """Return state k by itself."""
        counted = self.counted + k * self.steps_apart if isinstance(self.counted, int) else self.counted[k]
        place, presented = (before + k * self.samples_apart for before in (self.place, self.presented))
        rows = self.rows[k : k + 1]
        return self._replace(rows=rows, step=self.steps[k], place=place, counted=counted, presented=presented)

    def each(self) -> Iterator[States]:
        """Go through the states, each by itself."""
        return map(self.one, range(len(self.rows)))


class Record:
    """What `Network.fit` is to remember of its updates: ``fit(..., record=Record(every=100, samples=[0, 3]))``.

    After it the network can be had as it was after any update, and with it every number of backpropagation for the
    chosen samples. Some states on the way are kept, at least 4,096 samples apart, so that a descent takes hardly
    longer; the others are gone back to, from the nearest one before, as the run went: to the bit.

    Parameters
    ----------
    every : int, default 100
        Updates from one of `steps` to the next.
    samples : sequence of int, optional
        Rows of X that `trace` shows.

    Attributes
    ----------
    every : int
    samples : tuple of int
    x, r : ndarray (len(samples), n_in), (len(samples), n_out)
        These samples; None before a run.
    updates : int
        How many the run has made.

    Raises
    ------
    TypeError, ValueError
        If an argument is no whole number, or ``every`` below 1.

    Notes
    -----
    It refers to the samples of the run, which are not copied: where they change in the meantime, only the states that
    were kept are there. A pickled record leaves them out; `Network.replay` takes them anew.

    Examples
    --------
    >>> from deltaprop import Network, Record
    >>> net, record = Network([1, 1], seed=1), Record(every=3, samples=[0])
    >>> history = net.fit([[0.0], [1.0], [2.0], [3.0]], [0, 0, 1, 1], epochs=2, eta=0.5, record=record)
    >>> record.steps
    (0, 3, 6, 8)
    >>> record.network(8) == net
    True
    >>> round(float(record.trace(0).E[0]), 6)    # x = 0 and b = 0: y = ½, E = log 2
    0.693147
    """

    def __init__(self, every: int = 100, samples: Sequence[int] = ()) -> None:
        self.every = whole_number(every, "every", at_least=1, where="Record")
        self.samples = tuple(whole_number(row, "a sample", at_least=0, where="Record") for row in samples)
        self.forget()

    def forget(self) -> None:
        """Be as empty as before a run."""
        self.x: Array | None = None
        self.r: Array | None = None
        self.updates = 0
        # How the run went, by `deltaprop.training.keeping`.
        self.network_type: type[Model] | None = None
        self.definition: Definition | None = None
        self.stretches: list[Stretch] = []
        self.states: list[States] = []
        self.batch_size, self.block, self.shuffle = 1, 0, True
        self.validation: Any = None
        self.presented = 0  # the samples of an epoch
        self.own: tuple[Any, Array, Array | None] | None = None  # these
        self.digest = ""  # what tells them from others

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "own": None}

    def __len__(self) -> int:
        """How many `steps` there are."""
        return len(self.steps)

    def __repr__(self) -> str:
        held = f"{self.updates} updates, {len(self.kept)} states" if self.states else "nothing yet"
        return f"Record(every={self.every}, samples={list(self.samples)}): {held}"

    @property
    def steps(self) -> tuple[int, ...]:
        """Every ``every``-th update, counted from the start of the run, and the last; 0 is the start itself."""
        if not self.states:
            return ()
        return (*range(0, self.updates, self.every), self.updates)

    @property
    def kept(self) -> tuple[int, ...]:
        """The updates after which the state was kept."""
        return tuple(step for states in self.states for step in states.steps)

    def epoch_of(self, update: int) -> int:
        """Return the epoch, counted from the network's start, that an update was in; updates count from 1."""
        return self._place(update)[0].epoch

    def eta_of(self, update: int) -> float:
        """Return the η of an update."""
        stretch, within = self._place(update)
        return float(stretch.eta[within if len(stretch.eta) > 1 else 0])

    def _place(self, update: int) -> tuple[Stretch, int]:
        """Return the stretch that an update was in, and how many updates of its epoch before."""
        n, batch_size = self.presented, self.batch_size
        skipped = -(-self.last_before(0).place // batch_size)  # of the first epoch, by a run that this one went on with
        at, within = divmod(min(max(update, 1), self.updates) - 1 + skipped, -(-n // batch_size))
        return self.stretches[at], within

    def network(self, step: int) -> Any:
        """Return the network as it was after an update, with what its optimizer remembered.

        Within a block of online descent (``online_block``) it is that update but for rounding.

        Raises
        ------
        ValueError
            If the run had fewer updates, or its samples are not as they were.
        """
        return self.network_from(self.last_before(step), step, self.own, "Record.network")

    def trace(self, step: int, *, eta: float | None = None) -> Any:
        """Return the trace of the recorded samples by the network as it was after an update.

        Parameters
        ----------
        step : int
        eta : float, optional
            As in `Network.trace`: of a step with these samples as one batch.

        Raises
        ------
        ValueError
            As `network`, or if the record has no samples.
        """
        network = self.network(step)
        if not self.samples:
            raise ValueError("Record: it has no samples to trace; give it some: Record(samples=[0, 3]).")
        return network.trace(self.x, self.r, eta=eta)

    def begin(
        self, samples: tuple[Any, Array, Array | None], batch_size: int, block: int, shuffle: bool, validation: Any
    ) -> None:
        """Note with what a run will go: the samples of an epoch, how they make steps, what was held out of X before."""
        self.own, self.digest, self.presented = samples, fingerprint(samples), len(samples[0])
        self.batch_size, self.block, self.shuffle = batch_size, block, shuffle
        self.validation = None if isinstance(validation, tuple | list) else validation

    def begun(self) -> Model:
        """Return a network like the one that was trained, at its start."""
        if self.network_type is None or self.definition is None:
            raise ValueError("Record: it holds nothing yet; give it to a fit: net.fit(X, R, record=record).")
        return self.network_type.of_definition(self.definition)

    def last_before(self, step: int) -> States:
        """Return the last state that was kept up to an update, by itself."""
        step = whole_number(step, "step", at_least=0, where="Record")
        if not self.states:
            self.begun()
        if step > self.updates:
            raise ValueError(f"Record: the run has {self.updates} updates; got step={step}.")
        found = [states for states in self.states if states.step <= step][-1]
        return found.one(sum(own <= step for own in found.steps) - 1)

    def network_from(
        self, found: States, step: int, samples: tuple[Any, Array, Array | None] | None, where: str
    ) -> Any:
        """Return the network after an update, from a state before it on, with the samples of an epoch."""
        begun, n, batch_size = self.begun(), self.presented, self.batch_size
        size = begun.padded_theta.size
        theta, memory = found.rows[0, :size], found.rows[0, size:]
        state = State(theta, found.optimizer, memory, found.counted, (), None, found.presented)
        left, place = step - found.step, found.place
        net = begun.as_it_was(state, self.stretches[found.stretch].epoch - (place < n))
        if not left:
            return net
        if samples is None:
            raise ValueError(
                f"{where}: the state after update {step} was not kept, and the samples are not here: use "
                "net.replay(record, X, R, step)."
            )
        if fingerprint(samples) != self.digest:
            raise ValueError(f"{where}: the record is of a run on other samples, or with other weights.")
        for stretch in self.stretches[found.stretch :]:
            if place == n:
                place = 0
                continue
            made = -(-place // batch_size)
            stop = min(n, (made + left) * batch_size)
            eta = stretch.eta if len(stretch.eta) == 1 else stretch.eta[: -(-stop // batch_size)]
            order = net.epoch_order(n, stretch.epoch, self.shuffle)[:stop]
            net.begin_average(stretch.terms.average > 0)
            for _ in net.passing(*samples, order, eta, batch_size, self.block, stretch.terms, at=Pass(place)):
                pass
            if stop == n:
                net.count_epoch()
            left, place = left - (-(-stop // batch_size) - made), 0
            if not left:
                break
        net.begin_average(False)
        return net


def fingerprint(samples: tuple[Any, Array, Array | None]) -> str:
    """Return what tells samples from others: sums of their bits, block by block and across all blocks.

    As fast as reading them, which a run on disk's digest is not. It is no defence against others made on purpose.
    """
    found = hashlib.blake2b(digest_size=16)
    for part in samples:
        for array in (part.starts, part.columns, part.values) if isinstance(part, SparseRows) else (part,):
            if array is None:
                continue
            found.update(repr((array.shape, array.dtype.str)).encode())
            words = np.ascontiguousarray(array).reshape(-1).view(f"u{array.dtype.itemsize}")
            whole = len(words) // _BLOCK * _BLOCK
            blocks = words[:whole].reshape(-1, _BLOCK)
            for sums in (blocks.sum(axis=0, dtype=words.dtype), blocks.sum(axis=1, dtype=words.dtype), words[whole:]):
                found.update(sums.tobytes())
    return found.hexdigest()
