"""η_n: the learning rate of epoch n, given as a number, a sequence or a function."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from deltaprop.real_numbers import real_number

_FLOAT64 = np.dtype(np.float64)

Eta = float | Sequence[float] | Callable[[int], float]


def _checked(value: Any, name: str, where: str, dtype: np.dtype[Any]) -> float:
    number = real_number(value, name, where=where)
    if not 0 <= number <= float(np.finfo(dtype).max):
        raise ValueError(f"{where}: {name} needs to be finite in {dtype} and at least 0; got {number!r}.")
    return number


def etas(eta: Eta, first: int, epochs: int, *, where: str, dtype: np.dtype[Any] = _FLOAT64) -> Callable[[int], float]:
    """Return the function n → η_n for the epochs n = first, …, first + epochs − 1.

    Parameters
    ----------
    eta : float, sequence of float, or callable
        One η for all epochs; or η_1, η_2, … in order; or a function of n, called once per epoch when that begins.
    first, epochs : int
        The epochs to come; a sequence must reach their end.

    Raises
    ------
    TypeError, ValueError
        If an η is no finite number ≥ 0, or the sequence is too short.

    Examples
    --------
    >>> eta = etas([0.5, 0.25], 1, 2, where="fit")
    >>> eta(1), eta(2)
    (0.5, 0.25)
    >>> etas(lambda n: 1 / n, 1, 9, where="fit")(4)
    0.25
    """
    if callable(eta):
        return lambda n: _checked(eta(n), f"eta({n})", where, dtype)
    if isinstance(eta, str) or not (isinstance(eta, Sequence) or (isinstance(eta, np.ndarray) and eta.ndim == 1)):
        value = _checked(eta, "eta", where, dtype)
        return lambda n: value
    values = [_checked(value, f"eta[{k}]", where, dtype) for k, value in enumerate(eta)]
    if len(values) < first + epochs - 1:
        raise ValueError(
            f"{where}: eta has {len(values)} values; epochs {first} to {first + epochs - 1} need "
            f"{first + epochs - 1} (eta[n - 1] belongs to epoch n, counted since the network's start)."
        )
    return lambda n: values[n - 1]
