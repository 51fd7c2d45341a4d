"""h and E: what each is called, its equation, where it is defined. The kernels are in the engine."""

from deltaprop.functions.activations import ACTIVATIONS, Activation, activation, celu, elu, leaky_relu
from deltaprop.functions.entries import Entry, Parameter
from deltaprop.functions.losses import (
    LOSSES,
    Loss,
    check_pair,
    cross_entropy,
    focal,
    huber,
    loss,
    quantile,
    tweedie,
)

__all__ = [
    "ACTIVATIONS",
    "LOSSES",
    "Activation",
    "Entry",
    "Loss",
    "Parameter",
    "activation",
    "celu",
    "check_pair",
    "cross_entropy",
    "elu",
    "focal",
    "huber",
    "leaky_relu",
    "loss",
    "quantile",
    "tweedie",
]
