"""``deltaprop draw``: pictures of the network: itself, one of its units, its weights, what its units see, h and h′."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from deltaprop.cli.arguments import ModelFile, load_table_model, read_for, refuse_same_file
from deltaprop.cli.output import printable
from deltaprop.errors import OptionError, TableError

if TYPE_CHECKING:
    from deltaprop.table_model import TableModel


def draw(
    model: ModelFile,
    table: Annotated[
        Path | None, typer.Argument(metavar="TABLE", help="A CSV or Parquet file: the numbers of one row, too.")
    ] = None,
    row: Annotated[
        int | None, typer.Option(help="Which row; the first below the header is 1, the one drawn by default.", min=1)
    ] = None,
    unit: Annotated[
        str | None, typer.Option(help="Draw this unit alone: z1.2 is unit 2 of hidden layer 1.", metavar="NAME")
    ] = None,
    weights: Annotated[
        bool,
        typer.Option("--weights", help="Draw the weights as heat maps; with TABLE also ∂E/∂w of all rows, or one."),
    ] = False,
    boundary: Annotated[
        tuple[str, str] | None,
        typer.Option(
            help="Draw the decision boundary over two columns of TABLE, and what every hidden unit sees of them. "
            "Others are at their mean, or as in --row.",
            metavar="COLUMN COLUMN",
        ),
    ] = None,
    activation: Annotated[
        bool, typer.Option("--activation", help="Draw h and h′ of the layers; with TABLE also which a its rows bring.")
    ] = False,
    out: Annotated[
        Path | None,
        typer.Option(
            help="Where to draw: svg; of weights, boundary and activation also png or pdf. network.svg, weights.svg, …",
            metavar="FILE",
        ),
    ] = None,
) -> None:
    """Draw the network; with a table also what one row does in it, forward and back."""
    from deltaprop.storage import check_place

    kinds = {"weights": weights, "boundary": boundary is not None, "activation": activation}
    asked = [f"--{name}" for name, wanted in {"unit": unit is not None, **kinds}.items() if wanted]
    if len(asked) > 1:
        raise OptionError(f"{' and '.join(asked)}: one picture at a time.")
    kind = next((name for name, wanted in kinds.items() if wanted), "network")
    out = Path(f"{kind}.svg") if out is None else out
    _check_suffix(kind, out)
    refuse_same_file(out, "--out", model, "the model")
    if table is not None:
        refuse_same_file(out, "--out", table, "the table")
    check_place(out)
    fitted = load_table_model(model)
    if table is None:
        for option, given in (("--unit", unit), ("--row", row), ("--boundary", boundary)):
            if given is not None:
                raise OptionError(f"{option} needs a TABLE: {_WHY[option]}.")
    data = None if table is None else read_for(fitted, table)
    if data is not None and row is not None and row > data.num_rows:
        raise OptionError(f"--row {row}: {table} has {data.num_rows:,} rows.")
    place = None if row is None else row - 1
    if kind == "network":
        _network(fitted, data, place or 0, unit).save(out)
    elif kind == "weights":
        fitted.plot_weights(data, place).save(out)
    elif kind == "activation":
        if row is not None:
            raise OptionError("--row is not of --activation, which takes all rows.")
        fitted.plot_activation(data).save(out)
    elif boundary is not None:
        try:
            fitted.plot_boundary(data, boundary, row=place).save(out)
        except TableError as error:
            raise OptionError(f"--boundary: {str(error).removeprefix('TableModel.plot_boundary: ')}") from None
    print(f"drew {printable(out)}")


_WHY = {
    "--unit": "a unit is drawn with the numbers of one of its rows",
    "--row": "it is one of its rows",
    "--boundary": "the plane is over two of its columns",
}


def _check_suffix(kind: str, out: Path) -> None:
    """Refuse the name of a file that this picture cannot be, and matplotlib's pictures where it is missing."""
    from deltaprop.errors import optional
    from deltaprop.picture import PICTURES

    if kind == "network" and out.suffix.lower() != ".svg":
        raise OptionError(f"--out {out}: a drawing's name needs to end in .svg.")
    if out.suffix.lower() not in PICTURES:
        raise OptionError(f"--out {out}: a picture's name needs to end in {', '.join(PICTURES)}.")
    if kind != "network":
        optional("matplotlib", "plot")


def _network(fitted: TableModel, data: Any, row: int, unit: str | None) -> Any:
    """Return the drawing of the network, or of a unit, with a row's numbers where there is a table."""
    if data is None:
        return fitted.draw()
    try:
        return fitted.draw(data, row, unit=unit)
    except ValueError as error:
        raise OptionError(f"--unit: {str(error).partition(': ')[2]}") from None
