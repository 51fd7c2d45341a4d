"""The next steps of a descent, made on a copy: how large they are beside the weights, and what E becomes."""

from __future__ import annotations

import copy
from dataclasses import dataclass

import numpy as np

from deltaprop.arrays import Array, whole_number
from deltaprop.descent.optimizers import SGD, Optimizer, optimizer_in
from deltaprop.descent.schedules import Eta, rates
from deltaprop.inspection.health.figures import rms
from deltaprop.inspection.health.sample import MOST_SAMPLES, Sample
from deltaprop.model import Model

_MEASURED_EACH = 2**12  # parameters up to which every step is measured; of more it takes as long as some steps,
_MEASURED_EVERY = 4  # so that one of so many is
_MOST_STEPS = 32  # V of a momentum of 0.9 has built up to 97 % by then


@dataclass(frozen=True)
class Steps:
    """What some steps of `Network.fit` would be, from where the network stands.

    Attributes
    ----------
    eta : float
        η_n of the coming epoch.
    optimizer : str
    batch_size, n : int
        Samples per step, and how many steps were made.
    ratios : tuple of float or None
        ‖Δw‖/‖w‖ of each layer, the median over the steps (of networks with more than 4,096 parameters over every
        fourth of them); None where all w are 0.
    E_before, E_after : float
        E of the samples, before the first step and after the last; infinity where it diverged.
    """

    eta: float
    optimizer: str
    batch_size: int
    n: int
    ratios: tuple[float | None, ...]
    E_before: float
    E_after: float


def steps_of(
    model: Model, sample: Sample, eta: Eta, optimizer: str | Optimizer | None, batch_size: int, where: str
) -> Steps:
    """Make at most 32 steps with at most 256 samples in all, epoch after epoch where there are fewer.

    The order is one that `Network.fit` might take: rows often come sorted, and a descent through one class after the
    other goes astray with any eta. The rule goes on with what the network's optimizer remembers, if it is the same.
    """
    n = len(sample.x)
    batch_size = whole_number(batch_size, "batch_size", at_least=1, where=where)
    given = model.step_rule if optimizer is None else optimizer
    rule = optimizer_in(given, where=where, dtype=model.dtype)
    rule = SGD if rule.full_batch else rule
    epoch = model.epoch + 1
    rate = rates(eta, epoch, 1, where=where, dtype=model.dtype, own=rule.eta).of_steps(epoch, 1)
    together = min(batch_size, n)
    probe = copy.copy(model)  # with its own parameters and its own memory
    probe.take_up(rule)
    shuffled = model.epoch_order(n, model.epoch + 1, shuffle=True)
    steps = max(1, min(_MOST_STEPS, MOST_SAMPLES // together))
    order = np.tile(shuffled, -(-steps * together // n))
    between = _MEASURED_EVERY - 1 if model.n_parameters > _MEASURED_EACH else 0
    ratios: list[list[float | None]] = []
    made = 0
    with np.errstate(all="ignore"):
        E_before = probe.mean_loss(sample.x, sample.r, sample.weights)
        while made < steps:
            before = [W.copy() for W in probe.W]
            _descend(probe, sample, order[made * together :][:together], rate, batch_size)
            ratios.append([_ratio(W - w, w) for W, w in zip(probe.W, before, strict=True)])
            made += 1
            if probe.not_finite(0.0) is not None:
                break
            more = min(between, steps - made)
            at_once = more if together == batch_size else 1  # else the engine would put them together
            for _ in range(0, more, at_once or 1):
                _descend(probe, sample, order[made * together :][: at_once * together], rate, batch_size)
                made += at_once
        E_after = probe.mean_loss(sample.x, sample.r, sample.weights)
    if probe.not_finite(E_after) is not None:
        E_after = float("inf")
    medians = tuple(_median([ratio[l] for ratio in ratios]) for l in range(len(model.W)))
    return Steps(float(rate[0]), repr(rule), together, made, medians, E_before, E_after)


def _descend(probe: Model, sample: Sample, order: Array, rate: Array, batch_size: int) -> None:
    """Make the steps of an order of samples."""
    for _ in probe.passing(sample.x, sample.r, sample.weights, order, rate, batch_size, 1):
        pass


def _ratio(step: Array, w: Array) -> float | None:
    size = rms(w)
    return rms(step) / size if size and np.isfinite(size) else None


def _median(ratios: list[float | None]) -> float | None:
    known = sorted(ratio for ratio in ratios if ratio is not None)
    return known[len(known) // 2] if known else None
