"""A published worked example: every number of one step, and where 10,000 steps lead."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose

from deltaprop import Network, textbook

GOLDEN: dict[str, Any] = json.loads(Path(__file__).with_name("mazur.json").read_text())
X, R = np.array([GOLDEN["x"]]), np.array([GOLDEN["r"]])


@pytest.fixture
def net() -> Network:
    net = Network([2, 2, 2], h="sigmoid", output="sigmoid", loss="squared_error")
    for layer in (0, 1):
        net.W[layer] = np.transpose(GOLDEN[f"W{layer + 1}_rows_are_outgoing_units"])
        net.b[layer] = np.full(2, GOLDEN[f"b{layer + 1}"])
    return net


def test_every_quantity_of_the_step(net: Network, instruction_set: str) -> None:
    t = net.trace(X[0], R[0])
    hidden, output = t.layers
    for found, expected in (
        (hidden.a, GOLDEN["a_hidden"]),
        (hidden.z, GOLDEN["z_hidden"]),
        (output.a, GOLDEN["a_output"]),
        (t.y, GOLDEN["y"]),
        (t.E, GOLDEN["E"]),
        (output.dh[0], GOLDEN["dh_output_1"]),
        (hidden.dh[0], GOLDEN["dh_hidden_1"]),
        (output.delta, GOLDEN["delta_output"]),
        (hidden.delta, GOLDEN["delta_hidden"]),
        (hidden.dW.T.ravel(), GOLDEN["dE_dw1_to_w4"]),
        (output.dW.T.ravel(), GOLDEN["dE_dw5_to_w8"]),
    ):
        assert_allclose(found, expected, rtol=1e-13)
    published = GOLDEN["published"]
    assert pytest.approx(published["E"], abs=5e-10) == t.E
    assert output.delta[0] == pytest.approx(published["delta_output_1"], abs=5e-10)


def test_one_step(net: Network) -> None:
    trained = GOLDEN["biases_trained"]
    net.descend(X, R, GOLDEN["eta"])
    for layer, names in enumerate(("w1_to_w4", "w5_to_w8")):
        assert_allclose(net.W[layer].T.ravel(), GOLDEN[f"new_{names}"], rtol=1e-14)
        assert_allclose(net.W[layer].T.ravel(), GOLDEN["published"][f"new_{names}"], atol=5e-9)
    assert_allclose(net.b[0], trained["new_b1"], rtol=1e-14)
    assert_allclose(net.b[1], trained["new_b2"], rtol=1e-14)
    assert net.E(X, R) == pytest.approx(trained["E_after_1"], rel=1e-13)
    assert_allclose(net.predict(X)[0], trained["y_after_1"], rtol=1e-13)


def test_ten_thousand_steps(net: Network) -> None:
    net.fit(X, R, epochs=10_000, eta=GOLDEN["eta"])
    assert net.E(X, R) == pytest.approx(GOLDEN["biases_trained"]["E_after_10000"], rel=1e-9)


def test_the_article_keeps_the_biases_fixed(net: Network) -> None:
    fixed = GOLDEN["biases_fixed"]
    b = [net.b[0].copy(), net.b[1].copy()]
    for n in range(1, 10_001):
        net.descend(X, R, GOLDEN["eta"])
        net.b = b
        if n == 1:
            assert net.E(X, R) == pytest.approx(fixed["E_after_1"], rel=1e-13)
            assert_allclose(net.predict(X)[0], fixed["y_after_1"], rtol=1e-13)
    assert net.E(X, R) == pytest.approx(fixed["E_after_10000"], rel=1e-9)
    assert_allclose(net.predict(X)[0], fixed["y_after_10000"], rtol=1e-10)
    assert_allclose(net.predict(X)[0], fixed["published_y_after_10000"], atol=2e-6)


def test_the_textbook_takes_the_same_step(net: Network) -> None:
    W, b = textbook.online(
        list(net.W),
        list(net.b),
        X,
        R,
        GOLDEN["eta"],
        epochs=1,
        delta_of_output=lambda a, y, r: (y - r) * textbook.sigma_prime(a),
    )
    assert b is not None
    assert_allclose(W[0].T.ravel(), GOLDEN["new_w1_to_w4"], rtol=1e-14)
    assert_allclose(W[1].T.ravel(), GOLDEN["new_w5_to_w8"], rtol=1e-14)
    assert_allclose(b[1], GOLDEN["biases_trained"]["new_b2"], rtol=1e-14)
