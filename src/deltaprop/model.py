"""Model: layers, functions, loss and theta, and what the native engine does with them."""

from __future__ import annotations

import math
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import pairwise
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike

from deltaprop import _engine
from deltaprop.arrays import Array, Inputs, SparseRows, inputs_in, numbers_in
from deltaprop.definition import Definition, define, seed_in
from deltaprop.descent.initializers import Initializer, first_parameters
from deltaprop.descent.memory import Memory, State
from deltaprop.descent.optimizers import SGD, Optimizer
from deltaprop.errors import warn
from deltaprop.functions import Activation, Loss, kernels
from deltaprop.parameters import LayerViews, Parameters, aligned_zeros
from deltaprop.plan import plan_of, shuffled_order
from deltaprop.raw_trace import RawTrace
from deltaprop.targets import ClassWeight, smoothed, targets_in, weights_in
from deltaprop.threads import Threads

_PIECE_SECONDS = 0.03  # of work between two looks at the keyboard
_WORK_PER_SECOND = 5e8  # multiply-adds, on a slow machine
_CHUNK_ROWS = 64  # the engine adds up E in chunks of so many rows


def _for_engine(X: Inputs) -> Any:
    return (X.starts, X.columns, X.values) if type(X) is SparseRows else X


class Model:
    """A network's definition and parameters, with the engine's verbs on raw arrays. `Network` is its public face."""

    def __init__(
        self,
        layers: Sequence[int],
        *,
        h: str | Activation | Sequence[str | Activation] = "sigmoid",
        output: str | Activation = "sigmoid",
        loss: str | Loss = "log",
        bias: bool = True,
        seed: int = 0,
        dtype: str | type[np.floating[Any]] | np.dtype[Any] = "float64",
        init: str | Initializer | Sequence[Any] | None = None,
    ) -> None:
        given = init if isinstance(init, Sequence | np.ndarray) and not isinstance(init, str) else None
        self._build(
            define(
                layers,
                h=h,
                output=output,
                loss_name=loss,
                bias=bias,
                seed=seed,
                dtype=dtype,
                init=None if given is not None else init,
                who=type(self).__name__,
            )
        )
        self.reset()
        if given is not None:
            self._parameters.start_from(given)
            self._warn_of_identical_units(type(self).__name__)

    def _build(self, definition: Definition) -> None:
        self._definition = definition
        try:
            self._plan = plan_of(definition, derivatives=False)
        except ValueError as error:
            raise ValueError(f"{type(self).__name__}: layers {list(definition.layers)}: {error}.") from None
        self._complete_plan = None if definition.has_formulas else self._plan
        self._parameters = Parameters(self._plan.layout, self._plan.theta_size, definition.dtype)
        self._piece_rows = (
            max(1, int(_PIECE_SECONDS * _WORK_PER_SECOND / self.n_parameters / _CHUNK_ROWS)) * _CHUNK_ROWS
        )
        self._training = threading.Lock()
        self._threads: defaultdict[tuple[str, int], Threads] = defaultdict(Threads)  # by optimizer and samples a step
        self._epoch = 0
        self._memory = self._no_memory(SGD())

    @property
    def _learning_plan(self) -> _engine.Plan:
        """The plan with h′ and δ of formulas, which SymPy makes when they are asked for first."""
        if self._complete_plan is None:
            self._complete_plan = plan_of(self._definition, derivatives=True)
        return self._complete_plan

    # ---- definition: fixed, but for the seed, which `reset` may change ----------------------------------------------

    @property
    def definition(self) -> Definition:
        """What the network is, without its numbers."""
        return self._definition

    @property
    def layers(self) -> tuple[int, ...]:
        """Units of each layer, inputs first."""
        return self._definition.layers

    @property
    def h(self) -> tuple[str, ...]:
        """The activation of each hidden layer."""
        return self._definition.h

    @property
    def output(self) -> str:
        """The activation of the output layer."""
        return self._definition.output

    @property
    def loss(self) -> str:
        """The loss E."""
        return self._definition.loss

    @property
    def bias(self) -> bool:
        """Whether units have biases."""
        return self._definition.bias

    @property
    def seed(self) -> int:
        """From what the first weights and the order of each epoch come."""
        return self._definition.seed

    @property
    def dtype(self) -> np.dtype[Any]:
        """In what the network computes."""
        return self._definition.dtype

    @property
    def init(self) -> str | None:
        """How the first weights are drawn; None: as each layer's activation needs."""
        return self._definition.init

    @property
    def epoch(self) -> int:
        """Epochs trained since the start."""
        return self._epoch

    def count_epoch(self) -> None:
        """Note that an epoch has been trained."""
        self._epoch += 1

    # ---- parameters ------------------------------------------------------------------------------------------------

    @property
    def W(self) -> LayerViews:
        """The weights, live: ``W[l]`` (n_in, n_out) holds w_ji at [i, j], from unit i of layer l to unit j above.

        ``net.W[0] = A`` copies in, and raises ValueError where the shape differs or a number is not finite.
        """
        return self._parameters.W

    @W.setter
    def W(self, values: Sequence[ArrayLike]) -> None:
        with self.training("Network.W"):
            self._parameters.W.assign(values)

    @property
    def b(self) -> LayerViews:
        """The biases, live: ``b[l]`` (n_out,); None in each layer where bias=False. Assigned like `W`."""
        return self._parameters.b

    @b.setter
    def b(self, values: Sequence[ArrayLike]) -> None:
        with self.training("Network.b"):
            self._parameters.b.assign(values)

    @property
    def theta(self) -> Array:
        """All parameters as one dense array (n_parameters,), a copy: layer by layer, W row by row, then b.

        Assigning copies in, and raises ValueError where the shape differs or a number is not finite.
        """
        return self._parameters.dense()

    @theta.setter
    def theta(self, values: ArrayLike) -> None:
        array = numbers_in(values, self.dtype, "theta", where="Network")
        if array.shape != (self.n_parameters,):
            raise ValueError(f"Network.theta needs shape ({self.n_parameters},); got {array.shape}.")
        with self.training("Network.theta"):
            self._parameters.assign(array)

    @property
    def padded_theta(self) -> Array:
        """Theta itself as the engine lays it out; whole, it can be copied and put back."""
        return self._parameters.padded

    @property
    def n_parameters(self) -> int:
        """How many weights and biases there are."""
        return int(self._plan.n_parameters)

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
            self._epoch = 0
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

    # ---- what the network says -------------------------------------------------------------------------------------

    def samples(
        self,
        X: ArrayLike,
        R: ArrayLike,
        sample_weight: ArrayLike | None,
        where: str,
        class_weight: ClassWeight | None = None,
    ) -> tuple[Any, Any, Any]:
        """Return X, R and the weights (or None) as arrays that the engine reads."""
        inputs = inputs_in(X, self.layers[0], self.dtype, where=where)
        if not isinstance(inputs, SparseRows) and np.may_share_memory(
            inputs, self.padded_theta
        ):  # weights as samples: training would change them
            inputs = inputs.copy()
        loss = self._definition.loss_entry
        domain = kernels.whose_targets(loss, self._definition.functions[-1])
        targets = targets_in(R, len(inputs), self.layers[-1], domain, self.dtype, where=where)
        weights = weights_in(sample_weight, class_weight, targets, where=where)
        return inputs, smoothed(targets, loss), weights

    def predict(self, X: ArrayLike) -> Array:
        """Return y for rows of inputs."""
        definition = self._definition
        n_in, dtype = definition.layers[0], definition.dtype
        # What needs no conversion goes straight to the engine, which looks at the numbers while it has them.
        inputs: Inputs
        if (
            type(X) is np.ndarray
            and (X.dtype is dtype and X.ndim == 2 and X.shape[1] == n_in)
            and ((flags := X.flags).c_contiguous and flags.aligned)
        ):
            inputs = X
        else:
            inputs = inputs_in(X, n_in, dtype, where=f"{type(self).__name__}.predict")
        n = len(inputs)
        y = np.empty((n, definition.layers[-1]), dtype)
        if n <= self._piece_rows:
            source = inputs if inputs is X else _for_engine(inputs)
            finite = _engine.predict(self._plan, self._parameters.padded, source, y)
        else:
            finite = True
            for rows in self._pieces(n):
                finite &= _engine.predict(self._plan, self._parameters.padded, _for_engine(inputs[rows]), y[rows])
        if not finite:
            inputs_in(X, n_in, dtype, where=f"{type(self).__name__}.predict")  # says which number is not
        return y

    def E(
        self,
        X: ArrayLike,
        R: ArrayLike,
        sample_weight: ArrayLike | None = None,
        *,
        class_weight: ClassWeight | None = None,
    ) -> float:
        """Return E = Σ w E_ℓ / Σ w over the samples."""
        where = f"{type(self).__name__}.E"
        inputs, targets, weights = self.samples(X, R, sample_weight, where, class_weight)
        if not len(inputs):
            raise ValueError(f"{where}: X has no rows, so there is no mean.")
        return self.mean_loss(inputs, targets, weights)

    def mean_loss(self, X: Inputs, R: Array, weights: Array | None) -> float:
        """Return E of samples that are already arrays of this network's dtype."""
        total = (0.0, 0.0, 0)
        for rows in self._pieces(len(X)):
            part = None if weights is None else weights[rows]
            total = _engine.loss(self._plan, self.padded_theta, _for_engine(X[rows]), R[rows], part, total)
        return total[0] / total[1]

    def _pieces(self, n: int) -> Iterator[slice]:
        """Yield slices of n rows, each so little work that a signal is heard in between; no bit depends on them."""
        for start in range(0, n, self._piece_rows):
            yield slice(start, start + self._piece_rows)

    def gradient(
        self,
        X: ArrayLike,
        R: ArrayLike,
        sample_weight: ArrayLike | None = None,
        *,
        class_weight: ClassWeight | None = None,
    ) -> Array:
        """Return ∂E/∂θ of the samples' E, dense, in the order of theta."""
        where = f"{type(self).__name__}.gradient"
        inputs, targets, weights = self.samples(X, R, sample_weight, where, class_weight)
        if not len(inputs):
            raise ValueError(f"{where}: X has no rows, so E has no gradient.")
        out = np.empty_like(self.padded_theta)
        _engine.gradient(self._learning_plan, self.padded_theta, _for_engine(inputs), targets, out, weights)
        return self._parameters.dense(out)

    def raw_trace(self, X: ArrayLike, R: ArrayLike) -> RawTrace:
        """Return every quantity of backpropagation for rows of samples."""
        inputs, targets, _ = self.samples(X, R, None, f"{type(self).__name__}.trace")
        return self.trace_of(inputs, targets)

    def trace_of(self, inputs: Inputs, targets: Array) -> RawTrace:
        """Return the trace of samples that are already arrays of this network's dtype."""
        if isinstance(inputs, SparseRows):
            inputs = inputs.dense()
        n = len(inputs)
        units = self.layers[1:]

        def per_layer() -> list[Array]:
            return [np.empty((n, n_out), self.dtype) for n_out in units]

        a, z, dh, delta = per_layer(), per_layer(), per_layer(), per_layer()
        if self._definition.functions[-1].output_only:
            dh[-1] = np.empty((n, units[-1], units[-1]), self.dtype)
        gradient = np.empty((n, self._plan.theta_size), self.dtype)
        E = np.empty(n)
        _engine.trace(self._learning_plan, self.padded_theta, inputs, targets, a, z, dh, delta, gradient, E)
        dW, db = self._parameters.views(gradient)
        return RawTrace(inputs, targets, a, z, dh, delta, dW, db, E)

    # ---- descent ---------------------------------------------------------------------------------------------------

    @contextmanager
    def training(self, where: str) -> Iterator[None]:
        """Hold the parameters for writing; raise RuntimeError where another call is training this network."""
        if not self._training.acquire(blocking=False):
            raise RuntimeError(f"{where}: this network is being trained by another call. Train a copy instead.")
        try:
            yield
        finally:
            self._training.release()

    def _no_memory(self, optimizer: Optimizer) -> Memory:
        learning = _engine.Learning(optimizer.name, optimizer.numbers)
        return Memory(optimizer, aligned_zeros(learning.states * self._plan.theta_size, self.dtype))

    def take_up(self, optimizer: Optimizer) -> None:
        """Go on with what an optimizer remembers, or begin with nothing where another was at work before."""
        if self._memory.optimizer != optimizer:
            self._memory = self._no_memory(optimizer)

    def state(self) -> State:
        """Return copies of all that descent changes."""
        return State(self.padded_theta.copy(), self._memory.optimizer, self._memory.state.copy(), self._memory.steps)

    def return_to(self, state: State) -> None:
        """Return to an earlier `state`."""
        self.padded_theta[...] = state.theta
        self._memory = Memory(state.optimizer, state.memory.copy(), state.steps)

    def put_back(self, theta: Array) -> None:
        """Return to an earlier `padded_theta`; what the optimizer remembers belongs to the present one and goes."""
        self.padded_theta[...] = theta
        self._memory = self._no_memory(self._memory.optimizer)

    @property
    def optimizer(self) -> Optimizer:
        """The rule whose memory the network keeps: of the last descent; at the start plain gradient descent."""
        return self._memory.optimizer

    def after_step(
        self, X: Array, R: Array, eta: float, optimizer: Optimizer
    ) -> tuple[list[Array], list[Array | None]]:
        """Return what one step of descent over all samples would make of W and b; nothing changes here."""
        own = self._memory if optimizer == self._memory.optimizer else self._no_memory(optimizer)
        theta, state = aligned_zeros(self._plan.theta_size, self.dtype), aligned_zeros(own.state.size, self.dtype)
        theta[...], state[...] = self.padded_theta, own.state
        learning = _engine.Learning(optimizer.name, optimizer.numbers)
        order, before = np.arange(len(X)), (0.0, 0.0, own.steps)
        _engine.descend(
            self._learning_plan, learning, theta, state, X, R, None, order, np.array([eta]), len(X), 1, before
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
        self, X: Inputs, R: Array, weights: Array | None, order: Array, eta: Array, batch_size: int, block: int
    ) -> Iterator[tuple[int, float]]:
        """Descend through ``order`` in pieces of whole steps, yielding (samples presented, mean E so far) after each.

        ``eta`` has one η for all steps, or one for each.

        A signal is heard between two pieces. How an order is cut into pieces changes no bit of the result: with a
        batch_size of 1 they are whole blocks (`Network.fit`, ``online_block``; 0 leaves the choice to the engine).
        Only where rows of W wait for their input to be other than zero does it: they catch up at the end of a piece. So
        there the pieces have a length that follows from the samples, not from the clock.
        """
        memory = self._memory
        learning = _engine.Learning(memory.optimizer.name, memory.optimizer.numbers)
        inputs = _for_engine(X)
        total = (0.0, 0.0, memory.steps)
        start, n = 0, len(order)
        batch_size = min(batch_size, 2**62)  # not n: which kernels run goes by the batch_size, and bits by kernels
        if batch_size == 1 and not block:
            block = 1 if isinstance(X, SparseRows) else self._plan.online_block(learning)
        unit = block if batch_size == 1 else batch_size
        piece = max(1, int(_PIECE_SECONDS * _WORK_PER_SECOND / (unit * self.n_parameters))) * unit
        waiting = X if isinstance(X, SparseRows) and unit == 1 and memory.state.size else None
        if waiting is not None:
            piece = self._waiting_piece(waiting)
        shared = self._threads[memory.optimizer.name, unit]
        while start < n:
            stop = min(start + piece, n)
            threads = shared.choice()
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
            )
            memory.steps = total[2]
            seconds = time.perf_counter() - began
            shared.took(threads, seconds, stop - start)
            start = stop
            yield start, (total[0] / total[1] if total[1] else 0.0)
            if waiting is not None:
                continue
            growth = min(4.0, _PIECE_SECONDS / max(seconds, 1e-9))
            piece = max(1, int(piece / unit * growth)) * unit

    def _waiting_piece(self, X: SparseRows) -> int:
        """Return of how many sparse rows a piece is: so many that catching up after it is little beside its work."""
        first = self.layers[0] * self.layers[1]
        work = self.n_parameters - first + first * len(X.values) / (len(X) * self.layers[0])
        return max(1, int(10 * _PIECE_SECONDS * _WORK_PER_SECOND / max(work, 1)))

    def epoch_order(self, n: int, epoch: int, shuffle: bool) -> Array:
        """Return the order in which epoch ``epoch`` presents n samples: from (seed, epoch), or as they stand."""
        return shuffled_order(n, self.seed, epoch) if shuffle else np.arange(n)

    # ---- a value among values --------------------------------------------------------------------------------------

    def config(self) -> dict[str, Any]:
        """Return the constructor's arguments, JSON-able: ``Network(**net.config())`` is the same network, untrained."""
        return self._definition.config()

    def finite_theta(self, verb: str) -> Array:
        """Return theta; raise ValueError where a parameter is not finite."""
        quantity = self.not_finite(0.0)
        if quantity is not None:
            raise ValueError(f"{type(self).__name__}.{verb}: {quantity} is not finite.")
        return self.theta

    def description(self) -> dict[str, Any]:
        """Return what a model file says of the network beside theta."""
        return {**self.config(), "epoch": self.epoch}

    @classmethod
    def _undrawn(cls, *, layers: Any, loss: Any, init: Any = None, **arguments: Any) -> Self:
        """Return a network of these arguments whose parameters are all 0, for those that it will be given."""
        model = cls.__new__(cls)
        model._build(define(layers, loss_name=loss, init=init, who=cls.__name__, **arguments))
        return model

    @classmethod
    def from_description(cls, description: Mapping[str, Any], theta: Array) -> Self:
        """Return the network of a model file's parts; raise ValueError, TypeError or KeyError where they do not fit."""
        arguments = dict(description)
        epoch, layers = arguments.pop("epoch"), arguments["layers"]
        if type(epoch) is not int or not 0 <= epoch < 2**32:
            raise ValueError(f"epoch is {epoch!r}")
        if not isinstance(layers, list) or not all(type(n) is int and 0 < n < 2**40 for n in layers):
            raise ValueError("layers are not whole numbers")
        # Before anything is allocated: do the layers have as many parameters as there are?
        bias = arguments["bias"] is True
        if theta.shape != (sum((n_in + bias) * n_out for n_in, n_out in pairwise(layers)),):
            raise ValueError(f"layers {layers} do not have {theta.size} parameters")
        model = cls._undrawn(**arguments)
        if theta.dtype != model.dtype:
            raise ValueError(f"theta is {theta.dtype}, the network {model.dtype}")
        model.theta = theta
        model._epoch = epoch
        return model

    def with_dtype(self, dtype: str) -> Self:
        """Return a copy that computes in ``dtype``, with the same parameters (rounded where it is narrower)."""
        other = self._undrawn(**{**self.config(), "dtype": dtype})
        other.theta = self.theta
        other._epoch = self._epoch
        return other

    def __getstate__(self) -> dict[str, Any]:
        states = [self._parameters.dense(part) for part in self._states()]
        return {
            "definition": self._definition,
            "epoch": self._epoch,
            "theta": self.theta,
            "optimizer": self._memory.optimizer,
            "states": states,
            "steps": self._memory.steps,
        }

    def _states(self) -> list[Array]:
        """Return views of what the optimizer remembers, each laid out like theta."""
        size = self._plan.theta_size
        return [self._memory.state[k : k + size] for k in range(0, self._memory.state.size, size)]

    def __setstate__(self, state: dict[str, Any]) -> None:
        self._build(state["definition"])
        self._parameters.assign(state["theta"])
        self._epoch = state["epoch"]
        self._memory = self._no_memory(state["optimizer"])
        self._memory.steps = state["steps"]
        for own, dense in zip(self._states(), state["states"], strict=True):
            self._parameters.assign(dense, own)

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}({list(self.layers)}, h={list(self.h)}, output={self.output!r}, loss={self.loss!r}, "
            f"bias={self.bias}, seed={self.seed}, dtype={self.dtype.name!r}"
            f"{'' if self.init is None else f', init={self.init!r}'})"
        )

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Model):
            return NotImplemented
        return (
            self._definition == other._definition
            and self._epoch == other._epoch
            and self.theta.tobytes() == other.theta.tobytes()
        )

    __hash__ = None  # type: ignore[assignment]  # parameters change
