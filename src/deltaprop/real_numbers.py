"""One number that a person passes: checked once, for η and for the parameters of functions and optimizers."""

from __future__ import annotations

import math
import numbers
from typing import Any

import numpy as np


def real_number(value: Any, name: str, *, where: str) -> float:
    """Return ``value`` as a float, inf where it is too large for one; raise TypeError if it is no real number.

    Examples
    --------
    >>> real_number(2, "eta", where="fit"), real_number(10**400, "eta", where="fit")
    (2.0, inf)
    """
    if isinstance(value, bool | np.bool_) or not isinstance(value, numbers.Real):
        raise TypeError(f"{where}: {name} needs to be a number; got {value!r}.")
    try:
        return float(value)
    except OverflowError:
        return float("inf")


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
