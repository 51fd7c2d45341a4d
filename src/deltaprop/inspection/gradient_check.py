"""The gradient check: the engine's ∂E/∂θ against central differences of its own E, in float64."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike

from deltaprop.arrays import Array
from deltaprop.model import Model
from deltaprop.targets import ClassWeight

_TOLERANCE = {"float64": 1e-6, "float32": 1e-3}
_ROUNDING = {"float64": 1e-13, "float32": 1e-5}  # of the largest entry of a group
_MOST_ENTRIES = 5_000  # of a parameter group that are checked one by one; of larger ones
_SAMPLED, _DIRECTIONS = 500, 20  # so many, and along so many random directions
_STEPS = (1e-5, 1e-4, 1e-6, 1e-3)  # tried in turn while the two sides disagree, times max(1, |θ|)


@dataclass(frozen=True)
class GroupCheck:
    """The verdict on the weights or the biases of one layer.

    Attributes
    ----------
    layer : int
        Counted from 1.
    group : str
        "weights" or "biases".
    checked, size : int
        How many parameters were compared, out of how many.
    kinks : int
        How many of those stand at a kink of h (relu's at a = 0), where E has two slopes and backpropagation's lies
        between them: agreement, but no part of ``worst``.
    worst : float
        The largest error, |a − n| / max(|a|, |n|, noise).
    name : str
        The parameter with that error, such as ``W[0][1, 2]``.
    analytic, numeric : float
        Its two values: backpropagation's and the central difference's.
    directions : int
        Along how many random directions, all parameters of the group at once, they were compared besides.
    """

    layer: int
    group: str
    checked: int
    size: int
    kinks: int
    worst: float
    name: str
    analytic: float
    numeric: float
    directions: int = 0


@dataclass(frozen=True)
class GradientReport:
    """What the gradient check found.

    Attributes
    ----------
    ok : bool
        True where every error is within ``tolerance``.
    worst : float
        The largest error of all.
    groups : tuple of GroupCheck
        Per layer, weights and biases apart.
    tolerance : float
        1e-6 for float64 networks, 1e-3 for float32.
    """

    ok: bool
    worst: float
    groups: tuple[GroupCheck, ...]
    tolerance: float

    def __str__(self) -> str:
        lines = []
        for g in self.groups:
            if g.kinks == g.checked:
                lines.append(
                    f"layer {g.layer} {g.group:<7}  {g.checked:>6,} checked, all at a kink of h: between two slopes"
                )
                continue
            part = "" if g.checked == g.size else f" (a sample of {g.size:,}, and {g.directions} directions of all)"
            part += f" ({g.kinks:,} at a kink of h)" if g.kinks else ""
            verdict = "agree" if g.worst <= self.tolerance else "DISAGREE"
            lines.append(
                f"layer {g.layer} {g.group:<7}  {g.checked:>6,} checked{part}, {verdict}: worst {g.worst:.1e} "
                f"at {g.name}, backpropagation {g.analytic:.9g}, central difference {g.numeric:.9g}"
            )
        if self.ok:
            lines.append(
                f"The gradient agrees with central differences: largest relative error {self.worst:.1e}, "
                f"tolerance {self.tolerance:.0e}."
            )
        else:
            bad = max(self.groups, key=lambda g: g.worst)
            lines.append(
                f"The gradient DISAGREES with central differences: relative error {self.worst:.1e} at {bad.name}, "
                f"tolerance {self.tolerance:.0e}."
            )
        return "\n".join(lines)

    __repr__ = __str__


def check_gradient(
    model: Model,
    X: ArrayLike,
    R: ArrayLike,
    sample_weight: ArrayLike | None = None,
    class_weight: ClassWeight | None = None,
) -> GradientReport:
    """Compare backpropagation with central differences; `Network.check_gradient` documents it."""
    analytic = model.gradient(X, R, sample_weight, class_weight=class_weight)
    return compare_gradient(model, analytic, X, R, sample_weight, class_weight)


def compare_gradient(
    model: Model,
    analytic: Array,
    X: ArrayLike,
    R: ArrayLike,
    sample_weight: ArrayLike | None = None,
    class_weight: ClassWeight | None = None,
) -> GradientReport:
    """Compare ``analytic``, a gradient in theta's order, with central differences of the model's E in float64.

        n_k = (E(θ + ε e_k) − E(θ − ε e_k)) / 2ε

    The step ε is 1e-5 · max(1, |θ_k|). Where the two sides disagree other steps are tried and the best agreement
    counts. Where none agrees, and the slopes to the left and to the right of θ_k differ, it is a kink of h within ε:
    every value between the two slopes agrees then. What rounding alone can make of the two sides counts as agreement:
    1e-15 E / ε of the difference, and 1e-13 (float32: 1e-5) of the group's largest entry (so does 0 against 0).

    A group of more than 5,000 parameters is compared at 500 of them and along 20 random directions u of unit length,
    all its parameters at once: Σ_k ∂E/∂θ_k u_k against (E(θ + ε u) − E(θ − ε u)) / 2ε.
    """
    probe = model.with_dtype("float64")
    samples = probe.samples(X, R, sample_weight, f"{type(model).__name__}.check_gradient", class_weight)
    tolerance = _TOLERANCE[model.dtype.name]
    E0 = probe.mean_loss(*samples)
    if not (np.isfinite(E0) and np.isfinite(analytic).all()):
        raise ValueError(f"{type(model).__name__}.check_gradient: E or its gradient is not finite here.")
    choose = np.random.default_rng(0)

    groups = []
    at = 0
    for layer in range(len(probe.W)):
        for group, symbol, views in (("weights", "W", probe.W), ("biases", "b", probe.b)):
            values = views[layer]
            if values is None:
                continue
            size = values.size
            own = analytic[at : at + size].astype(np.float64)
            at += size
            # What rounding in the network's own dtype leaves of a sum over samples that nearly cancels.
            rounding = _ROUNDING[model.dtype.name] * float(np.abs(own).max())
            entries, n_directions = np.arange(size), 0
            if size > _MOST_ENTRIES:
                entries, n_directions = np.sort(choose.choice(size, _SAMPLED, replace=False)), _DIRECTIONS
            lines = [_Line.of_entry(probe, samples, values, int(k), own, f"{symbol}[{layer}]") for k in entries]
            for k in range(n_directions):
                u = choose.choice([-1.0, 1.0], size) / np.sqrt(size)
                lines.append(
                    _Line.of_direction(probe, samples, values, u, own, f"direction {k + 1} of {symbol}[{layer}]")
                )
            worst, kinks = (0.0, lines[0], 0.0), 0
            for line in lines:
                error, n = line.difference(E0, rounding, tolerance)
                if error > tolerance and line.is_between_two_slopes(E0):
                    kinks += 1
                elif error > worst[0]:
                    worst = error, line, n
            error, line, n = worst
            found = max(error, 0.0), line.name, line.analytic, n, n_directions
            groups.append(GroupCheck(layer + 1, group, len(entries), size, kinks, *found))
    worst_error = max(g.worst for g in groups)
    return GradientReport(worst_error <= tolerance, worst_error, tuple(groups), tolerance)


@dataclass(frozen=True)
class _Line:
    """E along a line through theta: of one parameter, or of a direction of many.

    ``E_at`` returns E after a step along it, and the step as it was rounded; ``analytic`` is the slope that is claimed
    there, ``scale`` what steps are in proportion to.
    """

    E_at: Callable[[float], tuple[float, float]]
    analytic: float
    scale: float
    name: str

    @classmethod
    def of_entry(cls, probe: Model, samples: Any, values: Array, k: int, analytic: Array, symbol: str) -> Self:
        place = np.unravel_index(k, values.shape)
        theta = values[place]

        def E_at(step: float) -> tuple[float, float]:
            values[place] = theta + step
            E, taken = probe.mean_loss(*samples), float(values[place] - theta)
            values[place] = theta
            return E, taken

        name = f"{symbol}[{', '.join(str(int(i)) for i in place)}]"
        return cls(E_at, float(analytic[k]), max(1.0, abs(float(theta))), name)

    @classmethod
    def of_direction(cls, probe: Model, samples: Any, values: Array, u: Array, analytic: Array, name: str) -> Self:
        before, along = values.copy(), u.reshape(values.shape)

        def E_at(step: float) -> tuple[float, float]:
            values[...] = before + step * along
            E = probe.mean_loss(*samples)
            values[...] = before
            return E, step

        return cls(E_at, float(analytic @ u), max(1.0, float(np.abs(before).max())), name)

    def difference(self, E0: float, rounding: float, tolerance: float) -> tuple[float, float]:
        """Return the smallest relative error over the steps tried, and the central difference that gave it."""
        best = (np.inf, np.nan)
        for step in _STEPS:
            epsilon = step * self.scale
            (E_up, up), (E_down, down) = self.E_at(epsilon), self.E_at(-epsilon)
            n = (E_up - E_down) / (up - down)
            noise = (rounding + 1e-15 * (abs(E0) + abs(E_up)) / epsilon) / tolerance
            error = abs(self.analytic - n) / max(abs(self.analytic), abs(n), noise, np.finfo(float).tiny)
            if not error >= best[0]:
                best = (float(error), n)
            if error <= tolerance:
                break
        return best

    def is_between_two_slopes(self, E0: float) -> bool:
        """Whether ``analytic`` lies between the slopes of E on the left and on the right, where it bends.

        Those are s(ε) where they differ clearly. Small kinks, and curvature that jumps, show in
        (8 s(ε) − 6 s(2ε) + s(4ε)) / 3, which has no terms of ε and ε² in it; it tells right from wrong where rounding
        leaves 6 digits of it, which larger steps do for smaller gradients.
        """

        def slope(step: float) -> float:
            E, taken = self.E_at(step)
            return (E - E0) / taken

        def is_between(slopes: list[float], slack: float) -> bool:
            return bool(min(slopes) - slack <= self.analytic <= max(slopes) + slack)

        for step in (1e-6, 1e-5, 1e-4):
            epsilon = step * self.scale
            rounding = 1e-15 * abs(E0) / epsilon
            near = [slope(-epsilon), slope(epsilon)]
            size = max(map(abs, near))
            if step == 1e-6 and abs(near[1] - near[0]) > (1e-3 + 1e-5) * size + rounding:
                return is_between(near, 1e-5 * size + rounding)
            slack = 1e-7 * size + 4 * rounding
            if slack <= 1e-6 * size:
                sides = zip(near, (-epsilon, epsilon), strict=True)
                return is_between([(8 * s - 6 * slope(2 * e) + slope(4 * e)) / 3 for s, e in sides], slack)
        return False
