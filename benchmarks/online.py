"""The claim: online descent on 784-30-10 is ≥ 30 times as fast as scikit-learn and ≥ 5 times as a NumPy loop.

Sigmoid units, log loss, plain SGD, everything on one core and one thread, in alternation. scikit-learn's MLP takes
``batch_size=1, solver="sgd", momentum=0, alpha=0`` in its own float32 path. First it is shown that all three make the
same updates: from the same weights, over the same samples in the same order, in float64. deltaprop is timed through
Network.fit.
"""

from __future__ import annotations

import statistics
import sys
import warnings
from typing import Any

import measure

measure.one_core()

import numpy as np  # noqa: E402
from sklearn.exceptions import ConvergenceWarning  # noqa: E402
from sklearn.neural_network import MLPClassifier  # noqa: E402

from deltaprop import Network  # noqa: E402

LAYERS, ETA, TIMES = [784, 30, 10], 0.1, 5
SAMPLES = {"deltaprop": 20_000, "NumPy loop": 4_000, "scikit-learn": 1_000}

Array = np.ndarray[Any, Any]


def numpy_loop(W: list[Array], b: list[Array], X: Array, R: Array) -> None:
    """The lecture's lines 3 to 9 with one array operation each, in place."""
    for x, r in zip(X, R, strict=True):
        z = 1 / (1 + np.exp(-(x @ W[0] + b[0])))
        y = 1 / (1 + np.exp(-(z @ W[1] + b[1])))
        delta_y = y - r
        delta = z * (1 - z) * (W[1] @ delta_y)
        W[1] -= ETA * np.outer(z, delta_y)
        b[1] -= ETA * delta_y
        W[0] -= ETA * np.outer(x, delta)
        b[0] -= ETA * delta


def scikit_learn(net: Network) -> MLPClassifier:
    """scikit-learn's MLP that begins where the network stands; ten outputs, each sigmoid with log loss (multilabel)."""
    start = [(W.copy(), b.copy()) for W, b in zip(net.W, net.b, strict=True)]

    class SameStart(MLPClassifier):  # type: ignore[misc]
        def _init_coef(self, fan_in: int, fan_out: int, dtype: Any) -> Any:
            return start.pop(0)

    return SameStart(
        hidden_layer_sizes=(30,),
        activation="logistic",
        solver="sgd",
        batch_size=1,
        learning_rate_init=ETA,
        momentum=0,
        alpha=0,
        shuffle=False,
        max_iter=1,
    )


def same_updates(X: Array, R: Array) -> dict[str, float]:
    """The largest difference of the parameters, relative to the largest, after 200 samples in float64."""
    net = Network(LAYERS)
    peer = scikit_learn(net)
    W, b = [W.copy() for W in net.W], [b.copy() for b in net.b]
    X, R = X[:200].astype(float), R[:200].astype(float)
    peer.fit(X, R.astype(int))
    numpy_loop(W, b, X, R)
    net.fit(X, R, epochs=1, eta=ETA, shuffle=False)
    largest = max(np.abs(own).max() for own in net.W)
    return {
        "NumPy loop": float(max(np.abs(W[k] - net.W[k]).max() for k in (0, 1)) / largest),
        "scikit-learn": float(max(np.abs(peer.coefs_[k] - net.W[k]).max() for k in (0, 1)) / largest),
    }


def main() -> int:
    """Compare, print, write results/online.json; exit 1 where a claim does not hold."""
    warnings.simplefilter("ignore", ConvergenceWarning)
    random = np.random.default_rng(0)
    n = max(SAMPLES.values())
    X = random.uniform(size=(n, 784)).astype(np.float32) * (random.uniform(size=(n, 784)) < 0.2)
    R = np.eye(10, dtype=np.float32)[random.integers(10, size=n)]
    differences = same_updates(X, R)
    for peer, difference in differences.items():
        print(f"same updates as {peer}: parameters agree to {difference:.1e}")

    net = Network(LAYERS, dtype="float32")

    def deltaprop() -> float:
        return measure.timed(lambda: net.fit(X, R, epochs=1, eta=ETA))

    def numpy() -> float:
        W, b = [W.copy() for W in net.W], [b.copy() for b in net.b]
        part = slice(SAMPLES["NumPy loop"])
        return measure.timed(lambda: numpy_loop(W, b, X[part], R[part]))

    def sklearn() -> float:
        part = slice(SAMPLES["scikit-learn"])
        peer = scikit_learn(net)
        return measure.timed(lambda: peer.fit(X[part], R[part].astype(int)))

    runs = {"deltaprop": deltaprop, "NumPy loop": numpy, "scikit-learn": sklearn}
    seconds = measure.alternate(runs, TIMES)
    micro = {name: [1e6 * s / SAMPLES[name] for s in values] for name, values in seconds.items()}
    own = statistics.median(micro["deltaprop"])
    ratios = {name: statistics.median(values) / own for name, values in micro.items()}
    for name, values in micro.items():
        print(f"{name:<13} {measure.spread(values)} µs a sample, {ratios[name]:.1f} times deltaprop's")
    measure.report("online", {"layers": LAYERS, "µs per sample": micro, "ratio": ratios, "difference": differences})
    return 0 if ratios["scikit-learn"] >= 30 and ratios["NumPy loop"] >= 5 and max(differences.values()) < 1e-9 else 1


if __name__ == "__main__":
    sys.exit(main())
