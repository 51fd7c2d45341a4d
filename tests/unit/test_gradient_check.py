"""The gradient check catches what is wrong, and calls right what is right."""

import contextlib
from typing import Any

import numpy as np
import pytest

from deltaprop import DivergenceError, Network
from deltaprop.functions import ACTIVATIONS
from deltaprop.inspection.gradient_check import GroupCheck, compare_gradient
from deltaprop.inspection.gradient_check.report import worst_of
from deltaprop.model import Model
from problems import network, samples

Array = np.ndarray[Any, Any]


def uncaught(net: Model, X: Array, R: Array, size: float = 1e-4) -> int:
    """How many terms that are not 0 may be wrong by 1e-4 without a word; that none is so as it stands is asserted."""
    right = net.gradient(X, R).astype(float)
    report = compare_gradient(net, right, X, R)
    assert report.ok, report
    missed = 0
    for k in np.flatnonzero(right):
        wrong = right.copy()
        wrong[k] *= 1 + size
        report = compare_gradient(net, wrong, X, R)
        missed += report.ok
        if not report.ok:
            group = worst_of(report.groups)
            assert group.analytic == wrong[k]
            assert honest(group)
            assert report.worst == group.worst < 1.5 * size
            assert f"DISAGREES with central differences: relative error {group.worst:.1e} at {group.name}" in str(
                report
            )
    return missed


def honest(group: GroupCheck) -> bool:
    """Whether the error is the one of the two numbers beside it."""
    a, n = group.analytic, group.numeric
    return group.worst == (abs(a - n) / max(abs(a), abs(n)) if a or n else 0)


@pytest.mark.parametrize("h", [name for name, entry in ACTIVATIONS.items() if not entry.output_only])
def test_an_error_of_1e_4_planted_in_any_term_is_caught(h: str) -> None:
    """Whatever h is, and however large E is beside a gradient."""
    for output, loss, size in (("sigmoid", "log", 1), ("identity", "squared_error", 1000)):
        net = network([3, 4, 2, 1], h=h, output=output, loss=loss)
        net.theta = net.theta / 2
        X, R = samples(net, 9)
        assert uncaught(net, X, R * size + 5 * (size > 1)) == 0, output


@pytest.mark.parametrize("h", ["relu", "gelu", "selu", "hard_sigmoid"])
def test_it_is_caught_in_trained_networks_too(h: str) -> None:
    """Descent moves kinks of h to within 1e-5 of samples."""
    for seed in range(3):
        net = Network([4, 6, 1], h=h, seed=seed)
        X, R = samples(net, 30, seed=seed)
        net.fit(X, R, epochs=40, eta=0.05)
        assert uncaught(net, X, R) == 0, seed


def test_float32_lets_pass_what_its_own_rounding_may_be() -> None:
    """By a bound for each entry: most are caught at 1e-4, all but those that nearly cancel at 1e-3."""
    for h in ("tanh", "relu", "sigmoid"):
        net = Network([5, 6, 4, 1], h=h, dtype="float32")
        X, R = samples(net, 30)
        assert uncaught(net, X, R) <= 0.15 * net.n_parameters, h
        assert uncaught(net, X, R, 2e-3) == 0, h


@pytest.mark.parametrize("seed", range(12))
def test_right_gradients_of_any_network_agree(seed: int) -> None:
    """Of both dtypes, fresh and trained, with kinks near by."""
    rng = np.random.default_rng(seed)
    names = [name for name, entry in ACTIVATIONS.items() if not entry.output_only]
    for k in range(8):
        layers = [int(units) for units in rng.integers(1, 7, size=rng.integers(1, 5))]
        output, loss = [("sigmoid", "log"), ("identity", "huber"), ("softmax", "cross_entropy")][k % 3]
        h, dtype = str(rng.choice(names)), ["float32", "float64"][k % 2]
        net = network([*layers, 2], h=h, output=output, loss=loss, dtype=dtype, seed=seed)
        net.theta = net.theta / (4 if h == "exp" else 2)
        X, R = samples(net, int(rng.integers(2, 40)), seed=seed)
        with contextlib.suppress(DivergenceError):
            net.fit(X, R, epochs=int(rng.integers(0, 60)), eta=0.03)
        report = net.check_gradient(X, R)
        assert report.ok, (h, output, loss, layers, report)
        assert all(map(honest, report.groups))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_errors_of_a_percent_are_caught_in_float32_and_in_small_entries(dtype: str) -> None:
    """Entries a thousand times smaller than the largest of their group are checked, too."""
    net = network([3, 4, 2], h="tanh", dtype=dtype)
    X, R = samples(net, 6)
    X[:, 0] *= 1e-3  # so are the gradients of its weights
    right = net.gradient(X, R)
    assert compare_gradient(net, right, X, R).ok
    planted = 0
    for k in range(net.n_parameters):
        if abs(right[k]) < 1e-4 * np.abs(right).max():
            continue
        wrong = right.copy()
        wrong[k] *= 1.01 if dtype == "float64" else 1.1
        assert not compare_gradient(net, wrong, X, R).ok, k
        planted += 1
    assert planted > 20


def test_the_words(capsys: pytest.CaptureFixture[str]) -> None:
    net = network([2, 3, 1])
    X, R = samples(net, 5)
    report = net.check_gradient(X, R)
    text = str(report)
    assert text.splitlines()[-1].startswith("The gradient agrees with central differences: relative error ")
    assert "layer 1 weights" in text
    assert "layer 2 biases" in text
    assert report.worst == worst_of(report.groups).worst
    assert all(g.ok and g.allowed == pytest.approx(1e-6, rel=0.1) for g in report.groups)
    assert [(g.layer, g.group, g.checked, g.size) for g in report.groups] == [
        (1, "weights", 6, 6),
        (1, "biases", 3, 3),
        (2, "weights", 3, 3),
        (2, "biases", 1, 1),
    ]


def test_the_network_is_left_as_it_was() -> None:
    net = network([2, 3, 1], dtype="float32")
    before = net.theta
    assert net.check_gradient(*samples(net, 5)).ok
    assert net.theta.tobytes() == before.tobytes()


def test_a_kink_within_the_step_is_no_error() -> None:
    net = network([1, 2, 1], h="relu", output="identity", loss="squared_error")
    net.W[0] = [[1, 1]]
    net.b[0] = [-1 + 3e-6, 1]  # the first unit's a is 3e-6 above its kink
    assert net.check_gradient([[1.0]], [[0.3]]).ok


def test_a_sample_exactly_at_the_kink_is_said_and_is_no_error() -> None:
    """Biases start at 0: the sample (0, 0) puts every a of the first layer on relu's kink."""
    X, R = [[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0]
    net = Network([2, 4, 1], h="relu")
    report = net.check_gradient(X, R)
    assert report.ok, report
    assert report.groups[1].kinks == 4
    assert "layer 1 biases        4 checked, all at a kink of h" in str(report)
    wrong = net.gradient(np.array(X, float), R)
    wrong[8] += 1.0  # a bias, beyond both slopes
    assert not compare_gradient(net, wrong, X, R).ok


@pytest.mark.parametrize("seed", [19, 25, 380, 413])
def test_samples_at_a_kink_whose_slopes_nearly_cancel_are_no_error(seed: int) -> None:
    """All of layer 1 is dead for two samples, so that layer 2 stands at its kink, and their δ all but cancel."""
    rng = np.random.default_rng(seed)
    net = Network([2, 2, 2, 1], h="relu", seed=seed)
    X, R = rng.normal(size=(3, 2)), rng.integers(0, 2, 3).astype(float)
    right = net.gradient(X, R)
    assert compare_gradient(net, right, X, R).ok
    k = int(np.abs(right).argmax())
    right[k] *= 1 + 1e-4
    assert not compare_gradient(net, right, X, R).ok


@pytest.mark.parametrize("h", ["max(0, a)**2", "a * abs(a)", "max(a, 0) + log(1 + exp(-abs(a)))"])
def test_curvature_that_jumps_is_no_error(h: str) -> None:
    X, R = [[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0]
    for seed in range(10):
        assert Network([2, 4, 1], h=h, seed=seed).check_gradient(X, R).ok, seed


def test_zero_against_zero_agrees() -> None:
    net = network([2, 3, 1], h="relu")
    net.b[0] = [-100, -100, -100]  # dead: every gradient below is 0
    report = net.check_gradient(*samples(net, 5))
    assert report.ok
    assert report.groups[0].worst == 0


def test_large_layers_are_sampled_and_checked_along_directions() -> None:
    net = network([120, 50, 1])
    X, R = samples(net, 20)
    right = net.gradient(X, R)
    report = compare_gradient(net, right, X, R)
    assert report.ok
    group = report.groups[0]
    assert (group.checked, group.size, group.directions) == (500, 6000, 20)
    assert "500 checked (a sample of 6,000, and 20 directions of all)" in str(report)
    wrong = right.copy()
    wrong[:6000] *= 1 + 1e-4
    assert not compare_gradient(net, wrong, X, R).ok


@pytest.mark.parametrize("h", ["relu", "tanh"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_wrong_term_of_a_large_layer_is_named(h: str, dtype: str) -> None:
    """Sampled or not: a direction disagrees, and is halved until the term is left."""
    net = network([120, 50, 1], h=h, dtype=dtype)
    X, R = samples(net, 20)
    right = net.gradient(X, R).astype(float)
    assert compare_gradient(net, right, X, R).ok
    typical = np.sqrt(np.square(right[:6000]).mean())
    places = np.flatnonzero(np.abs(right[:6000]) > typical / 2)
    for k in places[:: len(places) // 5]:
        for factor in (-1, 0, 1 + (1e-4 if dtype == "float64" else 1e-2)):
            wrong = right.copy()
            wrong[k] *= factor
            report = compare_gradient(net, wrong, X, R)
            assert not report.ok
            assert report.groups[0].name == f"W[0][{k // 50}, {k % 50}]"
            assert honest(report.groups[0])


def test_to_name_a_wrong_term_costs_a_logarithm_of_the_parameters(monkeypatch: pytest.MonkeyPatch) -> None:
    evaluations = [0]
    mean_loss = Model.mean_loss

    def counted(model: Model, *arguments: Any, **words: Any) -> float:
        evaluations[0] += 1
        return mean_loss(model, *arguments, **words)

    monkeypatch.setattr(Model, "mean_loss", counted)
    calls = []
    for n in (100, 1600):
        net = network([n, 60, 3], h="tanh")
        X, R = samples(net, 10)
        wrong = net.gradient(X, R)
        wrong[77] *= -1
        evaluations[0] = 0
        assert compare_gradient(net, wrong, X, R).groups[0].name == "W[0][1, 17]"
        calls.append(evaluations[0])
    assert calls[1] < calls[0] + 4 * 2 * 32  # 16 times the parameters are 4 more halvings


@pytest.mark.parametrize("h", ["relu", "tanh"])
def test_the_cost_does_not_grow_with_the_parameters(h: str) -> None:
    mean_loss, calls = Model.mean_loss, []
    for n in (100, 400):
        net = network([n, 60, 3], h=h, dtype="float32")
        X, R = samples(net, 30)
        evaluations = 0

        def counted(model: Model, *arguments: Any, **words: Any) -> float:
            nonlocal evaluations
            evaluations += 1
            return mean_loss(model, *arguments, **words)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Model, "mean_loss", counted)
            assert net.check_gradient(X, R).ok
        calls.append(evaluations)
    assert calls[1] < 1.2 * calls[0]


def test_what_is_not_finite_is_refused() -> None:
    net = network([2, 1], output="identity", loss="squared_error")
    with pytest.raises(ValueError, match="not finite"):
        net.check_gradient(np.full((1, 2), 1e300), [[0.0]])
