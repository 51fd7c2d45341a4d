"""Model: layers, functions, loss and theta, and what the engine does with them. The one door to the native engine."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike

from deltaprop import _engine
from deltaprop.arrays import (
    Array,
    inputs_in,
    numbers_in,
    targets_in,
    weights_in,
    whole_number,
)
from deltaprop.descent.initializers import start_limit
from deltaprop.functions import ACTIVATIONS, LOSSES, activation, check_pair, loss
from deltaprop.parameters import LayerViews, Parameters

if tuple(map(set, _engine.function_names())) != (set(ACTIVATIONS), set(LOSSES)):
    raise ImportError(
        f"deltaprop: the engine's functions {_engine.function_names()} are not those declared in deltaprop.functions. "
        "Build and install the package again."
    )

_DTYPES: dict[str, np.dtype[Any]] = {"float32": np.dtype(np.float32), "float64": np.dtype(np.float64)}
_PIECE_SECONDS = 0.03  # of work between two looks at the keyboard


@dataclass(frozen=True)
class RawTrace:
    """Every quantity of backpropagation for n samples, as the engine's descent step computes them.

    One entry per layer in ``a``, ``z``, ``delta`` (n, n_out), in ``dh`` (n, n_out; for softmax the Jacobian,
    (n, n_out, n_out)), ``dW`` (n, n_in, n_out) and ``db`` (n, n_out; None without biases); ``E`` is (n,).
    """

    x: Array
    r: Array
    a: list[Array]
    z: list[Array]
    dh: list[Array]
    delta: list[Array]
    dW: list[Array]
    db: list[Array | None]
    E: Array


class Model:
    """A network's definition and parameters, with the engine's verbs on raw arrays. `Network` is its public face."""

    def __init__(
        self,
        layers: Sequence[int],
        *,
        h: str | Sequence[str] = "sigmoid",
        output: str = "sigmoid",
        loss: str = "log",
        bias: bool = True,
        seed: int = 0,
        dtype: str | type[np.floating[Any]] | np.dtype[Any] = "float64",
    ) -> None:
        self._define(layers, h, output, loss, bias, seed, dtype)
        self.reset()

    def _define(self, layers: Any, h: Any, output: Any, loss_name: Any, bias: Any, seed: Any, dtype: Any) -> None:
        who = type(self).__name__
        if isinstance(layers, str) or not isinstance(layers, Sequence | np.ndarray):
            raise TypeError(f"{who}: layers needs the units of each layer, such as [2, 4, 1]; got {layers!r}.")
        sizes = [whole_number(n, f"layers[{k}]", at_least=1, where=who) for k, n in enumerate(layers)]
        if len(sizes) < 2:
            raise ValueError(f"{who}: layers needs at least the inputs and the outputs, such as [2, 1]; got {sizes}.")
        self.layers = tuple(sizes)

        hidden = len(sizes) - 2
        names = [h] * hidden if isinstance(h, str) or not isinstance(h, Sequence) else list(h)
        if hidden and len(names) != hidden:
            raise ValueError(
                f"{who}: h needs one name, or one per hidden layer ({hidden}); got {len(names)}: {names!r}."
            )
        chosen = [activation(name, where=f"{who}: h") for name in (names if hidden else names[:0])]
        for entry in chosen:
            if entry.output_only:
                raise ValueError(f"{who}: h {entry.name!r} is for the output layer only.")
        self.h = tuple(entry.name for entry in chosen)

        output_entry = activation(output, where=f"{who}: output")
        self._loss = loss(loss_name, where=f"{who}: loss")
        check_pair(output_entry, self._loss, sizes[-1], where=who)
        self.output = output_entry.name
        self.loss = self._loss.name

        if not isinstance(bias, bool | np.bool_):
            raise TypeError(f"{who}: bias needs to be True or False; got {bias!r}.")
        self.bias = bool(bias)
        self.seed = whole_number(seed, "seed", at_least=0, below=2**64, where=who)
        try:
            self.dtype = _DTYPES[np.dtype(dtype).name]
        except (KeyError, TypeError):
            raise ValueError(f"{who}: dtype needs to be 'float32' or 'float64'; got {dtype!r}.") from None

        functions = [*self.h, self.output]
        try:
            self._plan = _engine.Plan(
                [(n_in, n_out, f, self.bias) for n_in, n_out, f in zip(sizes, sizes[1:], functions, strict=False)],
                self.loss,
            )
        except ValueError as error:
            raise ValueError(f"{who}: layers {sizes}: {error}.") from None
        self._parameters = Parameters(self._plan.layout, self._plan.theta_size, self.dtype)
        self._training = threading.Lock()
        self.epoch = 0

    # ---- parameters ------------------------------------------------------------------------------------------------

    @property
    def W(self) -> LayerViews:
        """The weights, live: ``W[l]`` (n_in, n_out) holds w_ji at [i, j], from unit i of layer l to unit j above."""
        return self._parameters.W

    @W.setter
    def W(self, values: Sequence[ArrayLike]) -> None:
        self._parameters.W.assign(values)

    @property
    def b(self) -> LayerViews:
        """The biases, live: ``b[l]`` (n_out,); None in each layer where bias=False."""
        return self._parameters.b

    @b.setter
    def b(self, values: Sequence[ArrayLike]) -> None:
        self._parameters.b.assign(values)

    @property
    def theta(self) -> Array:
        """All parameters as one dense array (n_parameters,), a copy: layer by layer, W row by row, then b."""
        return self._parameters.dense()

    @theta.setter
    def theta(self, values: ArrayLike) -> None:
        array = numbers_in(values, self.dtype, "theta", where="Network")
        if array.shape != (self.n_parameters,):
            raise ValueError(f"Network.theta needs shape ({self.n_parameters},); got {array.shape}.")
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
        if seed is not None:
            self.seed = whole_number(seed, "seed", at_least=0, below=2**64, where=f"{type(self).__name__}.reset")
        for layer, (W, b) in enumerate(zip(self.W, self.b, strict=True)):
            n_in, n_out = W.shape
            draws = np.empty(n_in * n_out)
            _engine.uniform_start(self.seed, layer, draws)
            W[...] = (start_limit([*self.h, self.output][layer], n_in, n_out) * draws).reshape(n_in, n_out)
            if b is not None:
                b[...] = 0
        self.epoch = 0
        return self

    # ---- what the network says -------------------------------------------------------------------------------------

    def samples(self, X: ArrayLike, R: ArrayLike, sample_weight: ArrayLike | None, where: str) -> tuple[Any, Any, Any]:
        """Return X, R and the weights (or None) as arrays that the engine reads."""
        inputs = inputs_in(X, self.layers[0], self.dtype, where=where)
        targets = targets_in(R, len(inputs), self.layers[-1], self._loss, self.dtype, where=where)
        return inputs, targets, weights_in(sample_weight, len(inputs), self.dtype, where=where)

    def predict(self, X: ArrayLike) -> Array:
        """Return y for rows of inputs."""
        inputs = inputs_in(X, self.layers[0], self.dtype, where=f"{type(self).__name__}.predict")
        y = np.empty((len(inputs), self.layers[-1]), self.dtype)
        _engine.predict(self._plan, self.padded_theta, inputs, y)
        return y

    def E(self, X: ArrayLike, R: ArrayLike, sample_weight: ArrayLike | None = None) -> float:
        """Return E = Σ w E_ℓ / Σ w over the samples."""
        where = f"{type(self).__name__}.E"
        inputs, targets, weights = self.samples(X, R, sample_weight, where)
        if not len(inputs):
            raise ValueError(f"{where}: X has no rows, so there is no mean.")
        return self.mean_loss(inputs, targets, weights)

    def mean_loss(self, X: Array, R: Array, weights: Array | None) -> float:
        """Return E of samples that are already arrays of this network's dtype."""
        total, weight = _engine.loss(self._plan, self.padded_theta, X, R, weights)
        return float(total / weight)

    def gradient(self, X: ArrayLike, R: ArrayLike, sample_weight: ArrayLike | None = None) -> Array:
        """Return ∂E/∂θ of the samples' E, dense, in the order of theta."""
        where = f"{type(self).__name__}.gradient"
        inputs, targets, weights = self.samples(X, R, sample_weight, where)
        if not len(inputs):
            raise ValueError(f"{where}: X has no rows, so E has no gradient.")
        out = np.empty_like(self.padded_theta)
        _engine.gradient(self._plan, self.padded_theta, inputs, targets, out, weights)
        return self._parameters.dense(out)

    def raw_trace(self, X: ArrayLike, R: ArrayLike) -> RawTrace:
        """Return every quantity of backpropagation for rows of samples."""
        inputs, targets, _ = self.samples(X, R, None, f"{type(self).__name__}.trace")
        n = len(inputs)
        units = self.layers[1:]

        def per_layer() -> list[Array]:
            return [np.empty((n, n_out), self.dtype) for n_out in units]

        a, z, dh, delta = per_layer(), per_layer(), per_layer(), per_layer()
        if ACTIVATIONS[self.output].output_only:
            dh[-1] = np.empty((n, units[-1], units[-1]), self.dtype)
        gradient = np.empty((n, self._plan.theta_size), self.dtype)
        E = np.empty(n)
        _engine.trace(self._plan, self.padded_theta, inputs, targets, a, z, dh, delta, gradient, E)
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

    def descend(
        self,
        X: ArrayLike,
        R: ArrayLike,
        eta: float,
        *,
        batch_size: int = 1,
        sample_weight: ArrayLike | None = None,
    ) -> float:
        """Go down once through the samples in the order given."""
        from deltaprop.descent.schedules import etas

        where = f"{type(self).__name__}.descend"
        inputs, targets, weights = self.samples(X, R, sample_weight, where)
        if not len(inputs):
            raise ValueError(f"{where}: X has no rows.")
        rate = etas(eta, 1, 1, where=where)(1)
        size = whole_number(batch_size, "batch_size", at_least=1, where=where)
        with self.training(where):
            *_, (_, E) = self.passing(inputs, targets, weights, np.arange(len(inputs)), rate, size)
        return E

    def passing(
        self, X: Array, R: Array, weights: Array | None, order: Array, eta: float, batch_size: int
    ) -> Iterator[tuple[int, float]]:
        """Descend through ``order`` in pieces of whole steps, yielding (samples presented, mean E so far) after each.

        A signal is heard between two pieces. How an order is cut into pieces changes no bit of the result.
        """
        rates = np.array([eta])
        total = (0.0, 0.0)
        start, n = 0, len(order)
        piece = max(1, int(_PIECE_SECONDS * 5e8 / (batch_size * self.n_parameters))) * batch_size
        while start < n:
            stop = min(start + piece, n)
            began = time.perf_counter()
            total = _engine.descend(
                self._plan, self.padded_theta, X, R, weights, order[start:stop], rates, batch_size, total
            )
            seconds = time.perf_counter() - began
            start = stop
            yield start, (total[0] / total[1] if total[1] else 0.0)
            growth = min(4.0, _PIECE_SECONDS / max(seconds, 1e-9))
            piece = max(1, int(piece / batch_size * growth)) * batch_size

    def epoch_order(self, n: int, epoch: int, shuffle: bool) -> Array:
        """Return the order in which epoch ``epoch`` presents n samples: from (seed, epoch), or as they stand."""
        if not shuffle:
            return np.arange(n)
        order = np.empty(n, np.int64)
        _engine.shuffled_order(self.seed, epoch, order)
        return order

    # ---- a value among values --------------------------------------------------------------------------------------

    def config(self) -> dict[str, Any]:
        """Return the constructor's arguments, JSON-able: ``Network(**net.config())`` is the same network, untrained."""
        return {
            "layers": list(self.layers),
            "h": list(self.h),
            "output": self.output,
            "loss": self.loss,
            "bias": self.bias,
            "seed": self.seed,
            "dtype": self.dtype.name,
        }

    def description(self) -> dict[str, Any]:
        """Return what a model file says of the network beside theta."""
        return {**self.config(), "epoch": self.epoch}

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
        model = cls(**arguments)
        if theta.dtype != model.dtype:
            raise ValueError(f"theta is {theta.dtype}, the network {model.dtype}")
        model.theta = theta
        model.epoch = epoch
        return model

    def with_dtype(self, dtype: str) -> Self:
        """Return a copy that computes in ``dtype``, with the same parameters (rounded where it is narrower)."""
        other = type(self)(**{**self.config(), "dtype": dtype})
        other.theta = self.theta
        other.epoch = self.epoch
        return other

    def __getstate__(self) -> dict[str, Any]:
        return {**self.config(), "epoch": self.epoch, "theta": self.theta}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self._define(*(state[key] for key in ("layers", "h", "output", "loss", "bias", "seed", "dtype")))
        self._parameters.assign(state["theta"])
        self.epoch = state["epoch"]

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Model):
            return NotImplemented
        return (
            self.config() == other.config()
            and self.epoch == other.epoch
            and self.theta.tobytes() == other.theta.tobytes()
        )

    __hash__ = None  # type: ignore[assignment]  # parameters change


def engine_config() -> dict[str, Any]:
    """Return what the engine was built with and runs on: version, instruction sets, OpenMP, threads, compiler."""
    return dict(_engine.config())
