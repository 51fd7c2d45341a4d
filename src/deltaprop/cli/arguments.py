"""Arguments that several commands take, and what they stand for."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from deltaprop.errors import OptionError, TableError
from deltaprop.terminal import say

if TYPE_CHECKING:
    import pyarrow as pa

    from deltaprop.table_model import TableModel

ModelFile = Annotated[Path, typer.Argument(metavar="MODEL", help="A model file that `deltaprop fit` wrote.")]
TableFile = Annotated[Path, typer.Argument(metavar="TABLE", help="A CSV or Parquet file.")]


def check_eta(eta: float | None) -> None:
    """Raise OptionError where an --eta is no learning rate."""
    if eta is not None and not 0 <= eta < float("inf"):
        raise OptionError(f"--eta needs to be finite and at least 0; got {eta:g}.")


def check_page(path: Path, option: str) -> None:
    """Raise OptionError where a file that a page goes into has the name of something else."""
    if path.suffix.lower() not in (".html", ".htm"):
        raise OptionError(f"{option} {path}: a page's name needs to end in .html or .htm.")


def refuse_same_file(out: Path, option: str, other: Path, what: str) -> None:
    """Raise OptionError where what is to be written would replace something that is read, or written too."""
    if os.path.realpath(out) == os.path.realpath(other) and (other.is_file() or not other.exists()):
        raise OptionError(f"{option} {out} is the same file as {what}.")


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
    """Return a table as the model reads it, with notes on what does not match."""
    table = model.read(path)
    try:
        notes = model.notes_on(table)
    except TableError:  # a column is missing, or of another type: the command itself will say so
        notes = []
    for note in notes:
        say(f"note: {note}")
    return table
