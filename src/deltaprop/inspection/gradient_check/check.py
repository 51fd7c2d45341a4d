"""The gradient check: the engine's ∂E/∂θ against central differences of its own E, in float64."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from deltaprop.arrays import Array
from deltaprop.descent.penalties import add_gradient
from deltaprop.inspection.gradient_check.report import GradientReport, GroupCheck, worst_of
from deltaprop.inspection.gradient_check.rounding import noise_of_E, rounding_of_gradient
from deltaprop.inspection.gradient_check.slopes import TOLERANCE, Line, Verdict
from deltaprop.model import Model
from deltaprop.targets import ClassWeight

_MOST_ENTRIES = 5_000  # of a parameter group that are checked one by one; of larger ones
_SAMPLED, _DIRECTIONS = 500, 20  # so many, and along so many random directions


def check_gradient(
    model: Model,
    X: ArrayLike,
    R: ArrayLike,
    sample_weight: ArrayLike | None = None,
    class_weight: ClassWeight | None = None,
    *,
    training: bool = False,
) -> GradientReport:
    """Compare backpropagation with central differences; `Network.check_gradient` documents it."""
    analytic = model.gradient(X, R, sample_weight, class_weight=class_weight, training=training)
    return compare_gradient(model, analytic, X, R, sample_weight, class_weight, training=training)


def compare_gradient(
    model: Model,
    analytic: Array,
    X: ArrayLike,
    R: ArrayLike,
    sample_weight: ArrayLike | None = None,
    class_weight: ClassWeight | None = None,
    *,
    training: bool = False,
) -> GradientReport:
    """Compare ``analytic``, a gradient in theta's order, with central differences of the model's E in float64.

        n_k = (E(θ + ε e_k) − E(θ − ε e_k)) / 2ε

    The step ε is 1e-4 · max(1, |θ_k|). Where that leaves it open, steps from ¼ to 1e-9 are tried, extrapolated to 0
    (Richardson), and of those whose own error is small the closest counts. Where none agrees, and E has two slopes at
    θ_k, it is a kink of h: every value between them agrees.

    Allowed are 1e-6 of the larger of the two, what rounding in the network's dtype may have made of the entry, and
    what noise of E there is in n where the two sides are as small as that.

    A group of more than 5,000 parameters is compared at 500 of them and along 20 random directions u of unit length,
    all its parameters at once: Σ_k ∂E/∂θ_k u_k against (E(θ + ε u) − E(θ − ε u)) / 2ε. Where they disagree the
    parameters are halved until one is left, which is named.

    Of a network with penalties the mean over the samples is compared, and ∂Ω/∂w with Ω by itself, group by group.
    """
    probe = model.with_dtype("float64")
    samples = probe.samples(X, R, sample_weight, f"{type(model).__name__}.check_gradient", class_weight)
    E = probe.mean_loss(*samples, training=training)
    if not (np.isfinite(E) and np.isfinite(analytic).all()):
        raise ValueError(f"{type(model).__name__}.check_gradient: E or its gradient is not finite here.")
    rounding = rounding_of_gradient(probe, *samples, dtype=model.dtype.name, training=training)
    noise = noise_of_E(probe, *samples, training=training)
    choose = np.random.default_rng(0)
    penalised = bool(model.l2 or model.l1)
    eps = float(np.finfo(model.dtype).eps)

    def of_samples() -> float:
        return probe.mean_loss(*samples, training=training)

    def of_weights() -> float:
        return probe.penalty

    groups = []
    at = 0
    for layer in range(len(probe.W)):
        for group, symbol, views in (("weights", "W", probe.W), ("biases", "b", probe.b)):
            values = views[layer]
            if values is None:
                continue
            part = slice(at, at + values.size)
            at += values.size
            claimed, lost = analytic[part].astype(np.float64), rounding[part]
            if penalised and group == "weights":
                slope = np.zeros_like(values)
                add_gradient([slope], [values], model.l2, model.l1)
                own = _Group(of_weights, values, slope.ravel(), eps * np.abs(slope.ravel()), probe.penalty, 0.0, symbol)
                groups.append(own.check(layer, "penalty", choose))
                claimed, lost = claimed - slope.ravel(), lost + eps * np.abs(claimed)
            own = _Group(of_samples, values, claimed, lost, E, noise, symbol)
            groups.append(own.check(layer, group, choose))
    report = tuple(groups)
    return GradientReport(all(group.ok for group in report), worst_of(report).worst, report, TOLERANCE)


class _Group:
    """The weights or the biases of a layer, and what is claimed of them."""

    def __init__(
        self,
        E_of: Callable[[], float],
        values: Array,
        analytic: Array,
        rounding: Array,
        E: float,
        noise: float,
        symbol: str,
    ) -> None:
        self.E_of, self.values = E_of, values
        self.analytic, self.rounding = analytic, rounding
        self.E, self.noise, self.symbol = E, noise, symbol

    def check(self, layer: int, group: str, choose: np.random.Generator) -> GroupCheck:
        """Compare all entries, or some and along directions."""
        size, name = self.values.size, f"{self.symbol}[{layer}]"
        entries, n_directions = np.arange(size), 0
        if size > _MOST_ENTRIES:
            entries, n_directions = np.sort(choose.choice(size, _SAMPLED, replace=False)), _DIRECTIONS
        verdicts = [self.entry(int(k), name).verdict() for k in entries]
        for k in range(n_directions):
            u = choose.choice([-1.0, 1.0], size)
            along = self.direction(u, f"direction {k + 1} of {name}").verdict()
            if not (along.ok or along.kink):
                verdicts.append(self.located(u, along, name))
                break
            verdicts.append(along)
        kinks = sum(verdict.kink for verdict in verdicts)
        smooth = [verdict for verdict in verdicts if not verdict.kink] or verdicts
        worst = max(smooth, key=lambda verdict: verdict.error / verdict.allowed)
        error = 0.0 if worst.kink else worst.error
        return GroupCheck(
            layer + 1,
            group,
            len(entries),
            size,
            kinks,
            error,
            worst.allowed,
            worst.name,
            worst.analytic,
            worst.numeric,
            n_directions,
        )

    def entry(self, k: int, name: str) -> Line:
        """Return the line of one parameter."""
        place = np.unravel_index(k, self.values.shape)
        theta = self.values[place]

        def E_at(step: float) -> tuple[float, float]:
            self.values[place] = theta + step
            E, taken = self.E_of(), float(self.values[place] - theta)
            self.values[place] = theta
            return E, taken

        full = f"{name}[{', '.join(str(int(i)) for i in place)}]"
        scale = max(1.0, abs(float(theta)))
        return Line(E_at, float(self.analytic[k]), float(self.rounding[k]), scale, self.E, self.noise, full)

    def direction(self, u: Array, name: str) -> Line:
        """Return the line of many parameters at once, along u of −1, 0 and 1."""
        along = u / np.sqrt(np.count_nonzero(u))
        before, step_of = self.values.copy(), along.reshape(self.values.shape)

        def E_at(step: float) -> tuple[float, float]:
            self.values[...] = before + step * step_of
            E = self.E_of()
            self.values[...] = before
            return E, step

        rounding = float(np.sqrt(np.square(self.rounding * along).sum()))  # each by chance up or down
        scale = max(1.0, float(np.abs(before).max()))
        return Line(E_at, float(self.analytic @ along), rounding, scale, self.E, self.noise, name)

    def located(self, u: Array, along: Verdict, name: str) -> Verdict:
        """Return the verdict on the parameter that makes a direction disagree; the direction's where none alone does.

        Of each half's direction the one that disagrees more is halved again.
        """
        chosen = np.arange(u.size)
        while len(chosen) > 1:
            halves = []
            for part in np.array_split(chosen, 2):
                partial = np.zeros_like(u)
                partial[part] = u[part]
                halves.append((self.direction(partial, "").verdict(), part))
            chosen = max(halves, key=lambda half: half[0].error / half[0].allowed)[1]
        found = self.entry(int(chosen[0]), name).verdict()
        return along if found.ok or found.kink else found
