"""The network of a page: places for units, weights and their numbers, which the page's script fills step by step.

Which units of a layer are drawn is the drawing's choice (inspection/drawing). Of a larger layer the place between the
first ones and the last shows the unit that is looked at, where it is none of those.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from itertools import pairwise
from typing import Any

from deltaprop.inspection.drawing.network_figure import drawn_units
from deltaprop.inspection.drawing.svg import shortened, width_of
from deltaprop.model import Model

_RADIUS, _ROW, _TOP = 26, 106, 28
_COLUMN, _WITH_LABELS = 160, 228  # from one layer to the next, without and with numbers at the lines
_FIRST = 4  # units of a layer that is abridged, and its last
_NAME = 13  # size of a name
_MOST_LABELLED = 4  # units of the narrower of two layers, up to which there is room for w at the lines

Place = tuple[int | None, str, float, float]  # unit, its symbol, x, y


def figure(model: Model, inputs: tuple[str, ...], outputs: tuple[str, ...]) -> str:
    """Return the drawing as SVG for a page: its texts are empty, its parts know which place they are."""
    columns = [_few(drawn_units(model, k)) for k in range(len(model.layers))]
    tallest = max(map(len, columns))
    named = [shortened(inputs[j]) if j is not None else "" for j, _ in columns[0]]
    left = 2 * _RADIUS + max(max((width_of(name, _NAME) for name in named), default=0), 12)
    right = 2 * _RADIUS + max(max(width_of(shortened(name, 16), _NAME) for name in outputs), 84)
    at = [left]
    for below, above in pairwise(columns):
        at.append(at[-1] + (_WITH_LABELS if _labelled(below, above) else _COLUMN))
    width = at[-1] + right
    bottom = 112 if len(columns[-1]) == tallest else 84  # where E stands below all
    height = _TOP + 12 + 2 * _RADIUS + (tallest - 1) * _ROW + bottom
    middle = _TOP + _RADIUS + 12 + (tallest - 1) * _ROW / 2
    placed = [
        [(j, label, at[k], middle + (row - (len(column) - 1) / 2) * _ROW) for row, (j, label) in enumerate(column)]
        for k, column in enumerate(columns)
    ]
    lines, labels = [], []
    for k, (sources, targets) in enumerate(pairwise(placed), start=1):
        found = _edges(k, sources, targets)
        lines += found[0]
        labels += found[1]
    units = [_unit(k, p, place) for k, column in enumerate(placed) for p, place in enumerate(column)]
    ends = [_end(placed[0][p], name, -1) for p, name in enumerate(named)]
    ends += [
        _end(place, shortened(outputs[place[0]], 16), 1, p)
        for p, place in enumerate(placed[-1])
        if place[0] is not None
    ]
    last = placed[-1][-1]
    loss = (
        f'<text class="loss" x="{last[2]:g}" y="{last[3] + _RADIUS + 44:g}" text-anchor="middle">'
        '<tspan class="symbol">E</tspan> = <tspan data-loss=""></tspan></text>'
    )
    captions = [_caption(model, k, column[0][2], height) for k, column in enumerate(placed)]
    return "\n".join(
        [
            f'<svg id="net" viewBox="0 0 {width:g} {height:g}" width="{width:g}" height="{height:g}" role="group" '
            'aria-label="The network; a unit is a button that goes to its step">',
            "<defs>" + "".join(_tip(kind) for kind in ("edge", "forward", "backward", "update")) + "</defs>",
            *lines,
            *labels,
            loss,
            *ends,
            *captions,
            *units,
            "</svg>",
        ]
    )


def _few(units: list[tuple[int | None, str]]) -> list[tuple[int | None, str]]:
    """Return fewer of a layer that is abridged: a page has less height than a sheet."""
    return units if all(j is not None for j, _ in units) else [*units[:_FIRST], *units[-2:]]


def _labelled(below: Sequence[Any], above: Sequence[Any]) -> bool:
    """Whether there is room for the numbers of all lines between two layers."""
    drawn = all(unit[0] is not None for unit in (*below, *above))
    return drawn and min(len(below), len(above)) <= _MOST_LABELLED


def _tip(kind: str) -> str:
    return (
        f'<marker id="tip-{kind}" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8" markerHeight="8" '
        f'markerUnits="userSpaceOnUse" orient="auto-start-reverse"><path class="tip {kind}" d="M0 0 8 4 0 8z"/>'
        "</marker>"
    )


def _edges(k: int, below: list[Place], above: list[Place]) -> tuple[list[str], list[str]]:
    """Return the lines to layer k, and where there is room for all of them the places of their numbers."""
    lines, labels = [], []
    few, labelled = min(len(below), len(above)), _labelled(below, above)
    at = len(below) / (len(below) + 1) if len(below) <= len(above) else 1 / (len(above) + 1)
    if few == 1 and len(below) == len(above):
        at = 0.5
    for q, (_, _, x2, y2) in enumerate(above):
        for p, (_, _, x1, y1) in enumerate(below):
            dx, dy = x2 - x1, y2 - y1
            length = (dx * dx + dy * dy) ** 0.5
            ux, uy = dx / length * (_RADIUS + 2), dy / length * (_RADIUS + 2)
            lines.append(
                f'<line class="edge" data-edge="{k}:{p}:{q}" x1="{x1 + ux:.1f}" y1="{y1 + uy:.1f}" '
                f'x2="{x2 - ux:.1f}" y2="{y2 - uy:.1f}"/>'
            )
            if labelled:
                labels.append(
                    f'<text class="weight" data-weight="{k}:{p}:{q}" x="{x1 + at * dx:.1f}" y="{y1 + at * dy + 4:.1f}" '
                    'text-anchor="middle"></text>'
                )
    return lines, labels


def _unit(k: int, p: int, place: Place) -> str:
    j, label, x, y = place
    more = f' data-j="{j}"' if j is not None else ""
    texts = f'<text class="of" y="-5">{escape(label)}</text><text class="value" y="13"></text>'
    if k:
        texts = f'<text class="sum" y="{-_RADIUS - 7}"></text>{texts}<text class="delta" y="{_RADIUS + 17}"></text>'
    return (
        f'<g class="unit{"" if k else " input"}" data-layer="{k}" data-place="{p}"{more} transform="translate({x:g} '
        f'{y:g})" role="button" tabindex="0"><circle r="{_RADIUS}"/>{texts}</g>'
    )


def _end(place: Place, name: str, side: int, p: int | None = None) -> str:
    """Return what stands beside an input, or beside an output: its name, and r."""
    _, _, x, y = place
    if side < 0:
        return f'<text class="name" x="{x - _RADIUS - 10:g}" y="{y + 4:g}" text-anchor="end">{escape(name)}</text>'
    x += _RADIUS + 10
    return (
        f'<text class="name" x="{x:g}" y="{y - 5:g}">{escape(name)}</text>'
        f'<text class="target" x="{x:g}" y="{y + 14:g}" data-target="{p}"></text>'
    )


def _caption(model: Model, k: int, x: float, height: float) -> str:
    if k == 0:
        lines = ["inputs"]
    else:
        last = k == len(model.layers) - 1
        lines = ["output" if last else f"hidden {k}" if len(model.layers) > 3 else "hidden"]
        lines.append(shortened([*model.h, model.output][k - 1], 20))
    if model.layers[k] > 1:
        lines[0] = f"{model.layers[k]} {lines[0]}" + ("s" if lines[0] == "output" else "")
    return "".join(
        f'<text class="caption" x="{x:g}" y="{height - 30 + 17 * row:g}" text-anchor="middle">{escape(words)}</text>'
        for row, words in enumerate(lines)
    )
