"""What kind of column an Arrow type is, and a column's cells as NumPy and as text."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from deltaprop.arrays import Array
from deltaprop.errors import TableError, optional

if TYPE_CHECKING:
    import pyarrow as pa

# What a cell says when it says nothing: pandas' list, and the "?" of the UCI tables.
MISSING = [
    *("", "?", "NA", "N/A", "n/a", "<NA>", "#N/A", "#N/A N/A", "#NA", "NULL", "null", "None"),
    *("NaN", "nan", "-NaN", "-nan", "1.#IND", "-1.#IND", "1.#QNAN", "-1.#QNAN"),
]
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?|[+-]?inf(inity)?", re.IGNORECASE | re.ASCII)
_DECIMAL_COMMA = re.compile(r"[+-]?\d+,\d+|[+-]?\d+", re.ASCII)


def _types() -> Any:
    return optional("pyarrow.types", "table")


def is_number(kind: Any) -> bool:
    """Whether a type is whole, real or decimal numbers."""
    types = _types()
    return bool(types.is_integer(kind) or types.is_floating(kind) or types.is_decimal(kind))


def is_text(kind: Any) -> bool:
    """Whether a type is text, in whatever of Arrow's forms."""
    types = _types()
    return bool(types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind))


def is_boolean(kind: Any) -> bool:
    """Whether a type is Boolean."""
    return bool(_types().is_boolean(kind))


def is_category(kind: Any) -> bool:
    """Whether a type is a category (a dictionary, in Arrow's words) of text, numbers or Booleans."""
    if not _types().is_dictionary(kind):
        return False
    values = kind.value_type
    return is_text(values) or is_number(values) or is_boolean(values)


def is_time(kind: Any) -> bool:
    """Whether a type is dates, times or durations."""
    return bool(_types().is_temporal(kind))


def is_empty(kind: Any) -> bool:
    """Whether a type is that of a column without any cell."""
    return bool(_types().is_null(kind))


def plain(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return a column without those of Arrow's forms that its own functions do not know.

    Text views become text, runs are written out, and categories of anything but numbers and Booleans (text views,
    intervals, dates) become categories of text.
    """
    pa, compute, types = optional("pyarrow", "table"), optional("pyarrow.compute", "table"), _types()
    kind = column.type
    if types.is_run_end_encoded(kind):
        return compute.run_end_decode(column)
    if types.is_string_view(kind):
        return column.cast("large_string")
    if not types.is_dictionary(kind) or is_number(kind.value_type) or is_boolean(kind.value_type):
        return column
    return pa.chunked_array(
        [
            pa.DictionaryArray.from_arrays(chunk.indices, pa.array(map(_words, chunk.dictionary.to_pylist()), "string"))
            for chunk in column.chunks
        ],
        pa.dictionary(kind.index_type, pa.string()),
    )


def _words(value: Any) -> str | None:
    if isinstance(value, dict) and set(value) == {"left", "right"}:  # an interval of pandas
        return f"({value['left']}, {value['right']}]"
    return None if value is None else str(value)


def without_categories(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return a column with its categories written out, and any other column as it is."""
    return column.cast(column.type.value_type) if _types().is_dictionary(column.type) else column


def numbers(name: str, column: pa.ChunkedArray) -> Array:
    """Return a column of numbers or Booleans as float64 (n,), NaN where a cell is missing.

    Raises
    ------
    TableError
        If it holds anything else, or an infinite value; the message names the cell.
    """
    column = without_categories(column)
    kind = column.type
    if not (is_number(kind) or is_boolean(kind) or is_empty(kind)):
        place = first_stray_text(name, column) if is_text(kind) else None
        here = f"it is {kind}" if place is None else f"row {place[0] + 1} is {place[1]!r}"
        raise TableError(f"Column {name!r} held numbers at fit time; here {here}.")
    if is_boolean(kind):
        column = column.cast("int8")
    values = np.asarray(column.cast("float64", safe=False).to_numpy(), np.float64)
    infinite = np.isinf(values)
    if infinite.any():
        row = int(infinite.argmax())
        raise TableError(f"Column {name!r} is {values[row]} in row {row + 1}; numbers need to be finite.")
    return values


def levels_of(name: str, column: pa.ChunkedArray) -> tuple[NDArray[np.intp], list[str]]:
    """Return a column as text: the level of each cell (n,), −1 where it is missing, and the levels.

    Blanks around a text do not count, and the spellings of ``MISSING`` are missing cells; a number is as it is written.

    Raises
    ------
    TableError
        If it holds neither text nor numbers nor Booleans.
    """
    compute = optional("pyarrow.compute", "table")
    column = without_categories(column)
    kind = column.type
    if not (is_text(kind) or is_number(kind) or is_boolean(kind) or is_empty(kind)):
        raise TableError(f"Column {name!r} held text at fit time; here it is {kind}.")
    if _types().is_floating(kind):  # a NaN of pandas is a missing cell, not a text
        column = compute.if_else(compute.is_nan(column), None, column)
    column = compute.utf8_trim_whitespace(column.cast("string"))
    if is_text(kind):
        column = compute.if_else(compute.is_in(column, optional("pyarrow", "table").array(MISSING)), None, column)
    encoded = column.combine_chunks().dictionary_encode()
    codes = np.asarray(encoded.indices.fill_null(-1), np.intp)
    return codes, encoded.dictionary.to_pylist()


def first_stray_text(name: str, column: pa.ChunkedArray, *, most_are_numbers: bool = False) -> tuple[int, str] | None:
    """Return row and text of the first cell that does not read as a number, or None.

    With ``most_are_numbers`` only where more than half of the cells that are there do.
    """
    codes, texts = levels_of(name, column)
    stray = np.array([not _reads_as_number(text) for text in texts] + [False])  # the last is for missing cells, code −1
    strays = stray[codes]
    if not strays.any() or (most_are_numbers and 2 * strays.sum() >= (codes >= 0).sum()):
        return None
    row = int(strays.argmax())
    return row, texts[codes[row]]


def _reads_as_number(text: str) -> bool:
    return _NUMBER.fullmatch(text) is not None


def as_numbers(column: pa.ChunkedArray, *, decimal_comma: bool) -> pa.ChunkedArray | None:
    """Return a column of text whose cells are all numbers, or missing, as numbers; None where it is any other.

    With ``decimal_comma`` numbers such as 3,14 are meant, too.
    """
    codes, texts = levels_of("", column)
    if not texts:
        return None
    if decimal_comma and all(_DECIMAL_COMMA.fullmatch(text) for text in texts):
        texts = [text.replace(",", ".") for text in texts]
    if not all(map(_reads_as_number, texts)):
        return None
    values = np.array([*map(float, texts), np.nan])[codes]  # code −1, missing, is the last
    pa = optional("pyarrow", "table")
    return pa.chunked_array([pa.array(values, mask=codes < 0)])


def nearest_texts(texts: Iterable[str]) -> dict[str, str]:
    """Return the texts by their canonical form, for those that no other shares.

    Another source may write the number 1 as ``1.0``, and the Boolean ``True`` as ``true``.
    """
    found: dict[str, str] = {}
    shared: set[str] = set()
    for text in texts:
        form = canonical(text)
        shared |= {form} & found.keys()
        found[form] = text
    return {form: text for form, text in found.items() if form not in shared}


def canonical(text: str) -> str:
    """Return a text in a form that does not depend on who wrote it.

    Examples
    --------
    >>> canonical("1.0"), canonical("007"), canonical("True"), canonical("1.50"), canonical("blue")
    ('1', '7', 'true', '1.5', 'blue')
    """
    if _reads_as_number(text):
        number = float(text)
        return str(int(number)) if number.is_integer() else repr(number)
    return text.lower() if text.lower() in ("true", "false") else text
