"""The lecture's own example by hand: sigmoid units, log loss, no biases, weights chosen so that every σ is a fraction.

x = (1, 2), and with L = ln 3: w_11 = L, w_12 = 0, w_21 = L, w_22 = −L, so a_1 = L, z_1 = 3/4 and a_2 = −L, z_2 = 1/4.
With M = ln 2: v = (4M, −4M), so a_y = 3M − M = ln 4, y = 4/5. The target is r = 1, so E = −ln(4/5).
"""

import math

import numpy as np
import pytest
from numpy.testing import assert_allclose

from deltaprop import Network, textbook

L, M = math.log(3), math.log(2)
W = [np.array([[L, L], [0, -L]]), np.array([[4 * M], [-4 * M]])]  # W[l][i, j] is w_ji
x, r = np.array([1.0, 2.0]), np.array([1.0])

# By hand: δ_y = y − r = −1/5;  δ_j = z_j (1 − z_j) δ_y v_j = 3/16 · (−1/5) · (±4M) = ∓3M/20.
DELTA_Y, DELTA = [-1 / 5], [-3 * M / 20, 3 * M / 20]
DW = [np.array([[-3 * M / 20, 3 * M / 20], [-6 * M / 20, 6 * M / 20]]), np.array([[-3 / 20], [-1 / 20]])]


@pytest.fixture
def net() -> Network:
    net = Network([2, 2, 1], bias=False)
    net.W = W
    return net


def test_forward_and_backward(net: Network, instruction_set: str) -> None:
    t = net.trace(x, r)
    assert_allclose(t.layers[0].a, [L, -L], rtol=1e-15)
    assert_allclose(t.layers[0].z, [3 / 4, 1 / 4], rtol=1e-15)
    assert_allclose(t.layers[0].dh, [3 / 16, 3 / 16], rtol=1e-15)
    assert_allclose(t.layers[1].a, [math.log(4)], rtol=1e-15)
    assert_allclose(t.y, [4 / 5], rtol=1e-15)
    assert pytest.approx(-math.log(4 / 5), rel=1e-14) == t.E
    assert_allclose(t.layers[1].delta, DELTA_Y, rtol=1e-14)
    assert_allclose(t.layers[0].delta, DELTA, rtol=1e-14)
    for layer in (0, 1):
        assert_allclose(t.layers[layer].dW, DW[layer], rtol=1e-14)
        assert t.layers[layer].db is None


def test_the_update(net: Network) -> None:
    net.descend([x], [r], 0.5)
    for layer in (0, 1):
        assert_allclose(net.W[layer], W[layer] - 0.5 * DW[layer], rtol=1e-15)


def test_the_textbook() -> None:
    a, z = textbook.forward(W, None, x)
    delta = textbook.backward(W, a, textbook.delta_of_sigma_with_log_loss(a[-1], z[-1], r))
    assert_allclose(delta[1], DELTA_Y, rtol=1e-14)
    assert_allclose(delta[0], DELTA, rtol=1e-14)
    assert textbook.log_loss(z[-1], r) == pytest.approx(-math.log(4 / 5), rel=1e-14)
    stepped, b = textbook.online(W, None, [x], [r], eta=[0.5], epochs=1)
    assert b is None
    for layer in (0, 1):
        assert_allclose(stepped[layer], W[layer] - 0.5 * DW[layer], rtol=1e-15)


def test_eta_of_the_textbook_as_number_sequence_and_function() -> None:
    runs = [textbook.online(W, None, [x], [r], eta, epochs=3)[0] for eta in (0.5, [0.5, 0.5, 0.5], lambda n: 0.5)]
    by_n = [textbook.online(W, None, [x], [r], eta, epochs=3)[0] for eta in ([1.0, 0.5, 1 / 3], lambda n: 1 / n)]
    for layer in (0, 1):
        assert (runs[0][layer] == runs[1][layer]).all()
        assert (runs[0][layer] == runs[2][layer]).all()
        assert (by_n[0][layer] == by_n[1][layer]).all()
        assert not np.array_equal(runs[0][layer], by_n[0][layer])


def test_xor_from_a_fixed_seed() -> None:
    X, R = np.array([[0, 0], [0, 1], [1, 0], [1, 1]]), np.array([0, 1, 1, 0])
    net = Network([2, 4, 1], seed=0)
    history = net.fit(X, R, epochs=2000, eta=1.0)
    assert (np.round(net.predict(X)[:, 0]) == R).all()
    assert history.E[0] > 0.6
    assert net.E(X, R) < 0.01


def test_the_textbook_is_short() -> None:
    from pathlib import Path

    lines = Path(textbook.__file__).read_text(encoding="utf-8").splitlines()
    assert len(lines) <= 150
    for number in range(1, 10):  # the lecture's nine lines, each by its number
        assert sum(f"# {number}: " in line for line in lines) == 1, number
