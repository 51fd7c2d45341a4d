"""The claim: a run that is recorded (`Record(every=100, samples=[0, 3])`) takes at most 5 % longer.

One core, float32; the same run with and without, in alternation, a network of its own each; of each the least time
counts, as the one that the machine disturbed least. Beside it how long it takes to go back to an update half way
between two states.
"""

from __future__ import annotations

import sys
from functools import partial
from typing import Any

import measure

measure.one_core()

import numpy as np  # noqa: E402

from deltaprop import Network, Record  # noqa: E402

ROUNDS = 15
MOST = 1.05
# Layers, samples, batch, optimizer, epochs.
ROWS = [
    ([30, 16, 1], 569, 1, "sgd", 100),
    ([30, 16, 1], 569, 16, "adam", 100),
    ([100, 64, 64, 1], 5000, 64, "sgd", 10),
    ([784, 128, 10], 6000, 1, "sgd", 5),
    ([784, 128, 10], 6000, 32, "adam", 5),
    ([784, 512, 512, 10], 2000, 128, "sgd", 5),
]


class Runs:
    """The same run, recorded or not, of a new network each time."""

    def __init__(self, layers: list[int], X: Any, R: Any, epochs: int, how: dict[str, Any]) -> None:
        self._layers, self._samples, self._epochs, self._how = layers, (X, R), epochs, how
        self.record = Record()

    def _run(self, **more: Any) -> float:
        net = Network(self._layers, h="relu", output="sigmoid", loss="log", dtype="float32")
        net.fit(*self._samples, epochs=1, **self._how)
        return measure.timed(partial(net.fit, *self._samples, epochs=self._epochs, **self._how, **more))

    def plain(self) -> float:
        """Return the seconds of a run."""
        return self._run()

    def recorded(self) -> float:
        """Return the seconds of a run that is recorded."""
        self.record = Record(every=100, samples=[0, 3])
        return self._run(record=self.record)


def main() -> int:
    """Print a line for each, write results/record.json; exit 1 where one takes longer."""
    arguments = measure.arguments(__doc__)
    random = np.random.default_rng(0)
    results, claims = {}, []
    for layers, n, batch_size, optimizer, epochs in ROWS:
        name = f"{'-'.join(map(str, layers))}, batches of {batch_size}, {optimizer}"
        if arguments.only not in name:
            continue
        X = random.normal(size=(n, layers[0])).astype(np.float32)
        R = (random.random((n, layers[-1])) < 0.5).astype(np.float32)
        runs = Runs(layers, X, R, epochs, {"batch_size": batch_size, "optimizer": optimizer, "eta": 1e-3})
        ways = {"plain": runs.plain, "recorded": runs.recorded}
        taken = measure.alternate(ways, 2 if arguments.quick else ROUNDS)
        least = {k: min(v) for k, v in taken.items()}
        record = runs.record
        kept = record.kept
        middle = (kept[len(kept) // 2 - 1] + kept[len(kept) // 2]) // 2
        back = min(measure.timed(partial(record.network, middle)) for _ in range(5))
        ratio = least["recorded"] / least["plain"]
        print(
            f"{name}: {1e3 * least['plain']:.1f} ms, recorded × {ratio:.3f}; {len(kept)} states of "
            f"{record.updates} updates; back to one between two of them in {1e3 * back:.2f} ms"
        )
        results[name] = {**least, "states": len(kept), "back": back}
        claims += measure.judge({f"{name}: plain of recorded": 1 / MOST}, {f"{name}: plain of recorded": 1 / ratio})
    measure.report("record", {"seconds": results, "claims": claims})
    return measure.missed(claims)


if __name__ == "__main__":
    sys.exit(main())
