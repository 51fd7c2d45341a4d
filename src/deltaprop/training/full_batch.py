"""Training by an optimizer whose step needs all samples: an epoch is one of its steps."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from deltaprop.arrays import Array
from deltaprop.descent.full_batch import STEPS, Memories, Step
from deltaprop.descent.memory import Pass
from deltaprop.descent.optimizers import Optimizer
from deltaprop.descent.terms import Terms
from deltaprop.model import Model
from deltaprop.model.base import WORK_PER_SECOND
from deltaprop.training.diagnosis import among_samples
from deltaprop.training.jacobian import MOST_PARAMETERS, normal_equations

_Look = tuple[float, Array, float]  # E, its gradient, and E without penalties
_KEPT = 3  # looks
_PIECE_SECONDS = 1.0  # of a look, on a slow machine, between two looks at the keyboard
_CHUNK = 256  # samples: the engine adds up gradients in chunks of so many

NO_USE = (
    "eta",
    "batch_size",
    "online_block",
    "eta_per",
    "decay",
    "eta_factors",
    "clip_norm",
    "clip_value",
    "max_norm",
)


class FullBatch:
    """The samples of a run as a problem of descent/full_batch, and the steps through it.

    Attributes
    ----------
    eta : ndarray (1,)
        The length of the last step.
    highest : None
        There is no η that could have been too large.
    end : str
        Why the last step found nothing more to gain; empty where it did.
    """

    highest: float | None = None

    def __init__(self, model: Model, X: Any, R: Array, weights: Array | None) -> None:
        self._model, self._samples = model, (X, R, weights)
        self._piece = max(1, int(_PIECE_SECONDS * WORK_PER_SECOND / model.n_parameters / _CHUNK)) * _CHUNK
        self.theta = model.padded_theta.astype(np.float64)
        self.eps = float(np.finfo(model.dtype).eps)
        self.eta, self.end = np.array([np.nan]), ""
        self._seen: dict[bytes, _Look] = {}  # by theta: where the step begins, and the latest

    def passing(self, order: Array, eta: Array, terms: Terms, at: Pass) -> Iterator[tuple[int, float]]:
        """Make one step; yield (samples, E of them before it). Interrupted, the network stays where it was.

        The order, η and terms are those of steps through the samples, and do not matter here.
        """
        model, memory = self._model, self._model.memory
        n = len(self._samples[1])
        self.theta = model.padded_theta.astype(np.float64)
        memories = Memories(memory.state.reshape(-1, self.theta.size), list(memory.numbers), memory.steps)
        vectors = memories.vectors.copy()
        rule = memory.optimizer
        parameters = dict(zip((p.name for p in rule.parameters), rule.numbers, strict=True))
        try:
            total, gradient, E = self._look(self.theta)
            step = Step(self.theta)
            if np.isfinite(total) and np.isfinite(gradient).all():
                step = STEPS[rule.name](self, parameters, memories)
            elif np.isfinite(E):
                E = float("nan")  # so that fit says that it diverged
        except BaseException:
            model.padded_theta[...] = self.theta
            memories.vectors[...] = vectors
            raise
        model.padded_theta[...] = step.theta
        here = model.padded_theta.tobytes()
        draws = model.definition.draws  # anew for the next step, even where this one has moved nothing
        self._seen = {} if draws else {key: look for key, look in self._seen.items() if key == here}
        memory.numbers, memory.steps = tuple(memories.numbers), memory.steps + (not step.end)
        self.eta, self.end = np.array([step.eta]), step.end
        model.count_presented(n)
        at.samples, at.E, at.weight = n, E, 1.0
        yield n, E

    def where_not_finite(self, presented: int) -> str:
        """Return in words which formula met what is not finite in the last step, and where; "" where none did."""
        X, R, _ = self._samples
        return among_samples(self._model, X, R, np.arange(presented)) if self._model.definition.has_formulas else ""

    @property
    def after(self) -> Callable[[], float] | None:
        """What looks for E after the last step, without penalties; None where the next step has other draws."""
        return None if self._model.definition.draws else self._after

    def _after(self) -> float:
        return self._look(self._model.padded_theta.astype(np.float64))[2]

    # ---- what an optimizer asks (descent/full_batch/problem.py) ------------------------------------------------

    def look(self, theta: Array) -> tuple[float, Array]:
        """Return E with penalties, and its gradient."""
        return self._look(theta)[:2]

    def rounded(self, theta: Array) -> Array:
        """Return theta in the network's dtype, as float64."""
        return theta.astype(self._model.dtype).astype(np.float64)

    def normal_equations(self) -> tuple[Array, Array]:
        """Return JᵀJ and Jᵀe at ``theta``."""
        self._model.padded_theta[...] = self.theta
        return normal_equations(self._model, *self._samples)

    def moved(self, change: Array) -> Array:
        """Return theta with a dense change added."""
        padded = np.zeros_like(self.theta)
        self._model.pad(change, padded)
        return self.theta + padded

    def _look(self, theta: Array) -> _Look:
        model = self._model
        model.padded_theta[...] = theta
        key = model.padded_theta.tobytes()
        if key not in self._seen:
            if len(self._seen) == _KEPT:
                del self._seen[list(self._seen)[1]]
            E, gradient = self._E_and_gradient()
            self._seen[key] = E + model.penalty, gradient, E
        return self._seen[key]

    def _E_and_gradient(self) -> tuple[float, Array]:
        """Return E without penalties, and the gradient with them; a signal is heard after every ``_piece`` samples."""
        X, R, weights = self._samples
        E, gradient, total = 0.0, np.zeros_like(self.theta), 0.0
        for first in range(0, len(R), self._piece):
            part = slice(first, first + self._piece)
            w = None if weights is None else weights[part]
            weight = float(len(R[part])) if w is None else float(w.sum(dtype=np.float64))
            if weight == 0:
                continue
            own = self._model.E_and_gradient(X[part], R[part], w, training=True, first=first)
            if len(R) <= self._piece:
                return own[0], own[1].astype(np.float64)
            E, gradient, total = E + weight * own[0], gradient + weight * own[1], total + weight
        return E / total, gradient / total


def full_batch_in(
    model: Model, rule: Optimizer, given: Mapping[str, Any], defaults: Mapping[str, Any], where: str
) -> None:
    """Raise ValueError where a full-batch optimizer cannot train a network, or is given what it has no use for."""
    for name in NO_USE:
        if given[name] is not defaults[name] and given[name] != defaults[name]:
            raise ValueError(f"{where}: {rule.name} takes all samples at once, and has no use for {name}.")
    if str(given["average"] or "").startswith("ema"):
        raise ValueError(f"{where}: {rule.name} has no steps within an epoch to average over; use 'last'.")
    if rule.name in ("rprop", "rprop_minus"):
        return
    if model.definition.draws:
        raise ValueError(f"{where}: {rule.name} needs the same E at every look: no dropout, and no input_noise.")
    if model.l1:
        raise ValueError(f"{where}: {rule.name} needs an E that is smooth, and l1 bends it; use rprop, or l2.")
    if rule.name == "levenberg_marquardt":
        if model.loss != "squared_error":
            raise ValueError(f"{where}: levenberg_marquardt is for squared_error, not for {model.loss}; use lbfgs.")
        if model.n_parameters > MOST_PARAMETERS:
            raise ValueError(
                f"{where}: levenberg_marquardt solves for all parameters at once, at most {MOST_PARAMETERS:,}; this "
                f"network has {model.n_parameters:,}. Use lbfgs."
            )
