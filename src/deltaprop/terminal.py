"""What people read on a terminal: one line at a time, on standard error, and harmless whatever a table holds."""

from __future__ import annotations

import contextlib
import sys


def printable(text: object) -> str:
    r"""Return text on one line and without control characters, which a stranger's table may hold.

    Examples
    --------
    >>> printable("two\nlines\x1b[31m")
    'two lines�[31m'
    """
    return "".join(c if c.isprintable() else " " if c.isspace() else "\N{REPLACEMENT CHARACTER}" for c in str(text))


def say(line: object) -> None:
    """Print one line on standard error, where standard output stays clean; nobody need be reading it."""
    with contextlib.suppress(BrokenPipeError):
        print(printable(line), file=sys.stderr, flush=True)
