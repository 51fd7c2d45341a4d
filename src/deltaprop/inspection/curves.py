"""Curves that people look at: the loss over the epochs. Drawn by matplotlib."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from deltaprop.errors import optional

if TYPE_CHECKING:
    from deltaprop.training import History

PICTURES = (".png", ".svg", ".pdf")


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
    figure.savefig(picture, format=suffix.lower().removeprefix("."), dpi=150)
    return picture.getvalue()
