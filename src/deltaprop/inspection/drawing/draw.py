"""Which figure it is, and with which numbers."""

from __future__ import annotations

from collections.abc import Sequence

from numpy.typing import ArrayLike

from deltaprop.errors import did_you_mean
from deltaprop.inspection.drawing.network_figure import network_figure
from deltaprop.inspection.drawing.svg import Drawing
from deltaprop.inspection.drawing.unit_figure import unit_figure
from deltaprop.inspection.trace import Trace, trace, unit_names
from deltaprop.model import Model


def draw(
    model: Model,
    x: ArrayLike | None = None,
    r: ArrayLike | None = None,
    *,
    unit: str | None = None,
    inputs: Sequence[str] | None = None,
    outputs: Sequence[str] | None = None,
) -> Drawing:
    """Draw a network, or one of its units with all that leads into it and out of it; `Network.draw` documents it.

    ``inputs`` and ``outputs`` name the input columns and the output units.
    """
    where = f"{type(model).__name__}.draw"
    if (x is None) is not (r is None):
        raise TypeError(f"{where}: numbers need a sample, x and r; got no {'x' if x is None else 'r'}.")
    found: Trace | None = None
    if x is not None and r is not None:
        found = trace(model, x, r, inputs=inputs, outputs=outputs)
        if len(found) != 1 or found.x.ndim != 1:
            raise ValueError(f"{where}: x needs one sample; got {len(found)}. Take one: net.draw(X[0], R[0]).")
    if unit is None:
        return network_figure(model, found)
    if found is None:
        raise TypeError(f"{where}: a unit is drawn with the numbers of a sample: give x and r.")
    units = unit_names(model, outputs)
    for layer, names in enumerate(units):
        if unit in names:
            return unit_figure(found, layer, names.index(unit))
    known = [name for names in units for name in names]
    raise ValueError(
        f"{where}: no unit is called {unit!r}.{did_you_mean(unit, known)} There are z1.1 (unit 1 of hidden layer 1) "
        f"and so on, and {', '.join(units[-1][:3])}."
    )
