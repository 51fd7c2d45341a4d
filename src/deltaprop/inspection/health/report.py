"""Health: why a network does not learn, in words with the figures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike

from deltaprop.descent.optimizers import Optimizer
from deltaprop.descent.schedules import Eta
from deltaprop.foreign_words import answers_foreign_words
from deltaprop.inspection.health.case import BARELY, FAINT, SETTLED, Case, below_chance, is_trained
from deltaprop.inspection.health.chance import compared, compared_further
from deltaprop.inspection.health.figures import LayerHealth, passes_of
from deltaprop.inspection.health.findings import Finding
from deltaprop.inspection.health.flow import (
    of_chance,
    of_delta,
    of_large_eta,
    of_memory,
    of_numbers,
    of_small_eta,
    of_start,
)
from deltaprop.inspection.health.prepared import Prepared
from deltaprop.inspection.health.sample import FEWEST_ROWS
from deltaprop.inspection.health.steps import Steps, steps_of
from deltaprop.inspection.health.units import (
    of_collapsed_weights,
    of_dead_units,
    of_identical_units,
    of_saturated_units,
)
from deltaprop.model import Model
from deltaprop.targets import ClassWeight

_FLOW = (of_collapsed_weights, of_dead_units, of_saturated_units, of_delta)


@dataclass(frozen=True)
class HealthReport:
    """What was found in a network, and the figures it was found by; prints as a table and words.

    Attributes
    ----------
    ok : bool
        True where there are no findings.
    findings : tuple of Finding
        Causes before what follows from them.
    layers : tuple of LayerHealth
        The figures of each layer, the output last.
    E, chance : float
        E of the samples, and that of the prediction, the same for all of them, which suits them best.
    samples, compared, rows : int
        How many samples were looked at, of how many E is the mean, and out of how many they are.
    trained : bool
        Whether a step has been made since the start; before that E is not held against the network.
    steps : Steps or None
        The steps that were tried on a copy, where an eta was given.
    """

    findings: tuple[Finding, ...]
    layers: tuple[LayerHealth, ...]
    E: float
    chance: float
    samples: int
    compared: int
    rows: int
    trained: bool
    steps: Steps | None = None

    @property
    def ok(self) -> bool:
        """Whether nothing was found."""
        return not self.findings

    def __str__(self) -> str:
        header = ["layer", "h", "units", "dead", "saturated", "rms δ", "rms ∂E/∂w", "rms w"]
        header += ["‖Δw‖/‖w‖"] if self.steps else []
        table = [header]
        for layer in self.layers:
            shares = ["–" if share is None else f"{share:.0%}" for share in (layer.dead, layer.saturated)]
            sizes = [f"{size:.3g}" for size in (layer.delta, layer.dW, layer.W)]
            if self.steps:
                sizes.append("–" if layer.update is None else f"{layer.update:.2g}")
            table.append([str(layer.layer), layer.h, f"{layer.units:,}", *shares, *sizes])
        widths = [max(map(len, column)) for column in zip(*table, strict=True)]
        lines = [
            "  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip() for row in table
        ]
        of_all = "" if self.compared == self.rows else f" of {self.rows:,}"
        looked = f"{self.compared:,}{of_all} samples"
        lines.append(
            f"E is {self.E:.4g} over {looked}{'' if self.trained else ', not trained yet'}; that of the constant "
            f"prediction which suits them best is {self.chance:.4g}."
        )
        if self.samples < FEWEST_ROWS:
            lines.append(f"Too few samples for words about units and columns: pass {FEWEST_ROWS} or more.")
        lines += [str(finding) for finding in self.findings]
        if self.ok and self.samples >= FEWEST_ROWS:
            lines.append("All is well: nothing was found that keeps this network from learning.")
        return "\n".join(lines)

    __repr__ = __str__


def _found_in(case: Case) -> list[Finding]:
    # Causes before what follows from them; nothing more is said of what flows where numbers overflow.
    found = [*case.data.findings, *of_identical_units(case)]
    overflows = list(of_numbers(case))
    if overflows:
        return found + overflows
    found += [finding for symptom in _FLOW for finding in symptom(case)]
    if not found:  # else there is another reason for a bad start
        found += of_start(case)
    if case.trained or not case.far_off:  # else it is the weights that are wrong
        found += of_large_eta(case)
    if not found:  # else the weights may stand still for another reason than eta
        found += of_small_eta(case)
    found += of_chance(case)
    return found or list(of_memory(case))


@answers_foreign_words
def health(
    model: Model,
    X: ArrayLike | Prepared,
    R: ArrayLike | None,
    sample_weight: ArrayLike | None = None,
    *,
    class_weight: ClassWeight | None = None,
    eta: Eta | None = None,
    optimizer: str | Optimizer | None = None,
    batch_size: int = 1,
    inputs: Sequence[str] | None = None,
    outputs: Sequence[str] | None = None,
) -> HealthReport:
    """Look for what keeps the network from learning, and say it in words, with the figures and what to do.

    Looked for: inputs and targets that are not scaled, outliers, targets that are all the same or out of reach, numbers
    that are not finite, units that are alike, dead or saturated, weights that have collapsed, δ that vanishes or
    explodes from layer to layer, parameters that never change, an E far above that of the best constant prediction, and
    after training one no better than that, or no better than learning by heart makes it of targets that have nothing to
    do with the inputs; where an eta is given, steps too large or too small.

    At most 256 rows are looked at, always the same ones. Their trace writes ∂E/∂w for each, so of networks with more
    than some 4,000 weights they are fewer, down to 32; weights of a first layer with many inputs count for a sixteenth.
    That takes some 2 ms, below 1 % of an epoch of 784-128-10 on 60,000 rows. With an eta at most 32 steps with at most
    256 samples in all are made, on a copy, which costs one to three times as much again. The network stays as it is.

    Parameters
    ----------
    X : array-like or SciPy sparse matrix (n, n_in)
        The training rows, as they go into `Network.fit`. A column that stands still in the rows looked at is followed
        through the others; outliers are looked for in all rows of up to a million numbers. Or samples that were
        `Prepared` for such a network, with their targets and weights: what is found in them is then known already.
    R : array-like (n, n_out), or (n,) where n_out = 1
    sample_weight : array-like (n,), optional
    class_weight : "balanced", mapping or sequence, optional
        As they went into `fit`: they say by what E the network was trained, and which prediction is no better.
    eta : float, sequence or function of n, optional
        The learning rate, as in `Network.fit`, for the update-to-weight ratio ‖Δw‖/‖w‖.
    optimizer : str or optimizer, optional
        The rule of a step; by default the one that the network was trained with last.
    batch_size : int, default 1
        Samples per step.
    inputs, outputs : sequence of str, optional
        The names of the columns and of the outputs; x1, x2, … and y1, y2, … by default.

    Returns
    -------
    HealthReport
        ``.ok``, ``.findings`` with ``.kind .layer .message .figures``, ``.layers``; prints as a table and words.

    Raises
    ------
    TypeError, ValueError
        If a shape, a number or a target does not fit, there are no rows, or the step cannot be made.

    Notes
    -----
    Sources: X. Glorot and Y. Bengio, "Understanding the difficulty of training deep feedforward neural networks", 2010
    (saturation, δ by layers); Y. LeCun, L. Bottou, G. Orr, K.-R. Müller, "Efficient BackProp", 1998 (scaling).

    Examples
    --------
    A layer of relu with biases of −9 is off for all inputs from 0 to 1:

    >>> from deltaprop import Network
    >>> net = Network([2, 3, 1], h="relu")
    >>> net.b[0] = [-9, -9, -9]
    >>> report = net.health([[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0])
    >>> [(finding.kind, finding.layer) for finding in report.findings]
    [('dead units', 1)]
    >>> report.layers[0].dead, report.layers[0].delta
    (1.0, 0.0)
    """
    where = f"{type(model).__name__}.health"
    if eta is None and (optimizer is not None or batch_size != 1):
        raise ValueError(f"{where}: optimizer and batch_size are about a step, which needs an eta, too.")
    data = (
        X
        if isinstance(X, Prepared)
        else Prepared(model, X, R, sample_weight, class_weight=class_weight, inputs=inputs, outputs=outputs)
    )
    sample = data.sample
    figures, passes, E = passes_of(model, sample)
    mean, median = (value if np.isfinite(value) else float("inf") for value in (sample.mean(E), float(np.median(E))))
    beside = compared(model, sample, mean)
    doubtful = is_trained(model) and not below_chance(beside, FAINT if model.epoch >= SETTLED else BARELY)
    if not sample.complete and (doubtful or not beside.tells):
        beside = compared_further(model, data.further)
    steps = None if eta is None else steps_of(model, sample, eta, optimizer, batch_size, where)
    if steps is not None:
        figures = [replace(layer, update=ratio) for layer, ratio in zip(figures, steps.ratios, strict=True)]
    case = Case(model, data, tuple(figures), passes, beside, median, steps)
    found = tuple(_found_in(case))
    return HealthReport(found, case.layers, case.E, case.chance, case.n, beside.n, len(data.rows), case.trained, steps)
