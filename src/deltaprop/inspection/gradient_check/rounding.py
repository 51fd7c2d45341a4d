"""What rounding makes of a gradient, entry by entry, and of E."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from deltaprop.arrays import Array, Inputs
from deltaprop.inspection.health.figures import largest_slope
from deltaprop.model import Model
from deltaprop.raw_trace import RawTrace

_PRODUCTS = 6.0  # eps of the mean |δ_j z_i|, h′ taken at its largest: what the kernels of h′ and of sums lose
_MOVE = 2.0**-20  # relative, of float32's weights: some units of their last place, so that kinks that near are met
_MOVES = 8
_PIECE_NUMBERS = 2**22  # of a trace at a time
_NOISE_STEPS = 12


def rounding_of_gradient(
    probe: Model, X: Any, R: Array, weights: Array | None, dtype: str, *, training: bool = False
) -> Array:
    """Return what rounding in ``dtype`` may make of each entry of the gradient, in the order of theta.

        6 eps Σ_ℓ w_ℓ D_j |z_i| / Σ_ℓ w_ℓ  +  max |g(θ + 8 eps ξ θ) − g(θ)|        ξ from −1 to 1, at random

    The first is what the engine's δ lose: D_j² is (δ_j max|h′| / |h′_j|)², as h′ is exact to some eps of its largest
    value alone, and Σ_k (D_k w_kj h′_j)² from the layer above. The second is what the numbers that go into them have
    lost before: a gradient moves as far at weights that are moved by their own rounding, and at targets moved by that
    of y. For float64 it is that of float32 in proportion. All come from float64: a kernel that is wrong in another
    dtype is not excused by itself.

    Parameters
    ----------
    probe : Model
        The network in float64.
    X, R, weights
        Samples as it reads them.
    dtype : str
        In what the gradient was computed.
    """
    w = np.ones(len(X)) if weights is None else np.asarray(weights)
    eps = float(np.finfo(dtype).eps)
    theta = probe.theta
    moves = np.random.default_rng(0)
    any_y = probe.definition.loss_entry.targets in ("real", "class")
    with np.errstate(all="ignore"):
        moved_by_y = _MOVE * np.abs(probe.predict(X)) if any_y else np.zeros_like(R)
        right = _sums_of_products(probe, X, R, w, _deltas, training)
        lost = _PRODUCTS * eps * _sums_of_products(probe, X, R, w, _sizes_of_deltas, training)
        moved = np.zeros_like(right)
        for _ in range(_MOVES):
            probe.theta = theta * (1 + _MOVE * moves.uniform(-1, 1, theta.size))
            r = R + moved_by_y * moves.uniform(-1, 1, R.shape)
            moved = np.maximum(moved, np.abs(_sums_of_products(probe, X, r, w, _deltas, training) - right))
        probe.theta = theta
        bound = lost + moved * eps / float(np.finfo("float32").eps)
    return np.where(np.isfinite(bound), bound, np.inf)


def _sums_of_products(
    probe: Model,
    X: Inputs,
    R: Array,
    w: Array,
    of: Callable[[Model, RawTrace], list[tuple[Array, Array]]],
    training: bool,
) -> Array:
    """Return Σ_ℓ w_ℓ δ_j z_i / Σ_ℓ w_ℓ for every parameter, in theta's order; ``of`` gives z and δ of the layers."""
    sums = [np.zeros((W.shape[0] + probe.bias, W.shape[1])) for W in probe.W]
    at_once = max(1, _PIECE_NUMBERS // probe.n_parameters)
    for start in range(0, len(X), at_once):
        rows = slice(start, start + at_once)
        passed = probe.trace_of(X[rows], R[rows], probe.drawn(start) if training else None)
        for part, (z, delta) in zip(sums, of(probe, passed), strict=True):
            if probe.bias:
                z = np.hstack([z, np.ones((len(z), 1))])
            part += (z * w[rows, None]).T @ delta
    return np.asarray(np.concatenate([part.ravel() for part in sums]) / w.sum())


def _deltas(_: Model, passed: RawTrace) -> list[tuple[Array, Array]]:
    return list(zip([passed.x, *passed.z[:-1]], passed.delta, strict=True))


def _sizes_of_deltas(probe: Model, passed: RawTrace) -> list[tuple[Array, Array]]:
    """Return |z| and D of each layer: by how many eps its δ may be wrong."""
    functions = probe.definition.functions
    sizes: list[Array] = []
    above: Array | None = None
    for l in reversed(range(len(functions))):
        own, h = np.abs(passed.delta[l]), functions[l]
        if above is None and probe.definition.loss_entry.canonical == h.name:
            above = own  # δ is y − r, and no product with h′
        elif h.output_only:
            above = np.maximum(own, _sizes_through(probe, passed.z[l], passed.r))
        else:
            slope = np.abs(passed.dh[l])
            largest = largest_slope(str(h))
            own = np.where(slope > 0, own * np.maximum(1, largest / slope), own)
            reached = 0.0 if above is None else np.square(above) @ np.square(probe.W[l + 1]).T
            above = np.sqrt(np.square(own) + np.square(slope) * reached)
        sizes.insert(0, above)
    return list(zip(map(np.abs, [passed.x, *passed.z[:-1]]), sizes, strict=True))


def _sizes_through(probe: Model, z: Array, R: Array) -> Array:
    """Return Σ_k |∂E/∂y_k ∂y_k/∂a_j| of softmax, whose sum may cancel, for losses of any y; 0 for others."""
    n_out = z.shape[1]
    try:
        loss = Model([n_out, n_out], output="identity", loss=probe.loss)
    except ValueError:
        return np.zeros_like(z)
    loss.W[0] = np.eye(n_out)
    slopes = np.abs(loss.trace_of(np.ascontiguousarray(z), R).delta[0])
    return np.asarray(z * (slopes + (slopes * z).sum(axis=1, keepdims=True)))


def noise_of_E(probe: Model, X: Inputs, R: Array, weights: Array | None, *, training: bool = False) -> float:
    """Return the standard deviation that rounding gives E, from its second differences along steps of 1e-13."""
    theta = probe.theta
    along = np.random.default_rng(1).choice([-1e-13, 1e-13], theta.size) * np.maximum(1, np.abs(theta))
    values = []
    for k in range(_NOISE_STEPS):
        probe.theta = theta + k * along
        values.append(probe.mean_loss(X, R, weights, training=training))
    probe.theta = theta
    with np.errstate(all="ignore"):
        noise = float(np.sqrt(np.square(np.diff(values, 2)).mean() / 6))
    return noise if np.isfinite(noise) else float(np.finfo(float).eps) * abs(values[0])
