"""deltaprop's native engine. Private: use deltaprop.Network."""

from collections.abc import Sequence
from typing import Any, overload

import numpy
import numpy.typing


class Program:
    """A formula as instructions on numbered slots. Immutable."""

    def __init__(self, inputs: int, constants: Sequence[float], instructions: Sequence[Sequence[int]], outputs: Sequence[int]) -> None:
        """
        instructions: (operation, to, x, y, w), the operation's place among operation_names() and slots: first the inputs, then the constants, then what is written.
        """

def operation_names() -> list[str]:
    """The operations of programs, in order."""

class Plan:
    """
    The layers, functions and loss of a network, without its numbers. Immutable.
    """

    def __init__(self, layers: Sequence[tuple[int, int, str | tuple[Program, Program | None], float, bool]], loss: str | tuple[Program, Program | None], parameters_of_loss: Sequence[float], dropout: Sequence[float] = [], input_noise: float = 0.0) -> None:
        """
        layers: (n_in, n_out, function, its parameter or 0, bias) from the input up. A function, and the loss, is a name, or the programs of a formula and of its derivative, None in a plan for predictions alone. parameters_of_loss: none, one, or one for each output. dropout: of each layer's inputs. Training passes draw it, and the noise on inputs, where they are told from what (drawn: the seed, and how many samples were presented before).
        """

    @property
    def theta_size(self) -> int:
        """Elements of theta as the engine lays it out."""

    @property
    def n_parameters(self) -> int:
        """Elements of theta without padding."""

    def online_block(self, learning: Learning) -> int:
        """Samples that online descent takes together by default."""

    def sparse_block(self, learning: Learning, rows: int, values: int) -> int:
        """
        The same of a sparse X with so many rows and values: after how many samples the weights of inputs that were 0 catch up.
        """

    @property
    def layout(self) -> list[tuple[int, int, int, int, bool]]:
        """(offset, n_in, n_out, pitch, bias) of each [W; b] in theta, row-major."""

class Learning:
    """
    What a descent follows: the optimizer and what surrounds it. Immutable.
    """

    def __init__(self, optimizer: str, parameters: Sequence[float], l2: float = 0.0, l1: float = 0.0, decay: float = 0.0, clip_norm: float | None = None, clip_value: float | None = None, max_norm: float | None = None, average: float = 0.0, factors: Sequence[float] = []) -> None:
        """
        parameters: in the order of `optimizers`. average: the share of a running average that stays with a step, 0 where there is none. factors: of eta, for the weights and the biases of each layer in turn.
        """

    @property
    def states(self) -> int:
        """Arrays like theta that the optimizer remembers."""

@overload
def predict(plan: Plan, theta: numpy.typing.NDArray[numpy.float32], X: numpy.typing.NDArray[numpy.float32] | tuple[numpy.typing.NDArray[numpy.int64], numpy.typing.NDArray[numpy.int32], numpy.typing.NDArray[numpy.float32]], y: numpy.typing.NDArray[numpy.float32], threads: int = 0) -> bool: ...

@overload
def predict(plan: Plan, theta: numpy.typing.NDArray[numpy.float64], X: numpy.typing.NDArray[numpy.float64] | tuple[numpy.typing.NDArray[numpy.int64], numpy.typing.NDArray[numpy.int32], numpy.typing.NDArray[numpy.float64]], y: numpy.typing.NDArray[numpy.float64], threads: int = 0) -> bool:
    """
    y of every row of X, written into y (n, n_out); returns whether all inputs were finite. X is an array, or (starts, columns, values) of sparse rows.
    """

@overload
def loss(plan: Plan, theta: numpy.typing.NDArray[numpy.float32], X: numpy.typing.NDArray[numpy.float32] | tuple[numpy.typing.NDArray[numpy.int64], numpy.typing.NDArray[numpy.int32], numpy.typing.NDArray[numpy.float32]], R: numpy.typing.NDArray[numpy.float32], weight: numpy.typing.NDArray[numpy.float32] | None = None, before: tuple[float, float, int] = (0.0, 0.0, 0), threads: int = 0, drawn: tuple[int, int] | None = None) -> tuple[float, float, int]: ...

@overload
def loss(plan: Plan, theta: numpy.typing.NDArray[numpy.float64], X: numpy.typing.NDArray[numpy.float64] | tuple[numpy.typing.NDArray[numpy.int64], numpy.typing.NDArray[numpy.int32], numpy.typing.NDArray[numpy.float64]], R: numpy.typing.NDArray[numpy.float64], weight: numpy.typing.NDArray[numpy.float64] | None = None, before: tuple[float, float, int] = (0.0, 0.0, 0), threads: int = 0, drawn: tuple[int, int] | None = None) -> tuple[float, float, int]:
    """
    before + the sums over the samples of w E and of w, where before are those of a whole number of chunks.
    """

@overload
def gradient(plan: Plan, theta: numpy.typing.NDArray[numpy.float32], X: numpy.typing.NDArray[numpy.float32] | tuple[numpy.typing.NDArray[numpy.int64], numpy.typing.NDArray[numpy.int32], numpy.typing.NDArray[numpy.float32]], R: numpy.typing.NDArray[numpy.float32], out: numpy.typing.NDArray[numpy.float32], weight: numpy.typing.NDArray[numpy.float32] | None = None, threads: int = 0, drawn: tuple[int, int] | None = None) -> tuple[float, float, int]: ...

@overload
def gradient(plan: Plan, theta: numpy.typing.NDArray[numpy.float64], X: numpy.typing.NDArray[numpy.float64] | tuple[numpy.typing.NDArray[numpy.int64], numpy.typing.NDArray[numpy.int32], numpy.typing.NDArray[numpy.float64]], R: numpy.typing.NDArray[numpy.float64], out: numpy.typing.NDArray[numpy.float64], weight: numpy.typing.NDArray[numpy.float64] | None = None, threads: int = 0, drawn: tuple[int, int] | None = None) -> tuple[float, float, int]:
    """
    The derivative of sum(w E) / sum(w), written into out in theta's layout; returns the two sums.
    """

@overload
def trace(plan: Plan, theta: numpy.typing.NDArray[numpy.float32], X: numpy.typing.NDArray[numpy.float32] | tuple[numpy.typing.NDArray[numpy.int64], numpy.typing.NDArray[numpy.int32], numpy.typing.NDArray[numpy.float32]], R: numpy.typing.NDArray[numpy.float32], a: Sequence[numpy.typing.NDArray[numpy.float32]], z: Sequence[numpy.typing.NDArray[numpy.float32]], dh: Sequence[numpy.typing.NDArray[numpy.float32]], delta: Sequence[numpy.typing.NDArray[numpy.float32]], gradient: numpy.typing.NDArray[numpy.float32], E: numpy.typing.NDArray[numpy.float64], drawn: tuple[int, int] | None = None, x: numpy.typing.NDArray[numpy.float32] | None = None) -> None: ...

@overload
def trace(plan: Plan, theta: numpy.typing.NDArray[numpy.float64], X: numpy.typing.NDArray[numpy.float64] | tuple[numpy.typing.NDArray[numpy.int64], numpy.typing.NDArray[numpy.int32], numpy.typing.NDArray[numpy.float64]], R: numpy.typing.NDArray[numpy.float64], a: Sequence[numpy.typing.NDArray[numpy.float64]], z: Sequence[numpy.typing.NDArray[numpy.float64]], dh: Sequence[numpy.typing.NDArray[numpy.float64]], delta: Sequence[numpy.typing.NDArray[numpy.float64]], gradient: numpy.typing.NDArray[numpy.float64], E: numpy.typing.NDArray[numpy.float64], drawn: tuple[int, int] | None = None, x: numpy.typing.NDArray[numpy.float64] | None = None) -> None:
    """
    Every quantity of backpropagation for every row of X, written into one array per layer; gradient is (n, theta_size).
    """

@overload
def descend(plan: Plan, learning: Learning, theta: numpy.typing.NDArray[numpy.float32], state: numpy.typing.NDArray[numpy.float32], X: numpy.typing.NDArray[numpy.float32] | tuple[numpy.typing.NDArray[numpy.int64], numpy.typing.NDArray[numpy.int32], numpy.typing.NDArray[numpy.float32]], R: numpy.typing.NDArray[numpy.float32], weight: numpy.typing.NDArray[numpy.float32] | None, order: numpy.typing.NDArray[numpy.int64] | None, eta: numpy.typing.NDArray[numpy.float64], batch_size: int, block: int, before: tuple[float, float, int], threads: int = 0, average: numpy.typing.NDArray[numpy.float32] | None = None, drawn: tuple[int, int] | None = None, kept: numpy.typing.NDArray[numpy.float32] | None = None, kept_after: tuple[int, int] = (0, 0)) -> tuple[float, float, int]: ...

@overload
def descend(plan: Plan, learning: Learning, theta: numpy.typing.NDArray[numpy.float64], state: numpy.typing.NDArray[numpy.float64], X: numpy.typing.NDArray[numpy.float64] | tuple[numpy.typing.NDArray[numpy.int64], numpy.typing.NDArray[numpy.int32], numpy.typing.NDArray[numpy.float64]], R: numpy.typing.NDArray[numpy.float64], weight: numpy.typing.NDArray[numpy.float64] | None, order: numpy.typing.NDArray[numpy.int64] | None, eta: numpy.typing.NDArray[numpy.float64], batch_size: int, block: int, before: tuple[float, float, int], threads: int = 0, average: numpy.typing.NDArray[numpy.float64] | None = None, drawn: tuple[int, int] | None = None, kept: numpy.typing.NDArray[numpy.float64] | None = None, kept_after: tuple[int, int] = (0, 0)) -> tuple[float, float, int]:
    """
    One pass of descent over the samples in their order, theta, state and average in place; returns before + the sums of w E and of w and the number of steps. block: of samples that online descent takes together, 1 the naive order, 0 by the shape. kept takes copies of theta and state after step kept_after[0], and after every kept_after[1] more.
    """

@overload
def activation(name: str, parameter: float, a: numpy.typing.NDArray[numpy.float32], z: numpy.typing.NDArray[numpy.float32], dh: numpy.typing.NDArray[numpy.float32]) -> None: ...

@overload
def activation(name: str, parameter: float, a: numpy.typing.NDArray[numpy.float64], z: numpy.typing.NDArray[numpy.float64], dh: numpy.typing.NDArray[numpy.float64]) -> None:
    """z = h(a) and dh = h'(a), element by element."""

@overload
def run_program(program: Program, inputs: Sequence[numpy.typing.NDArray[numpy.float32]], outputs: Sequence[numpy.typing.NDArray[numpy.float32]]) -> None: ...

@overload
def run_program(program: Program, inputs: Sequence[numpy.typing.NDArray[numpy.float64]], outputs: Sequence[numpy.typing.NDArray[numpy.float64]]) -> None:
    """
    For tests: a program over arrays, one for each of its inputs and outputs.
    """

@overload
def vector_function(name: str, x: numpy.typing.NDArray[numpy.float32], y: numpy.typing.NDArray[numpy.float32]) -> None: ...

@overload
def vector_function(name: str, x: numpy.typing.NDArray[numpy.float64], y: numpy.typing.NDArray[numpy.float64]) -> None:
    """For tests: y = f(x), f of the engine's vector_math.hpp."""

def uniform_start(seed: int, layer: int, out: numpy.typing.NDArray[numpy.float64]) -> None:
    """Uniform numbers in (-1, 1) that depend on (seed, layer, index) alone."""

def shuffled_order(seed: int, epoch: int, out: numpy.typing.NDArray[numpy.int64]) -> None:
    """The order in which an epoch presents its samples."""

def function_names() -> tuple[list[str], list[str]]:
    """The activations and the losses that have a kernel."""

def optimizers() -> dict[str, list[str]]:
    """
    The optimizers that have a rule, each with the names of its parameters in order.
    """

def peak(f64: bool, seconds: float = 0.05) -> float:
    """
    Operations a second of one core's multiply-add units, each multiply-add counted as two.
    """

def config() -> dict[str, Any]:
    """The build and the machine: instruction sets, threads, compiler."""

def use_instruction_set(name: str) -> None:
    """
    For tests: run another set of kernels from now on; "" is the first choice again.
    """
