"""The lecture's first figure, for this network: its units, its weights, and what each layer computes. In SVG."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

from deltaprop.model import Model
from deltaprop.storage import PathLike, replace_file

_MOST_UNITS = 8  # of a layer that are drawn one by one
_MOST_LABELS = 12  # between two layers that are written at their edges
_RADIUS = 19
_COLUMN, _ROW = 190, 62
_MARGIN_X, _TOP, _BOTTOM = 60, 34, 74
_SUBSCRIPT = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")


@dataclass(frozen=True)
class Drawing:
    """A picture in SVG: shown by notebooks, ``str`` is the text, `save` writes it."""

    svg: str

    def _repr_svg_(self) -> str:
        return self.svg

    def __str__(self) -> str:
        return self.svg

    def save(self, path: PathLike) -> None:
        """Write the SVG to ``path``, whole or not at all; raise OSError where it cannot be written."""
        replace_file(path, self.svg.encode())


@dataclass(frozen=True)
class _Unit:
    x: float
    y: float
    label: str


def draw(model: Model) -> Drawing:
    """Draw ``model`` from its inputs on the left to its outputs on the right; `Network.draw` documents it."""
    columns = [_column(model, k) for k in range(len(model.layers))]
    tallest = max(len(column) for column in columns)
    width = 2 * _MARGIN_X + _COLUMN * (len(columns) - 1)
    middle = _TOP + _RADIUS + (tallest - 1) * _ROW / 2
    height = _TOP + 2 * _RADIUS + (tallest - 1) * _ROW + _BOTTOM
    placed = [
        [
            _Unit(_MARGIN_X + k * _COLUMN, middle + (row - (len(column) - 1) / 2) * _ROW, label)
            for row, label in enumerate(column)
        ]
        for k, column in enumerate(columns)
    ]
    name = "-".join(map(str, model.layers))
    functions = ", ".join([*model.h, model.output])
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" '
        f'width="{width:g}" height="{height:g}" role="img" font-size="15" '
        "font-family=\"Georgia, 'Times New Roman', serif\">",
        f"<title>A {escape(name)} network</title>",
        f"<desc>Layers of {escape(', '.join(map(str, model.layers)))} units; functions {escape(functions)}; "
        f"{model.n_parameters} parameters.</desc>",
        '<defs><marker id="arrow" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="6" markerHeight="6" orient="auto">'
        '<path d="M0 0 8 4 0 8z" fill="#5b6770"/></marker></defs>',
        f'<rect width="{width:g}" height="{height:g}" rx="8" fill="#ffffff"/>',
    ]
    for k in range(len(placed) - 1):
        parts += _edges(placed[k], placed[k + 1], "v" if k == len(placed) - 2 and k > 0 else "w")
    for k, column in enumerate(placed):
        parts += [part for unit in column for part in _unit(unit, filled=k > 0)]
        parts += _caption(model, k, placed[k][0].x, height)
    parts.append("</svg>")
    return Drawing("\n".join(parts) + "\n")


def _column(model: Model, k: int) -> list[str]:
    n = model.layers[k]
    last = len(model.layers) - 1
    letter = "x" if k == 0 else "y" if k == last else "z"

    def label(j: int) -> str:
        return letter if n == 1 and k == last else f"{letter}{j}".translate(_SUBSCRIPT)

    if n <= _MOST_UNITS:
        return [label(j) for j in range(1, n + 1)]
    shown = _MOST_UNITS - 2
    return [*(label(j) for j in range(1, shown + 1)), "⋮", label(n)]


def _edges(left: list[_Unit], right: list[_Unit], letter: str) -> list[str]:
    parts = []
    labelled = len(left) * len(right) <= _MOST_LABELS
    for j, to in enumerate(right, start=1):
        for i, source in enumerate(left, start=1):
            if "⋮" in (source.label, to.label):
                continue
            dx, dy = to.x - source.x, to.y - source.y
            length = (dx * dx + dy * dy) ** 0.5
            ux, uy = dx / length, dy / length
            x1, y1 = source.x + ux * _RADIUS, source.y + uy * _RADIUS
            x2, y2 = to.x - ux * (_RADIUS + 2), to.y - uy * (_RADIUS + 2)
            parts.append(
                f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="#5b6770" stroke-width="1" '
                'marker-end="url(#arrow)"/>'
            )
            if labelled:
                at = 0.70 if len(left) <= len(right) else 0.30  # near the end where the edges lie furthest apart
                index = f"{j if len(right) > 1 else ''}{i}".translate(_SUBSCRIPT)
                where = f'x="{source.x + at * dx:.1f}" y="{source.y + at * dy - 4:.1f}" font-size="11"'
                for paint in ('stroke="#ffffff" stroke-width="3"', 'fill="#8a4b08"'):  # a halo, then the letters
                    parts.append(f'<text {where} text-anchor="middle" {paint}>{letter}{index}</text>')
    return parts


def _unit(unit: _Unit, *, filled: bool) -> list[str]:
    text = f'<text x="{unit.x:g}" y="{unit.y + 5:g}" text-anchor="middle" fill="#1b2630">{escape(unit.label)}</text>'
    if unit.label == "⋮":
        return [text]
    fill = "#dcebf7" if filled else "#ffffff"
    return [
        f'<circle cx="{unit.x:g}" cy="{unit.y:g}" r="{_RADIUS}" fill="{fill}" stroke="#1b5e8c" stroke-width="1.5"/>',
        text,
    ]


def _caption(model: Model, k: int, x: float, height: float) -> list[str]:
    if k == 0:
        lines = ["inputs", ""]
    else:
        below = "x" if k == 1 else "z"
        bias = " + b" if model.bias else ""
        letter = "y" if k == len(model.layers) - 1 else "z"
        function = [*model.h, model.output][k - 1]
        weight = "v" if k == len(model.layers) - 1 and k > 1 else "w"
        lines = [
            f"a = Σ {weight} {below}{bias}",
            f"{letter} = {'σ' if function == 'sigmoid' else function}(a)",
        ]
    return [
        f'<text x="{x:g}" y="{height - 38 + 19 * row:g}" text-anchor="middle" font-size="13" fill="#1b2630">'
        f"{escape(line)}</text>"
        for row, line in enumerate(lines)
        if line
    ]
