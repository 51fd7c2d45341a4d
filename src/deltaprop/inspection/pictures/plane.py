"""A plane through the space of inputs, on which two of them change and the others are held."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from deltaprop.arrays import Array, inputs_in, numbers_in
from deltaprop.errors import did_you_mean
from deltaprop.model import Model

_AROUND = 0.18  # of the range of the samples, on each side


@dataclass(frozen=True)
class Plane:
    """A grid of points on a plane, and where samples are on it.

    Attributes
    ----------
    names : tuple of str
        What the two inputs are called: across and up.
    across, up : ndarray (k,)
        Their values on the grid.
    X : ndarray (k · k, n_in)
        The grid's points as the network's inputs, row by row of the picture, from the lowest.
    points : ndarray (n, 2)
        The samples.
    held : str
        At what the other inputs are held, in words; empty where there are none.
    """

    names: tuple[str, str]
    across: Array
    up: Array
    X: Array
    points: Array
    held: str = ""

    @property
    def extent(self) -> tuple[float, float, float, float]:
        """Where the grid's cells begin and end, each around its point."""
        dx, dy = (values[1] - values[0] for values in (self.across, self.up))
        return (
            float(self.across[0] - dx / 2),
            float(self.across[-1] + dx / 2),
            float(self.up[0] - dy / 2),
            float(self.up[-1] + dy / 2),
        )


def grid_around(values: Array, k: int) -> Array:
    """Return k values over the range of some, and a little more."""
    low, high = float(values.min()), float(values.max())
    room = _AROUND * (high - low) or 1.0
    return np.linspace(low - room, high + room, k)


def check_grid(grid: object, where: str) -> int:
    """Return how many points a side of the grid has; raise ValueError where that is no number from 2 to 2,000."""
    if isinstance(grid, bool) or not isinstance(grid, int | np.integer) or not 2 <= grid <= 2000:
        raise ValueError(f"{where}: grid needs the points of a side, a whole number from 2 to 2,000; got {grid!r}.")
    return int(grid)


def plane_of(
    model: Model,
    X: ArrayLike,
    over: Sequence[int | str],
    names: Sequence[str],
    held: ArrayLike | None,
    grid: int,
    where: str,
) -> tuple[Plane, Array]:
    """Return the plane over two inputs of a network, by number from 0 or by name, around the samples X; X as an array.

    The others are held at the mean of X, or at the values of ``held`` (n_in,).
    """
    n_in = model.layers[0]
    if n_in < 2:
        raise ValueError(f"{where}: a plane needs two inputs; this network has one.")
    check_two(over, where)
    first, second = (_place(i, names, where) for i in over)
    if first == second:
        raise ValueError(f"{where}: over needs two different inputs; got {names[first]!r} twice.")
    samples: Any = inputs_in(X, n_in, model.dtype, where=where)
    samples = samples.dense() if hasattr(samples, "dense") else samples
    if not len(samples):
        raise ValueError(f"{where}: X has no rows, so there is no plane to look at.")
    if held is None:
        middle = np.asarray(samples.mean(axis=0), model.dtype)
        words = "" if n_in == 2 else f"{_others(n_in)} at {'its' if n_in == 3 else 'their'} mean"
    else:
        middle = numbers_in(held, model.dtype, "held", where=where)
        if middle.shape != (n_in,):
            raise ValueError(f"{where}: held needs a value for each of the {n_in} inputs; got {middle.shape}.")
        words = "" if n_in == 2 else f"{_others(n_in)} at the values given"
    across, up = (grid_around(samples[:, i], check_grid(grid, where)) for i in (first, second))
    points = np.tile(middle, (grid * grid, 1))
    points[:, first] = np.tile(across, grid)
    points[:, second] = np.repeat(up, grid)
    return Plane((names[first], names[second]), across, up, points, samples[:, [first, second]], words), samples


def check_two(over: object, where: str) -> None:
    """Raise ValueError where ``over`` does not say two things."""
    if isinstance(over, str) or not isinstance(over, Sequence | np.ndarray) or len(over) != 2:
        raise ValueError(f"{where}: over needs two inputs; got {over!r}.")


def _place(i: Any, names: Sequence[str], where: str) -> int:
    """Return the number of an input, which is given by it, or by its name."""
    if isinstance(i, str) and i in names:
        return names.index(i)
    if isinstance(i, str):
        raise ValueError(f"{where}: no input is called {i!r}.{did_you_mean(i, names)}")
    if isinstance(i, bool) or not isinstance(i, int | np.integer) or not 0 <= i < len(names):
        raise ValueError(f"{where}: inputs are numbered 0 to {len(names) - 1}; there is no {i!r}.")
    return int(i)


def _others(n_in: int) -> str:
    return "the other input" if n_in == 3 else f"the {n_in - 2} other inputs"
