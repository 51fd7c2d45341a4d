"""What surrounds the rule of a step: weight decay, clipping, max-norm, factors of η."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from deltaprop.functions import Entry, Parameter
from deltaprop.real_numbers import real_number

CONSTRAINTS = {
    entry.name: entry
    for entry in (
        Entry("clip_value", "g = min(max(g, -clip_value), clip_value)",
              parameters=(Parameter("clip_value", math.inf, 0.0, open_low=True),), source="PyTorch, clip_grad_value_"),
        Entry("clip_norm", "g = g * min(1, clip_norm / sqrt(sum of g**2 over all parameters))",
              parameters=(Parameter("clip_norm", math.inf, 0.0, open_low=True),),
              source="Pascanu, Mikolov, Bengio, On the difficulty of training recurrent neural networks, ICML 2013"),
        Entry("max_norm", "w = w * min(1, max_norm / sqrt(sum of w**2 into its unit)), after the step",
              parameters=(Parameter("max_norm", math.inf, 0.0, open_low=True),),
              source="Srebro, Rennie, Jaakkola, Maximum-margin matrix factorization, NIPS 2005; for networks: Hinton "
                     "and others, Improving neural networks by preventing co-adaptation, arXiv:1207.0580"),
    )
}  # fmt: skip


@dataclass(frozen=True)
class Terms:
    """What surrounds the rule.

    Attributes
    ----------
    decay : float
        w ← (1 − η decay) w before each step, of weights.
    clip_norm, clip_value : float
        The most that the norm of the gradient may be, all layers together, and each of its numbers; without penalties.
    max_norm : float
        The most that the norm of the weights into a unit may be after a step.
    average : float
        The share of a running average of the parameters that stays with a step; 0 where there is none.
    factors : tuple of float
        Of η: for the weights and the biases of each layer in turn; none where all are 1.
    """

    decay: float = 0.0
    clip_norm: float = math.inf
    clip_value: float = math.inf
    max_norm: float = math.inf
    average: float = 0.0
    factors: tuple[float, ...] = ()


def terms_in(
    clip_norm: Any, clip_value: Any, max_norm: Any, eta_factors: Any, layers: int, dtype: np.dtype[Any], *, where: str
) -> Terms:
    """Return what surrounds the rule as `Network.fit` is given it; ``layers`` as many as have weights.

    Raises
    ------
    TypeError, ValueError
        If a limit is no number above 0 (in ``dtype``), or the factors are not one, or a pair, for each layer.

    Examples
    --------
    >>> terms_in(1, None, None, [1, (0.5, 2)], 2, np.dtype("float32"), where="fit").factors
    (1.0, 1.0, 0.5, 2.0)
    """
    limits = {}
    for name, given in (("clip_norm", clip_norm), ("clip_value", clip_value), ("max_norm", max_norm)):
        if given is not None:
            value = real_number(given, name, where=where)
            if not dtype.type(value) > 0:
                raise ValueError(f"{where}: {name} needs to be above 0; got {given!r}.")
            limits[name] = value
    return Terms(**limits, factors=_factors(eta_factors, layers, where))


def _factors(given: Any, layers: int, where: str) -> tuple[float, ...]:
    if given is None:
        return ()
    what = f"{where}: eta_factors needs a number for each of the {layers} layers, or a pair for its weights and biases"
    if isinstance(given, str) or not (isinstance(given, Sequence) or (isinstance(given, np.ndarray) and given.ndim)):
        raise TypeError(f"{what}; got {given!r}.")
    if len(given) != layers:
        raise ValueError(f"{what}; got {len(given)}: {given!r}.")
    factors: list[float] = []
    for own in given:
        pair = own if isinstance(own, tuple | list | np.ndarray) else (own, own)
        if len(pair) != 2:
            raise ValueError(f"{what}; got {own!r}.")
        factors += [real_number(value, "eta_factors", where=where) for value in pair]
    if not all(0 <= factor < math.inf for factor in factors):
        raise ValueError(f"{where}: eta_factors need to be finite and at least 0; got {given!r}.")
    return () if all(factor == 1 for factor in factors) else tuple(factors)
