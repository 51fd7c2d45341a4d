"""The derivation: the lecture's equations, every pair of output and loss, numbers, formats, errors."""

import os
import pickle
import subprocess
import sys

import numpy as np
import pytest

from deltaprop import FormulaError, MissingExtraError, Network
from deltaprop.descent.optimizers import STEP_RULES
from deltaprop.functions import ACTIVATIONS, LOSSES, activation, loss
from deltaprop.functions.formulas.tree import variable
from deltaprop.inspection.derivation import Derivation, effort, simplification
from deltaprop.inspection.derivation.evaluation import evaluate
from deltaprop.inspection.derivation.notation import expanded, symbol
from deltaprop.inspection.derivation.output_error import output_error
from deltaprop.inspection.derivation.slopes import slope_of
from deltaprop.inspection.derivation.text import TextWriter, words_in
from deltaprop.inspection.derivation.ways import Way
from problems import network, pairs, samples

UNITS = [name for name, entry in ACTIVATIONS.items() if not entry.output_only]
written, text_of = TextWriter().write, words_in


def delta_of(output: str, E: str) -> str:
    """δ of the output in its shortest form, as text."""
    return written(output_error(activation(output, where="output"), loss(E, where="loss")).final)


def lines_of(document: Derivation) -> list[str]:
    return [line.strip() for line in str(document).splitlines()]


# ---- the lecture -----------------------------------------------------------------------------------------------------


def test_the_lectures_last_two_equations() -> None:
    text = lines_of(Network([2, 3, 1], bias=False).derive())
    at = text.index("δ_y = ∂E/∂y · ∂y/∂a_y")
    assert text[at + 1] == "= (y − r) / (y (1 − y)) · y (1 − y)"
    assert text[at + 2] == "= y − r     [what stands above and below cancels]"
    assert "δ_j = h′(a_j) δ_y v_j = z_j (1 − z_j) δ_y v_j" in text


def test_every_simplification_of_the_lectures_example_is_a_line() -> None:
    text = lines_of(Network([2, 3, 1]).derive())
    at = text.index("∂E/∂y = (1 − r) / (1 − y) − r / y")
    assert text[at + 1] == "= ((1 − r) y − r (1 − y)) / (y (1 − y))     [over one denominator]"
    assert text[at + 2] == "= (y − r) / (y (1 − y))     [multiplied out above]"
    at = text.index("h′(a_j) = exp(−a_j) / (1 + exp(−a_j))²")
    assert text[at + 1] == "= z_j (1 − z_j)     [as exp(−a_j) = (1 − z_j) / z_j]"


def test_the_sections_are_in_the_lectures_order() -> None:
    document = Network([2, 3, 1]).derive()
    assert [section.title for section in document.sections] == [
        "The network",
        "The loss",
        "The generalised chain rule",
        "The gradient with respect to a weight",
        "δ of the output",
        "The delta rule",
        "The update",
    ]
    text = lines_of(document)
    for line in (
        "a_j = Σ_i w_ji x_i + b_j",
        "z_j = h(a_j) = 1 / (1 + exp(−a_j))",
        "a_y = Σ_j v_j z_j + b_y",
        "E = −r log(y) − (1 − r) log(1 − y)",
        "∂E/∂w_ji = ∂E/∂a_j · ∂a_j/∂w_ji",
        "∂E/∂w_ji = δ_j z_i   (1)",
        "= h′(a_j) Σ_k δ_k w_kj   (2)",
        "w_ji ← w_ji − η δ_j x_i",
        "v_j ← v_j − η δ_y z_j",
    ):
        assert line in text


# ---- δ of the output ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("output", "E", "delta"),
    [
        ("sigmoid", "log", "y − r"),
        ("softmax", "cross_entropy", "y_k − r_k"),
        ("softmax", "kl", "y_k − r_k"),
        ("identity", "squared_error", "y − r"),
        ("exp", "poisson", "y − r"),
        ("exp", "gamma", "(y − r) / y"),
        ("exp", "tweedie", "(y − r) / √y"),
        ("sigmoid", "squared_error", "(y − r) y (1 − y)"),
        ("tanh", "squared_error", "(y − r) (1 − y²)"),
        ("relu", "squared_error", "{y − r if a > 0, else 0}"),
        ("softmax", "squared_error", "y_k (y_k − r_k − Σ_m (y_m − r_m) y_m)"),
        # formulas of the user's own
        ("(1 + tanh(a/2))/2", "-r * log(y) - (1 - r) * log(1 - y)", "y − r"),
        ("(1 + tanh(a/2))/2", "log", "y − r"),
        ("exp(a) / (1 + exp(a))", "-(r * log(y) + (1 - r) * log(1 - y))", "y − r"),
        ("1/2 + sinh(a/2) / cosh(a/2) / 2", "log", "y − r"),
        ("sigmoid(2 * a)", "log", "2 (y − r)"),
        ("1 - exp(-exp(a))", "log", "(y − r) exp(a) / y"),
        ("softmax", "-r * log(y)", "y_k − r_k"),
        ("softmax", "-2 * r * log(y)", "2 (y_k Σ_m r_m − r_k)"),
        ("identity", "(y - r)**4 / 4", "(y − r)³"),
        ("sigmoid", "(y - r)**4 / 4", "(y − r)³ y (1 − y)"),
        ("softplus", "gamma", "(y − r) σ(a) / y²"),
        ("silu", "squared_error", "(y − r) (σ(a) + y (1 − σ(a)))"),
        ("softmax", "log", "y_k − r_k − y_k Σ_{m≠k} (y_m − r_m) / (1 − y_m)"),
        ("softmax", "-(1 - r) * log(1 - y)", "y_k (1 − r_k − Σ_{m≠k} (1 − r_m) y_m / (1 − y_m))"),
        ("softmax", "(y - r)**4", "4 y_k ((y_k − r_k)³ − Σ_m (y_m − r_m)³ y_m)"),
        ("exp", "tweedie:p=1.3", "(y − r) / y^0.3"),
        ("identity", "abs(y - r)**2", "2 (y − r)"),
        ("identity", "log(1 + exp(-(2 * r - 1) * y))", "(1 − 2 r) / (1 + exp(2 r y − y))"),
    ],
)
def test_delta_of_the_output(output: str, E: str, delta: str) -> None:
    assert delta_of(output, E) == delta


@pytest.mark.parametrize(
    ("E", "lines"),
    [
        (
            "tweedie",
            ["is tweedie:p=1.5;", "E = 2 √y + 2 r / √y", "The part −4 √r, which no weight changes, is left out."],
        ),
        ("gamma", ["E = log(y) + r / y", "The part −log(r) − 1, which no weight changes, is left out."]),
        ("poisson", ["The part log(r!), which no weight changes, is left out."]),
        ("focal", ["is focal:gamma=2;"]),
        ("focal:gamma=0", ["E = −r log(y) − (1 − r) log(1 − y)"]),
        ("focal:gamma=1", ["E = −r (1 − y) log(y) − (1 − r) y log(1 − y)"]),
        ("quantile:q=0", ["E = {0 if y < r, else y − r}"]),
        ("huber:delta=0.25", ["E = {(y − r)² / 2 if |y − r| ≤ 0.25, else 0.25 (|y − r| − 0.125)}"]),
    ],
)
def test_a_loss_is_written_as_mathematics_with_its_parameters(E: str, lines: list[str]) -> None:
    text = str(Network([2, 1], output="exp" if E in ("tweedie", "gamma", "poisson") else "sigmoid", loss=E).derive())
    for line in lines:
        assert line in text


def test_formulas_of_ones_own_are_not_shown_as_code() -> None:
    h = "a**3 - where(a > 0.5, exp(a), sigmoid(a))"
    document = Network([2, 2, 1], h=h, output="sigmoid(a)", loss="log").derive()
    for text in (str(document), document.to_markdown(), document.to_latex(), document.to_html()):
        assert "**" not in text
        assert "where(" not in text
    assert "With h = a formula of its own:" in str(document)
    assert str(document).count("σ(x) = 1 / (1 + exp(−x))") == 1


def test_softmax_with_cross_entropy_uses_that_r_sums_to_one() -> None:
    text = lines_of(Network([2, 3], output="softmax", loss="cross_entropy").derive())
    assert "= y_k Σ_m r_m − r_k     [with −1 taken out of all terms]" in text
    assert "= y_k − r_k     [as Σ_m r_m = 1]" in text


def test_a_formula_under_softmax_is_confirmed_where_it_is_defined() -> None:
    text = str(Network([2, 3], output="softmax", loss="r*log(r/y)").derive())
    assert "Where the targets of a sample sum to 1, that is y_k − r_k." in text
    assert "could not be confirmed" not in text
    text = " ".join(lines_of(Network([2, 3], output="softmax", loss="-r*log(y)").derive()))
    assert "r_k is what y_k should be, at least 0, and those of a sample sum to 1:" in text


def test_where_nothing_cancels_it_says_so() -> None:
    text = str(Network([2, 3, 1], output="sigmoid", loss="squared_error").derive())
    assert "Nothing cancels here: ∂y/∂a_y stays a factor of δ_y." in text
    assert "Nothing cancels" not in str(Network([2, 3, 1]).derive())
    text = str(Network([2, 3], output="softmax", loss="squared_error").derive())
    assert "Nothing cancels here: the sum over all outputs stays in δ_yk." in text


@pytest.mark.parametrize(
    ("output", "E", "delta"),
    [
        ("1/(1+exp(-a))", "(y-r)**2/(y*(1-y))", "−(y − r) (2 r y − y − r) / (y (1 − y))"),
        ("sigmoid", "focal:gamma=1", "(1 − r) y² + r y (1 − y) log(y) − r (1 − y)² − (1 − r) y (1 − y) log(1 − y)"),
        (
            "sigmoid",
            "focal:gamma=2.5",
            "(1 − r) y^3.5 + 5 r y (1 − y)^2.5 log(y) / 2 − r (1 − y)^3.5 − 5 (1 − r) (1 − y) y^2.5 log(1 − y) / 2",
        ),
        (
            "1/(1+exp(-1.702*a))",
            "-r*log(y)-(1-r)*log(1-y)+abs(y-r)**3",
            "1.702 (y − r) + 5.106 (y − r) |y − r| y (1 − y)",
        ),
        ("softmax", "(y-r)**2/(2*y)", "((y_k + r_k) (y_k − r_k) / y_k − y_k Σ_m (y_m + r_m) (y_m − r_m) / y_m) / 2"),
        ("softmax", "-r*sqrt(y)", "(y_k Σ_m r_m √(y_m) − r_k √(y_k)) / 2"),
        ("relu", "squared_error", "{y − r if a > 0, else 0}"),
        ("a**2", "r * sqrt(y)", "r a / √y"),
        ("sigmoid", "log(0.1)", "0"),
    ],
)
def test_what_cancels_cancels_and_no_line_denies_it(output: str, E: str, delta: str) -> None:
    assert delta_of(output, E) == delta
    text = str(Network([2, 3, 2], output=output, loss=E).derive())
    assert "Nothing cancels" not in text
    assert ("This loss does not depend on y_k." in text) == (delta == "0")


@pytest.mark.parametrize(
    ("h", "steps"),
    [
        ("leaky_relu:slope=0.3", ["{1 if a > 0, else 0.3}"]),
        ("elu:alpha=0.7", ["{1 if a > 0, else 0.7 exp(a)}"]),
        (
            "tanh(a) / (1 + a**2) + sin(a) / (1 + a**2)**2",
            [
                "cos(a) / (1 + a²)² + (1 − tanh(a)²) / (1 + a²) − 2 a tanh(a) / (1 + a²)² − 4 a sin(a) / (1 + a²)³",
                "(1 + cos(a) / (1 + a²) − tanh(a)² − 2 a tanh(a) / (1 + a²) − 4 a sin(a) / (1 + a²)²) / (1 + a²)"
                " [common factors in front]",
            ],
        ),
        (
            "lecun_tanh",
            [
                "3.4318 / 3 − 3.4318 tanh(2 a / 3)² / 3",
                "1.7159 · 2 / 3 · (1 − (z / 1.7159)²) [with z = 1.7159 tanh(2 a / 3)]",
            ],
        ),
        (
            "softsign",
            [
                "1 / (1 + |a|) − a sign(a) / (1 + |a|)²",
                "(1 + |a| − a sign(a)) / (1 + |a|)² [over one denominator]",
                "1 / (1 + |a|)² [as x sign(x) = |x|]",
            ],
        ),
        ("gelu", ["erfc(−a / √2) / 2 + a exp(−a² / 2) / √(2 π)"]),
        (
            "mish",
            [
                "tanh(log(1 + exp(a))) + a (1 − tanh(log(1 + exp(a)))²) exp(a) / (1 + exp(a))",
                "tanh(log(1 + exp(a))) + a σ(a) (1 + tanh(log(1 + exp(a)))) (1 − tanh(log(1 + exp(a))))"
                " [with σ(a) = 1 / (1 + exp(−a))]",
                "a σ(a) + (1 − z σ(a)) tanh(log(1 + exp(a))) [as z = a tanh(log(1 + exp(a)))]",
            ],
        ),
        (
            "silu",
            [
                "1 / (1 + exp(−a)) + a exp(−a) / (1 + exp(−a))²",
                "σ(a) + a σ(a) (1 − σ(a)) [with σ(a) = 1 / (1 + exp(−a))]",
                "σ(a) + z (1 − σ(a)) [as z = a σ(a)]",
            ],
        ),
    ],
)
def test_every_step_of_a_slope_has_its_reason_and_no_other(h: str, steps: list[str]) -> None:
    found = slope_of(activation(h, where="h")).steps
    assert [written(s.right) + f" [{text_of(s.reason)}]" * bool(s.reason) for s in found] == steps


@pytest.mark.parametrize("name", UNITS)
def test_no_line_of_a_declared_function_lacks_its_reason(name: str) -> None:
    assert all(step.reason for step in slope_of(ACTIVATIONS[name]).steps[1:])


def test_a_difference_at_a_kink_is_said_where_there_is_one() -> None:
    kink = "and at a kink, where there are two slopes, as the engine has it"
    steps = output_error(activation("identity", where="output"), loss("quantile:q=0.3", where="loss")).loss_steps
    assert written(steps[-1].right) == "{−0.3 if y < r, 0.7 if r < y, else 0}"
    assert text_of(steps[-1].reason) == kink
    for E in ("huber:delta=0.25", "absolute_error", "focal:gamma=1"):
        found = output_error(activation("identity", where="output"), loss(E, where="loss"))
        assert kink not in [text_of(step.reason) for step in found.loss_steps]


@pytest.mark.parametrize("output", list(ACTIVATIONS))
def test_the_last_delta_of_every_pair_is_the_engines(output: str) -> None:
    for E in (E for name, E in pairs() if name == output):
        net = network([3, 4, 2], h="tanh", output=output, loss=E)
        found = output_error(ACTIVATIONS[output], LOSSES[E])
        assert found.confirmed, E
        assert found.complete, E
        X, R = samples(net, 12)
        raw = net.raw_trace(X, R)
        for a, y, r, delta in zip(raw.a[-1], raw.z[-1], raw.r, raw.delta[-1], strict=True):
            for j in range(2):
                if output == "softmax":
                    point = {symbol("y", k + 1): y[k] for k in range(2)} | {symbol("r", k + 1): r[k] for k in range(2)}
                    tree = expanded(at_first(found.final, j + 1), {"m": 2})
                else:
                    point = {variable("a"): a[j], variable("y"): y[j], variable("r"): r[j]}
                    tree = found.final
                assert float(evaluate(tree, point)) == pytest.approx(delta[j], rel=1e-9, abs=1e-13), E
        assert str(net.derive())


def at_first(tree, j):  # type: ignore[no-untyped-def]
    from deltaprop.inspection.derivation.notation import at

    return at(tree, k=j)


# ---- h′ --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "h",
    [
        *UNITS,
        "leaky_relu:slope=0.3",
        "elu:alpha=0.7",
        "celu:alpha=2",
        "a * sigmoid(1.702 * a)",
        "(1 + tanh(a / 2)) / 2",
        "where(a > 0, a, a**2 / (1 + a**2))",
        "max(0, a)**2 - min(a, 1, 0)",
        "sqrt(a**2 + 1) - 1",
        "log(cosh(a))",
        "2**a",
        "1 - exp(-exp(a))",
    ],
)
def test_the_last_slope_of_every_activation_is_the_engines(h: str) -> None:
    entry = activation(h, where="h")
    slope = slope_of(entry)
    assert slope.confirmed
    net = Network([1, 1, 1], h=h, output="identity", loss="squared_error", bias=False)
    net.theta = [1.0, 1.0]
    a = np.concatenate([np.random.default_rng(5).uniform(-4, 4, 40), entry.kinks])
    raw = net.raw_trace(a[:, None], np.zeros(len(a)))
    for x, z, dh in zip(raw.a[0][:, 0], raw.z[0][:, 0], raw.dh[0][:, 0], strict=True):
        at = float(evaluate(slope.final, {variable("a"): x, variable("z"): z}))
        assert at == pytest.approx(dh, rel=1e-9, abs=1e-13)


@pytest.mark.parametrize(
    ("h", "slope"),
    [
        ("sigmoid", "z (1 − z)"),
        ("tanh", "1 − z²"),
        ("exp", "z"),
        ("gaussian", "−2 a z"),
        ("squareplus", "z / (2 z − a)"),
        ("relu", "{1 if a > 0, else 0}"),
        ("identity", "1"),
        ("(1 + tanh(a/2))/2", "z (1 − z)"),
        ("tan(a / 10)", "(1 + z²) / 10"),
        ("atan(sinh(a))", "1 / cosh(a)"),
        ("1 / (1 + exp(-1.702 * a))", "1.702 z (1 − z)"),
        ("exp(1000 * a) / (1 + exp(1000 * a))", "1000 z (1 − z)"),
        ("max(a, 0)**2", "{2 a if a > 0, else 0}"),
        ("min(max(a, -2), 2)", "{1 if −2 < a < 2, else 0}"),
        ("max(0.1 * a, a)", "{1 / 10 if a < 0, else 1}"),
        ("a / (1 + abs(a))", "1 / (1 + |a|)²"),
        ("relu6", "{1 if 0 < a < 6, else 0}"),
        ("hard_tanh", "{1 if |a| < 1, else 0}"),
        ("a / (1 + exp(-a)) + 0", "σ(a) + z (1 − σ(a))"),
        ("a * sigmoid(1.702 * a)", "σ(1.702 a) + 1.702 z (1 − σ(1.702 a))"),
        ("a * tanh(a)", "a + (1 − z) tanh(a)"),
        ("a * exp(-a**2)", "exp(−a²) − 2 a z"),
        ("softplus", "σ(a)"),
        ("log_sigmoid", "1 − σ(a)"),
        ("tanh(a)**3", "3 (tanh(a) − z) tanh(a)"),
        ("sin(a) * a", "sin(a) + a cos(a)"),
        ("a / (exp(-a) - 1)", "z (1 + a + z) / a"),
    ],
)
def test_slopes_are_written_by_z_where_that_is_shorter(h: str, slope: str) -> None:
    assert written(slope_of(activation(h, where="h")).final) == slope


# ---- what is checked, and what is given up -----------------------------------------------------------------------


def test_a_wrong_simplification_is_never_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    ways = simplification.ways

    def with_a_wrong_one(algebra, *more):  # type: ignore[no-untyped-def]
        return [*ways(algebra, *more), Way(lambda x: algebra.sympy.Integer(7))]  # shorter than anything right

    monkeypatch.setattr(simplification, "ways", with_a_wrong_one)
    output_error.cache_clear()
    slope_of.cache_clear()
    try:
        assert delta_of("sigmoid", "log") == "y − r"
        assert delta_of("sigmoid", "squared_error") == "(y − r) y (1 − y)"
    finally:
        output_error.cache_clear()
        slope_of.cache_clear()


def test_what_takes_too_long_is_shown_unsimplified_and_said() -> None:
    h = " * ".join(f"(1 + exp({k}.5 * a) + sin({k} * a))" for k in range(1, 12))
    text = str(Network([1, 1, 1], h=h).derive())
    assert "It is not simplified further: that would take too long." in text


def test_what_needs_too_many_calls_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    E = activation("sigmoid", where="output"), loss("(y - r)**2 / (1 + y**2)", where="loss")
    assert output_error(*E).complete
    output_error.cache_clear()
    monkeypatch.setattr(simplification, "limited", lambda: effort.limited(50))
    try:
        assert not output_error(*E).complete
    finally:
        output_error.cache_clear()


def test_a_part_without_a_value_is_an_error() -> None:
    with pytest.raises(FormulaError, match="cannot be written"):
        slope_of(activation("min((pi - a) / tan(pi), a)", where="h"))


def test_the_text_does_not_depend_on_the_order_of_hashes() -> None:
    code = (
        "from deltaprop import Network\n"
        "print(Network([2, 3, 2], h=['mish'], output='sigmoid', loss='focal').derive())\n"
        "print(Network([2, 2, 1], h='exp(a)/(1+exp(a))+sin(a)*a', output='gelu', loss='squared_error').derive())"
    )
    texts = set()
    for seed in ("1", "2"):
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        run = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, env=environment)
        texts.add(run.stdout)
    assert len(texts) == 1


# ---- errors ----------------------------------------------------------------------------------------------------------


def test_errors_of_samples() -> None:
    net = Network([2, 3, 1])
    for wrong, error, message in (
        (([1, 2, 3], 1), ValueError, "Network.derive: x needs 2 inputs; got 3."),
        (([[1, 2], [3, 4]], [0, 1]), ValueError, r"x needs one sample, shape \(2,\); got \(2, 2\). Take one"),
        (([1, 2], [0, 1]), ValueError, r"r needs the targets of one sample, shape \(1,\); got \(2,\)"),
        (([1, 2],), TypeError, "numbers need a sample, x and r; got no r"),
        ((None, 1), TypeError, "numbers need a sample, x and r; got no x"),
        ((None, None, 0.1), TypeError, "numbers need a sample, x and r; got no x"),
        (([1, 2], 1, "fast"), TypeError, "eta needs to be a number"),
        (([1, 2], 3), ValueError, r"Network.derive: R\[0, 0\] is 3; targets of loss 'log' are in \[0, 1\]"),
        (([1, float("nan")], 1), ValueError, "not a finite number"),
        ((["a", "b"], 1), TypeError, "Network.derive: x needs real numbers; got dtype <U1"),
    ):
        with pytest.raises(error, match=message):
            net.derive(*wrong)  # type: ignore[arg-type]


def test_a_class_number_is_a_target() -> None:
    net = Network([2, 3], output="softmax", loss="cross_entropy")
    assert str(net.derive([1, 2], 2, 0.1)) == str(net.derive([1, 2], [0, 0, 1], 0.1))


def test_without_sympy_it_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sympy", None)
    with pytest.raises(MissingExtraError, match=r"sympy is not installed.*deltaprop\[derive\]"):
        Network([2, 1]).derive()


@pytest.mark.parametrize("optimizer", STEP_RULES)
@pytest.mark.parametrize("penalties", [{}, {"l2": 0.01, "l1": 0.001}], ids=["", "penalised"])
def test_the_update_is_that_of_the_networks_present_rule(optimizer: str, penalties: dict[str, float]) -> None:
    """Its equations, and in the sample's numbers what a traced step of it makes of w and b, bit for bit."""
    X, R = np.array([[0, 0], [0, 1], [1, 0], [1, 1.0]]), np.array([0, 1, 1, 0.0])
    net = Network([2, 2, 1], seed=0, **penalties)  # type: ignore[arg-type]
    net.fit(X, R, epochs=5, eta=0.1, optimizer=optimizer)
    document, t = net.derive([0, 1], 1, 0.5), net.trace([0, 1], 1, eta=0.5)
    plain = optimizer == "sgd" and not penalties
    assert (f"present rule is {optimizer}," in str(document)) is not plain
    lines = [line for line in document.sections[-1].lines if line.relation == "←"]
    shown = {(written(line.left), line.value) for line in lines if line.left is not None}
    for k, letter in ((0, "w"), (1, "v")):
        after = t.layers[k]
        assert after.W_after is not None
        assert after.b_after is not None
        for (i, j), value in np.ndenumerate(after.W_after):
            name = f"w_{j + 1}{i + 1}" if letter == "w" else f"v_{i + 1}"
            assert (name, value) in shown
        for j, value in enumerate(after.b_after):
            assert (f"b_{j + 1}" if letter == "w" else "b_y", value) in shown
    text = str(document)
    assert "[the engine's" not in text[text.rindex("The update") :]  # by hand, to the last digit
    assert document.to_latex().count("{") == document.to_latex().count("}")
    assert net.theta.tobytes() == Network.from_description(net.description(), net.theta).theta.tobytes()


@pytest.mark.parametrize("optimizer", ["sgd", "momentum", "adam"])
def test_of_a_network_with_dropout_it_is_that_of_the_network_without(optimizer: str) -> None:
    """And says so: its lines agree with each other, as no unit is missing."""
    X, R = np.array([[0, 0], [0, 1], [1, 0], [1, 1.0]]), np.array([0, 1, 1, 0.0])
    net = Network([2, 2, 1], dropout=[0.2, 0.5], input_noise=0.1)
    net.fit(X, R, epochs=3, eta=0.1, optimizer=optimizer)
    before = pickle.dumps(net)
    text = str(net.derive([0, 1], 1, 0.5))
    assert pickle.dumps(net) == before
    plain = Network([2, 2, 1])
    plain.take_state(net.__getstate__())
    said = "In training units are dropped at random (dropout) and noise is added to the inputs; "
    said += "the equations here are without.\n"
    one, other = (" ".join(t.split()) for t in (text, str(plain.derive([0, 1], 1, 0.5))))
    assert one.replace(" ".join(said.split()) + " ", "") == other
    assert one != other
    assert "[the engine's" not in text
