"""The curves of a training run: E over the epochs, that of the validation samples, and their metrics."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from deltaprop.picture import BACKWARD, FORWARD, INK, MUTED, THIRD, Picture, as_written, look, new_figure

if TYPE_CHECKING:
    from deltaprop.training.history import History

_DECADE = 10.0  # from which range on the axis of E is logarithmic
_STYLES = ((BACKWARD, "--"), (THIRD, "-."), (FORWARD, "-"), (INK, ":"))


def loss_curves(history: History) -> Picture:
    """Draw the curves of a run; `History.plot` documents it."""
    with look():
        figure = new_figure(7, 4.2 if not history.metrics else 6.0)
        panels = figure.subplots(1 + bool(history.metrics), 1, sharex=True, squeeze=False)[:, 0]
        axes = panels[0]
        epochs = range(1, len(history) + 1)
        marker = "o" if len(history) == 1 else None
        axes.plot(epochs, history.E, color=FORWARD, marker=marker, label="training, before each update")
        if history.E_validation:
            axes.plot(
                epochs, history.E_validation, color=BACKWARD, linestyle="--", marker=marker,
                label="held out, after the epoch",
            )  # fmt: skip
        drawn = [E for E in (*history.E, *history.E_validation) if math.isfinite(E)]
        if drawn and 0 < _DECADE * min(drawn) < max(drawn):
            axes.set_yscale("log")
        axes.set_ylabel("E, mean over the samples")
        for k, (name, values) in enumerate(history.metrics.items()):
            color, style = _STYLES[k % len(_STYLES)]
            panels[1].plot(epochs, values, color=color, linestyle=style, marker=marker, label=as_written(name))
            panels[1].set_ylabel("metrics, held out")
        for panel in panels:
            if history.best_epoch is not None and history.best_epoch <= len(history):
                said = "parameters kept" if panel is axes else None
                panel.axvline(history.best_epoch, color=MUTED, linewidth=0.9, linestyle=":", label=said)
            if panel.get_legend_handles_labels()[0]:
                panel.legend()
        panels[-1].set_xlabel("epoch")
        panels[-1].xaxis.get_major_locator().set_params(integer=True)
    return Picture(figure, "E over the epochs", _in_words(history))


def _in_words(history: History) -> str:
    if not len(history):
        return "No epochs."
    said = [f"E of {len(history)} epochs, from {history.E[0]:.4g} to {history.E[-1]:.4g}"]
    if history.E_validation:
        said.append(f"of the samples held out from {history.E_validation[0]:.4g} to {history.E_validation[-1]:.4g}")
    said += [f"{name} at the end {values[-1]:.4g}" for name, values in history.metrics.items() if values]
    if history.best_epoch is not None:
        said.append(f"the parameters of epoch {history.best_epoch} were kept")
    return "; ".join(said) + "."
