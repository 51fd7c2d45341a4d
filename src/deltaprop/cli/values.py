"""What texts of the command line stand for."""

from __future__ import annotations

import math
from typing import Any

from deltaprop.errors import OptionError
from deltaprop.real_numbers import seconds_in

_MOST_UNITS = 1_000_000  # of a hidden layer


def budget_in(text: str | None) -> float | None:
    """Return the seconds of a --time-budget."""
    if text is None:
        return None
    seconds = seconds_in(text)
    if not seconds > 0:
        raise OptionError(f"--time-budget needs a time above 0, as 60 (seconds), 5m or 2h; got {text!r}.")
    return seconds


def often_in(text: str | None) -> int | str | None:
    """Return a --checkpoint-every as `Network.fit` takes it: epochs, or seconds.

    Examples
    --------
    >>> often_in("5"), often_in("5m")
    (5, '300.0s')
    """
    if text is None:
        return None
    if text.strip().isdecimal() and int(text) > 0:
        return int(text)
    seconds = seconds_in(text) if text.strip()[-1:].isalpha() else math.nan
    if not 0 <= seconds < math.inf:
        raise OptionError(f"--checkpoint-every needs epochs, as 5, or a time, as 30s or 5m; got {text!r}.")
    return f"{seconds}s"


def shares_in(text: str) -> float | tuple[float, ...]:
    """Return the shares of a --dropout: one for all hidden layers, or one for the inputs and for each.

    Examples
    --------
    >>> shares_in(".5"), shares_in(".2,.5")
    (0.5, (0.2, 0.5))
    """
    try:
        shares = tuple(float(part) for part in text.split(","))
    except ValueError:
        shares = (math.nan,)
    if not all(0 <= share < 1 for share in shares):
        raise OptionError(f"--dropout needs shares of at least 0 and below 1, as .5 or .2,.5,.5; got {text!r}.")
    return shares if len(shares) > 1 else shares[0]


def names_in(text: str | None) -> list[str]:
    """Return the names in a text such as ``accuracy,auc``."""
    return [name.strip() for name in (text or "").split(",") if name.strip()]


def weights_in(class_weight: str | None) -> Any:
    """Return what a text such as ``balanced`` or ``yes=5,no=1`` stands for."""
    if class_weight in (None, "balanced"):
        return class_weight
    weights: dict[str, float] = {}
    begun = ""  # of a label that has a comma in it
    for part in class_weight.split(","):
        begun, equals, number = (begun + part).rpartition("=")
        if not equals:
            begun = f"{number},"
            continue
        label, begun = begun.strip(), ""
        if label in weights:
            raise OptionError(f"--class-weight has {label!r} twice.")
        try:
            weights[label] = float(number)
        except ValueError:
            weights[label] = -1.0
        if not 0 <= weights[label] < float("inf"):
            raise _not_weights(part)
    if begun or not weights:
        raise _not_weights(begun[:-1])
    return weights


def _not_weights(part: str) -> OptionError:
    return OptionError(
        f"--class-weight needs balanced, or label=weight with commas between, weights of at least 0; got {part!r}."
    )


def units_in(hidden: str) -> tuple[int, ...]:
    """Return the units in a text such as ``32,16``; ``0`` is no hidden layer."""
    if hidden.strip() == "0":
        return ()
    try:
        units = tuple(int(part) for part in hidden.split(","))
    except ValueError:
        units = (0,)
    if not all(1 <= unit < _MOST_UNITS for unit in units):
        raise OptionError(f"--hidden needs whole numbers of at least 1 such as 32,16, or 0; got {hidden!r}.")
    return units
