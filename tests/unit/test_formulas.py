"""Programs of formulas: how short they are, and their values where a rounding or an overflow lies in wait."""

import re
import sys

import numpy as np
import pytest

import deltaprop
from deltaprop import FormulaError
from deltaprop.functions.formulas import ActivationFormula, LossFormula, Operation, evaluate, parse
from deltaprop.functions.formulas.derivative import shortest
from deltaprop.functions.formulas.guards import guarded
from deltaprop.functions.formulas.operations import REFERENCE
from deltaprop.functions.formulas.reuse import reused
from deltaprop.functions.formulas.stable import stable


def activation(text: str) -> ActivationFormula:
    return ActivationFormula(text, where="h")


def lines(program: object) -> list[str]:
    return str(program).splitlines()


def at(text: str, *a: float, dtype: str = "float64") -> list[float]:
    return evaluate(activation(text).value, np.array(a, dtype))[0].tolist()


def slope(text: str, *a: float) -> list[float]:
    h = activation(text)
    block = np.array(a)
    return evaluate(h.derivative, block, evaluate(h.value, block)[0])[0].tolist()


# ---- programs


def test_the_operations_and_their_order() -> None:
    """The engine has the same list."""
    names = (
        "neg add subtract multiply divide minimum maximum absolute sign sqrt exp expm1 log log1p tanh sigmoid softplus "
        "erf erfc sin cos atan power less less_equal and or not select exp_minus_square exp_minus_half_square normal "
        "positive apart"
    )
    assert [operation.name for operation in Operation] == names.split()
    assert [int(operation) for operation in Operation] == list(range(34))
    assert set(REFERENCE) == set(Operation)


@pytest.mark.parametrize(
    ("text", "value", "derivative"),
    [
        ("1/(1+exp(-a))", ["r1 = sigmoid a", "return r1"], ["r3 = subtract 1.0 z", "r3 = multiply z r3", "return r3"]),
        ("logistic(a)", ["r1 = sigmoid a", "return r1"], ["r3 = subtract 1.0 z", "r3 = multiply z r3", "return r3"]),
        ("tanh(a)", ["r1 = tanh a", "return r1"], ["r3 = multiply z z", "r3 = subtract 1.0 r3", "return r3"]),
        (
            "(exp(a)-exp(-a))/(exp(a)+exp(-a))",
            ["r1 = tanh a", "return r1"],
            ["r3 = multiply z z", "r3 = subtract 1.0 r3", "return r3"],
        ),
        ("max(a, 0)", ["r2 = maximum a 0.0", "return r2"], ["r3 = less 0.0 a", "return r3"]),
        ("relu(a)", ["r2 = maximum a 0.0", "return r2"], ["r3 = less 0.0 a", "return r3"]),
        ("exp(a)", ["r1 = exp a", "return r1"], ["return z"]),
        ("log(1+exp(a))", ["r1 = softplus a", "return r1"], ["r2 = sigmoid a", "return r2"]),
        ("a", ["return a"], ["return 1.0"]),
        ("1", ["return 1.0"], ["return 0.0"]),
        ("2*3 - 7", ["return -1.0"], ["return 0.0"]),
        (
            "a * sigmoid(1.702 * a)",
            ["r2 = multiply a 1.702", "r2 = sigmoid r2", "r2 = multiply a r2", "return r2"],
            None,
        ),
        ("a**3", ["r1 = multiply a a", "r1 = multiply a r1", "return r1"], None),
        ("a**0.5", ["r1 = sqrt a", "return r1"], ["r3 = divide 0.5 z", "return r3"]),
        ("a**-0.5", ["r2 = sqrt a", "r2 = divide 1.0 r2", "return r2"], None),
        ("exp(-a**2)", None, ["r3 = multiply a z", "r3 = multiply r3 -2.0", "return r3"]),
        ("where(a > 0, a, 0.1 * a)", None, ["r5 = less 0.0 a", "r5 = select r5 1.0 0.1", "return r5"]),
        ("sin(a) + sin(a)**2 / sin(a)", ["r2 = sin a", "r2 = multiply r2 2.0", "return r2"], None),
    ],
)
def test_programs_are_short(text: str, value: list[str] | None, derivative: list[str] | None) -> None:
    h = activation(text)
    assert value is None or lines(h.value) == value
    assert derivative is None or lines(h.derivative) == derivative


def test_registers_are_used_again() -> None:
    program = activation("+".join(f"sin({n}.5*a)" for n in range(1, 30))).value
    assert program.registers == len(program.inputs) + len(program.constants) + 2
    assert max(x for step in program.instructions for x in step[1:]) < program.registers


def test_a_program_that_needs_too_many_slots_is_refused() -> None:
    with pytest.raises(FormulaError, match=r"h: it is too large: it needs \d+ numbers"):
        activation("+".join(f"sin({n}.5*a + {n}.25)" for n in range(1, 70)))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("log(1 + a**2)", "log1p(a**2)"),
        ("exp(a) - 1", "expm1(a)"),
        ("1 - exp(a)", "-expm1(a)"),
        ("exp(a) / (1 + exp(a))", "sigmoid(a)"),
        ("a / (1 + exp(-2 * a))", "a * sigmoid(2 * a)"),
        ("log1p(exp(a))", "softplus(a)"),
        ("log(1 + exp(a)) - a", "softplus(-a)"),
        ("log(sigmoid(a))", "-softplus(-a)"),
        ("1 - sigmoid(a)", "sigmoid(-a)"),
        ("log(1 - 1 / (1 + exp(-a)))", "-softplus(a)"),
        ("1 - erf(a)", "erfc(a)"),
        ("1 + erf(a)", "erfc(-a)"),
        ("1 - tanh(a)**2", "4 * (sigmoid(-2 * a) * sigmoid(2 * a))"),
        ("1 / cosh(a)**2", "4 * (sigmoid(-2 * a) * sigmoid(2 * a))"),
        ("2 * sigmoid(2 * a) - 1", "tanh(a)"),
        ("2 / (1 + exp(-2 * a)) - 1", "tanh(a)"),
        ("exp(a) / (1 + exp(a))**2", "sigmoid(a) * sigmoid(-a)"),
        ("exp(-a) / (1 + exp(-a))**2", "sigmoid(a) * sigmoid(-a)"),
        ("sqrt(a**2)", "abs(a)"),
        ("log(exp(a))", "a"),
        ("exp(log(a))", "a"),
        ("sinh(a) / cosh(a)", "tanh(a)"),
        ("exp(2 * a) / (1 + exp(3 * a))", "1 / (exp(a) + exp(-2 * a))"),
        ("exp(a) / (exp(a) + exp(-a) + 1)", "1 / (exp(-a) + exp(-2 * a) + 1)"),
        ("2**a", "exp(0.6931471805599453 * a)"),
        ("max(0, a)", "max(a, 0)"),
        ("where(a > 0, 1, 0) * exp(a)", "where(a > 0, exp(a), 0)"),
        ("where(a > 0, 1, a) + 2 * where(a > 0, a, 3)", "where(a > 0, 2 * a + 1, a + 6)"),
        ("3 - where(a > 0, 1, 2)", "where(a > 0, 2, 1)"),
        ("erfc(a) - 2", "-erfc(-a)"),
        ("1 - cos(a)", "2 * sin(0.5 * a)**2"),
        ("a * sign(a)", "abs(a)"),
        ("abs(a) * sign(a)", "a"),
        ("abs(a)**2", "a**2"),
        ("sigmoid(a) + sigmoid(-a)", "1"),
        ("softplus(a) - softplus(-a)", "a"),
        ("log(2 * exp(a) + 2)", "softplus(a) + 0.6931471805599453"),
        ("log(cosh(a)**2 / 3)", "2 * log(cosh(a)) - 1.0986122886681098"),
        ("log(a**-3)", "-3 * log(a)"),
        ("max(a, 0) < 6", "a < 6"),
        ("a - 1 - a + 1", "0"),
    ],
)
def test_stable_forms(before: str, after: str) -> None:
    if "<" in before:
        before, after = f"where({before}, a, 1)", f"where({after}, a, 1)"
    assert str(stable(parse(before, ["a"], "h"))) == after


def test_what_is_given_is_not_computed_again() -> None:
    def written(h: str, tree: str) -> str:
        return str(reused(stable(parse(tree, ["a"], "h")), {"z": stable(parse(h, ["a"], "h"))}, mirrors=True))

    assert written("a * sin(a)", "a**2 * sin(a)**2 * cos(a)") == "z**2 * cos(a)"
    assert written("sin(a) / a", "a / sin(a)**3") == "1 / (z * sin(a)**2)"
    assert written("sin(a) / a", "a * sin(a)") == "a * sin(a)"
    assert written("1 + a**2", "3 + 3 * a**2 + a") == "a + 3 * z"
    assert written("3 * tanh(a)", "1 - tanh(a)**2") == "1 - z**2 / 9"
    assert written("5", "5 * a") == "5 * a"


def test_the_shortest_way_must_come_to_the_same_and_be_finite_where_the_first_is() -> None:
    def chosen(*ways: str) -> list[str]:
        return lines(shortest([parse(way, ["a"], "h") for way in ways], ["a"], {}))

    assert chosen("sin(a) + 1", "a") == chosen("sin(a) + 1")  # another function
    assert chosen("log1p(exp(-a)) + a", "softplus(a)") == ["r1 = softplus a", "return r1"]  # finite at −800
    assert chosen("sigmoid(a) + 0 * a", "1 / (1 + 1 / exp(a))", "sigmoid(a)") == ["r1 = sigmoid a", "return r1"]
    assert chosen("softplus(a)", "log(1 + exp(a))") == ["r1 = softplus a", "return r1"]  # infinite at 800


# ---- values; those of 800 are by hand: e^−800 is 0 in float64, and 1 + e^−800 is 1


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("1 / (1 + exp(-a))", 0.0, 1.0),
        ("exp(a) / (1 + exp(a))", 0.0, 1.0),
        ("(exp(a) - exp(-a)) / (exp(a) + exp(-a))", -1.0, 1.0),
        ("sinh(a) / cosh(a)", -1.0, 1.0),
        ("log(1 + exp(a))", 0.0, 800.0),
        ("log(exp(a) + exp(-a))", 800.0, 800.0),
        ("log(cosh(a))", 800 - np.log(2), 800 - np.log(2)),
        ("a * exp(a) / (1 + exp(a))", 0.0, 800.0),
        ("exp(2 * a) / (1 + exp(3 * a))", 0.0, 0.0),
        ("(1 + exp(-a) + a * exp(-a)) / (1 + exp(-a))**2", 0.0, 1.0),
        ("exp(a) / cosh(a)", 0.0, 2.0),
        ("exp(-exp(-a))", 0.0, 1.0),
        ("where(a > 0, sqrt(a), exp(a))", 0.0, np.sqrt(800)),
        ("where(a > 0, log(a), 1 / exp(a)) * where(a > 0, 1, 0)", 0.0, np.log(800)),
    ],
)
def test_values_at_800(text: str, low: float, high: float) -> None:
    assert at(text, -800.0, 800.0) == pytest.approx([low, high], rel=1e-15)


def test_the_branch_not_taken_does_not_matter() -> None:
    assert at("where(a > 0, log(a), -1)", -2.0, 0.0, 1.0) == [-1, -1, 0]
    assert slope("where(a > 0, log(a), -1)", -2.0, 0.0, 2.0) == [0, 0, 0.5]
    assert slope("where(a > 0, sqrt(a), 0)", -1.0, 0.0, 4.0) == [0, 0, 0.25]
    assert slope("a * where(a > 0, exp(-1 / a), 0)", 0.0)[0] == 0


def test_nan_and_infinity() -> None:
    nan, inf = np.nan, np.inf
    np.testing.assert_array_equal(at("max(a, 0)", nan, inf, -inf), [nan, inf, 0])
    np.testing.assert_array_equal(at("min(a, 0)", nan, inf, -inf), [nan, 0, -inf])
    np.testing.assert_array_equal(at("where(a > 0, 1, 2)", nan, inf, -inf), [2, 1, 2])
    np.testing.assert_array_equal(at("where(not a > 0, 1, 2)", nan, inf, -inf), [1, 2, 1])
    np.testing.assert_array_equal(at("where(a <= 0 or a > 0, a, 7)", nan, 1.0), [7, 1])
    np.testing.assert_array_equal(at("tanh(a)", nan, inf, -inf), [nan, 1, -1])
    np.testing.assert_array_equal(at("log(1 + exp(a))", nan, inf, -inf), [nan, inf, 0])
    np.testing.assert_array_equal(at("abs(a) + sign(a)", nan, inf, -inf), [nan, inf, inf])
    np.testing.assert_array_equal(at("1 / a", nan, inf, 0.0), [nan, 0, inf])
    np.testing.assert_array_equal(at("a**a", -2.0, 0.0, 2.0), [nan, 1, 4])
    np.testing.assert_array_equal(at("a**1.5", -2.0, 0.0, 4.0), [nan, 0, 8])


def test_values_by_hand() -> None:
    assert at("a**-2 + a**3 - a**0", 2.0, -2.0) == [7.25, -8.75]
    assert at("min(a, 1, -a) + max(a, 2, 3)", 5.0) == [0.0]
    assert at("-a**2", 3.0) == [-9]
    assert at("2**3**2 / 2**a", 1.0) == pytest.approx([256], rel=1e-15)
    assert at("where(0 < a < 1 and not a < 0.5, 1, 2)", 0.25, 0.5, 1.0) == [2, 1, 2]
    assert at("sinh(a) + cosh(a) + tan(a)", 0.0) == [1]
    assert at("sinh(a)", 1e-9) == pytest.approx([1e-9], rel=1e-15)
    assert at("(a + sqrt(a**2 + 4)) / 2", -1e4) == pytest.approx([9.999999900000002e-05], rel=1e-15)
    assert at("log(cosh(a))", 1e-3) == pytest.approx([4.999999166666889e-07], rel=1e-12)


def test_a_block_keeps_its_dtype() -> None:
    for dtype in ("float32", "float64"):
        program = activation("a * sigmoid(a) + 1e-3").value
        (values,) = evaluate(program, np.linspace(-3, 3, 7, dtype=dtype))
        assert values.dtype == dtype
        assert values.shape == (7,)


@pytest.mark.parametrize(
    ("text", "at_kink"),
    [
        ("max(a, 0)", 0), ("max(0, a)", 0), ("relu(a)", 0), ("min(a, 0)", 0), ("abs(a)", 0), ("sign(a)", 0),
        ("where(a > 0, a, 0.1 * a)", 0.1), ("where(a >= 0, a, 0.1 * a)", 1), ("max(a, 2 * a)", 2), ("sqrt(a**2)", 0),
        ("max(a, -a)", -1), ("a * sign(a)", 0), ("where(a < 0, 5, a)", 1), ("abs(a) * a", 0), ("abs(a)**3", 0),
    ],
)  # fmt: skip
def test_derivatives_at_a_kink(text: str, at_kink: float) -> None:
    assert slope(text, 0.0) == [at_kink]


def test_kinks_where_min_and_max_meet() -> None:
    """As the declared derivatives of hard_sigmoid and hard_swish have it."""
    assert slope("min(max(a + 3, 0), 6) / 6", -3.0, 0.0, 3.0) == [0, 1 / 6, 0]
    assert slope("a * min(max(a + 3, 0), 6) / 6", -3.0, 3.0) == [0, 1]


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("1 / (1 + exp(-a))", 0, 1), ("tanh(a)", -1, 1), ("exp(-a**2)", 0, 1), ("max(a, 0)", 0, np.inf),
        ("a", -np.inf, np.inf), ("min(max(a, -1), 2)", -1, 2), ("sin(a)**2", 0, 1), ("3 - cos(a)", 2, 4),
        ("where(a > 0, 0.5, sigmoid(a))", 0, 1),
        ("1 / (1 + abs(a))", 0, 1), ("exp(-exp(-a))", 0, 1), ("(1 + tanh(a)) / 2", 0, 1), ("0.5", 0.5, 0.5),
        ("abs(sin(a)) - 1", -1, 0), ("1 / a", -np.inf, np.inf), ("log(a)", -np.inf, np.inf), ("a / a", 1, 1),
    ],
)  # fmt: skip
def test_ranges(text: str, low: float, high: float) -> None:
    h = activation(text)
    assert (h.low, h.high) == (low, high)


# ---- losses


def test_log_loss_on_a_sigmoid_is_the_lectures_delta() -> None:
    loss = LossFormula("-r * log(y) - (1 - r) * log(1 - y)", where="loss")
    h = parse("1 / (1 + exp(-a))", ["a"], "output")
    value, slope = loss.value_with(h), loss.slope_with(h)
    assert lines(slope) == ["r3 = subtract y r", "return r3"]
    a = np.array([-800.0, -800.0, 0.0, 800.0, 800.0])
    r = np.array([0.0, 1.0, 1.0, 0.0, 1.0])
    y = evaluate(activation("1 / (1 + exp(-a))").value, a)[0]
    assert evaluate(value, a, y, r)[0].tolist() == [0, 800, np.log(2), 800, 0]
    assert evaluate(slope, a, y, r)[0].tolist() == [0, -1, -0.5, 1, 0]


def test_a_loss_without_output() -> None:
    loss = LossFormula("(y - r)**4 / 4", where="loss")
    value, slope = loss.value_with(None), loss.slope_with(None)
    assert value.inputs == slope.inputs == ("y", "r")
    assert evaluate(slope, np.array([3.0]), np.array([1.0]))[0].tolist() == [8.0]
    assert evaluate(value, np.array([3.0]), np.array([1.0]))[0].tolist() == [4.0]


def test_an_output_that_is_too_large_to_compose_with_counts_as_none() -> None:
    wide = parse("+".join(f"sin({n}*a)" for n in range(1, 55)), ["a"], "output")
    loss = LossFormula("+".join(f"cos({n}*y)*r" for n in range(1, 45)), where="loss")
    assert loss.slope_with(wide).inputs == ("y", "r")


def test_canonical_pairs_come_to_a_difference() -> None:
    """Softplus of y and Poisson's loss have their canonical outputs too."""
    poisson = LossFormula("y - r * log(y)", where="loss")
    assert lines(poisson.slope_with(parse("exp(a)", ["a"], "output"))) == ["r3 = subtract y r", "return r3"]
    squared = LossFormula("(y - r)**2 / 2", where="loss")
    assert lines(squared.slope_with(parse("a", ["a"], "output"))) == ["r3 = subtract a r", "return r3"]


# ---- without SymPy


def test_values_need_no_sympy_and_derivatives_say_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sympy", None)
    h = activation("a * tanh(log(1 + exp(a)))")
    assert len(h.value.instructions) == 3
    assert LossFormula("(y - r)**2", where="loss").value.inputs == ("y", "r")
    assert str(guarded(h.stable)) == "a * tanh(softplus(a))"
    with pytest.raises(deltaprop.MissingExtraError, match=re.escape("pip install 'deltaprop[derive]'")):
        _ = h.derivative


def test_formulas_are_equal_by_what_they_say() -> None:
    assert activation("1/(1+exp(-a))") == activation(" 1 / (1 + exp(-a))")
    assert hash(activation("a*2")) == hash(activation("a * 2"))
    assert activation("2 * a") != activation("a * 2")
    assert activation("1") != LossFormula("1", where="loss")
    assert repr(activation("a*2")) == "ActivationFormula('a * 2')"


def test_a_derivative_whose_other_forms_become_too_large_is_the_chain_rules() -> None:
    """Found by random formulas: multiplied out it has thousands of nodes, as it stands 30 instructions."""
    u, v = "1 / (1 + ((a - 0.3) / (2 + cos(a - 0.3)))**2)", "log(1 + ((0.7 * a) / (2 + cos(a - 0.3)))**2)"
    h = ActivationFormula(f"log(1 + max({u}, {v})**2)", where="h")
    a = np.linspace(-3, 3, 50)
    z, up, down = (evaluate(h.value, x)[0] for x in (a, a + 1e-6, a - 1e-6))
    np.testing.assert_allclose(evaluate(h.derivative, a, z)[0], (up - down) / 2e-6, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize(
    ("text", "at_0"),
    [
        ("sign(a) * log(1 + abs(a))", 1),  # symlog
        ("max(a, 0) + log(1 + exp(-abs(a)))", 0.5),  # softplus
        ("min(a, 0) - log1p(exp(-abs(a)))", 0.5),  # log_sigmoid
        ("max(0, a) + min(0, exp(a) - 1)", 1),  # elu
        ("a * abs(a)", 0),
        ("max(0, a) + 0.01 * min(0, a)", 0.01),  # leaky_relu: as on the left
        ("max(0, a) - 0.25 * max(0, -a)", 0.25),
        ("abs(a)", 0), ("max(a, 0)", 0), ("max(0, a)", 0), ("min(0, a)", 0), ("relu(a) * 2", 0),  # between the sides
        ("sign(a) * exp(abs(a))", None), ("sqrt(abs(a))", None),  # no derivative
    ],
)  # fmt: skip
def test_the_derivative_where_a_formula_bends_or_only_seems_to(text: str, at_0: float | None) -> None:
    for point in (0.0, 0.75):
        h = ActivationFormula(re.sub(r"\ba\b", f"(a - {point})", text), where="h")
        z = evaluate(h.value, np.array([point]))[0]
        slope = evaluate(h.derivative, np.array([point]), z)[0][0]
        if at_0 is not None:
            assert slope == pytest.approx(at_0, abs=1e-9)
            beside = np.array([point - 1e-6, point + 1e-6])
            sides = evaluate(h.derivative, beside, evaluate(h.value, beside)[0])[0]
            assert sides.min() - 1e-4 <= slope <= sides.max() + 1e-4
