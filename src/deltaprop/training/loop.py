"""Lines 2 and 3 of the lecture's algorithm: for n = 1 to num epochs, for all x in D. The rest is the engine's."""

from __future__ import annotations

import math
import time
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from deltaprop.arrays import whole_number
from deltaprop.descent.optimizers import Optimizer, optimizer_in
from deltaprop.descent.schedules import Eta, rates
from deltaprop.errors import DivergenceError
from deltaprop.model import Model
from deltaprop.plan import block_in
from deltaprop.targets import ClassWeight
from deltaprop.training.diagnosis import among_samples, where_not_finite
from deltaprop.training.history import History
from deltaprop.training.progress import progress
from deltaprop.training.stopping import BestEpoch


def train(
    model: Model,
    X: ArrayLike,
    R: ArrayLike,
    *,
    epochs: int = 100,
    eta: Eta = 0.1,
    batch_size: int = 1,
    shuffle: bool = True,
    sample_weight: ArrayLike | None = None,
    class_weight: ClassWeight | None = None,
    validation: tuple[ArrayLike, ArrayLike] | None = None,
    verbose: bool = False,
    patience: int | None = None,
    optimizer: str | Optimizer = "sgd",
    online_block: int | None = None,
    eta_per: str = "epoch",
    decay: Eta = 0.0,
) -> History:
    """Train ``model`` from where it stands; `Network.fit` documents the parameters.

    With ``patience`` the model ends with the parameters of the epoch that had the least E_validation, and training
    stops after so many epochs without a lower one.
    """
    where = f"{type(model).__name__}.fit"
    samples = model.samples(X, R, sample_weight, where, class_weight)
    n = len(samples[0])
    if not n:
        raise ValueError(f"{where}: X has no rows, so there is nothing to learn from.")
    held_out = _validation(model, validation, where)
    epochs = whole_number(epochs, "epochs", at_least=0, where=where)
    steps = _steps(batch_size, online_block, where)
    if eta_per not in ("epoch", "step"):
        raise ValueError(f"{where}: eta_per needs to be 'epoch' or 'step'; got {eta_per!r}.")
    if not isinstance(shuffle, bool | np.bool_):
        raise TypeError(f"{where}: shuffle needs to be True or False; got {shuffle!r}.")
    rule = optimizer_in(optimizer, where=where, dtype=model.dtype)
    if patience is not None:
        whole_number(patience, "patience", at_least=1, where=where)
        if held_out is None:
            raise ValueError(f"{where}: patience needs validation samples.")

    history = History()
    with model.training(where), progress(verbose, epochs) as shown:
        rate = rates(eta, model.epoch + 1, epochs, where=where, dtype=model.dtype, per_step=eta_per == "step")
        fall = rates(decay, model.epoch + 1, epochs, where=where, dtype=model.dtype, name="decay")
        model.take_up(rule)
        before = np.empty_like(model.padded_theta)
        best = None if patience is None else BestEpoch(model, patience)
        for _ in range(epochs):
            began = time.perf_counter()
            epoch = model.epoch + 1
            eta_n = rate.of_steps(epoch, -(-n // steps[0]))
            before[...] = model.padded_theta
            E = 0.0
            order = model.epoch_order(n, epoch, bool(shuffle))
            start = model.state() if model.definition.has_formulas else None
            decay_n = fall(epoch)
            for presented, mean in model.passing(*samples, order, eta_n, *steps, decay_n):
                E = mean
                shown.presented(presented, n)
            quantity = model.not_finite(E)
            E_validation = None
            if quantity is None and held_out is not None:
                E_validation = model.mean_loss(*held_out)
                if not math.isfinite(E_validation):
                    quantity = f"E of the validation samples ({E_validation})"
            if quantity is not None:
                point = ""
                if start is not None and E_validation is not None and held_out is not None:
                    point = among_samples(model, *held_out[:2], np.arange(len(held_out[0])))
                elif start is not None:
                    point = where_not_finite(model, start, samples, order, eta_n, (*steps, decay_n))
                model.put_back(before)
                raise _diverged(
                    f"{where}: epoch {epoch}",
                    quantity,
                    float(eta_n.max()),
                    point,
                    f"those of the end of epoch {epoch - 1}",
                )
            model.count_epoch()
            history.E.append(E)
            history.eta.append(float(eta_n[0]))
            if model.l2 or model.l1:
                history.penalty.append(model.penalty)
            if rate.per_step:
                history.eta_steps.append(eta_n)
            rate.observe(E if E_validation is None else E_validation)
            if E_validation is not None:
                history.E_validation.append(E_validation)
            history.seconds.append(time.perf_counter() - began)
            shown.epoch_done(epoch, E, E_validation)
            if best is not None and E_validation is not None and best.is_last(E_validation):
                break
        if best is not None:
            best.restore()
            history.best_epoch = best.epoch
    return history


def descend(
    model: Model,
    X: ArrayLike,
    R: ArrayLike,
    eta: float,
    *,
    batch_size: int = 1,
    sample_weight: ArrayLike | None = None,
    class_weight: ClassWeight | None = None,
    optimizer: str | Optimizer = "sgd",
    online_block: int | None = None,
    decay: float = 0.0,
) -> float:
    """Go down once through the samples in the order given; `Network.descend` documents it."""
    where = f"{type(model).__name__}.descend"
    samples = model.samples(X, R, sample_weight, where, class_weight)
    n = len(samples[0])
    if not n:
        raise ValueError(f"{where}: X has no rows.")
    rate = rates(eta, 1, 1, where=where, dtype=model.dtype).of_steps(1, 1)
    steps = _steps(batch_size, online_block, where)
    rule = optimizer_in(optimizer, where=where, dtype=model.dtype)
    fall = rates(decay, 1, 1, where=where, dtype=model.dtype, name="decay")(1)
    before = model.padded_theta.copy()
    mean = 0.0
    with model.training(where):
        model.take_up(rule)
        order = np.arange(n)
        start = model.state() if model.definition.has_formulas else None
        for _, E in model.passing(*samples, order, rate, *steps, fall):
            mean = E
        quantity = model.not_finite(mean)
        if quantity is not None:
            point = "" if start is None else where_not_finite(model, start, samples, order, rate, (*steps, fall))
            model.put_back(before)
            raise _diverged(where, quantity, float(rate[0]), point, "as before")
    return mean


def _steps(batch_size: int, online_block: int | None, where: str) -> tuple[int, int]:
    """Return how many samples make a step, and how many go through the first layer together, for the engine."""
    return whole_number(batch_size, "batch_size", at_least=1, where=where), block_in(online_block, where=where)


def _diverged(where: str, quantity: str, eta: float, point: str, parameters: str) -> DivergenceError:
    advice = "" if point else " Use a smaller eta, or scale the inputs and targets."
    return DivergenceError(
        f"{where} met {quantity} that is not finite, with eta {eta:g}.{point} The parameters are {parameters}.{advice}"
    )


def _validation(model: Model, validation: Any, where: str) -> tuple[Any, Any, Any] | None:
    if validation is None:
        return None
    if not isinstance(validation, tuple | list) or len(validation) != 2:
        raise TypeError(
            f"{where}: validation needs a pair (X, R) of samples held out; got {type(validation).__name__}."
        )
    X, R = validation
    held_out = model.samples(X, R, None, f"{where}: validation")
    if not len(held_out[0]):
        raise ValueError(f"{where}: validation has no rows.")
    return held_out
