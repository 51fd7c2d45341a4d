"""The command line: a shell over `TableModel`, one file per command.

What goes wrong is one line on standard error and exit code 2, and nothing is left half-written; Ctrl-C is 130.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from deltaprop.cli.output import say


def main() -> None:
    """Run the command line and exit with its code."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """Run one command and return its exit code: 0, 1 where a check disagrees, 2 for bad input, 130 for Ctrl-C."""
    import typer

    from deltaprop.cli.app import app

    try:
        code = app(args=list(arguments), prog_name="deltaprop", standalone_mode=False)
        sys.stdout.flush()
    except (KeyboardInterrupt, typer.Abort):
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
    except Exception as error:
        message = _message(error)
        if message is None:
            raise
        say(f"deltaprop: {message}")
        return 2
    if code == 130:
        say("deltaprop: interrupted; nothing was written.")
    return int(code or 0)


def _message(error: Exception) -> str | None:
    """Return the line for an error that is the caller's to mend, None for one that is ours."""
    from deltaprop.errors import DivergenceError, MissingExtraError

    if hasattr(error, "format_message"):  # what the parser of the command line raises
        return str(error.format_message()) or "no command given; try: deltaprop --help"
    if isinstance(error, ValueError | TypeError | DivergenceError | MissingExtraError):
        return str(error)
    return None
