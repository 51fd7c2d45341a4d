"""A table from wherever people have it: a CSV or Parquet file, a frame, a dict of columns. Arrow is the common form."""

from __future__ import annotations

import csv
import io
import os
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

from deltaprop.data.arrow import MISSING, as_numbers, plain
from deltaprop.errors import TableError, did_you_mean, optional

if TYPE_CHECKING:
    import pyarrow as pa

TableLike = Any  # a path, a pyarrow.Table, a pandas or polars frame, or a mapping of columns

_DELIMITERS = ",;\t|"
_LINES = 5  # of a CSV, by which its delimiter is found
_LARGE = 1_000_000  # bytes
_MOST_NAMES = 50  # in an error
_PARQUET_MAGIC = b"PAR1"
_COMPRESSED = {".gz": "gzip", ".bz2": "bz2", ".zst": "zstd", ".lz4": "lz4", ".br": "brotli"}


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
        table = _from_frame(source)
    else:
        raise TypeError(
            f"A table needs to be a path, a pandas or polars frame, a pyarrow.Table or a mapping of columns; "
            f"got {type(source).__name__}."
        )
    names = _clean_names(name, table.column_names)
    try:
        table = pa.table([plain(column) for column in table.columns], names, metadata=table.schema.metadata)
    except (pa.ArrowException, ValueError) as error:
        raise TableError(f"{name}: {_one_line(error)}.") from None
    table = _without_index(table)
    if not table.num_columns or not table.num_rows:
        raise TableError(f"{name}: the table is empty: {table.num_columns} columns, {table.num_rows} rows.")
    return table


def column_of(table: pa.Table, name: str, *, what: str = "column") -> pa.ChunkedArray:
    """Return the column called ``name``; raise TableError, with the nearest name, where there is none."""
    place = table.schema.get_field_index(name)
    if place < 0:
        names = table.column_names
        some = ", ".join(names[:_MOST_NAMES]) + (", …" if len(names) > _MOST_NAMES else "")
        raise TableError(f"No {what} {name!r} in the table.{did_you_mean(name, names)} Its columns: {some}.")
    return table.column(place)


def _from_frame(source: Any) -> pa.Table:
    pa = optional("pyarrow", "table")
    if type(source).__module__.partition(".")[0] == "pandas":
        source = source.set_axis([str(name) for name in source.columns], axis=1)  # 1 and ("a", "b") are names, too
    try:
        return pa.table(source)
    except (ValueError, TypeError, pa.ArrowException) as error:
        raise TableError(f"table: {_one_line(error)}.") from None


def _read_file(path: str, text: Collection[str]) -> pa.Table:
    pa = optional("pyarrow", "table")
    with open(path, "rb") as file:  # once: it may be a pipe
        data = file.read()
    try:
        if data.startswith(_PARQUET_MAGIC):
            return optional("pyarrow.parquet", "table").read_table(pa.BufferReader(data))
        with pa.input_stream(
            pa.BufferReader(data), compression=_COMPRESSED.get(os.path.splitext(path)[1].lower())
        ) as stream:
            return _parse_csv(path, stream.read(), text)
    except (pa.ArrowException, EOFError, OSError, csv.Error) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        raise TableError(f"{path}: not a table that can be read: {_one_line(error)}.") from None


def _parse_csv(path: str, data: bytes, text: Collection[str]) -> pa.Table:
    pa_csv = optional("pyarrow.csv", "table")
    pa = optional("pyarrow", "table")
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise TableError(f"{path}: is UTF-16 text; save the file as UTF-8.")
    data = data.removeprefix(b"\xef\xbb\xbf").lstrip(b"\r\n")
    if b"\0" in data[:4096]:
        raise TableError(f"{path}: neither a CSV nor a Parquet file.")
    try:
        delimiter, header = _read_header(data)
    except UnicodeDecodeError:
        raise TableError(f"{path}: its header is not UTF-8 text; save the file as UTF-8.") from None
    if not header:
        raise TableError(f"{path}: the table is empty: it has no header.")
    names = _clean_names(path, header)
    threads = len(data) > _LARGE  # a small file is parsed before they have started
    table = pa_csv.read_csv(
        io.BytesIO(data if data.endswith((b"\n", b"\r")) else data + b"\n"),
        # In one block, so that a column's type is found from all of its cells.
        read_options=pa_csv.ReadOptions(block_size=min(len(data) + 2, 2**31 - 1), use_threads=threads),
        parse_options=pa_csv.ParseOptions(
            delimiter=delimiter,
            newlines_in_values=True,
            ignore_empty_lines=len(header) > 1,  # of a single column a blank line is a missing cell
        ),
        convert_options=pa_csv.ConvertOptions(
            null_values=MISSING,
            strings_can_be_null=True,
            column_types={raw: pa.string() for raw, name in zip(header, names, strict=True) if name in text},
        ),
    )
    columns = []
    for name, column in zip(names, table.columns, strict=True):
        if pa.types.is_binary(column.type):
            raise TableError(f"{path}: column {name!r} is not UTF-8 text; save the file as UTF-8.")
        inferred = None
        if pa.types.is_string(column.type) and name not in text:
            inferred = as_numbers(column, decimal_comma=delimiter != ",")
        columns.append(column if inferred is None else inferred)
    return pa.table(columns, names)


def _read_header(data: bytes) -> tuple[str, list[str]]:
    """Return the delimiter, and the names of the columns as they are written; raise UnicodeDecodeError.

    The delimiter is the one that divides the first lines into the most fields, equally many in each; where there is
    none such, it is the one that stands most often in the header.
    """
    fields = {}
    for delimiter in _DELIMITERS:
        try:
            counts = [len(record) for record in islice(_records(data, delimiter), _LINES)]
        except csv.Error:  # a field too long to be one
            counts = []
        fields[delimiter] = (len(set(counts)) == 1 and counts[0] > 1, counts[0] if counts else 0)
    delimiter = max(_DELIMITERS, key=lambda each: fields[each])
    header = next(_records(data, delimiter), [])
    return delimiter, [name.encode("latin-1").decode() for name in header]


def _records(data: bytes, delimiter: str) -> Iterator[list[str]]:
    lines = io.TextIOWrapper(io.BytesIO(data), encoding="latin-1", newline="")  # byte by byte
    return (record for record in csv.reader(lines, delimiter=delimiter) if record)


def _clean_names(path: str, raw: Sequence[str]) -> list[str]:
    """Return the names of the columns without blanks around them; raise TableError where one stands twice.

    As pandas does: a column without a name, such as an index that was written, is called after its place.
    """
    names = [name.strip() or f"Unnamed: {k}" for k, name in enumerate(raw)]
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise TableError(f"{path}: more than one column is called {twice[0]!r}.")
    return names


def _without_index(table: pa.Table) -> pa.Table:
    try:
        described = table.schema.pandas_metadata
        index = {name for name in described["index_columns"] if isinstance(name, str)}
    except (ValueError, KeyError, TypeError):  # none, or none that pandas wrote
        return table
    return table.drop_columns([name for name in table.column_names if name in index])


def _one_line(error: BaseException) -> str:
    return " ".join(" ".join(str(part) for part in error.args).split()).rstrip(".")
