"""What is looked for in the samples: inputs and targets that are not scaled, columns that say nothing."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from deltaprop.arrays import Array
from deltaprop.functions import kernels
from deltaprop.inspection.health.findings import Case, Finding, listed

WIDE = 10.0  # sd: a grows with it, and the η that a descent bears falls with its square, here to a hundredth
OFFSET = 10.0  # |mean| in sd: what the column says is a tenth of what it weighs, the rest is a bias in disguise
TINY = 1e-3  # the largest |x|: its weights learn a million times slower than those of a column of about 1
SPARSE = (
    0.95  # the share of zeros in some other column from which one that is always 0 is usual: edges of pictures, words
)


def of_inputs(case: Case) -> Iterator[Finding]:
    """Find columns of X far from a mean of 0 and an sd of 1, and such as are constant."""
    if not case.enough:
        return
    x, still = case.sample.x, case.sample.standing_still()
    varying = np.setdiff1d(np.arange(x.shape[1]), [*still, *(outlier.column for outlier in case.outlying_inputs)])
    bad = varying[_unscaled(x[:, varying])]
    if len(bad):
        mean, sd = _mean_and_sd(x[:, bad])
        worst = int(np.argmax(np.maximum(sd, np.abs(mean))))
        yield Finding(
            "inputs",
            0,
            f"{len(bad):,} of {x.shape[1]:,} inputs are not scaled ({listed([case.inputs[k] for k in bad])}): "
            f"{case.inputs[bad[worst]]} has mean {mean[worst]:.4g} and sd {sd[worst]:.4g}, where about 0 and 1 are "
            "needed. Subtract each column's mean and divide by its sd, both from the training rows.",
            {"inputs": float(len(bad)), "mean": float(mean[worst]), "sd": float(sd[worst])},
        )
    # Without biases a column of ones is the lecture's way to have them.
    stands = case.sample.constant_among(still[x[0, still] != 0]) if case.model.bias else still[:0]
    if len(stands):
        value = float(x[0, stands[0]])
        yield Finding(
            "inputs",
            0,
            f"{len(stands):,} of {x.shape[1]:,} inputs have the same value in all {case.sample.rows:,} rows "
            f"({listed([case.inputs[k] for k in stands])}; {case.inputs[stands[0]]} is {value:.4g}): they say "
            "nothing, and act as biases. Leave them out.",
            {"inputs": float(len(stands)), "value": value},
        )


def of_unchanging_columns(case: Case) -> Iterator[Finding]:
    """Find inputs that are 0 in every row, so that ∂E/∂w = δ z of their weights is 0 for ever."""
    x, still = case.sample.x, case.sample.standing_still()
    zeros = still[x[0, still] == 0]
    others = np.setdiff1d(np.arange(x.shape[1]), zeros)
    if not case.enough or not len(zeros) or (x[:, others] == 0).mean(axis=0).max(initial=0.0) > SPARSE:
        return
    always = case.sample.constant_among(zeros)
    if len(always) < len(zeros) or not len(always):  # the others are rare
        return
    weights = len(zeros) * case.model.layers[1]
    yield Finding(
        "unchanging parameters",
        1,
        f"{len(zeros):,} of {x.shape[1]:,} inputs are 0 in all {case.sample.rows:,} rows "
        f"({listed([case.inputs[k] for k in zeros])}), so ∂E/∂w = δ z is 0 for their {weights:,} weights, which never "
        "change. Leave these inputs out, or find out why they are empty.",
        {"inputs": float(len(zeros)), "weights": float(weights)},
    )


def of_targets(case: Case) -> Iterator[Finding]:
    """Find targets that are all the same or out of reach, and quantities far from a mean of 0 and an sd of 1."""
    definition, r = case.model.definition, case.sample.r
    if case.enough and case.sample.one_target and case.sample.of.have_one_target():
        value = ", ".join(f"{number:.3g}" for number in r[0][:3]) + (", …" if r.shape[1] > 3 else "")
        yield Finding(
            "targets",
            len(case.layers),
            f"all {case.sample.rows:,} targets are the same, r = {value}: there is nothing to learn from the inputs, "
            "and a constant does as well. Look whether R is the right column, and how its rows were chosen.",
            {"rows": float(case.sample.rows)},
        )
        return
    output = definition.functions[-1]
    output = kernels.declared(output) or output
    layer = len(case.layers)
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
    if definition.loss_entry.targets != "real" or np.isfinite(output.high) or output.name == "exp" or not case.enough:
        return
    usual = np.setdiff1d(np.arange(r.shape[1]), [outlier.column for outlier in case.outlying_targets])
    bad = usual[_unscaled(r[:, usual])]
    if len(bad):
        mean, sd = _mean_and_sd(r[:, bad])
        worst = int(np.argmax(np.maximum(sd, np.abs(mean))))
        yield Finding(
            "targets",
            layer,
            f"{listed([case.outputs[k] for k in bad])}: the targets are not scaled; those of "
            f"{case.outputs[bad[worst]]} have mean {mean[worst]:.4g} and sd {sd[worst]:.4g}, where about 0 and 1 are "
            "needed. Subtract the mean and divide by the sd before training, and undo it after predicting.",
            {"mean": float(mean[worst]), "sd": float(sd[worst])},
        )


def _mean_and_sd(columns: Array) -> tuple[Array, Array]:
    return columns.mean(axis=0, dtype=np.float64), columns.std(axis=0, dtype=np.float64)


def _unscaled(columns: Array) -> Array:
    """Return which columns are too wide, too far from 0 for their width, or tiny; two values alone are a yes and no."""
    mean, sd = _mean_and_sd(columns)
    largest = np.abs(columns).max(axis=0, initial=0.0)
    low, high = columns.min(axis=0, initial=np.inf), columns.max(axis=0, initial=-np.inf)
    two_values = ((columns == low) | (columns == high)).all(axis=0)
    offset = (np.abs(mean) > OFFSET * sd) & (sd > 0) & ~two_values
    return np.asarray((sd > WIDE) | offset | ((largest < TINY) & (largest > 0)))
