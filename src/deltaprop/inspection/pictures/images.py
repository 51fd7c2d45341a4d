"""The first layer's weights as images, one of each unit, where the inputs are the pixels of one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from deltaprop.arrays import whole_number
from deltaprop.inspection.drawing.svg import number
from deltaprop.model import Model
from deltaprop.picture import new_figure

MOST_IMAGES = 60


def draw_images(model: Model, shape: Sequence[int], units: Sequence[str], colours: str, where: str) -> tuple[Any, str]:
    """Return the figure with W[0] as an image of so many rows and columns for each unit, and what it shows in words."""
    if isinstance(shape, str) or not isinstance(shape, Sequence | np.ndarray) or len(shape) != 2:
        raise ValueError(f"{where}: image needs the rows and columns of the inputs' image, (28, 28); got {shape!r}.")
    rows, columns = (whole_number(n, "image", at_least=1, where=where) for n in shape)
    n_in = model.layers[0]
    if rows * columns != n_in:
        raise ValueError(
            f"{where}: an image of {rows} by {columns} is {rows * columns} inputs; the network has {n_in}."
        )
    W = np.asarray(model.W[0], np.float64)
    n = min(len(units), MOST_IMAGES)
    top = float(np.abs(W[:, :n]).max()) or 1.0
    across = int(np.ceil(np.sqrt(1.6 * n)))
    down = -(-n // across)
    tall = min(max(rows / columns, 0.3), 3.0)
    figure = new_figure(max(0.95 * across, 2.4), (0.95 * tall + 0.22) * down + 0.95)
    panels = figure.subplots(down, across, squeeze=False).ravel()
    drawn = None
    for j, axes in enumerate(panels):
        axes.set_visible(j < n)
        axes.set(xticks=[], yticks=[])
        axes.spines[:].set_visible(False)
        if j < n:
            image = W[:, j].reshape(rows, columns)
            drawn = axes.imshow(image, cmap=colours, vmin=-top, vmax=top, interpolation="nearest")
            axes.set_title(units[j], fontsize=7.5, pad=2)
    of = f"the first {n} of {len(units)} units" if n < len(units) else "each unit"
    figure.suptitle(f"W[0], an image of {of}", fontsize=9)
    bar = figure.colorbar(drawn, ax=panels[:n].tolist(), location="bottom", aspect=30, fraction=0.04, pad=0.03)
    bar.set_ticks([-top, 0, top], labels=[number(float(f"{-top:.2g}")), "0", number(float(f"{top:.2g}"))])
    bar.ax.tick_params(labelsize=7, length=2)
    bar.outline.set_visible(False)
    return figure, f"{n} images of {rows} by {columns} weights, on one scale from {number(-top)} to {number(top)}."
