"""Engine ≡ textbook: forward, trace, gradient and descent, over many shapes, both precisions, weights, batches."""

import numpy as np
import pytest

from deltaprop import Network, textbook
from problems import LECTURE_PAIRS, TOLERANCE, Oracle, difference, network, samples

SIZES = [1, 7, 8, 9, 15, 16, 17, 63, 64, 65]
# Every size as inputs, as hidden units and as outputs; and depths 0 to 4.
SHAPES = (
    [[n, 1] for n in SIZES]
    + [[3, n] for n in SIZES]
    + [[n, 5, 2] for n in SIZES]
    + [[3, n, 2] for n in SIZES]
    + [[9, n, 17, 2] for n in (1, 8, 16, 65)]
    + [[5, 8, 15, n, 3] for n in (7, 16, 64)]
    + [[4, 9, 1, 16, 7, 2], [17, 63, 65, 8, 1, 3]]
)
WEIGHTS = np.array([1, 2, 0, 0.5, 1, 1, 3, 0, 1, 1.5, 1])


def name(shape: list[int]) -> str:
    return "-".join(map(str, shape))


def arguments(shape: list[int], k: int) -> dict[str, object]:
    """The k-th mixture of functions for a shape: hidden ones in turn, an output and a loss that go together, a bias."""
    hidden = [("sigmoid", "tanh", "relu", "identity")[(k + l) % 4] for l in range(len(shape) - 2)]
    possible = [pair for pair in LECTURE_PAIRS if shape[-1] > 1 or pair[0] != "softmax"]
    if shape[-1] == 1:
        possible = [pair for pair in possible if pair[1] != "cross_entropy"]
    output, loss = possible[k % len(possible)]
    return {"h": hidden, "output": output, "loss": loss, "bias": k % 2 == 0}


CASES = [(shape, 3 * place + k) for place, shape in enumerate(SHAPES) for k in range(3)]


def test_the_cases_leave_nothing_out() -> None:
    mixtures = [arguments(shape, k) for shape, k in CASES]
    assert {(m["output"], m["loss"], m["bias"]) for m in mixtures} == {
        (*p, b) for p in LECTURE_PAIRS for b in (True, False)
    }
    assert {h for m in mixtures for h in m["h"]} == {"sigmoid", "tanh", "relu", "identity"}  # type: ignore[attr-defined]
    for n in SIZES:
        assert sum(n in shape for shape, _ in CASES) >= 12


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize(("shape", "k"), CASES, ids=str)
def test_forward_trace_and_gradient(shape: list[int], k: int, dtype: str, instruction_set: str) -> None:
    net = network(shape, dtype=dtype, **arguments(shape, k))
    X, R = samples(net, len(WEIGHTS))
    oracle, tolerance = Oracle(net), TOLERANCE[dtype]
    t = net.trace(X, R)
    passes = [oracle.passes(x, r) for x, r in zip(X, R, strict=True)]
    assert difference(t.E, oracle.E(X, R)) <= tolerance
    for l, layer in enumerate(t.layers):
        expected = {
            "a": [a[l] for a, _, _ in passes],
            "z": [z[l + 1] for _, z, _ in passes],
            "dh": [oracle.dh[l](a[l]) for a, _, _ in passes],
            "delta": [delta[l] for _, _, delta in passes],
            "dW": [textbook.gradient(z[l], delta[l])[0] for _, z, delta in passes],
            "db": [textbook.gradient(z[l], delta[l])[1] for _, z, delta in passes],
        }
        for name, values in expected.items():
            if name != "db" or net.bias:
                assert difference(getattr(layer, name), values) <= tolerance, (l, name)
    assert difference(net.predict(X), [z[-1] for _, z, _ in passes]) <= tolerance
    for weights in (WEIGHTS, np.ones(len(X))):
        mean = oracle.gradient(X, R, weights) / weights.sum()
        # Samples pull to different sides: what they add up to is compared with what was added up.
        size = sum(np.abs(oracle.gradient(X[s : s + 1], R[s : s + 1], weights[s : s + 1])).max() for s in range(len(X)))
        found = net.gradient(X, R, weights)
        assert np.abs(found - mean).max() <= tolerance * size / weights.sum()


@pytest.mark.parametrize("batch_size", [1, 4, 11])  # 11 samples: the last batch of 4 has 3
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize(("shape", "k"), CASES, ids=str)
def test_descent(shape: list[int], k: int, dtype: str, batch_size: int, instruction_set: str) -> None:
    weights = WEIGHTS if k % 3 else None
    net = network(shape, dtype=dtype, **arguments(shape, k))
    X, R = samples(net, len(WEIGHTS))
    oracle = Oracle(net)
    oracle.descend(X, R, 0.01, batch_size, np.ones(len(X)) if weights is None else weights)
    net.descend(X, R, 0.01, batch_size=batch_size, sample_weight=weights)
    assert difference(net.theta, oracle.theta) <= TOLERANCE[dtype]


@pytest.mark.parametrize("n", [255, 256, 257, 511, 512, 513, 701])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_steps_over_many_samples(dtype: str, n: int, instruction_set: str) -> None:
    """The engine goes through a step in chunks of 256 rows."""
    net = network([3, 9, 2], h="tanh", dtype=dtype)
    X, R = samples(net, n)
    weights = np.random.default_rng(2).uniform(size=n).astype(dtype)
    oracle = Oracle(net)
    assert difference(net.gradient(X, R, weights), oracle.gradient(X, R, weights) / weights.sum()) <= TOLERANCE[dtype]
    for batch_size in (300, n):
        oracle.descend(X, R, 0.1, batch_size, weights)
        net.descend(X, R, 0.1, batch_size=batch_size, sample_weight=weights)
    assert difference(net.theta, oracle.theta) <= TOLERANCE[dtype]


def test_a_gradient_over_very_many_samples_in_float32() -> None:
    """Sums over samples are in float64 across chunks: a million equal samples have the gradient of one."""
    net = network([2, 3, 1], dtype="float32")
    X, R = samples(net, 1)
    one = net.gradient(X, R)
    assert difference(net.gradient(np.repeat(X, 1_000_000, axis=0), np.repeat(R, 1_000_000, axis=0)), one) <= 3e-6


def test_a_trained_network_in_float32_still_agrees() -> None:
    """Where outputs have come close to their targets δ is a small difference, and keeps its digits."""
    X, R = np.array([[0, 0], [0, 1], [1, 0], [1, 1.0]]), np.array([[0], [1], [1], [0.0]])
    net = Network([2, 8, 1], dtype="float32", seed=1)
    for _ in range(3):
        net.fit(X, R, epochs=3000, eta=1.0)
        oracle = Oracle(net)
        assert difference(net.gradient(X, R), oracle.gradient(X, R, np.ones(4)) / 4) <= 1e-5
    assert net.E(X, R) < 1e-3


@pytest.mark.parametrize("bias", [True, False])
def test_the_online_algorithm_itself(bias: bool, instruction_set: str) -> None:
    """Three epochs of textbook.online, the lecture's nine lines, with η_n a sequence."""
    net = network([5, 9, 4, 2], bias=bias)
    X, R = samples(net, 20)
    W, b = textbook.online(list(net.W), list(net.b) if bias else None, X, R, [0.5, 0.25, 0.1], epochs=3)
    net.fit(X, R, epochs=3, eta=[0.5, 0.25, 0.1], shuffle=False)
    for l in range(3):
        assert difference(net.W[l], W[l]) <= 1e-12
        assert b is None or difference(net.b[l], b[l]) <= 1e-12


def test_fit_presents_the_samples_in_the_order_of_seed_and_epoch() -> None:
    net = network([3, 4, 1], seed=7)
    X, R = samples(net, 15)
    expected = network([3, 4, 1], seed=7)
    for epoch in (1, 2):
        order = net.epoch_order(15, epoch, shuffle=True)
        assert sorted(order) == list(range(15))
        expected.descend(X[order], R[order], 0.3)
    net.fit(X, R, epochs=2, eta=0.3)
    assert (net.theta == expected.theta).all()
    assert not np.array_equal(net.epoch_order(15, 1, shuffle=True), net.epoch_order(15, 2, shuffle=True))
    assert np.array_equal(net.epoch_order(15, 1, shuffle=False), np.arange(15))


def test_weight_zero_changes_nothing_and_weight_two_is_twice_eta() -> None:
    X, R = samples(network([3, 4, 1]), 6)
    some = np.array([1.0, 0, 1, 0, 0, 1])

    def after(X: object, R: object, eta: float, **arguments: object) -> np.ndarray:
        net: Network = network([3, 4, 1])
        net.descend(X, R, eta, **arguments)  # type: ignore[arg-type]
        return net.theta

    assert (after(X, R, 0.1, sample_weight=some) == after(X[some > 0], R[some > 0], 0.1)).all()
    assert difference(after(X, R, 0.1, sample_weight=np.full(6, 2.0)), after(X, R, 0.2)) < 1e-14
