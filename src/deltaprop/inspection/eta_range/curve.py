"""E over η, as a range test found it, drawn by matplotlib."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from deltaprop.arrays import Array
from deltaprop.picture import BACKWARD, FORWARD, MUTED, THIRD, Picture, look, new_figure


def draw_eta_range(eta: Array, E: Array, smoothed: Array, marks: Mapping[str, float]) -> Picture:
    """Draw E over η, as a range test found it, with what stands out marked by name.

    Parameters
    ----------
    eta, E, smoothed : ndarray (k,)
    marks : mapping of str to float
        η by name; "suggested" is drawn as a line.

    Raises
    ------
    MissingExtraError
        If matplotlib is not installed.
    """
    with look():
        figure = new_figure(7, 4.2)
        axes = figure.add_subplot()
        axes.plot(eta, E, ".", color="#8fb0c6", markersize=4, label="a point's samples, before their updates")
        axes.plot(eta, smoothed, color=FORWARD, linewidth=1.8, label="smoothed")
        known = smoothed[np.isfinite(smoothed)]
        if len(known):
            low, high = float(known.min()), float(known.max())
            room = 0.25 * (high - low) or 0.1 * abs(high) or 1.0
            axes.set_ylim(low - room, high + room)  # points far above would press the curve flat
        ink = {"steepest": (THIRD, "v"), "least E": (MUTED, "o")}
        for name, at in marks.items():
            if name == "suggested":
                axes.axvline(at, color=BACKWARD, linewidth=1.2, label=f"suggested: η = {at:.2g}")
            else:
                color, marker = ink[name]
                height = float(np.interp(np.log(at), np.log(eta), smoothed))
                axes.plot([at], [height], marker, color=color, markersize=7, label=f"{name}: η = {at:.2g}")
        axes.set_xscale("log")
        axes.set_xlabel("η")
        axes.set_ylabel("E")
        axes.legend()
    words = "; ".join(f"{name}: η = {at:.3g}" for name, at in marks.items())
    return Picture(figure, "E over the learning rate η", words)
