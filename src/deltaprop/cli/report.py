"""``deltaprop report``: a page that steps forwards and backwards through one update of the model, with numbers."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from deltaprop.cli.arguments import (
    ModelFile,
    TableFile,
    check_eta,
    check_page,
    load_table_model,
    read_for,
    refuse_same_file,
)
from deltaprop.cli.output import printable
from deltaprop.errors import OptionError


def report(
    model: ModelFile,
    table: TableFile,
    out: Annotated[Path, typer.Option(help="Where to write the page.", metavar="FILE")] = Path("report.html"),
    samples: Annotated[
        int | None, typer.Option(help="How many rows to step through, the first ones; by default up to 100.", min=1)
    ] = None,
    eta: Annotated[
        float | None, typer.Option(help="The learning rate of the updates; by default the last of the training.")
    ] = None,
) -> None:
    """Write one page to step through an update of the network, forward and back, with the numbers of rows.

    `deltaprop fit --report` writes one that goes from update to update of the training.
    """
    from deltaprop.storage import check_place

    check_eta(eta)
    check_page(out, "--out")
    refuse_same_file(out, "--out", model, "the model")
    refuse_same_file(out, "--out", table, "the table")
    check_place(out)
    fitted = load_table_model(model)
    data = read_for(fitted, table)
    if samples is not None and samples > data.num_rows:
        raise OptionError(f"--samples {samples}: {table} has {data.num_rows:,} rows.")
    fitted.report(data, out, samples=None if samples is None else range(samples), eta=eta)
    print(f"wrote {printable(out)}")
