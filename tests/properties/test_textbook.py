"""Engine ≡ textbook: forward, trace, gradient and descent, over many shapes, both precisions, weights, batches."""

import numpy as np
import pytest

from deltaprop import Network, textbook
from problems import TOLERANCE, Oracle, difference, network, samples

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


def functions(shape: list[int]) -> dict[str, object]:
    """A different mixture of functions for each shape, so that all occur at all sizes."""
    k = sum(shape)
    hidden = [("sigmoid", "tanh", "relu", "identity")[(k + l) % 4] for l in range(len(shape) - 2)]
    output, loss = [("sigmoid", "log"), ("identity", "squared_error"), ("sigmoid", "squared_error")][k % 3]
    if shape[-1] > 1 and k % 2:
        output, loss = "softmax", "cross_entropy"
    return {"h": hidden, "output": output, "loss": loss}


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("shape", SHAPES, ids=name)
def test_forward_trace_and_gradient(shape: list[int], dtype: str, instruction_set: str) -> None:
    net = network(shape, bias=sum(shape) % 2 == 0, dtype=dtype, **functions(shape))
    X, R = samples(net, len(WEIGHTS))
    oracle, tolerance = Oracle(net), TOLERANCE[dtype]
    t = net.trace(X, R)
    for s in (0, 5):
        a, z, delta = oracle.passes(X[s], R[s])
        assert difference(t.E[s], oracle.E(X[s : s + 1], R[s : s + 1])[0]) <= tolerance
        for l, layer in enumerate(t.layers):
            assert difference(layer.a[s], a[l]) <= tolerance
            assert difference(layer.z[s], z[l + 1]) <= tolerance
            assert difference(layer.delta[s], delta[l]) <= tolerance
            dW, db = textbook.gradient(z[l], delta[l])
            assert difference(layer.dW[s], dW) <= tolerance
            assert layer.db is None or difference(layer.db[s], db) <= tolerance
    assert difference(net.predict(X), [oracle.passes(x, r)[1][-1] for x, r in zip(X, R, strict=True)]) <= tolerance
    assert difference(net.gradient(X, R, WEIGHTS), oracle.gradient(X, R, WEIGHTS) / WEIGHTS.sum()) <= tolerance


@pytest.mark.parametrize("batch_size", [1, 4, 11])  # 11 samples: the last batch of 4 has 3
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("shape", SHAPES, ids=name)
def test_descent(shape: list[int], dtype: str, batch_size: int, instruction_set: str) -> None:
    net = network(shape, bias=sum(shape) % 2 == 0, dtype=dtype, **functions(shape))
    X, R = samples(net, len(WEIGHTS))
    oracle = Oracle(net)
    oracle.descend(X, R, 0.01, batch_size, WEIGHTS)
    net.descend(X, R, 0.01, batch_size=batch_size, sample_weight=WEIGHTS)
    assert difference(net.theta, oracle.theta) <= TOLERANCE[dtype]


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
