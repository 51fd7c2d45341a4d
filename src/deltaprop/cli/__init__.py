"""The command line: a shell over `TableModel`, one file per command.

What goes wrong is one line on standard error and exit code 2, and nothing is left half-written; Ctrl-C is 130.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from deltaprop.terminal import say


def main() -> None:
    """Run the command line and exit with its code."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """Run one command and return its exit code: 0, 1 where a check disagrees, 2 for bad input, 130 for Ctrl-C."""
    _prepare_streams()
    code = 130
    try:
        from deltaprop.cli.app import run_command

        code = run_command(arguments)
        sys.stdout.flush()
    except KeyboardInterrupt:
        code = 130
    except BrokenPipeError:  # the reader of our output has gone: nothing is wrong
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        what = error.strerror or str(error)
        say(f"deltaprop: {error.filename}: {what}." if error.filename is not None else f"deltaprop: {what}.")
        return 2
    except MemoryError:
        say("deltaprop: there is not enough memory for this.")
        return 2
    if code == 130:
        say("deltaprop: interrupted.")
    return code


def _prepare_streams() -> None:
    """Let a terminal that lacks a character show another, and a stream that was closed take what nobody reads."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115  # for as long as we run
        elif hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
