"""The lecture's second and third figure, for one unit: what leads into it, a and z; and δ, from the units above it."""

from __future__ import annotations

from deltaprop.inspection.drawing.network_figure import MOST_UNITS, SHOWN
from deltaprop.inspection.drawing.svg import Canvas, Drawing, number, shortened, width_of
from deltaprop.inspection.trace import Trace

_ROW, _RADIUS, _BIG = 68, 29, 46
_REACH = 250  # from one column to the next


def unit_figure(trace: Trace, layer: int, j: int) -> Drawing:
    """Draw unit j of a layer with the numbers of a sample."""
    own = trace.layers[layer]
    up = trace.layers[layer + 1] if layer + 1 < len(trace.layers) else None
    name = own.units[j]
    below, above = _few(len(own.inputs)), [] if up is None else _few(len(up.units))
    values = trace.x if layer == 0 else trace.layers[layer - 1].z
    left = 40 + max(width_of(shortened(n), 12) for n in own.inputs)
    rows = max(len(below), len(above), 3)
    middle = 60 + (rows - 1) * _ROW / 2
    x = left + _RADIUS + 8, left + _RADIUS + 8 + _REACH, left + _RADIUS + 8 + 2 * _REACH
    canvas = Canvas()

    def place(column: int, row: int, n: int) -> tuple[float, float]:
        return x[column], middle + (row - (n - 1) / 2) * _ROW

    largest = max(abs(float(w)) for w in own.W[:, j]) or 1.0
    for row, i in enumerate(below):
        at = place(0, row, len(below))
        if i is None:
            canvas.text((at[0], at[1] + 6), "⋮", size=18)
            continue
        w = float(own.W[i, j])
        _arrow(canvas, at, (x[1], middle), w, largest, f"w {number(w)}")
        canvas.circle(at, _RADIUS, kind="unit" if layer else "input")
        canvas.text((at[0], at[1] + 4), number(float(values[i])), size=12, kind="forward", bold=True)
        canvas.text((at[0] - _RADIUS - 8, at[1] + 4), shortened(own.inputs[i]), size=12, anchor="end")
    for row, k in enumerate(above):
        at = place(2, row, len(above))
        if k is None or up is None:
            canvas.text((at[0], at[1] + 6), "⋮", size=18)
            continue
        w = float(up.W[j, k])
        _arrow(canvas, at, (x[1], middle), w, float(abs(up.W[j]).max()) or 1.0, f"w {number(w)}", back=True)
        canvas.circle(at, _RADIUS)
        canvas.text((at[0], at[1] + 4), f"δ {number(float(up.delta[k]))}", size=10.5, kind="backward", bold=True)
        canvas.text((at[0] + _RADIUS + 8, at[1] + 4), shortened(up.units[k]), size=12, anchor="start")
    canvas.circle((x[1], middle), _BIG)
    canvas.text((x[1], middle - 20), shortened(name, 12), size=12, kind="muted")
    canvas.text((x[1], middle), f"a {number(float(own.a[j]))}", size=13, kind="forward", bold=True)
    canvas.text((x[1], middle + 20), f"z {number(float(own.z[j]))}", size=13, kind="forward", bold=True)
    bottom = middle + (rows - 1) * _ROW / 2 + _BIG + 30
    lines = _lines(trace, layer, j)
    for row, (words, kind) in enumerate(lines):
        canvas.text((24, bottom + 22 * row), words, size=13, kind=kind, anchor="start")
    widest = max(width_of(words, 13) for words, _ in lines) + 48
    right = x[1] + _BIG + 40
    if up is not None:
        right = x[2] + _RADIUS + 40 + max(width_of(shortened(n), 12) for n in up.units)
    height = bottom + 22 * len(lines)
    said = " ".join(words + "." for words, _ in lines)
    return canvas.drawing(max(right, widest), height, title=f"Unit {name}, forward and back", words=said)


def _few(n: int) -> list[int | None]:
    return list(range(n)) if n <= MOST_UNITS else [*range(SHOWN), None, n - 1]


def _arrow(
    canvas: Canvas, source: tuple[float, float], to: tuple[float, float], w: float, largest: float, words: str, *,
    back: bool = False,
) -> None:  # fmt: skip
    """Draw the line of a weight, into the unit or back to it, with its number near the other end."""
    dx, dy = to[0] - source[0], to[1] - source[1]
    length = (dx * dx + dy * dy) ** 0.5
    ux, uy = dx / length, dy / length
    start = (source[0] + ux * (_RADIUS + 1), source[1] + uy * (_RADIUS + 1))
    end = (to[0] - ux * (_BIG + 1), to[1] - uy * (_BIG + 1))
    canvas.line(start, end, width=0.6 + 2.9 * abs(w) / largest, dashed=w < 0, kind="back" if back else "edge")
    canvas.text((source[0] + 0.36 * dx, source[1] + 0.36 * dy + 4), words, size=11.5, ground=True)


def _lines(trace: Trace, layer: int, j: int) -> list[tuple[str, str]]:
    """Return what the unit computes, as lines with the numbers."""
    own = trace.layers[layer]
    a, z, delta = (number(float(v[j])) for v in (own.a, own.z, own.delta))
    bias = "" if own.b is None else f", b = {number(float(own.b[j]))}"
    lines = [(f"a = Σ w z{'' if own.b is None else ' + b'} = {a}{bias}", "forward")]
    if own.dh.ndim == 1:
        slope = number(float(own.dh[j]))
        lines.append((f"z = h(a) = {z}, h = {shortened(own.h, 40)}, h′(a) = {slope}", "forward"))
    else:
        slope = ""
        lines.append((f"z = exp(a) / Σ exp(a) over the outputs = {z}", "forward"))
    if layer + 1 == len(trace.layers):
        lines.append((f"E = {number(float(trace.E))} with r = {number(float(trace.r[j]))}", "ink"))
        lines.append((f"δ = ∂E/∂a = {delta}", "backward"))
    else:
        up = trace.layers[layer + 1]
        total = float(up.W[j] @ up.delta)
        written = f"({number(total)})" if total < 0 else number(total)
        lines.append((f"δ = h′(a) Σ δ w = {slope} · {written} = {delta}", "backward"))
    of_bias = "" if own.db is None else ", ∂E/∂b = δ"
    lines.append((f"∂E/∂w = δ z for each input z{of_bias}", "backward"))
    return lines
