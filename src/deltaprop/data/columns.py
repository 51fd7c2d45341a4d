"""How one column becomes inputs: numbers standardised, text and categories one-hot, missing cells marked.

Each kind is one class: `fit` learns from a column what it needs, `encode` applies it to any other, `as_json` is what a
model file keeps.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from deltaprop.errors import TableError, optional

if TYPE_CHECKING:
    import pyarrow as pa

Array = NDArray[Any]

MOST_LEVELS = 100  # of a text column that get an input each; beyond, rare ones share one
_RARE = 5  # rows; of a column with more levels than that, a level that fewer rows have is rare
_OTHER = "(other)"


class UselessColumnError(Exception):
    """A column that cannot tell one row from another; the message says why."""


@dataclass(frozen=True)
class NumericColumn:
    """Numbers, or Booleans as 0 and 1: (x − mean) / scale, missing cells by the median.

    Attributes
    ----------
    name : str
    boolean : bool
        Whether the column held Booleans.
    median, mean, scale : float
        Of the column it was fitted to; mean and scale (the standard deviation) after filling in the median.
    indicator : bool
        Whether cells were missing there: then a second input is 1 where a cell is missing, else 0.
    """

    kind: ClassVar[str] = "numeric"
    name: str
    boolean: bool
    median: float
    mean: float
    scale: float
    indicator: bool

    @classmethod
    def fit(cls, name: str, column: pa.ChunkedArray) -> Self:
        """Learn from a column; raise UselessColumnError where all its cells are equal or missing."""
        values = numbers(name, column)
        missing = np.isnan(values)
        if missing.all():
            raise UselessColumnError("every cell is missing")
        with np.errstate(over="ignore"):
            median = float(np.median(values[~missing]))
            mean, scale = standard(np.where(missing, median, values))
        if scale == 0 and not missing.any():
            raise UselessColumnError("every row has the same value")
        if not np.isfinite((median, mean, scale)).all():
            raise TableError(f"Column {name!r} holds numbers too large to be standardised; leave it out or rescale it.")
        boolean = optional("pyarrow", "table").types.is_boolean(column.type)
        return cls(name, boolean, median, mean, scale or 1.0, bool(missing.any()))

    @property
    def inputs(self) -> list[str]:
        """The names of the inputs that the column becomes."""
        return [self.name, f"{self.name} (missing)"] if self.indicator else [self.name]

    def encode(self, column: pa.ChunkedArray) -> Array:
        """Return the inputs of a column, shape (n, inputs)."""
        values = numbers(self.name, column)
        missing = np.isnan(values)
        values = (np.where(missing, self.median, values) - self.mean) / self.scale
        return np.stack([values, missing], axis=1) if self.indicator else values[:, None]

    def describe(self) -> str:
        """Say in a few words what the column is."""
        words = "Boolean" if self.boolean else f"number, mean {self.mean:.4g}, standard deviation {self.scale:.4g}"
        return words + (f", missing cells by the median {self.median:.4g} and marked" if self.indicator else "")

    def as_json(self) -> dict[str, Any]:
        """Return what a model file keeps."""
        return {"kind": self.kind, **asdict(self)}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        """Return the column of a model file; raise TypeError or ValueError where that is no such column."""
        column = cls(**data)
        reals = (column.median, column.mean, column.scale)
        if not (type(column.name) is str and type(column.boolean) is bool and type(column.indicator) is bool):
            raise TypeError("a numeric column's parts have the wrong types")
        if not all(type(x) is float and np.isfinite(x) for x in reals) or column.scale <= 0:
            raise ValueError("a numeric column's numbers are not finite")
        return column


@dataclass(frozen=True)
class TextColumn:
    """Text or categories: an input for each level, 1 where the cell has it, else 0; a level never met is all zeros.

    Attributes
    ----------
    name : str
    levels : tuple of str
        In ascending order.
    pooled : bool
        Whether there were more than 100 levels: then every other text shares one more input.
    indicator : bool
        Whether cells were missing: then one more input is 1 where a cell is missing.
    """

    kind: ClassVar[str] = "text"
    name: str
    levels: tuple[str, ...]
    pooled: bool
    indicator: bool

    @classmethod
    def fit(cls, name: str, column: pa.ChunkedArray) -> Self:
        """Learn from a column; raise UselessColumnError where its cells are all the same, or all rare."""
        codes, texts = levels_of(name, column)
        counts = dict(zip(texts, np.bincount(codes + 1, minlength=len(texts) + 1)[1:].tolist(), strict=True))
        missing = bool((codes < 0).any())
        if not counts:
            raise UselessColumnError("every cell is missing")
        pooled = len(counts) > MOST_LEVELS
        levels = set(counts)
        if pooled:
            ranked = sorted(counts, key=lambda level: (-counts[level], level))
            levels = {level for level in ranked[:MOST_LEVELS] if counts[level] >= _RARE}
            if not levels and not missing:
                raise UselessColumnError(f"text with {len(counts):,} levels, each in fewer than {_RARE} rows")
        elif len(counts) == 1 and not missing:
            raise UselessColumnError("every row has the same value")
        return cls(name, tuple(sorted(levels)), pooled, missing)

    @property
    def inputs(self) -> list[str]:
        """The names of the inputs that the column becomes."""
        names = [f"{self.name}={level}" for level in self.levels]
        if self.pooled:
            names.append(f"{self.name}={_OTHER}")
        if self.indicator:
            names.append(f"{self.name} (missing)")
        return names

    def encode(self, column: pa.ChunkedArray) -> Array:
        """Return the inputs of a column, shape (n, inputs)."""
        width = len(self.inputs)
        nowhere = width  # one column more than there are inputs, dropped in the end
        place = {level: k for k, level in enumerate(self.levels)}
        other = len(self.levels) if self.pooled else nowhere
        codes, texts = levels_of(self.name, column)
        places = np.array([*(place.get(text, other) for text in texts), width - 1 if self.indicator else nowhere])
        encoded = np.zeros((len(codes), width + 1))
        encoded[np.arange(len(codes)), places[codes]] = 1  # a missing cell has code −1: the last place
        return encoded[:, :width]

    def describe(self) -> str:
        """Say in a few words what the column is."""
        words = f"text, {len(self.levels)} levels"
        if self.pooled:
            words += ", rarer ones pooled"
        return words + (", missing cells marked" if self.indicator else "")

    def as_json(self) -> dict[str, Any]:
        """Return what a model file keeps."""
        return {"kind": self.kind, **asdict(self), "levels": list(self.levels)}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        """Return the column of a model file; raise TypeError where that is no such column."""
        levels = tuple(data["levels"])
        column = cls(**{**data, "levels": levels})
        if not (type(column.name) is str and all(type(level) is str for level in levels)):
            raise TypeError("a text column's levels are not text")
        if not (type(column.pooled) is bool and type(column.indicator) is bool) or len(set(levels)) != len(levels):
            raise TypeError("a text column's parts have the wrong types")
        return column


Column = NumericColumn | TextColumn


def fit_column(name: str, column: pa.ChunkedArray) -> Column:
    """Return the kind of column that its type calls for; raise TableError for a type that is not supported."""
    types = optional("pyarrow", "table").types
    kind = column.type
    if types.is_dictionary(kind) or _is_text(kind):
        return TextColumn.fit(name, column)
    if _is_number(kind) or types.is_boolean(kind) or types.is_null(kind):
        return NumericColumn.fit(name, column)
    what = "a date or a time" if types.is_temporal(kind) else f"{kind}"
    raise TableError(f"Column {name!r} is {what}, which cannot be an input: leave it out (--drop {name!r}).")


def numbers(name: str, column: pa.ChunkedArray) -> Array:
    """Return a column as float64, NaN where a cell is missing; raise TableError for text and for infinite values."""
    pa = optional("pyarrow", "table")
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    kind = column.type
    if not (_is_number(kind) or pa.types.is_boolean(kind) or pa.types.is_null(kind)):
        cell = next((repr(cell) for cell in column.to_pylist() if cell is not None), "nothing")
        raise TableError(f"Column {name!r} held numbers at fit time; here it is {kind}, beginning with {cell}.")
    if pa.types.is_boolean(kind):
        column = column.cast(pa.int8())
    values = np.asarray(column.cast(pa.float64(), safe=False).to_numpy(), np.float64)
    infinite = np.isinf(values)
    if infinite.any():
        row = int(infinite.argmax())
        raise TableError(f"Column {name!r} is {values[row]} in row {row + 1}; numbers need to be finite.")
    return values


def levels_of(name: str, column: pa.ChunkedArray) -> tuple[NDArray[np.intp], list[str]]:
    """Return a column as text: the level of each cell, −1 where it is missing, and the levels.

    Blanks around a text do not count; a number is as it is written.
    """
    pa = optional("pyarrow", "table")
    compute = optional("pyarrow.compute", "table")
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    kind = column.type
    if not (_is_text(kind) or _is_number(kind) or pa.types.is_boolean(kind) or pa.types.is_null(kind)):
        raise TableError(f"Column {name!r} held text at fit time; here it is {kind}.")
    if pa.types.is_floating(kind):  # a NaN of pandas is a missing cell, not a text
        column = compute.if_else(compute.is_nan(column), pa.scalar(None, kind), column)
    encoded = compute.utf8_trim_whitespace(column.cast(pa.string())).combine_chunks().dictionary_encode()
    codes = np.asarray(encoded.indices.fill_null(-1), np.intp)
    return codes, encoded.dictionary.to_pylist()


def standard(values: Array) -> tuple[float, float]:
    """Return mean and standard deviation; that is 0 where the values differ by rounding alone."""
    size = float(np.abs(values).max()) or 1.0
    scaled = values / size  # so that squares of large numbers stay finite
    mean, deviation = float(scaled.mean()), float(scaled.std())
    return mean * size, (0.0 if deviation < 1e-13 else deviation * size)


def _is_number(kind: Any) -> bool:
    types = optional("pyarrow", "table").types
    return bool(types.is_integer(kind) or types.is_floating(kind) or types.is_decimal(kind))


def _is_text(kind: Any) -> bool:
    types = optional("pyarrow", "table").types
    return bool(types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind))
