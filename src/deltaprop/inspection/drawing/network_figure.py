"""The lecture's first figure, for this network: its units, its weights, what each layer computes, a sample's numbers.

The numbers are a trace's: z forward, in the units; δ backward, below them; w at the lines, whose width is |w| beside
the largest of its layer, and which are dashed where it is below 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from deltaprop.inspection.drawing.svg import SUBSCRIPT, Canvas, Drawing, number, shortened, width_of
from deltaprop.inspection.trace import Trace
from deltaprop.model import Model

MOST_UNITS = 8  # of a layer that are drawn one by one
SHOWN = MOST_UNITS - 2  # of a larger one, and its last
_MOST_LABELLED = 4  # units of the narrower of two layers, up to which there is room for w at the lines
_WIDEST = 3.5  # of a line


@dataclass(frozen=True)
class _Size:
    """Lengths of a figure with numbers, or without."""

    radius: float
    column: float
    row: float
    top: float = 40
    bottom: float = 78


_PLAIN, _NUMBERED = _Size(19, 190, 62), _Size(26, 270, 92, bottom=122)


@dataclass(frozen=True)
class _Unit:
    """A unit that is drawn, number j of its layer from 0; None stands for those that are not."""

    j: int | None
    label: str
    x: float
    y: float

    @property
    def at(self) -> tuple[float, float]:
        return self.x, self.y


def network_figure(model: Model, trace: Trace | None) -> Drawing:
    """Draw a network from its inputs on the left to its outputs on the right, with the numbers of a trace."""
    size = _PLAIN if trace is None else _NUMBERED
    labels = [drawn_units(model, k) for k in range(len(model.layers))]
    tallest = max(map(len, labels))
    names = [] if trace is None else [shortened(name) for name in trace.inputs]
    left = 76 + max((width_of(name, 12) for name in names), default=0)
    right = 76 if trace is None else 150
    width = left + right + size.column * (len(labels) - 1)
    middle = size.top + size.radius + (tallest - 1) * size.row / 2
    height = size.top + 2 * size.radius + (tallest - 1) * size.row + size.bottom
    placed = [
        [
            _Unit(j, label, left + k * size.column, middle + (row - (len(column) - 1) / 2) * size.row)
            for row, (j, label) in enumerate(column)
        ]
        for k, column in enumerate(labels)
    ]
    canvas = Canvas()
    for k, (below, above) in enumerate(pairwise(placed)):
        _edges(canvas, below, above, size, model, k, trace)
    for k, column in enumerate(placed):
        for unit in column:
            _unit(canvas, unit, size, k, trace)
        _caption(canvas, model, k, column[0].x, height)
    if trace is not None:
        _ends(canvas, placed, size, trace, names)
    title = f"A {'-'.join(map(str, model.layers))} network" + ("" if trace is None else " and one sample")
    return canvas.drawing(width, height, title=title, words=_in_words(model, trace))


def drawn_units(model: Model, k: int) -> list[tuple[int | None, str]]:
    """Return the units of layer k that are drawn, with their symbols; of many the first and the last."""
    n, last = model.layers[k], len(model.layers) - 1
    letter = "x" if k == 0 else "y" if k == last else "z"

    def label(j: int) -> tuple[int | None, str]:
        return j, letter if n == 1 and k == last else f"{letter}{j + 1}".translate(SUBSCRIPT)

    if n <= MOST_UNITS:
        return [label(j) for j in range(n)]
    return [*(label(j) for j in range(SHOWN)), (None, "⋮"), label(n - 1)]


def _edges(
    canvas: Canvas, below: list[_Unit], above: list[_Unit], size: _Size, model: Model, k: int, trace: Trace | None
) -> None:
    """Draw the lines between two layers; at each its weight, where there is room for all."""
    W = model.W[k]
    largest = float(abs(W).max()) or 1.0
    few = min(len(below), len(above))
    labelled = few <= _MOST_LABELLED and not any(unit.j is None for unit in (*below, *above))
    # where labels of all lines stand in one column, at equal distances: near the end where lines lie further apart
    at = len(below) / (len(below) + 1) if len(below) <= len(above) else 1 / (len(above) + 1)
    if few == 1 and len(below) == len(above):
        at = 0.5
    letter = "v" if k == len(model.W) - 1 and k > 0 else "w"
    labels: list[tuple[tuple[float, float], str]] = []
    for to in above:
        for source in below:
            if to.j is None or source.j is None:
                continue
            w = float(W[source.j, to.j])
            dx, dy = to.x - source.x, to.y - source.y
            length = (dx * dx + dy * dy) ** 0.5
            ux, uy = dx / length * (size.radius + 1), dy / length * (size.radius + 1)
            start, end = (source.x + ux, source.y + uy), (to.x - ux, to.y - uy)
            if trace is None:
                canvas.line(start, end)
                index = f"{to.j + 1 if len(above) > 1 else ''}{source.j + 1}".translate(SUBSCRIPT)
                words = f"{letter}{index}"
            else:
                canvas.line(start, end, width=0.6 + (_WIDEST - 0.6) * abs(w) / largest, dashed=w < 0)
                words = number(w)
            labels.append(((source.x + at * dx, source.y + at * dy + 4), words))
    if labelled:
        for where, words in labels:
            canvas.text(where, words, size=11, kind="ink", ground=True)


def _unit(canvas: Canvas, unit: _Unit, size: _Size, k: int, trace: Trace | None) -> None:
    if unit.j is None:
        canvas.text((unit.x, unit.y + 6), "⋮", size=18)
        return
    canvas.circle(unit.at, size.radius, kind="unit" if k else "input")
    if trace is None:
        canvas.text((unit.x, unit.y + 5), unit.label, size=15)
        return
    canvas.text((unit.x, unit.y - 4), unit.label, size=11, kind="muted")
    z = trace.x[unit.j] if k == 0 else trace.layers[k - 1].z[unit.j]
    canvas.text((unit.x, unit.y + 11), number(float(z)), size=12, kind="forward", bold=True)
    if k > 0:
        delta = number(float(trace.layers[k - 1].delta[unit.j]))
        canvas.text((unit.x, unit.y + size.radius + 14), f"δ {delta}", size=12, kind="backward", ground=True, bold=True)


def _ends(canvas: Canvas, placed: list[list[_Unit]], size: _Size, trace: Trace, names: list[str]) -> None:
    """Write the names of the inputs beside them; r and the names of the outputs beside the outputs, E below these."""
    for unit in placed[0]:
        if unit.j is not None:
            canvas.text((unit.x - size.radius - 8, unit.y + 4), names[unit.j], size=12, anchor="end")
    outputs = trace.layers[-1].units
    for unit in placed[-1]:
        if unit.j is not None:
            x = unit.x + size.radius + 10
            plain = outputs[unit.j] == "y" or outputs[unit.j] == f"y{unit.j + 1}"
            if not plain:
                canvas.text((x, unit.y - 8), shortened(outputs[unit.j], 16), size=12, anchor="start")
            canvas.text((x, unit.y + 8), f"r = {number(float(trace.r[unit.j]))}", size=12, kind="muted", anchor="start")
    last = placed[-1][-1]
    below = (last.x, last.y + size.radius + 34)
    canvas.text(below, f"E = {number(float(trace.E))}", size=14, ground=True, bold=True)


def _caption(canvas: Canvas, model: Model, k: int, x: float, height: float) -> None:
    """Write below a layer what it computes."""
    n = model.layers[k]
    last = len(model.layers) - 1
    if k == 0:
        lines = ["inputs"]
    else:
        function = [*model.h, model.output][k - 1]
        weight, below = "v" if k == last and k > 1 else "w", "x" if k == 1 else "z"
        name = "σ" if function == "sigmoid" else function if function.isidentifier() else "h"
        lines = [f"a = Σ {weight} {below}{' + b' if model.bias else ''}", f"{'y' if k == last else 'z'} = {name}(a)"]
    written = [(words, "ink") for words in lines]
    if n > MOST_UNITS:
        written.append((f"{SHOWN} and the last of {n}", "muted"))
    for row, (words, kind) in enumerate(written):
        canvas.text((x, height - 52 + 18 * row), words, size=12.5, kind=kind)


def _in_words(model: Model, trace: Trace | None) -> str:
    functions = ", ".join([*model.h, model.output])
    said = (
        f"Layers of {', '.join(map(str, model.layers))} units; functions {functions}; {model.n_parameters} parameters."
    )
    if trace is None:
        return said
    rows = [f"{row.symbol} {row.name} = {number(row.value)}".replace("  ", " ") for row in trace.rows(matrices=False)]
    return " ".join([said, "Forward and back:", "; ".join(rows[:200]) + "."])
