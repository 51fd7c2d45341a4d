"""The activations h: one declaration each. Its kernel is the struct of the same name in engine/activations.hpp."""

from __future__ import annotations

import math
from dataclasses import dataclass

from deltaprop.errors import did_you_mean


@dataclass(frozen=True)
class Activation:
    """What is known of an activation function h, apart from its kernel.

    Attributes
    ----------
    name : str
        What people and model files call it.
    formula, derivative : str
        h(a) and h′(a) = dh/da, in the lecture's letters (z = h(a)).
    low, high : float
        The range of h: low ≤ h(a) ≤ high.
    aliases : tuple of str
        Other names that are understood.
    output_only : bool
        True where a unit's z depends on the whole layer's a, so that only the output layer may have it.
    """

    name: str
    formula: str
    derivative: str
    low: float
    high: float
    aliases: tuple[str, ...] = ()
    output_only: bool = False


ACTIVATIONS = {
    entry.name: entry
    for entry in (
        Activation("identity", "a", "1", -math.inf, math.inf, aliases=("linear",)),
        Activation("sigmoid", "1 / (1 + exp(-a))", "z (1 - z)", 0.0, 1.0, aliases=("logistic",)),
        Activation("tanh", "tanh(a)", "1 - z²", -1.0, 1.0),
        Activation("relu", "max(a, 0)", "1 where a > 0, else 0", 0.0, math.inf),
        Activation(
            "softmax",
            "exp(a_j) / Σ_k exp(a_k)",
            "∂z_j/∂a_k = z_j (1{j=k} - z_k)",
            0.0,
            1.0,
            output_only=True,
        ),
    )
}

_BY_ALIAS = {alias: entry for entry in ACTIVATIONS.values() for alias in entry.aliases}


def activation(name: object, *, where: str) -> Activation:
    """Return the activation called ``name``.

    Parameters
    ----------
    name : str
        A name or an alias.
    where : str
        Whose parameter it is, for the message.

    Raises
    ------
    TypeError
        If ``name`` is not a string.
    ValueError
        If no activation has that name.

    Examples
    --------
    >>> activation("logistic", where="h").formula
    '1 / (1 + exp(-a))'
    """
    if not isinstance(name, str):
        raise TypeError(f"{where} needs the name of an activation function; got {name!r}.")
    entry = ACTIVATIONS.get(name) or _BY_ALIAS.get(name)
    if entry is None:
        raise ValueError(
            f"{where}: no activation function is called {name!r}.{did_you_mean(name, ACTIVATIONS)} "
            f"There are: {', '.join(ACTIVATIONS)}."
        )
    return entry
