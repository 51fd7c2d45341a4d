"""Formulas against 60 digits: those of the declared activations, and textbook ones that are not built in."""

import math
from typing import Any

import mpmath
import numpy as np
import pytest

from deltaprop.functions import ACTIVATIONS, activation
from deltaprop.functions.formulas import ActivationFormula, LossFormula, evaluate, parse
from formulas import derivative_in_language, exactly, of_language

DECLARED = [
    *(name for name, entry in ACTIVATIONS.items() if not entry.output_only),
    "leaky_relu:slope=0.3",
    "elu:alpha=0.7",
    "celu:alpha=2.5",
]
FAR = [-1e4, -800.0, 800.0, 1e4]
BITS = 1300  # e^800 beside 1
POINTS = np.concatenate([np.linspace(-20, 20, 161), np.random.default_rng(0).normal(size=60) * 1e-3])


def formula(name: str) -> ActivationFormula:
    entry = activation(name, where="test")
    constants = {p.name: value for p, value in zip(entry.parameters, entry.values, strict=True)}
    return ActivationFormula(entry.formula, where="test", constants=constants)


def far(name: str) -> list[float]:
    return [a for a in FAR if name != "exp" or a <= 0] if name != "sine" else []


def both(h: ActivationFormula, a: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    z = evaluate(h.value, a)[0]
    return z, evaluate(h.derivative, a, z)[0]


@pytest.mark.parametrize("name", DECLARED)
def test_values_of_declared_formulas(name: str) -> None:
    """To 1e-13 of the value, at −1e4 too; in float32 to 1e-6. Where h is 1e-20, of the largest factor it comes from."""
    h = formula(name)
    a = np.array([*POINTS, *far(name)])
    exact = np.array([float(exactly(name, float(x), BITS)[0]) for x in a])
    np.testing.assert_allclose(evaluate(h.value, a)[0], exact, rtol=1e-13, atol=1e-300)
    single = POINTS.astype("float32")
    exact = np.array([float(exactly(name, float(x), BITS)[0]) for x in single])
    # What e^−a² and erfc have of their argument's rounding, and what is subnormal, is lost in float32.
    lossy = {"gaussian": 3e-5, "gelu": 3e-5, "gelu_tanh": 2e-4, "exp": 3e-6, "sine": 1e-4}
    np.testing.assert_allclose(evaluate(h.value, single)[0], exact, rtol=lossy.get(name, 1e-6), atol=1e-38)


@pytest.mark.parametrize("name", DECLARED)
def test_derivatives_of_declared_formulas(name: str) -> None:
    """To 1e-13 of the value or of the largest there is, at the kinks too."""
    h = formula(name)
    a = np.array([*POINTS, *activation(name, where="test").kinks, *far(name)])
    exact = np.array([float(exactly(name, float(x), BITS)[1]) for x in a])
    scale = 1e-13 * min(np.abs(exact).max(), 1.2)
    np.testing.assert_allclose(both(h, a)[1], exact, rtol=1e-13, atol=scale)


@pytest.mark.parametrize("name", DECLARED)
def test_bounds_of_declared_formulas_hold(name: str) -> None:
    """They may be wider than the declared ones, never narrower than what is met."""
    h = formula(name)
    z = evaluate(h.value, np.array([*POINTS, *FAR]))[0]
    assert (z >= h.low).all()
    assert (z <= h.high).all()
    sharp = {"sigmoid", "tanh", "lecun_tanh", "relu", "softplus", "hard_sigmoid", "hard_tanh", "relu6", "log_sigmoid",
             "arctan", "gaussian", "sine", "exp", "identity", "squareplus"}  # fmt: skip
    if name in sharp:
        entry = activation(name, where="test")
        assert (h.low, h.high) == pytest.approx((entry.low, entry.high), rel=1e-15)


TEXTBOOK = [
    "a * sigmoid(1.5 * a)",  # Swish-β
    "exp(-exp(-a))",  # Gompertz
    "(sqrt(a**2 + 1) - 1) / 2 + a",  # bent identity
    "a / sqrt(1 + a**2)",  # ISRU
    "where(a < 0, a / sqrt(1 + a**2), a)",  # ISRLU
    "a + sin(a)**2",  # Snake
    "log(1 + abs(a)) * sign(a)",
    "1 - exp(-exp(a))",  # complementary log-log
    "sqrt(abs(a) + 1) * sign(a)",
    "tanh(a)**3 + a / 10",
    "a**2 * exp(-abs(a))",
    "sinh(a / 4) - cosh(a / 3) / 7",
    "erf(a / 2) + erfc(a) * a",
    "1.5**a - 0.5**a",
    "max(sin(a), cos(a), 0.5)",
    "min(a**2, 4, exp(a))",
    "log(cosh(a))",
    "expm1(-softplus(a)) / 2",
    "tan(a / 15)",
    "atan(a) * relu(a)",
    "(1 + a**2)**0.3",
    "where(-1 < a < 1, a**3, where(a >= 1, 3 * a - 2, 3 * a + 2))",
    "(exp(a) - exp(-a)) / (exp(a) + exp(-a) + 1)",
    "sigmoid(a) * sigmoid(-a)",
    "abs(a)**1.5",
    "2 / (1 + exp(-2 * a)) - 1",
    "1 / (1 + (a / 3)**4)",
    "softplus(a)**sigmoid(a)",
]


@pytest.mark.parametrize("text", TEXTBOOK)
def test_textbook_formulas(text: str) -> None:
    """Value and derivative against differences in 400 bits, at points none of which is a kink."""
    h = ActivationFormula(text, where="test")
    a = np.random.default_rng(3).uniform(-9, 9, 120)
    z, slope = both(h, a)
    values = np.array([float(of_language(text, 400, a=x)) for x in a])
    slopes = np.array([float(derivative_in_language(text, "a", a=x)) for x in a])
    np.testing.assert_allclose(z, values, rtol=2e-13, atol=1e-14 * np.abs(values).max())
    np.testing.assert_allclose(slope, slopes, rtol=2e-13, atol=2e-14 * np.abs(slopes).max())


LOSSES = {
    "log(cosh(y - r))": None,
    "log(1 + (y - r)**2)": None,  # Cauchy
    "sqrt((y - r)**2 + 1e-6)": None,  # Charbonnier
    "sqrt(1 + (y - r)**2) - 1": None,
    "where(abs(y - r) < 4.685, 1 - (1 - ((y - r) / 4.685)**2)**3, 1)": None,  # Tukey's biweight
    "(y - r)**4 / 4": None,
    "where(abs(y - r) <= 1, (y - r)**2 / 2, abs(y - r) - 0.5)": None,  # Huber
    "max(0.3 * (r - y), 0.7 * (y - r))": None,  # quantile
    "softplus(y) - r * y": None,
    "y - r * log(y)": "positive",  # Poisson
    "r / y - log(r / y) - 1": "positive",  # Itakura and Saito
    "-r * log(y) - (1 - r) * log(1 - y)": "unit",
    "-r * (1 - y)**2 * log(y) - (1 - r) * y**2 * log(1 - y)": "unit",  # focal
    "(1 - (1 + (2 * r - 1) * (2 * y - 1)) / 2)**2": "unit",
}
OUTPUTS = {
    None: ("a", "tanh(a)", "sin(a)"),
    "positive": ("exp(a)", "softplus(a)", "0.1 + abs(a)"),
    "unit": ("1 / (1 + exp(-a))", "exp(-exp(-a))", "(1 + tanh(a)) / 2", "0.5 + atan(a) / pi"),
}


def _pairs() -> list[tuple[str, str | None]]:
    return [(loss, h) for loss, domain in LOSSES.items() for h in (None, *OUTPUTS[domain])]


@pytest.mark.parametrize(("text", "h"), _pairs())
def test_losses_alone_and_with_an_output(text: str, h: str | None) -> None:
    """E and its slope against 400 bits; r is where the loss wants it."""
    random = np.random.default_rng(5)
    domain = LOSSES[text]
    a = random.uniform(0.05, 0.95, 60) if h is None else random.uniform(-4, 4, 60)
    r = random.uniform(0.05, 0.95, 60) if domain else random.normal(size=60)
    loss, output = LossFormula(text, where="loss"), None if h is None else parse(h, ["a"], "output")
    value, slope = loss.value_with(output), loss.slope_with(output)
    if h is None:
        inputs, whole, by = [a, r], text, "y"
    else:
        y = evaluate(ActivationFormula(h, where="output").value, a)[0]
        inputs, whole, by = [a, y, r], text.replace("y", f"({h})"), "a"
    assert value.inputs == slope.inputs == (("y", "r") if h is None else ("a", "y", "r"))
    at: list[dict[str, Any]] = [{by: x, "r": target} for x, target in zip(a, r, strict=True)]
    values = np.array([float(of_language(whole, 400, **point)) for point in at])
    slopes = np.array([float(derivative_in_language(whole, by, **point)) for point in at])
    np.testing.assert_allclose(evaluate(value, *inputs)[0], values, rtol=1e-13, atol=1e-14 * values.max())
    scale = 2e-14 * np.abs(slopes).max()
    np.testing.assert_allclose(evaluate(slope, *inputs)[0], slopes, rtol=1e-12, atol=scale)


@pytest.mark.parametrize("h", ["1 / (1 + exp(-a))", "exp(a) / (1 + exp(a))", "sigmoid(a)", "0.5 + tanh(a / 2) / 2"])
@pytest.mark.parametrize("a", [-800.0, -40.0, 40.0, 800.0])
@pytest.mark.parametrize("r", [0.0, 0.25, 1.0])
def test_log_loss_is_finite_and_right_far_out(h: str, a: float, r: float) -> None:
    """By hand: r · softplus(−a) + (1 − r) · softplus(a) and σ(a) − r."""
    loss, output = LossFormula("-r * log(y) - (1 - r) * log(1 - y)", where="loss"), parse(h, ["a"], "output")
    value, slope = loss.value_with(output), loss.slope_with(output)
    y = evaluate(ActivationFormula(h, where="output").value, np.array([a]))[0]
    with mpmath.workprec(BITS):
        E = r * mpmath.log1p(mpmath.exp(-a)) + (1 - mpmath.mpf(r)) * mpmath.log1p(mpmath.exp(a))
        delta = 1 / (1 + mpmath.exp(-mpmath.mpf(a))) - r
    block = np.array([a]), y, np.array([r])
    assert evaluate(value, *block)[0][0] == pytest.approx(float(E), rel=1e-14, abs=1e-320)
    assert evaluate(slope, *block)[0][0] == pytest.approx(float(delta), abs=2e-16)
    assert math.isfinite(evaluate(value, *block)[0][0])
