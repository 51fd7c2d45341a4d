"""The losses E: one declaration each. Its kernel is the struct of the same name in engine/losses.hpp."""

from __future__ import annotations

import math
from dataclasses import dataclass

from deltaprop.errors import did_you_mean
from deltaprop.functions.activations import Activation


@dataclass(frozen=True)
class Loss:
    """What is known of a loss E, apart from its kernel.

    Attributes
    ----------
    name : str
        What people and model files call it.
    formula : str
        E of one sample, summed over the outputs. Nothing is dropped from it.
    derivative : str
        ∂E/∂y of one output.
    canonical : str
        The output activation with which δ of the output comes to y − r.
    low, high : float
        Where y must lie, and r too.
    infinite_at_ends : bool
        True where E is infinite at y = low or high, so that an output may come near them, but not to them.
    distribution : bool
        True where the r of a sample must sum to one.
    known_as : tuple of str
        What others call it; asked for under such a name, the message says what it is called here.
    """

    name: str
    formula: str
    derivative: str
    canonical: str
    low: float
    high: float
    infinite_at_ends: bool = False
    distribution: bool = False
    known_as: tuple[str, ...] = ()


LOSSES = {
    entry.name: entry
    for entry in (
        Loss(
            "log",
            "Σ -r log y - (1 - r) log(1 - y)",
            "(y - r) / (y (1 - y))",
            "sigmoid",
            0.0,
            1.0,
            infinite_at_ends=True,
            known_as=("log_loss", "bce", "binary_crossentropy", "binary_cross_entropy", "logloss"),
        ),
        Loss(
            "cross_entropy",
            "Σ -r log y",
            "-r / y",
            "softmax",
            0.0,
            1.0,
            infinite_at_ends=True,
            distribution=True,
            known_as=("categorical_crossentropy", "categorical_cross_entropy", "nll", "ce"),
        ),
        Loss(
            "squared_error",
            "½ Σ (y - r)²",
            "y - r",
            "identity",
            -math.inf,
            math.inf,
            known_as=("mse", "mean_squared_error", "squared_loss", "l2", "quadratic"),
        ),
    )
}

_KNOWN_AS = {other: entry.name for entry in LOSSES.values() for other in entry.known_as}


def loss(name: object, *, where: str) -> Loss:
    """Return the loss called ``name``.

    Raises
    ------
    TypeError
        If ``name`` is not a string.
    ValueError
        If no loss has that name; the message says what it may be called here.

    Examples
    --------
    >>> loss("log", where="loss").canonical
    'sigmoid'
    >>> loss("mse", where="loss")
    Traceback (most recent call last):
    ...
    ValueError: loss: 'mse' is called 'squared_error' here, ½ Σ (y - r)².
    """
    if not isinstance(name, str):
        raise TypeError(f"{where} needs the name of a loss; got {name!r}.")
    if name in _KNOWN_AS:
        own = LOSSES[_KNOWN_AS[name]]
        raise ValueError(f"{where}: {name!r} is called {own.name!r} here, {own.formula}.")
    if name not in LOSSES:
        raise ValueError(
            f"{where}: no loss is called {name!r}.{did_you_mean(name, LOSSES)} There are: {', '.join(LOSSES)}."
        )
    return LOSSES[name]


def check_pair(output: Activation, loss: Loss, n_out: int, *, where: str) -> None:
    """Raise ValueError unless every y that ``output`` can give lies in the domain of ``loss``."""
    if output.low < loss.low or output.high > loss.high:
        raise ValueError(
            f"{where}: loss {loss.name!r} needs outputs in [{loss.low:g}, {loss.high:g}]; output {output.name!r} "
            f"ranges over [{output.low:g}, {output.high:g}]. Use output={loss.canonical!r}."
        )
    if loss.infinite_at_ends and output.reaches_ends:
        raise ValueError(
            f"{where}: loss {loss.name!r} is infinite where y is {loss.low:g} or {loss.high:g}, as y of output "
            f"{output.name!r} can be. Use output={loss.canonical!r}."
        )
    if output.output_only and n_out < 2:
        raise ValueError(
            f"{where}: output {output.name!r} over one unit is always 1. Use output='sigmoid', or two units or more."
        )
