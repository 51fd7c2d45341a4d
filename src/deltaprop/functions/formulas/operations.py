"""What one instruction of a formula's program does: its name, and its value in NumPy, the oracle of the engine's."""

from __future__ import annotations

import math
from collections.abc import Callable
from enum import IntEnum
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]

Operation = IntEnum(
    "Operation",
    "neg add subtract multiply divide minimum maximum absolute sign sqrt exp expm1 log log1p tanh sigmoid softplus erf "
    "erfc sin cos atan power less less_equal and or not select exp_minus_square exp_minus_half_square normal positive "
    "apart",
    start=0,
)
Operation.__doc__ = "The operations in the engine's order; conditions are 1 where they hold and 0 where not."


def _sigmoid(x: Array) -> Array:
    return np.where(x < 0, np.exp(x) / (1 + np.exp(x)), 1 / (1 + np.exp(-x)))


def _softplus(x: Array) -> Array:
    return np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))


def _power(x: Array, y: Array) -> Array:
    return np.where(x < 0, np.nan, np.power(x, y))


def _select(holds: Array, x: Array, y: Array) -> Array:
    return np.where(holds != 0, x, y)


def _condition(holds: Callable[..., Array]) -> Callable[..., Array]:
    return lambda *x: np.asarray(holds(*x), dtype=float)


# In float64.
REFERENCE: dict[int, Callable[..., Array]] = {
    Operation["neg"]: np.negative,
    Operation["add"]: np.add,
    Operation["subtract"]: np.subtract,
    Operation["multiply"]: np.multiply,
    Operation["divide"]: np.divide,
    Operation["minimum"]: np.minimum,  # NaN where either is NaN
    Operation["maximum"]: np.maximum,
    Operation["absolute"]: np.abs,
    Operation["sign"]: np.sign,
    Operation["sqrt"]: np.sqrt,
    Operation["exp"]: np.exp,
    Operation["expm1"]: np.expm1,
    Operation["log"]: np.log,
    Operation["log1p"]: np.log1p,
    Operation["tanh"]: np.tanh,
    Operation["sigmoid"]: _sigmoid,
    Operation["softplus"]: _softplus,
    Operation["erf"]: np.vectorize(math.erf, otypes=[float]),
    Operation["erfc"]: np.vectorize(math.erfc, otypes=[float]),
    Operation["sin"]: np.sin,
    Operation["cos"]: np.cos,
    Operation["atan"]: np.arctan,
    Operation["power"]: _power,  # NaN where x < 0: whole constant exponents never come here
    Operation["less"]: _condition(np.less),  # no comparison with NaN holds
    Operation["less_equal"]: _condition(np.less_equal),
    Operation["and"]: _condition(np.logical_and),
    Operation["or"]: _condition(np.logical_or),
    Operation["not"]: _condition(np.logical_not),
    Operation["select"]: _select,
    Operation["exp_minus_square"]: lambda x: np.exp(-(x**2)),
    Operation["exp_minus_half_square"]: lambda x: np.exp(-(x**2) / 2),
    Operation["normal"]: np.vectorize(lambda x: math.erfc(-x / math.sqrt(2)) / 2, otypes=[float]),
    Operation["positive"]: lambda x: np.maximum(x, np.finfo(float).tiny),  # these two of the dtype of a program
    Operation["apart"]: lambda x: np.maximum(x, np.finfo(float).eps / 4),
}
