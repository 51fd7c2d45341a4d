"""Rows of a table as its network sees them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from deltaprop.arrays import Array
from deltaprop.data import TableEncoder, Target
from deltaprop.data.tables import column_of
from deltaprop.data.targets import Labels, shorten
from deltaprop.errors import TableError

if TYPE_CHECKING:
    import pyarrow as pa


def check_row(data: pa.Table, row: int, where: str) -> None:
    """Raise IndexError where a table has no such row."""
    if not 0 <= row < data.num_rows:
        raise IndexError(f"{where}: there is no row {row}; the table has {data.num_rows:,}, counted from 0.")


def unmet(data: pa.Table, target: Target, row: int) -> TableError:
    """Return the error of a row whose label was not met in training."""
    label = shorten(str(data.column(target.name)[row]))
    return TableError(f"The label {label} of row {row + 1} was not met in training: it has no r.")


def samples_of(
    data: pa.Table, encoder: TableEncoder, target: Target, rows: Sequence[int], where: str
) -> tuple[Array, Array]:
    """Return x and r of rows of a table, counted from 0; raise IndexError or TableError."""
    column_of(data, target.name, what="target column")
    for row in rows:
        check_row(data, row, where)
    part = data.take(np.array(rows, np.int64))
    r, truth = target.encode(part.column(target.name))
    if isinstance(target, Labels) and (truth < 0).any():
        raise unmet(data, target, rows[int(np.argmax(truth < 0))])
    return encoder.encode(part), r
