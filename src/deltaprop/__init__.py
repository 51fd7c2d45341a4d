"""Backpropagation you can read, check, and run at the speed of the machine.

`Network` is a multilayer perceptron with the lecture's names; `TableModel` joins one to a table's columns and labels;
`load` returns what either has saved. On the command line: ``deltaprop --help``.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from deltaprop.descent.optimizers import (
        LBFGS,
        SGD,
        Adadelta,
        Adagrad,
        Adam,
        AdamHat,
        AdamW,
        AMSGrad,
        AMSGradUncorrected,
        LevenbergMarquardt,
        Lion,
        Momentum,
        MomentumOutside,
        Nadam,
        Nesterov,
        NesterovOutside,
        RMSprop,
        RMSpropInside,
        Rprop,
        RpropMinus,
    )
    from deltaprop.errors import (
        DivergenceError,
        FormulaError,
        MissingExtraError,
        ModelFileError,
        NotFittedError,
        TableError,
    )
    from deltaprop.functions import celu, cross_entropy, elu, focal, huber, leaky_relu, quantile, tweedie
    from deltaprop.inspection.health import HealthCheck
    from deltaprop.network import Network
    from deltaprop.storage import PathLike
    from deltaprop.table_model import TableModel
    from deltaprop.training.record import Record

__all__ = [
    "LBFGS",
    "SGD",
    "AMSGrad",
    "AMSGradUncorrected",
    "Adadelta",
    "Adagrad",
    "Adam",
    "AdamHat",
    "AdamW",
    "DivergenceError",
    "FormulaError",
    "HealthCheck",
    "LevenbergMarquardt",
    "Lion",
    "MissingExtraError",
    "ModelFileError",
    "Momentum",
    "MomentumOutside",
    "Nadam",
    "Nesterov",
    "NesterovOutside",
    "Network",
    "NotFittedError",
    "RMSprop",
    "RMSpropInside",
    "Record",
    "Rprop",
    "RpropMinus",
    "TableError",
    "TableModel",
    "celu",
    "constant",
    "cosine",
    "cosine_restarts",
    "coslog4",
    "cross_entropy",
    "elu",
    "exponential",
    "flat_cos",
    "focal",
    "huber",
    "invscaling",
    "leaky_relu",
    "linear",
    "load",
    "one_cycle",
    "plateau",
    "polynomial",
    "quantile",
    "show_config",
    "step",
    "tweedie",
]

# Where each name is; loaded when used, so that `deltaprop --help` need not wait for NumPy and the engine.
_FUNCTIONS = ("celu", "cross_entropy", "elu", "focal", "huber", "leaky_relu", "quantile", "tweedie")
_OPTIMIZERS = (
    "LBFGS", "SGD", "AMSGrad", "AMSGradUncorrected", "Adadelta", "Adagrad", "Adam", "AdamHat", "AdamW",
    "LevenbergMarquardt", "Lion", "Momentum", "MomentumOutside", "Nadam", "Nesterov", "NesterovOutside", "RMSprop",
    "RMSpropInside", "Rprop", "RpropMinus",
)  # fmt: skip
_SCHEDULES = (
    "constant", "cosine", "cosine_restarts", "coslog4", "exponential", "flat_cos", "invscaling", "linear", "one_cycle",
    "plateau", "polynomial", "step",
)  # fmt: skip
_HOMES = {
    "HealthCheck": "deltaprop.inspection.health",
    "Network": "deltaprop.network",
    "Record": "deltaprop.training",
    "TableModel": "deltaprop.table_model",
    **dict.fromkeys(_OPTIMIZERS, "deltaprop.descent.optimizers"),
    **dict.fromkeys(_SCHEDULES, "deltaprop.descent.schedules"),
    **dict.fromkeys(_FUNCTIONS, "deltaprop.functions"),
}


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        return version("deltaprop")
    if name not in __all__:
        raise AttributeError(f"module 'deltaprop' has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(_HOMES.get(name, "deltaprop.errors")), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


def load(path: PathLike) -> Network | TableModel:
    """Return the Network or the TableModel that was saved at ``path``.

    Nothing in the file is executed, and there is no fallback: a file in which any byte has changed is refused.

    Parameters
    ----------
    path : path-like

    Returns
    -------
    Network or TableModel
        What was saved, to the bit.

    Raises
    ------
    FileNotFoundError, OSError
        If there is no such file, or it cannot be read.
    ModelFileError
        If it is no model file, is damaged, or was written by a newer version.

    Examples
    --------
    >>> import os, tempfile
    >>> from deltaprop import Network, load
    >>> path = os.path.join(tempfile.mkdtemp(), "and.deltaprop")
    >>> Network([2, 1], seed=3).save(path)
    >>> load(path)
    Network([2, 1], h=[], output='sigmoid', loss='log', bias=True, seed=3, dtype='float64')
    """
    from deltaprop.errors import ModelFileError
    from deltaprop.network import Network
    from deltaprop.storage import read_model_file, rebuilt

    header, tensors = read_model_file(path)
    kind = header.get("kind")
    if kind == "network":
        return rebuilt(path, lambda: Network.from_description(header["network"], tensors["theta"]))
    if kind == "table_model":
        from deltaprop.table_model import TableModel

        return rebuilt(path, lambda: TableModel.from_description(header, tensors["theta"]))
    raise ModelFileError(f"{path}: holds a {kind!r}, which this version of deltaprop does not know.")


def show_config() -> None:
    """Print what the engine was built with and runs on: version, instruction sets, OpenMP, threads, compiler."""
    from deltaprop.plan import engine_config

    for key, value in engine_config().items():
        print(f"{key:<17} {', '.join(value) if isinstance(value, list) else value}")
