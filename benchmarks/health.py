"""The claim: health costs at most 2 % of the time, as a look after an epoch, and as HealthCheck in a training.

It looks at a sample of the rows, so its cost hardly depends on how many there are, and that of an epoch does: the share
is that of the data that stands beside it. One core; epochs and looks in alternation; with η a few steps are looked at,
too, on a copy of the network. Small networks go through an epoch in the time of some looks: HealthCheck looks at them
so seldom that its looks stay below 2 % of the whole, which is measured apart, over a training of some seconds.
"""

from __future__ import annotations

import statistics
import sys
import time
from functools import partial
from typing import Any

import measure

measure.one_core()

import numpy as np  # noqa: E402

from deltaprop import HealthCheck, Network  # noqa: E402
from deltaprop.inspection.health import health  # noqa: E402
from deltaprop.inspection.health.prepared import Prepared  # noqa: E402

LOOKS = 50.0  # at least, in the time of an epoch
# Layers, batch; on MNIST's 60,000 images, or on as many rows of noise.
ROWS = [
    ([784, 128, 10], 32),
    ([784, 128, 10], 1),
    ([784, 30, 10], 1),
    ([784, 128, 64, 10], 32),
    ([784, 512, 10], 32),
    ([30, 32, 16, 1], 1),
]


class Watched(HealthCheck):
    """A HealthCheck whose time is taken."""

    def __init__(self, X: Any, R: Any) -> None:
        super().__init__(X, R, verbose=False)
        self.spent = 0.0

    def on_epoch(self, now: Any) -> bool:
        """Look, if it is time, and note how long it took."""
        began = time.perf_counter()
        stop = super().on_epoch(now)
        self.spent += time.perf_counter() - began
        return stop


def main() -> int:
    """Print a line for each, write results/health.json; exit 1 where a share is larger."""
    arguments = measure.arguments(__doc__)
    folder = measure.data_folder()
    if folder is None:
        return 0
    digits = np.load(folder / "mnist.npz")
    images, labels = digits["x_train"].reshape(-1, 784).astype(np.float32) / 255, digits["y_train"]
    noise = np.random.default_rng(0).normal(size=(len(images), 30)).astype(np.float32)
    results, claims = {}, []
    for layers, batch in ROWS:
        name = f"{'-'.join(map(str, layers))}, {'online' if batch == 1 else f'batches of {batch}'}"
        if arguments.only not in name:
            continue
        X = images if layers[0] == 784 else noise
        R = np.eye(10, dtype=np.float32)[labels] if layers[-1] == 10 else (labels > 4).astype(np.float32)
        if arguments.quick:
            X, R = X[:2000], R[:2000]
        output, loss = ("sigmoid", "log") if batch == 1 or layers[-1] == 1 else ("softmax", "cross_entropy")
        net = Network(layers, h="relu", output=output, loss=loss, dtype="float32")
        eta = 0.01
        runs = {
            "epoch": partial(measure.timed, partial(net.fit, X, R, epochs=1, eta=eta, batch_size=batch)),
            "health": partial(measure.timed, partial(net.health, X, R)),
            "prepared, as HealthCheck's": partial(measure.timed, partial(health, net, Prepared(net, X, R), None)),
            "health with eta": partial(measure.timed, partial(net.health, X, R, eta=eta, batch_size=batch)),
        }
        for run in runs.values():
            run()
        taken = {k: statistics.median(v) for k, v in measure.alternate(runs, 1 if arguments.quick else 9).items()}
        shares = {k: taken[k] / taken["epoch"] for k in list(runs)[1:]}
        print(f"{name}: an epoch {taken['epoch']:.3f} s; " + ", ".join(f"{k} {v:.2%}" for k, v in shares.items()))
        results[name] = taken
        watched = Watched(X, R)
        epochs = 2 if arguments.quick else max(20, round(2 / taken["epoch"]))
        whole = measure.timed(partial(net.fit, X, R, epochs=epochs, eta=eta, batch_size=batch, callbacks=[watched]))
        print(
            f"    HealthCheck in {epochs} epochs: {len(watched.reports)} looks, {watched.spent / whole:.2%} of the time"
        )
        results[name]["HealthCheck's share"] = watched.spent / whole
        look, all_looks = f"{name}: looks in an epoch", f"{name}: a training in units of HealthCheck's part of it"
        measured = {look: 1 / shares["prepared, as HealthCheck's"], all_looks: whole / watched.spent}
        claims += measure.judge({look: LOOKS, all_looks: LOOKS}, measured)
    measure.report("health", {"seconds": results, "claims": claims})
    return measure.missed(claims)


if __name__ == "__main__":
    sys.exit(main())
