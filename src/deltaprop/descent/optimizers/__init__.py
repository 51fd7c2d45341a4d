"""What makes a step of a gradient: one declaration for each rule."""

from deltaprop.descent.optimizers.declaration import Optimizer
from deltaprop.descent.optimizers.full_batch import LBFGS, LevenbergMarquardt, Rprop, RpropMinus
from deltaprop.descent.optimizers.registry import OPTIMIZERS, STEP_RULES, optimizer_in
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
    "LBFGS",
    "OPTIMIZERS",
    "SGD",
    "STEP_RULES",
    "AMSGrad",
    "AMSGradUncorrected",
    "Adadelta",
    "Adagrad",
    "Adam",
    "AdamHat",
    "AdamW",
    "LevenbergMarquardt",
    "Lion",
    "Momentum",
    "MomentumOutside",
    "Nadam",
    "Nesterov",
    "NesterovOutside",
    "Optimizer",
    "RMSprop",
    "RMSpropInside",
    "Rprop",
    "RpropMinus",
    "optimizer_in",
]
