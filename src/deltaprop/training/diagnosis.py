"""Where a formula stopped being finite: the epoch is gone through again, up to the step, the sample and the unit."""

from __future__ import annotations

from typing import Any

import numpy as np

from deltaprop.arrays import Array
from deltaprop.descent.memory import State
from deltaprop.descent.terms import Terms
from deltaprop.functions import kernels
from deltaprop.model import Model


def where_not_finite(
    model: Model,
    before: State,
    samples: tuple[Any, Array, Array | None],
    order: Array,
    eta: Array,
    steps: tuple[int, int, Terms],
) -> str:
    """Return in words at which point which formula of a network met a value that is not finite; "" where none did.

    Parameters
    ----------
    model : Model
        The network; it ends as it was ``before``.
    before : State
        As it was before the samples in ``order``.
    samples : (X, R, weights)
        As the engine reads them.
    order : ndarray
    eta : ndarray
    steps : (batch_size, block, terms)
    """
    X, R, weights = samples
    batch_size, block, terms = steps
    if batch_size == 1:
        block = 1  # every sample by itself: the same updates

    def finite_after(n: int) -> bool:
        model.return_to(before)
        E = 0.0
        for _, mean in model.passing(X, R, weights, order[:n], eta, batch_size, block, terms):
            E = mean
        return model.not_finite(E) is None

    try:
        good, bad = 0, -(-len(order) // batch_size)
        while bad - good > 1:
            middle = (good + bad) // 2
            good, bad = (middle, bad) if finite_after(middle * batch_size) else (good, middle)
        finite_after(good * batch_size)
        return among_samples(model, X, R, order[good * batch_size : bad * batch_size])
    finally:
        model.return_to(before)


def among_samples(model: Model, X: Any, R: Array, order: Array) -> str:
    """Return the same of the first of some samples where the network as it is meets such a value."""
    for s in order:
        found = _at_sample(model, X[s : s + 1], R[s : s + 1])
        if found:
            return found
    return ""


def _at_sample(model: Model, x: Any, r: Array) -> str:
    definition = model.definition
    with np.errstate(all="ignore"):
        t = model.trace_of(x, r)
    for layer, (h, a, z, dh) in enumerate(zip(definition.functions, t.a, t.z, t.dh, strict=True), start=1):
        if not np.isfinite(a).all():
            return ""
        for what, values in (("", z), ("′", dh)):
            if h.written is not None and not np.isfinite(values).all():
                j = int(np.argmin(np.isfinite(values[0])))
                return f" h{what} of layer {layer}, {h.name!r}, is {values[0, j]:g} at a = {a[0, j]:.9g}."
    loss, y = definition.loss_entry, t.z[-1]
    by_program = isinstance(kernels.of_loss(loss, definition.functions[-1]), kernels.Programs)
    if not by_program or (np.isfinite(t.E).all() and np.isfinite(t.delta[-1]).all()):
        return ""
    from deltaprop.functions.formulas import evaluate

    E = np.full(y.shape[1], t.E[0])  # of each output, where that is known, and not their sum alone
    if loss.written is not None:
        E = evaluate(loss.written.value, y, r)[0][0]
    for what, values in (("E", E), ("∂E/∂a", t.delta[-1][0])):
        for unit in np.flatnonzero(~np.isfinite(values)):
            j = int(unit)
            return f" {what} of loss {loss.name!r} is {values[j]:g} at y = {y[0, j]:.9g}, r = {r[0, j]:.9g}."
    return ""
