"""The contract of every declared loss: E and δ_o of the engine are its formula's, wherever y and a lie."""

import copy
import pickle
import re
from pathlib import Path
from typing import Any

import mpmath
import numpy as np
import pytest

import deltaprop
from deltaprop import Network
from deltaprop.functions import LOSSES
from formulas import loss_exactly, loss_of_a
from problems import Oracle, difference, network, samples

OF_Y = ["squared_error", "absolute_error", "huber", "huber:delta=0.01", "huber:delta=30", "log_cosh", "quantile"]
OF_Y += ["quantile:q=0.9", "quantile:q=0", "hinge", "squared_hinge", "poisson", "gamma", "tweedie", "tweedie:p=1.9"]


def targets_for(loss: str, r: np.ndarray) -> np.ndarray:
    """Numbers as they come, brought into the domain of a loss."""
    targets = LOSSES[loss.partition(":")[0]].targets
    if targets == "class":
        return (r > 0).astype(r.dtype)
    if targets == "positive":
        return np.abs(r) + r.dtype.type(0.01)
    return np.abs(r) if targets == "count" else r


def test_none_is_left_out() -> None:
    tried = [*OF_Y, *(text for text, *_ in NATURAL)]
    assert {text.partition(":")[0] for text in tried} == set(LOSSES)


@pytest.mark.parametrize("loss", [*LOSSES, "huber:delta=0.3", "quantile:q=0.9", "tweedie:p=1.2", "focal:gamma=0.5"])
def test_the_derivative_is_the_formula_s(loss: str) -> None:
    random = np.random.default_rng(0)
    entry = LOSSES[loss.partition(":")[0]]
    for y, r in random.normal(size=(200, 2)):
        y = abs(y) % 1 if entry.high == 1 else abs(y) if entry.low == 0 else y
        r = float(targets_for(loss, np.array(r)))
        r = abs(r) % 1 if entry.targets in ("unit", "distribution") else r
        _, derivative, by_differences = loss_exactly(loss, y, r)
        assert abs(derivative - by_differences) < 1e-30 * (1 + abs(derivative)), (y, r)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("loss", OF_Y)
def test_E_and_delta_are_the_formula(loss: str, dtype: str, instruction_set: str) -> None:
    """With an output whose h′ is 1, δ = ∂E/∂y: to a few ulp, from 1e-12 to 1e12 apart, and at y = r."""
    random = np.random.default_rng(2)
    eps = float(np.finfo(dtype).eps)
    n = 400
    r = random.normal(size=n).astype(dtype)
    apart = random.choice([-1, 1], n) * 10.0 ** random.uniform(-12, 12, n)
    y = (r + apart).astype(dtype)
    y[:100], r[:100] = apart[:100].astype(dtype), 0  # not rounded away
    y[-20:] = r[-20:]
    r = targets_for(loss, r)
    positive = LOSSES[loss.partition(":")[0]].low == 0
    if positive:  # relu's kin would do, but no output whose h′ is 1 has y > 0 alone: δ h′ of exp is y, known exactly
        y = np.abs(y) + np.finfo(dtype).tiny * 4
        net = Network([1, 1], output="softplus", loss=loss, bias=False, dtype=dtype)
        y = np.abs(y[y > 40])[:100] if dtype == "float64" else np.abs(y[y > 20])[:100]  # softplus a = a, h′ = 1
        r = r[: len(y)]
        assert len(y) > 50
    else:
        net = Network([1, 1], output="identity", loss=loss, bias=False, dtype=dtype)
    net.W[0] = [[1]]
    t = net.trace(y[:, None], r[:, None])
    exact = [loss_exactly(loss, float(a), float(b)) for a, b in zip(y, r, strict=True)]
    powers = 30 if loss.startswith("tweedie") else 1  # y^q is e^(q log y): |q log y| ulp
    np.testing.assert_allclose(t.E, [float(E) for E, _, _ in exact], rtol=12 * powers * eps, atol=1e-37)
    scale = 4 * powers * eps
    np.testing.assert_allclose(t.layers[0].delta[:, 0], [float(dE) for _, dE, _ in exact], rtol=scale, atol=1e-37)


# Losses computed from a: with their output, where r may lie, and up to which |a| E and δ are finite in float32.
NATURAL: list[tuple[Any, ...]] = [
    ("log", "sigmoid", [0, 0.3, 1], 1000),
    ("cross_entropy", "sigmoid", [1], 1000),
    ("focal", "sigmoid", [0, 0.3, 1], 1000),
    ("focal:gamma=0", "sigmoid", [0, 0.3, 1], 1000),
    ("focal:gamma=0.5", "sigmoid", [0, 0.3, 1], 1000),
    ("kl", "sigmoid", [1], 1000),
    ("poisson", "exp", [0, 1, 7], 80),
    ("gamma", "exp", [0.5, 1, 7], 80),
    ("tweedie", "exp", [0, 1, 7], 80),
    ("tweedie:p=1.1", "exp", [0, 1, 7], 80),
    ("cross_entropy", "gaussian", [1], 1000),
    ("kl", "gaussian", [1], 1000),
]


# How large the two terms are whose difference δ is.
TERMS = {
    "poisson": lambda a, r: r,
    "gamma": lambda a, r: 1,
    "tweedie": lambda a, r: np.exp(0.5 * a),
    "tweedie:p=1.1": lambda a, r: np.exp(0.9 * a),
}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("loss", "output", "targets", "most"), NATURAL)
def test_E_and_delta_from_a(
    loss: str, output: str, targets: list[float], most: float, dtype: str, instruction_set: str
) -> None:
    """Where y has rounded to 0 or 1, too; of each the relative error."""
    eps = float(np.finfo(dtype).eps)
    net = Network([1, 1], output=output, loss=loss, bias=False, dtype=dtype)
    net.W[0] = [[1]]
    for size in (0, 1e-9, 0.1, 1, 3, 9, 30, 80, 800):
        for a in (size, -size):
            if size > most:
                continue
            for r in targets:
                t = net.trace([a], [r])
                E, (delta,) = loss_of_a(output, loss, [float(np.dtype(dtype).type(a))], [float(t.r[0])])
                # e^(q a) has |q a| ulp, and a difference of two the error of the larger
                scale = (20 + 4 * size) * eps
                assert pytest.approx(float(E), rel=scale, abs=1e-37) == t.E, (a, r)
                large = abs(delta) + TERMS.get(loss, lambda a, r: 0)(a, r)
                assert abs(t.layers[0].delta[0] - delta) <= scale * max(large, 1e-30), (a, r)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    "loss", ["focal", "focal:gamma=0", "focal:gamma=0.5", "kl", "poisson", "huber", "quantile:q=0.1,0.5,0.9"]
)
def test_softmax(loss: str, dtype: str, instruction_set: str) -> None:
    eps = float(np.finfo(dtype).eps)
    net = Network([1, 3], output="softmax", loss=loss, bias=False, dtype=dtype)
    spread = [[0, 0, 0], [1, -2, 0.5], [8, 0, -3], [-9, 3, 12], [20, 0, -20], [-90, 5, 0], [-800, 800, 0]]
    for a in spread:
        if loss == "poisson" and max(a) - min(a) > 80:  # of y = 0, by rounding, log y is not known
            continue
        for r in ([1, 0, 0], [0, 0, 1], [0.25, 0.5, 0.25]):
            net.W[0] = [a]
            t = net.trace([1.0], r)
            E, delta = loss_of_a("softmax", loss, a, r)
            assert pytest.approx(float(E), rel=30 * eps, abs=1e-7 * (dtype == "float32") + 1e-15) == t.E, (a, r)
            size = max(1.0, *(abs(float(d)) for d in delta)) if loss == "poisson" else 1.0
            np.testing.assert_allclose(t.layers[0].delta, np.array(delta, float), rtol=0, atol=30 * eps * size)


@pytest.mark.parametrize("loss", list(LOSSES))
def test_training_is_the_textbook(loss: str, instruction_set: str) -> None:
    entry = LOSSES[loss]
    for output in {entry.canonical, "softmax" if entry.high >= 1 else entry.canonical, "sigmoid"}:
        for layers, batch_size in (([5, 8, 3], 1), ([5, 8, 3], 7), ([6, 9, 1], 1), ([40, 20, 2], 1)):
            if layers[-1] == 1 and (output == "softmax" or entry.targets == "distribution"):
                continue
            net = network(layers, output=output, loss=loss)
            net.theta = net.theta / 2
            X, R = samples(net, 30)
            oracle = Oracle(net)
            assert net.E(X, R) == pytest.approx(oracle.E(X, R).mean(), rel=1e-12)
            net.descend(X, R, 0.005, batch_size=batch_size)
            oracle.descend(X, R, 0.005, batch_size, np.ones(30))
            assert difference(net.theta, oracle.theta) < 1e-11, (layers, output, batch_size)


def test_what_a_constant_learns_is_what_the_loss_is_for() -> None:
    """The bias alone: the mean, the median, quantiles of the targets."""
    R = np.random.default_rng(0).exponential(size=(801, 1))
    X = np.zeros((801, 1))
    for loss, output, expected in (
        ("squared_error", "identity", [R.mean()]),
        ("absolute_error", "identity", [np.median(R)]),
        ("quantile:q=0.9", "identity", [np.quantile(R, 0.9)]),
        ("quantile:q=0.1,0.5,0.9", "identity", np.quantile(R, [0.1, 0.5, 0.9])),
        ("huber:delta=1000", "identity", [R.mean()]),
        ("huber:delta=0.001", "identity", [np.median(R)]),
        ("poisson", "exp", [R.mean()]),
        ("gamma", "exp", [R.mean()]),
        ("tweedie", "exp", [R.mean()]),
        ("poisson", "softplus", [R.mean()]),
    ):
        net = Network([1, len(expected)], output=output, loss=loss)
        scale = 1000 if loss == "huber:delta=0.001" else 1
        net.fit(X, R, epochs=3000, eta=lambda n, scale=scale: scale / (1 + 0.1 * n), batch_size=801)
        np.testing.assert_allclose(net.predict(X[:1])[0], expected, atol=0.01, err_msg=loss)


def test_focal_loss_of_its_paper_and_at_gamma_0() -> None:
    """Figure 1 of Lin and others: an example at p = 0.9 has 100 times less loss with γ = 2, one at 0.968 1000 times."""
    X, R = np.ones((1, 1)), np.ones((1, 1))
    for p, times in ((0.9, 100), (0.96837722, 1000)):
        E = []
        for loss in ("log", "focal:gamma=2"):
            net = Network([1, 1], loss=loss, bias=False)
            net.W[0] = [[np.log(p / (1 - p))]]
            E.append(net.E(X, R))
        assert E[0] / E[1] == pytest.approx(times, rel=1e-6)
    for output in ("sigmoid", "softmax"):
        nets = [network([4, 6, 3], output=output, loss=loss) for loss in ("log", "focal:gamma=0")]
        X, R = samples(nets[0], 20)
        assert difference(nets[1].gradient(X, R), nets[0].gradient(X, R)) < 1e-14


def test_label_smoothing_is_smoothed_targets() -> None:
    for loss, output, shares in (("log", "sigmoid", 2), ("cross_entropy", "softmax", 3)):
        plain = network([4, 6, 3], output=output, loss=loss)
        X, R = samples(plain, 20)
        soft = Network([4, 6, 3], output=output, loss=f"{loss}:label_smoothing=0.3")
        soft.theta = plain.theta
        r = 0.7 * R + 0.3 / shares
        assert soft.E(X, R) == pytest.approx(plain.E(X, r), rel=1e-14)
        assert difference(soft.gradient(X, R), plain.gradient(X, r)) < 1e-14
        np.testing.assert_allclose(soft.trace(X, R).r, r, rtol=1e-15)
    # At y = 1/2 each of r and 1 - r has log 2, whatever the smoothing.
    net = Network([1, 1], loss="log:label_smoothing=0.5", bias=False)
    net.W[0] = [[0]]
    assert net.E([[1.0]], [1]) == pytest.approx(np.log(2))


def test_class_numbers_are_rows_of_one_1() -> None:
    net = network([4, 6, 3], output="softmax", loss="cross_entropy")
    X = np.random.default_rng(0).normal(size=(9, 4))
    classes = np.arange(9) % 3
    assert net.E(X, classes) == net.E(X, np.eye(3)[classes])
    for same in (classes.tolist(), classes.astype(np.uint8), classes.astype(float)):
        assert net.E(X, same) == net.E(X, np.eye(3)[classes])
    assert net.trace(X[2], 2).r.tolist() == [0, 0, 1]
    for wrong, words in (
        ([0, 1, 3] * 3, "R[2] is class 3; 3 outputs of loss 'cross_entropy' have classes 0 to 2"),
        ([0, -1, 1] * 3, "R[1] is class -1"),
        ([0, 1], "needs shape (9, 3) or (9,)"),
        ([0.5, 1.0, 2.0] * 3, "or (9,) of whole class numbers"),
        (np.ma.masked_equal(classes, 1), "R has masked cells"),
        ([np.nan, 1.0, 2.0] * 3, "R[0] is nan, not a finite number"),
    ):
        with pytest.raises(ValueError, match=re.escape(words)):
            net.E(X, wrong)


@pytest.mark.parametrize("loss", ["log", "focal", "hinge", "kl"])
def test_class_numbers_do_for_every_loss_of_targets_from_0_to_1(loss: str) -> None:
    output = {"hinge": "identity", "kl": "softmax"}.get(loss, "sigmoid")
    net = network([4, 6, 3], output=output, loss=loss)
    X, classes = np.random.default_rng(0).normal(size=(9, 4)), np.arange(9) % 3
    assert net.E(X, classes) == net.E(X, np.eye(3)[classes])
    assert net.trace(X, classes).E.tolist() == net.trace(X, np.eye(3)[classes]).E.tolist()
    with pytest.raises(ValueError, match="X has no rows"):
        net.E(X[:0], [])
    with pytest.raises(ValueError, match="R needs shape"):
        network([4, 3], output="identity", loss="squared_error").E(X, classes)


def test_probabilities_may_be_of_a_narrower_dtype() -> None:
    net = network([4, 3], output="softmax", loss="cross_entropy")
    X, R = np.random.default_rng(0).normal(size=(50, 4)), np.random.default_rng(1).dirichlet([1, 1, 1], 50)
    for dtype in (np.float16, np.float32):
        assert net.E(X, R.astype(dtype)) == pytest.approx(net.E(X, R), rel=1e-3)
    with pytest.raises(ValueError, match="which sum to 1"):
        net.E(X, (R * 1.01).astype(np.float16))


def test_class_weights_are_weights_of_samples() -> None:
    net = network([4, 6, 3], output="softmax", loss="cross_entropy")
    X, classes = np.random.default_rng(0).normal(size=(8, 4)), np.array([0, 1, 1, 1, 1, 1, 2, 2])
    own = np.random.default_rng(1).uniform(size=8)
    for given, of_class in (
        ([3, 1, 0.5], [3, 1, 0.5]),
        ({0: 3, 2: 0.5}, [3, 1, 0.5]),
        ("balanced", [8 / 3, 8 / 15, 8 / 6]),
    ):
        weights = own * np.array(of_class)[classes]
        assert net.E(X, classes, own, class_weight=given) == pytest.approx(net.E(X, classes, weights), rel=1e-14)
        assert difference(net.gradient(X, classes, own, class_weight=given), net.gradient(X, classes, weights)) < 1e-14
        fitted, other = copy.deepcopy(net), copy.deepcopy(net)
        fitted.fit(X, classes, epochs=3, sample_weight=own, class_weight=given)
        other.fit(X, classes, epochs=3, sample_weight=weights)
        assert difference(fitted.theta, other.theta) < 1e-14
    one = network([4, 1])
    r = np.array([0, 0, 0, 1.0, 1, 0, 0, 0.5])
    weights = (1 - r) * 2 + r * 5
    assert one.E(X, r, class_weight=[2, 5]) == pytest.approx(one.E(X, r, weights), rel=1e-14)
    for net, R, wrong, words in (
        (one, r, [1, 2, 3], "class_weight needs 2 weights, one for each class; got (3,)"),
        (one, r, "balance", "class_weight needs 'balanced', or a weight for each class; got 'balance'"),
        (one, r, {2: 1}, "class_weight has a weight for 2; the classes are 0 to 1"),
        (one, r, [1, -1], "class_weight needs finite weights of at least 0; got [1.0, -1.0]"),
        (network([4, 3]), np.ones((8, 3)), "balanced", "class_weight needs targets that say of which class"),
    ):
        with pytest.raises(ValueError, match=re.escape(words)):
            net.E(X, R, class_weight=wrong)


def test_one_target_for_several_quantiles() -> None:
    net = Network([2, 5, 2], output="identity", loss=deltaprop.quantile([0.1, 0.9]))
    assert net.loss == "quantile:q=0.1,0.9"
    X, r = np.random.default_rng(0).normal(size=(6, 2)), np.arange(6.0)
    assert net.E(X, r) == net.E(X, r[:, None]) == net.E(X, np.stack([r, r], axis=1))
    assert net.trace(X[1], 1.5).r.tolist() == [1.5, 1.5]
    with pytest.raises(
        ValueError, match=re.escape("loss 'quantile' has 2 q, one for each output; there are 3 outputs")
    ):
        Network([2, 3], output="identity", loss="quantile:q=0.1,0.9")


@pytest.mark.parametrize(
    ("loss", "output", "R", "words"),
    [
        ("hinge", "identity", [0, 0.5], "R[1, 0] is 0.5; targets of loss 'hinge' are 0 or 1."),
        ("squared_hinge", "identity", [-1, 1], "R[0, 0] is -1; targets of loss 'squared_hinge' are 0 or 1."),
        ("poisson", "exp", [0, -1], "R[1, 0] is -1; targets of loss 'poisson' are at least 0."),
        ("gamma", "exp", [1, 0], "R[1, 0] is 0; targets of loss 'gamma' are above 0."),
        ("focal", "sigmoid", [1, 2], "R[1, 0] is 2; targets of loss 'focal' are in [0, 1]."),
    ],
)
def test_targets_outside_the_domain(loss: str, output: str, R: list[float], words: str) -> None:
    with pytest.raises(ValueError, match=re.escape(words)):
        Network([1, 1], output=output, loss=loss).E(np.ones((2, 1)), R)


def test_parameters_reach_the_file_and_the_names(tmp_path: Path) -> None:
    for loss, text in (
        (deltaprop.huber(delta=0.25), "huber:delta=0.25"),
        (deltaprop.quantile([0.25, 0.5]), "quantile:q=0.25,0.5"),
        ("tweedie:p=1.25", "tweedie:p=1.25"),
    ):
        net = Network([2, 2], output="exp" if "tweedie" in text else "identity", loss=loss)
        assert net.loss == text
        net.save(tmp_path / "net")
        for other in (deltaprop.load(tmp_path / "net"), pickle.loads(pickle.dumps(net)), copy.deepcopy(net)):
            assert other == net
            X, R = samples(net, 5)
            assert other.E(X, R) == net.E(X, R)
        assert eval(repr(net), {"Network": Network}) == net
    assert Network([2, 1], output="identity", loss=deltaprop.quantile(0.5)).loss == "quantile"
    assert repr(deltaprop.quantile([0.25, 0.5])) == "quantile(q=(0.25, 0.5))"


@pytest.mark.parametrize(
    ("loss", "error", "message"),
    [
        ("huber:delta=0", ValueError, "Network: loss: huber: delta needs to be in [1e-15, 1e+15]; got 0.0."),
        ("huber:delta=1,2", ValueError, "huber: delta needs to be a number; got [1.0, 2.0]."),
        ("huber:0.5,1", ValueError, "huber has 1 parameters; got 2 values."),
        ("quantile:q=1.5", ValueError, "quantile: q needs to be in [0, 1]; got 1.5."),
        ("quantile:q=", ValueError, "q needs to be a number; got ''."),
        ("tweedie:p=2", ValueError, "tweedie: p needs to be in (1, 2); got 2.0."),
        ("squared_error:q=1", ValueError, "squared_error: no parameter is called 'q'. It has none."),
        ("mae", ValueError, "'mae' is called 'absolute_error' here, the sum over the outputs of abs(y - r)."),
        ("pinball:q=0.1", ValueError, "'pinball' is called 'quantile' here"),
        ("Huber", ValueError, "no loss is called 'Huber'. Did you mean 'huber'?"),
        ("poisson", ValueError, "loss 'poisson' needs outputs in [0, inf]; output 'identity' ranges over [-inf, inf]."),
        (7, TypeError, "Network: loss needs the name of a loss; got 7."),
        (deltaprop.elu(alpha=1), ValueError, "needs the name of a loss; got 'elu', which is none."),
    ],
)
def test_what_is_wrong_is_said(loss: object, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=re.escape(message)):
        Network([2, 1], output="identity", loss=loss)  # type: ignore[arg-type]


def test_an_output_that_comes_to_an_end_where_E_is_infinite() -> None:
    for output, end in (("relu", "0"), ("relu6", "0")):
        with pytest.raises(ValueError, match=f"infinite where y is {end}, as y of output '{output}' can be"):
            Network([2, 1], output=output, loss="poisson")


def test_the_deviance_of_a_saturated_model_is_what_is_dropped() -> None:
    """E at y = r plus what the declaration says is dropped is 0: E with it is half the deviance."""
    for name in ("gamma", "tweedie"):
        entry = LOSSES[name]
        for r in (0.5, 1.0, 3.0):
            with mpmath.workprec(200):
                p = mpmath.mpf(1.5)
                dropped = eval(entry.dropped, {"log": mpmath.log, "r": mpmath.mpf(r), "p": p})
                assert abs(loss_exactly(name, r, r)[0] + dropped) < 1e-40
