"""One number that a person passes: checked once, for η and for the parameters of functions and optimizers."""

from __future__ import annotations

import math
import numbers
from typing import Any

import numpy as np

_MOST_LETTERS = 100  # of a value, in a message


def real_number(value: Any, name: str, *, where: str) -> float:
    """Return ``value`` as a float, inf where it is too large for one; raise TypeError if it is no real number.

    Examples
    --------
    >>> real_number(2, "eta", where="fit"), real_number(10**400, "eta", where="fit")
    (2.0, inf)
    """
    if isinstance(value, bool | np.bool_) or not isinstance(value, numbers.Real):
        raise TypeError(f"{where}: {name} needs to be a number; got {in_a_line(value)}.")
    try:
        return float(value)
    except OverflowError:
        return float("inf")


def in_a_line(value: Any) -> str:
    """Return what people read of a value in a message: its repr in one line, and not all of a long one.

    Examples
    --------
    >>> in_a_line(np.ones((2, 2)))
    'array([[1., 1.], [1., 1.]])'
    """
    text = " ".join(repr(value).split())
    return text if len(text) <= _MOST_LETTERS else f"{text[: _MOST_LETTERS - 1]}…"


_SECONDS = {"s": 1.0, "m": 60.0, "h": 3600.0}


def seconds_in(text: str) -> float:
    """Return a time in seconds: ``60``, ``60s``, ``5m``, ``2h``; NaN where it is none.

    Examples
    --------
    >>> seconds_in("1.5m")
    90.0
    """
    number = text.strip()
    unit = _SECONDS.get(number[-1:], 0.0)
    try:
        return float(number[:-1]) * unit if unit else float(number)
    except ValueError:
        return math.nan
