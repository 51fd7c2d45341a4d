"""The formulas of the declarations, put to work: in NumPy, and to many digits."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import mpmath
import numpy as np

from deltaprop.functions import Entry, activation, loss

Array = np.ndarray[Any, Any]


def _erfc(x: Array) -> Array:
    return np.vectorize(lambda v: float(mpmath.erfc(v)), otypes=[float])(x)


_NUMPY: dict[str, Any] = {
    "abs": np.abs, "atan": np.arctan, "cos": np.cos, "cosh": np.cosh, "erfc": _erfc, "exp": np.exp, "expm1": np.expm1,
    "log": np.log, "log1p": np.log1p, "max": np.maximum, "min": np.minimum, "pi": np.pi, "sign": np.sign,
    "sin": np.sin, "sqrt": np.sqrt, "tanh": np.tanh, "where": np.where,
}  # fmt: skip
_SAME_NAME = ["atan", "cos", "cosh", "erfc", "exp", "expm1", "log", "log1p", "sign", "sin", "sqrt", "tanh"]
_EXACT: dict[str, Any] = {name: getattr(mpmath, name) for name in _SAME_NAME} | {
    "abs": abs, "max": max, "min": min, "where": lambda holds, one, other: one if holds else other,
}  # fmt: skip


def _names(entry: Entry) -> dict[str, float]:
    return {p.name: value for p, value in zip(entry.parameters, entry.values, strict=True)}


def _evaluate(formula: str, names: dict[str, Any]) -> Any:
    return eval(formula, {"__builtins__": {}}, names)  # the project's own declarations


def in_numpy(text: str) -> tuple[Any, Any]:
    """h and h′ of an activation as functions of arrays of float64."""
    entry = activation(text, where="test")
    names = {**_NUMPY, **_names(entry)}

    def h(a: Array) -> Array:
        with np.errstate(all="ignore"):
            return _evaluate(entry.formula, {**names, "a": a}) + 0 * a

    def dh(a: Array) -> Array:
        with np.errstate(all="ignore"):
            return _evaluate(entry.derivative, {**names, "a": a, "z": h(a)}) + 0 * a

    return h, dh


def exactly(text: str, a: float, bits: int) -> tuple[Any, Any]:
    """h(a) and h′(a) in so many bits."""
    entry = activation(text, where="test")
    with mpmath.workprec(bits):
        names = {**_EXACT, "pi": +mpmath.pi, **{k: mpmath.mpf(v) for k, v in _names(entry).items()}, "a": mpmath.mpf(a)}
        z = mpmath.mpf(_evaluate(entry.formula, names))
        return z, mpmath.mpf(_evaluate(entry.derivative, {**names, "z": z}))


def derivative_of_formula(text: str, a: float) -> Any:
    """h′(a) from the formula of h alone, by differences in 400 bits; a is not at a kink."""
    entry = activation(text, where="test")
    with mpmath.workprec(400):
        names = {**_EXACT, "pi": +mpmath.pi, **{k: mpmath.mpf(v) for k, v in _names(entry).items()}}
        step = mpmath.mpf(2) ** -120

        def value(x: Any) -> Any:
            return _evaluate(entry.formula, {**names, "a": x})

        return (value(mpmath.mpf(a) + step) - value(mpmath.mpf(a) - step)) / (2 * step)


# The whole language of formulas, for those of the user's own.
_LANGUAGE: dict[str, Any] = {
    **_EXACT,
    **{name: getattr(mpmath, name) for name in ("sinh", "tan", "erf")},
    "arctan": mpmath.atan,
    "sigmoid": lambda x: 1 / (1 + mpmath.exp(-x)),
    "softplus": lambda x: mpmath.log1p(mpmath.exp(x)),
    "relu": lambda x: max(x, 0),
}


def of_language(text: str, bits: int = 400, **values: Any) -> Any:
    """The value of a formula in so many bits; NaN where it is no real number."""
    with mpmath.workprec(bits):
        names = {"pi": +mpmath.pi, "e": +mpmath.e, **{k: mpmath.mpf(v) for k, v in values.items()}}
        # Decimals are the doubles that they stand for.
        text = re.sub(r"(?<![\w.])(\d+\.?\d*(e[+-]?\d+)?)", r"number(\1)", text)
        try:
            value = _evaluate(text, {**_LANGUAGE, **names, "number": mpmath.mpf})
        except (ZeroDivisionError, TypeError, ValueError):  # complex numbers have no order
            return mpmath.nan
        return value if isinstance(value, mpmath.mpf) else mpmath.nan


def derivative_in_language(text: str, by: str, **values: Any) -> Any:
    """Its derivative, by differences in 400 bits."""
    with mpmath.workprec(400):
        step = mpmath.mpf(2) ** -120
        x = mpmath.mpf(values[by])
        above, below = (of_language(text, 400, **{**values, by: x + side}) for side in (step, -step))
        return (above - below) / (2 * step)


def loss_in_numpy(text: str) -> tuple[Any, Any]:
    """E and ∂E/∂y of a loss as functions of arrays y and r: of each output."""
    entry = loss(text, where="test")
    names = {**_NUMPY, **_names(entry)}

    def E(y: Array, r: Array) -> Array:
        with np.errstate(divide="ignore", invalid="ignore"):  # in the branch of where that is not taken
            return _evaluate(entry.formula, {**names, "y": y, "r": r}) + 0 * y

    def dE(y: Array, r: Array) -> Array:
        return _evaluate(entry.derivative, {**names, "y": y, "r": r}) + 0 * y

    return E, dE


def loss_exactly(text: str, y: float, r: float) -> tuple[Any, Any, Any]:
    """E and ∂E/∂y in 400 bits, and ∂E/∂y from the formula of E alone, by differences."""
    entry = loss(text, where="test")
    with mpmath.workprec(400):
        numbers = {name: mpmath.mpf(value) for name, value in _names(entry).items()}
        names = {**_EXACT, **numbers, "r": mpmath.mpf(r)}
        step = mpmath.mpf(2) ** -120
        up, here, down = (
            mpmath.mpf(_evaluate(entry.formula, {**names, "y": mpmath.mpf(y) + k * step})) for k in (1, 0, -1)
        )
        return here, mpmath.mpf(_evaluate(entry.derivative, {**names, "y": mpmath.mpf(y)})), (up - down) / (2 * step)


def loss_of_a(output: str, text: str, a: Sequence[float], r: Sequence[float]) -> tuple[Any, list[Any]]:
    """E and δ_o = ∂E/∂a of one sample in 4,000 bits from the formula of E, δ_o by differences of it."""
    entry = loss(text, where="test")
    with mpmath.workprec(4000):
        names = {p.name: value for p, value in zip(entry.parameters, entry.values, strict=True)}
        step = mpmath.mpf(2) ** -1000
        at = [mpmath.mpf(x) for x in a]

        def E(a: list[Any]) -> Any:
            if output == "softmax":
                total = mpmath.fsum(map(mpmath.exp, a))
                y = [mpmath.exp(x) / total for x in a]
            else:
                h = activation(output, where="test").formula
                y = [_evaluate(h, {**_EXACT, "a": x}) for x in a]
            terms = []
            for k, (y_k, r_k) in enumerate(zip(y, r, strict=True)):
                own = {name: mpmath.mpf(v[k] if isinstance(v, tuple) else v) for name, v in names.items()}
                terms.append(_evaluate(entry.formula, {**_EXACT, **own, "y": y_k, "r": mpmath.mpf(r_k)}))
            return mpmath.fsum(terms)

        def moved(k: int, by: Any) -> list[Any]:
            return [x + by if j == k else x for j, x in enumerate(at)]

        return E(at), [(E(moved(k, step)) - E(moved(k, -step))) / (2 * step) for k in range(len(at))]
