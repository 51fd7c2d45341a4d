"""Lines 2 and 3 of the lecture's algorithm: for n = 1 to num epochs, for all x in D. The rest is the engine's."""

from __future__ import annotations

import inspect
import math
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from deltaprop.arrays import Array, whole_number
from deltaprop.descent.memory import Pass
from deltaprop.descent.optimizers import Optimizer, optimizer_in
from deltaprop.descent.schedules import Eta, check_decay, decays, rates
from deltaprop.descent.terms import terms_in
from deltaprop.model import Model
from deltaprop.real_numbers import in_a_line, real_number
from deltaprop.storage import PathLike
from deltaprop.targets import ClassWeight
from deltaprop.training.averages import average_in
from deltaprop.training.callbacks import Callbacks
from deltaprop.training.checkpoint import Around, Checkpoint, digest, written_out
from deltaprop.training.full_batch import full_batch_in
from deltaprop.training.history import History
from deltaprop.training.keeping import record_in, rows_of
from deltaprop.training.metrics import Metric, metric_in
from deltaprop.training.progress import progress
from deltaprop.training.record import Record
from deltaprop.training.run import Given, Training, diverged
from deltaprop.training.steps import Steps, steps_in
from deltaprop.training.stopping import KEEP, Aim
from deltaprop.training.validation import Validation, divided


def train(
    model: Model,
    X: ArrayLike,
    R: ArrayLike,
    *,
    epochs: int = 100,
    eta: Eta | None = None,
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
    record: Record | None = None,
    around: Around | None = None,
    starts_over: bool = False,
) -> History:
    """Train ``model`` from where it stands; `Network.fit` documents the parameters.

    ``around`` is what a run on disk says where the network is part of something larger; ``starts_over`` that it takes
    the place of one that has not come to its end.
    """
    where = f"{type(model).__name__}.fit"
    given = {name: written_out(value) for name, value in locals().items() if name in _OF_A_RUN}
    samples = model.samples(X, R, sample_weight, where, class_weight)
    if not len(samples[0]):
        raise ValueError(f"{where}: X has no rows, so there is nothing to learn from.")
    aim, looked_at = _aim(model, patience, metrics, monitor, min_gain, keep, goal, validation is not None, where)
    every_row = samples
    samples, held_out = divided(model, samples, validation, looked_at, where)
    if samples[2] is not None and not samples[2].any():
        raise ValueError(f"{where}: all rows weigh 0, so there is nothing to learn from.")
    epochs = whole_number(epochs, "epochs", at_least=0, where=where)
    batch_size, block = steps_in(batch_size, online_block, where)
    if not isinstance(eta_per, str) or eta_per not in ("epoch", "step"):
        raise ValueError(f"{where}: eta_per needs to be 'epoch' or 'step'; got {in_a_line(eta_per)}.")
    for name, value in (("shuffle", shuffle), ("verbose", verbose), ("resume", resume)):
        if not isinstance(value, bool | np.bool_):
            raise TypeError(f"{where}: {name} needs to be True or False; got {in_a_line(value)}.")
    rule = optimizer_in(optimizer, where=where, dtype=model.dtype)
    terms = terms_in(clip_norm, clip_value, max_norm, eta_factors, len(model.layers) - 1, model.dtype, where=where)
    mean = None if average is None else average_in(average, where=where)
    given |= {"optimizer": str(rule), "keep": aim.keep, "average": None if mean is None else str(mean)}
    if rule.full_batch:
        full_batch_in(model, rule, given, _defaults(), where)
    kept = record_in(record, rule, where)
    if kept is not None:
        own_rows = None if around is None else around.rows
        kept.x, kept.r = rows_of(kept, *every_row[:2], where) if own_rows is None else own_rows(kept.samples)
        kept.begin(samples, batch_size, block, bool(shuffle), validation)
    checked = Given(
        samples=samples,
        held_out=held_out,
        epochs=epochs,
        eta=rule.eta if eta is None else eta,
        decay=decay,
        per_step=eta_per == "step",
        batch_size=batch_size,
        block=block,
        shuffle=bool(shuffle),
        rule=rule,
        terms=terms,
        average=mean,
        aim=aim,
        looked_at=looked_at,
        called=Callbacks(callbacks, where),
        deadline=_deadline(time_budget, where),
        saved=_on_disk(checkpoint, checkpoint_every, resume, given, samples, held_out, where, around, starts_over),
        resume=resume,
        record=kept,
        where=where,
    )
    with model.training(where), progress(verbose, epochs) as shown:
        run = Training(model, checked, shown)
        if run.done:  # the run on disk had come to its end
            return run.history
        for _ in range(epochs - len(run.history)):
            if run.epoch():
                break
        run.end()
    return run.history


def _defaults() -> dict[str, Any]:
    return {name: parameter.default for name, parameter in inspect.signature(train).parameters.items()}


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
    starts_over: bool,
) -> Checkpoint | None:
    """Return where the run is written, if it is."""
    if path is None:
        for name, value in (("checkpoint_every", every is not None), ("resume", bool(resume))):
            if value:
                raise ValueError(f"{where}: {name} needs a checkpoint, the file of the run.")
        return None
    held = None if held_out is None else (held_out.X, held_out.R, held_out.weights)
    saved = Checkpoint(path, every, {**given, "samples": digest(samples, held)}, where, around)
    if not resume and not starts_over:
        saved.refuse_loss()
    return saved


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
    if not isinstance(metrics, str | Sequence):
        raise TypeError(f"{where}: metrics needs names of metrics; got {metrics!r}.")
    names = [metrics] if isinstance(metrics, str) else list(metrics)
    metric = metric_in(monitor, n_out, where=f"{where}: monitor")
    asked = [metric_in(name, n_out, where=f"{where}: metrics") for name in names]
    if patience is not None:
        whole_number(patience, "patience", at_least=1, where=where)
    keep = ("last" if patience is None else "best") if keep is None else keep
    if not isinstance(keep, str) or keep not in KEEP:
        raise ValueError(f"{where}: keep needs to be one of {', '.join(map(repr, KEEP))}; got {in_a_line(keep)}.")
    if not validated:
        for what, given in (("metrics", bool(asked)), ("monitor", monitor != "E")):
            if given:
                raise ValueError(f"{where}: {what} needs validation samples.")
    gain = real_number(min_gain, "min_gain", where=where)
    if not 0 <= gain < math.inf:
        raise ValueError(f"{where}: min_gain needs to be finite and at least 0; got {min_gain!r}.")
    if gain and patience is None:
        raise ValueError(f"{where}: min_gain is what patience goes by, and there is none.")
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
    batch_size, block = steps_in(batch_size, online_block, where)
    rule = optimizer_in(optimizer, where=where, dtype=model.dtype)
    if rule.full_batch:
        raise ValueError(f"{where}: a step of {rule.name} needs all samples, and E as it goes; use fit.")
    rate = rates(eta, 1, 1, where=where, dtype=model.dtype, own=rule.eta).of_steps(1, 1)
    fall = decays(decay, 1, 1, where=where, dtype=model.dtype)(1)
    check_decay(fall, rate, where)
    terms = terms_in(clip_norm, clip_value, max_norm, eta_factors, len(model.layers) - 1, model.dtype, where=where)
    before = model.padded_theta.copy()
    steps, at = Steps(model, samples, batch_size, block, each_step=False), Pass()
    with model.training(where):
        model.take_up(rule)
        for _ in steps.passing(np.arange(n), rate, replace(terms, decay=fall), at):
            pass
        quantity = model.not_finite(at.mean)
        if quantity is not None:
            point = steps.where_not_finite(n)
            model.put_back(before)
            raise diverged(where, quantity, steps.highest, point, "as before")
    return at.mean
