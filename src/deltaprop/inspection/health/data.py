"""What is looked for in the samples: inputs and targets that are not scaled, columns that say nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from deltaprop.arrays import Array
from deltaprop.functions import kernels
from deltaprop.inspection.health.findings import Finding, listed

if TYPE_CHECKING:
    from deltaprop.inspection.health.prepared import Prepared

WIDE = 10.0  # sd: a grows with it, and the η that a descent bears falls with its square, here to a hundredth
OFFSET = 10.0  # |mean| in sd: what the column says is a tenth of what it weighs, the rest is a bias in disguise
TINY = 1e-3  # the largest |x|: its weights learn a million times slower than those of a column of about 1
SPARSE = (
    0.95  # the share of zeros in some other column from which one that is always 0 is usual: edges of pictures, words
)


def of_inputs(data: Prepared) -> Iterator[Finding]:
    """Find columns of X far from a mean of 0 and an sd of 1, and such as are constant."""
    if not data.enough:
        return
    sample = data.sample
    x, still = sample.x, sample.standing_still
    usual = (sample.low != sample.high) & _perhaps_unscaled(x, sample.low, sample.high)
    usual[[outlier.column for outlier in data.outlying_inputs]] = False
    bad = np.flatnonzero(usual)[_unscaled(x[:, usual])]
    if len(bad):
        mean, sd = _mean_and_sd(x[:, bad])
        worst = int(np.argmax(np.maximum(sd, np.abs(mean))))
        yield Finding(
            "inputs",
            0,
            f"{len(bad):,} of {x.shape[1]:,} inputs are not scaled ({listed([data.inputs[k] for k in bad])}): "
            f"{data.inputs[bad[worst]]} has mean {mean[worst]:.4g} and sd {sd[worst]:.4g}, where about 0 and 1 are "
            "needed. Subtract each column's mean and divide by its sd, both from the training rows.",
            {"inputs": float(len(bad)), "mean": float(mean[worst]), "sd": float(sd[worst])},
        )
    # Without biases a column of ones is the lecture's way to have them.
    stands = sample.constant_among(still[x[0, still] != 0]) if data.definition.bias else still[:0]
    if len(stands):
        value = float(x[0, stands[0]])
        yield Finding(
            "inputs",
            0,
            f"{len(stands):,} of {x.shape[1]:,} inputs have the same value in all {sample.rows:,} rows "
            f"({listed([data.inputs[k] for k in stands])}; {data.inputs[stands[0]]} is {value:.4g}): they say "
            "nothing, and act as biases. Leave them out.",
            {"inputs": float(len(stands)), "value": value},
        )


def of_unchanging_columns(data: Prepared) -> Iterator[Finding]:
    """Find inputs that are 0 in every row, so that ∂E/∂w = δ z of their weights is 0 for ever."""
    sample = data.sample
    x, still = sample.x, sample.standing_still
    zeros = still[x[0, still] == 0]
    if not data.enough or not len(zeros) or _sparsest(x, zeros) > SPARSE:
        return
    always = sample.constant_among(zeros)
    if len(always) < len(zeros) or not len(always):  # the others are rare
        return
    weights = len(zeros) * data.definition.layers[1]
    yield Finding(
        "unchanging parameters",
        1,
        f"{len(zeros):,} of {x.shape[1]:,} inputs are 0 in all {sample.rows:,} rows "
        f"({listed([data.inputs[k] for k in zeros])}), so ∂E/∂w = δ z is 0 for their {weights:,} weights, which never "
        "change. Leave these inputs out, or find out why they are empty.",
        {"inputs": float(len(zeros)), "weights": float(weights)},
    )


def of_targets(data: Prepared) -> Iterator[Finding]:
    """Find targets that are all the same or out of reach, and quantities far from a mean of 0 and an sd of 1."""
    definition, sample, r = data.definition, data.sample, data.sample.r
    layer = len(definition.functions)
    if data.enough and sample.one_target and sample.of.have_one_target():
        value = ", ".join(f"{number:.3g}" for number in r[0][:3]) + (", …" if r.shape[1] > 3 else "")
        yield Finding(
            "targets",
            layer,
            f"all {sample.rows:,} targets are the same, r = {value}: there is nothing to learn from the inputs, "
            "and a constant does as well. Look whether R is the right column, and how its rows were chosen.",
            {"rows": float(sample.rows)},
        )
        return
    output = definition.functions[-1]
    output = kernels.declared(output) or output
    if definition.loss_entry.targets == "class" and (output.low > -1 or output.high < 1):
        yield Finding(
            "targets",
            layer,
            f"loss {definition.loss_entry} asks for y of −1 or less where r is 0 and 1 or more where it is 1, and "
            f"output {output} goes from {output.low:g} to {output.high:g}: E of one class cannot fall below 1. Use "
            "output='identity' or 'tanh'; for probabilities loss='log' with output='sigmoid'.",
            {"low": output.low, "high": output.high},
        )
        return
    outside = (r < output.low) | (r > output.high)
    if definition.loss_entry.targets == "real" and not definition.loss_entry.several and outside.any():
        low, high = float(r.min()), float(r.max())
        yield Finding(
            "targets",
            layer,
            f"{outside.mean():.0%} of the targets lie where y cannot: they go from {low:.4g} to {high:.4g}, output "
            f"{output} from {output.low:g} to {output.high:g}. Scale the targets, or use output='identity'.",
            {"share": float(outside.mean()), "low": low, "high": high},
        )
        return
    # An exponential takes a scale of its own; a range with two ends leaves no room for one.
    if definition.loss_entry.targets != "real" or np.isfinite(output.high) or output.name == "exp" or not data.enough:
        return
    usual = np.setdiff1d(np.arange(r.shape[1]), [outlier.column for outlier in data.outlying_targets])
    bad = usual[_unscaled(r[:, usual])]
    if len(bad):
        mean, sd = _mean_and_sd(r[:, bad])
        worst = int(np.argmax(np.maximum(sd, np.abs(mean))))
        yield Finding(
            "targets",
            layer,
            f"{listed([data.outputs[k] for k in bad])}: the targets are not scaled; those of "
            f"{data.outputs[bad[worst]]} have mean {mean[worst]:.4g} and sd {sd[worst]:.4g}, where about 0 and 1 are "
            "needed. Subtract the mean and divide by the sd before training, and undo it after predicting.",
            {"mean": float(mean[worst]), "sd": float(sd[worst])},
        )


def _sparsest(x: Array, zeros: Array) -> float:
    """Return the largest share of zeros that a column has in the rows looked at, but for those that are always 0."""
    shares = np.full(len(x), 1 / len(x), x.dtype) @ (x == 0).astype(x.dtype)
    shares[zeros] = 0
    return float(shares.max(initial=0))


def _mean_and_sd(columns: Array) -> tuple[Array, Array]:
    """Return the mean and the sd of each column, in float64."""
    values = columns.astype(np.float64)
    each = np.full(len(values), 1 / len(values))
    with np.errstate(over="ignore", invalid="ignore"):
        mean = each @ values
        values -= mean
        return mean, np.sqrt(each @ np.square(values, out=values))


def _perhaps_unscaled(x: Array, low: Array, high: Array) -> Array:
    """Return which columns may be so: by figures of the columns' own dtype, with room for its rounding."""
    each = np.full(len(x), 1 / len(x), x.dtype)
    with np.errstate(all="ignore"):
        mean, of_squares = each @ x, np.einsum("ij,ij->j", x, x) / len(x)
        lost = 1e-4 * of_squares
        variance = of_squares - np.square(mean)
        within = (variance + lost <= WIDE**2) & (np.square(mean) <= OFFSET**2 * (variance - lost))
    return np.asarray(~(within & (np.maximum(high, -low) >= TINY)))


def _unscaled(columns: Array) -> Array:
    """Return which columns are too wide, too far from 0 for their width, or tiny; two values alone are a yes and no."""
    mean, sd = _mean_and_sd(columns)
    low, high = columns.min(axis=0, initial=np.inf), columns.max(axis=0, initial=-np.inf)
    largest = np.maximum(high, -low)
    offset = (np.abs(mean) > OFFSET * sd) & (sd > 0)
    offset[offset] = ~((columns[:, offset] == low[offset]) | (columns[:, offset] == high[offset])).all(axis=0)
    return np.asarray((sd > WIDE) | offset | ((largest < TINY) & (largest > 0)))
