"""The commands, put together, and what becomes of their errors."""

from __future__ import annotations

import re
import warnings
from collections.abc import Sequence
from typing import Annotated, Any

import typer

from deltaprop.cli import check, derive, draw, evaluate, find_eta, fit, health, predict, report, show, trace
from deltaprop.cli.list import list_functions
from deltaprop.errors import (
    DivergenceError,
    MissingExtraError,
    ModelFileError,
    NotFittedError,
    OptionError,
    ResumeError,
    TableError,
)
from deltaprop.foreign_words import option_for
from deltaprop.terminal import say

# What is the caller's to mend, and said in one line; anything else is ours, and shows where.
_CALLERS = (DivergenceError, MissingExtraError, ModelFileError, NotFittedError, OptionError, ResumeError, TableError)

_OF_AN_ARGUMENT = re.compile(r"(TableModel|Network)\.\w+: ")

app = typer.Typer(
    help="Backpropagation you can read, check, and run at the speed of the machine.",
    epilog="Start with: deltaprop fit TABLE --target COLUMN",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
app.command()(fit.fit)
app.command("find-eta")(find_eta.find_eta)
for command in (
    predict.predict, evaluate.evaluate, trace.trace, derive.derive, draw.draw, report.report, check.check,
    health.health, show.show,
):  # fmt: skip
    app.command()(command)
app.command("list")(list_functions)


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        print(f"deltaprop {version('deltaprop')}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Backpropagation you can read, check, and run at the speed of the machine."""


def _in_our_words(error: Any) -> str:
    """Return what the parser of the command line says; another library's option is answered with ours."""
    here = option_for(getattr(error, "option_name", None) or "")
    return str(error.format_message()) if here is None else f"No such option: {error.option_name}; here it is {here}."


def run_command(arguments: Sequence[str]) -> int:
    """Run one command and return its exit code."""
    try:
        with warnings.catch_warnings():
            warnings.showwarning = lambda message, *_, **__: say(f"note: {message}")
            return int(app(args=list(arguments), prog_name="deltaprop", standalone_mode=False) or 0)
    except typer.Abort:
        return 130
    except SystemExit as error:  # how typer takes it that the reader of our output has gone
        raise BrokenPipeError from error
    except _CALLERS as error:
        say(f"deltaprop: {error}")
        return 2
    except (TypeError, ValueError) as error:  # what the library says of an argument is of an option here
        said = _OF_AN_ARGUMENT.match(str(error))
        if said is None:
            raise
        say(f"deltaprop: {str(error)[said.end() :]}")
        return 2
    except Exception as error:
        if not hasattr(error, "format_message"):  # what the parser of the command line raises has one
            raise
        say(f"deltaprop: {_in_our_words(error) or 'no command given; try: deltaprop --help'}")
        return 2
