"""``deltaprop derive``: the lecture's derivation for this model, in symbols and in the numbers of a row."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from deltaprop.cli.arguments import ModelFile, check_eta, load_table_model, read_for, refuse_same_file
from deltaprop.cli.output import printable, say
from deltaprop.errors import OptionError

_SUFFIXES = (".txt", ".md", ".tex", ".html")


def derive(
    model: ModelFile,
    table: Annotated[
        Path | None, typer.Argument(metavar="TABLE", help="A CSV or Parquet file: the numbers of one row, too.")
    ] = None,
    row: Annotated[int, typer.Option(help="Which row; the first below the header is 1.", min=1)] = 1,
    eta: Annotated[float | None, typer.Option(help="Also the update, in numbers, with this learning rate.")] = None,
    out: Annotated[
        Path | None, typer.Option(help="Write it there: as .html with its formulas, .md, .tex or .txt.")
    ] = None,
) -> None:
    """Derive backpropagation for the network, step by step; with a table also in the numbers of one row."""
    check_eta(eta)
    fitted = load_table_model(model)
    if out is not None:
        if out.suffix.lower() not in _SUFFIXES:
            raise OptionError(f"--out {out}: a derivation is written as one of {', '.join(_SUFFIXES)}.")
        refuse_same_file(out, "--out", model, "the model")
    if table is None:
        if eta is not None:
            raise OptionError("--eta needs a TABLE: the update has the numbers of one of its rows.")
        found = fitted.derive()
    else:
        data = read_for(fitted, table)
        if row > data.num_rows:
            raise OptionError(f"--row {row}: {table} has {data.num_rows:,} rows.")
        if out is not None:
            refuse_same_file(out, "--out", table, "the table")
        found = fitted.derive(data, row - 1, eta=eta)
    if out is None:
        for line in str(found).split("\n"):
            print(printable(line))
        return
    found.save(out)
    say(f"saved {out}")
