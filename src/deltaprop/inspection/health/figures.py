"""The figures of each layer, from the engine's own trace of the samples."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from deltaprop.arrays import Array
from deltaprop.definition import Definition
from deltaprop.functions import Activation
from deltaprop.inspection.health.sample import Sample, inputs_of_a_trace
from deltaprop.model import Model
from deltaprop.raw_trace import RawTrace

FLAT = 1e-2  # of the largest |h′|: there δ loses a factor of 100, at |a| = 6 of sigmoid and 3 of tanh
NO_SLOPE = 1e-6  # of the largest |h′|: a millionth of δ passes, which float32 loses beside any other
_PIECE_NUMBERS = 2**17  # of a trace at a time, so that they stay in a cache
# Between which a sum of squares lacks nothing that counts.
_IN_RANGE = {info.dtype: (float(info.tiny / info.eps), float(info.max * info.eps)) for info in map(np.finfo, "fd")}


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
    return math.sqrt(mean_square(values))


def mean_square(values: Array) -> float:
    """Return mean(v²); infinity where a value is no finite number."""
    low, high = _IN_RANGE[values.dtype]
    with np.errstate(all="ignore"):
        total = float(_squares(values).sum())
        if not low < total < high:
            total = float(np.square(values, dtype=np.float64).sum())
    return total / values.size if math.isfinite(total) else math.inf


def _squares(values: Array) -> Array:
    """Return Σ_j v_j² of each row, in float64; its few terms are added in the row's own dtype."""
    return np.asarray(np.einsum("...j,...j->...", values, values), np.float64)


def _squares_of_any_size(values: Array) -> Array:
    """Return Σ_j v_j² of each row, where float32 may lose some of it or all."""
    sums, (low, high) = _squares(values), _IN_RANGE[values.dtype]
    if low < sums.min() and sums.max() < high:
        return sums
    return np.asarray(np.square(values, dtype=np.float64).sum(axis=-1))


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
    with np.errstate(all="ignore"):
        pieces = list(_traces(model, sample))
    E = np.concatenate([raw.E for raw in pieces])
    z, delta = ([np.concatenate([getattr(raw, name)[l] for raw in pieces]) for l in range(len(model.W))]
                for name in ("z", "delta"))  # fmt: skip
    figures, passes = [], []
    below = sample.x
    for l, h in enumerate(model.definition.functions):
        dead, saturated, shut = np.zeros(model.layers[l + 1], bool), None, 0.0
        if not h.output_only:
            dead, saturated, shut = _standing_still(h, z[l], np.concatenate([raw.dh[l] for raw in pieces]))
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


def _traces(model: Model, sample: Sample) -> Iterator[RawTrace]:
    """Yield the traces of the rows, some at a time.

    A trace writes ∂E/∂w for each sample, most of it of a first layer with many inputs. Nobody reads those: a prediction
    takes the rows through that layer, m rows' a become the W of one with m inputs, of which row k has only the k-th,
    x = (0, …, 1, …, 0). So a, z, h′, δ and E are those of the network.
    """
    x, r, m = sample.x, sample.r, inputs_of_a_trace(model)
    a = model.first_pre_activations(x) if m < model.layers[0] else x
    if m == model.layers[0] or not np.isfinite(a).all():  # 0 times infinity is no number: the network itself tells
        at_once = max(1, _PIECE_NUMBERS // model.n_parameters)
        for start in range(0, len(x), at_once):
            yield model.trace_of(x[start : start + at_once], r[start : start + at_once])
        return
    narrow = Model.of_definition(_with_inputs(model.definition, m))
    for l in range(1, len(model.W)):
        narrow.W[l][...] = model.W[l]
        if model.bias:
            narrow.b[l][...] = model.b[l]
    one_each = np.eye(m, dtype=model.dtype)
    for start in range(0, len(x), m):
        rows = a[start : start + m]
        narrow.W[0][: len(rows)] = rows
        yield narrow.trace_of(one_each[: len(rows)], r[start : start + m])


@lru_cache(maxsize=64)
def _with_inputs(definition: Definition, n_in: int) -> Definition:
    return replace(definition, layers=(n_in, *definition.layers[1:]))


def _rms_of_products(z: Array, delta: Array) -> float:
    """Return the rms of δ_j z_i over i, j and the samples: of ∂E/∂w_ji, by (1)."""
    with np.errstate(over="ignore", invalid="ignore"):
        of_z, of_delta = (_squares_of_any_size(v) / v.shape[1] for v in (z, delta))
        mean = float(of_z @ of_delta) / len(z)
    return math.sqrt(mean) if math.isfinite(mean) else math.inf


def _standing_still(h: Activation, z: Array, dh: Array) -> tuple[Array, float, float]:
    """Return which units of a layer are dead, and the shares of saturated and of shut activations."""
    slope = np.abs(dh)
    steepest = float(slope.max(initial=0.0))
    if not math.isfinite(steepest):
        steepest = float(slope[np.isfinite(slope)].max(initial=0.0))
    largest = max(largest_slope(str(h)), steepest)
    none = slope <= NO_SLOPE * largest
    if not (np.isfinite(h.low) and np.isfinite(h.high)):
        return np.asarray(none.all(axis=0)), 0.0, 0.0
    off = (slope == 0) & (z == 0) & (0.0 in h.reaches)
    shut = 0.0 if h.reaches else float(none.mean())
    return np.asarray(off.all(axis=0)), float(((slope <= FLAT * largest) & ~off).mean()), shut
