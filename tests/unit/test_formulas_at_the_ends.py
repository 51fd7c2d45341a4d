"""Formulas where numbers overflow, round to 0 or 1, or have two slopes: h′ and δ are what they are in exact numbers."""

import mpmath
import numpy as np
import pytest

from deltaprop import Network
from deltaprop.functions.formulas import ActivationFormula, LossFormula, evaluate

FUNCTIONS = {
    **{name: getattr(mpmath, name) for name in ("exp", "log", "tanh", "sinh", "cosh", "sqrt", "atan", "sign", "erf")},
    "abs": abs, "pi": mpmath.pi, "log1p": lambda x: mpmath.log(1 + x), "sigmoid": lambda x: 1 / (1 + mpmath.exp(-x)),
    "softplus": lambda x: mpmath.log(1 + mpmath.exp(x)), "max": max, "min": min,
}  # fmt: skip


def exactly(text: str, **values: float) -> mpmath.mpf:
    """A formula at a point, to 60 digits."""
    with mpmath.workdps(60):
        return eval(text, FUNCTIONS | {name: mpmath.mpf(x) for name, x in values.items()})


@pytest.mark.parametrize(
    "text",
    ["abs((a - 1) * -1)", "abs((a - 1) / -1)", "abs(-1 * (exp(a) - 2))", "sign((a - 1) * -1)", "sign(-3 * (a - 1))",
     "abs((1.5 * a - 1) * (a - (a + 1)))", "a - 1 + abs(a - 1)", "(1 - a + abs(1 - a)) / 2", "abs(a + 1) - (a + 1)",
     "3 * (a - 1) - 2 * abs(1 - a)", "abs((a - 1) * (1 - a) * -2)"],
)  # fmt: skip
def test_magnitudes_and_signs_of_sums_with_a_factor(text: str) -> None:
    """|−x| was −|x|, and x + |x| of a sum of two terms divided by 0."""
    a = np.linspace(-3, 3, 25)
    h = ActivationFormula(text, where="h")
    np.testing.assert_allclose(evaluate(h.value, a)[0], [float(exactly(text, a=x)) for x in a], atol=1e-15)
    z = evaluate(h.value, a)[0]
    bends = np.isclose(a, 1) | np.isclose(a, -1) | np.isclose(a, 2 / 3) | np.isclose(a, np.log(2))
    slopes = np.array([float((exactly(text, a=x + 1e-9) - exactly(text, a=x - 1e-9)) / 2e-9) for x in a])
    np.testing.assert_allclose(evaluate(h.derivative, a, z)[0][~bends], slopes[~bends], atol=1e-6)


@pytest.mark.parametrize(
    "text",
    ["abs(-1 * (r - y))", "abs(-1 * (y**2 - r))", "((y - r) + abs(y - r)) / 2", "sqrt((y - r)**2) + y - r",
     "(1 - (2 * r - 1) * y + abs(1 - (2 * r - 1) * y)) / 2",
     "(abs(r - y) + (r - y)) * 0.9 + (abs(r - y) - (r - y)) * 0.1"],
)  # fmt: skip
def test_losses_of_magnitudes(text: str) -> None:
    y = np.linspace(-3, 3, 25)
    for r in (-2.0, 0.3, 1.0):
        (E,) = evaluate(LossFormula(text, where="loss").value, y, np.full(25, r))
        np.testing.assert_allclose(E, [float(exactly(text, y=v, r=r)) for v in y], atol=1e-15)
    net = Network([2, 3, 1], output="identity", loss=text)
    X = np.random.default_rng(0).normal(size=(30, 2))
    assert net.check_gradient(X, X[:, 0] > 0).ok


# h is finite at these points, so h′ has to be: once each was inf times 0, or inf / inf.
FAR = {
    "1 / cosh(a)": 0, "tanh(a) / cosh(a)": 0, "a / cosh(a)": 0, "a * tanh(exp(a))": 1, "tanh(exp(a))": 0,
    "(1 + exp(-a))**-0.5": 0, "1 - (1 + exp(a))**-0.5": 0, "1 / (1 + 0.5 * exp(-2 * a))**(1 / 0.7)": 0,
    "1 / (1 + exp(-a))**1.5": 0, "sigmoid(a)**2": 0,
}  # fmt: skip


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("text", FAR)
def test_slopes_far_out_are_finite(text: str, dtype: str) -> None:
    h = ActivationFormula(text, where="h")
    a = np.array([-3000, -1000, -800, -200, -100, -95, -89, -46, 46, 89, 95, 100, 200, 800, 1000, 3000], dtype)
    (z,) = evaluate(h.value, a)
    (slope,) = evaluate(h.derivative, a, z)
    assert np.isfinite(z).all()
    assert np.isfinite(slope).all()
    assert slope[-1] == FAR[text]
    near = np.linspace(-6, 6, 49, dtype=dtype)
    (slope,) = evaluate(h.derivative, near, evaluate(h.value, near)[0])
    step = mpmath.mpf(10) ** -20
    exact = [float(exactly(text, a=float(x)) * 0 + difference(text, float(x), step)) for x in near]
    np.testing.assert_allclose(
        slope, exact, rtol=2e-5 if dtype == "float32" else 1e-12, atol=float(np.finfo(dtype).eps)
    )


def difference(text: str, a: float, step: mpmath.mpf) -> mpmath.mpf:
    with mpmath.workdps(60):
        up, down = (eval(text, FUNCTIONS | {"a": mpmath.mpf(a) + side * step}) for side in (1, -1))
        return (up - down) / (2 * step)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    "output", ["sigmoid(a)**2", "(1 + exp(-a))**-0.5", "0.5 + atan(sinh(a)) / pi", "2 / pi * atan(exp(a))"]
)
@pytest.mark.parametrize("loss", ["log", "focal"])
def test_a_slope_is_never_divided_by_a_floor_far_below_it(loss: str, output: str, dtype: str) -> None:
    """Where 1 − y had rounded to 0 before h′ had, δ was h′ / 1e-38."""
    net = Network([1, 1], output=output, loss=loss, dtype=dtype, bias=False)
    net.theta = [1]
    for r in (0.0, 1.0):
        for a in np.concatenate([np.linspace(-60, 60, 121), [-800, 800]]):
            t = net.trace([a], r)
            assert abs(float(t.layers[0].delta[0])) < 1e3
            assert (
                -float(np.finfo(dtype).eps) < t.E < 2e3
            )  # a difference of two logarithms, where it is next to nothing


@pytest.mark.parametrize(
    "spelled", ["max(y, 0) - y * r + log(1 + exp(-abs(y)))", "where(y > 0, y, 0) - r * y + log1p(exp(-abs(y)))"]
)
def test_delta_where_a_loss_only_seems_to_bend(spelled: str) -> None:
    """At y = 0, where a network of zeros begins, δ is ½ − r, and was −r."""
    X, R = [[0, 1], [1, 0], [1, 1], [0, 0]], [1, 0, 0, 0]
    nets = [Network([2, 1], output="identity", loss=loss, init="zeros") for loss in (spelled, "softplus(y) - y * r")]
    gradients = [net.gradient(X, R) for net in nets]
    np.testing.assert_allclose(gradients[0], gradients[1], atol=1e-15)
    assert gradients[0].tolist() == [0.25, 0, 0.25]
    assert nets[0].check_gradient(X, R).ok
    assert Network([1, 1], output="identity", loss="abs(y - r) + max(y, 0)").gradient([[0.0]], [1]).tolist() == [0, -1]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("output", ["sigmoid", "exp(-exp(-a))", "1 - exp(-exp(a))", "0.5 * (1 + erf(a / sqrt(2)))"])
@pytest.mark.parametrize(
    "loss",
    ["-log(r * y + (1 - r) * (1 - y))", "-log(where(r > 0.5, y, 1 - y))", "where(r > 0.5, -log(y), -log(1 - y))",
     "-(1 - (r * y + (1 - r) * (1 - y)))**2 * log(r * y + (1 - r) * (1 - y))",
     "-2 * r * log(y) - (1 - r) * log(1 - y)"],
)  # fmt: skip
def test_losses_of_probabilities_of_the_users_own_stay_finite(loss: str, output: str, dtype: str) -> None:
    net = Network([1, 1], output=output, loss=loss, dtype=dtype, bias=False)
    net.theta = [1]
    for r in (0.0, 1.0):
        for a in (-800, -100, -30, -6, -1, 0, 1, 3, 20, 40, 100, 800):
            t = net.trace([float(a)], r)
            assert not np.isnan(t.E)
            assert not np.isnan(t.layers[0].delta[0])
            if output == "sigmoid":
                assert np.isfinite(t.E)
                assert abs(t.layers[0].delta[0]) < 10
    x = np.random.default_rng(0).normal(size=200)
    net.fit(x[:, None], (x > 0).astype(float), epochs=20, eta=0.1)
    assert net.E(x[:, None], (x > 0).astype(float)) < 0.4


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("text", ["log(a + sqrt(a**2 + 1))", "2 / (sqrt(a**2 + 4) - a)", "(a + sqrt(a**2 + 4)) / 2"])
def test_slopes_do_not_cancel_where_values_do_not(text: str, dtype: str) -> None:
    """The rules of differentiation lose the digits that the value keeps; another way to write h′ does not."""
    a = np.array([-1e4, -3000, -100, -20, -1, 0, 1, 20, 100, 3000, 1e4], dtype)
    h = ActivationFormula(text, where="h")
    (z,) = evaluate(h.value, a)
    exact = [float(difference(text, float(x), mpmath.mpf(10) ** -20)) for x in a]
    np.testing.assert_allclose(evaluate(h.derivative, a, z)[0], exact, rtol=8 * float(np.finfo(dtype).eps))


@pytest.mark.parametrize(
    "text",
    ["log((exp(y - r) + exp(r - y)) / 2)", "(y - r) + softplus(-2 * (y - r)) - log(2)", "exp(y - r) - (y - r) - 1",
     "exp(0.5 * (r - y)) - 0.5 * (r - y) - 1", "2 * (y - r) * sigmoid(y - r) - (y - r)", "(y - r)**2 + (y - r)"],
)  # fmt: skip
def test_what_y_and_r_differ_by_is_not_rounded_by_the_rest(text: str) -> None:
    """In float32, where both are near 1000 and differ by 0.01."""
    y, r = np.array([1000.01], np.float32), np.array([1000], np.float32)
    (E,) = evaluate(LossFormula(text, where="loss").value, y, r)
    plain = float(exactly(text, y=float(y[0]), r=1000.0))
    assert float(E[0]) == pytest.approx(plain, rel=2e-3, abs=2e-8)
