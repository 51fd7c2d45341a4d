"""How much work a simplification may be: counted in calls of functions, so that it does not depend on the machine."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

_MOST = 1_000_000  # calls of functions written in Python: about two seconds; what people write needs a tenth of that


class TooLongError(BaseException):
    """A simplification was given up; SymPy, which catches many an Exception, must not catch it."""


@contextmanager
def limited(most: int | None = None) -> Iterator[None]:
    """Raise TooLongError where what is done needs more than so many calls of functions.

    They are counted by Python's tracing, which there is one of: while a debugger or a measurement of coverage has it,
    or within another count, nothing is counted.

    Examples
    --------
    >>> def double(x):
    ...     return 2 * x
    >>> try:
    ...     with limited(1000):
    ...         x = [double(k) for k in range(10_000)]
    ... except TooLongError:
    ...     print("too long")
    too long
    """
    if sys.gettrace() is not None:
        yield
        return
    left = _MOST if most is None else most

    def count(frame: FrameType, event: str, argument: Any) -> None:
        nonlocal left
        left -= 1
        if left < 0:
            raise TooLongError

    sys.settrace(count)
    try:
        yield
    finally:
        sys.settrace(None)
