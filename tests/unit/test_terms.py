"""What surrounds the rule of a step: clipping, max-norm, factors of η, averages; held to steps made in NumPy."""

from __future__ import annotations

import numpy as np
import pytest

import deltaprop
from deltaprop import Network
from deltaprop.descent.optimizers import STEP_RULES
from deltaprop.threads import Threads


def problem(dtype="float64", n=37, layers=(5, 11, 7, 3), **words):
    random = np.random.default_rng(4)
    net = Network(list(layers), h="tanh", output="softmax", loss="cross_entropy", dtype=dtype, seed=2, **words)
    X = random.normal(size=(n, layers[0]))
    return net, X, random.integers(0, layers[-1], n)


def gradients(net, X, R):
    """The gradient of E without penalties, as W and b of each layer."""
    flat = Network(**{**net.config(), "l2": 0, "l1": 0})
    flat.theta = net.theta
    return flat.gradient(X, R)


def places(net):
    """Where in theta each layer's W and b stand, in turn."""
    at, found = 0, []
    for n_in, n_out in zip(net.layers, net.layers[1:], strict=False):
        for size in (n_in * n_out, n_out):
            found.append(slice(at, at + size))
            at += size
    return found


@pytest.mark.parametrize("batch_size", [1, 8, 37])
@pytest.mark.parametrize("limit", [0.05, 1e6])
def test_clip_norm_is_the_gradient_of_that_norm(batch_size, limit):
    net, X, R = problem()
    own = net.theta.copy()
    other = Network(**net.config())
    for start in range(0, len(X), batch_size):
        other.theta = own
        g = gradients(other, X[start : start + batch_size], R[start : start + batch_size])
        own = own - 0.3 * g * min(1, limit / np.sqrt(np.square(g).sum()))
    net.descend(X, R, 0.3, batch_size=batch_size, clip_norm=limit)
    np.testing.assert_allclose(net.theta, own, rtol=1e-11, atol=1e-13)


def test_penalties_come_after_clipping():
    net, X, R = problem(l2=0.1, l1=0.01)
    W = [w.copy() for w in net.W]
    g = gradients(net, X, R)
    scale = min(1, 0.05 / np.sqrt(np.square(g).sum()))
    expected = net.theta - 0.3 * g * scale
    for place, w in zip(places(net)[::2], W, strict=True):
        expected[place] -= 0.3 * (0.1 * w + 0.01 * np.sign(w)).ravel()
    net.descend(X, R, 0.3, batch_size=len(X), clip_norm=0.05)
    np.testing.assert_allclose(net.theta, expected, rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize("batch_size", [1, 8])
def test_clip_value(batch_size):
    net, X, R = problem()
    own = net.theta.copy()
    other = Network(**net.config())
    for start in range(0, len(X), batch_size):
        other.theta = own
        g = gradients(other, X[start : start + batch_size], R[start : start + batch_size])
        own = own - 0.3 * np.clip(g, -0.01, 0.01)
    net.descend(X, R, 0.3, batch_size=batch_size, clip_value=0.01)
    np.testing.assert_allclose(net.theta, own, rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize("batch_size", [1, 8])
def test_max_norm_of_the_weights_into_each_unit(batch_size):
    net, X, R = problem()
    own = net.theta.copy()
    other = Network(**net.config())
    touched = 0
    for start in range(0, len(X), batch_size):
        other.theta = own
        own = own - 0.5 * gradients(other, X[start : start + batch_size], R[start : start + batch_size])
        for place, (n_in, n_out) in zip(places(net)[::2], zip(net.layers, net.layers[1:], strict=False), strict=True):
            w = own[place].reshape(n_in, n_out)
            norm = np.sqrt(np.square(w).sum(axis=0))
            touched += (norm > 1.2).sum()
            own[place] = (w * np.minimum(1, 1.2 / norm)).ravel()
    assert touched
    net.descend(X, R, 0.5, batch_size=batch_size, max_norm=1.2)
    np.testing.assert_allclose(net.theta, own, rtol=1e-11, atol=1e-13)
    assert all(np.sqrt(np.square(w).sum(axis=0)).max() <= 1.2 * (1 + 1e-12) for w in net.W)


@pytest.mark.parametrize("batch_size", [1, 8])
def test_factors_of_eta(batch_size):
    net, X, R = problem()
    factors = [1, (0.5, 2), 0]
    own, other = net.theta.copy(), Network(**net.config())
    for start in range(0, len(X), batch_size):
        other.theta = own
        g = gradients(other, X[start : start + batch_size], R[start : start + batch_size])
        for place, factor in zip(places(net), (1, 1, 0.5, 2, 0, 0), strict=True):
            own[place] -= 0.3 * factor * g[place]
    before = net.theta[places(net)[4]].copy()
    net.descend(X, R, 0.3, batch_size=batch_size, eta_factors=factors)
    np.testing.assert_allclose(net.theta, own, rtol=1e-11, atol=1e-13)
    assert (net.theta[places(net)[4]] == before).all()


@pytest.mark.parametrize("optimizer", STEP_RULES)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_kept_gradient_makes_the_same_steps_as_the_tiles(optimizer, dtype):
    """Limits that nothing reaches change no bit of a mini-batch step, whatever the rule, the chunks and the threads."""
    for n, batch_size in ((37, 8), (600, 600)):
        plain, X, R = problem(dtype, n, l2=1e-3)
        kept, _, _ = problem(dtype, n, l2=1e-3)
        weights = np.arange(n) % 3
        for net, words in ((plain, {}), (kept, {"clip_norm": 1e9, "clip_value": 1e9, "max_norm": 1e9})):
            net.fit(
                X, R, epochs=2, eta=0.01, batch_size=batch_size, optimizer=optimizer, decay=0.1, sample_weight=weights,
                **words,
            )  # fmt: skip
        assert kept == plain


@pytest.mark.parametrize("words", [{"clip_norm": 0.1}, {"max_norm": 1}, {"average": "ema:0.9"}, {"clip_value": 0.01}])
def test_threads_change_no_bit(words, monkeypatch):
    nets = []
    monkeypatch.setattr(Threads, "took", lambda *_: None)
    for threads in (1, 2, 3):
        monkeypatch.setattr(Threads, "choice", lambda _, threads=threads: threads)
        net, X, R = problem("float32", 300, (70, 130, 90, 3))
        net.fit(X, R, epochs=2, eta=0.1, batch_size=64, **words)
        nets.append(net)
    assert nets[0] == nets[1] == nets[2]


def test_weight_0_makes_no_step_online():
    one, X, R = problem()
    two, _, _ = problem()
    w = np.ones(len(X))
    w[3:9] = 0
    one.descend(X, R, 0.1, optimizer="momentum", clip_norm=0.1, sample_weight=w)
    two.descend(X[w > 0], R[w > 0], 0.1, optimizer="momentum", clip_norm=0.1)
    assert one == two
    assert one.steps == two.steps == len(X) - 6


class TestAverages:
    @pytest.mark.parametrize("batch_size", [1, 8])
    def test_running(self, batch_size):
        net, X, R = problem()
        own, other = net.theta.copy(), Network(**net.config())
        mean = own.copy()
        for epoch in (1, 2):
            order = net.epoch_order(len(X), epoch, True)
            for start in range(0, len(X), batch_size):
                rows = order[start : start + batch_size]
                other.theta = own
                own = own - 0.3 * gradients(other, X[rows], R[rows])
                mean += 0.1 * (own - mean)
        net.fit(X, R, epochs=2, eta=0.3, batch_size=batch_size, average="ema:0.9")
        np.testing.assert_allclose(net.theta, mean, rtol=1e-10, atol=1e-13)

    def test_of_the_last_epochs(self):
        net, X, R = problem()
        seen = []
        look = [lambda now: seen.append(now.model.theta.copy())]
        net.fit(X, R, epochs=7, batch_size=8, average="last:3", callbacks=look)
        np.testing.assert_allclose(net.theta, np.mean(seen[-3:], axis=0), rtol=1e-14)
        assert net.average is None

    def test_validation_and_the_best_epoch_go_by_it(self):
        net, X, R = problem(n=60)
        history = net.fit(X, R, epochs=6, batch_size=8, average="ema:0.95", validation=(X[:20], R[:20]), keep="best")
        assert net.E(X[:20], R[:20]) == pytest.approx(min(history.E_validation), rel=1e-12)

    @pytest.mark.parametrize("average", ["ema:0.9", "last:3"])
    def test_a_resumed_run_has_the_same_bits(self, average, tmp_path):
        words = {"epochs": 6, "eta": 0.1, "batch_size": 8, "average": average}
        whole, X, R = problem()
        whole.fit(X, R, **words)
        part, _, _ = problem()
        path = tmp_path / "run.deltaprop"
        part.fit(X, R, **words, checkpoint=path, callbacks=[lambda now: now.epoch == 4])
        again, _, _ = problem()
        history = again.fit(X, R, **words, checkpoint=path, resume=True)
        assert len(history.E) == 6
        assert again == whole


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ({"clip_norm": 0}, "fit: clip_norm needs to be above 0; got 0"),
        ({"clip_value": -1}, "fit: clip_value needs to be above 0; got -1"),
        ({"max_norm": float("nan")}, "max_norm"),
        ({"clip_norm": "1"}, "clip_norm"),
        ({"clip_norm": True}, "clip_norm"),
        ({"eta_factors": [1, 2]}, "eta_factors needs a number for each of the 3 layers"),
        ({"eta_factors": [1, 2, (1, 2, 3)]}, "eta_factors needs a number"),
        ({"eta_factors": [1, 2, -1]}, "eta_factors need to be finite and at least 0"),
        ({"eta_factors": 2}, "eta_factors needs a number"),
        ({"average": "emma"}, "Did you mean 'ema'"),
        ({"average": "ema:1"}, "keep"),
        ({"average": "last:2.5"}, "epochs needs to be whole, at least 1; got 2.5"),
        ({"average": 3}, "average needs to be"),
    ],
)
def test_nonsense_is_refused_before_any_work(words, message):
    net, X, R = problem()
    before = net.theta
    with pytest.raises((TypeError, ValueError), match=message):
        net.fit(X, R, epochs=1, **words)
    assert (net.theta == before).all()


def test_a_float32_limit_that_rounds_to_0_is_refused():
    net, X, R = problem("float32")
    with pytest.raises(ValueError, match="clip_norm"):
        net.fit(X, R, epochs=1, clip_norm=1e-60)


def test_clipping_saves_a_descent_that_diverges():
    random = np.random.default_rng(0)
    X = random.normal(size=(200, 5)) * 30
    R = X.sum(axis=1) ** 2
    words = {"output": "identity", "loss": "squared_error", "h": "relu"}
    with pytest.raises(deltaprop.DivergenceError):
        Network([5, 20, 1], **words).fit(X, R, epochs=5, eta=0.01, batch_size=10)
    history = Network([5, 20, 1], **words).fit(X, R, epochs=5, eta=0.01, batch_size=10, clip_norm=1.0)
    assert np.isfinite(history.E).all()
