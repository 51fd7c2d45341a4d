"""Blocks of panels, a layer each, from the first on the left to the outputs on the right.

In each panel z of a unit stands over the plane, on one scale for the layer; the dashed line is where its a is 0.
Samples are drawn by class in different markers.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from deltaprop.arrays import Array
from deltaprop.errors import optional
from deltaprop.functions import activation
from deltaprop.inspection.drawing.svg import number
from deltaprop.inspection.pictures.meaning import Meaning
from deltaprop.inspection.pictures.part import a_of, z_of
from deltaprop.inspection.pictures.plane import Plane
from deltaprop.inspection.trace import unit_names
from deltaprop.model import Model
from deltaprop.picture import INK, MUTED, ON_DARK, ON_LIGHT, as_written, new_figure

MARKERS = "o^sDvPX*<>p"  # more, or fewer, than colours: many classes differ in one or the other
# By class: the two ends of the scale of one output, or Okabe and Ito's colours and Tol's. On the pale ground of their
# regions they stay as they are in the dark scheme, and so none is a colour of picture.py.
TWO = ("#8e0f26", "#0b3f7f")
MANY = ("#0072b3", "#d55e01", "#009e74", "#cc79a7", "#e69f00", "#56b4e9", "#8c510a", "#999999", "#661100", "#332288")
_SEES, _QUANTITY = "RdBu", "cividis"
_PALE = 0.2, 0.8  # of the scale, so that samples stand out from their own colour
_REGION = 0.42  # how strong the colour of a class is where it is the largest
_MOST_POINTS = 2000
_MOST_NAMED = 12  # classes in the legend
_LEAST_REGION = 0.004  # of the plane, that a class's name is written in
_SIDE = 4.4  # inches, of the output's panel


class UnitsOverPlane:
    """What every unit makes of a plane."""

    def __init__(self, model: Model, plane: Plane, meaning: Meaning, most: int) -> None:
        self._model, self._plane, self._meaning = model, plane, meaning
        hidden = model.layers[1:-1] if most else ()
        few = most if len(hidden) <= 4 else min(most, 4)
        self._shown = [min(n, few) for n in hidden]
        self._columns = [1 if n <= 4 else -(-n // 4) for n in self._shown]
        self._two_lines = bool(plane.held) or tuple(self._shown) != hidden
        self._n = len(plane.points)
        self._step = -(-self._n // _MOST_POINTS) if self._n else 1
        self._points = slice(None, None, self._step)

    def draw(self) -> Any:
        """Return the figure."""
        rows = max([-(-n // c) for n, c in zip(self._shown, self._columns, strict=True)], default=1)
        side = {1: 2.2, 2: 1.9, 3: 1.45}.get(rows, 1.1)
        outputs = self._meaning.panels
        across = int(np.ceil(np.sqrt(outputs)))
        widths = [c * side + 0.35 for c in self._columns]
        main = _SIDE + 0.9 + 0.5 * (across > 1)
        figure = new_figure(sum(widths) + main, _SIDE + 1.25)
        figure.get_layout_engine().set(w_pad=0.05, h_pad=0.06)
        parts = figure.subfigures(1, len(widths) + 1, width_ratios=[*widths, main], squeeze=False)[0]
        for part in parts:
            part.set_facecolor("none")
        for k, part in enumerate(parts[:-1]):
            self._hidden(part, k)
        self._outputs(parts[-1], outputs, across)
        return figure

    # ---- the hidden layers -----------------------------------------------------------------------------------------

    def _hidden(self, part: Any, k: int) -> None:
        """Draw z of a hidden layer's units."""
        shown = self._shown[k]
        Z, A = z_of(self._model, k, self._plane.X)[:, :shown], a_of(self._model, k, self._plane.X)[:, :shown]
        own = activation(self._model.h[k], where="h")
        top = max(abs(own.low), abs(own.high))
        if not np.isfinite(top):
            top = _largest(Z)
        names = unit_names(self._model)[k]
        panels = _panels(part, shown, self._columns[k])
        image, scale = None, _sees()
        for j, axes in enumerate(panels):
            image = self._image(axes, Z[:, j], cmap=scale, vmin=-top, vmax=top)
            self._line(axes, A[:, j], 0.0, color=ON_LIGHT, linewidths=0.9, linestyles="--")
            self._samples(axes, small=True)
            axes.set_title(names[j], fontsize=8.5, pad=3)
            axes.set(xticks=[], yticks=[])
        n = self._model.layers[k + 1]
        h = as_written(self._model.h[k], 20)
        count = "" if shown == n else f"the first {shown} of {n} units"
        self._head(part, f"layer {k + 1}: z = {h}{'(a)' if h.isidentifier() else ''}", count)
        bar = self._bar(part, image, panels, [0, top / 2, top] if own.low >= 0 else [-top, 0, top])
        if own.low >= 0:
            bar.ax.set_xlim(0, top)

    # ---- the outputs -----------------------------------------------------------------------------------------------

    def _outputs(self, part: Any, n: int, across: int) -> None:
        """Draw the outputs with the samples."""
        meaning = self._meaning
        y = meaning.shown(self._model.predict(self._plane.X))
        panels = _panels(part, n, across, main=n == 1)
        line = False
        for j, axes in enumerate(panels):
            if meaning.level is not None:
                line |= self._decision(part, axes, y[:, j], j)
            elif meaning.classes:
                self._regions(axes, y)
            else:
                self._quantity(part, axes, y[:, j], j)
            if n > 1:
                axes.set_title(as_written(meaning.outputs[j], _letters(n, across)), fontsize=8.5, pad=3)
        title = "the outputs" if n > 1 else as_written(meaning.outputs[0], 48)
        if meaning.classes and meaning.level is None:
            title = "the class with the largest y"
        self._name_axes(panels, across)
        if meaning.classes:
            self._legend(part, panels, y, line)
        fewer = ""
        if self._step > 1 and len(meaning.of_points):
            fewer = f"\nof {self._n:,} samples every {_ordinal(self._step)} is drawn"
        self._head(part, title, f"{self._plane.held}{fewer}")

    def _decision(self, part: Any, axes: Any, y: Array, j: int) -> bool:
        """Draw an output that decides between two classes, and the line where it does; return if there is one."""
        level = self._meaning.level or 0.0
        reach = _largest(y - level)
        if level == 0.5 and float(y.min()) >= 0 and float(y.max()) <= 1:
            reach = 0.5
        image = self._image(axes, y, cmap=_sees(), vmin=level - reach, vmax=level + reach)
        line = self._line(axes, y, level, color=ON_LIGHT, linewidths=1.8)
        self._samples(axes, j)
        self._bar(part, image, [axes], [level - reach, level, level + reach])
        return line

    def _regions(self, axes: Any, y: Array) -> None:
        """Draw the class with the largest y, and the borders."""
        colors = optional("matplotlib.colors", "plot")
        n = len(self._meaning.classes)
        largest = y.argmax(axis=1)
        scale = colors.ListedColormap([_region(c) for c in range(n)])
        self._image(axes, largest, cmap=scale, vmin=-0.5, vmax=n - 0.5, interpolation="nearest")
        for c in np.unique(largest):
            self._line(axes, y[:, c] - np.delete(y, c, axis=1).max(axis=1), 0.0, color=ON_LIGHT, linewidths=1.0)
        self._samples(axes)
        if n > _MOST_NAMED:
            self._name_regions(axes, largest)

    def _name_regions(self, axes: Any, largest: Array) -> None:
        """Write the name of each class in its region, the smallest apart: more have no colour of their own."""
        effects = optional("matplotlib.patheffects", "plot")
        grid = np.stack(np.meshgrid(self._plane.across, self._plane.up), axis=-1).reshape(-1, 2)
        for c, count in zip(*np.unique(largest, return_counts=True), strict=True):
            if count < _LEAST_REGION * len(largest):
                continue
            inside = grid[largest == c]
            apart = (inside - inside.mean(axis=0)) / np.ptp(grid, axis=0)
            x, y = inside[(apart**2).sum(axis=1).argmin()]
            around = [effects.withStroke(linewidth=2.5, foreground=_region(c))]
            axes.text(
                x, y, as_written(self._meaning.classes[c], 12), ha="center", va="center", fontsize=8, color=ON_LIGHT,
                path_effects=around, zorder=4,
            )  # fmt: skip

    def _quantity(self, part: Any, axes: Any, y: Array, j: int) -> None:
        """Draw one output as a quantity, with contours, and the samples in the colours of their targets."""
        r = self._meaning.of_points
        known = y if not len(r) else np.concatenate([y, r[:, j]])
        known = known[np.isfinite(known)]
        low, high = float(known.min(initial=np.inf)), float(known.max(initial=-np.inf))
        if low > high:
            low, high = -1.0, 1.0
        if low == high:
            low, high = low - 1, high + 1
        image = self._image(axes, y, cmap=_QUANTITY, vmin=low, vmax=high)
        shape = len(self._plane.up), len(self._plane.across)
        y = np.where(np.isfinite(y), y, np.nan)
        if np.nanmin(y, initial=np.inf) < np.nanmax(y, initial=-np.inf):
            axes.contour(
                self._plane.across, self._plane.up, y.reshape(shape), levels=np.linspace(low, high, 12)[1:-1],
                colors=ON_DARK, linewidths=0.5, linestyles="-",
            )  # fmt: skip
        if len(r):
            x = self._plane.points[self._points]
            axes.scatter(
                x[:, 0], x[:, 1], c=r[self._points, j], cmap=_QUANTITY, vmin=low, vmax=high, edgecolors=ON_DARK,
                s=22 if len(x) <= 400 else 12, linewidths=0.8 if len(x) <= 400 else 0.3,
            )  # fmt: skip
        self._bar(part, image, [axes], [low, (low + high) / 2, high])

    # ---- what all panels have --------------------------------------------------------------------------------------

    def _head(self, part: Any, line: str, second: str) -> None:
        """Write the title of a block, on as many lines as the others'."""
        part.suptitle(f"{line}\n{second or ' '}" if self._two_lines or second else line, fontsize=9)

    def _image(self, axes: Any, values: Array, *, interpolation: str = "bilinear", **how: Any) -> Any:
        shape = len(self._plane.up), len(self._plane.across)
        cells = np.where(np.isfinite(values), values, np.nan).astype(np.float64).reshape(shape)
        extent = self._plane.extent
        image = axes.imshow(cells, origin="lower", extent=extent, aspect="auto", interpolation=interpolation, **how)
        axes.set_xlim(self._plane.across[[0, -1]])
        axes.set_ylim(self._plane.up[[0, -1]])
        axes.set_box_aspect(1)
        axes.spines[:].set_visible(True)
        return image

    def _line(self, axes: Any, values: Array, level: float, *, color: str, **how: Any) -> bool:
        """Draw where values come to a level; return whether they do."""
        values = np.where(np.isfinite(values), values, np.nan)
        if not np.nanmin(values, initial=np.inf) < level < np.nanmax(values, initial=-np.inf):
            return False
        shape = len(self._plane.up), len(self._plane.across)
        axes.contour(self._plane.across, self._plane.up, values.reshape(shape), levels=[level], colors=color, **how)
        return True

    def _samples(self, axes: Any, j: int = 0, *, small: bool = False) -> None:
        """Draw the samples, those of a class of output j in its marker; in small panels where they are few."""
        of, meaning = self._meaning.of_points, self._meaning
        if not len(of) or not meaning.classes or (small and (len(of) > 60 or meaning.panels > 1)):
            return
        colours = MANY if meaning.level is None else TWO
        points, classes = self._plane.points[self._points], (of if of.ndim == 1 else of[:, j])[self._points]
        size = (26 if small else 58) if len(points) <= 60 else 30 if len(points) <= 400 else 20
        for c in range(len(meaning.classes)):
            x = points[classes == c]
            if len(x):
                axes.scatter(
                    x[:, 0], x[:, 1], marker=MARKERS[c % len(MARKERS)], s=size, color=colours[c % len(colours)],
                    edgecolors=ON_DARK, linewidths=0.8, label=as_written(meaning.classes[c], 24), zorder=3,
                )  # fmt: skip

    def _legend(self, part: Any, panels: Sequence[Any], y: Array, line: bool) -> None:
        """Name the classes below the panels; where there are no samples the regions."""
        lines, patches = optional("matplotlib.lines", "plot"), optional("matplotlib.patches", "plot")
        meaning = self._meaning
        by_name: dict[str, Any] = {}
        for axes in panels:
            handles, names = axes.get_legend_handles_labels()
            by_name |= dict(zip(names, handles, strict=True))
        if not by_name and meaning.level is None:
            for c in np.unique(y.argmax(axis=1)):
                by_name[as_written(meaning.classes[c], 24)] = patches.Patch(color=_region(c))
        if meaning.level is None and len(meaning.classes) > _MOST_NAMED:
            by_name = {}  # they are named in their regions
        left_out = len(by_name) - _MOST_NAMED
        if left_out > 0:
            by_name = dict(list(by_name.items())[:_MOST_NAMED])
            by_name[f"and {left_out} more"] = lines.Line2D([], [], linestyle="")
        if line:
            words = f"boundary, y = {number(meaning.level or 0.0)}"
            by_name[words] = lines.Line2D([], [], color=INK, linewidth=1.8)
        if by_name:
            each = [0.072 * len(name) + 0.42 for name in by_name]
            room = _SIDE + 0.7
            columns = len(by_name) if sum(each) < room else max(1, int(room / max(each)))
            part.legend(
                by_name.values(), by_name.keys(), loc="outside lower center", ncols=columns, columnspacing=1.4,
                handletextpad=0.5,
            )  # fmt: skip

    def _name_axes(self, panels: Sequence[Any], across: int) -> None:
        """Name the two inputs at the outer panels."""
        most = _letters(len(panels), across)
        for j, axes in enumerate(panels):
            small = len(panels) > 1
            axes.tick_params(labelsize=7 if small else 8, color=MUTED)
            axes.locator_params(nbins=4 if small else 6)
            if j + across >= len(panels):
                axes.set_xlabel(as_written(self._plane.names[0], most))
            if j % across == 0:
                axes.set_ylabel(as_written(self._plane.names[1], most))

    def _bar(self, part: Any, image: Any, panels: Sequence[Any], ticks: Sequence[float]) -> Any:
        """Draw the scale of some panels below them."""
        aspect = 38 if len(panels) == 1 else 24
        bar = part.colorbar(image, ax=panels, location="bottom", aspect=aspect, fraction=0.035, pad=0.03, shrink=0.8)
        bar.set_ticks(list(ticks), labels=[number(float(f"{tick:.3g}")) for tick in ticks])
        bar.ax.tick_params(labelsize=7, length=2)
        bar.outline.set_visible(False)
        return bar


def _panels(part: Any, n: int, across: int, *, main: bool = False) -> list[Any]:
    """Return n panels, so many to a row; a single row in the middle of the height."""
    rows = -(-n // across)
    alone = rows == 1 and not main
    grid = part.add_gridspec(3 if alone else rows, across, height_ratios=[0.4, 1, 0.4] if alone else None)
    return [part.add_subplot(grid[1 if alone else j // across, j % across]) for j in range(n)]


def _region(c: int) -> Any:
    """Return the pale colour of the region of class c."""
    own = np.array(optional("matplotlib.colors", "plot").to_rgb(MANY[c % len(MANY)]))
    return 1 - _REGION * (1 - own)


def _letters(n: int, across: int) -> int:
    """Return how long a name may be beside one of n panels, so many to a row."""
    return 52 if n == 1 else max(8, 34 // max(across, -(-n // across)))


def _largest(values: Array) -> float:
    """Return the largest size of the finite ones; 1 where there is none above 0."""
    return float(np.abs(values[np.isfinite(values)]).max(initial=0.0)) or 1.0


def _sees() -> Any:
    """Return the scale of z and of one output that decides."""
    colors, matplotlib = optional("matplotlib.colors", "plot"), optional("matplotlib", "plot")
    return colors.ListedColormap(matplotlib.colormaps[_SEES](np.linspace(*_PALE, 256)), _SEES)


def _ordinal(n: int) -> str:
    ending = "th" if n % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(n % 10, "th")
    return f"{n}{ending}"
