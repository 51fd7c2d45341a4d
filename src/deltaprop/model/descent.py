"""What changes a network: the start, and descent."""

from __future__ import annotations

import math
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import pairwise
from typing import Protocol, Self

import numpy as np

from deltaprop import _engine
from deltaprop.arrays import Array, Inputs, SparseRows
from deltaprop.definition import Definition, seed_in
from deltaprop.descent.initializers import first_parameters
from deltaprop.descent.memory import Memory, Pass, State
from deltaprop.descent.optimizers import SGD, Optimizer
from deltaprop.descent.terms import Terms
from deltaprop.errors import warn
from deltaprop.model.base import PIECE_SECONDS, WORK_PER_SECOND, Base, for_engine
from deltaprop.parameters import aligned_zeros
from deltaprop.plan import shuffled_order
from deltaprop.threads import Threads

NO_TERMS = Terms()


class KeepsStates(Protocol):
    """What keeps states on the way: `deltaprop.training.keeping` has one."""

    def begin_passing(self, unit: int) -> None:
        """Note after how many samples a state may be kept."""

    def room(self, start: int, stop: int) -> tuple[Array | None, tuple[int, int]]:
        """Return room for the states of some samples of an epoch, and after which steps they are kept."""

    def took(self, start: int, stop: int, before: tuple[int, int], counted: Array | None) -> None:
        """Note that these samples have been presented."""


class Descending(Base):
    """A network that descends: its rule's memory goes with it."""

    def _build(self, definition: Definition) -> None:
        super()._build(definition)
        self._threads: defaultdict[tuple[str, int], Threads] = defaultdict(Threads)  # by optimizer and samples a step
        self._memory = self._no_memory(SGD())
        self._last: tuple[Optimizer, Terms, _engine.Learning] | None = None  # what the last pass followed

    def reset(self, seed: int | None = None) -> Self:
        """Start over; `Network.reset` documents it."""
        where = f"{type(self).__name__}.reset"
        if seed is not None:
            seed = seed_in(seed, where=where)
        with self.training(where):
            if seed is not None:
                self._definition = replace(self._definition, seed=seed)
            for layer, entry in enumerate(self._definition.initializers):
                n_in, n_out = self.layers[layer : layer + 2]
                W, b = first_parameters(entry, n_in, n_out, self._uniform_of(layer))
                if max(np.abs(W).max(), np.abs(b).max()) > np.finfo(self.dtype).max:
                    raise ValueError(f"{where}: init {self.init!r} draws weights too large for {self.dtype}.")
                self.W[layer][...] = W
                if self.bias:
                    self.b[layer][...] = b
            self._epoch = self._presented = 0
            self._memory = self._no_memory(SGD())
        self._warn_of_identical_units(where)
        return self

    def _warn_of_identical_units(self, where: str) -> None:
        """Warn where the units of a hidden layer have the same weights below and above: no step tells them apart."""
        for layer, (W, above) in enumerate(pairwise(self.W), start=1):
            if W.shape[1] > 1 and np.ptp(W, axis=1).max() == np.ptp(above, axis=0).max() == 0:
                own = "" if self.init is None else f" than {self.init!r}"
                warn(
                    f"{where}: all units of layer {layer} start alike, and gradient descent keeps them alike: the "
                    f"layer does what one unit would. Use another init{own}, or assign W."
                )
                return

    def _uniform_of(self, layer: int) -> Callable[[int], Array]:
        """Return a function to so many numbers in (−1, 1), from (seed, layer, place) alone."""

        def uniform(n: int) -> Array:
            draws = np.empty(n)
            _engine.uniform_start(self.seed, layer, draws)
            return draws

        return uniform

    # ---- descent ---------------------------------------------------------------------------------------------------

    def _no_memory(self, optimizer: Optimizer) -> Memory:
        if optimizer.full_batch:  # works in float64, whatever the network does
            return Memory(optimizer, np.zeros(optimizer.remembered_vectors * self._plan.theta_size))
        states = self._learning(optimizer).states
        return Memory(optimizer, aligned_zeros(states * self._plan.theta_size, self.dtype))

    def _learning(self, optimizer: Optimizer, terms: Terms = NO_TERMS) -> _engine.Learning:
        """Return what a step follows: the rule, the network's penalties, and what else surrounds the rule."""
        return _engine.Learning(
            optimizer.name,
            optimizer.numbers,
            l2=self._definition.l2,
            l1=self._definition.l1,
            decay=terms.decay,
            clip_norm=terms.clip_norm,
            clip_value=terms.clip_value,
            max_norm=terms.max_norm,
            average=terms.average,
            factors=terms.factors,
        )

    def take_up(self, optimizer: Optimizer) -> None:
        """Go on with what an optimizer remembers, or begin with nothing where another was at work before."""
        if self._memory.optimizer != optimizer:
            self._memory = self._no_memory(optimizer)

    def state(self) -> State:
        """Return copies of all that descent changes."""
        memory = self._memory
        average = None if memory.average is None else memory.average.copy()
        return State(
            self.padded_theta.copy(),
            memory.optimizer,
            memory.state.copy(),
            memory.steps,
            memory.numbers,
            average,
            self._presented,
        )

    def return_to(self, state: State) -> None:
        """Return to an earlier `state`."""
        self.padded_theta[...] = state.theta
        average = None if state.average is None else state.average.copy()
        self._memory = Memory(state.optimizer, state.memory.copy(), state.steps, state.numbers, average)
        self._presented = state.presented

    def put_back(self, theta: Array) -> None:
        """Return to an earlier `padded_theta`; what the optimizer remembers belongs to the present one and goes."""
        self.padded_theta[...] = theta
        self._memory = self._no_memory(self._memory.optimizer)

    def begin_average(self, wanted: bool) -> None:
        """Begin a running average where the parameters are, or have none."""
        self._memory.average = self.padded_theta.copy() if wanted else None

    @property
    def average(self) -> Array | None:
        """The running average of theta, as the engine lays it out, while a descent takes one."""
        return self._memory.average

    @property
    def memory(self) -> Memory:
        """What the present rule remembers."""
        return self._memory

    @property
    def optimizer(self) -> Optimizer:
        """The rule whose memory the network keeps: of the last descent; at the start plain gradient descent."""
        return self._memory.optimizer

    @property
    def step_rule(self) -> Optimizer:
        """The same, and plain gradient descent where it is one whose step needs all samples."""
        return SGD if self._memory.optimizer.full_batch else self._memory.optimizer

    def count_presented(self, samples: int) -> None:
        """Note that so many samples have been presented."""
        self._presented += samples

    @property
    def steps(self) -> int:
        """The steps that the present rule has made."""
        return self._memory.steps

    def remembered(self) -> list[tuple[list[Array], list[Array | None]]]:
        """Return what the present rule remembers, array by array, as W and b of each layer; views."""
        size = self._plan.theta_size
        states = [self._memory.state[k : k + size] for k in range(0, self._memory.state.size, size)]
        return [self._parameters.views(state) for state in states]

    def after_step(
        self, X: Array, R: Array, eta: float, optimizer: Optimizer, terms: Terms = NO_TERMS
    ) -> tuple[list[Array], list[Array | None]]:
        """Return what one step of descent over all samples would make of W and b; nothing changes here."""
        own = self._memory if optimizer == self._memory.optimizer else self._no_memory(optimizer)
        theta, state = aligned_zeros(self._plan.theta_size, self.dtype), aligned_zeros(own.state.size, self.dtype)
        theta[...], state[...] = self.padded_theta, own.state
        learning = self._learning(optimizer, terms)
        order, before = np.arange(len(X)), (0.0, 0.0, own.steps)
        _engine.descend(
            self._learning_plan,
            learning,
            theta,
            state,
            X,
            R,
            None,
            order,
            np.array([eta]),
            len(X),
            1,
            before,
            drawn=self.drawn(),
        )
        W, b = self._parameters.views(theta)
        return [w.copy() for w in W], [None if x is None else x.copy() for x in b]

    def not_finite(self, E: float) -> str | None:
        """Return what of the parameters and E is not finite, in words; None where all are."""
        if math.isfinite(E) and np.isfinite(self.padded_theta).all():
            return None
        for layer, pair in enumerate(zip(self.W, self.b, strict=True), start=1):
            for name, values in zip(("a weight", "a bias"), pair, strict=True):
                if values is not None and not np.isfinite(values).all():
                    return f"{name} of layer {layer}"
        return f"E ({E})"

    def passing(
        self,
        X: Inputs,
        R: Array,
        weights: Array | None,
        order: Array,
        eta: Array,
        batch_size: int,
        block: int,
        terms: Terms = NO_TERMS,
        *,
        each_step: bool = False,
        at: Pass | None = None,
        keeper: KeepsStates | None = None,
    ) -> Iterator[tuple[int, float]]:
        """Descend through ``order`` in pieces of whole steps, yielding (samples presented, mean E so far) after each.

        ``eta`` has one η for all steps, or one for each. With ``each_step`` a piece is one step, or one block.
        ``at`` is where in the order it goes on, and is kept up to date. ``keeper`` keeps states on the way.

        A signal is heard between two pieces. How an order is cut into pieces changes no bit of the result: with a
        batch_size of 1 they are whole blocks (`Network.fit`, ``online_block``; 0 leaves the choice to the engine). On
        sparse rows a block ends where rows of W that waited for their input to be other than zero catch up.
        """
        memory = self._memory
        if (last := self._last) is None or last[0] is not memory.optimizer or last[1] is not terms:
            last = self._last = memory.optimizer, terms, self._learning(memory.optimizer, terms)
        learning = last[2]
        inputs = for_engine(X)
        at = Pass() if at is None else at
        total = (at.E, at.weight, memory.steps)
        start, n = at.samples, len(order)
        batch_size = min(batch_size, 2**62)  # not n: which kernels run goes by the batch_size, and bits by kernels
        unit = batch_size
        if batch_size == 1 and isinstance(X, SparseRows) and not block:
            unit = self._plan.sparse_block(learning, len(X), len(X.values))
        elif batch_size == 1:
            unit = block = block or self._plan.online_block(learning)
        piece = max(1, int(PIECE_SECONDS * WORK_PER_SECOND / (unit * self.n_parameters))) * unit
        if each_step:
            piece = unit
        shared, draws = self._threads[memory.optimizer.name, unit], self._definition.draws
        if keeper is not None:
            keeper.begin_passing(unit)
        while start < n:
            stop = min(start + piece, n)
            threads = shared.choice()
            kept, kept_after = (None, (0, 0)) if keeper is None else keeper.room(start, stop)
            before = (memory.steps, self._presented)
            began = time.perf_counter()
            total = _engine.descend(
                self._learning_plan,
                learning,
                self.padded_theta,
                memory.state,
                inputs,
                R,
                weights,
                order[start:stop],
                eta if len(eta) == 1 else eta[start // batch_size : -(-stop // batch_size)],
                batch_size,
                block,
                total,
                threads,
                memory.average,
                self.drawn() if draws else None,
                kept,
                kept_after,
            )
            self._presented += stop - start
            memory.steps = total[2]
            seconds = time.perf_counter() - began
            shared.took(threads, seconds, stop - start)
            if keeper is not None:
                counted = weights[order[start:stop]] if batch_size == 1 and weights is not None else None
                keeper.took(start, stop, before, counted)
            start = stop
            at.samples, at.E, at.weight = start, total[0], total[1]
            yield start, at.mean
            if each_step:
                continue
            growth = min(4.0, PIECE_SECONDS / max(seconds, 1e-9))
            piece = max(1, int(piece / unit * growth)) * unit

    def epoch_order(self, n: int, epoch: int, shuffle: bool) -> Array:
        """Return the order in which epoch ``epoch`` presents n samples: from (seed, epoch), or as they stand."""
        return shuffled_order(n, self.seed, epoch) if shuffle else np.arange(n)
