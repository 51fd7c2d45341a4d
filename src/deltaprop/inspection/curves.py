"""Curves that people look at: the loss over the epochs, and over η. Drawn by matplotlib."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from deltaprop.arrays import Array
from deltaprop.errors import optional
from deltaprop.storage import PathLike, replace_file

if TYPE_CHECKING:
    from deltaprop.training import History

PICTURES = (".png", ".svg", ".pdf")


@dataclass(frozen=True, repr=False, eq=False)
class Picture:
    """A picture that matplotlib draws: shown by notebooks, ``.figure`` is matplotlib's, `save` writes it."""

    figure: Any

    def data(self, suffix: str) -> bytes:
        """Return the picture as a file of this ending holds it; raise ValueError where it is none of `PICTURES`."""
        if suffix.lower() not in PICTURES:
            raise ValueError(f"A picture needs to be one of {', '.join(PICTURES)}; got {suffix!r}.")
        held = io.BytesIO()
        self.figure.savefig(held, format=suffix.lower().removeprefix("."), dpi=150)
        return held.getvalue()

    def save(self, path: PathLike) -> None:
        """Write it to a file that ends in .png, .svg or .pdf, whole or not at all.

        Raises
        ------
        ValueError
            If it ends in something else.
        OSError
            If it cannot be written.
        """
        replace_file(path, self.data(Path(path).suffix))

    def _repr_png_(self) -> bytes:
        return self.data(".png")


def _figure() -> tuple[Any, Any]:
    """Return a figure and its axes, in the manner of all our curves."""
    figure = optional("matplotlib.figure", "plot").Figure(figsize=(7, 4.2), layout="constrained")
    axes = figure.add_subplot()
    axes.spines[["top", "right"]].set_visible(False)
    return figure, axes


def draw_losses(history: History, suffix: str) -> bytes:
    """Draw E, and E of the validation samples, over the epochs.

    Parameters
    ----------
    history : History
    suffix : str
        The format: ".png", ".svg" or ".pdf".

    Returns
    -------
    bytes
        The picture, as a file holds it.

    Raises
    ------
    ValueError
        If the format is another.
    MissingExtraError
        If matplotlib is not installed.
    """
    if suffix.lower() not in PICTURES:
        raise ValueError(f"A picture needs to be one of {', '.join(PICTURES)}; got {suffix!r}.")
    figure, axes = _figure()
    epochs = range(1, len(history) + 1)
    axes.plot(epochs, history.E, color="#0072b2", label="training, before each update")
    if history.E_validation:
        axes.plot(epochs, history.E_validation, color="#d55e00", linestyle="--", label="held out, after the epoch")
    if history.best_epoch is not None:
        axes.axvline(history.best_epoch, color="#555555", linewidth=0.8, linestyle=":", label="parameters kept")
    if min([*history.E, *history.E_validation], default=0) > 0:
        axes.set_yscale("log")
    axes.set_xlabel("epoch")
    axes.set_ylabel("E, mean over the samples")
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.legend(frameon=False)
    return Picture(figure).data(suffix)


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
    figure, axes = _figure()
    axes.plot(eta, E, ".", color="#9db8c9", markersize=4, label="a point's samples, before their updates")
    axes.plot(eta, smoothed, color="#0072b2", linewidth=1.8, label="smoothed")
    known = smoothed[np.isfinite(smoothed)]
    if len(known):
        low, high = float(known.min()), float(known.max())
        room = 0.25 * (high - low) or 0.1 * abs(high) or 1.0
        axes.set_ylim(low - room, high + room)  # points far above would press the curve flat
    ink = {"steepest": ("#009e73", "v"), "least E": ("#555555", "o")}
    for name, at in marks.items():
        if name == "suggested":
            axes.axvline(at, color="#d55e00", linewidth=1.2, label=f"suggested: η = {at:.2g}")
        else:
            color, marker = ink[name]
            height = float(np.interp(np.log(at), np.log(eta), smoothed))
            axes.plot([at], [height], marker, color=color, markersize=7, label=f"{name}: η = {at:.2g}")
    axes.set_xscale("log")
    axes.set_xlabel("η")
    axes.set_ylabel("E")
    axes.legend(frameon=False)
    return Picture(figure)
