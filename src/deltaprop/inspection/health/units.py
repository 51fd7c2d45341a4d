"""What is looked for in the units: such as are alike, dead or saturated."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from deltaprop.arrays import Array
from deltaprop.inspection.health.case import LEARNED, Case
from deltaprop.inspection.health.figures import rms
from deltaprop.inspection.health.findings import Finding, listed

DEAD = 0.4  # of a layer's units, and one more: deep layers of relu start with up to 38 % of theirs dead, and learn
SATURATED = 0.5  # of a layer's activations, while E is not small: δ passes less than half of them
SHUT = 0.9  # of a layer's activations pass no δ at all: it stands still whatever E is; long training makes up to 85 %
SHUT_LEARNED = 0.7  # of E of the best constant is gone where long training has shut most of a layer; LEARNED holds else
COLLAPSED = 1e-6  # rms of a layer's w: what comes in is gone; weights start a million times as large
STUCK = 1e-3  # of y − r is left of δ at an output whose h′ has vanished where it is wrong
_MARKED = 256  # weights of a unit, evenly spaced, by which those that may be alike are found
ALIKE = 1e-6  # of a unit's largest weight: what rounding of float32 makes of units that started alike


@dataclass(frozen=True)
class Parts:
    """Of what a layer's a are made: the rms of its b and of Σ w z."""

    b: float
    Wz: float

    @property
    def words(self) -> str:
        """Both in words."""
        return f"a is made of b with an rms of {self.b:.3g} and Σ w z with one of {self.Wz:.3g}"


def parts_of_a(case: Case, layer: int) -> Parts:
    """Return of what the a of a layer are made."""
    W, b = case.model.W[layer - 1], case.model.b[layer - 1]
    with np.errstate(all="ignore"):
        return Parts(0.0 if b is None else rms(b), rms(case.below(layer) @ W))


def of_identical_units(case: Case) -> Iterator[Finding]:
    """Find units of a hidden layer with the same weights below and above: no gradient tells them apart."""
    model = case.model
    for layer in range(1, len(model.W)):
        groups = _groups_alike(model.W[layer - 1], model.b[layer - 1], model.W[layer])
        if not groups:
            continue
        units = sum(map(len, groups))
        total = model.layers[layer]
        largest = [f"{j + 1}" for j in max(groups, key=len)]
        who = f"all {total:,} units" if len(largest) == total else f"{units:,} of {total:,} units"
        way = "Start over with reset" if model.init is None else f"Use another init than {model.init!r} and reset"
        yield Finding(
            "identical units",
            layer,
            f"{who} are alike (units {listed(largest)}): they have the same weights below and above, so their z and "
            f"their δ are the same, gradient descent keeps them so, and they do what one unit would. {way}, or assign "
            "weights that differ.",
            {"units": float(units), "groups": float(len(groups))},
        )


def _groups_alike(W: Array, b: Array | None, above: Array) -> list[list[int]]:
    """Return the groups of two units or more with the same weights below and above, up to rounding.

    Units are ordered by one number each, a fixed random combination of some of their weights, and only neighbours
    compared.
    """
    below, above = (W,) if b is None else (W, b[None]), above.T
    with np.errstate(all="ignore"):
        mark = sum(map(_marks, (*below, above)), np.zeros(W.shape[1]))
        order = np.argsort(mark, kind="stable")
        near = np.flatnonzero(np.diff(mark[order]) <= ALIKE * min(len(W) + len(above), _MARKED))
        pairs = zip(order[near].tolist(), order[near + 1].tolist(), strict=True)
        alike = [(j, k) for j, k in pairs if _alike(below, j, k) and _alike((above,), j, k)]
    groups: list[list[int]] = []
    for j, k in alike:
        if groups and groups[-1][-1] == j:
            groups[-1].append(k)
        else:
            groups.append([j, k])
    return [sorted(group) for group in groups]


def _marks(weights: Array) -> Array:
    """Return a number for each unit, a column of weights: the same for units that are alike."""
    some = weights[:: -(-len(weights) // _MARKED)].astype(np.float64)
    return np.asarray(_draws(len(some)) @ some / (rms(some) or 1.0))


@lru_cache(maxsize=16)
def _draws(n: int) -> Array:
    return np.random.default_rng(n).normal(size=n)


def _alike(parts: Sequence[Array], j: int, k: int) -> bool:
    """Whether columns j and k of some arrays are the same, but for rounding of the largest in them."""
    one, other = (np.concatenate([part[:, unit] for part in parts]) for unit in (j, k))
    return bool(np.abs(one - other).max() <= ALIKE * np.abs(one).max())


def of_dead_units(case: Case) -> Iterator[Finding]:
    """Find layers where many units pass no δ for any sample, though E is not small."""
    if not case.enough or case.learned:
        return
    for figures, passes in zip(case.layers, case.passes, strict=True):
        dead = int(passes.dead.sum())
        if dead < min(figures.units, DEAD * figures.units + 1):
            continue
        b = case.model.b[figures.layer - 1]
        bias = "" if b is None else f" Their mean bias is {float(b[passes.dead].mean()):.3g}."
        yield Finding(
            "dead units",
            figures.layer,
            f"{dead:,} of {figures.units:,} units of {figures.h} are dead: h′ is 0 for {case.samples}, so no δ passes "
            f"and their weights never change.{bias} Start over (reset) with a smaller eta and scaled inputs, or use "
            "an h that has a slope everywhere, such as leaky_relu or gelu.",
            {"dead": float(dead), "units": float(figures.units), "share": dead / figures.units},
        )


def of_collapsed_weights(case: Case) -> Iterator[Finding]:
    """Find layers whose weights have all become about 0, so that nothing passes them either way."""
    layers = [figures for figures in case.layers if figures.W <= COLLAPSED]
    if not case.trained or not layers or len(case.layers) < 2 or case.learned:
        return
    which = listed([f"{figures.layer}" for figures in layers])
    yield Finding(
        "collapsed weights",
        layers[0].layer,
        f"all weights of layer{'s' if len(layers) > 1 else ''} {which} are about 0 (rms {layers[0].W:.2g}), so y is "
        "the same whatever comes in, and no δ passes to the layers below. Start over (reset, another seed) with a "
        "smaller eta.",
        {"rms W": layers[0].W},
    )


def of_saturated_units(case: Case) -> Iterator[Finding]:
    """Find layers most of whose activations stand at an end of h, where δ hardly passes, though E is not small.

    At the output it is a finding where y is wrong and the loss does not make up for h′: δ is a thousandth of y − r or
    less.
    """
    if not case.enough:
        return
    for figures, passes in zip(case.layers, case.passes, strict=True):
        share = figures.saturated or 0.0
        is_output = figures.layer == len(case.layers)
        serves = case.below_chance(SHUT_LEARNED if passes.shut > SATURATED else LEARNED)
        if share <= SATURATED or (serves and (is_output or passes.shut <= SHUT)):
            continue
        if is_output and not (case.chance < case.E and figures.delta <= STUCK * rms(passes.z - case.sample.r)):
            continue
        below, parts = case.below(figures.layer), parts_of_a(case, figures.layer)
        advice = "Start over (reset) with smaller weights or a smaller eta, and scale the inputs."
        if parts.b > parts.Wz:
            advice = "It is the biases that hold the units there: set them to 0, or start over (reset)."
        yield Finding(
            "saturated units",
            figures.layer,
            f"{share:.0%} of the activations of {figures.h} are saturated for {case.samples}: |h′| is below a "
            f"hundredth of its largest, so δ hardly passes. The weights have an rms of {figures.W:.3g}, what comes in "
            f"one of {rms(below):.3g}, and {parts.words}. {advice}",
            {"share": share, "rms W": figures.W, "rms z below": rms(below), "rms b": parts.b, "rms Σ w z": parts.Wz},
        )
