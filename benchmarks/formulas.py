"""The claim: a formula trains at the speed of the engine's own kernels, with no Python inside an epoch.

Each h is trained twice in alternation: by its kernel, and from its formula. A formula that is a declared activation
goes by that one's kernel, as the last row shows; in the others that is switched off, so that they run the formula's
program. float32, one core; epochs through Network.fit.
"""

from __future__ import annotations

import statistics
import sys
from functools import partial
from itertools import pairwise

import measure

measure.one_core()

import numpy as np  # noqa: E402

from deltaprop import Network  # noqa: E402
from deltaprop.functions import ACTIVATIONS, kernels  # noqa: E402

# Layers, output, loss, batch, and how many times as long an epoch may take.
ROWS = [
    ((784, 128, 10), "softmax", "cross_entropy", 32, 1.05),
    ((784, 128, 10), "softmax", "cross_entropy", 1, 1.05),
    ((30, 16, 1), "sigmoid", "log", 16, 1.3),
    ((2, 4, 1), "sigmoid", "log", 1, 1.3),
]
PROGRAMS, RECOGNISED = ["sigmoid", "relu", "tanh", "silu"], ["gelu"]


def pair(layers: tuple[int, ...], output: str, loss: str, h: str) -> dict[str, Network]:
    """The network with its kernel, and with the same formula."""
    known = kernels.declared
    try:
        if h in PROGRAMS:
            kernels.declared = lambda h: None  # type: ignore[assignment]
        formula = Network(layers, h=ACTIVATIONS[h].formula, output=output, loss=loss, dtype="float32")
        formula._learning_plan  # noqa: B018  (made now, not in the first epoch)
    finally:
        kernels.declared = known
    kernel = Network(layers, h=h, output=output, loss=loss, dtype="float32")
    formula.theta = kernel.theta
    return {"kernel": kernel, "formula": formula}


def row(layers: tuple[int, ...], output: str, loss: str, batch: int, h: str, quick: bool) -> tuple[float, float, float]:
    """µs a sample by the kernel and from the formula, and the median of the ratios."""
    multiply_adds = sum(a * b for a, b in pairwise(layers))
    n = max(64, int((1e6 if quick else 3e8) / multiply_adds)) // 64 * 64
    n = min(n, 200_000)
    random = np.random.default_rng(0)
    X = random.normal(size=(n, layers[0])).astype("float32")
    R = (
        np.eye(10, dtype="float32")[random.integers(10, size=n)]
        if layers[-1] == 10
        else random.integers(2, size=(n, 1))
    )
    nets = pair(layers, output, loss, h)
    runs = {
        name: partial(measure.timed, partial(net.fit, X, R, epochs=1, eta=1e-3, batch_size=batch))
        for name, net in nets.items()
    }
    for run in runs.values():
        run()
    taken = measure.alternate(runs, 1 if quick else 15)
    ratios = [b / a for a, b in zip(taken["kernel"], taken["formula"], strict=True)]
    micro = [1e6 * statistics.median(taken[name]) / n for name in nets]
    return micro[0], micro[1], statistics.median(ratios)


def main() -> int:
    """Print the table, write the results; the exit status."""
    arguments = measure.arguments(__doc__)
    results, claims = [], []
    for layers, output, loss, batch, most in ROWS:
        name = f"{'-'.join(map(str, layers))}, batches of {batch}"
        if arguments.only not in name:
            continue
        print(f"\n{name}: µs a sample by the kernel, by the formula, times as long")
        for h in PROGRAMS + RECOGNISED:
            kernel, formula, ratio = row(layers, output, loss, batch, h, arguments.quick)
            met = ratio <= most
            times = f"{kernel:10.4g} {formula:10.4g} {ratio:8.2f}"
            print(f"    {h:<10} {times}   at most {most:g} {'met' if met else 'NOT MET'}")
            results.append({"row": name, "h": h, "kernel": kernel, "formula": formula, "ratio": ratio})
            claims.append({"what": f"{name}, {h}", "target": most, "measured": ratio, "met": met})
    measure.report("formulas", {"rows": results, "claims": claims})
    return measure.missed(claims)


if __name__ == "__main__":
    sys.exit(main())
