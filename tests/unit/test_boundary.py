"""The native boundary takes arrays as they stand or not at all, and what goes straight to the engine is checked."""

import copy
import re
import sys
from typing import Any

import numpy as np
import pytest

from deltaprop import Network, _engine
from problems import network


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("row", [0, 63, 64, 199])
@pytest.mark.parametrize("layers", [[3, 1], [3, 5, 2], [300, 16, 1]], ids=str)
def test_predict_refuses_what_is_not_finite(layers: list[int], row: int, bad: float) -> None:
    net = network(layers)
    X = np.ones((200, layers[0]))
    X[row, layers[0] - 1] = bad
    with pytest.raises(
        ValueError, match=re.escape(f"Network.predict: X[{row}, {layers[0] - 1}] is {bad}, not a finite")
    ):
        net.predict(X)
    net.theta = np.zeros(net.n_parameters)  # 0 times inf must not hide it
    with pytest.raises(ValueError, match="not a finite number"):
        net.predict(X)


def test_predict_takes_finite_inputs_however_large() -> None:
    net = Network([2, 3, 1], h="relu", output="identity", loss="squared_error", dtype="float32")
    net.theta = np.ones(net.n_parameters)
    assert np.isinf(net.predict(np.full((1, 2), 3e38, "float32"))).all()  # a overflows; X is as good as any


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_predictions_have_the_same_bits_on_vectors_of_any_width(dtype: str) -> None:
    """Which of them predicts goes by the shape, so no bit may depend on it."""
    fused = [name for name in _engine.config()["instruction_sets"] if name != "baseline"]
    for layers in ([300, 16, 1], [300, 40, 3], [5, 7, 1], [256, 1]):
        net = network(layers, h="relu", dtype=dtype)
        X = np.random.default_rng(0).normal(size=(77, layers[0])).astype(dtype)
        results = [net.predict(X).tobytes()]
        try:
            for name in fused:
                _engine.use_instruction_set(name)
                results.append(net.predict(X).tobytes())
        finally:
            _engine.use_instruction_set("")
        assert not fused or len(set(results)) == 1


X = np.ones((2, 3), "float32")
Y = np.empty((2, 1), "float32")


@pytest.mark.parametrize(
    ("x", "y"),
    [
        (X.astype("float64"), Y),
        (X.astype(">f4"), Y),
        (X.astype("int32"), Y),
        (X.astype("float16"), Y),
        (X.astype("complex64"), Y),
        (np.ones((3, 2), "float32").T, Y),
        (np.ones((2, 6), "float32")[:, ::2], Y),
        (X.tolist(), Y),
        (None, Y),
        (np.array([["a"]]), Y),
        (np.zeros((2, 3), [("a", "f4")]), Y),
        (X, Y.tolist()),
        (X, np.empty((4, 1), "float32")[::2]),
        (X, np.frombuffer(bytes(8), "float32").reshape(2, 1)),  # read-only
    ],
    ids=lambda a: getattr(getattr(a, "dtype", None), "name", type(a).__name__),
)
def test_the_engine_converts_nothing(x: Any, y: Any) -> None:
    net = Network([3, 1], dtype="float32")
    with pytest.raises(TypeError, match="incompatible function arguments"):
        _engine.predict(net._plan, net.padded_theta, x, y)


def test_the_engine_reads_what_is_read_only_and_lets_go() -> None:
    net = Network([3, 1], dtype="float32")
    x, y = X.copy(), Y.copy()
    x.flags.writeable = False
    held = [sys.getrefcount(array) for array in (x, y, net.padded_theta)]
    assert _engine.predict(net._plan, net.padded_theta, x, y)
    with pytest.raises(TypeError):
        _engine.predict(net._plan, net.padded_theta, x, x)
    with pytest.raises(ValueError, match="y needs n_out elements"):
        _engine.predict(net._plan, net.padded_theta, x, np.empty((5, 1), "float32"))
    with pytest.raises(ValueError, match="whole rows"):
        _engine.predict(net._plan, net.padded_theta, x.ravel()[:5], y)
    assert [sys.getrefcount(array) for array in (x, y, net.padded_theta)] == held


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_numbers_at_odd_addresses(dtype: str) -> None:
    """As in a packed record or behind a header: copied to where the engine can read them."""
    net = network([4, 3, 1], dtype=dtype)
    random = np.random.default_rng(0)
    X, R, w = (random.uniform(size=shape).astype(dtype) for shape in ((9, 4), (9, 1), (9,)))

    def odd(array: np.ndarray) -> np.ndarray:
        there = np.frombuffer(b"!" + array.tobytes(), dtype, offset=1).reshape(array.shape)
        assert not there.flags.aligned
        return there

    assert net.predict(odd(X)).tobytes() == net.predict(X).tobytes()
    assert net.E(odd(X), odd(R), odd(w)) == net.E(X, R, w)
    other = copy.deepcopy(net)
    net.descend(X, R, 0.1, sample_weight=w)
    other.descend(odd(X), odd(R), 0.1, sample_weight=odd(w))
    assert other == net
    record = np.zeros(9, [("flag", "u1"), ("x", dtype, 4)])
    record["x"] = X
    assert net.predict(record["x"]).tobytes() == net.predict(X).tobytes()
    with pytest.raises(TypeError, match="incompatible function arguments"):
        _engine.predict(net._plan, net.padded_theta, odd(X), np.empty((9, 1), dtype))
