"""The commands, put together."""

from __future__ import annotations

from typing import Annotated

import typer

from deltaprop.cli import check, evaluate, fit, predict, show, trace

app = typer.Typer(
    help="Backpropagation you can read, check, and run at the speed of the machine.",
    epilog="Start with: deltaprop fit TABLE --target COLUMN",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
for command in (fit.fit, predict.predict, evaluate.evaluate, trace.trace, check.check, show.show):
    app.command()(command)


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
