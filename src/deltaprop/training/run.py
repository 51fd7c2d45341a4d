"""A run of `fit`: where it stands, and what an epoch makes of it."""

from __future__ import annotations

import math
import os
import time
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from deltaprop.arrays import Array
from deltaprop.descent.memory import Pass
from deltaprop.descent.optimizers import Optimizer
from deltaprop.descent.schedules import Eta, check_decay, decays, rates
from deltaprop.descent.terms import Terms
from deltaprop.errors import DivergenceError, warn
from deltaprop.functions import Entry
from deltaprop.model import Model
from deltaprop.training.averages import Average
from deltaprop.training.callbacks import Callbacks, Now
from deltaprop.training.checkpoint import Checkpoint, Run
from deltaprop.training.diagnosis import among_samples
from deltaprop.training.full_batch import FullBatch
from deltaprop.training.history import History
from deltaprop.training.keeping import Keeper
from deltaprop.training.metrics import Metric
from deltaprop.training.progress import Progress
from deltaprop.training.record import Record
from deltaprop.training.steps import Steps
from deltaprop.training.stopping import Aim, BestEpoch
from deltaprop.training.validation import Validation

_GOES_ON = ("time", "callback")  # why a run may stop that can be resumed


@dataclass(frozen=True)
class Given:
    """What a run was called with, checked; `Network.fit` says what it is."""

    samples: tuple[Any, Array, Array | None]
    held_out: Validation | None
    epochs: int
    eta: Eta
    decay: Eta
    per_step: bool
    batch_size: int
    block: int
    shuffle: bool
    rule: Optimizer
    terms: Terms
    average: Entry | None
    aim: Aim
    looked_at: tuple[Metric, ...]
    called: Callbacks
    deadline: float
    saved: Checkpoint | None
    resume: bool
    record: Record | None
    where: str


class Training:
    """One run."""

    def __init__(self, model: Model, given: Given, shown: Progress) -> None:
        self.model, self.given, self.shown = model, given, shown
        resumed = given.saved.read(model) if given.saved is not None and given.resume else None
        self.done = resumed is not None and resumed.done
        self.history = History() if resumed is None else resumed.history
        self._first = model.epoch + 1 if resumed is None else resumed.first
        self._begun = Pass() if resumed is None else resumed.at  # of the epoch that a run goes on in
        if not self.done:
            self._begin(resumed)

    def _begin(self, resumed: Run | None) -> None:
        model, given = self.model, self.given
        course: Any = {"first": self._first, "epochs": given.epochs, "where": given.where, "dtype": model.dtype}
        self._rate = rates(given.eta, per_step=given.per_step, own=given.rule.eta, **course)
        self._decay = decays(given.decay, **course)
        model.take_up(given.rule)
        self._mean = Average(model, given.average)
        self._mean.begin()
        self._terms = replace(given.terms, average=self._mean.keep)
        self._each_step = given.called.each_step
        self._keeper = None if given.record is None else Keeper(given.record, model)
        self._passes: FullBatch | Steps
        if given.rule.full_batch:
            self._passes = FullBatch(model, *given.samples)
        else:
            each = self._each_step
            self._passes = Steps(model, given.samples, given.batch_size, given.block, each_step=each)
        self._before = model.padded_theta.copy()  # at the start of the epoch
        self._best = BestEpoch(model, given.aim)
        self._penalised = bool(model.l2 or model.l1)
        aim = given.aim
        compared = aim.keep != "last" or aim.patience is not None or aim.goal is not None
        self._own_E = self._passes.after if compared else None  # where an epoch is one step, E after it is what counts
        self._unwritten = resumed is None
        if resumed is None:
            return
        self.history.stopped = "epochs"
        self.shown.go_on(len(self.history))
        self._best.go_on(resumed.best)
        self._mean.go_on(resumed.averages)
        self._rate.go_on(resumed.schedule)
        model.pad(resumed.before, self._before)

    def epoch(self) -> bool:
        """Train for one epoch, or what is left of it; return whether the run ends with it."""
        model, given, passes, history = self.model, self.given, self._passes, self.history
        began = time.perf_counter()
        epoch, n = model.epoch + 1, len(given.samples[0])
        eta, decay = self._rate.of_steps(epoch, -(-n // given.batch_size)), self._decay(epoch)
        check_decay(decay, eta, f"{given.where}: epoch {epoch}")
        if decay != self._terms.decay:
            self._terms = replace(self._terms, decay=decay)
        if self._unwritten:  # now that η is known to be one: from here on there is a run to resume
            self._unwritten = False
            self._save(Pass())
        at, self._begun = self._begun, Pass()
        if not at.samples:
            self._before[...] = model.padded_theta
        if self._keeper is not None and isinstance(passes, Steps):
            within = self._keeper.begin_epoch(epoch, eta, self._terms, at.samples)
            passes.keeper = self._keeper if within else None
        E, stop = self._descend(epoch, eta, at)
        presented = at.samples
        if stop and presented < n and model.not_finite(E) is None:
            self._save(at)
        found = self._look(epoch, presented, E)
        if self._keeper is not None:
            self._keeper.end_epoch(presented)
        if presented == n:
            model.count_epoch()
        self._note(E, found, passes.eta)
        history.seconds.append(time.perf_counter() - began)
        self.shown.epoch_done(epoch, E, found.get("E"))
        self._rate.observe(found.get("E", E))
        own = found[given.aim.metric.name] if found else E
        if self._own_E is not None and not found:
            own = self._own_E()
        with self._mean.in_place():
            reason = self._best.reason_to_stop(epoch, own)
        if presented == n:  # the run has come to its end here, whatever else would stop it
            history.reason = passes.end
            stop = ("converged" if passes.end else reason) or stop
        if given.called and given.called.after_epoch(Now(model, epoch, presented, E, found, history)):
            stop = stop or "callback"
        if not stop and time.perf_counter() >= given.deadline:
            stop = "time"
        if stop in _GOES_ON and presented == n and len(history) >= given.epochs:
            stop = "epochs"  # all of them are done, whatever would have stopped it
        if stop:
            history.stopped = stop
            if stop in _GOES_ON and presented == n:
                self._save(Pass())
        elif given.saved is not None and given.saved.due(epoch_done=True) and len(history) < given.epochs:
            self._save(Pass())
        return bool(stop)

    def _descend(self, epoch: int, eta: Array, at: Pass) -> tuple[float, str]:
        """Go through the samples from ``at`` on, which is kept up to date; return E, and why it was left early."""
        model, given = self.model, self.given
        n, each_step, E = len(given.samples[0]), self._each_step, 0.0
        order = model.epoch_order(n, epoch, given.shuffle)
        for presented, E in self._passes.passing(order, eta, self._terms, at):
            self.shown.presented(presented, n)
            due = given.saved is not None and presented < n and given.saved.due(epoch_done=False)
            if due and model.not_finite(E) is None:
                self._save(at)
            if each_step and given.called.after_step(Now(model, epoch, presented, E, {}, self.history)):
                return E, "callback"
            if time.perf_counter() >= given.deadline:
                return E, "time"
        return E, ""

    def _look(self, epoch: int, presented: int, E: float) -> dict[str, float]:
        """Return the metrics of the samples held out, if there are some; raise DivergenceError where it diverged."""
        model, given, held_out = self.model, self.given, self.given.held_out
        quantity, found, point = model.not_finite(E), dict[str, float](), ""
        if quantity is None:
            if presented == len(given.samples[0]):
                self._mean.epoch_done()
            if held_out is None:
                return found
            with self._mean.in_place():
                found = held_out.look(model)
            if math.isfinite(found["E"]):
                return found
            quantity = f"E of the validation samples ({found['E']})"
            if model.definition.has_formulas:
                point = among_samples(model, held_out.X, held_out.R, np.arange(len(held_out.X)))
        else:
            point = self._passes.where_not_finite(presented)
        model.put_back(self._before)
        kept = f"those of the end of epoch {epoch - 1}"
        raise diverged(f"{given.where}: epoch {epoch}", quantity, self._passes.highest, point, kept)

    def _note(self, E: float, found: dict[str, float], eta: Array) -> None:
        """Write an epoch into the history."""
        history = self.history
        history.E.append(E)
        history.eta.append(float(eta[0]))
        if self._penalised:
            history.penalty.append(self.model.penalty)
        if self._rate.per_step:
            history.eta_steps.append(eta)
        if found:
            history.E_validation.append(found["E"])
        for metric in self.given.looked_at:
            if metric.name in found:
                history.metrics.setdefault(metric.name, []).append(found[metric.name])

    def end(self) -> None:
        """Leave the model with the parameters that the run was to end with."""
        if self._keeper is not None:
            self._keeper.end()
        self._mean.stay()
        self._best.restore()
        if self.given.aim.keep != "last":
            self.history.best_epoch = self._best.epoch
        if self.history.stopped not in _GOES_ON:
            self._save(Pass(), done=True)

    def _save(self, at: Pass, *, done: bool = False) -> None:
        """Write the run as it stands, where it is on disk."""
        model, given = self.model, self.given
        if given.saved is None:
            return
        run = Run(
            first=self._first,
            before=model.dense(self._before),
            at=at,
            history=self.history,
            best=self._best.state(),
            schedule=self._rate.state(),
            averages=self._mean.state(),
            done=done,
        )
        try:
            given.saved.write(model, run)
        except OSError as error:  # a full disk ends no training
            there = " The file is as it was before." if os.path.exists(given.saved.path) else ""
            warn(f"{given.where}: the run could not be written: {error}.{there}")


def diverged(where: str, quantity: str, eta: float | None, point: str, parameters: str) -> DivergenceError:
    """Return the error of a descent that met what is not finite."""
    rate, other = ("", "begin with other weights") if eta is None else (f", with eta {eta:g}", "use a smaller eta")
    advice = "" if point else f" {other[0].upper()}{other[1:]}, or scale the inputs and targets."
    return DivergenceError(
        f"{where} met {quantity} that is not finite{rate}.{point} The parameters are {parameters}.{advice}"
    )
