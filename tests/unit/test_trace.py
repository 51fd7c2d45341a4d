"""The trace: shapes, names, and that it is the descent step itself."""

import re

import numpy as np
import pytest

from deltaprop import Network
from deltaprop.inspection.trace import trace
from problems import network, samples


def test_shapes_of_one_sample_and_of_many() -> None:
    net = network([3, 4, 2], output="softmax", loss="cross_entropy")
    X, R = samples(net, 5)
    one, many = net.trace(X[2], R[2]), net.trace(X, R)
    assert isinstance(one.E, float)
    assert many.E.shape == (5,)
    for k, layer in enumerate(many.layers):
        single = one.layers[k]
        for name in ("a", "z", "dh", "delta", "dW", "db"):
            assert getattr(layer, name).shape == (5, *getattr(single, name).shape)
            assert (getattr(layer, name)[2] == getattr(single, name)).all()
    assert one.layers[0].dW.shape == (3, 4)
    assert one.layers[1].dh.shape == (2, 2)  # the Jacobian of softmax
    assert many.y.shape == (5, 2)
    assert (many.x == X).all()
    assert (many.r == R).all()
    assert network([3, 4, 2], bias=False).trace(X[0], R[0]).layers[0].db is None


def test_a_replay_through_traces_gives_the_same_theta_bit_for_bit() -> None:
    net, replay = network([4, 6, 3, 2], h="tanh"), network([4, 6, 3, 2], h="tanh")
    X, R = samples(net, 25)
    net.descend(X, R, 0.125)  # a power of two: η δ z is exact either way
    for x, r in zip(X, R, strict=True):
        t = replay.trace(x, r)
        for k, layer in enumerate(t.layers):
            replay.W[k] -= 0.125 * layer.dW
            replay.b[k] -= 0.125 * layer.db
    assert replay.theta.tobytes() == net.theta.tobytes()


def test_the_gradient_of_a_trace_is_the_gradient() -> None:
    net = network([4, 6, 2])
    X, R = samples(net, 3)
    t = net.trace(X[1], R[1])
    dense = np.concatenate([part.ravel() for layer in t.layers for part in (layer.dW, layer.db)])  # type: ignore[union-attr]
    assert dense.tobytes() == net.gradient(X[1:2], R[1:2]).tobytes()


def test_the_printed_table_names_every_number() -> None:
    net = Network([2, 2, 1])
    net.theta = np.zeros(9)
    t = net.trace([1, 2], 1)
    lines = str(t).splitlines()
    assert len(lines) == len(t.rows()) == 2 + 4 + 2 + 1 + 1 + (1 + 1 + 2 + 1) + (2 + 2 + 4 + 2)
    assert re.fullmatch(r"x +x1 +1", lines[0])
    assert re.fullmatch(r"a +z1\.1 +0", lines[2])
    assert re.fullmatch(r"E +0\.6931471806", next(line for line in lines if line.startswith("E")))
    assert any(re.fullmatch(r"∂E/∂w +x2 → z1\.1 +-?0", line) for line in lines)
    assert repr(t) == str(t)
    named = trace(net, [1, 2], [1], inputs=["age", "height"], outputs=["P(ill)"])
    assert ("x", "age", 1.0, 0) in named.rows()
    assert ("δ", "P(ill)", -0.5, 2) in named.rows()
    many = net.trace([[1, 2], [3, 4]], [1, 0])
    assert str(many) == "Trace of 2 samples, 2 → 2 → 1; mean E 0.693147"
    with pytest.raises(ValueError, match="a table shows one sample"):
        many.rows()
    assert str(net.trace(np.zeros((0, 2)), [])) == "Trace of 0 samples, 2 → 2 → 1"
    big = network([60, 40, 3]).trace(np.zeros(60), np.zeros(3))
    lines = str(big).splitlines()
    assert len(lines) == len(big.rows(matrices=False)) + 1 == 60 + 2 * 43 + 3 + 1 + 3 * 43 + 1
    assert lines[-1] == "… the other numbers are in .layers, and in .rows()"
    assert big.in_matrices == 60 * 40 + 40 * 3
    assert len(big.rows()) == len(big.rows(matrices=False)) + big.in_matrices
    softmax = network([2, 3], output="softmax", loss="cross_entropy").trace([0, 1], [1, 0, 0])
    assert ("∂z/∂a", "y1, y1") in [row[:2] for row in softmax.rows()]


def test_what_is_refused() -> None:
    net = Network([2, 3, 1])
    with pytest.raises(ValueError, match="x needs 2 inputs; got 3"):
        net.trace([1, 2, 3], 1)
    with pytest.raises(ValueError, match="r needs 1 targets; got 2"):
        net.trace([1, 2], [1, 0])
    with pytest.raises(ValueError, match="targets of loss 'log' are in"):
        net.trace([1, 2], 2)
    with pytest.raises(ValueError, match="R needs shape"):
        net.trace([[1, 2]], [[1], [0]])


def test_a_trace_keeps_the_weights_it_was_made_with() -> None:
    net = Network([2, 1])
    t = net.trace([1, 2], 1)
    before = net.W[0].copy()
    net.descend([[1, 2]], [1], 1.0)
    assert (before == t.layers[0].W).all()
    assert t.layers[0].h == "sigmoid"
    assert t.layers[0].inputs == ("x1", "x2")


def test_a_trace_keeps_the_sample_it_was_made_of() -> None:
    x = np.array([1.0, 2.0])
    t = Network([2, 1]).trace(x, 1)
    x[0] = 99
    assert t.x[0] == 1


def test_masked_samples_are_refused() -> None:
    with pytest.raises(ValueError, match="x has masked cells"):
        Network([2, 1]).trace(np.ma.masked_equal([1.0, 2.0], 1), 1)
