"""Random formulas: text and tree are one, the stable form has the same value, the derivative is that of differences."""

import mpmath
import numpy as np
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from deltaprop import FormulaError
from deltaprop.functions.formulas import ActivationFormula, Node, evaluate, parse
from deltaprop.functions.formulas.guards import guarded
from deltaprop.functions.formulas.stable import stable
from deltaprop.functions.formulas.tree import number, variable
from deltaprop.functions.formulas.vocabulary import CONDITIONS, FUNCTIONS
from formulas import derivative_in_language, of_language

LEAVES = st.one_of(
    st.just(variable("a")),
    st.floats(-1e6, 1e6, allow_nan=False).map(number),
    st.integers(0, 9).map(number),
    st.sampled_from([0.5, 1.0, np.pi, np.e, 1e-9, 1e300]).map(number),
)


def _negated(x: Node) -> Node:
    return number(-x.value) if x.op == "number" else Node("neg", (x,))


def _trees(
    leaves: st.SearchStrategy[Node], functions: list[str], exponents: st.SearchStrategy[float]
) -> st.SearchStrategy[Node]:
    def larger(inner: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
        pair = st.tuples(inner, inner)
        comparison = st.builds(Node, st.sampled_from(["less", "less_equal"]), pair)
        condition = st.one_of(
            comparison,
            st.builds(lambda op, x, y: Node(op, (x, y)), st.sampled_from(["and", "or"]), comparison, comparison),
            st.builds(lambda x: Node("not", (x,)), comparison),
        )
        return st.one_of(
            st.builds(Node, st.sampled_from(["add", "subtract", "multiply", "divide"]), pair),
            st.builds(_negated, inner),
            st.builds(lambda x, n: Node("power", (x, number(n))), inner, exponents),
            st.builds(lambda op, x: Node(op, (x,)), st.sampled_from(functions), inner),
            st.builds(Node, st.sampled_from(["min", "max"]), st.one_of(pair, st.tuples(inner, inner, inner))),
            st.builds(lambda c, x, y: Node("where", (c, x, y)), condition, inner, inner),
        )

    return st.recursive(leaves, larger, max_leaves=10)


ALL = [name for name, function in FUNCTIONS.items() if function.arity == 1]
ANY_TREE = _trees(LEAVES, ALL, st.sampled_from([-64.0, -1.0, 0.0, 0.5, 2.0, 3.0, 63.5]))
# Constants and functions whose rounding 1e-9 forgives.
TAME = _trees(
    st.one_of(st.just(variable("a")), st.sampled_from([0.5, 1.0, 2.0, 3.0]).map(number)),
    [name for name in ALL if name not in ("tan", "erfc")],
    st.sampled_from([-2.0, -1.0, -0.5, 0.5, 1.5, 2.0, 3.0, 4.0]),
)
POINTS = [-2.7182, -1.1, -0.3717, 0.2231, 0.91, 1.713, 3.3]
settings.register_profile("formulas", deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
FORMULAS = settings(settings.get_profile("formulas"), max_examples=400)


@FORMULAS
@given(ANY_TREE)
def test_text_and_tree_are_one(tree: Node) -> None:
    text = str(tree)
    assume(len(text) <= 1000)
    try:
        parsed = parse(text, ["a"], "h")
    except FormulaError as error:  # of a constant power in it
        assert "exponent" in str(error)  # noqa: PT017
        return
    assert parsed == tree
    assert str(parsed) == text


@FORMULAS
@given(ANY_TREE)
def test_no_tree_raises_anything_else(tree: Node) -> None:
    try:
        h = ActivationFormula(str(tree), where="h")
        z = evaluate(h.value, np.array([-1e300, -1.0, 0.0, 1.0, 1e300, np.nan, np.inf]))[0]
        evaluate(h.derivative, np.zeros(7), z)
    except FormulaError as error:
        assert str(error).startswith("h: ")  # noqa: PT017
        return
    assert (z[~np.isnan(z)] >= h.low - 1e-12 * abs(h.low)).all() or not np.isfinite(h.low)
    assert (z[~np.isnan(z)] <= h.high + 1e-12 * abs(h.high)).all() or not np.isfinite(h.high)


def _sizes(tree: Node, a: float) -> float:
    """The largest number met on the way; NaN where one of them is none."""
    sizes = [abs(float(of_language(str(tree), 400, a=a)))] if tree.op not in CONDITIONS else []
    return max([*sizes, *(_sizes(x, a) for x in tree.args)], default=0.0, key=lambda x: np.inf if np.isnan(x) else x)


def _at_the_edge(tree: Node, a: float) -> bool:
    """Whether a root is taken of 0, where its slope is infinite."""
    root = tree.op == "sqrt" or (tree.op == "power" and not tree.args[1].value.is_integer())
    return (root and of_language(str(tree.args[0]), 400, a=a) == 0) or any(_at_the_edge(x, a) for x in tree.args)


@FORMULAS
@given(TAME, st.sampled_from(POINTS))
def test_the_stable_form_has_the_same_value(tree: Node, a: float) -> None:
    """In 400 bits, where the formula as written has a moderate value at every step; the constants are rounded."""
    size = _sizes(tree, a)
    assume(size < 1e4)
    try:
        rewritten = guarded(stable(tree))
    except FormulaError:
        assume(False)
    value = of_language(str(tree), 400, a=a)
    again = of_language(str(rewritten), 400, a=a)
    assert abs(again - value) <= 1e-9 * (1 + size)


@FORMULAS
@given(TAME, st.sampled_from(POINTS))
def test_the_derivative_is_that_of_differences(tree: Node, a: float) -> None:
    assume(_sizes(tree, a) < 1e3 and not _at_the_edge(tree, a))
    try:
        h = ActivationFormula(str(tree), where="h")
        program = h.derivative
    except FormulaError:
        assume(False)
    exact, beside = (derivative_in_language(str(tree), "a", a=x) for x in (a, a + 1e-9))
    assume(mpmath.isfinite(exact) and abs(exact) < 1e4)
    assume(abs(exact - beside) < 1e-4)  # no kink, no jump
    block = np.array([a])
    slope = evaluate(program, block, evaluate(h.value, block)[0])[0][0]
    assert abs(slope - exact) <= 1e-8 * (1 + abs(exact))
