"""Formulas whose h′ is 0 / 0 somewhere, or dear to write: right near by in both precisions, and answered soon."""

import mpmath
import numpy as np
import pytest

from deltaprop import Network
from deltaprop.functions.formulas import ActivationFormula, budget, evaluate
from deltaprop.functions.formulas.kinks import at_kinks
from deltaprop.functions.formulas.parser import parse
from deltaprop.functions.formulas.poles import poles

mp = mpmath
# A formula, the same by mpmath, where its derivative is 0 / 0, and its value there.
REMOVABLE = [
    ("sin(a) / a", lambda a: mp.sin(a) / a, 0.0, 0.0),
    ("where(a * a > 0, sin(a) / a, 1)", lambda a: mp.sin(a) / a, 0.0, 0.0),
    ("(exp(a) - 1) / a", lambda a: mp.expm1(a) / a, 0.0, 0.5),
    ("tanh(a) / a", lambda a: mp.tanh(a) / a, 0.0, 0.0),
    ("atan(a) / a", lambda a: mp.atan(a) / a, 0.0, 0.0),
    ("erf(a) / a", lambda a: mp.erf(a) / a, 0.0, 0.0),
    ("(1 - cos(a)) / a", lambda a: (1 - mp.cos(a)) / a, 0.0, 0.5),
    ("sinh(a) / a", lambda a: mp.sinh(a) / a, 0.0, 0.0),
    ("a / expm1(a)", lambda a: a / mp.expm1(a), 0.0, -0.5),
    ("(exp(a) - 1 - a) / a**2", lambda a: (mp.expm1(a) - a) / a**2, 0.0, 1 / 6),
    ("sin(a - 1) / (a - 1)", lambda a: mp.sin(a - 1) / (a - 1), 1.0, 0.0),
    ("1 / tanh(a) - 1 / a", lambda a: 1 / mp.tanh(a) - 1 / a, 0.0, 1 / 3),
    ("a / sin(a)", lambda a: a / mp.sin(a), 0.0, 0.0),
]


@pytest.mark.parametrize(("dtype", "tolerance"), [("float32", 2e-6), ("float64", 5e-15)])
@pytest.mark.parametrize(("text", "f", "pole", "there"), REMOVABLE, ids=[text for text, *_ in REMOVABLE])
def test_near_a_removable_pole(text, f, pole, there, dtype, tolerance):
    """The chain rule's (cos(a) - sin(a) / a) / a lost all digits of float32 at 1e-4."""
    steps = np.geomspace(1e-7, 1.5, 60)
    a = (pole + np.concatenate([-steps, steps])).astype(dtype)
    net = Network([1, 1, 1], h=text, output="identity", loss="squared_error", bias=False, dtype=dtype)
    net.theta = [1.0, 1.0]
    dh = net.raw_trace(a[:, None], np.zeros(len(a))).dh[0][:, 0].astype(float)
    with mp.workdps(50):
        exact = np.array([float(mp.diff(f, mp.mpf(float(x)))) for x in a])
    assert np.abs(dh - exact).max() < tolerance * np.abs(exact).max()
    h = ActivationFormula(text, where="h")
    at = np.array([pole])
    with np.errstate(all="ignore"):
        (slope,) = evaluate(h.derivative, at, evaluate(h.value, at)[0])
    assert slope[0] == pytest.approx(there, abs=1e-9)


def test_a_power_that_is_0_at_the_point():
    """u^1.5 has the slope 1.5 u^1.5 u′ / u, 0 / 0 where u is 0."""
    h = ActivationFormula("(max(a**2, a + 1) * a**2 / (a + 1))**1.5", where="h")
    a = np.array([0.0, 1e-8, -1e-8, 0.5, -0.5])
    (dh,) = evaluate(h.derivative, a, evaluate(h.value, a)[0])
    expected = [float(mp.diff(lambda x: (max(x**2, x + 1) * x**2 / (x + 1)) ** 1.5, mp.mpf(x))) for x in a[1:]]
    np.testing.assert_allclose(dh, [0.0, *expected], rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("text", ["1 / a", "abs(a) / a * sin(a)", "log(abs(a)) * a", "sqrt(abs(a)) / a", "sign(a) / a"])
def test_poles_that_stay_are_left_alone(text):
    h = ActivationFormula(text, where="h")
    a = np.array([-0.3, -1e-3, 1e-3, 0.3])
    names = {"log": mp.log, "sin": mp.sin, "sqrt": mp.sqrt, "sign": mp.sign, "abs": abs}
    exact = [float(mp.diff(lambda x: eval(text, names | {"a": x}), mp.mpf(x))) for x in a]
    (dh,) = evaluate(h.derivative, a, evaluate(h.value, a)[0])
    np.testing.assert_allclose(dh, exact, rtol=1e-9)


def test_where_poles_are():
    assert poles(parse("a / (3 - a) + 1 / sinh(2 * a + 1) + a**-0.5 + 1 / cosh(a)", ["a"], "h"), "a") == [
        -0.5,
        0.0,
        3.0,
    ]
    tree = parse("(exp(a) - 1) / a", ["a"], "h")
    mended = at_kinks(tree, "a", lambda a: np.expm1(a) / a if a else float("nan"))
    assert str(mended) == "where(a <= 0 and a >= 0, 1, (exp(a) - 1) / a)"


@pytest.mark.parametrize(
    "text",
    [
        f"1 / ({' + '.join(f'exp({k} * a)' for k in range(1, 13))})**2",
        f"1 / ({' + '.join(f'exp({k / 10} * a)' for k in range(1, 13))})",
    ],
)
def test_twelve_exponentials_below_a_fraction(text, monkeypatch):
    """Differentiated, and not multiplied out below the fractions, which took seconds and was refused then."""
    spent = []
    spend = budget.spend
    monkeypatch.setattr(budget, "spend", lambda n: spent.append(n) or spend(n))
    h = ActivationFormula(text, where="h")
    a = np.linspace(-2, 2, 9)
    (dh,) = evaluate(h.derivative, a, evaluate(h.value, a)[0])
    f = eval(f"lambda a: {text}", {"exp": mp.exp})
    np.testing.assert_allclose(dh, [float(mp.diff(f, mp.mpf(x))) for x in a], rtol=1e-11)
    assert sum(spent) < 60_000
