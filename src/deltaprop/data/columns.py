"""How one column becomes inputs: numbers standardised, text and categories one-hot, missing cells marked.

Each kind is one class: `fit` learns from a column what it needs, `encode` applies it to any other, `as_json` is what a
model file keeps.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from deltaprop.arrays import Array
from deltaprop.data.arrow import (
    canonical,
    is_boolean,
    is_category,
    is_empty,
    is_number,
    is_text,
    is_time,
    levels_of,
    nearest_texts,
    numbers,
)
from deltaprop.errors import TableError

if TYPE_CHECKING:
    import pyarrow as pa

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
        return cls(name, is_boolean(column.type), median, mean, scale or 1.0, bool(missing.any()))

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

    Of a column with more than 100 levels those that fewer than 5 rows have, and those beyond the 100 most frequent,
    share one more input; there a level never met is one of the rare ones.

    Attributes
    ----------
    name : str
    levels : tuple of str
        In ascending order.
    pooled : bool
        Whether there were more than 100 levels: then every text that is none of ``levels`` shares one more input.
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
        other = len(self.levels) if self.pooled else nowhere
        codes, texts = levels_of(self.name, column)
        known = self.known(texts)
        places = np.array(
            [*(known.get(text, other) for text in texts), width - 1 if self.indicator else nowhere], dtype=np.intp
        )
        encoded = np.zeros((len(codes), width + 1))
        encoded[np.arange(len(codes)), places[codes]] = 1  # a missing cell has code −1: the last place
        return encoded[:, :width]

    def known(self, texts: Sequence[str]) -> dict[str, int]:
        """Return the place among the levels of those texts that are one of them, as written or in other words."""
        place = {level: k for k, level in enumerate(self.levels)}
        near = nearest_texts(self.levels)
        levels = {text: text if text in place else near.get(canonical(text)) for text in texts}
        return {text: place[level] for text, level in levels.items() if level is not None}

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


def check_column(name: str, column: pa.ChunkedArray) -> None:
    """Raise TableError for a column that cannot be an input: of another type, or with an infinite value."""
    kind = column.type
    if is_number(kind):
        numbers(name, column)
    elif not (is_text(kind) or is_category(kind) or is_boolean(kind) or is_empty(kind)):
        what = "a date or a time" if is_time(kind) else f"{kind}"
        raise TableError(f"Column {name!r} is {what}, which cannot be an input: leave it out (--drop {name!r}).")


def fit_column(name: str, column: pa.ChunkedArray) -> Column:
    """Return the kind of column that its type calls for; raise UselessColumnError where it cannot tell rows apart."""
    kind = NumericColumn if is_number(column.type) or is_boolean(column.type) or is_empty(column.type) else TextColumn
    return kind.fit(name, column)


def standard(values: Array) -> tuple[float, float]:
    """Return mean and standard deviation; that is 0 where the values differ by rounding alone.

    Squares of large numbers stay finite, and small differences between large numbers are not lost.
    """
    size = float(np.abs(values).max())
    exponent = int(np.frexp(size)[1])
    scaled = np.ldexp(values, -exponent)  # in [−1, 1], exactly
    differences = scaled - scaled[0]
    mean, deviation = float(scaled[0] + differences.mean()), float(differences.std())
    if deviation <= 2 * np.finfo(np.float64).eps * np.ldexp(size, -exponent):
        deviation = 0.0
    return float(np.ldexp(mean, exponent)), float(np.ldexp(deviation, exponent))
