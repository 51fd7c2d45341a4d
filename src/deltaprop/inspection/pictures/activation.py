"""h and h′ of a network's layers, as the engine computes them; with samples also which a's the units get."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from deltaprop.arrays import Array, inputs_in
from deltaprop.foreign_words import answers_foreign_words
from deltaprop.functions import activation
from deltaprop.inspection.pictures.part import a_of
from deltaprop.inspection.pictures.weights import chosen_layers
from deltaprop.model import Model
from deltaprop.picture import BACKWARD, FAINT, FORWARD, MUTED, Picture, as_written, look, new_figure

_POINTS = 601
_REACH = 5.0  # of a, to both sides, where there are no samples
_FURTHEST = 15.0  # of a, where there are
_LOWEST, _HIGHEST = -3.0, 5.0  # of what is shown of h and h′


@answers_foreign_words
def plot_activation(model: Model, X: ArrayLike | None = None, *, layers: int | Sequence[int] | None = None) -> Picture:
    """Draw h and h′ of the layers; with samples also how often which a comes to their units.

    softmax, which is a function of all units of its layer, has no such curve and is left out.

    Parameters
    ----------
    X : array-like or SciPy sparse matrix (n, n_in), optional
        Samples: their a's stand below the curves, and show whether units are where h bends, or where it is flat.
    layers : int or sequence of int, optional
        Which layers, numbered as ``W`` from 0; −1 is the output. By default all, each h once; with samples each layer.

    Returns
    -------
    Picture
        Notebooks show it, ``.save("h.png")`` writes it (png, svg, pdf), ``.figure`` is matplotlib's.

    Raises
    ------
    TypeError, ValueError
        If there is no such layer, none with a curve, or X does not fit.
    MissingExtraError
        If matplotlib is not installed.

    Examples
    --------
    >>> from deltaprop import Network
    >>> picture = Network([2, 4, 4, 1], h="tanh").plot_activation()
    >>> [axes.get_title() for axes in picture.figure.axes]
    ['layers 1, 2: tanh', 'output: sigmoid']
    """
    where = f"{type(model).__name__}.plot_activation"
    chosen = chosen_layers(model, layers, where)
    names = [*model.h, model.output]
    curved = [k for k in chosen if not activation(names[k], where=where).output_only]
    if not curved:
        raise ValueError(f"{where}: {names[-1]} is a function of all units of its layer; it has no curve over one a.")
    samples: Any = None
    if X is not None:
        samples = inputs_in(X, model.layers[0], model.dtype, where=where)
        samples = samples.dense() if hasattr(samples, "dense") else samples
        if not len(samples):
            raise ValueError(f"{where}: X has no rows.")
    groups: dict[Any, list[int]] = {}
    for k in curved:
        groups.setdefault(names[k] if samples is None else k, []).append(k)
    with look():
        columns = min(len(groups), 3)
        rows = -(-len(groups) // columns)
        figure = new_figure(max(3.6 * columns, 4.4), 3.0 * rows + 0.35)
        panels = figure.subplots(rows, columns, squeeze=False).ravel()
        for panel in panels[len(groups) :]:
            panel.set_visible(False)
        for panel, own in zip(panels, groups.values(), strict=False):
            h = names[own[0]]
            _panel(panel, h, None if samples is None else a_of(model, own[0], samples).ravel())
            panel.set_title(f"{_layers(model, own)}: {as_written(h, 30)}")
        handles, labels = panels[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=len(labels))
    shown = ", ".join(dict.fromkeys(names[k] for k in curved))
    return Picture(
        figure, f"h and its derivative: {shown}", "; ".join(_in_words(names[own[0]]) for own in groups.values())
    )


def curve(h: str, a: Array) -> tuple[Array, Array]:
    """Return h(a) and h′(a) by the engine, float64."""
    one = Model([1, 1], output=h, loss="squared_error")
    one.theta = [1.0, 0.0]
    found = one.raw_trace(a[:, None], np.zeros((len(a), 1)))
    return found.z[0][:, 0], found.dh[0][:, 0]


def _panel(axes: Any, h: str, seen: Array | None) -> None:
    """Draw one h, its h′ and where the a's are."""
    low, high = -_REACH, _REACH
    if seen is not None:
        low, high = max(min(low, float(seen.min())), -_FURTHEST), min(max(high, float(seen.max())), _FURTHEST)
    a = np.linspace(low, high, _POINTS)
    with np.errstate(all="ignore"):
        z, dh = curve(h, a)
    dh = np.where(np.isnan(z), np.nan, dh)  # no slope where there is no h, as of log below 0
    axes.axhline(0, color=FAINT, linewidth=0.8)
    axes.axvline(0, color=FAINT, linewidth=0.8)
    axes.plot(a, z, color=FORWARD, linewidth=1.8, label="h(a)")
    axes.plot(a, dh, color=BACKWARD, linewidth=1.5, linestyle="--", label="h′(a)")
    known = np.concatenate([z, dh])
    known = known[np.isfinite(known)]
    bottom, top = max(float(known.min(initial=0)), _LOWEST), min(float(known.max(initial=1)), _HIGHEST)
    room = 0.06 * (top - bottom)
    axes.set_xlim(low, high)
    axes.set_ylim(bottom - room, top + room)
    axes.set_xlabel("a")
    if seen is not None:
        if seen.min() < low or seen.max() > high:
            axes.set_xlabel("a; samples beyond the ends are at the ends")
        counts, edges = np.histogram(np.clip(seen, low, high), bins=40, range=(low, high))
        height = 0.3 * (top - bottom) * counts / max(int(counts.max()), 1)
        axes.bar(
            edges[:-1], height, np.diff(edges), bottom=bottom - room, align="edge", color=MUTED, alpha=0.35, zorder=0,
            label="a of the samples, how often",
        )  # fmt: skip


def _layers(model: Model, own: Sequence[int]) -> str:
    last = len(model.W) - 1
    hidden = [str(k + 1) for k in own if k != last]
    parts = [f"layer{'s' * (len(hidden) > 1)} {', '.join(hidden)}"] if hidden else []
    return " and ".join(parts + ["output"] * (last in own))


def _in_words(h: str) -> str:
    own = activation(h, where="h")
    return f"{h}: h(a) = {own.formula}" + (f", h′(a) = {own.derivative}" if own.derivative else "")
