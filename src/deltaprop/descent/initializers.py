"""Line 1 of the lecture's algorithm, "Initialize w": one declaration for each way to draw the first weights.

Each draws one layer's weights (n_in, n_out), and biases where they are not 0, from uniform numbers in (−1, 1) that
depend on (seed, layer, place) alone.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deltaprop.functions import Activation, Entry, Parameter
from deltaprop.functions.entries import find

Floats = NDArray[np.float64]
Uniform = Callable[[int], Floats]  # so many numbers in (−1, 1), always the same


@dataclass(frozen=True, repr=False)
class Initializer(Entry):
    """What is known of a way to draw the first weights.

    Attributes
    ----------
    formula : str
        What the weights w_ji of a layer with n_in inputs and n_out units are.
    draw : callable
        (values of the parameters, n_in, n_out, uniform numbers) ↦ weights, or (weights, biases) where these are not 0.
    """

    draw: Callable[[tuple[float, ...], int, int, Uniform], Any] = lambda *_: None


def _normal(uniform: Uniform, n: int) -> Floats:
    """Return n normal numbers by the method of Box and Muller."""
    first, second = uniform(2 * n).reshape(2, n)
    numbers: Floats = np.sqrt(-2 * np.log((first + 1) / 2)) * np.cos(np.pi * second)
    return numbers


def _uniform_within(limit: Callable[[int, int], float]) -> Callable[..., Floats]:
    return lambda _, n_in, n_out, uniform: limit(n_in, n_out) * uniform(n_in * n_out).reshape(n_in, n_out)


def _normal_with(deviation: Callable[[int, int], float]) -> Callable[..., Floats]:
    return lambda _, n_in, n_out, uniform: deviation(n_in, n_out) * _normal(uniform, n_in * n_out).reshape(n_in, n_out)


def _orthogonal(values: tuple[float, ...], n_in: int, n_out: int, uniform: Uniform) -> Floats:
    tall = _normal(uniform, n_in * n_out).reshape(max(n_in, n_out), min(n_in, n_out))
    Q, R = np.linalg.qr(tall)
    Q *= np.where(np.diag(R) < 0, -1.0, 1.0)  # so that Q is spread evenly over all of them
    return values[0] * (Q if n_in >= n_out else Q.T)


def _nguyen_widrow(_: tuple[float, ...], n_in: int, n_out: int, uniform: Uniform) -> tuple[Floats, Floats]:
    drawn = uniform(n_in * n_out + n_out)
    size = 0.7 * n_out ** (1 / n_in)
    W = drawn[: n_in * n_out].reshape(n_in, n_out)
    return size * W / np.linalg.norm(W, axis=0), size * drawn[n_in * n_out :]


_GLOROT = "Glorot and Bengio, Understanding the difficulty of training deep feedforward neural networks, AISTATS 2010"
_HE = "He, Zhang, Ren, Sun, Delving deep into rectifiers, ICCV 2015"
_LECUN = "LeCun, Bottou, Orr, Müller, Efficient BackProp, 1998"

INITIALIZERS = {
    entry.name: entry
    for entry in (
        Initializer(
            "glorot_uniform", "uniform in (-c, c), c = sqrt(6 / (n_in + n_out))", aliases=("glorot", "xavier"),
            source=_GLOROT, draw=_uniform_within(lambda n_in, n_out: math.sqrt(6 / (n_in + n_out))),
        ),
        Initializer(
            "glorot_normal", "normal with sd sqrt(2 / (n_in + n_out))", source=_GLOROT,
            draw=_normal_with(lambda n_in, n_out: math.sqrt(2 / (n_in + n_out))),
        ),
        Initializer(
            "he_uniform", "uniform in (-c, c), c = sqrt(6 / n_in)", aliases=("he", "kaiming"), source=_HE,
            draw=_uniform_within(lambda n_in, _: math.sqrt(6 / n_in)),
        ),
        Initializer(
            "he_normal", "normal with sd sqrt(2 / n_in)", source=_HE,
            draw=_normal_with(lambda n_in, _: math.sqrt(2 / n_in)),
        ),
        Initializer(
            "lecun_uniform", "uniform in (-c, c), c = sqrt(3 / n_in)", aliases=("lecun",), source=_LECUN,
            draw=_uniform_within(lambda n_in, _: math.sqrt(3 / n_in)),
        ),
        Initializer(
            "lecun_normal", "normal with sd sqrt(1 / n_in)", source=_LECUN,
            draw=_normal_with(lambda n_in, _: math.sqrt(1 / n_in)),
        ),
        Initializer(
            "orthogonal", "gain times orthonormal columns, or rows where n_in < n_out", draw=_orthogonal,
            parameters=(Parameter("gain", 1.0, 0.0, open_low=True),),
            source="Saxe, McClelland, Ganguli, Exact solutions to the nonlinear dynamics of learning, ICLR 2014",
        ),
        Initializer(
            "nguyen_widrow", "directions at random, of length c = 0.7 n_out^(1 / n_in); biases uniform in (-c, c)",
            draw=_nguyen_widrow,
            source="Nguyen and Widrow, Improving the learning speed of 2-layer neural networks, IJCNN 1990",
        ),
        Initializer(
            "uniform", "uniform in (-range, range)", parameters=(Parameter("range", 0.05, 0.0, open_low=True),),
            draw=lambda values, n_in, n_out, uniform: values[0] * uniform(n_in * n_out).reshape(n_in, n_out),
        ),
        Initializer(
            "normal", "normal with standard deviation sd", parameters=(Parameter("sd", 0.05, 0.0, open_low=True),),
            draw=lambda values, n_in, n_out, uniform: values[0] * _normal(uniform, n_in * n_out).reshape(n_in, n_out),
        ),
        Initializer("zeros", "0", draw=lambda _, n_in, n_out, uniform: np.zeros((n_in, n_out))),
    )
}  # fmt: skip


def initializer(name: object, *, where: str) -> Initializer:
    """Return the initializer that a text, or a declaration, stands for.

    Raises
    ------
    TypeError, ValueError
        If there is none of that name, or a parameter is unknown or out of bounds.

    Examples
    --------
    >>> initializer("he", where="init").formula
    'uniform in (-c, c), c = sqrt(6 / n_in)'
    """
    return find(name, INITIALIZERS, kind="initializer", where=where)


def initializer_for(h: Activation) -> Initializer:
    """Return what the weights below an activation start by where nobody says otherwise.

    Glorot's is between keeping z's and keeping δ's variance; He's keeps z's where h cuts off half of it, as relu does;
    LeCun's where h is straight, as selu needs.

    Examples
    --------
    >>> from deltaprop.functions import ACTIVATIONS
    >>> initializer_for(ACTIVATIONS["relu"]).name, initializer_for(ACTIVATIONS["sigmoid"]).name
    ('he_uniform', 'glorot_uniform')
    """
    return INITIALIZERS[f"{h.start}_uniform"]


def first_parameters(entry: Initializer, n_in: int, n_out: int, uniform: Uniform) -> tuple[Floats, Floats]:
    """Return the first W (n_in, n_out) and b (n_out,) of a layer."""
    drawn = entry.draw(tuple(entry.numbers), n_in, n_out, uniform)
    W, b = drawn if isinstance(drawn, tuple) else (drawn, np.zeros(n_out))
    return W, b
