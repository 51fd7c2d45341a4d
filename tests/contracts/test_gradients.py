"""Every h × output × loss that go together: the engine's gradient against central differences, and its E."""

import numpy as np
import pytest

from deltaprop.functions import ACTIVATIONS
from problems import Oracle, difference, network, pairs, samples

HIDDEN = [name for name, entry in ACTIVATIONS.items() if not entry.output_only]


def test_how_many_there_are() -> None:
    assert len(HIDDEN) == 4
    assert len(pairs()) == 9  # squared_error with all five, log and cross_entropy with sigmoid and softmax


@pytest.mark.parametrize(("output", "loss"), pairs())
@pytest.mark.parametrize("h", HIDDEN)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_against_central_differences(h: str, output: str, loss: str, dtype: str, instruction_set: str) -> None:
    net = network([3, 5, 4, 3], h=h, output=output, loss=loss, dtype=dtype)
    X, R = samples(net, 7)
    weights = np.array([1, 0, 2, 0.5, 1, 3, 1])
    report = net.check_gradient(X, R, weights)
    assert report.ok, report
    assert len(report.groups) == 6


@pytest.mark.parametrize(("output", "loss"), pairs())
def test_E_is_the_definition(output: str, loss: str, instruction_set: str) -> None:
    net = network([3, 4, 3], output=output, loss=loss)
    X, R = samples(net, 9)
    oracle = Oracle(net)
    weights = np.arange(9.0)
    assert net.E(X, R) == pytest.approx(oracle.E(X, R).mean(), rel=1e-12)
    assert net.E(X, R, weights) == pytest.approx(oracle.E(X, R) @ weights / weights.sum(), rel=1e-12)
    assert difference(net.gradient(X, R, weights), oracle.gradient(X, R, weights) / weights.sum()) < 1e-12


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("output", "loss"), [("sigmoid", "log"), ("softmax", "cross_entropy")])
def test_log_losses_are_finite_far_out(output: str, loss: str, dtype: str, instruction_set: str) -> None:
    """At a = ±800 y has rounded to 0 or 1, and E is |a| or 0 nevertheless."""
    net = network([1, 2], output=output, loss=loss, bias=False, dtype=dtype)
    net.W[0] = [[800, -800]]
    right, wrong = [[1.0, 0.0]], [[0.0, 1.0]]
    assert net.E([[1.0]], right) == 0
    assert net.E([[1.0]], wrong) == 1600
    np.testing.assert_allclose(net.trace([1.0], wrong[0]).layers[0].delta, [1, -1])
    assert not net.gradient([[1.0]], right).any()


@pytest.mark.parametrize(("output", "loss"), pairs())
def test_saturated_outputs_stay_finite(output: str, loss: str, instruction_set: str) -> None:
    """Wherever a = ±800 leads, E and the gradient of every pair stay finite."""
    net = network([1, 3], output=output, loss=loss, bias=False)
    net.W[0] = [[800, -800, 0]]
    for k in range(3):
        r = np.eye(3)[k][None]
        assert np.isfinite(net.E([[1.0]], r))
        assert np.isfinite(net.gradient([[1.0]], r)).all()
