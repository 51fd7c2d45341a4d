"""What makes a step of a gradient: one declaration for each rule."""

from deltaprop.descent.optimizers.declaration import Optimizer
from deltaprop.descent.optimizers.registry import OPTIMIZERS, optimizer_in
from deltaprop.descent.optimizers.rules import (
    SGD,
    Adadelta,
    Adagrad,
    Adam,
    AdamHat,
    AdamW,
    AMSGrad,
    AMSGradUncorrected,
    Lion,
    Momentum,
    MomentumOutside,
    Nadam,
    Nesterov,
    NesterovOutside,
    RMSprop,
    RMSpropInside,
)

__all__ = [
    "OPTIMIZERS",
    "SGD",
    "AMSGrad",
    "AMSGradUncorrected",
    "Adadelta",
    "Adagrad",
    "Adam",
    "AdamHat",
    "AdamW",
    "Lion",
    "Momentum",
    "MomentumOutside",
    "Nadam",
    "Nesterov",
    "NesterovOutside",
    "Optimizer",
    "RMSprop",
    "RMSpropInside",
    "optimizer_in",
]
