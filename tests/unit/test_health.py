"""Health: networks broken on purpose are named rightly, by kind and layer, and healthy ones raise no finding."""

import math
from typing import Any

import numpy as np
import pytest

from deltaprop import Network
from deltaprop.inspection.health import health
from health_samples import SOFTMAX, XOR, Array, classes, finite, found, imbalanced, quantities, rows, sample_of

# ---- broken on purpose ----------------------------------------------------------------------------------------------


def test_a_layer_of_dead_relu_is_named() -> None:
    net = Network([5, 16, 12, 1], h="relu")
    net.b[1] = np.full(12, -200.0)
    report = net.health(*rows())
    assert found(report) == [("dead units", 2)]
    (finding,) = report.findings
    assert finding.figures == {"dead": 12, "units": 12, "share": 1.0}
    assert "12 of 12 units of relu are dead: h′ is 0 for all 200 samples" in finding.message
    assert "mean bias is -200" in finding.message
    assert "leaky_relu" in finding.message
    assert [layer.dead for layer in report.layers] == [0, 1, 0]
    assert report.layers[0].delta == 0
    assert report.layers[1].delta == 0


@pytest.mark.parametrize(
    ("h", "bias"),
    [("elu", -50), ("softplus", -50), ("gelu", -50), ("relu6", -100), ("hard_sigmoid", -100), ("max(a, 0)**2", -50)],
)
def test_dead_units_are_found_by_their_own_numbers_whatever_h_is(h: str, bias: float) -> None:
    net = Network([5, 10, 1], h=h)
    assert net.health(*rows()).layers[0].dead == 0
    net.b[0] = np.full(10, bias)
    report = net.health(*rows())
    assert found(report) == [("dead units", 1)]
    assert report.layers[0].dead == 1


def test_some_dead_units_are_a_figure_and_no_finding() -> None:
    net = Network([5, 10, 1], h="relu")
    net.b[0][:3] = -100
    report = net.health(*rows())
    assert report.ok
    assert report.layers[0].dead == 0.3
    net.b[0][:5] = -100
    assert found(net.health(*rows())) == [("dead units", 1)]


def test_an_output_that_is_off_is_named() -> None:
    net = Network([5, 8, 1], h="tanh", output="relu", loss="squared_error")
    net.b[1] = [-50.0]
    assert found(net.health(*rows())) == [("dead units", 2)]


@pytest.mark.parametrize("h", ["tanh", "sigmoid", "softsign", "(1 + tanh(a / 2)) / 2"])
def test_a_saturated_layer_is_named(h: str) -> None:
    net = Network([5, 16, 12, 1], h=h)
    net.W[1] = 100 * np.sign(net.W[1])
    report = net.health(*rows())
    assert ("saturated units", 2) in found(report)
    assert not {layer for kind, layer in found(report) if kind == "saturated units"} - {2}
    finding = next(f for f in report.findings if f.kind == "saturated units")
    assert finding.figures["share"] == report.layers[1].saturated
    assert finding.figures["rms W"] == pytest.approx(100)
    assert f"{report.layers[1].saturated:.0%} of the activations" in finding.message
    assert "rms of 100" in finding.message


def test_a_saturated_output_is_a_finding_only_where_the_loss_does_not_make_up_for_it() -> None:
    X, R = rows()
    wrong = Network([5, 1], loss="squared_error")
    wrong.W[0] = np.zeros((5, 1))
    wrong.b[0] = [40.0]  # y = 1 always, where half of r are 0: δ = h′ (y − r) is 0
    assert found(wrong.health(X, R)) == [("saturated units", 1)]
    log = Network([5, 1])
    log.theta = wrong.theta
    assert found(log.health(X, R)) == [("chance", None)]  # δ = y − r: what is wrong is the start
    right = Network([5, 1], loss="squared_error")
    right.W[0] = [[50.0], [0], [0], [0], [0]]
    report = right.health(X, (X[:, 0] > 0).astype(float))
    assert report.ok
    assert report.layers[0].saturated > 0.9


def test_vanishing_is_named() -> None:
    net = Network([5, *[10] * 12, 1], h="sigmoid", init="normal:sd=0.1")
    report = net.health(*rows())
    assert found(report) == [("vanishing", 1)]
    (finding,) = report.findings
    first, last = report.layers[0].delta, report.layers[11].delta
    assert finding.figures["ratio"] == first / last < 1e-6
    assert finding.figures["per layer"] == pytest.approx((first / last) ** (1 / 11))
    assert f"from {last:.3g} in layer 12 to {first:.3g} in layer 1" in finding.message


@pytest.mark.parametrize("h", ["relu", "identity"])
def test_exploding_is_named(h: str) -> None:
    net = Network([5, *[20] * 10, 1], h=h, output="identity", loss="squared_error")
    for W in net.W:
        W *= 5
    report = net.health(*quantities())
    assert found(report) == [("exploding", 1)]
    assert report.findings[0].figures["ratio"] > 1e4
    assert "smaller weights" in report.findings[0].message


def test_inputs_in_the_millions_are_named() -> None:
    X, R = rows()
    X[:, 2] = X[:, 2] * 5e5 + 2e6
    report = Network([5, 8, 1]).health(X, R)
    assert ("inputs", 0) in found(report)
    finding = report.findings[0]
    assert finding.kind == "inputs"
    assert "1 of 5 inputs are not scaled (x3): x3 has mean" in finding.message
    assert finding.figures["mean"] == pytest.approx(X[:, 2].mean())
    assert finding.figures["sd"] == pytest.approx(X[:, 2].std())
    named = health(Network([5, 8, 1]), X, R, inputs=["age", "height", "income", "rooms", "cars"])
    assert "(income): income has mean" in named.findings[0].message


def test_inputs_far_from_0_or_tiny_are_named_but_a_yes_or_no_is_not() -> None:
    X, R = rows()
    X[:, 0] += 2000  # years
    X[:, 1] *= 1e-6
    X[:, 2] = 1
    X[0, 2] = 0  # a level that nearly every row has
    assert "2 of 5 inputs are not scaled (x1 and x2)" in Network([5, 4, 1]).health(X, R).findings[0].message


def test_a_constant_column_is_named_unless_it_stands_for_the_biases() -> None:
    X, R = rows()
    X[:, 4] = 1
    report = Network([5, 4, 1]).health(X, R)
    assert found(report) == [("inputs", 0)]
    assert "the same value in all 200 rows (x5; x5 is 1)" in report.findings[0].message
    assert Network([5, 4, 1], bias=False).health(X, R).ok


@pytest.mark.parametrize("loss", ["squared_error", "absolute_error", "huber", "(y - r)**4 / 4"])
def test_targets_that_are_not_scaled_are_named(loss: str) -> None:
    X, r = quantities()
    net = Network([5, 8, 1], h="tanh", output="identity", loss=loss)
    assert net.health(X, r).ok
    report = net.health(X, 1e5 * r + 2e5)
    assert found(report) == [("targets", 2)]
    assert report.findings[0].figures["sd"] == pytest.approx(1e5 * r.std())
    assert "y: the targets are not scaled" in report.findings[0].message
    assert "yield: the targets" in health(net, X, 1e5 * r, outputs=["yield"]).findings[0].message


def test_targets_that_the_output_cannot_reach_are_named() -> None:
    X, r = quantities()
    report = Network([5, 8, 1], loss="squared_error").health(X, r)
    assert found(report) == [("targets", 2)]
    outside = ((r < 0) | (r > 1)).mean()
    assert report.findings[0].figures["share"] == outside
    assert f"{outside:.0%} of the targets lie where y cannot" in report.findings[0].message


@pytest.mark.parametrize("start", ["zeros", "ones"])
def test_identical_units_are_named(start: str) -> None:
    X, R = rows()
    init = "zeros" if start == "zeros" else [np.full((5, 6), 0.3), np.full((6, 1), 0.3)]
    with pytest.warns(UserWarning, match="all units of layer 1 start alike"):
        net = Network([5, 6, 1], h="tanh", init=init)
    assert found(net.health(X, R)) == [("identical units", 1)]
    net.fit(X, R, epochs=20)
    report = net.health(X, R)
    assert ("identical units", 1) in found(report)
    finding = next(f for f in report.findings if f.kind == "identical units")
    assert finding.figures == {"units": 6, "groups": 1}
    assert "all 6 units are alike (units 1, 2, 3 and 3 more)" in finding.message


def test_two_units_that_are_alike_among_others_are_named_and_half_alike_ones_are_not() -> None:
    net = Network([5, 30, 20, 1], h="tanh")
    net.W[1][:, 3] = net.W[1][:, 17]
    assert net.health(*rows()).ok  # above them their weights differ
    net.W[2][3] = net.W[2][17]
    report = net.health(*rows())
    assert found(report) == [("identical units", 2)]
    assert "2 of 20 units are alike (units 4 and 18)" in report.findings[0].message


def test_parameters_that_never_change_are_named() -> None:
    X, R = rows()
    X[:, 3] = 0
    net = Network([5, 7, 1])
    report = net.health(X, R)
    assert found(report) == [("unchanging parameters", 1)]
    assert "1 of 5 inputs are 0 in all 200 rows (x4), so ∂E/∂w = δ z is 0 for their 7 weights" in (
        report.findings[0].message
    )
    before = net.W[0].copy()
    net.fit(X, R, epochs=3)
    assert ((net.W[0] == before).all(axis=1) == [False, False, False, True, False]).all()


def test_a_column_that_is_0_in_the_rows_looked_at_alone_is_no_finding() -> None:
    X, R = rows(50_000)
    net = Network([5, 7, 1])
    looked_at = sample_of(net, np.arange(250_000.0).reshape(50_000, 5) / 1e5, R).x[:, 0] * 2e4
    X[:, 3] = 0
    assert found(net.health(X, R)) == [("unchanging parameters", 1)]
    other = np.setdiff1d(np.arange(50_000), looked_at.round().astype(int))[-1]
    X[other, 3] = 1
    assert net.health(X, R).ok


def test_columns_of_sparse_inputs_may_be_0() -> None:
    sparse = pytest.importorskip("scipy.sparse")
    rng = np.random.default_rng(0)
    X = (rng.random((300, 40)) < 0.05).astype(float)  # words, or the blank edge of a picture
    X[:, 7] = 0
    R = (X.sum(axis=1) > 2).astype(float)
    net = Network([40, 6, 1])
    assert net.health(X, R).ok
    assert net.health(sparse.csr_matrix(X), R).layers == net.health(X, R).layers
    dense = np.where(np.arange(40) == 7, 0, rng.normal(size=(300, 40)))
    for matrix in (dense, sparse.csr_matrix(dense)):
        assert found(net.health(matrix, R)) == [("unchanging parameters", 1)]


@pytest.mark.parametrize(("optimizer", "eta"), [("sgd", 500.0), ("momentum", 100.0), ("adam", 10.0)])
def test_an_eta_far_too_large_is_named(optimizer: str, eta: float) -> None:
    net = Network([5, 8, 1], h="tanh")
    report = net.health(*rows(), eta=eta, optimizer=optimizer, batch_size=10)
    assert [kind for kind, _ in found(report)] == ["eta too large"]
    message = report.findings[0].message
    assert f"with eta {eta:g} ({optimizer.title() if optimizer != 'sgd' else 'SGD'}" in message
    assert "a tenth of it" in message


def test_an_eta_that_goes_uphill_is_named_though_steps_are_shorter_than_weights() -> None:
    X, r = quantities(n_in=100)
    net = Network([100, 1], output="identity", loss="squared_error")
    net.fit(X, r, epochs=200, eta=0.003)
    assert net.health(X, r, eta=0.003).ok
    report = net.health(X, r, eta=0.03)  # η ‖x‖² is about 3: beyond 2 the error of a sample grows by its own step
    assert [kind for kind, _ in found(report)] == ["eta too large"]
    assert report.findings[0].figures["E after"] > report.findings[0].figures["E before"]


def test_an_eta_that_diverges_is_named_without_nan() -> None:
    X, r = quantities()
    report = Network([5, 8, 1], h="relu", output="identity", loss="squared_error").health(X, r, eta=1e6)
    assert [kind for kind, _ in found(report)] == ["eta too large"]
    assert report.findings[0].figures["E after"] == math.inf
    assert finite(report)


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_an_eta_far_too_small_is_named(optimizer: str) -> None:
    net = Network([5, 8, 1], h="tanh")
    report = net.health(*rows(), eta=1e-9, optimizer=optimizer)
    assert [kind for kind, _ in found(report)] == ["eta too small"]
    assert report.findings[0].figures["eta"] == 1e-9
    assert report.findings[0].figures["ratio"] == max(layer.update or 0 for layer in report.layers) < 1e-6


def test_a_trained_network_no_better_than_chance_is_named() -> None:
    X, _ = rows()
    R = np.random.default_rng(9).integers(0, 2, 200).astype(float)
    net = Network([5, 1])
    assert net.health(X, R).ok  # not trained yet
    net.W[0] = [[3.0], [-3.0], [3.0], [0], [0]]
    net.descend(X[:1], R[:1], 1e-6)
    report = net.health(X, R)
    assert found(report) == [("chance", None)]
    assert report.findings[0].figures == {"E": report.E, "chance": report.chance}
    assert f"E is {report.E:.4g} after training, no better than the {report.chance:.4g}" in report.findings[0].message
    assert f"y = {R.mean():.3g}" in report.findings[0].message


def test_a_constant_for_many_classes_has_no_say_by_a_few_of_many_rows() -> None:
    X = np.random.default_rng(0).normal(size=(5000, 3))
    R = np.arange(5000) % 400
    net = Network([3, 3000, 400], h="tanh", output="softmax", loss="cross_entropy")
    net.descend(X[:1], R[:1], 1e-4)
    report = net.health(X, R)
    assert report.compared < 4 * 400
    assert report.chance < math.log(400) - 0.1  # by hindsight
    assert report.ok
    assert found(net.health(X[:70], R[:70])) == [("chance", None)]  # those are all there are


def test_what_overflows_is_named_with_its_first_layer() -> None:
    net = Network([5, 8, 8, 8, 1], h="exp")
    net.W[0] = 3 * np.sign(net.W[0])
    report = net.health(*rows())
    assert ("not finite", 2) in found(report)
    assert finite(report)
    net.W[1][0, 0] = np.nan
    report = net.health(*rows())
    assert [f.message for f in report.findings] == [
        "a weight of layer 2 is not finite. Start over (reset) with a smaller eta."
    ], report
    assert finite(report)


def broken(what: str) -> Network:
    if what == "dead units":
        net = Network([5, 16, 12, 1], h="relu")
        net.b[1] = np.full(12, -200.0)
    elif what == "saturated units":
        net = Network([5, 16, 12, 1], h="tanh", output="tanh", loss="squared_error")
        net.W[1] = 100 * np.sign(net.W[1])
    else:
        net = Network([5, *[10] * 12, 1], h="sigmoid", init="normal:sd=0.1")
    return net


@pytest.mark.parametrize(("what", "layer"), [("dead units", 2), ("saturated units", 2), ("vanishing", 1)])
def test_what_is_broken_stays_named_after_training_together_with_what_came_of_it(what: str, layer: int) -> None:
    X, R = rows()
    R = np.where(np.random.default_rng(8).random(200) < 0.5, 0.0, 1.0) if what == "saturated units" else R
    net = broken(what)
    net.fit(X, R, epochs=20, eta=0.01)
    report = net.health(X, R)
    assert found(report)[0] == (what, layer)
    assert found(report)[1:] in ([], [("chance", None)])
    if what != "saturated units":
        assert ("chance", None) in found(report)
        assert f"E is {report.E:.4g} after 20 epochs" in report.findings[-1].message


@pytest.mark.parametrize("h", ["tanh", "sigmoid"])
def test_a_layer_that_is_shut_stays_named_where_the_output_learns_from_it_as_it_stands(h: str) -> None:
    X = np.random.default_rng(0).normal(size=(400, 5))
    R = (X[:, 0] + X[:, 1] > 0).astype(float)
    net = Network([5, 12, 1], h=h)
    net.W[0] *= 200
    net.fit(X, R, epochs=20, eta=0.05)
    report = net.health(X, R)
    assert 0.3 * report.chance > report.E
    assert found(report) == [("saturated units", 1)]
    assert not Network([5, 12, 1], h=h).health(X, R).findings


def test_rows_that_come_sorted_are_no_matter_of_eta() -> None:
    X, R = classes()
    order = np.argsort(R)
    net = Network([6, 16, 3], h="sigmoid", output="softmax", loss="cross_entropy")
    assert net.health(X[order], R[order], eta=0.1).ok


# ---- healthy --------------------------------------------------------------------------------------------------------


def counts(n: int = 300) -> tuple[Array, Array]:
    rng = np.random.default_rng(4)
    X = rng.normal(size=(n, 5))
    return X, rng.poisson(np.exp(3 + 0.5 * X[:, 0])).astype(float)


QUANTITY = {"output": "identity", "loss": "squared_error"}
LOG = "-(r * log(y) + (1 - r) * log(1 - y))"
SMOOTHED = "cross_entropy:label_smoothing=0.1"
QUANTILES = "quantile:q=0.1,0.5,0.9"
HEALTHY: dict[str, tuple[list[int], dict[str, Any], Any, float]] = {  # layers, arguments, samples, eta
    "sigmoid, log": ([5, 8, 1], {}, rows(), 0.5),
    "relu in four layers, log": ([5, 32, 32, 16, 1], {"h": "relu"}, rows(), 0.1),
    "tanh, squared error": ([5, 16, 1], {"h": "tanh", **QUANTITY}, quantities(), 0.05),
    "gelu, softmax": ([6, 20, 3], {"h": "gelu", **SOFTMAX}, classes(), 0.1),
    "float32": ([6, 20, 10, 3], {"h": "relu", "dtype": "float32", **SOFTMAX}, classes(), 0.05),
    "poisson": ([5, 8, 1], {"h": "tanh", "output": "exp", "loss": "poisson"}, counts(), 0.0005),
    "ten layers of selu": ([5, *[16] * 10, 1], {"h": "selu"}, rows(), 0.01),
    "a formula": ([5, 12, 1], {"h": "a * sigmoid(1.702 * a)", "loss": LOG}, rows(), 0.1),
    "hinge": ([5, 12, 1], {"h": "leaky_relu", "output": "identity", "loss": "hinge"}, rows(), 0.05),
    "label smoothing": ([6, 12, 3], {"h": "tanh", **SOFTMAX, "loss": SMOOTHED}, classes(), 0.1),
    "one quantile each": ([5, 12, 3], {"h": "tanh", "output": "identity", "loss": QUANTILES}, quantities(), 0.05),
    "no hidden layer": ([5, 1], {}, rows(), 0.1),
    "XOR": ([2, 4, 1], {"h": "tanh", "seed": 1}, XOR, 0.5),
    "ten layers of tanh": ([5, *[16] * 10, 1], {"h": "tanh"}, rows(), 0.01),
    "a small table": ([3, 4, 1], {"h": "tanh"}, rows(25, 3), 0.1),
    "float32, quantities": ([5, 16, 1], {"h": "relu", "dtype": "float32", **QUANTITY}, quantities(), 0.02),
    "two kinds of one in ten": ([5, 8, 1], {"h": "tanh"}, (rows()[0], (rows()[0][:, 0] > 1.28).astype(float)), 0.1),
    "absolute error": ([5, 16, 1], {"h": "tanh", "output": "identity", "loss": "absolute_error"}, quantities(), 0.02),
    "no biases": ([5, 8, 1], {"bias": False, "h": "tanh"}, rows(), 0.1),
}


@pytest.mark.parametrize("name", HEALTHY)
def test_healthy_networks_raise_no_finding_fresh_and_trained(name: str) -> None:
    layers, arguments, (X, R), eta = HEALTHY[name]
    net = Network(layers, **arguments)
    for epochs in (0, 1, 30, 300):
        net.fit(X, R, epochs=epochs, eta=eta)
        report = net.health(X, R, eta=eta)
        if epochs != 1:  # after one epoch of a few hundred steps a network may still be about as good as chance
            assert found(report) == [], (epochs, report)
            assert str(report).endswith("All is well: nothing was found that keeps this network from learning.")
        assert finite(report)
    assert report.chance > report.E


@pytest.mark.parametrize("optimizer", ["momentum", "nesterov", "adam"])
def test_healthy_descents_of_every_optimizer_raise_no_finding(optimizer: str) -> None:
    X, R = rows()
    net = Network([5, 12, 1], h="tanh")
    for _ in range(4):
        net.fit(X, R, epochs=10, eta=0.01, batch_size=10, optimizer=optimizer)
        assert net.health(X, R, eta=0.01, batch_size=10).ok
    assert net.health(X, R, eta=0.01).steps.optimizer == repr(net.state().optimizer)  # type: ignore[union-attr]


@pytest.mark.parametrize("h", ["relu", "tanh", "sigmoid"])
@pytest.mark.parametrize("class_weight", ["balanced", [1, 12]])
def test_healthy_networks_with_class_weights_raise_no_finding(h: str, class_weight: Any) -> None:
    X, R = imbalanced()
    net = Network([5, 12, 1], h=h)
    for epochs in (0, 30):
        net.fit(X, R, epochs=epochs, eta=0.01, batch_size=8, class_weight=class_weight, optimizer="momentum")
        assert net.health(X, R, class_weight=class_weight, eta=0.01, batch_size=8).ok


def test_real_tables_and_pictures_raise_no_finding(real_data: Any) -> None:
    digits = np.load(real_data / "mnist.npz")
    X = (digits["x_train"][:6000].reshape(-1, 784) / 255).astype(np.float32)
    R = digits["y_train"][:6000].astype(int)
    net = Network([784, 64, 10], h="relu", output="softmax", loss="cross_entropy", dtype="float32")
    assert net.health(X, R, eta=0.1, batch_size=32).ok
    net.fit(X, R, epochs=3, eta=0.1, batch_size=32)
    assert net.health(X, R, eta=0.1, batch_size=32).ok
    unscaled = net.health(255 * X, R)
    assert ("inputs", 0) in found(unscaled)
