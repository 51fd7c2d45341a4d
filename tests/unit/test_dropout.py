"""Dropout and input noise: steps follow the lecture's equations with what is drawn, for any batches and threads."""

from __future__ import annotations

import math
import pickle

import numpy as np
import pytest
import scipy.sparse

import deltaprop
from deltaprop import Network
from deltaprop.threads import Threads

PHILOX_M, PHILOX_W = (0xD2511F53, 0xCD9E8D57), (0x9E3779B9, 0xBB67AE85)


def philox(counter, key):
    """Philox4x32-10 in Python's integers (Salmon and others, SC'11)."""
    c, k = list(counter), list(key)
    for _ in range(10):
        p0, p1 = PHILOX_M[0] * c[0], PHILOX_M[1] * c[2]
        c = [(p1 >> 32) ^ c[1] ^ k[0], p1 & 0xFFFFFFFF, (p0 >> 32) ^ c[3] ^ k[1], p0 & 0xFFFFFFFF]
        k = [(k[0] + PHILOX_W[0]) & 0xFFFFFFFF, (k[1] + PHILOX_W[1]) & 0xFFFFFFFF]
    return c


def words(seed, t, layer, n, stream):
    """Of each 64 units those of 16 blocks, the first words of all before the second."""
    key, groups = (seed & 0xFFFFFFFF, seed >> 32), -(-n // 64)
    blocks = [philox((t & 0xFFFFFFFF, t >> 32, b, stream | layer << 8), key) for b in range(16 * groups)]
    return np.array(blocks, np.uint64).reshape(groups, 16, 4).transpose(0, 2, 1).ravel()


def mask(seed, t, layer, n, share):
    """What the units of a layer (0: the inputs) are multiplied by for sample t."""
    return np.where(words(seed, t, layer, n, 2)[:n] < int(share * 2**32), 0.0, 1 / (1 - share))


def noise(seed, t, n):
    w = words(seed, t, 0, n, 3).astype(float).reshape(-1, 2, 32)
    size = np.sqrt(-2 * np.log((w[:, 0] + 0.5) / 2**32))
    angle = 2 * math.pi * w[:, 1] / 2**32
    return np.stack([size * np.cos(angle), size * np.sin(angle)], axis=1).ravel()[:n]


def test_philox_is_the_published_one():
    """Random123's known answers, philox4x32 with 10 rounds."""
    assert philox((0, 0, 0, 0), (0, 0)) == [0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8]
    pi = (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344)
    assert philox(pi, (0xA4093822, 0x299F31D0)) == [0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1]


LAYERS, SHARES, SD = (70, 21, 9, 3), (0.2, 0.5, 0.3), 0.25


def network(dtype="float64", *, layers=LAYERS, dropout=SHARES, input_noise=SD, **more):
    return Network(
        list(layers), h=["tanh", "gelu"][: len(layers) - 2], output="softmax", loss="cross_entropy", dtype=dtype,
        seed=2**40 + 7, dropout=dropout, input_noise=input_noise, **more,
    )  # fmt: skip


def samples(n=33, layers=LAYERS):
    random = np.random.default_rng(5)
    return random.normal(size=(n, layers[0])), random.integers(0, layers[-1], n)


def by_hand(net, x, k, t):
    """E and its gradient for sample t, by the lecture's equations with the masks of an independent generator."""
    masks = [mask(net.seed, t, l, n, share) for l, (n, share) in enumerate(zip(net.layers, net.dropout, strict=False))]
    z = [(x + net.input_noise * noise(net.seed, t, len(x))) * masks[0]]
    a = []
    functions = [np.tanh, lambda a: a * (1 + np.vectorize(math.erf)(a / math.sqrt(2))) / 2]
    slopes = [
        lambda a: 1 - np.tanh(a) ** 2,
        lambda a: (1 + np.vectorize(math.erf)(a / math.sqrt(2))) / 2 + a * np.exp(-(a**2) / 2) / math.sqrt(2 * math.pi),
    ]
    for l, (W, b) in enumerate(zip(net.W, net.b, strict=True)):
        a.append(z[-1] @ W + b)
        if l + 1 < len(net.W):
            z.append(functions[l](a[-1]) * masks[l + 1])
    y = np.exp(a[-1] - a[-1].max())
    y /= y.sum()
    delta = y - np.eye(len(y))[k]
    parts = []
    for l in reversed(range(len(net.W))):
        parts = [np.outer(z[l], delta).ravel(), delta, *parts]
        if l:
            delta = masks[l] * slopes[l - 1](a[l - 1]) * (net.W[l] @ delta)
    return -math.log(y[k]), np.concatenate(parts)


@pytest.mark.parametrize(("dtype", "tolerance"), [("float64", 1e-11), ("float32", 2e-5)])
def test_the_gradient_is_the_equations_with_these_masks(dtype, tolerance):
    net = network(dtype)
    X, k = samples()
    net._presented = 2**33 + 5  # both words of t
    rows = X.astype(dtype).astype(float)
    own = [by_hand(net, x, c, 2**33 + 5 + s) for s, (x, c) in enumerate(zip(rows, k, strict=True))]
    assert net.E(X, k, training=True) == pytest.approx(np.mean([E for E, _ in own]), rel=tolerance)
    g = np.mean([g for _, g in own], axis=0)
    np.testing.assert_allclose(net.gradient(X, k, training=True), g, rtol=0, atol=tolerance * np.abs(g).max())
    plain = network(dtype, dropout=0, input_noise=0)
    assert (net.predict(X) == plain.predict(X)).all()
    assert net.E(X, k) == plain.E(X, k)


@pytest.mark.parametrize("block", [1, 16, 24])
@pytest.mark.parametrize("optimizer", ["sgd", "nesterov"])
def test_online_descent_is_a_step_of_that_gradient_for_every_sample(block, optimizer):
    X, k = samples()
    net, own = network(l2=1e-3), network(l2=1e-3)
    for s in range(len(X)):
        own.descend(X[s : s + 1], k[s : s + 1], 0.05, batch_size=2, optimizer=optimizer)
    net.descend(X, k, 0.05, online_block=block, optimizer=optimizer)
    np.testing.assert_allclose(net.theta, own.theta, rtol=1e-11, atol=1e-12)  # blocks round in their own way
    assert net.presented == own.presented == len(X)


def test_one_step_is_eta_times_the_gradient_in_training():
    X, k = samples()
    net = network()
    expected = net.theta - 0.1 * net.gradient(X, k, training=True)
    net.descend(X, k, 0.1, batch_size=len(X))
    np.testing.assert_allclose(net.theta, expected, rtol=1e-13, atol=1e-15)


def test_what_a_sample_meets_does_not_depend_on_the_batch():
    """With η = 0 nothing moves, and the mean E of a pass is that of the draws alone."""
    X, k = samples(300)
    found = []
    for batch_size, block in ((1, 1), (1, 24), (2, None), (7, None), (300, None)):
        net = network()
        found.append(net.descend(X, k, 0.0, batch_size=batch_size, online_block=block))
    assert max(found) - min(found) < 1e-12
    assert found[0] == pytest.approx(network().E(X, k, training=True), rel=1e-12)


@pytest.mark.parametrize("words", [{"batch_size": 64}, {"batch_size": 64, "clip_norm": 0.1}, {"batch_size": 1}])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_threads_change_no_bit(words, dtype, monkeypatch):
    layers = (90, 140, 130, 3)
    X, k = samples(300, layers)
    nets = []
    monkeypatch.setattr(Threads, "took", lambda *_: None)
    for threads in (1, 2, 3):
        monkeypatch.setattr(Threads, "choice", lambda _, threads=threads: threads)
        net = network(dtype, layers=layers)
        net.fit(X, k, epochs=2, eta=0.05, **words)
        nets.append(net)
    assert nets[0] == nets[1] == nets[2]


@pytest.mark.parametrize("batch_size", [1, 8])
def test_a_run_in_pieces_has_the_same_bits(batch_size, tmp_path):
    X, k = samples()
    words = {"eta": 0.05, "batch_size": batch_size, "optimizer": "momentum"}
    whole = network()
    whole.fit(X, k, epochs=4, **words)
    for saved in (lambda net: pickle.loads(pickle.dumps(net)), lambda net: net):
        parts = network()
        for _ in range(4):
            parts.fit(X, k, epochs=1, **words)
            parts = saved(parts)
        assert parts == whole
    path = tmp_path / "run.deltaprop"
    network().fit(X, k, epochs=4, **words, checkpoint=path, callbacks=[lambda now: now.epoch == 2])
    again = network()
    again.fit(X, k, epochs=4, **words, checkpoint=path, resume=True)
    assert again == whole


def test_a_file_holds_shares_noise_and_count(tmp_path):
    X, k = samples()
    net = network()
    net.fit(X, k, epochs=1)
    net.save(tmp_path / "net.deltaprop")
    again = deltaprop.load(tmp_path / "net.deltaprop")
    assert again == net
    assert (again.dropout, again.input_noise, again.presented) == (SHARES, SD, len(X))
    assert Network(**net.config()) == network()
    assert "dropout=[0.2, 0.5, 0.3]" in repr(net)
    assert "input_noise=0.25" in repr(net)
    assert net.reset().presented == 0


def test_sparse_rows_meet_what_dense_ones_do():
    X, k = samples()
    X[np.abs(X) < 1] = 0
    for words in ({"batch_size": 1}, {"batch_size": 8}):
        one, two = network(), network()
        one.fit(X, k, epochs=2, eta=0.05, online_block=1, **words)
        two.fit(scipy.sparse.csr_matrix(X), k, epochs=2, eta=0.05, online_block=1, **words)
        assert one == two


def test_small_networks_with_one_output():
    X = np.random.default_rng(0).normal(size=(40, 3))
    r = (X.sum(axis=1) > 0).astype(float)
    net, own = (Network([3, 8, 1], dropout=0.5, seed=3) for _ in range(2))
    for s in range(len(X)):
        own.descend(X[s : s + 1], r[s : s + 1], 0.1, batch_size=2)
    net.descend(X, r, 0.1)
    np.testing.assert_allclose(net.theta, own.theta, rtol=1e-12)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_gradient_check_goes_with_the_draws(dtype):
    X, k = samples(12)
    net = network(dtype, l2=1e-3)
    assert net.check_gradient(X, k, training=True).ok
    assert net.check_gradient(X, k).ok
    assert net.presented == 0


def test_replaying_traces_of_steps_gives_the_training():
    X, k = samples(10)
    net, own = network(), network()
    for x, c in zip(X, k, strict=True):
        t = own.trace(x, c, eta=0.1)
        layer = t.layers[0]
        np.testing.assert_allclose(layer.change_W, -0.1 * layer.dW, rtol=1e-9, atol=1e-15)
        np.testing.assert_allclose(layer.dW, np.outer(t.x, layer.delta), rtol=1e-12)
        assert (t.x == 0).any()
        after = [layer.W_after for layer in t.layers], [layer.b_after for layer in t.layers]
        own.W, own.b = after
        own._presented += 1
    net.descend(X, k, 0.1, online_block=1)
    assert net == own
    quiet = own.trace(X[0], k[0])
    assert (quiet.x == X[0]).all()


def test_shares_and_sizes_of_what_is_drawn():
    """Of 60,000 units some 30 % are dropped; noise has mean 0 and the deviation asked for: within 4 standard errors."""
    net = Network([60, 1], output="identity", loss="squared_error", dropout=[0.3], init="zeros", bias=False)
    X = np.ones((1000, 60))
    drawn = net.raw_trace(X, np.zeros(1000), training=True).x
    assert abs((drawn == 0).mean() - 0.3) < 4 * math.sqrt(0.21 / 60_000)
    assert set(np.unique(drawn)) == {0.0, 1 / 0.7}
    noisy = Network([60, 1], output="identity", loss="squared_error", input_noise=2.0, bias=False)
    x = noisy.raw_trace(X, np.zeros(1000), training=True).x - 1
    assert abs(x.mean()) < 4 * 2 / math.sqrt(60_000)
    assert abs(x.std() / 2 - 1) < 4 / math.sqrt(2 * 60_000)
    assert abs(np.corrcoef(x[:, 0], x[:, 1])[0, 1]) < 4 / math.sqrt(1000)


def test_one_share_is_of_all_hidden_layers():
    assert Network([2, 3, 4, 1], dropout=0.5).dropout == (0.0, 0.5, 0.5)
    assert Network([2, 1], dropout=0.5).dropout == ()
    assert Network([2, 3, 1], dropout=[0, 0]).dropout == ()
    assert Network([2, 3, 4, 1], dropout=[0.2, 0.5]).dropout == (0.2, 0.5, 0.5)  # of x, and of all hidden layers
    assert Network([2, 3, 4, 1], dropout=[0.2, 0.5, 0.3]).dropout == (0.2, 0.5, 0.3)
    assert Network([2, 3, 1]).dropout == ()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ({"dropout": [0.5]}, "dropout needs one share for all hidden layers, two, .* or 2"),
        ({"dropout": 1}, "at least 0 and below 1; got 1"),
        ({"dropout": -0.1}, "at least 0 and below 1"),
        ({"dropout": float("nan")}, "dropout"),
        ({"dropout": "half"}, "dropout"),
        ({"dropout": [0.1, None]}, "dropout"),
        ({"input_noise": -1}, "input_noise needs to be finite and at least 0"),
        ({"input_noise": float("inf")}, "input_noise"),
    ],
)
def test_nonsense_is_refused(words, message):
    with pytest.raises((TypeError, ValueError), match=message):
        Network([2, 3, 1], **words)
    if not isinstance(words.get("dropout"), list):  # where there is no hidden layer, too
        with pytest.raises((TypeError, ValueError), match=message):
            Network([2, 1], **words)
