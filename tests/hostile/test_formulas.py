"""Texts that are no formulas, or want to be more: each is refused at once, with its place, and nothing is evaluated."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deltaprop import FormulaError
from deltaprop.functions.formulas import ActivationFormula, budget, is_formula, parse
from deltaprop.functions.formulas.program import SLOTS


@contextmanager
def at_most(calls: int) -> Iterator[None]:
    """Let so many functions be called and no more: the same on every machine, as a time is not."""
    made = 0

    def count(frame: object, event: str, argument: object) -> None:
        nonlocal made
        made += event == "call"
        if made > calls:
            sys.setprofile(None)
            raise AssertionError(f"more than {calls} calls")

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        yield
    finally:
        sys.setprofile(before)


HOSTILE = [
    "__import__('os').system('true')", "a.__class__", "().__class__.__bases__[0]", "lambda: a", "(lambda a: a)(a)",
    "[a for a in (1, 2)]", "{a: 1}", "{a}", "[a]", "(a, a)", "a[0]", "a[0:1]", "a := 1", "(a := 1)", "a = 1", "a; a",
    "a\na", "a\n", "\n", "\ta", "a\r", "a\x00", "\x00", "a # comment", "'a'", '"a"', "f'{a}'", "b'a'",
    "'''a'''", "…", "...", "True", "None", "False and a", "1j", "1 + 2j", "a @ a", "a % 2", "a // 2", "a & a",
    "a | a", "~a", "a << 1", "a >> 1", "a ^ a", "a == a", "a != a", "a is a", "a is not a", "a in a",
    "a not in a", "not a", "a and a", "a or 1", "a < 1", "yield", "yield a", "await a", "import os", "del a",
    "print(a)", "eval(a)", "exec(a)", "open(a)", "getattr(a, a)", "exp(a)(a)", "exp(x=a)", "exp(*a)",
    "exp(**a)", "max(a, *a)", "max(a, key=a)", "exp()", "exp", "exp exp", "a a", "a 1", "1 a", "2a", "1_000",
    "0x10", "0b1", "0o7", "1e", "1e+", "1.2.3", "..5", ".", "1..", "1e999", "-1e999", "1e-", "9" * 400,
    "a" * 1001, "(" * 500, ")" * 500, "(" * 400 + "a" + ")" * 400, "-" * 999 + "a", "+" * 999 + "a",
    "not " * 200 + "a", "a" + "**a" * 300, "a" + "+a" * 499, "exp(" * 200 + "a" + ")" * 200, "9**9**9**9",
    "a**9**9", "a**(9**9)", "(9**64)**64", "2**64**64", "a**1e300", "a**(10**64)", "a**-65", "a**(1/0)",
    "a**log(0)", "1/0", "0**-1", "0/0 * a", "log(-1)", "sqrt(-2)", "(-1)**0.5", "1e308 * 10", "exp(1000) * a",
    "(1e300 * a)**64", "ａ", "а", "a​", "ｅxp(a)", "𝑎", "a−1", "a×2", "a²", "a＋a", "\ufeffa", "é", "π", "σ(a)",
    "${a}", "a`", "a!", "a?", "\\a", "a\\", "a,", ",a", "a if a", "a if a else a", "if a", "a if a > 0",
    "where(a, a, a)", "where(a > 0, a)", "where(a > 0, a, a > 1)", "max(a > 0, 1)", "(a > 0) + 1", "1 < 2",
    "z", "y", "r", "a_", "_a", "__a__", "self", "sigmoid.a", "nan", "inf", "NaN * a", "infinity", "math.pi",
    "np.exp(a)", "e.e", "pi(a)", "a(a)", "2(a)", "(a)(a)", "*a", "**a", "a**", "a*", "/a", "a /", "<a", "a <",
    "a < > a", "a <> a", "a => 0", "a =< 0", "async", "class a", "assert a", "return a", "raise a", "global a",
    "with a", "while a", "for a", "from a", "try",
]  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_it_is_refused_with_its_place(text: str) -> None:
    with at_most(100_000), pytest.raises(FormulaError) as caught:
        ActivationFormula(text, where="Network: h")
    message = str(caught.value)
    assert message.startswith("Network: h: ")
    assert len(message) < 500
    assert "\n" not in message
    places = ("column ", "has at most", "nested", "cannot be used", "the text is empty")
    assert any(place in message for place in places)


BOUNDED = {
    "a tower of polynomials": "((((a+1)**64+1)**64+1)**64+a)**64",
    "a long product": "*".join(f"sin({n}*a)" for n in range(1, 45)),
    "a long quotient": "/".join(f"(1+exp({n}*a))" for n in range(1, 30)),
    "a long sum": "+".join(f"sin({n}*a)" for n in range(1, 55)),
    "a deep chain": "tanh(" * 90 + "a" + ")" * 90,
    "a chain of sigmoids": "sigmoid(" * 40 + "a*a" + ")*a" * 40,
    "doubling": "log(cosh(" * 25 + "a" + "))" * 25,
    "a continued fraction": "/(1+".join(["a"] * 50) + ")" * 49,
    "powers of powers": "a**" * 60 + "a",
    "nested choices": "where(a>0," * 49 + "a" + ",a*a)" * 49,
    "nested extremes": "max(a," * 60 + "a*a" + ")" * 60,
    "a wide expansion": "(a+sin(a)+cos(a)+tan(a)+1)**64",
    "a wide quotient": "*".join(f"(a+{n}*sin(a))" for n in range(1, 40)),
    "roots": "sqrt(1+" * 45 + "a" + ")" * 45,
}


@pytest.mark.parametrize("text", BOUNDED.values(), ids=BOUNDED)
def test_what_is_large_is_differentiated_or_refused_in_a_few_seconds(text: str) -> None:
    with at_most(20_000_000):
        try:
            assert ActivationFormula(text, where="h").derivative.registers <= SLOTS
        except FormulaError as error:
            assert "too" in str(error)  # noqa: PT017


QUICK = settings(max_examples=500, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
PIECES = st.sampled_from(
    ["a", "1", "0.5", "e", "pi", "exp", "(", ")", "where", "max", ",", "+", "-", "*", "/", "**", "<", ">=",
     "if", "else", "and", "or", "not", " ", ".", "=", "[", "'", "sigmoid(", "a)", "log(", "lambda", ":", "²", "\n",
     "9**9", "1e308", "tanh(a)"]
)  # fmt: skip


@QUICK
@given(st.one_of(st.text(max_size=40), st.lists(PIECES, max_size=14).map("".join)))
def test_random_texts_raise_nothing_else(text: str) -> None:
    assert is_formula(text) in (True, False)
    try:
        tree = parse(text, ["a"], "h")
        assert parse(str(tree), ["a"], "h") == tree
        _ = ActivationFormula(text, where="h").derivative
    except FormulaError as error:
        assert str(error).startswith("h: ")  # noqa: PT017


@pytest.mark.parametrize(
    "text",
    [
        "*".join(f"(1+exp({i}*a))" for i in range(1, 14)) + "*" + "*".join(f"sigmoid(-{i}*a)" for i in range(1, 13)),
        "/".join(f"cosh({i}*a)" for i in range(1, 40)),
        "*".join(f"sigmoid({i}*a)" for i in range(1, 55)),
    ],
)
def test_short_texts_that_ask_for_much(text: str) -> None:
    """Refused after so much work, not after so much time."""
    with pytest.raises(FormulaError, match=r"it takes too long to rewrite|it is too large"):
        _ = ActivationFormula(text, where="h").derivative
    assert budget._spent.factors <= budget._MOST + 100


def test_powers_of_powers_are_not_multiplied_out() -> None:
    text = "a"
    for _ in range(5):
        text = f"(({text})+1)**64"
    assert ActivationFormula(text, where="h").derivative.instructions


def test_a_canonical_text_can_be_read_again() -> None:
    text = "+".join(["1e15*a"] * 95)
    with pytest.raises(FormulaError, match="written out, the formula has 2182 characters; at most 2000"):
        ActivationFormula(text, where="h")


@pytest.mark.parametrize(("text", "column"), [("a**2+", 5), ("y -", 3)])
def test_a_text_that_ends_too_early(text: str, column: int) -> None:
    with pytest.raises(FormulaError, match=f"column {column} of"):
        parse(text, ("a", "y"), "h")
