"""What the outputs of a network stand for: one of two classes, one of many, or quantities."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from deltaprop.arrays import Array
from deltaprop.functions import activation
from deltaprop.functions import loss as loss_of
from deltaprop.inspection.trace import output_names
from deltaprop.model import Model


@dataclass(frozen=True)
class Meaning:
    """What is drawn of the outputs.

    Attributes
    ----------
    outputs : tuple of str
        The names of the outputs.
    classes : tuple of str
        The names of the classes; none where the outputs are quantities.
    of_points : ndarray
        Of each sample its class, (n,), −1 for none; where each output decides, its classes, (n, n_out); of quantities
        the targets, (n, n_out). Empty where there are none.
    level : float or None
        Where an output decides between two classes; None where it does not.
    shown : function of ndarray
        From y to what is shown of it: y itself, or the target's own unit.
    """

    outputs: tuple[str, ...]
    classes: tuple[str, ...]
    of_points: Array
    level: float | None = None
    shown: Callable[[Array], Array] = lambda y: y

    @property
    def panels(self) -> int:
        """How many panels the outputs are drawn in: one for all where the largest is the class."""
        return 1 if self.classes and self.level is None else len(self.outputs)


def meaning_of(model: Model, R: Array | None, outputs: Sequence[str] | None = None) -> Meaning:
    """Return what the outputs of a network stand for, by its loss and by the samples' targets R (n, n_out).

    The largest of several is the class where each row of R is one of them, or where the loss is one of distributions.
    Else an output decides between two classes where the loss is for such, or all targets are of two values.
    """
    names = tuple(outputs) if outputs is not None else output_names(model.layers[-1])
    targets = loss_of(model.loss, where="loss").targets
    end = activation(model.output, where="output")
    none = np.empty(0)
    if len(names) > 1:
        is_one = R is not None and bool(((R == 0) | (R == 1)).all() and (R.sum(axis=1) == 1).all())
        if targets == "distribution" or is_one:
            return Meaning(names, names, none if R is None else R.argmax(axis=1))
    values = none if R is None else np.unique(R)
    if targets not in ("unit", "class") and len(values) != 2:
        return Meaning(names, (), none if R is None else R)
    low, high = (0.0, 1.0) if targets in ("unit", "class") else (float(value) for value in values)
    level = 0.0 if targets == "class" and end.low < 0 else (low + high) / 2
    classes = (f"r = {low:g}", f"r = {high:g}")
    return Meaning(names, classes, none if R is None else np.greater(R, (low + high) / 2).astype(int), level)
