"""The plane over two columns of a table, in the table's own units, and what the outputs of its network stand for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from deltaprop.arrays import Array
from deltaprop.data import TableEncoder, Target
from deltaprop.data.arrow import numbers
from deltaprop.data.columns import NumericColumn
from deltaprop.data.tables import column_of
from deltaprop.data.targets import Quantity, label_text
from deltaprop.errors import TableError, did_you_mean, optional
from deltaprop.inspection.pictures import Plane
from deltaprop.inspection.pictures.meaning import Meaning
from deltaprop.inspection.pictures.plane import check_grid, check_two, grid_around

if TYPE_CHECKING:
    import pyarrow as pa


def plane_of_columns(
    encoder: TableEncoder, data: pa.Table, over: Sequence[str], row: int | None, grid: int, where: str
) -> tuple[Plane, Array]:
    """Return the plane over two columns of a table, and which of its rows have a place on it.

    Other columns are held at a row's cells, or at their mean, text at the text that is most frequent.
    """
    check_two(over, where)
    numeric = {column.name: column for column in encoder.columns if isinstance(column, NumericColumn)}
    for name in over:
        _check_column(encoder, numeric, name, where)
    if over[0] == over[1]:
        raise TableError(f"{where}: over needs two different columns; got {over[0]!r} twice.")
    values = np.stack([numbers(name, column_of(data, name)) for name in over], axis=1)
    there = np.flatnonzero(np.isfinite(values).all(axis=1))
    if not len(there):
        raise TableError(f"{where}: no row has a cell in both {over[0]!r} and {over[1]!r}.")
    points = values[there]
    encoder.encode(data.slice(0, 1))  # says which columns are missing
    across, up = (grid_around(points[:, k], check_grid(grid, where)) for k in range(2))
    arrow = optional("pyarrow", "table")
    held = _middle(encoder, data) if row is None else data.select([c.name for c in encoder.columns]).slice(row, 1)
    many = held.take(arrow.array(np.zeros(grid * grid, np.int64)))
    for name, cells in zip(over, (np.tile(across, grid), np.repeat(up, grid)), strict=True):
        many = many.set_column(many.schema.get_field_index(name), name, arrow.array(cells))
    X = encoder.encode(many)
    return Plane((over[0], over[1]), across, up, X, points, _held(encoder, row)), there


def _check_column(encoder: TableEncoder, numeric: dict[str, NumericColumn], name: str, where: str) -> None:
    """Raise TableError where the model has no numeric column of this name."""
    if name in numeric:
        return
    known = [column.name for column in encoder.columns]
    if name in known:
        raise TableError(f"{where}: column {name!r} holds text, and a plane is over numbers.")
    some = ", ".join(list(numeric)[:8]) + (", …" if len(numeric) > 8 else "")
    raise TableError(
        f"{where}: the model has no column {name!r}.{did_you_mean(name, known)} Of numbers there are: {some or 'none'}."
    )


def _held(encoder: TableEncoder, row: int | None) -> str:
    n = len(encoder.columns) - 2
    if not n:
        return ""
    columns = "the other column" if n == 1 else f"the {n} other columns"
    if row is not None:
        return f"{columns} as in row {row + 1}"
    texts = sum(not isinstance(column, NumericColumn) for column in encoder.columns)
    if not texts:
        return f"{columns} at {'its' if n == 1 else 'their'} mean"
    return f"{columns} at {'its' if n == 1 else 'their'} mean or most frequent text"


def _middle(encoder: TableEncoder, data: pa.Table) -> pa.Table:
    """Return a table of one row: the mean of each column of numbers, of others the most frequent text."""
    cells: dict[str, Any] = {}
    arrow = optional("pyarrow", "table")
    for column in encoder.columns:
        own = column_of(data, column.name)
        if isinstance(column, NumericColumn):
            values = numbers(column.name, own)
            known = values[np.isfinite(values)]
            cells[column.name] = arrow.array([float(known.mean()) if len(known) else column.median])
        else:
            texts = Counter(text for text in own.to_pylist() if text is not None)
            most = max(texts, key=lambda text: (texts[text], str(text))) if texts else None
            cells[column.name] = arrow.array([most], own.type)
    return arrow.table(cells)


def meaning_of_target(target: Target, data: pa.Table, there: Array) -> Meaning:
    """Return what the outputs stand for, with the target of the rows that have a place; none where it is no column."""
    outputs = tuple(target.outputs)
    known = target.name in data.column_names
    truth = target.encode(data.column(target.name))[1][there] if known else np.empty(0)
    if isinstance(target, Quantity):
        return Meaning(outputs, (), truth[:, None] if known else truth, shown=target.own_unit)
    classes = tuple(label_text(label) for label in target.labels)
    if len(outputs) > 1:
        return Meaning(outputs, classes, truth)
    return Meaning(outputs, classes, truth[:, None] if known else truth, level=0.5)
