"""The language of formulas: one text for one tree, and what is said of what is no formula."""

import re

import pytest

import deltaprop
from deltaprop import FormulaError
from deltaprop.functions.formulas import ActivationFormula, is_formula, parse


def activation(text: str, **constants: float) -> ActivationFormula:
    return ActivationFormula(text, where="h", constants=constants)


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("1/(1+exp(-a))", "1 / (1 + exp(-a))"),
        ("  a  ", "a"),
        ("+a", "a"),
        ("-a**2", "-a**2"),
        ("(-a)**2", "(-a)**2"),
        ("2**-a", "2**-a"),
        ("a**2**3", "a**2**3"),
        ("(a**2)**3", "(a**2)**3"),
        ("a-(1-a)", "a - (1 - a)"),
        ("a/(2*a)", "a / (2 * a)"),
        ("a*-2", "a * -2"),
        ("- -a", "--a"),
        ("- -2 - -pi", "2 - -pi"),
        ("logistic(a)+arctan(a)", "sigmoid(a) + atan(a)"),
        ("a if a > 0 else slope*a", "where(a > 0, a, 0.25 * a)"),
        ("where(0<a<=1, a, 0)", "where(a > 0 and a <= 1, a, 0)"),
        ("where(not (a<0 or a>1), a, 0)", "where(not (a < 0 or a > 1), a, 0)"),
        ("max(a,0,1.5e-3)", "max(a, 0, 0.0015)"),
        ("pi*e*3.141592653589793", "pi * e * pi"),
        ("1e3", "1000"),
        ("1e22", "1e+22"),
        (".5", "0.5"),
        ("2.", "2"),
    ],
)
def test_the_canonical_text(text: str, canonical: str) -> None:
    tree = parse(text, ["a"], "h", {"slope": 0.25})
    assert str(tree) == canonical
    assert parse(canonical, ["a"], "h") == tree


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a * sigmiod(a)", "h: no function is called 'sigmiod', column 5 of 'a * sigmiod(a)'. Did you mean 'sigmoid'?"),
        (
            "foo(a)",
            "h: no function is called 'foo', column 1 of 'foo(a)'. There are: exp, expm1, log, log1p, sqrt, abs,",
        ),
        (
            "a + slop",
            "no variable is called 'slop', column 5 of 'a + slop'. Did you mean 'slope'? The variables are: a.",
        ),
        ("a + y", "no variable is called 'y', column 5"),
        ("a^2", "formulas have no '^', column 2 of 'a^2'. Did you mean '**'?"),
        ("a²", "formulas have no '²', column 2 of 'a²'. Did you mean '**2'?"),
        ("2a", "a * is missing before a name, column 2 of '2a'."),
        ("a(1 + a)", "a is no function, column 1 of 'a(1 + a)'. Write a * (…)."),
        ("tanh", "tanh is a function, column 1 of 'tanh'. Write tanh(a)."),
        ("max(a)", "max needs 2 arguments or more; got 1, column 1"),
        ("exp(a, a)", "exp needs 1 argument; got 2, column 1"),
        (
            "where(a, 1, 0)",
            "a number stands where a condition is needed, column 7 of 'where(a, 1, 0)'. Compare it: a > 0.",
        ),
        ("1 + (a > 0)", "a condition stands where a number is needed, column 6 of '1 + (a > 0)'. Write where("),
        ("a == 1", "numbers are compared with <, <=, > and >=, column 3"),
        ("9**9**9**9", "an exponent lies between -64 and 64; got 3.8742e+08, column 7"),
        ("a**65", "an exponent lies between -64 and 64; got 65, column 4"),
        ("1e999", "this number is too large, column 1"),
        ("9" * 300 + "e99", "this number is too long, column 1"),
        ("9" * 301, "this number is too long, column 1 of '99999"),
        ("ln(a)", "no function is called 'ln', column 1 of 'ln(a)'. Did you mean 'log(x)'?"),
        ("gelu(a)", "no function is called 'gelu', column 1 of 'gelu(a)'. It is an activation of its own; its formula"),
        ("np.exp(a)", "formulas have no '.', column 3 of 'np.exp(a)'. Write the function alone, as exp(a)."),
        ("(a", "this is no formula, column"),
        ("", "h: a formula is needed; the text is empty."),
        ("a" * 2001, "h: a formula has at most 2000 characters; this one has 2001."),
        ("1 / 0 * a", "h: it divides by zero, column 1 of '1 / 0 * a'."),
        ("a + log(0)", "h: log(0) is -inf, and no finite number, column 5 of 'a + log(0)'."),
        ("sqrt(-1) + a", "h: it has a root of a negative number, column 1 of 'sqrt(-1) + a'."),
        ("a * (-2)**a", "h: a power with a variable exponent needs a base above 0; got -2, column 5 of 'a * (-2)**a'."),
        ("+".join(["a"] * 150), "h: a formula has at most 100 terms or factors in a row; these are 150, column 1 of"),
        (
            "tanh(" + "*".join(["a"] * 101) + ")",
            "h: a formula has at most 100 terms or factors in a row, and fewer inside of something, as here 99; these",
        ),
        (
            "a + max(a," + ",".join(f"{i} * a" for i in range(2, 140)) + ")",
            "h: it is too large: it needs 141 numbers at a time, and there is room for 128, column 5 of 'a + max(",
        ),
    ],
)
def test_what_is_wrong_is_said_with_its_place(text: str, message: str) -> None:
    with pytest.raises(FormulaError, match=re.escape(message)):
        activation(text, slope=0.1)


def test_the_error_is_a_value_error_and_public() -> None:
    assert issubclass(FormulaError, ValueError)
    assert deltaprop.FormulaError is FormulaError
    for value in (None, 3, b"a", ["a"]):
        with pytest.raises(TypeError, match="h needs a formula as text; got"):
            ActivationFormula(value, where="h")  # type: ignore[arg-type]


def test_the_place_in_a_long_text_is_shown_in_an_excerpt() -> None:
    text = "a + " * 20 + "b" + " + a" * 20
    with pytest.raises(FormulaError, match=re.escape("column 81 of '…a + a + a + a + a + b + a + a + a + a + …'")):
        activation(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a", True), ("e", True), ("a**2", True), ("-a", True), ("1", True), ("2a", True), ("y - r", True),
        ("sigmiod(a)", True), ("a b", True), ("sigmiod", False), ("leaky_relu:slope=0.1", False), ("hard-tanh", False),
        ("leaky relu", False), ("squared_error", False), ("", False), ("  ", False), (None, False), (3, False),
        ("(a:=2)", True), ("lambda x: x", True), ("a: 1", True), ("{a: 1}", True), (":", False),
    ],
)  # fmt: skip
def test_what_is_meant_as_a_formula(text: object, expected: bool) -> None:
    assert is_formula(text) is expected
