"""``deltaprop health``: what keeps a model from learning, in words with the figures."""

from __future__ import annotations

from typing import Annotated

import typer

from deltaprop.cli.arguments import ModelFile, TableFile, check_eta, load_table_model, read_for
from deltaprop.cli.output import printable


def health(
    model: ModelFile,
    table: TableFile,
    eta: Annotated[float | None, typer.Option(help="Also look at steps of this learning rate.")] = None,
) -> None:
    """Look for what keeps the network from learning, on its training table; exit 1 where there is something."""
    check_eta(eta)
    fitted = load_table_model(model)
    report = fitted.health(read_for(fitted, table), eta=eta)
    for line in str(report).split("\n"):
        print(printable(line))
    if not report.ok:
        raise typer.Exit(1)
