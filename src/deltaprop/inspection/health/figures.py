"""The figures of each layer, from the engine's own trace of the samples."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from deltaprop.arrays import Array
from deltaprop.functions import Activation
from deltaprop.inspection.health.sample import Sample, numbers_of_a_trace
from deltaprop.model import Model

FLAT = 1e-2  # of the largest |h′|: there δ loses a factor of 100, at |a| = 6 of sigmoid and 3 of tanh
NO_SLOPE = 1e-6  # of the largest |h′|: a millionth of δ passes, which float32 loses beside any other
_PIECE_NUMBERS = 2**17  # of a trace at a time, so that they stay in a cache


@dataclass(frozen=True)
class LayerHealth:
    """The figures of one layer.

    Attributes
    ----------
    layer : int
        Counted from 1; the last is the output.
    h : str
        Its activation.
    units : int
    dead : float or None
        The share of its units that pass no δ: h′ = 0 (below a millionth of h's largest slope) for every sample. A unit
        of an h with two ends, such as tanh, counts only where z is 0 as well. None for softmax, whose derivative is a
        Jacobian.
    saturated : float or None
        The share of activations, over units and samples, at an end of an h with two ends: |h′| at most a hundredth of
        its largest. Units that are off, z = 0 as of relu6, are not among them. None for softmax.
    delta : float
        The rms of δ_j = ∂E/∂a_j over units and samples.
    dW : float
        The rms of ∂E/∂w_ji, each sample's own, over weights and samples.
    W : float
        The rms of w_ji.
    update : float or None
        ‖Δw‖/‖w‖ of a step, where an eta was given and not all w are 0.
    """

    layer: int
    h: str
    units: int
    dead: float | None
    saturated: float | None
    delta: float
    dW: float
    W: float
    update: float | None = None


@dataclass(frozen=True)
class Passes:
    """What a trace says of one layer beyond its figures.

    ``z`` and ``delta`` are (n, n_out), ``dead`` (n_out,) marks units. ``shut`` is the share of saturated activations
    that pass no δ at all, of an h whose slope only tends to 0.
    """

    z: Array
    delta: Array
    dead: Array
    shut: float


def rms(values: Array) -> float:
    """Return √mean(v²), in float64; infinity where a value is no finite number.

    Examples
    --------
    >>> rms(np.array([1.0, 7.0]))
    5.0
    """
    with np.errstate(over="ignore", invalid="ignore"):
        return _root(float(np.square(values, dtype=np.float64).mean()))


def _root(mean: float) -> float:
    return float(np.sqrt(mean)) if np.isfinite(mean) else float("inf")


@lru_cache(maxsize=256)
def largest_slope(h: str) -> float:
    """Return the largest |h′(a)| that the engine computes for a from −8 to 8.

    Examples
    --------
    >>> largest_slope("sigmoid"), largest_slope("relu")
    (0.25, 1.0)
    """
    probe = Model([1, 1], output=h, loss="squared_error", bias=False)
    probe.W[0] = [[1.0]]
    with np.errstate(all="ignore"):
        slopes = np.abs(probe.trace_of(np.linspace(-8, 8, 257)[:, None], np.zeros((257, 1))).dh[0])
    return float(slopes[np.isfinite(slopes)].max(initial=0.0))


def passes_of(model: Model, sample: Sample) -> tuple[list[LayerHealth], list[Passes], Array]:
    """Return the figures of each layer, what else its trace says, and each sample's E."""
    n = len(sample.x)
    traced, x = _without_first_weights(model, sample.x)
    at_once = max(1, _PIECE_NUMBERS // numbers_of_a_trace(model))
    z, dh, delta = ([np.empty((n, units), model.dtype) for units in model.layers[1:]] for _ in range(3))
    E = np.empty(n)
    with np.errstate(all="ignore"):
        for start in range(0, n, at_once):
            rows = slice(start, start + at_once)
            raw = traced.trace_of(x[rows], sample.r[rows])
            E[rows] = raw.E
            for l, slopes in enumerate(raw.dh):
                z[l][rows], delta[l][rows] = raw.z[l], raw.delta[l]
                if slopes.ndim == 2:
                    dh[l][rows] = slopes
    figures, passes = [], []
    below = sample.x
    for l, h in enumerate(model.definition.functions):
        dead, saturated, shut = np.zeros(model.layers[l + 1], bool), None, 0.0
        if not h.output_only:
            dead, saturated, shut = _standing_still(h, z[l], dh[l])
        passes.append(Passes(z[l], delta[l], dead, shut))
        figures.append(
            LayerHealth(
                layer=l + 1,
                h=str(h),
                units=len(dead),
                dead=None if saturated is None else float(dead.mean()),
                saturated=saturated,
                delta=rms(delta[l]),
                dW=_rms_of_products(below, delta[l]),
                W=rms(model.W[l]),
            )
        )
        below = z[l]
    return figures, passes, E


def _without_first_weights(model: Model, x: Array) -> tuple[Model, Array]:
    """Return a network with the same a, z, h′, δ and E, whose traces are cheap where the first layer is wide.

    A trace writes ∂E/∂w for each sample, most of it of the first layer. That one can be gone through by a prediction:
    the network returned takes a of the first layer for its inputs, with the unit matrix for W.
    """
    n_in, n_1 = model.layers[:2]
    if n_in <= n_1:
        return model, x
    description, dense = model.description(), model.theta
    own = (n_in + model.bias) * n_1
    below = {"layers": [n_in, n_1], "h": [], "output": "identity", "loss": "squared_error"}
    a = Model.from_description({**description, **below}, dense[:own]).predict(x)
    if not np.isfinite(a).all():  # 0 times infinity is no number: the network itself tells where it overflows
        return model, x
    unit = np.concatenate([np.eye(n_1, dtype=model.dtype).ravel(), np.zeros(n_1 if model.bias else 0, model.dtype)])
    theta = np.concatenate([unit, dense[own:]])
    return Model.from_description({**description, "layers": [n_1, *model.layers[1:]]}, theta), a


def _rms_of_products(z: Array, delta: Array) -> float:
    """Return the rms of δ_j z_i over i, j and the samples: of ∂E/∂w_ji, by (1)."""
    with np.errstate(over="ignore", invalid="ignore"):
        of_z = np.square(z, dtype=np.float64).mean(axis=1)
        of_delta = np.square(delta, dtype=np.float64).mean(axis=1)
        return _root(float((of_z * of_delta).mean()))


def _standing_still(h: Activation, z: Array, dh: Array) -> tuple[Array, float, float]:
    """Return which units of a layer are dead, and the shares of saturated and of shut activations."""
    slope = np.abs(dh)
    largest = max(largest_slope(str(h)), float(slope[np.isfinite(slope)].max(initial=0.0)))
    none = slope <= NO_SLOPE * largest
    if not (np.isfinite(h.low) and np.isfinite(h.high)):
        return np.asarray(none.all(axis=0)), 0.0, 0.0
    off = (slope == 0) & (z == 0) & (0.0 in h.reaches)
    shut = 0.0 if h.reaches else float(none.mean())
    return np.asarray(off.all(axis=0)), float(((slope <= FLAT * largest) & ~off).mean()), shut
