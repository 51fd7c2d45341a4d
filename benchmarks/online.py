"""The claim: online descent, a step after every sample, is faster than every peer, and near what the core can do.

Plain SGD, sigmoid units, log loss summed over the outputs, float32; everything on one core and one thread, in
alternation; two threads beside one in processes of their own. First it is shown that each peer makes the same updates:
from the same weights, over the same samples, in the same order. deltaprop is timed through Network.fit with its
history, five epochs a call, as are all; a peer's compiling and its own form of the data are not timed.
"""

from __future__ import annotations

import sys

import measure

measure.one_core()

import peers  # noqa: E402
from side_by_side.comparison import Row, main  # noqa: E402
from side_by_side.task import Task  # noqa: E402

BEST, SKLEARN, TORCH, PEAK = "best peer", "scikit-learn", "PyTorch", "share of peak"
TWO, DOUBLE = "2 threads, of 1", "float64, its rate of float32's"
TARGETS: dict[tuple[int, ...], dict[str, float]] = {
    (2, 4, 1): {BEST: 1.2, SKLEARN: 1000, TORCH: 1000},
    (30, 16, 1): {BEST: 5, SKLEARN: 800, TORCH: 800},
    (784, 30, 10): {BEST: 5, SKLEARN: 120, TORCH: 120, PEAK: 0.5},
    (784, 128, 10): {BEST: 2.4, SKLEARN: 50, TORCH: 50, PEAK: 0.65},
    (784, 512, 10): {BEST: 2.6, PEAK: 0.6, TWO: 1.4, DOUBLE: 0.45},
    (784, 128, 64, 10): {BEST: 2.2, SKLEARN: 40, TORCH: 40},
}

if __name__ == "__main__":
    arguments = measure.arguments(__doc__)
    rows = []
    for layers, targets in TARGETS.items():
        task = Task(layers)
        rows.append(Row(f"{task.shape}, online", task, targets))
    found = peers.load("numpy_loop", "scikit_learn", "pytorch", "jax_scan", "fann")
    sys.exit(main("online", "Online descent, float32, one core", rows, (arguments, *found)))
