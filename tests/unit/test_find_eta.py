"""find_eta: the range test leaves the network alone, repeats, and suggests what trains."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse
from sklearn.datasets import load_breast_cancer, load_diabetes
from sklearn.preprocessing import scale

from deltaprop import Network


def problem(dtype="float64", **words):
    X, r = load_breast_cancer(return_X_y=True)
    return Network([30, 12, 1], h="tanh", dtype=dtype, seed=4, **words), scale(X), r


def test_the_network_stays_as_it_is():
    net, X, r = problem(dropout=0.2)
    net.fit(X, r, epochs=1, optimizer="adam", eta=1e-3)
    before = net.__getstate__()
    net.find_eta(X, r, batch_size=16)
    after = net.__getstate__()
    assert all(np.array_equal(before[key], after[key]) for key in ("theta", "epoch", "presented", "steps"))
    assert before["optimizer"] == after["optimizer"]
    assert all((a == b).all() for a, b in zip(before["states"], after["states"], strict=True))


def test_it_repeats():
    net, X, r = problem()
    one, two = net.find_eta(X, r), net.find_eta(X, r)
    assert (one.E == two.E).all()
    assert one.suggestion == two.suggestion


def test_of_a_parabola():
    """E = ½ (w − r)² of one weight and x = 1: a step of η moves w by η (r − w), whatever w is."""
    net = Network([1, 1], output="identity", loss="squared_error", bias=False, init="zeros")
    found = net.find_eta(np.ones((64, 1)), np.full(64, 3.0), batch_size=64)
    w, expected = 0.0, []
    for eta in np.geomspace(1e-6, 10, 100)[: len(found.E)]:
        expected.append((w - 3) ** 2 / 2)
        w += eta * (3 - w)
    np.testing.assert_allclose(found.E, expected, rtol=1e-9, atol=1e-15)
    np.testing.assert_allclose(found.eta, np.geomspace(1e-6, 10, 100)[: len(found.E)], rtol=1e-12)


@pytest.mark.parametrize("optimizer", ["sgd", "momentum", "adam"])
@pytest.mark.parametrize("batch_size", [1, 32])
def test_training_at_the_suggestion_works(optimizer, batch_size):
    net, X, r = problem()
    found = net.find_eta(X, r, batch_size=batch_size, optimizer=optimizer)
    start = net.E(X, r)
    net.fit(X, r, epochs=10, eta=found.suggestion, batch_size=batch_size, optimizer=optimizer)
    assert net.E(X, r) < 0.25 * start


def test_a_quantity():
    X, r = load_diabetes(return_X_y=True)
    X, r = scale(X), scale(r)
    net = Network([10, 16, 1], h="relu", output="identity", loss="squared_error")
    found = net.find_eta(X, r, batch_size=16)
    net.fit(X, r, epochs=20, eta=found.suggestion, batch_size=16)
    assert net.E(X, r) < 0.3


def test_sparse_weights_and_few_samples():
    net, X, r = problem("float32")
    X = np.where(np.abs(X) < 0.5, 0, X)
    dense = net.find_eta(X, r, batch_size=8, class_weight="balanced")
    sparse = net.find_eta(scipy.sparse.csr_matrix(X), r, batch_size=8, class_weight="balanced")
    np.testing.assert_allclose(sparse.E, dense.E, rtol=1e-4)
    assert len(net.find_eta(X[:3], r[:3]).E) >= 10


def test_the_picture(tmp_path):
    net, X, r = problem()
    found = net.find_eta(X, r)
    found.save(tmp_path / "eta.png")
    assert (tmp_path / "eta.png").read_bytes().startswith(b"\x89PNG")
    assert "<svg" in found._repr_svg_()
    assert repr(found).startswith(f"EtaRange: begin with eta {found.suggestion:.2g}")
    with pytest.raises(ValueError, match="needs to be one of"):
        found.save(tmp_path / "eta.bmp")
    assert not (tmp_path / "eta.bmp").exists()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ({"low": 0}, "low and high need to be finite, above 0"),
        ({"low": 1, "high": 0.1}, "low below high"),
        ({"high": float("inf")}, "high"),
        ({"batch_size": 0}, "batch_size"),
        ({"optimizer": "lbfgs"}, "has no eta to find"),
        ({"optimizer": "adma"}, "Did you mean 'adam'"),
    ],
)
def test_nonsense(words, message):
    net, X, r = problem()
    with pytest.raises((TypeError, ValueError), match=message):
        net.find_eta(X, r, **words)


def test_where_the_first_eta_is_too_long():
    net = Network([1, 1], output="identity", loss="squared_error")
    with pytest.raises(ValueError, match="E goes astray with the smallest eta already"):
        net.find_eta(np.full((10, 1), 1e6), np.ones(10), low=1e-3)
    with pytest.raises(ValueError, match="X has no rows"):
        net.find_eta(np.zeros((0, 1)), np.zeros(0))
