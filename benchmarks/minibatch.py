"""The claim: descent in mini-batches is faster than every peer, with SGD and with Adam, and near what the core can do.

ReLU hidden units, softmax or sigmoid outputs, float32; everything on one core and one thread, in alternation; two
threads beside one in processes of their own. First it is shown that each peer makes the same updates. deltaprop is
timed through Network.fit with its history, five epochs a call, as are all; a peer's compiling and its own form of the
data are not timed.
"""

from __future__ import annotations

import sys

import measure

measure.one_core()

import peers  # noqa: E402
from side_by_side.comparison import Row, main  # noqa: E402
from side_by_side.task import Task  # noqa: E402

BEST, PEAK, TWO, DOUBLE = "best peer", "share of peak", "2 threads, of 1", "float64, its rate of float32's"
# Layers and batch: SGD beside the best peer, Adam beside it, share of peak, two threads of one, float64 of float32.
TARGETS: dict[tuple[tuple[int, ...], int], tuple[float, float, float | None, float, float | None]] = {
    ((784, 128, 10), 32): (1.45, 1.2, 0.77, 1.25, None),
    ((784, 128, 10), 128): (1.5, 1.35, 0.80, 1.45, 0.45),
    ((784, 512, 512, 10), 128): (1.25, 1.2, 0.80, 1.8, 0.45),
    ((100, 64, 64, 1), 64): (1.3, 1.15, 0.68, 1.15, None),
    ((30, 16, 1), 16): (2, 1.7, None, 1.0, None),
}


def rows() -> list[Row]:
    """Each network with SGD and with Adam."""
    found = []
    for (layers, batch_size), (sgd, adam, share, two, double) in TARGETS.items():
        output, loss = ("sigmoid", "log") if layers[-1] == 1 else ("softmax", "cross_entropy")
        for rule, eta in (("sgd", 0.1), ("adam", 0.001)):
            task = Task(layers, "relu", output, loss, batch_size, rule, eta)
            targets: dict[str, float | None] = {BEST: sgd, PEAK: share, TWO: two, DOUBLE: double}
            if rule == "adam":
                targets = {BEST: adam}
            claims = {what: target for what, target in targets.items() if target is not None}
            found.append(Row(f"{task.shape}, batches of {batch_size}, {rule}", task, claims))
    return found


if __name__ == "__main__":
    arguments = measure.arguments(__doc__)
    found = peers.load("numpy_loop", "scikit_learn", "pytorch", "jax_scan")
    sys.exit(main("minibatch", "Mini-batches, float32, one core", rows(), (arguments, *found)))
