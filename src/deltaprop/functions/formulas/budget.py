"""How much rewriting a formula is worth: short texts can ask for exponentially much of it."""

from __future__ import annotations

import threading

from deltaprop.errors import FormulaError

_MOST = 10_000  # factors and terms that are looked at: a second or so; what people write needs some hundred


class _Spent(threading.local):
    factors = 0


_spent = _Spent()


def begin() -> None:
    """Start counting anew."""
    _spent.factors = 0


def spend(factors: int) -> None:
    """Count the factors of a product, or the terms of a sum; raise FormulaError where they are too many."""
    _spent.factors += factors
    if _spent.factors > _MOST:
        raise FormulaError("it takes too long to rewrite")
