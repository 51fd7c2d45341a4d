"""Weights, and ∂E/∂w, as heat maps: a row for each unit that they come from, a column for each that they lead to.

0 is white, on a scale that reaches as far down as up: blue above 0, red below; of ∂E/∂w violet and orange. Few weights
are written out in their cells. Of many rows and columns not all are named, but all are drawn.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from deltaprop.arrays import Array, numbers_in
from deltaprop.foreign_words import answers_foreign_words
from deltaprop.inspection.drawing.svg import number
from deltaprop.inspection.pictures.images import draw_images
from deltaprop.inspection.trace import unit_names
from deltaprop.model import Model
from deltaprop.picture import GROUND, INK, ON_DARK, ON_LIGHT, Picture, as_written, look, new_figure

W_COLOURS, GRADIENT_COLOURS = "RdBu", "PuOr"
_LINE = 0.145  # inches that a name needs
_LETTER = 0.062  # inches, of a small letter
_MOST_WRITTEN = 9  # rows or columns of a matrix whose numbers stand in the cells
_WIDEST = 15.0  # inches, of layers side by side
_GAP = 0.25  # rows, between the weights and the biases


@answers_foreign_words
def plot_weights(
    model: Model,
    X: ArrayLike | None = None,
    R: ArrayLike | None = None,
    sample_weight: ArrayLike | None = None,
    *,
    layers: int | Sequence[int] | None = None,
    image: Sequence[int] | None = None,
    inputs: Sequence[str] | None = None,
    outputs: Sequence[str] | None = None,
) -> Picture:
    r"""Draw the weights as heat maps, a layer each; with samples also ∂E/∂w, below.

    In a map a row is a unit that the weights come from, a column one that they lead to, as in ``W[l]``; biases are a
    row of their own. White is 0, blue above and red below, on a scale as large as the layer's largest; for ∂E/∂w violet
    and orange. Up to 9 by 9 weights are written out. Where there is no room for all names some are left out, no weight
    is.

    Parameters
    ----------
    X : array-like or SciPy sparse matrix (n, n_in), or one sample (n_in,), optional
    R : array-like (n, n_out), or (n,) where n_out = 1, or one sample's r, optional
        The samples over which ∂E/∂w is the mean, penalty included: `gradient`.
    sample_weight : array-like (n,), optional
        As in `gradient`.
    layers : int or sequence of int, optional
        Which of ``W``, from 0; −1 is the last. All by default.
    image : (rows, columns), optional
        Where the inputs are an image's pixels: draw ``W[0]`` alone, as an image for each unit, at most 60.
    inputs, outputs : sequence of str, optional
        The names of the columns and of the outputs; x1, x2, … and y1, y2, … by default.

    Returns
    -------
    Picture
        Notebooks show it, ``.save("weights.png")`` writes it (png, svg, pdf), ``.figure`` is matplotlib's.

    Raises
    ------
    TypeError, ValueError
        If only one of X and R is given, a shape, a number or a target does not fit, or there is no such layer.
    MissingExtraError
        If matplotlib is not installed.

    Examples
    --------
    >>> from deltaprop import Network
    >>> picture = Network([2, 4, 1]).plot_weights()
    >>> [axes.get_title().partition("\n")[0] for axes in picture.figure.axes[:2]]
    ['W[0]', 'W[1]']
    >>> picture.figure.axes[0].images[0].get_array().shape
    (2, 4)
    """
    where = f"{type(model).__name__}.plot_weights"
    if (X is None) is not (R is None):
        raise TypeError(f"{where}: ∂E/∂w needs samples, X and R; got no {'X' if X is None else 'R'}.")
    chosen = chosen_layers(model, layers, where)
    below = [input_names(model, inputs, where)]
    units = unit_names(model, checked_names(outputs, model.layers[-1], "outputs", where))
    below += units[:-1]
    if image is not None:
        if X is not None or layers is not None:
            raise TypeError(f"{where}: image is of W[0] alone, without samples or layers.")
        with look():
            figure, words = draw_images(model, image, units[0], W_COLOURS, where)
        return Picture(figure, f"The weights of {model.layers[1]} units as images", words)
    maps = [[(f"W[{k}]", model.W[k], model.b[k]) for k in chosen]]
    said = ""
    if X is not None and R is not None:
        gradient, said = _gradient(model, X, R, sample_weight, where)
        maps.append([(f"∂E/∂W[{k}]", *gradient[k]) for k in chosen])
    with look():
        picture = _HeatMaps(model, chosen, [below[k] for k in chosen], [units[k] for k in chosen])
        figure = picture.draw(maps)
    shape = "-".join(map(str, model.layers))
    title = f"The weights of a {shape} network" + (f", and {said}" if said else "")
    return Picture(figure, title, _in_words(maps, [below[k] for k in chosen], [units[k] for k in chosen]))


def checked_names(names: Sequence[str] | None, n: int, what: str, where: str) -> tuple[str, ...] | None:
    """Return names as they were given; raise ValueError where they are not as many as there is to name."""
    if names is None:
        return None
    if isinstance(names, str) or len(names) != n:
        raise ValueError(f"{where}: {what} needs {n} names; got {names if isinstance(names, str) else len(names)!r}.")
    return tuple(map(str, names))


def input_names(model: Model, names: Sequence[str] | None, where: str) -> tuple[str, ...]:
    """Return the names of the inputs: those given, or x1, x2, …."""
    n_in = model.layers[0]
    return checked_names(names, n_in, "inputs", where) or tuple(f"x{i}" for i in range(1, n_in + 1))


def chosen_layers(model: Model, layers: int | Sequence[int] | None, where: str) -> list[int]:
    """Return the layers that are asked for, as indices of W; all of them by default."""
    depth = len(model.W)
    if layers is None:
        return list(range(depth))
    given = [layers] if isinstance(layers, int | np.integer) else list(layers)
    for layer in given:
        if isinstance(layer, bool) or not isinstance(layer, int | np.integer) or not -depth <= layer < depth:
            raise ValueError(
                f"{where}: layers are those of W, 0 to {depth - 1} (−1 is the last); there is no {layer!r}."
            )
    if not given:
        raise ValueError(f"{where}: layers needs at least one.")
    return [int(layer) % depth for layer in given]


def _gradient(
    model: Model, X: Any, R: ArrayLike, sample_weight: ArrayLike | None, where: str
) -> tuple[list[tuple[Array, Array | None]], str]:
    """Return ∂E/∂W and ∂E/∂b of every layer, and of what they are."""
    if not hasattr(X, "tocsr"):
        X = numbers_in(X, model.dtype, "X", where=where)
        if X.ndim == 1:
            if len(X) != model.layers[0]:
                raise ValueError(f"{where}: x needs {model.layers[0]} inputs; got {len(X)}.")
            R = np.atleast_1d(np.asarray(R))
            X, R = X[None], R[None] if R.size > 1 else R.reshape(1)
    dense, at, parts = model.gradient(X, R, sample_weight), 0, []
    for W, b in zip(model.W, model.b, strict=True):
        own = dense[at : at + W.size].reshape(W.shape)
        at += W.size
        parts.append((own, None if b is None else dense[at : at + b.size]))
        at += 0 if b is None else b.size
    n = X.shape[0]
    said = "∂E/∂w of one sample" if n == 1 else f"∂E/∂w, mean over {n:,} samples"
    return parts, said + (", with the penalty's" if model.l2 or model.l1 else "")


class _HeatMaps:
    """Rows of heat maps side by side, the layers from left to right: w, and ∂E/∂w below."""

    def __init__(
        self, model: Model, chosen: Sequence[int], below: Sequence[Sequence[str]], units: Sequence[Sequence[str]]
    ) -> None:
        self._chosen, self._below, self._units = chosen, below, units
        self._last = len(model.W) - 1
        self._heights = [_length(len(names) + model.bias, 0.42, 0.24, (1.2, 3.6, 5.4)) for names in below]
        self._widths = [_length(len(names), 0.66, 0.27, (1.4, 3.0, 5.0)) for names in units]

    def draw(self, maps: Sequence[Sequence[tuple[str, Array, Array | None]]]) -> Any:
        """Return the figure: many layers are on several lines."""
        wide = [
            width + 0.5 + _LETTER * min(max(map(len, names)), 26)
            for width, names in zip(self._widths, self._below, strict=True)
        ]
        lines: list[list[int]] = [[]]
        for k in range(len(wide)):
            if lines[-1] and sum(wide[i] for i in lines[-1]) + wide[k] > _WIDEST:
                lines.append([])
            lines[-1].append(k)
        total = max(sum(wide[k] for k in line) for line in lines)
        tall = [max(self._heights[k] + self._above(k) for k in line) + 0.55 for line in lines for _ in maps]
        figure = new_figure(total + 0.2, sum(tall) + 0.1)
        figure.get_layout_engine().set(w_pad=0.08, h_pad=0.08)
        parts = iter(figure.subfigures(len(tall), 1, height_ratios=tall, squeeze=False)[:, 0])
        placed = [
            (part, panel, k, of_row[k], colours)
            for line in lines
            for of_row, colours in zip(maps, (W_COLOURS, GRADIENT_COLOURS), strict=False)
            for part in [next(parts)]
            for k, panel in zip(line, self._panels(part, line, total - sum(wide[k] for k in line)), strict=True)
        ]
        for part, panel, k, (name, W, b), colours in placed:
            self._panel(part, panel, k, name, np.asarray(W, np.float64), b, colours)
        return figure

    def _panels(self, part: Any, line: Sequence[int], rest: float) -> list[Any]:
        """Return a panel for each layer of a line, in the middle of its height; ``rest`` inches stay free behind."""
        part.set_facecolor("none")
        widths = [self._widths[k] for k in line] + [rest] * (rest > 0.5)
        grid = part.add_gridspec(1, len(widths), width_ratios=widths)
        tallest = max(self._heights[k] for k in line)
        panels = []
        for place, k in enumerate(line):
            space = (tallest - self._heights[k]) / 2
            where = grid[place]
            if space > 0.1:
                where = where.subgridspec(3, 1, height_ratios=[space, self._heights[k], space])[1]
            panels.append(part.add_subplot(where))
        return panels

    def _above(self, k: int) -> float:
        """Return what the title and the names of the columns need, in inches."""
        return 0.75 + (0.0 if self._upright(k) else _LETTER * min(max(map(len, self._units[k])), 18))

    def _upright(self, k: int) -> bool:
        """Whether the names of columns stand side by side without being turned."""
        names = self._units[k]
        each = self._widths[k] / len(names)
        return each > _LETTER * (min(max(map(len, names)), 18) + 1)

    def _panel(self, figure: Any, axes: Any, k: int, name: str, W: Array, b: Array | None, colours: str) -> None:
        """Draw one matrix, its biases below, on one scale."""
        n_in, n_out = W.shape
        known = np.abs(W if b is None else np.vstack([W, b]))
        top = float(known[np.isfinite(known)].max(initial=0.0)) or 1.0
        how = {"cmap": colours, "vmin": -top, "vmax": top, "aspect": "auto", "interpolation_stage": "data"}
        drawn = axes.imshow(W, extent=(-0.5, n_out - 0.5, n_in - 0.5, -0.5), **how)
        end = n_in - 0.5
        places = thinned(n_in, self._heights[k])
        names = [as_written(self._below[k][i], 26) for i in places]
        at: list[float] = [*places]
        if b is not None:
            gap = max(_GAP, 0.008 * n_in)
            thick = max(1.0, 0.03 * n_in)
            axes.imshow(np.asarray(b)[None], extent=(-0.5, n_out - 0.5, end + gap + thick, end + gap), **how)
            while len(places) > 1 and (end + gap + thick / 2 - places[-1]) * self._heights[k] / n_in < _LINE:
                places, names = places[:-1], names[:-1]
            at, names = [*places, end + gap + thick / 2], [*names, "bias"]
            end += gap + thick
        axes.set_xlim(-0.5, n_out - 0.5)
        axes.set_ylim(end, -0.5)
        axes.set_yticks(at, names, fontsize=7.5)
        across = thinned(n_out, self._widths[k])
        axes.set_xticks(across, [as_written(self._units[k][j], 18) for j in across], fontsize=7.5)
        axes.tick_params(length=0, pad=3, top=True, labeltop=True, bottom=False, labelbottom=False)
        if not self._upright(k):
            axes.tick_params(axis="x", labelrotation=90)
        axes.spines[:].set_visible(False)
        layer = self._chosen[k]
        source = "inputs" if layer == 0 else f"layer {layer}"
        to = (
            "outputs"
            if layer == self._last and n_out > 1
            else "output"
            if layer == self._last
            else f"layer {layer + 1}"
        )
        axes.set_title(f"{name}\n{source} → {to}", pad=6)
        if max(n_in + (b is not None), n_out) <= _MOST_WRITTEN:
            self._write(axes, W, b, top)
            for line in range(1, n_out):
                axes.axvline(line - 0.5, color=GROUND, linewidth=1)
            for line in range(1, n_in):
                axes.axhline(line - 0.5, color=GROUND, linewidth=1)
        aspect = 0.8 * self._widths[k] / 0.11
        bar = figure.colorbar(drawn, ax=axes, location="bottom", aspect=aspect, fraction=0.06, pad=0.03, shrink=0.8)
        bar.set_ticks([-top, 0, top], labels=[number(float(f"{-top:.2g}")), "0", number(float(f"{top:.2g}"))])
        bar.ax.tick_params(labelsize=7, length=2, color=INK)
        bar.outline.set_visible(False)

    def _write(self, axes: Any, W: Array, b: Array | None, top: float) -> None:
        """Write each number into its cell."""
        rows = [*W] if b is None else [*W, np.asarray(b)]
        for i, row in enumerate(rows):
            y = i + (_GAP if i == len(W) else 0.0)
            for j, w in enumerate(row):
                ink = ON_DARK if abs(w) > 0.6 * top else ON_LIGHT
                axes.text(j, y, number(float(w)), ha="center", va="center", fontsize=8, color=ink)


def _length(n: int, large: float, small: float, bounds: tuple[float, float, float]) -> float:
    """Return the inches of n cells: large ones where their numbers are written out; within bounds."""
    least, middle, most = bounds
    return max(large * n, least) if n <= _MOST_WRITTEN else min(max(small * n, middle), most)


def thinned(n: int, inches: float) -> list[int]:
    """Return which of n names have room on so many inches: the first, round numbers of them, and the last.

    Examples
    --------
    >>> thinned(4, 1.0), thinned(784, 1.5)
    ([0, 1, 2, 3], [0, 99, 199, 299, 399, 499, 599, 699, 783])
    """
    room = max(2, int(inches / _LINE))
    if n <= room:
        return list(range(n))
    step = next(f * 10**e for e in range(12) for f in (2, 5, 10) if n / (f * 10**e) < room - 1)
    places = [0, *range(step - 1, n - step // 2 - 1, step)]
    return [*places, n - 1]


def _in_words(
    maps: Sequence[Sequence[tuple[str, Array, Array | None]]],
    below: Sequence[Sequence[str]],
    units: Sequence[Sequence[str]],
) -> str:
    """Say of each matrix how large it is, and which of its numbers is furthest from 0."""
    said = []
    for row in maps:
        for (name, W, _), sources, to in zip(row, below, units, strict=True):
            i, j = divmod(int(np.nanargmax(np.abs(W))), W.shape[1])
            said.append(
                f"{name}, {W.shape[0]} by {W.shape[1]}, is furthest from 0 at {sources[i]} → {to[j]}: "
                f"{number(float(W[i, j]))}."
            )
    return " ".join(said)
