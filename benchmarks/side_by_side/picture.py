"""The picture of a benchmark: one panel per row, a bar per peer, µs on a logarithmic axis."""

from __future__ import annotations

import statistics

import measure

COLUMNS = 2


def bars(name: str, title: str, rows: dict[str, dict[str, list[float]]], unit: str = "µs per sample") -> None:
    """Write results/NAME.png; where matplotlib is not installed, say so."""
    try:
        from matplotlib.figure import Figure
    except ImportError:
        print("skipped: the picture: matplotlib is not installed")
        return
    if not rows:
        return
    lines = -(-len(rows) // COLUMNS)
    figure = Figure(figsize=(6 * COLUMNS, 0.6 + 2.6 * lines), layout="constrained", dpi=120)
    figure.suptitle(title)
    panels = figure.subplots(lines, COLUMNS, squeeze=False).ravel()
    for panel, (row, values) in zip(panels, rows.items(), strict=False):
        medians = [statistics.median(v) for v in values.values()]
        spread = [[m - min(v) for m, v in zip(medians, values.values(), strict=True)]]
        spread.append([max(v) - m for m, v in zip(medians, values.values(), strict=True)])
        colours = ["tab:blue" if who in ("deltaprop", "float64") else "silver" for who in values]
        drawn = panel.barh(list(values), medians, color=colours, xerr=spread, ecolor="dimgray")
        panel.bar_label(
            drawn, [f" {measure.short(m)}  ({measure.short(m / medians[0])}×)" for m in medians], fontsize=8
        )
        panel.set(xscale="log", title=row, xlabel=unit)
        panel.set_xlim(min(medians) / 2, max(medians) * 12)
        panel.invert_yaxis()
        panel.spines[["top", "right"]].set_visible(False)
    for panel in panels[len(rows) :]:
        panel.set_axis_off()
    measure.RESULTS.mkdir(exist_ok=True)
    figure.savefig(measure.RESULTS / f"{name}.png")
