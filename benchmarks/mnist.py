"""The claim: the lecture's algorithm reads handwritten digits. Accuracy on MNIST's own test set, seconds per epoch.

784-30-10 and 784-100-10, sigmoid units, log loss summed over the ten outputs, η 0.5, batches of 10, 30 epochs; then
784-30-10 trained online, a step after every sample, with η 0.05 and 10 epochs. One run each, seed 0; float32.
"""

from __future__ import annotations

import statistics
import sys

import numpy as np

import measure
from deltaprop import Network

RUNS = [
    ("784-30-10, batches of 10", 30, 0.5, 10, 30, 0.950),
    ("784-100-10, batches of 10", 100, 0.5, 10, 30, 0.965),
    ("784-30-10, online", 30, 0.05, 1, 10, 0.950),
]


def main() -> int:
    """Train, print, write results/mnist.json; exit 1 where an accuracy is below its claim."""
    folder = measure.data_folder()
    if folder is None:
        return 0
    data = np.load(folder / "mnist.npz")
    X, X_test = (data[f"x_{part}"].reshape(-1, 784).astype(np.float32) / 255 for part in ("train", "test"))
    R = np.eye(10, dtype=np.float32)[data["y_train"]]
    results, below = {}, 0
    for name, hidden, eta, batch_size, epochs, claim in RUNS:
        net = Network([784, hidden, 10], dtype="float32")
        history = net.fit(X, R, epochs=epochs, eta=eta, batch_size=batch_size)
        accuracy = float((net.predict(X_test).argmax(1) == data["y_test"]).mean())
        seconds = statistics.median(history.seconds)
        words = f"test accuracy {accuracy:.4f} (claim {claim}), {seconds:.3f} s an epoch"
        print(f"{name}, eta {eta}, {epochs} epochs: {words}")
        results[name] = {
            "eta": eta,
            "epochs": epochs,
            "accuracy": accuracy,
            "claim": claim,
            "seconds per epoch": seconds,
        }
        below += accuracy < claim
    measure.report("mnist", {"runs": results})
    return 1 if below else 0


if __name__ == "__main__":
    sys.exit(main())
