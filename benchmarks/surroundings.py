"""What dropout, noise, clipping, max-norm and averages cost beside a plain step: epochs of 784-128-10, one core.

Plain sgd and each of them in alternation, float32, batches of 32, of 128 and of one; of each the least time counts, as
the one that the machine disturbed least.
"""

from __future__ import annotations

import sys
from typing import Any

import measure

measure.one_core()

import numpy as np  # noqa: E402

from deltaprop import Network  # noqa: E402

ROUNDS = 7
WAYS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {  # of the network, and of fit
    "plain sgd": ({}, {}),
    "dropout=0.5": ({"dropout": 0.5}, {}),
    "dropout=[0.2, 0.5]": ({"dropout": [0.2, 0.5]}, {}),
    "input_noise=0.1": ({"input_noise": 0.1}, {}),
    "clip_norm=1": ({}, {"clip_norm": 1.0}),
    "max_norm=3": ({}, {"max_norm": 3.0}),
    "average='ema'": ({}, {"average": "ema"}),
    "rmsprop": ({}, {"optimizer": "rmsprop"}),
    "adam": ({}, {"optimizer": "adam"}),
    "adam, clip_norm=1": ({}, {"optimizer": "adam", "clip_norm": 1.0}),
}


def main() -> int:
    """Print µs a sample and the ratio to a plain step, write results/surroundings.json."""
    random = np.random.default_rng(0)
    results: dict[str, Any] = {}
    for batch_size, n in ((32, 6400), (128, 6400), (1, 1000)):
        X, k = random.normal(size=(n, 784)).astype("float32"), random.integers(0, 10, n)
        nets = {
            name: Network(
                [784, 128, 10], h="relu", output="softmax", loss="cross_entropy", dtype="float32", **of_network
            )
            for name, (of_network, _) in WAYS.items()
        }
        least = dict.fromkeys(WAYS, np.inf)
        for _ in range(ROUNDS):
            for name, net in nets.items():
                seconds = net.fit(X, k, epochs=2, eta=1e-3, batch_size=batch_size, **WAYS[name][1]).seconds
                least[name] = min(least[name], *seconds)
        plain = least["plain sgd"]
        for name, seconds in least.items():
            print(f"batches of {batch_size:<4} {name:<20} {1e6 * seconds / n:8.2f} µs  × {seconds / plain:.2f}")
        results[str(batch_size)] = {name: 1e6 * seconds / n for name, seconds in least.items()}
    measure.report("surroundings", {"rows": results})
    return 0


if __name__ == "__main__":
    sys.exit(main())
