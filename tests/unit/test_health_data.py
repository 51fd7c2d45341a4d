"""Health: what is wrong with a start or the data is named, and E is held against a network where the rows can tell."""

import math

import numpy as np
import pytest

from deltaprop import Network
from health_samples import SOFTMAX, XOR, finite, found, imbalanced, quantities, rows, sample_of

# ---- what may be wrong with the start and the data -------------------------------------------------------------------


@pytest.mark.parametrize(("output", "loss", "bias"), [("sigmoid", "log", 50.0), ("identity", "squared_error", 500.0)])
def test_an_output_bias_far_off_is_named(output: str, loss: str, bias: float) -> None:
    X, R = rows(600)
    net = Network([5, 8, 1], output=output, loss=loss)
    net.b[1] = [bias]
    for eta in (None, 0.01):
        report = net.health(X, R, eta=eta)
        assert found(report) == [("chance", None)]
        assert f"E is {report.E:.4g} before training, far above the {report.chance:.4g}" in report.findings[0].message
        assert f"b with an rms of {bias:.3g}" in report.findings[0].message
        assert "biases of the output are far too large" in report.findings[0].message
    net.descend(X[:1], R[:1], 1e-6)
    assert "after training, far above" in net.health(X, R).findings[0].message


@pytest.mark.parametrize("h", ["relu", "gelu"])
@pytest.mark.parametrize(("output", "loss"), [("sigmoid", "log"), ("identity", "squared_error")])
def test_weights_far_too_large_are_named_and_not_the_eta(h: str, output: str, loss: str) -> None:
    X, R = rows(600)
    net = Network([5, 16, 8, 1], h=h, output=output, loss=loss)
    net.W = [50 * W for W in net.W]
    for eta in (None, 0.05):
        report = net.health(X, R, eta=eta)
        assert found(report) == [("chance", None)]
        assert "The weights are far too large" in report.findings[0].message
        assert finite(report)


def test_targets_that_are_all_the_same_are_named() -> None:
    X, _ = rows(600)
    for R in (np.ones(600), np.zeros(600), np.full(600, 0.5)):
        net = Network([5, 8, 1])
        for epochs in (0, 20):
            net.fit(X, R, epochs=epochs, eta=0.05)
            report = net.health(X, R)
            assert found(report) == [("targets", 2)]
            assert f"all 600 targets are the same, r = {R[0]:g}" in report.findings[0].message
    R = np.ones(600)
    R[7] = 0
    assert Network([5, 8, 1]).health(X, R).ok


@pytest.mark.parametrize(("n", "value"), [(600, 1e5), (600, -1e5), (200, 100.0)])
def test_an_outlier_is_named_wherever_it_is(n: int, value: float) -> None:
    X, r = quantities(n)
    regression = Network([5, 8, 1], h="tanh", output="identity", loss="squared_error")
    assert regression.health(X, r).ok
    for row in (3, n - 5):
        wrong = X.copy()
        wrong[row, 2] = value
        report = Network([5, 8, 1]).health(wrong, r > 0)
        assert found(report) == [("inputs", 0)]
        assert f"x3 is {value:.4g} in row {row} (counted from 0), and half of its rows lie from" in (
            report.findings[0].message
        )
        targets = r.copy()
        targets[row] = value
        assert found(regression.health(X, targets)) == [("targets", 2)]
        assert Network([5, 8, 1], h="tanh", output="identity", loss="huber").health(X, targets).findings[:1] == ()


def test_heavy_tails_and_rare_columns_are_no_outliers() -> None:
    rng = np.random.default_rng(1)
    X, R = rows(5000)
    X[:, 0] = np.exp(rng.normal(size=5000))  # incomes
    X[:, 1] = rng.standard_t(4, size=5000)
    X[:, 2] = (rng.random(5000) < 0.001) * 12  # mostly 0
    assert Network([5, 8, 1]).health(X, R).ok


@pytest.mark.parametrize("loss", ["hinge", "squared_hinge"])
def test_margins_that_the_output_cannot_reach_are_named(loss: str) -> None:
    X, R = rows()
    for output in ("sigmoid", "relu", "softplus"):
        report = Network([5, 8, 1], h="tanh", output=output, loss=loss).health(X, R)
        assert found(report) == [("targets", 2)]
        assert f"asks for y of −1 or less where r is 0 and 1 or more where it is 1, and output {output}" in (
            report.findings[0].message
        )
    for output in ("identity", "tanh", "leaky_relu"):
        assert Network([5, 8, 1], h="tanh", output=output, loss=loss).health(X, R).ok


def test_weights_that_have_collapsed_are_named() -> None:
    net = Network([2, 2, 1], h="tanh", seed=0)
    net.fit(*XOR, epochs=20_000, eta=1.0)
    report = net.health(*XOR)
    assert found(report) == [("collapsed weights", 1), ("chance", None)]
    assert "all weights of layers 1 and 2 are about 0" in report.findings[0].message


def test_saturation_by_a_bias_is_laid_to_the_bias() -> None:
    net = Network([5, 8, 1], h="tanh")
    net.b[0] = np.full(8, 40.0)
    report = net.health(*rows())
    assert found(report) == [("saturated units", 1)]
    assert "b with an rms of 40" in report.findings[0].message
    assert "set them to 0" in report.findings[0].message
    net = Network([5, 8, 1], h="tanh")
    net.W[0] *= 100
    assert "smaller weights or a smaller eta" in net.health(*rows()).findings[0].message


def test_classes_so_unbalanced_that_nothing_is_learned_are_named() -> None:
    X = np.random.default_rng(0).normal(size=(4000, 5))
    R = np.zeros(4000)
    R[:40] = 1
    X[:40, 0] += 0.2
    for kwargs, r in (({}, R), (SOFTMAX, R.astype(int))):
        net = Network([5, 8, 2 if kwargs else 1], **kwargs)  # type: ignore[arg-type]
        assert net.health(X, r).ok
        net.fit(X, r, epochs=1, eta=0.5)
        (finding,) = net.health(X, r).findings
        assert finding.kind == "chance"
        assert "the classes are unbalanced: 0.99 of all is of one of them" in finding.message
        assert finding.figures["most frequent"] == pytest.approx(0.99)


# ---- weights and rare classes ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("n", [200, 3000])
def test_E_is_compared_with_the_weights_of_training(n: int) -> None:
    X, R = imbalanced(n)
    net = Network([5, 8, 1], h="tanh")
    net.fit(X, R, epochs=20, eta=0.05, class_weight="balanced")
    assert ("chance", None) in found(net.health(X, R))  # without the weights it does no better, indeed
    report = net.health(X, R, class_weight="balanced")
    assert report.ok, report
    assert report.chance == pytest.approx(math.log(2), rel=0.2)
    weights = np.where(R == 1, 0.5 / R.mean(), 0.5 / (1 - R.mean()))
    assert str(net.health(X, R, weights)) == str(report)
    assert str(net.health(X.tolist(), R.tolist(), class_weight="balanced")) == str(report)
    if n == 200:
        assert pytest.approx(net.E(X, R, class_weight="balanced")) == report.E


def test_the_steps_that_are_tried_have_the_weights() -> None:
    X, R = rows(32)
    weights = np.arange(32.0)
    net = Network([5, 6, 1], h="tanh")
    steps = net.health(X, R, weights, eta=0.05).steps
    assert steps is not None
    assert pytest.approx(net.E(X, R, weights)) == steps.E_before
    kept = np.flatnonzero(weights)  # a row of weight 0 is not looked at
    order = kept[net.epoch_order(31, 1, shuffle=True)[np.arange(32) % 31]]
    net.descend(X[order], R[order], 0.05, sample_weight=weights[order], online_block=1)
    assert pytest.approx(net.E(X, R, weights)) == steps.E_after


def test_rows_of_weight_0_are_not_looked_at() -> None:
    X, R = rows(1000)
    weights = np.zeros(1000)
    weights[::4] = 2
    net = Network([5, 6, 1])
    report = net.health(X, R, weights)
    assert (report.samples, report.rows) == (250, 1000)
    assert report.layers == net.health(X[::4], R[::4]).layers
    with pytest.raises(ValueError, match="every sample_weight is 0"):
        net.health(X, R, np.zeros(1000))
    with pytest.raises(ValueError, match="sample_weight needs shape"):
        net.health(X, R, weights[1:])


def test_a_class_that_no_row_looked_at_has_is_looked_for_further() -> None:
    """Five of 5,000 are of class 1, and perfectly told apart."""
    X = np.random.default_rng(0).normal(size=(5000, 5))
    R = np.zeros(5000)
    R[:5] = 1
    X[:5, 0] += 8
    net = Network([5, 8, 1])
    net.fit(X, R, epochs=30, eta=0.05)
    assert not sample_of(net, X, R).r.any()
    assert net.health(X, R).ok
    assert net.health(X, R).compared == 4096
    report = net.health(X[:4000], R[:4000])  # which are few enough for all to be looked at
    assert report.ok, report
    assert report.compared == 4000
    assert pytest.approx(net.E(X[:4000], R[:4000])) == report.E
    p = 5 / 4000
    assert pytest.approx(-p * math.log(p) - (1 - p) * math.log(1 - p)) == report.chance


def test_where_rows_cannot_tell_E_is_not_held_against_a_network() -> None:
    """One in 60,000, which is not among the rows looked at."""
    X = np.random.default_rng(0).normal(size=(60_000, 5))
    R = np.zeros(60_000)
    R[30_000] = 1
    net = Network([5, 8, 1])
    net.fit(X, R, epochs=1, eta=0.05)
    assert net.health(X, R).ok


def test_a_network_hardly_better_than_chance_is_compared_on_more_rows() -> None:
    rng = np.random.default_rng(2)
    X = rng.normal(size=(8000, 5))
    R = (rng.random(8000) < 0.5 + 0.06 * np.sign(X[:, 0])).astype(float)
    for seed in range(5):
        net = Network([5, 1], seed=seed)
        net.fit(X, R, epochs=20, eta=0.001)
        assert net.health(X, R).ok
    assert net.health(X, 1 - R).compared == 4096
    assert found(net.health(X, 1 - R)) == [("chance", None)]
