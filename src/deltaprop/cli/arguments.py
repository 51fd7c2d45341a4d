"""Arguments that several commands take, and what they stand for."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    import pyarrow as pa

    from deltaprop.table_model import TableModel

ModelFile = Annotated[Path, typer.Argument(metavar="MODEL", help="A model file that `deltaprop fit` wrote.")]
TableFile = Annotated[Path, typer.Argument(metavar="TABLE", help="A CSV or Parquet file.")]


def load_table_model(path: Path) -> TableModel:
    """Return the TableModel in a file; raise ModelFileError where it holds a bare network."""
    from deltaprop import load
    from deltaprop.errors import ModelFileError
    from deltaprop.network import Network

    model = load(path)
    if isinstance(model, Network):
        raise ModelFileError(
            f"{path}: holds a network without the columns of a table; in Python, deltaprop.load returns it."
        )
    return model


def read_for(model: TableModel, path: Path) -> pa.Table:
    """Return a table as the model reads it, with a note on columns that it does not look at."""
    from deltaprop.cli.output import say

    table = model.read(path)
    unused = model.unused_columns(table)
    if unused:
        say(f"note: columns not met in training are ignored: {', '.join(unused)}")
    return table
