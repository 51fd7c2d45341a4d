"""Health: what is won by heart; networks broken in ways of every day; looks that share their samples."""

import numpy as np
import pytest

from deltaprop import HealthCheck, Network
from deltaprop.inspection.health import health
from deltaprop.inspection.health.figures import passes_of, rms
from deltaprop.inspection.health.prepared import Prepared
from health_samples import SOFTMAX, finite, found, quantities, rows, sample_of


@pytest.mark.parametrize("kind", ["log", "cross_entropy", "squared_error"])
def test_targets_that_have_nothing_to_do_with_the_inputs_are_named(kind: str) -> None:
    X, R = quantities(2000) if kind == "squared_error" else rows(2000)
    functions = {
        "log": {},
        "cross_entropy": SOFTMAX,
        "squared_error": {"output": "identity", "loss": "squared_error"},
    }[kind]
    R = np.eye(2)[R.astype(int)] if kind == "cross_entropy" else R
    layers = [5, 8, 2 if kind == "cross_entropy" else 1]
    shuffled = np.random.default_rng(1).permutation(len(R))
    for order, expected in ((np.arange(len(R)), []), (shuffled, [("chance", None)])):
        net = Network(layers, h="tanh", **functions)
        net.fit(X, R[order], epochs=20, eta=0.05, batch_size=16)
        report = net.health(X, R[order])
        assert found(report) == expected
    figures = report.findings[0].figures
    p, n = net.n_parameters, len(X)
    by_heart = report.chance * p / n if kind == "squared_error" else p / (2 * n)
    assert figures["by heart"] == pytest.approx(by_heart)
    assert 0 < figures["won"] <= by_heart


def test_what_is_won_by_heart_needs_rows_and_epochs_to_be_said() -> None:
    X, R = rows(2000)
    R = np.random.default_rng(1).permutation(R)
    wide = Network([5, 200, 1], h="tanh")  # more parameters than a quarter of the rows
    wide.fit(X, R, epochs=12, eta=0.1, batch_size=16)
    assert "by heart" not in str(wide.health(X, R))
    known = Network([5, 8, 1], h="tanh")
    known.fit(X, R, epochs=9, eta=0.05, batch_size=16)
    assert "by heart" not in str(known.health(X, R))


def test_prepared_samples_give_the_report_of_their_own() -> None:
    X, R = rows(1000)
    w = np.random.default_rng(2).random(1000)
    net = Network([5, 8, 3, 1], h="relu", dtype="float32")
    data = Prepared(net, X, R, w, inputs=list("abcde"))
    for _ in range(3):
        assert health(net, data, None, eta=0.1) == net.health(X, R, w, eta=0.1, inputs=list("abcde"))
        net.fit(X, R, sample_weight=w, epochs=2, eta=0.05)
    assert data.serves(net)
    assert not data.serves(Network([5, 8, 3, 1], h="relu"))


def test_a_check_serves_a_second_network_of_another_shape() -> None:
    X, R = rows(300)
    watch = HealthCheck(X, R, most=1.0, verbose=False)
    for layers in ([5, 3, 1], [5, 4, 4, 1]):
        Network(layers).fit(X, R, epochs=1, callbacks=[watch])
        assert [layer.units for layer in watch.reports[-1][1].layers] == layers[1:]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("size", [1e-30, 1e-20, 1.0, 1e18])
def test_sizes_are_right_where_squares_leave_the_range(dtype: str, size: float) -> None:
    values = (np.random.default_rng(0).normal(size=(7, 300)) * size).astype(dtype)
    assert rms(values) == pytest.approx(np.sqrt(np.mean(np.square(values, dtype=np.float64))), rel=1e-6)
    values[3] = 0
    assert rms(values) == pytest.approx(np.sqrt(np.mean(np.square(values, dtype=np.float64))), rel=1e-6)
    assert rms(np.zeros((3, 4), dtype)) == 0
    values[2, 2] = np.inf
    assert rms(values) == np.inf


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_wide_first_layer_is_traced_as_it_is(dtype: str) -> None:
    """Past a wide first layer, whatever the rows at once, units and dtype, the numbers are those of the trace."""
    rng = np.random.default_rng(3)
    for layers in ([100, 40, 3], [50, 200, 2], [784, 5, 4, 1], [33, 64, 64, 1]):
        for bias in (True, False):
            net = Network(layers, h="gelu", bias=bias, dtype=dtype)
            n = int(rng.integers(1, 80))
            X, R = rng.normal(size=(n, layers[0])), rng.random((n, layers[-1]))
            t = net.trace(X, R)
            figures, passes, E = passes_of(net, sample_of(net, X, R))
            assert (t.E[: len(E)] == E).all()
            for own, passed, expected in zip(figures, passes, t.layers, strict=True):
                assert (passed.z == expected.z[: len(E)]).all()
                assert (passed.delta == expected.delta[: len(E)]).all()
                if len(E) == n:
                    assert own.dW == pytest.approx(np.sqrt(np.mean(np.square(expected.dW, dtype=float))), rel=1e-5)


def test_two_units_of_a_very_wide_layer_that_are_alike_are_found() -> None:
    net = Network([2000, 300, 5], h="relu", dtype="float32", **SOFTMAX)
    X = np.random.default_rng(0).normal(size=(50, 2000))
    R = np.arange(50) % 5
    data = Prepared(net, X, R)
    report = health(net, data, None)
    assert found(report) == []
    net.W[0][:, 271], net.b[0][271], net.W[1][271] = net.W[0][:, 12], net.b[0][12], net.W[1][12]
    report = health(net, data, None)
    assert found(report) == [("identical units", 1)]
    assert "units 13 and 272" in report.findings[0].message
    net.W[0][777, 271] += 1e-3
    assert found(health(net, data, None)) == []


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("layers", [[40, 3, 1], [784, 1], [5, 1, 1]])
def test_numbers_near_the_ends_of_float64_warn_nobody(layers: list[int]) -> None:
    net = Network(layers, h="relu")
    for n in (1, 5, 300):
        X, R = np.random.default_rng(0).normal(size=(n, layers[0])), np.arange(n) % 2.0
        for size in (1e200, 1e-200):
            report = net.health(X * size, R, eta=0.1)
            assert finite(report)
            assert n < 4 or "inputs" in [finding.kind for finding in report.findings]
