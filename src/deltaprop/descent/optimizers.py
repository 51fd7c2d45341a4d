"""Line 9 of the lecture's algorithm, w ← w − η g, and its relatives: what each remembers, its equation, its source.

The step itself is in the engine (rules.hpp), one function per entry. η is not a parameter here: `Network.fit` takes it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import Any, ClassVar

import numpy as np

from deltaprop.errors import did_you_mean
from deltaprop.real_numbers import real_number

_FLOAT64 = np.dtype(np.float64)


@dataclass(frozen=True)
class Optimizer:
    """What turns a gradient g into a step; its fields are its parameters, in the engine's order."""

    name: ClassVar[str]

    def __post_init__(self) -> None:
        for field in fields(self):
            where = type(self).__name__
            number = real_number(getattr(self, field.name), field.name, where=where)
            if not math.isfinite(number) or not self.inside(field.name, number):
                raise ValueError(f"{where}: {field.name} needs to be {self.domain(field.name)}; got {number!r}.")
            object.__setattr__(self, field.name, number)

    @staticmethod
    def inside(parameter: str, value: float) -> bool:
        """Return whether a parameter may have this value."""
        return value > 0 if parameter == "epsilon" else 0 <= value < 1

    @staticmethod
    def domain(parameter: str) -> str:
        """Return what a parameter may be, in words."""
        return "above 0" if parameter == "epsilon" else "at least 0 and below 1"

    @property
    def parameters(self) -> list[float]:
        """The parameters' values, in order."""
        return [getattr(self, field.name) for field in fields(self)]


@dataclass(frozen=True)
class SGD(Optimizer):
    """The lecture's own rule.

        w ← w − η g

    Source: the lecture's algorithm, line 9.

    Examples
    --------
    >>> SGD()
    SGD()
    """

    name = "sgd"


@dataclass(frozen=True)
class Momentum(Optimizer):
    """Gradient descent with momentum: V is the last step, of which a part mu is made again.

        V ← μ V − η g,   w ← w + V

    Parameters
    ----------
    mu : float, default 0.9
        At least 0 and below 1.

    Raises
    ------
    TypeError, ValueError
        If mu is no number, or outside.

    Notes
    -----
    PyTorch's SGD has η outside V (V ← μ V + g, w ← w − η V): the same steps as long as η stays.

    Source: Polyak, "Some methods of speeding up the convergence of iteration methods", 1964; with η inside:
    Sutskever, Martens, Dahl, Hinton, "On the importance of initialization and momentum in deep learning", ICML 2013.

    Examples
    --------
    >>> Momentum(mu=0.8)
    Momentum(mu=0.8)
    """

    name = "momentum"
    mu: float = 0.9


@dataclass(frozen=True)
class Nesterov(Optimizer):
    """Momentum with the gradient taken where the momentum leads.

        V ← μ V − η g,   w ← w + μ V − η g

    Parameters
    ----------
    mu : float, default 0.9
        At least 0 and below 1.

    Raises
    ------
    TypeError, ValueError
        If mu is no number, or outside.

    Notes
    -----
    w is where the next gradient is taken, as in scikit-learn and PyTorch; Nesterov's own sequence is w − μ V.

    Source: Nesterov, "A method of solving a convex programming problem with convergence rate O(1/k²)", 1983; in this
    form: Bengio, Boulanger-Lewandowski, Pascanu, "Advances in optimizing recurrent networks", 2012, eq. 7.

    Examples
    --------
    >>> Nesterov()
    Nesterov(mu=0.9)
    """

    name = "nesterov"
    mu: float = 0.9


@dataclass(frozen=True)
class Adam(Optimizer):
    """A step of its own for every parameter, from running means of its gradient and of that squared.

        M ← β₁ M + (1 − β₁) g,   V ← β₂ V + (1 − β₂) g²
        w ← w − η (M / (1 − β₁ᵗ)) / (√(V / (1 − β₂ᵗ)) + ε)         t = 1, 2, …, the steps since the start

    Parameters
    ----------
    beta1, beta2 : float, default 0.9 and 0.999
        At least 0 and below 1.
    epsilon : float, default 1e-8
        Above 0, in the gradient's unit.

    Raises
    ------
    TypeError, ValueError
        If a parameter is no number, or outside.

    Notes
    -----
    ε is added to √V̂, as in PyTorch; scikit-learn adds it before the correction of V.

    Source: Kingma and Ba, "Adam: a method for stochastic optimization", ICLR 2015, algorithm 1.

    Examples
    --------
    >>> Adam(beta1=0.8)
    Adam(beta1=0.8, beta2=0.999, epsilon=1e-08)
    """

    name = "adam"
    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-8


OPTIMIZERS: dict[str, type[Optimizer]] = {entry.name: entry for entry in (SGD, Momentum, Nesterov, Adam)}


def optimizer_in(value: Any, *, where: str, dtype: np.dtype[Any] = _FLOAT64) -> Optimizer:
    """Return an optimizer as given, or the one of a name with its defaults, for parameters of ``dtype``.

    Raises
    ------
    TypeError
        If it is neither.
    ValueError
        If no optimizer has that name, or a parameter above 0 is 0 in ``dtype``.

    Examples
    --------
    >>> optimizer_in("momentum", where="fit")
    Momentum(mu=0.9)
    """
    if isinstance(value, Optimizer):
        for field in fields(value):
            if getattr(value, field.name) > 0 and dtype.type(getattr(value, field.name)) == 0:
                raise ValueError(f"{where}: {field.name} of {value!r} is 0 in {dtype}. Take a larger one.")
        return value
    if not isinstance(value, str):
        raise TypeError(f"{where}: optimizer needs to be a name or an optimizer such as Adam(); got {value!r}.")
    if value not in OPTIMIZERS:
        raise ValueError(
            f"{where}: there is no optimizer {value!r}; there are: {', '.join(OPTIMIZERS)}."
            + did_you_mean(value, OPTIMIZERS)
        )
    return OPTIMIZERS[value]()
