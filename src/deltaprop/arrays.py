"""What people pass, as the arrays that the engine reads: checked once, here, with a message that says what to do."""

from __future__ import annotations

import numbers
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from deltaprop.real_numbers import in_a_line

Array = NDArray[Any]


@dataclass(frozen=True)
class SparseRows:
    """Rows of inputs of which only the numbers that are not zero are kept, as the engine reads them.

    Row k has ``values[p]`` at ``columns[p]``, ascending, for starts[k] ≤ p < starts[k + 1].
    """

    starts: NDArray[np.int64]
    columns: NDArray[np.int32]
    values: Array
    n_in: int

    def __len__(self) -> int:
        return len(self.starts) - 1

    def __getitem__(self, rows: slice) -> SparseRows:
        first, last, _ = rows.indices(len(self))
        return SparseRows(self.starts[first : last + 1], self.columns, self.values, self.n_in)

    def take(self, chosen: NDArray[np.int64]) -> SparseRows:
        """Return some rows, in any order."""
        counts = np.diff(self.starts)[chosen]
        starts = np.concatenate([[0], np.cumsum(counts)])
        at = np.repeat(self.starts[chosen] - starts[:-1], counts) + np.arange(starts[-1])
        return SparseRows(starts, self.columns[at], self.values[at], self.n_in)

    def dense(self) -> Array:
        """Return the rows with their zeros, (n, n_in)."""
        array = np.zeros((len(self), self.n_in), self.values.dtype)
        used = slice(self.starts[0], self.starts[-1])
        array[np.repeat(np.arange(len(self)), np.diff(self.starts)), self.columns[used]] = self.values[used]
        return array


Inputs = Array | SparseRows


def whole_number(value: Any, name: str, *, at_least: int, where: str, below: int | None = None) -> int:
    """Return ``value`` as an int; raise TypeError if it is no whole number, ValueError if it is out of range."""
    if isinstance(value, bool | np.bool_) or not isinstance(value, numbers.Integral):
        raise TypeError(f"{where}: {name} needs to be a whole number; got {in_a_line(value)}.")
    number = int(value)
    if number < at_least:
        raise ValueError(f"{where}: {name} needs to be at least {at_least}; got {number}.")
    if below is not None and number >= below:
        raise ValueError(f"{where}: {name} needs to be below {below}; got {value!r}.")
    return number


def numbers_in(values: ArrayLike, dtype: np.dtype[Any], name: str, *, where: str) -> Array:
    """Return ``values`` as a C-contiguous array of finite numbers of ``dtype``; copies only where it has to."""
    if hasattr(values, "tocsr"):
        raise TypeError(f"{where}: {name} is a sparse matrix, which only X may be; pass {name}.toarray().")
    if values is None:
        raise TypeError(f"{where}: {name} needs numbers; got None.")
    if isinstance(values, np.ma.MaskedArray) and np.ma.is_masked(values):
        raise ValueError(f"{where}: {name} has masked cells; fill them in or leave such rows out.")
    try:
        array = np.asarray(values)
    except ValueError:
        raise ValueError(f"{where}: {name} needs rows of one length.") from None
    if array.dtype.kind == "O":
        text = next((cell for cell in array.flat if isinstance(cell, str | bytes)), None)
        if text is not None:
            raise TypeError(f"{where}: {name} needs numbers; got the text {text!r}.")
        try:
            array = array.astype(np.float64)
        except (TypeError, ValueError, OverflowError) as error:
            raise TypeError(f"{where}: {name} needs numbers; {error}.") from None
    if array.dtype.kind not in "fiub":
        raise TypeError(f"{where}: {name} needs real numbers; got dtype {array.dtype}.")
    with np.errstate(over="ignore"):
        result = np.require(array, dtype, ["C_CONTIGUOUS", "ALIGNED"]).reshape(array.shape)
    # A sum is finite only if every term is; only where it is not are the elements looked at one by one.
    with np.errstate(over="ignore", invalid="ignore"):
        suspicious = not np.isfinite(result.sum())
    if suspicious and not np.isfinite(result).all():
        where_bad = np.argwhere(~np.isfinite(result))[0]
        value = array[tuple(where_bad)]
        reason = f"too large for {dtype}" if np.isfinite(value) else "not a finite number"
        place = ", ".join(str(k) for k in where_bad)
        raise ValueError(f"{where}: {name}[{place}] is {value}, {reason}.")
    return result


def inputs_in(X: ArrayLike, n_in: int, dtype: np.dtype[Any], *, where: str) -> Inputs:
    """Return X as rows of inputs, shape (n, n_in); a SciPy sparse matrix as SparseRows."""
    if hasattr(X, "tocsr"):
        return _sparse_inputs(X, n_in, dtype, where=where)
    array = numbers_in(X, dtype, "X", where=where)
    if array.ndim == 1 and array.size == n_in:
        raise ValueError(
            f"{where}: X needs shape (n, {n_in}); got ({array.size},). For one sample pass X[None, :]"
            + (", for a column of samples X[:, None]." if n_in == 1 else ".")
        )
    _check_shape(array.shape, n_in, where)
    return array


def _check_shape(shape: tuple[int, ...], n_in: int, where: str) -> None:
    if len(shape) != 2 or shape[1] != n_in:
        raise ValueError(f"{where}: X needs shape (n, {n_in}), a row of {n_in} inputs per sample; got {shape}.")


def _sparse_inputs(X: Any, n_in: int, dtype: np.dtype[Any], *, where: str) -> SparseRows:
    _check_shape(X.shape, n_in, where)
    if n_in >= 2**31:
        raise ValueError(f"{where}: a sparse X may have at most {2**31 - 1} columns; got {n_in}.")
    rows = X.tocsr()
    if not rows.has_canonical_format:  # ascending columns, each once
        rows = rows.copy()
        rows.sum_duplicates()
    return SparseRows(
        np.ascontiguousarray(rows.indptr, np.int64),
        np.ascontiguousarray(rows.indices, np.int32),
        numbers_in(rows.data, dtype, "X.data", where=where),
        n_in,
    )
