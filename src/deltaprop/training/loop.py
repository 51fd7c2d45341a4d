"""Lines 2 and 3 of the lecture's algorithm: for n = 1 to num epochs, for all x in D. The rest is the engine's."""

from __future__ import annotations

import inspect
import math
import time
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from deltaprop.arrays import Array, whole_number
from deltaprop.descent.memory import Pass
from deltaprop.descent.optimizers import Optimizer, optimizer_in
from deltaprop.descent.schedules import Eta, Rates, rates
from deltaprop.descent.terms import terms_in
from deltaprop.errors import DivergenceError, warn
from deltaprop.model import Model
from deltaprop.plan import block_in
from deltaprop.real_numbers import real_number
from deltaprop.storage import PathLike
from deltaprop.targets import ClassWeight
from deltaprop.training.averages import Average, average_in
from deltaprop.training.callbacks import Callbacks, Now
from deltaprop.training.checkpoint import Around, Checkpoint, Run, digest, written_out
from deltaprop.training.diagnosis import among_samples, where_not_finite
from deltaprop.training.full_batch import FullBatch, full_batch_in
from deltaprop.training.history import History
from deltaprop.training.metrics import Metric, metric_in
from deltaprop.training.progress import progress
from deltaprop.training.stopping import KEEP, Aim, BestEpoch
from deltaprop.training.validation import Validation, divided


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
    validation: Any = None,
    verbose: bool = False,
    patience: int | None = None,
    optimizer: str | Optimizer = "sgd",
    online_block: int | None = None,
    eta_per: str = "epoch",
    decay: Eta = 0.0,
    eta_factors: Sequence[Any] | None = None,
    clip_norm: float | None = None,
    clip_value: float | None = None,
    max_norm: float | None = None,
    average: str | None = None,
    metrics: str | Sequence[str] = (),
    monitor: str = "E",
    min_gain: float = 0.0,
    keep: str | None = None,
    goal: float | None = None,
    time_budget: float | None = None,
    callbacks: Sequence[Any] | None = None,
    checkpoint: PathLike | None = None,
    checkpoint_every: int | str | None = None,
    resume: bool = False,
    around: Around | None = None,
) -> History:
    """Train ``model`` from where it stands; `Network.fit` documents the parameters.

    ``around`` is what a run on disk says where the network is part of something larger.
    """
    where = f"{type(model).__name__}.fit"
    given = {name: written_out(value) for name, value in locals().items() if name in _OF_A_RUN}
    samples = model.samples(X, R, sample_weight, where, class_weight)
    if not len(samples[0]):
        raise ValueError(f"{where}: X has no rows, so there is nothing to learn from.")
    aim, looked_at = _aim(model, patience, metrics, monitor, min_gain, keep, goal, validation is not None, where)
    samples, held_out = divided(model, samples, validation, looked_at, where)
    n = len(samples[0])
    epochs = whole_number(epochs, "epochs", at_least=0, where=where)
    steps = _steps(batch_size, online_block, where)
    if eta_per not in ("epoch", "step"):
        raise ValueError(f"{where}: eta_per needs to be 'epoch' or 'step'; got {eta_per!r}.")
    if not isinstance(shuffle, bool | np.bool_):
        raise TypeError(f"{where}: shuffle needs to be True or False; got {shuffle!r}.")
    rule = optimizer_in(optimizer, where=where, dtype=model.dtype)
    terms = terms_in(clip_norm, clip_value, max_norm, eta_factors, len(model.layers) - 1, model.dtype, where=where)
    mean = None if average is None else Average(model, average_in(average, where=where))
    if mean is not None:
        terms = replace(terms, average=mean.keep)
    if rule.full_batch:
        full_batch_in(model, rule, given, _defaults(), where)
    called = Callbacks(callbacks, where)
    deadline = _deadline(time_budget, where)
    saved = _on_disk(checkpoint, checkpoint_every, resume, given, samples, held_out, where, around)

    history, first, begun = History(), model.epoch + 1, Pass()
    with model.training(where), progress(verbose, epochs) as shown:
        resumed = saved.read(model) if saved is not None and resume else None
        if resumed is not None:
            history, first, begun = resumed[0].history, resumed[0].first, resumed[0].at
            if resumed[3]:  # it had come to its end
                return history
            history.stopped = "epochs"
            shown.go_on(len(history))
        rate = rates(eta, first, epochs, where=where, dtype=model.dtype, per_step=eta_per == "step")
        fall = rates(decay, first, epochs, where=where, dtype=model.dtype, name="decay")
        model.take_up(rule)
        if mean is not None:
            mean.begin()
        whole = FullBatch(model, *samples) if rule.full_batch else None
        before = model.padded_theta.copy()
        best = BestEpoch(model, aim)
        if resumed is not None:
            best.go_on(resumed[1])
            if mean is not None:
                mean.go_on(resumed[4])
            rate.go_on(resumed[2])
            model.pad(resumed[0].before, before)

        def save(at: Pass, *, done: bool = False) -> None:
            if saved is not None:
                run = Run(first, model.dense(before), at, history)
                try:
                    averages = {} if mean is None else mean.state()
                    saved.write(model, run, best.state(), rate.state(), averages, done=done)
                except OSError as error:  # a full disk ends no training
                    warn(f"{where}: the run could not be written: {error}. The file is as it was before.")

        if resumed is None:
            save(begun)  # so that from now on there is a run to resume
        for _ in range(epochs - len(history)):
            began = time.perf_counter()
            epoch = model.epoch + 1
            eta_n, decay_n = rate.of_steps(epoch, -(-n // steps[0])), fall(epoch)
            if decay_n != terms.decay:
                terms = replace(terms, decay=decay_n)
            at, begun = begun, Pass()
            if not at.samples:
                before[...] = model.padded_theta
            E, presented, stop = at.mean, at.samples, ""
            order = model.epoch_order(n, epoch, bool(shuffle))
            start = model.state() if model.definition.has_formulas and not presented else None
            if whole is not None:
                passing = whole.passing(at)
            else:
                passing = model.passing(*samples, order, eta_n, *steps, terms, each_step=called.each_step, at=at)
            for presented, E in passing:
                shown.presented(presented, n)
                if saved is not None and presented < n and saved.due(epoch_done=False) and model.not_finite(E) is None:
                    save(at)
                if called.each_step and called.after_step(Now(model, epoch, presented, E, {}, history)):
                    stop = "callback"
                elif time.perf_counter() >= deadline:
                    stop = "time"
                if stop:
                    break
            if stop and presented < n and model.not_finite(E) is None:
                save(at)
            quantity = model.not_finite(E)
            found: dict[str, float] = {}
            if mean is not None and presented == n and quantity is None:
                mean.epoch_done()
            if quantity is None and held_out is not None:
                with _AS_IT_IS if mean is None else mean.in_place():
                    found = held_out.look(model)
                if not math.isfinite(found["E"]):
                    quantity = f"E of the validation samples ({found['E']})"
            if quantity is not None:
                point, highest = "", None if whole is not None else float(eta_n.max())
                if start is not None and found and held_out is not None:
                    point = among_samples(model, held_out.X, held_out.R, np.arange(len(held_out.X)))
                elif start is not None and whole is not None:
                    point = among_samples(model, samples[0], samples[1], order)
                elif start is not None:
                    point = where_not_finite(model, start, samples, order[:presented], eta_n, (*steps, terms))
                model.put_back(before)
                kept = f"those of the end of epoch {epoch - 1}"
                raise _diverged(f"{where}: epoch {epoch}", quantity, highest, point, kept)
            if presented == n:
                model.count_epoch()
            if whole is not None:
                eta_n = np.array([whole.eta])
                if whole.end and not stop:
                    history.reason, stop = whole.end, "converged"
            _note(history, model, E, found, eta_n, rate, looked_at)
            history.seconds.append(time.perf_counter() - began)
            shown.epoch_done(epoch, E, found.get("E"))
            rate.observe(found.get("E", E))
            value = found[aim.metric.name] if found else E
            with _AS_IT_IS if mean is None else mean.in_place():
                reason = best.reason_to_stop(value)
            stop = stop or reason
            if called and called.after_epoch(Now(model, epoch, presented, E, found, history)):
                stop = stop or "callback"
            if not stop and time.perf_counter() >= deadline:
                stop = "time"
            if stop:
                history.stopped = stop
                if stop in _GOES_ON and presented == n:
                    save(Pass())
                break
            if saved is not None and saved.due(epoch_done=True) and len(history) < epochs:
                save(Pass())
        if mean is not None:
            mean.stay()
        best.restore()
        if aim.keep != "last":
            history.best_epoch = best.epoch
        if history.stopped not in _GOES_ON:
            save(Pass(), done=True)
    return history


def _defaults() -> dict[str, Any]:
    return {name: parameter.default for name, parameter in inspect.signature(train).parameters.items()}


_AS_IT_IS = nullcontext()
_GOES_ON = ("time", "callback")  # why a run may stop that can be resumed


# What two calls of a run have to be given alike; what decides how long it may take, or is told of it, may differ.
_OF_A_RUN = (
    "epochs", "eta", "batch_size", "shuffle", "optimizer", "online_block", "eta_per", "decay", "metrics", "monitor",
    "patience", "min_gain", "keep", "goal", "eta_factors", "clip_norm", "clip_value", "max_norm", "average",
)  # fmt: skip


def _on_disk(
    path: PathLike | None,
    every: int | str | None,
    resume: bool,
    given: dict[str, Any],
    samples: tuple[Any, Array, Array | None],
    held_out: Validation | None,
    where: str,
    around: Around | None,
) -> Checkpoint | None:
    """Return where the run is written, if it is."""
    if path is None:
        for name, value in (("checkpoint_every", every is not None), ("resume", bool(resume))):
            if value:
                raise ValueError(f"{where}: {name} needs a checkpoint, the file of the run.")
        return None
    held = None if held_out is None else (held_out.X, held_out.R, held_out.weights)
    return Checkpoint(path, every, {**given, "samples": digest(samples, held)}, where, around)


def _note(
    history: History,
    model: Model,
    E: float,
    found: dict[str, float],
    eta_n: Array,
    rate: Rates,
    metrics: tuple[Metric, ...],
) -> None:
    """Write an epoch into the history."""
    history.E.append(E)
    history.eta.append(float(eta_n[0]))
    if model.l2 or model.l1:
        history.penalty.append(model.penalty)
    if rate.per_step:
        history.eta_steps.append(eta_n)
    if found:
        history.E_validation.append(found["E"])
    for metric in metrics:
        if metric.name in found:
            history.metrics.setdefault(metric.name, []).append(found[metric.name])


def _aim(
    model: Model,
    patience: int | None,
    metrics: Any,
    monitor: Any,
    min_gain: Any,
    keep: str | None,
    goal: Any,
    validated: bool,
    where: str,
) -> tuple[Aim, tuple[Metric, ...]]:
    """Return what is watched and what ends the training, and the metrics that are looked at."""
    n_out = model.layers[-1]
    names = [metrics] if isinstance(metrics, str) else list(metrics)
    metric = metric_in(monitor, n_out, where=f"{where}: monitor")
    asked = [metric_in(name, n_out, where=f"{where}: metrics") for name in names]
    if patience is not None:
        whole_number(patience, "patience", at_least=1, where=where)
    keep = ("last" if patience is None else "best") if keep is None else keep
    if keep not in KEEP:
        raise ValueError(f"{where}: keep needs to be one of {', '.join(map(repr, KEEP))}; got {keep!r}.")
    if not validated:
        for what, given in (("metrics", bool(asked)), ("monitor", monitor != "E")):
            if given:
                raise ValueError(f"{where}: {what} needs validation samples.")
    gain = real_number(min_gain, "min_gain", where=where)
    if not 0 <= gain < math.inf:
        raise ValueError(f"{where}: min_gain needs to be finite and at least 0; got {min_gain!r}.")
    value = None if goal is None else real_number(goal, "goal", where=where)
    if value is not None and math.isnan(value):
        raise ValueError(f"{where}: goal needs to be a number that can be reached; got {goal!r}.")
    looked_at = tuple(dict.fromkeys([*asked, *([metric] if monitor != "E" else [])]))
    return Aim(metric, patience, gain, keep, value), looked_at


def _deadline(time_budget: Any, where: str) -> float:
    """Return when the time is over, by time.perf_counter."""
    if time_budget is None:
        return math.inf
    seconds = real_number(time_budget, "time_budget", where=where)
    if not seconds > 0:
        raise ValueError(f"{where}: time_budget needs to be above 0 seconds; got {time_budget!r}.")
    return time.perf_counter() + seconds


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
    eta_factors: Sequence[Any] | None = None,
    clip_norm: float | None = None,
    clip_value: float | None = None,
    max_norm: float | None = None,
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
    if rule.full_batch:
        raise ValueError(f"{where}: a step of {rule.name} needs all samples, and E as it goes; use fit.")
    fall = rates(decay, 1, 1, where=where, dtype=model.dtype, name="decay")(1)
    terms = terms_in(clip_norm, clip_value, max_norm, eta_factors, len(model.layers) - 1, model.dtype, where=where)
    terms = replace(terms, decay=fall)
    before = model.padded_theta.copy()
    mean = 0.0
    with model.training(where):
        model.take_up(rule)
        order = np.arange(n)
        start = model.state() if model.definition.has_formulas else None
        for _, E in model.passing(*samples, order, rate, *steps, terms):
            mean = E
        quantity = model.not_finite(mean)
        if quantity is not None:
            point = "" if start is None else where_not_finite(model, start, samples, order, rate, (*steps, terms))
            model.put_back(before)
            raise _diverged(where, quantity, float(rate[0]), point, "as before")
    return mean


def _steps(batch_size: int, online_block: int | None, where: str) -> tuple[int, int]:
    """Return how many samples make a step, and how many go through the first layer together, for the engine."""
    return whole_number(batch_size, "batch_size", at_least=1, where=where), block_in(online_block, where=where)


def _diverged(where: str, quantity: str, eta: float | None, point: str, parameters: str) -> DivergenceError:
    rate, other = ("", "begin with other weights") if eta is None else (f", with eta {eta:g}", "use a smaller eta")
    advice = "" if point else f" {other[0].upper()}{other[1:]}, or scale the inputs and targets."
    return DivergenceError(
        f"{where} met {quantity} that is not finite{rate}.{point} The parameters are {parameters}.{advice}"
    )
