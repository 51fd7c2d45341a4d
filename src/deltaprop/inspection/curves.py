"""Curves that people look at: the loss over the epochs. Drawn by matplotlib."""

from __future__ import annotations

import io
from pathlib import Path

from deltaprop.errors import optional
from deltaprop.storage import PathLike, replace_file
from deltaprop.training import History

_FORMATS = ("png", "svg", "pdf")


def check_picture(path: PathLike) -> None:
    """Raise ValueError unless the name ends in a format that can be drawn, MissingExtraError without matplotlib."""
    if Path(path).suffix.lstrip(".").lower() not in _FORMATS:
        raise ValueError(f"{path}: a picture's name needs to end in {', '.join('.' + name for name in _FORMATS)}.")
    optional("matplotlib", "plot")


def draw_losses(history: History, path: PathLike) -> None:
    """Draw E, and E of the validation samples, over the epochs into a file.

    Parameters
    ----------
    history : History
    path : path-like
        Ending in .png, .svg or .pdf.

    Raises
    ------
    ValueError
        If the name ends in something else.
    MissingExtraError
        If matplotlib is not installed.
    """
    check_picture(path)
    figure = optional("matplotlib.figure", "plot").Figure(figsize=(7, 4.2), layout="constrained")
    axes = figure.add_subplot()
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
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False)
    picture = io.BytesIO()
    figure.savefig(picture, format=Path(path).suffix.lstrip(".").lower(), dpi=150)
    replace_file(path, picture.getvalue())
