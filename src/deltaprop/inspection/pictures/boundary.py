"""The decision boundary over two inputs, and beside it the same plane as every hidden unit sees it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from deltaprop.foreign_words import answers_foreign_words
from deltaprop.inspection.drawing.svg import number
from deltaprop.inspection.pictures.meaning import Meaning, meaning_of
from deltaprop.inspection.pictures.plane import Plane, plane_of
from deltaprop.inspection.pictures.units import UnitsOverPlane
from deltaprop.inspection.pictures.weights import checked_names, input_names
from deltaprop.model import Model
from deltaprop.picture import Picture, look


@answers_foreign_words
def plot_boundary(
    model: Model,
    X: ArrayLike,
    R: ArrayLike | None = None,
    *,
    over: Sequence[int | str] = (0, 1),
    held: ArrayLike | None = None,
    most: int = 8,
    grid: int = 101,
    inputs: Sequence[str] | None = None,
    outputs: Sequence[str] | None = None,
) -> Picture:
    """Draw the decision boundary over two inputs, and the same plane as every hidden unit sees it.

    From left to right a block of panels for each layer: z of its units over the plane, on one scale, white where z is
    0; the dashed line is where a is 0. Last the output with the samples: one output with the line where it decides, the
    largest of several, or quantities with their contours. Samples are drawn where their two inputs are, though their
    others are not those of the plane; by class in different markers, or in the colours of their targets.

    Parameters
    ----------
    X : array-like or SciPy sparse matrix (n, n_in)
        Samples: the plane reaches a little further than they do.
    R : array-like (n, n_out), or (n,) where n_out = 1, optional
        Their targets, by which they are drawn.
    over : two of int or str, default (0, 1)
        Which inputs the plane is over: across, then up. Numbered from 0, or by name where there are ``inputs``.
    held : array-like (n_in,), optional
        A sample at whose values the other inputs are held; by default their mean in X.
    most : int, default 8
        How many units of a hidden layer are drawn, the first ones; 0: the output alone. Of more than four hidden
        layers at most 4 units each.
    grid : int, default 101
        Points along a side of the plane.
    inputs, outputs : sequence of str, optional
        The names of the columns and of the outputs; x1, x2, … and y1, y2, … by default.

    Returns
    -------
    Picture
        Notebooks show it, ``.save("boundary.png")`` writes it (png, svg, pdf), ``.figure`` is matplotlib's.

    Raises
    ------
    TypeError, ValueError
        If there are no two such inputs, or a shape, a number or a target does not fit.
    MissingExtraError
        If matplotlib is not installed.

    Examples
    --------
    >>> from deltaprop import Network
    >>> picture = Network([2, 4, 1]).plot_boundary([[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0])
    >>> [axes.get_title() for axes in picture.figure.axes[:4]]
    ['z1.1', 'z1.2', 'z1.3', 'z1.4']
    """
    where = f"{type(model).__name__}.plot_boundary"
    names = input_names(model, inputs, where)
    plane, samples = plane_of(model, X, over, names, held, grid, where)
    targets = None if R is None else model.samples(samples, R, None, where)[1]
    meaning = meaning_of(model, targets, checked_names(outputs, model.layers[-1], "outputs", where))
    return over_plane(model, plane, meaning, most=most, where=where)


def over_plane(model: Model, plane: Plane, meaning: Meaning, *, most: int, where: str) -> Picture:
    """Draw z of every unit over a plane, and the outputs with the samples.

    Parameters
    ----------
    model : Model
    plane : Plane
    meaning : Meaning
        What the outputs stand for.
    most : int
        Units of a hidden layer that are drawn, the first ones.
    where : str
        For messages.
    """
    if isinstance(most, bool) or not isinstance(most, int | np.integer) or most < 0:
        raise ValueError(f"{where}: most needs the number of units drawn of a layer, 0 or more; got {most!r}.")
    with look():
        figure = UnitsOverPlane(model, plane, meaning, int(most)).draw()
    return Picture(figure, _title(plane, meaning), _in_words(model, plane, meaning, int(most)))


def _title(plane: Plane, meaning: Meaning) -> str:
    what = "The decision boundary" if meaning.classes else f"{', '.join(meaning.outputs[:3])}"
    return f"{what} over {plane.names[0]} and {plane.names[1]}"


def _in_words(model: Model, plane: Plane, meaning: Meaning, most: int) -> str:
    """Say where the boundary lies, as far as words can."""
    y = meaning.shown(model.predict(plane.X))
    said = [
        f"{name} from {values[0]:.4g} to {values[-1]:.4g}"
        for name, values in zip(plane.names, (plane.across, plane.up), strict=True)
    ]
    if plane.held:
        said.append(plane.held)
    if meaning.level is not None:
        for name, share in zip(meaning.outputs, (y > meaning.level).mean(axis=0), strict=True):
            said.append(f"{name}: {meaning.classes[1]} on {share:.0%} of the plane, {meaning.classes[0]} on the rest")
    elif meaning.classes:
        largest = y.argmax(axis=1)
        said += [f"{meaning.classes[c]} on {float((largest == c).mean()):.0%} of the plane" for c in np.unique(largest)]
    else:
        said += [
            f"{name} from {number(float(y[:, j].min()))} to {number(float(y[:, j].max()))}"
            for j, name in enumerate(meaning.outputs)
        ]
    if most and len(model.layers) > 2:
        said.append(f"beside it z of the first {most} units of each hidden layer, over the same plane")
    return "; ".join(said) + "."
