"""Health: its figures by hand and beside the trace, the best constant, what it costs, what it refuses."""

import math
import warnings
from typing import Any

import numpy as np
import pytest

from deltaprop import Adam, Momentum, Network
from deltaprop.inspection.health.chance import best_constant
from deltaprop.inspection.health.figures import passes_of
from deltaprop.inspection.health.sample import FEWEST_SAMPLES, MOST_SAMPLES
from deltaprop.model import Model
from health_samples import XOR, finite, rows, sample_of

# ---- the figures ----------------------------------------------------------------------------------------------------


def test_the_figures_of_a_tiny_network_by_hand() -> None:
    """Unit 1 has a = x1 + 2 x2 = 1, 2, 3, 2 and unit 2 its negative; y = z1 / 2, and δ = y − r = 1, 1, 1, −1."""
    net = Network([2, 2, 1], h="relu", output="identity", loss="squared_error")
    net.W = [[[1, -1], [2, -2]], [[0.5], [3]]]
    X, R = [[1, 0], [0, 1], [1, 1], [2, 0]], [-0.5, 0, 0.5, 2]
    report = net.health(X, R)
    first, second = report.layers
    assert (first.layer, first.h, first.units, first.dead, first.saturated) == (1, "relu", 2, 0.5, 0)
    assert (second.layer, second.h, second.units, second.dead, second.saturated) == (2, "identity", 1, 0, 0)
    assert second.delta == 1
    assert second.dW == pytest.approx(1.5)  # √((1 + 4 + 9 + 4) / 8): z of unit 2 is 0
    assert pytest.approx(math.sqrt((0.25 + 9) / 2)) == second.W
    assert first.delta == pytest.approx(math.sqrt(0.25 / 2))  # δ/2 in unit 1, 0 in unit 2
    assert first.dW == pytest.approx(math.sqrt(2 / 16))  # (δ/2) x: ¼ (1 + 1 + 4 + 1 + 1) over 4 samples of 4 weights
    assert pytest.approx(math.sqrt(10 / 4)) == first.W
    assert report.E == 0.5
    assert report.chance == pytest.approx(0.4375)  # half the variance of r, whose mean is ½
    assert (report.samples, report.rows) == (4, 4)
    lines = str(report).splitlines()
    assert lines[0].split() == ["layer", "h", "units", "dead", "saturated", "rms", "δ", "rms", "∂E/∂w", "rms", "w"]
    assert lines[1].split() == ["1", "relu", "2", "50%", "0%", "0.354", "0.354", "1.58"]
    assert (
        lines[3]
        == "E is 0.5 over 4 samples, not trained yet; that of the constant prediction which suits them best is 0.4375."
    )
    assert repr(report) == str(report)


def test_the_update_to_weight_ratio_by_hand() -> None:
    """Under absolute error δ = 1 for every sample, so w = 2 falls by η = 0.01 with each of the 32 steps."""
    net = Network([1, 1], output="identity", loss="absolute_error", bias=False)
    net.W[0] = [[2.0]]
    report = net.health(np.ones((4, 1)), [-5.0, -6, -7, -8], eta=0.01)
    assert report.layers[0].update == pytest.approx(0.01 / (2 - 0.01 * 16))  # the 17th smallest of 32
    assert report.steps is not None
    assert (report.steps.n, report.steps.batch_size, report.steps.eta) == (32, 1, 0.01)
    assert report.steps.E_before == pytest.approx(8.5)
    assert report.steps.E_after == pytest.approx(8.5 - 0.32)
    assert "‖Δw‖/‖w‖" in str(report)
    assert net.W[0][0, 0] == 2
    zero = Network([1, 1], output="identity", loss="absolute_error", bias=False)
    zero.W[0] = [[0.0]]
    assert zero.health(np.ones((4, 1)), [5.0, 5, 5, 5], eta=0.0).layers[0].update is None


def test_the_share_of_saturated_activations_by_hand() -> None:
    """|tanh′| is at most a hundredth from |a| = artanh √0.99 = 2.993 on."""
    net = Network([1, 1, 1], h="tanh")
    net.W[0], net.b[0] = [[1.0]], [0.0]
    report = net.health([[-3.0], [-2.98], [0.0], [2.98], [3.0]], [0, 0, 0, 1, 1])
    assert report.layers[0].saturated == 0.4


def test_the_figures_are_those_of_the_trace() -> None:
    """The shortcut past a wide first layer changes no number but by rounding."""
    for layers in ([40, 6, 3], [3, 6, 4, 2], [6, 2]):
        for bias in (True, False):
            net = Network(layers, h="tanh", bias=bias)
            X = np.random.default_rng(0).normal(size=(9, layers[0]))
            R = np.random.default_rng(1).random((9, layers[-1]))
            t = net.trace(X, R)
            figures, passes, E = passes_of(net, sample_of(net, X, R))
            assert (E == t.E).all()
            for layer, (own, passed) in enumerate(zip(figures, passes, strict=True)):
                expected = t.layers[layer]
                assert (passed.z == expected.z).all()
                assert (passed.delta == expected.delta).all()
                assert own.dW == pytest.approx(np.sqrt(np.mean(expected.dW**2)), rel=1e-12)
                assert own.delta == pytest.approx(np.sqrt(np.mean(expected.delta**2)), rel=1e-12)


@pytest.mark.parametrize(
    ("output", "loss", "r", "y"),
    [
        ("sigmoid", "log", [0, 0, 1, 1, 1], 0.6),
        ("sigmoid", "squared_error", [0, 0, 1, 1, 1], 0.6),
        ("identity", "squared_error", [1e5, 3e5, 5e5], 3e5),
        ("identity", "absolute_error", [1, 2, 40], 2),
        ("identity", "quantile:q=0.75", [1, 2, 3, 4, 5], 4),
        ("exp", "poisson", [0, 3, 30], 11),
        ("exp", "gamma", [1, 3, 11], 5),
        ("exp", "tweedie", [0, 3, 6], 3),
        ("tanh", "squared_error", [-0.5, 0.1], -0.2),
        ("softplus", "squared_error", [1, 3], 2),
        ("sigmoid", "log:label_smoothing=0.2", [0.1, 0.1, 0.9], 11 / 30),
    ],
)
def test_the_best_constant_is_the_one_that_theory_gives(output: str, loss: str, r: list[float], y: float) -> None:
    R = np.array(r, float)[:, None]
    E, found_y = best_constant(Model([1, 1], output=output, loss=loss), R)
    assert found_y[0] == pytest.approx(y, rel=1e-6)
    probe = Model([1, 1], output=output, loss=loss, bias=False)
    a = np.linspace(-3, 3, 61)
    assert all(probe.trace_of(np.full((len(r), 1), b / probe.W[0][0, 0]), R).E.mean() + 1e-12 >= E for b in a)


def test_the_best_constant_of_several_outputs() -> None:
    R = np.eye(3)[[0, 0, 1, 2]]
    for output, loss in (("softmax", "cross_entropy"), ("sigmoid", "log"), ("softmax", "squared_error")):
        _, y = best_constant(Model([1, 3], output=output, loss=loss), R)
        assert y == pytest.approx([0.5, 0.25, 0.25], rel=1e-6)
    E, _ = best_constant(Model([1, 3], output="softmax", loss="cross_entropy"), R)
    assert pytest.approx(1.5 * math.log(2)) == E  # the entropy of ½, ¼, ¼
    E, _ = best_constant(Model([1, 1]), np.ones((4, 1)))
    assert pytest.approx(0) == E  # one class alone


# ---- how it is asked ------------------------------------------------------------------------------------------------


def test_it_says_the_same_each_time_and_leaves_the_network_as_it_was() -> None:
    X, R = rows(1000)
    net = Network([5, 8, 1], h="relu")
    net.fit(X, R, epochs=2, optimizer=Momentum(0.8))
    theta, state, epoch = net.theta, net.state(), net.epoch
    first = net.health(X, R, eta=0.1)
    assert first == net.health(X, R, eta=0.1)
    assert str(first) == str(net.health(X, R, eta=0.1))
    assert first.steps is not None
    assert first.steps.optimizer == "Momentum(mu=0.8)"
    assert net.theta.tobytes() == theta.tobytes()
    assert net.state().memory.tobytes() == state.memory.tobytes()
    assert (net.state().steps, net.epoch) == (state.steps, epoch)
    assert first.samples == MOST_SAMPLES
    assert "over 256 of 1,000 samples" in str(Network([5, 8, 1]).health(X, R))


def test_the_next_steps_are_those_of_fit() -> None:
    """What the optimizer remembers goes on: 32 steps on a copy end at the E that `descend` comes to."""
    X, R = rows(32)
    for optimizer in ("sgd", "nesterov", "adam"):
        net = Network([5, 6, 1], h="tanh")
        net.descend(X, R, 0.05, optimizer=optimizer)
        report = net.health(X, R, eta=0.05)
        order = net.epoch_order(32, 1, shuffle=True)
        net.descend(X[order], R[order], 0.05, optimizer=optimizer, online_block=1)
        assert report.steps is not None
        assert report.steps.E_after == net.E(X, R)


def test_the_work_does_not_grow_with_the_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    work = {"traced": 0, "numbers": 0, "descended": 0, "E": 0, "checked": 0}
    own = {name: getattr(Model, name) for name in ("trace_of", "passing", "mean_loss", "samples")}

    def counted(name: str, key: str, at: int) -> Any:
        def count(self: Model, *args: Any) -> Any:
            if len(self.layers) > 2:  # the best constant has a layer, and the targets it has met before
                work[key] += len(args[at])
                work["numbers"] += len(args[at]) * self.n_parameters * (name == "trace_of")
            return own[name](self, *args)

        return count

    for name, key, at in (
        ("trace_of", "traced", 0), ("passing", "descended", 3), ("mean_loss", "E", 0), ("samples", "checked", 0)
    ):  # fmt: skip
        monkeypatch.setattr(Model, name, counted(name, key, at))
    X, R = rows(100_000)
    seen = []
    for n in (1000, 100_000):
        work.update(dict.fromkeys(work, 0))
        Network([5, 8, 4, 1]).health(X[:n], R[:n], eta=0.1, batch_size=32)
        seen.append(dict(work))
    assert seen[0] == seen[1]
    assert seen[0]["checked"] == seen[0]["descended"] == 256
    assert seen[0]["E"] == 512
    assert seen[0]["numbers"] == 256 * Network([5, 8, 4, 1]).n_parameters
    work.update(dict.fromkeys(work, 0))
    wide = Network([784, 128, 10], output="softmax", loss="cross_entropy", dtype="float32")
    wide.health(np.random.default_rng(0).random((3000, 784)), np.arange(3000) % 10)
    assert work["numbers"] < 2**20
    assert sample_of(Network([100, 300, 300, 1]), X[:, :1] * np.ones(100), R).x.shape == (FEWEST_SAMPLES, 100)


@pytest.mark.parametrize("n", [1, 2, 3])
def test_few_samples_give_figures_and_no_words_about_units(n: int) -> None:
    for arguments in ({"h": "relu"}, {"h": "sigmoid", "dtype": "float32"}):
        X, R = rows(n)
        report = Network([5, 6, 4, 1], **arguments).health(X, R, eta=0.1)
        assert report.ok
        assert finite(report)
        assert "Too few samples for words about units and columns" in str(report)
        assert "All is well" not in str(report)
    softmax = Network([5, 3], output="softmax", loss="cross_entropy").health(X, [0, 2, 1][:n])
    assert softmax.ok
    assert (softmax.layers[0].dead, softmax.layers[0].saturated) == (None, None)
    assert "–" in str(softmax)


def test_lists_and_other_arrays_do_as_well() -> None:
    X, R = rows(600)
    net = Network([5, 6, 1])
    report = net.health(X, R)
    assert net.health(X.tolist(), R.tolist()) == report
    assert net.health(X, R[:, None]) == report
    assert net.health(np.asfortranarray(X), R) == report


def test_what_is_refused() -> None:
    net = Network([2, 3, 1])
    X, R = XOR
    with pytest.raises(ValueError, match=r"Network\.health: X needs shape \(n, 2\), a row of 2 inputs per sample"):
        net.health([[1, 2, 3]], [1])
    with pytest.raises(ValueError, match=r"For one sample pass X\[None, :\]"):
        net.health([1, 2], [1])
    with pytest.raises(ValueError, match="R needs shape"):
        net.health(X, [0, 1])
    with pytest.raises(ValueError, match="R needs shape"):
        net.health(np.zeros((1000, 2)), np.zeros(999))
    with pytest.raises(ValueError, match="targets of loss 'log' are in"):
        net.health(X, [0, 1, 1, 2])
    with pytest.raises(ValueError, match="X has no rows"):
        net.health(np.zeros((0, 2)), [])
    with pytest.raises(ValueError, match="which needs an eta, too"):
        net.health(X, R, optimizer="adam")
    with pytest.raises(ValueError, match="no optimizer is called 'adm'"):
        net.health(X, R, eta=0.1, optimizer="adm")
    with pytest.raises(ValueError, match="eta needs to be finite"):
        net.health(X, R, eta=-1)
    with pytest.raises(ValueError, match="batch_size needs to be at least 1"):
        net.health(X, R, eta=0.1, batch_size=0)
    with pytest.raises(TypeError, match="here it is eta"):
        net.health(X, R, lr=0.1)  # type: ignore[call-arg]


def test_eta_may_be_a_schedule_and_the_optimizer_one_of_its_own() -> None:
    X, R = rows()
    net = Network([5, 6, 1])
    net.fit(X, R, epochs=3)
    report = net.health(X, R, eta=lambda n: 1 / n, optimizer=Adam(beta1=0.5))
    assert report.steps is not None
    assert report.steps.eta == 0.25  # of epoch 4
    assert "beta1=0.5" in report.steps.optimizer


def test_a_healthy_network_warns_nobody() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for h in ("relu", "exp", "tanh"):
            net = Network([5, 6, 6, 1], h=h)
            net.W[0] *= 1e3
            net.health(*rows(), eta=1e6)
