"""Optimizers that need E and its gradient over all samples: a step is an epoch. Their steps: descent/full_batch/."""

from __future__ import annotations

from deltaprop.descent.optimizers.declaration import Optimizer
from deltaprop.functions import Parameter

_IGEL = "Igel and Hüsken, Empirical evaluation of the improved Rprop learning algorithms, Neurocomputing 50, 2003"
_STEPS = (
    Parameter("start", 0.1, 0.0, open_low=True),
    Parameter("up", 1.2, 1.0),
    Parameter("down", 0.5, 0.0, 1.0, open_low=True, open_high=True),
    Parameter("least", 1e-6, 0.0),
    Parameter("most", 50.0, 0.0, open_low=True),
)

Rprop, RpropMinus = (
    Optimizer(
        "rprop",
        "D = min(up * D, most) where g * g_before > 0, max(down * D, least) where it is < 0; "
        "w = w - sign(g) * D, but where it is < 0: the last change taken back if E rose, and g = 0",
        parameters=_STEPS, word="Rprop", note="iRprop+; D begins with `start`", source=_IGEL,
        full_batch=True, vectors=3,
    ),
    Optimizer(
        "rprop_minus",
        "D = min(up * D, most) where g * g_before > 0, max(down * D, least) and g = 0 where it is < 0; "
        "w = w - sign(g) * D",
        parameters=_STEPS, word="RpropMinus", note="iRprop−: PyTorch's Rprop, whose lr is `start`",
        source=f"{_IGEL}; PyTorch, torch.optim.Rprop", full_batch=True, vectors=3,
    ),
)  # fmt: skip

LBFGS = Optimizer(
    "lbfgs",
    "w = w - alpha * H * g, H the inverse Hessian as the last changes have it, alpha by a search",
    parameters=(Parameter("history", 10, 1.0, 1000.0, whole=True), Parameter("gtol", 1e-5, 0.0)),
    word="LBFGS",
    note="alpha by SciPy's search for the strong Wolfe conditions; ends where no entry of the gradient exceeds gtol, "
    "or E falls no more",
    source="Liu and Nocedal, On the limited memory BFGS method for large scale optimization, Mathematical Programming "
    "45, 1989",
    full_batch=True,
    vectors=2,
)

LevenbergMarquardt = Optimizer(
    "levenberg_marquardt",
    "w = w - (J' * J + mu * I)**-1 * J' * e, mu by how E falls",
    parameters=(Parameter("damping", 1e-3, 0.0, open_low=True), Parameter("gtol", 1e-8, 0.0)),
    word="LevenbergMarquardt",
    note="for squared_error, and up to 5,000 parameters; mu begins with damping times the largest diagonal entry of "
    "J'J",
    source="Levenberg 1944, Marquardt 1963; mu as in Madsen, Nielsen, Tingleff, Methods for non-linear least squares "
    "problems, 2004, algorithm 3.16",
    full_batch=True,
)

FULL_BATCH = (Rprop, RpropMinus, LBFGS, LevenbergMarquardt)
