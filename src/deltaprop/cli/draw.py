"""``deltaprop draw``: a picture of the network, or of one of its units, with the numbers of a row."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from deltaprop.cli.arguments import ModelFile, load_table_model, read_for, refuse_same_file
from deltaprop.cli.output import printable
from deltaprop.errors import OptionError


def draw(
    model: ModelFile,
    table: Annotated[
        Path | None, typer.Argument(metavar="TABLE", help="A CSV or Parquet file: the numbers of one row, too.")
    ] = None,
    row: Annotated[int, typer.Option(help="Which row; the first below the header is 1.", min=1)] = 1,
    unit: Annotated[
        str | None, typer.Option(help="Draw this unit alone: z1.2 is unit 2 of hidden layer 1.", metavar="NAME")
    ] = None,
    out: Annotated[Path, typer.Option(help="Where to draw, as svg.", metavar="FILE")] = Path("network.svg"),
) -> None:
    """Draw the network; with a table also what one row does in it, forward and back."""
    from deltaprop.storage import check_place

    if out.suffix.lower() != ".svg":
        raise OptionError(f"--out {out}: a drawing's name needs to end in .svg.")
    refuse_same_file(out, "--out", model, "the model")
    check_place(out)
    fitted = load_table_model(model)
    if table is None:
        if unit is not None:
            raise OptionError("--unit needs a TABLE: a unit is drawn with the numbers of one of its rows.")
        drawing = fitted.draw()
    else:
        refuse_same_file(out, "--out", table, "the table")
        data = read_for(fitted, table)
        if row > data.num_rows:
            raise OptionError(f"--row {row}: {table} has {data.num_rows:,} rows.")
        try:
            drawing = fitted.draw(data, row - 1, unit=unit)
        except ValueError as error:
            raise OptionError(f"--unit: {str(error).partition(': ')[2]}") from None
    drawing.save(out)
    print(f"drew {printable(out)}")
