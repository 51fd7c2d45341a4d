"""The value of what has no variable, in float64."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from deltaprop.functions.formulas.operations import REFERENCE, Operation
from deltaprop.functions.formulas.tree import Node
from deltaprop.functions.formulas.vocabulary import FUNCTIONS

_DEFINED: dict[str, Callable[..., Any]] = {
    "sinh": np.sinh,
    "cosh": np.cosh,
    "tan": np.tan,
    "relu": lambda x: np.maximum(x, 0),
}


def folded(op: str, values: Sequence[float]) -> float:
    """Return an operator or a function of the language at numbers; NaN or inf where it has no finite value.

    Examples
    --------
    >>> folded("max", [1.0, 3.0, 2.0]), folded("divide", [1.0, 0.0])
    (3.0, inf)
    """
    if op in ("min", "max"):
        return float(np.min(values) if op == "min" else np.max(values))
    if op == "power" and float(values[1]).is_integer():  # which programs expand, so that x may be negative
        return _whole_power(values[0], values[1])
    function = _DEFINED.get(op) or REFERENCE[Operation[FUNCTIONS[op].operation if op in FUNCTIONS else op]]
    with np.errstate(all="ignore"):
        return float(function(*(np.float64(value) for value in values)))


def _whole_power(base: float, exponent: float) -> float:
    with np.errstate(all="ignore"):
        return float(np.power(np.float64(base), np.float64(exponent)))


def constant_value(node: Node) -> float:
    """Return the value of a tree without variables.

    Examples
    --------
    >>> from deltaprop.functions.formulas.parser import parse
    >>> constant_value(parse("sqrt(9) - 1 / 2", ["a"], "h"))
    2.5
    """
    return node.value if node.op == "number" else folded(node.op, [constant_value(x) for x in node.args])
