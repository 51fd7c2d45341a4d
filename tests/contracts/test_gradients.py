"""Every h × output × loss that go together: the engine's gradient against central differences, and its E."""

from collections import Counter
from typing import Any

import mpmath
import numpy as np
import pytest

from deltaprop.functions import ACTIVATIONS, LOSSES
from problems import LECTURE, LECTURE_LOSSES, LECTURE_PAIRS, Oracle, difference, network, pairs, samples

HIDDEN = [name for name, entry in ACTIVATIONS.items() if not entry.output_only]

WITH_PARAMETERS = ["huber:delta=0.4", "quantile:q=0.9", "quantile:q=0.1,0.5,0.9", "tweedie:p=1.1", "focal:gamma=0.5"]
WITH_PARAMETERS += ["log:label_smoothing=0.2", "cross_entropy:label_smoothing=0.2"]


def test_how_many_there_are() -> None:
    assert len(HIDDEN) == 25
    of_loss = Counter(loss for _, loss in pairs())
    anywhere = ["squared_error", "absolute_error", "huber", "log_cosh", "quantile", "hinge", "squared_hinge"]
    above_0 = ["poisson", "gamma", "tweedie"]  # sigmoid, softmax, gaussian, softplus, squareplus, exp
    assert of_loss == {
        **dict.fromkeys(anywhere, 26),
        **dict.fromkeys(above_0, 6),
        **dict.fromkeys(["log", "focal"], 2),  # sigmoid, softmax
        **dict.fromkeys(["cross_entropy", "kl"], 3),  # and gaussian, which comes to 1, but not to 0
    }
    assert len(LECTURE_PAIRS) == 9


def check(h: str, output: str, loss: str, dtype: str, class_weight: Any = None) -> None:
    net = network([3, 5, 4, 3], h=h, output=output, loss=loss, dtype=dtype)
    X, R = samples(net, 7)
    if class_weight is not None:
        R = np.eye(3)[[0, 1, 2, 1, 1, 0, 2]]
    weights = np.array([1, 0, 2, 0.5, 1, 3, 1])
    report = net.check_gradient(X, R, weights, class_weight=class_weight)
    assert report.ok, report
    assert len(report.groups) == 6
    assert sum(group.kinks for group in report.groups) == 0


@pytest.mark.parametrize(("output", "loss"), LECTURE_PAIRS)
@pytest.mark.parametrize("h", LECTURE)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_against_central_differences(h: str, output: str, loss: str, dtype: str, instruction_set: str) -> None:
    check(h, output, loss, dtype)


@pytest.mark.parametrize("h", [*HIDDEN, "leaky_relu:slope=0.3", "elu:alpha=0.5", "celu:alpha=2"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_every_pair_against_central_differences(h: str, dtype: str) -> None:
    for output, loss in pairs():
        if loss in LECTURE_LOSSES:
            check(h, output, loss, dtype)


@pytest.mark.parametrize("loss", [*LOSSES, *WITH_PARAMETERS])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_every_loss_against_central_differences(loss: str, dtype: str, instruction_set: str) -> None:
    """With every output, weighted by sample; where targets are classes, by class too."""
    for output, name in pairs():
        if name == loss.partition(":")[0]:
            check("tanh", output, loss, dtype)
    if LOSSES[loss.partition(":")[0]].targets in ("unit", "distribution", "class"):
        check("tanh", LOSSES[loss.partition(":")[0]].canonical, loss, dtype, class_weight=[1, 4, 0.5])


@pytest.mark.parametrize("h", HIDDEN)
def test_the_whole_product(h: str) -> None:
    """Every h × output × loss × weighting, on small networks; at most one parameter in a hundred stands at a kink."""
    checked = kinks = 0
    for output, loss in pairs():
        net = network([2, 3, 2], h=h, output=output, loss=loss)
        if h == "exp":
            net.theta = net.theta / 3
        X, R = samples(net, 5)
        weightings: list[dict[str, Any]] = [{}, {"sample_weight": [1, 0, 2, 0.5, 3]}]
        if LOSSES[loss].targets in ("unit", "distribution", "class"):
            R = np.eye(2)[[0, 1, 1, 0, 1]]
            weightings.append({"class_weight": "balanced", "sample_weight": [1, 2, 1, 0.5, 3]})
        for weighting in weightings:
            report = net.check_gradient(X, R, **weighting)
            assert report.ok, (output, loss, weighting, report)
            checked += sum(group.checked for group in report.groups)
            kinks += sum(group.kinks for group in report.groups)
    assert checked > 210 * 2 * 17
    assert kinks <= checked / 100


@pytest.mark.parametrize("h", HIDDEN)
def test_every_h_in_training_is_the_textbook(h: str, instruction_set: str) -> None:
    """Deep and wide, online in blocks, in batches, and small enough for the registers: as hidden layer and output."""
    for layers, output, batch_size in (
        ([6, 20, 7, 3], "sigmoid", 1),
        ([30, 9, 1], "sigmoid", 1),
        ([4, 5, 1], h, 1),
        ([5, 8, 2], h, 9),
    ):
        loss = "log" if output == "sigmoid" else "squared_error"
        net = network(layers, h=h, output=output, loss=loss)
        net.theta = net.theta / 2
        X, R = samples(net, 40)
        X, R = X / 4, abs(R) / 4
        oracle = Oracle(net)
        net.descend(X, R, 0.02, batch_size=batch_size)
        oracle.descend(X, R, 0.02, batch_size, np.ones(40))
        assert difference(net.theta, oracle.theta) < 1e-11, (layers, output)


@pytest.mark.parametrize(("output", "loss"), LECTURE_PAIRS)
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


def exact(output: str, loss: str, a: np.ndarray, r: np.ndarray) -> tuple[float, list[float]]:
    """E and δ_o of one sample in 1,000 bits, from the definitions alone."""
    with mpmath.workprec(4000):
        a_, r_ = [mpmath.mpf(float(x)) for x in a], [mpmath.mpf(float(x)) for x in r]
        n = range(len(a_))
        if output == "softmax":
            e = [mpmath.exp(x) for x in a_]
            y = [x / mpmath.fsum(e) for x in e]
            rest = [(mpmath.fsum(e) - x) / mpmath.fsum(e) for x in e]  # 1 − y
            dy = [[y[j] * ((rest[j]) if j == k else -y[k]) for k in n] for j in n]  # ∂y_j/∂a_k
        else:
            y = {
                "sigmoid": [1 / (1 + mpmath.exp(-x)) for x in a_],
                "tanh": [mpmath.tanh(x) for x in a_],
                "relu": [max(x, mpmath.mpf(0)) for x in a_],
                "identity": a_,
            }[output]
            rest = [1 - x for x in y]
            slope = {
                "sigmoid": [p * q for p, q in zip(y, rest, strict=True)],
                "tanh": [mpmath.sech(x) ** 2 for x in a_],
                "relu": [mpmath.mpf(x > 0) for x in a_],
                "identity": [mpmath.mpf(1)] * len(a_),
            }[output]
            dy = [[slope[j] if j == k else mpmath.mpf(0) for k in n] for j in n]
        if loss == "log":
            E = mpmath.fsum(-r_[j] * mpmath.log(y[j]) - (1 - r_[j]) * mpmath.log(rest[j]) for j in n)
            dE = [-r_[j] / y[j] + (1 - r_[j]) / rest[j] for j in n]
        elif loss == "cross_entropy":
            E = mpmath.fsum(-r_[j] * mpmath.log(y[j]) for j in n)
            dE = [-r_[j] / y[j] for j in n]
        else:
            E = mpmath.fsum((y[j] - r_[j]) ** 2 / 2 for j in n)
            dE = [y[j] - r_[j] for j in n]
        return float(E), [float(mpmath.fsum(dE[j] * dy[j][k] for j in n)) for k in n]


SPREAD = [
    [0, 0, 0],
    [1, -2, 0.5],
    [8, 0, -3],
    [-9, 3, 12],
    [20, 0, -20],
    [0, 40, 0.25],
    [-90, 5, 0],
    [100, 0, 99],
    [-700, 0, 700],
    [-800, 800, 0],
]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("output", "loss"), LECTURE_PAIRS)
def test_E_and_delta_wherever_y_lies(output: str, loss: str, dtype: str, instruction_set: str) -> None:
    """Where y has rounded to 0 or 1, too: nothing is lost by cancelling or clamping. Every r is tried at every a."""
    eps = float(np.finfo(dtype).eps)
    net = network([1, 3], output=output, loss=loss, bias=False, dtype=dtype)
    targets = [*np.eye(3), [0.25, 0.5, 0.25]] + ([[0, 0, 0], [1, 1, 1]] if loss != "cross_entropy" else [])
    for a in SPREAD:
        for r in targets:
            net.W[0] = [a]
            t = net.trace([1.0], r)
            E, delta = exact(output, loss, np.array(a), np.array(r))
            assert pytest.approx(E, rel=20 * eps, abs=1e-37) == t.E, (a, r)
            # h' of sigmoid and tanh is exact to 4 eps of its largest value, not relative to itself
            through_h = loss == "squared_error" and output in ("sigmoid", "tanh")
            scale = max(np.abs(delta).max() or 1, max(abs(x) for x in (*t.y - r, 0.25)) if through_h else 0)
            np.testing.assert_allclose(
                t.layers[0].delta, delta, rtol=0, atol=20 * eps * scale + 1e-37, err_msg=f"{a} {r}"
            )


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_delta_of_a_confident_output_keeps_its_digits(dtype: str, instruction_set: str) -> None:
    """y − r as y comes close to r: each unit's δ to its own relative accuracy, not only the largest."""
    for output, loss, n in (("sigmoid", "log", 1), ("softmax", "cross_entropy", 2)):
        net = network([1, n], output=output, loss=loss, bias=False, dtype=dtype)
        for size in (1, 8, 12, 20, 50, 80):
            for k in range(n):
                a = np.zeros(n)
                a[k] = size
                r = np.eye(n)[k]
                net.W[0] = [a]
                _, delta = exact(output, loss, a, r)
                np.testing.assert_allclose(
                    net.trace([1.0], r).layers[0].delta, delta, rtol=20 * float(np.finfo(dtype).eps)
                )
