"""The loss over the epochs as a small picture in SVG: training as a solid line, held-out rows as a dashed one."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from deltaprop.inspection.drawing.svg import number

if TYPE_CHECKING:
    from deltaprop.training import History

_WIDTH, _HEIGHT = 520, 300
_LEFT, _RIGHT, _TOP, _BOTTOM = 58, 16, 28, 46
_MOST_POINTS = 600  # of a line
_DECADES = 1.0  # from which on the axis is logarithmic


class _Axes:
    """Where an epoch and an E lie."""

    def __init__(self, epochs: int, values: Sequence[float]) -> None:
        low, high = min(values), max(values)
        self.log = low > 0 and math.log10(high / low) > _DECADES
        self.epochs = epochs
        low, high = (math.log10(low), math.log10(high)) if self.log else (min(low, 0.0), high)
        room = 0.04 * (high - low) or 0.5
        self.low, self.high = (low - room, high + room) if self.log else (low, high + room)

    def x(self, epoch: float) -> float:
        """Return how far to the right an epoch lies."""
        share = 0.5 if self.epochs == 1 else (epoch - 1) / (self.epochs - 1)
        return _LEFT + share * (_WIDTH - _LEFT - _RIGHT)

    def y(self, value: float) -> float:
        """Return how far down an E lies."""
        at = math.log10(value) if self.log else value
        return _TOP + (self.high - at) / (self.high - self.low) * (_HEIGHT - _TOP - _BOTTOM)

    def marks(self) -> list[float]:
        """Return round numbers along the axis of E, three to eight."""
        if self.log:
            first, last = math.ceil(self.low), math.floor(self.high)
            powers = [10.0**k for k in range(first, last + 1)]
            if len(powers) > 2:
                return powers[:: -(-len(powers) // 7)]
            return [m * 10.0**k for k in range(first - 1, last + 1) for m in (1, 2, 5)
                    if self.low <= math.log10(m * 10.0**k) <= self.high]  # fmt: skip
        apart = _round_step((self.high - self.low) / 4)
        return [k * apart for k in range(math.ceil(self.low / apart), math.floor(self.high / apart) + 1)]


def _round_step(about: float) -> float:
    """Return the largest of 1, 2 and 5 times a power of ten that is not above a number.

    Examples
    --------
    >>> _round_step(0.3), _round_step(70)
    (0.2, 50.0)
    """
    power = 10.0 ** math.floor(math.log10(about))
    return next(m * power for m in (5, 2, 1) if m * power <= about * (1 + 1e-9))


def loss_curves(history: History) -> str:
    """Return the picture; a sentence where there is nothing to draw.

    Examples
    --------
    >>> from deltaprop.training import History
    >>> loss_curves(History(E=[0.5, 0.25])).count('<polyline'), loss_curves(History())
    (1, '<p>No epoch has been trained.</p>')
    """
    lines = [("training", "training, before each update", history.E)]
    if history.E_validation:
        lines.append(("held", "held out, after the epoch", history.E_validation))
    known = [value for _, _, values in lines for value in values if math.isfinite(value)]
    if not known:
        return "<p>No epoch has been trained.</p>"
    axes = _Axes(max(len(values) for _, _, values in lines), known)
    parts = [_scale(axes)]
    parts += [_line(axes, kind, values) for kind, _, values in lines]
    best = history.best_epoch
    if best is not None and 1 <= best <= axes.epochs:
        x = axes.x(best)
        side, anchor = (-6, "end") if best > axes.epochs / 2 else (6, "start")
        parts.append(
            f'<line class="kept" x1="{x:.1f}" y1="{_TOP}" x2="{x:.1f}" y2="{_HEIGHT - _BOTTOM}"/>'
            f'<text x="{x + side:.1f}" y="{_TOP + 12}" text-anchor="{anchor}">kept: epoch {best}</text>'
        )
    words = " ".join(_in_words(name, values) for _, name, values in lines)
    legend = "".join(_legend(kind, name) for kind, name, _ in lines)
    return (
        f'<p class="legend curves">{legend}</p><svg class="curves" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" '
        'aria-labelledby="curves-t curves-d">'
        f'<title id="curves-t">E over the epochs</title><desc id="curves-d">{words}</desc>{"".join(parts)}</svg>'
    )


def _scale(axes: _Axes) -> str:
    floor, right = _HEIGHT - _BOTTOM, _WIDTH - _RIGHT
    parts = []
    for mark in axes.marks():
        y = axes.y(mark)
        parts.append(
            f'<line class="grid" x1="{_LEFT}" y1="{y:.1f}" x2="{right}" y2="{y:.1f}"/>'
            f'<text x="{_LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{number(mark)}</text>'
        )
    middle = (axes.epochs + 1) // 2
    for epoch in sorted({1, middle, axes.epochs} if axes.epochs > 4 else {1, axes.epochs}):
        parts.append(f'<text x="{axes.x(epoch):.1f}" y="{floor + 18}" text-anchor="middle">{epoch:,}</text>')
    parts.append(
        f'<line class="axis" x1="{_LEFT}" y1="{floor}" x2="{right}" y2="{floor}"/>'
        f'<text x="{(_LEFT + right) / 2:g}" y="{_HEIGHT - 8}" text-anchor="middle">epoch</text>'
        f'<text class="symbol" x="{_LEFT - 8}" y="{_TOP - 16}" text-anchor="end">E</text>'
    )
    return "".join(parts)


def _line(axes: _Axes, kind: str, values: Sequence[float]) -> str:
    apart = -(-len(values) // _MOST_POINTS)
    chosen = [*range(0, len(values) - 1, apart), len(values) - 1]
    points = [f"{axes.x(k + 1):.1f},{axes.y(values[k]):.1f}" for k in chosen if math.isfinite(values[k])]
    if len(points) == 1:
        x, y = points[0].split(",")
        return f'<circle class="{kind} point" cx="{x}" cy="{y}" r="4"/>'
    return f'<polyline class="{kind}" points="{" ".join(points)}"/>'


def _legend(kind: str, name: str) -> str:
    line = (
        f'<svg viewBox="0 0 40 10" width="40" height="10" aria-hidden="true"><path class="{kind}" d="M0 5h40"/></svg>'
    )
    return f"<span>{line} {name}</span>"


def _in_words(name: str, values: Sequence[float]) -> str:
    return f"{name}: {number(values[0])} in epoch 1, {number(values[-1])} in epoch {len(values):,}."
