"""What a network is and says: its definition, its parameters, predictions, E, gradient, trace."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from deltaprop import _engine
from deltaprop.arrays import Array, Inputs, SparseRows, inputs_in, numbers_in
from deltaprop.definition import Definition
from deltaprop.descent.penalties import add_gradient, penalty
from deltaprop.functions import kernels
from deltaprop.parameters import LayerViews, Parameters
from deltaprop.plan import plan_of
from deltaprop.raw_trace import RawTrace
from deltaprop.targets import ClassWeight, smoothed, targets_in, weights_in

PIECE_SECONDS = 0.03  # of work between two looks at the keyboard
WORK_PER_SECOND = 5e8  # multiply-adds, on a slow machine
_CHUNK_ROWS = 64  # the engine adds up E in chunks of so many rows


def for_engine(X: Inputs) -> Any:
    """Return inputs as the engine takes them."""
    return (X.starts, X.columns, X.values) if type(X) is SparseRows else X


class Base:
    """A network's definition and parameters, and what the engine computes of them; nothing here changes them."""

    def _build(self, definition: Definition) -> None:
        self._definition = definition
        try:
            self._plan = plan_of(definition, derivatives=False)
        except ValueError as error:
            raise ValueError(f"{type(self).__name__}: layers {list(definition.layers)}: {error}.") from None
        self._first_plan: _engine.Plan | None = None
        self._complete_plan = None if definition.has_formulas else self._plan
        self._parameters = Parameters(self._plan.layout, self._plan.theta_size, definition.dtype)
        self._piece_rows = max(1, int(PIECE_SECONDS * WORK_PER_SECOND / self.n_parameters / _CHUNK_ROWS)) * _CHUNK_ROWS
        self._training = threading.Lock()
        self._epoch = self._presented = 0

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
    def l2(self) -> float:
        """E's penalty l2/2 Σ w²."""
        return self._definition.l2

    @property
    def l1(self) -> float:
        """E's penalty l1 Σ |w|."""
        return self._definition.l1

    @property
    def dropout(self) -> tuple[float, ...]:
        """The shares that training drops of the inputs and of each hidden layer's units; () where it drops none."""
        return self._definition.dropout

    @property
    def input_noise(self) -> float:
        """The standard deviation of the normal numbers that training adds to inputs."""
        return self._definition.input_noise

    @property
    def presented(self) -> int:
        """Samples presented in training since the start: from it, and the seed, come the draws of the next."""
        return self._presented

    def drawn(self, first: int = 0) -> tuple[int, int] | None:
        """Return from what a training pass draws dropout and noise, the next one from its sample ``first`` on."""
        return (self.seed, self._presented + first) if self._definition.draws else None

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

    def dense(self, padded: Array) -> Array:
        """Return numbers that are laid out as the engine has them, without the padding."""
        return self._parameters.dense(padded)

    def pad(self, dense: Array, padded: Array) -> None:
        """Copy numbers in the order of theta into an array that is laid out as the engine has them."""
        self._parameters.assign(dense, padded)

    @property
    def n_parameters(self) -> int:
        """How many weights and biases there are."""
        return int(self._plan.n_parameters)

    @contextmanager
    def training(self, where: str) -> Iterator[None]:
        """Hold the parameters for writing; raise RuntimeError where another call is training this network."""
        if not self._training.acquire(blocking=False):
            raise RuntimeError(f"{where}: this network is being trained by another call. Train a copy instead.")
        try:
            yield
        finally:
            self._training.release()

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
            source = inputs if inputs is X else for_engine(inputs)
            finite = _engine.predict(self._plan, self._parameters.padded, source, y)
        else:
            finite = self._predict_in_pieces(inputs, y)
        if not finite:
            inputs_in(X, n_in, dtype, where=f"{type(self).__name__}.predict")  # says which number is not
        return y

    def predictions(self, inputs: Inputs) -> Array:
        """Return y of inputs that the engine reads as they are."""
        y = np.empty((len(inputs), self.layers[-1]), self.dtype)
        self._predict_in_pieces(inputs, y)
        return y

    def _predict_in_pieces(self, inputs: Inputs, y: Array) -> bool:
        finite = True
        for rows in self._pieces(len(inputs)):
            finite &= _engine.predict(self._plan, self._parameters.padded, for_engine(inputs[rows]), y[rows])
        return finite

    def E(
        self,
        X: ArrayLike,
        R: ArrayLike,
        sample_weight: ArrayLike | None = None,
        *,
        class_weight: ClassWeight | None = None,
        training: bool = False,
    ) -> float:
        """Return E = Σ w E_ℓ / Σ w over the samples, and the penalty."""
        where = f"{type(self).__name__}.E"
        inputs, targets, weights = self.samples(X, R, sample_weight, where, class_weight)
        if not len(inputs):
            raise ValueError(f"{where}: X has no rows, so there is no mean.")
        return self.mean_loss(inputs, targets, weights, training=training) + self.penalty

    def mean_loss(self, X: Inputs, R: Array, weights: Array | None, *, training: bool = False, first: int = 0) -> float:
        """Return E of samples that are already arrays of this network's dtype, without the penalty.

        ``first`` is how many samples came before them, where a training pass draws.
        """
        total = (0.0, 0.0, 0)
        for rows in self._pieces(len(X)):
            part = None if weights is None else weights[rows]
            drawn = self.drawn(first + rows.start) if training else None
            total = _engine.loss(self._plan, self.padded_theta, for_engine(X[rows]), R[rows], part, total, drawn=drawn)
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
        training: bool = False,
    ) -> Array:
        """Return ∂E/∂θ of the samples' E, dense, in the order of theta."""
        where = f"{type(self).__name__}.gradient"
        inputs, targets, weights = self.samples(X, R, sample_weight, where, class_weight)
        if not len(inputs):
            raise ValueError(f"{where}: X has no rows, so E has no gradient.")
        return self._parameters.dense(self.E_and_gradient(inputs, targets, weights, training=training)[1])

    def E_and_gradient(
        self, X: Inputs, R: Array, weights: Array | None, *, training: bool = False, first: int = 0
    ) -> tuple[float, Array]:
        """Return E of samples without the penalty, and its gradient with it, as the engine lays theta out.

        ``first`` is how many samples came before them, where a training pass draws.
        """
        out = np.empty_like(self.padded_theta)
        drawn = self.drawn(first) if training else None
        sums = _engine.gradient(self._learning_plan, self.padded_theta, for_engine(X), R, out, weights, drawn=drawn)
        add_gradient(self._parameters.views(out)[0], self.W, self._definition.l2, self._definition.l1)
        return sums[0] / sums[1], out

    @property
    def penalty(self) -> float:
        """Ω(θ) = l2/2 Σ w² + l1 Σ |w| over the weights, which E has beside its mean over the samples."""
        return penalty(self.W, self._definition.l2, self._definition.l1)

    def first_pre_activations(self, X: Array) -> Array:
        """Return a of the first layer, (n, n_1), for rows that are already an array of this network's dtype."""
        if self._first_plan is None:  # theta begins with the parameters of this one
            own = self._definition
            first = replace(own, layers=own.layers[:2], h=(), output="identity", loss="squared_error", dropout=())
            self._first_plan = plan_of(first, derivatives=False)
        plan = self._first_plan
        a = np.empty((len(X), self.layers[1]), self.dtype)
        _engine.predict(plan, self.padded_theta[: plan.theta_size], X, a)
        return a

    def raw_trace(self, X: ArrayLike, R: ArrayLike, *, training: bool = False) -> RawTrace:
        """Return every quantity of backpropagation for rows of samples."""
        inputs, targets, _ = self.samples(X, R, None, f"{type(self).__name__}.trace")
        return self.trace_of(inputs, targets, self.drawn() if training else None)

    def trace_of(self, inputs: Inputs, targets: Array, drawn: tuple[int, int] | None = None) -> RawTrace:
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
        seen = inputs if drawn is None else np.empty_like(inputs)  # with what a training pass does to them
        _engine.trace(
            self._learning_plan,
            self.padded_theta,
            inputs,
            targets,
            a,
            z,
            dh,
            delta,
            gradient,
            E,
            drawn,
            None if drawn is None else seen,
        )
        dW, db = self._parameters.views(gradient)
        return RawTrace(seen, targets, a, z, dh, delta, dW, db, E)
