"""A table from wherever people have it: a CSV or Parquet file, a frame, a dict of columns. Arrow is the common form."""

from __future__ import annotations

import csv
import io
import os
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from deltaprop.errors import TableError, did_you_mean, optional

if TYPE_CHECKING:
    import pyarrow as pa

TableLike = Any  # a path, a pyarrow.Table, a pandas or polars frame, or a mapping of columns

# What a cell says when it says nothing: pandas' list, and the "?" of the UCI tables.
_MISSING = [
    *("", "?", "NA", "N/A", "n/a", "<NA>", "#N/A", "#N/A N/A", "#NA", "NULL", "null", "None"),
    *("NaN", "nan", "-NaN", "-nan", "1.#IND", "-1.#IND", "1.#QNAN", "-1.#QNAN"),
]
_DELIMITERS = ",;\t|"
_PARQUET_MAGIC = b"PAR1"


def read_table(source: TableLike, *, text: Collection[str] = ()) -> pa.Table:
    """Return a table with named columns and at least one row.

    Parameters
    ----------
    source : path-like, pyarrow.Table, frame or mapping
        A CSV file (separated by comma, semicolon, tab or bar; compressed or not), a Parquet file, a pandas or polars
        frame or whatever else speaks Arrow, or a mapping of names to columns.
    text : collection of str, optional
        Columns of a CSV file that are text even where all their cells look like numbers.

    Returns
    -------
    pyarrow.Table
        With every name once. An index that a pandas frame had is no column.

    Raises
    ------
    FileNotFoundError, OSError
        If there is no such file, or it cannot be read.
    TableError
        If it is no table, has no rows, or a name stands twice.
    MissingExtraError
        If pyarrow is not installed.

    Examples
    --------
    >>> read_table({"height": [1.7, None], "eyes": ["blue", "brown"]}).column_names
    ['height', 'eyes']
    """
    pa = optional("pyarrow", "table")
    name = "table"
    if isinstance(source, str | os.PathLike):
        name = os.fspath(source)
        table = _read_file(name, text)
    elif isinstance(source, pa.Table):
        table = source
    elif isinstance(source, Mapping) or hasattr(source, "__arrow_c_stream__"):
        try:
            table = pa.table(source)
        except (ValueError, TypeError, pa.ArrowException) as error:
            raise TableError(f"{name}: {_one_line(error)}.") from None
    else:
        raise TypeError(
            f"A table needs to be a path, a pandas or polars frame, a pyarrow.Table or a mapping of columns; "
            f"got {type(source).__name__}."
        )
    _check_names(name, table.column_names)
    table = _without_index(table)
    if not table.num_columns or not table.num_rows:
        raise TableError(f"{name}: the table is empty: {table.num_columns} columns, {table.num_rows} rows.")
    return table


def column_of(table: pa.Table, name: str, *, what: str = "column") -> pa.ChunkedArray:
    """Return the column called ``name``; raise TableError, with the nearest name, where there is none."""
    if name not in table.column_names:
        raise TableError(
            f"No {what} {name!r} in the table.{did_you_mean(name, table.column_names)} "
            f"Its columns: {', '.join(table.column_names)}."
        )
    return table.column(name)


def _read_file(path: str, text: Collection[str]) -> pa.Table:
    pa = optional("pyarrow", "table")
    with open(path, "rb") as file:
        magic = file.read(len(_PARQUET_MAGIC))
    try:
        if magic == _PARQUET_MAGIC:
            return optional("pyarrow.parquet", "table").read_table(path)
        with pa.input_stream(path, compression="detect") as stream:
            return _parse_csv(path, stream.read(), text)
    except (pa.ArrowException, EOFError, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        raise TableError(f"{path}: not a table that can be read: {_one_line(error)}.") from None


def _parse_csv(path: str, data: bytes, text: Collection[str]) -> pa.Table:
    pa_csv = optional("pyarrow.csv", "table")
    pa = optional("pyarrow", "table")
    data = data.removeprefix(b"\xef\xbb\xbf").lstrip(b"\r\n")
    if b"\0" in data[:4096]:
        raise TableError(f"{path}: neither a CSV nor a Parquet file.")
    head = data[:1_000_000].decode("utf-8", "replace")
    delimiter = _delimiter(head.splitlines()[0] if head else "")
    header = next(csv.reader(io.StringIO(head, newline=""), delimiter=delimiter), [])
    if not header:
        raise TableError(f"{path}: the table is empty: it has no header.")
    # As pandas does: a column without a name, such as an index that was written, is called after its place.
    names = [name.strip() or f"Unnamed: {k}" for k, name in enumerate(header)]
    _check_names(path, names)
    table = pa_csv.read_csv(
        io.BytesIO(data),
        # In one block, so that a column's type is found from all of its cells.
        read_options=pa_csv.ReadOptions(block_size=min(len(data) + 1, 2**31 - 1)),
        parse_options=pa_csv.ParseOptions(delimiter=delimiter, newlines_in_values=True),
        convert_options=pa_csv.ConvertOptions(
            null_values=_MISSING,
            strings_can_be_null=True,
            column_types={raw: pa.string() for raw, name in zip(header, names, strict=True) if name in text},
        ),
    )
    table = table.rename_columns(names)
    for name, kind in zip(names, table.schema.types, strict=True):
        if pa.types.is_binary(kind):
            raise TableError(f"{path}: column {name!r} is not UTF-8 text; save the file as UTF-8.")
    return table


def _check_names(path: str, names: Sequence[str]) -> None:
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise TableError(f"{path}: more than one column is called {twice[0]!r}.")


def _delimiter(header: str) -> str:
    """Return the delimiter that stands most often in the header, outside quotes."""
    bare = "".join(header.split('"')[::2])
    return max(_DELIMITERS, key=bare.count)


def _without_index(table: pa.Table) -> pa.Table:
    described = table.schema.pandas_metadata or {}
    index = [name for name in described.get("index_columns", []) if isinstance(name, str)]
    return table.drop_columns([name for name in index if name in table.column_names])


def _one_line(error: BaseException) -> str:
    return " ".join(" ".join(str(part) for part in error.args).split()).rstrip(".")
