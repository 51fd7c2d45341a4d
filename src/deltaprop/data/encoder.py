"""All the columns of a table as the inputs X of a network, and back from a model file."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from deltaprop.data.arrow import first_stray_text, levels_of
from deltaprop.data.columns import Column, NumericColumn, TextColumn, UselessColumnError, check_column, fit_column
from deltaprop.data.tables import column_of
from deltaprop.errors import TableError

if TYPE_CHECKING:
    import pyarrow as pa

_KINDS: dict[str, type[Column]] = {kind.kind: kind for kind in (NumericColumn, TextColumn)}


@dataclass(frozen=True)
class TableEncoder:
    """What turns rows of a table into rows of X.

    Attributes
    ----------
    columns : tuple of NumericColumn and TextColumn
        The columns that become inputs, in the table's order.
    """

    columns: tuple[Column, ...]

    @property
    def inputs(self) -> list[str]:
        """The names of the inputs, x_1, x_2, …: a column's name, ``column=level``, or ``column (missing)``.

        Where two would be the same, because a column is named like another's level, the later ones are numbered.
        """
        names: dict[str, None] = {}
        for name in (name for column in self.columns for name in column.inputs):
            unique, twin = name, 2
            while unique in names:
                unique, twin = f"{name} ({twin})", twin + 1
            names[unique] = None
        return list(names)

    def first_inputs(self) -> Iterator[tuple[Column, str]]:
        """Yield each column with the name of the first input that it becomes."""
        names = iter(self.inputs)
        for column in self.columns:
            own = list(islice(names, len(column.inputs)))
            yield column, own[0]

    @property
    def text_columns(self) -> list[str]:
        """The columns that must be read as text."""
        return [column.name for column in self.columns if isinstance(column, TextColumn)]

    def encode(self, table: pa.Table) -> NDArray[np.float64]:
        """Return X (n, inputs), float64.

        Raises
        ------
        TableError
            If a column is missing, holds text where it held numbers, or a number that is not finite.
        """
        there = set(table.column_names)
        missing = [column.name for column in self.columns if column.name not in there]
        if missing:
            names = ", ".join(repr(name) for name in missing)
            raise TableError(f"The table lacks {'columns' if len(missing) > 1 else 'the column'} {names}.")
        X = np.empty((table.num_rows, len(self.inputs)))
        at = 0
        for column in self.columns:
            with np.errstate(over="ignore"):
                encoded = column.encode(column_of(table, column.name))
            if not np.isfinite(encoded).all():
                raise TableError(f"Column {column.name!r} holds numbers too large to be standardised.")
            X[:, at : at + encoded.shape[1]] = encoded
            at += encoded.shape[1]
        return X

    def unmet(self, table: pa.Table) -> list[str]:
        """Return the text columns of a table none of whose cells is a level that was met in training."""
        names = []
        for column in self.columns:
            if isinstance(column, TextColumn):
                texts = levels_of(column.name, column_of(table, column.name))[1]
                if texts and not column.known(texts):
                    names.append(column.name)
        return names

    def as_json(self) -> list[dict[str, Any]]:
        """Return what a model file keeps."""
        return [column.as_json() for column in self.columns]

    @classmethod
    def from_json(cls, data: Sequence[Mapping[str, Any]]) -> Self:
        """Return the encoder of a model file; raise KeyError, TypeError or ValueError where that is no such encoder."""
        columns = []
        for entry in data:
            parts = dict(entry)
            columns.append(_KINDS[parts.pop("kind")].from_json(parts))
        if len({column.name for column in columns}) != len(columns):
            raise ValueError("two columns have one name")
        return cls(tuple(columns))


def fit_encoder(
    table: pa.Table, leave_out: Collection[str] = (), rows: NDArray[np.integer[Any]] | None = None
) -> tuple[TableEncoder, list[str]]:
    """Learn from a table how to encode its columns.

    Parameters
    ----------
    table : pyarrow.Table
    leave_out : collection of str
        Columns that are not inputs: the target, and what the caller drops.
    rows : ndarray of int, optional
        The rows to learn from; all by default. What cannot be used is refused wherever it stands.

    Returns
    -------
    encoder : TableEncoder
    notes : list of str
        A line for each column that was left out because it cannot tell one row from another, and for each text column
        that looks as if it should have been numbers.

    Raises
    ------
    TableError
        If a column holds dates, lists or infinite values, or no column is left.

    Examples
    --------
    >>> from deltaprop.data.tables import read_table
    >>> table = read_table({"height": [1.0, 3.0, None], "eyes": ["blue", "brown", "blue"], "planet": ["Earth"] * 3})
    >>> encoder, notes = fit_encoder(table)
    >>> encoder.inputs
    ['height', 'height (missing)', 'eyes=blue', 'eyes=brown']
    >>> notes
    ["column 'planet' is ignored: every row has the same value"]
    >>> encoder.encode(table)[2]            # missing: the median 2, which is the mean
    array([0., 1., 1., 0.])
    """
    columns: list[Column] = []
    notes = []
    for name, whole in zip(table.column_names, table.columns, strict=True):
        if name in leave_out:
            continue
        check_column(name, whole)
        try:
            column = fit_column(name, whole if rows is None else whole.take(rows))
        except UselessColumnError as reason:
            notes.append(f"column {name!r} is ignored: {reason}")
            continue
        columns.append(column)
        if not isinstance(column, TextColumn):
            continue
        stray = first_stray_text(name, whole, most_are_numbers=True)
        if stray is not None:
            notes.append(
                f"column {name!r} is text because of {stray[1]!r} in row {stray[0] + 1}; most cells are numbers"
            )
    if not columns:
        raise TableError("No column is left that could tell one row from another.")
    return TableEncoder(tuple(columns)), notes
