"""The optimizers there are, and how one is named."""

from __future__ import annotations

from typing import Any

import numpy as np

from deltaprop.descent.optimizers.declaration import Optimizer
from deltaprop.descent.optimizers.full_batch import FULL_BATCH
from deltaprop.descent.optimizers.rules import RULES
from deltaprop.functions.entries import find

_FLOAT64 = np.dtype(np.float64)

STEP_RULES: dict[str, Optimizer] = {entry.name: entry for entry in RULES}  # a step from the gradient of some samples
OPTIMIZERS: dict[str, Optimizer] = {**STEP_RULES, **{entry.name: entry for entry in FULL_BATCH}}


def optimizer_in(value: Any, *, where: str, dtype: np.dtype[Any] = _FLOAT64) -> Optimizer:
    """Return an optimizer as given, or the one that a text names, for parameters of ``dtype``.

    Raises
    ------
    TypeError
        If it is neither.
    ValueError
        If no optimizer has that name, or a parameter is unknown, out of bounds, or above 0 and 0 in ``dtype``.

    Examples
    --------
    >>> optimizer_in("momentum", where="fit"), optimizer_in("adam:beta1=0.8", where="fit")
    (Momentum(mu=0.9), Adam(beta1=0.8, beta2=0.999, epsilon=1e-08))
    """
    if not isinstance(value, str | Optimizer):
        raise TypeError(f"{where}: optimizer needs to be a name or an optimizer such as Adam(); got {value!r}.")
    found = find(value, OPTIMIZERS, kind="optimizer", where=where)
    for parameter, number in zip(found.parameters, found.numbers, strict=True):
        if not found.full_batch and number > 0 and dtype.type(number) == 0:
            raise ValueError(f"{where}: {parameter.name} of {found!r} is 0 in {dtype}. Take a larger one.")
    return found
