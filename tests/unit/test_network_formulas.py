"""Networks whose h or E is a formula: the engine's programs, training, files, messages."""

import copy
import pickle
import re
import sys
from pathlib import Path

import numpy as np
import pytest

import deltaprop
from deltaprop import DivergenceError, FormulaError, MissingExtraError, Network, TableModel, _engine
from deltaprop.cli import run
from deltaprop.functions import ACTIVATIONS, activation, kernels
from deltaprop.functions.formulas import ActivationFormula, Operation, Program, evaluate
from formulas import exactly, in_numpy
from problems import difference, network, samples

# Of no declared activation.
OWN = [
    "a * sigmoid(1.702 * a)",
    "a + sin(a)**2",
    "a / sqrt(1 + a**2)",
    "where(a > 1, 2 * a - 1, where(a < 0, a / 8, a**2))",
]
OWN += ["exp(-exp(-a))", "(sqrt(a**2 + 1) - 1) / 2 + a", "max(min(a, 1), -1) * 0.9 + 0.1 * a", "abs(a)**1.5 / 2"]
OWN_LOSSES = [
    "(y - r)**4 / 4",
    "log(1 + (y - r)**2)",
    "sqrt(1 + (y - r)**2) - 1",
    "where(abs(y - r) < 1, (y - r)**2, 1)",
]


def run_in_engine(program: Program, *inputs: np.ndarray) -> np.ndarray:
    out = np.empty_like(inputs[0])
    own = _engine.Program(len(program.inputs), program.constants, program.instructions, program.outputs)
    _engine.run_program(own, list(inputs), [out])
    return out


def test_operations_have_the_same_names_in_the_same_order() -> None:
    assert _engine.operation_names() == [operation.name for operation in Operation]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("text", OWN)
def test_the_engine_runs_programs_as_numpy_does(text: str, dtype: str, instruction_set: str) -> None:
    formula = ActivationFormula(text, where="h")
    a = np.concatenate([np.linspace(-20, 20, 801), [0, -0.0, 1e-30, -1e-30, np.nan]]).astype(dtype)
    (z,) = evaluate(formula.value, a)
    eps = float(np.finfo(dtype).eps)
    tiny = float(np.finfo(dtype).tiny)
    far = 800 if text == "exp(-exp(-a))" else 16  # of e^-x there are x ulp of x
    np.testing.assert_allclose(run_in_engine(formula.value, a), z, rtol=far * eps, atol=tiny)
    (dh,) = evaluate(formula.derivative, a, z)
    np.testing.assert_allclose(run_in_engine(formula.derivative, a, z), dh, rtol=64 * eps, atol=64 * eps)


EVERY = {
    "neg": "-a", "add": "a + 2", "subtract": "2 - a", "multiply": "a * 3", "divide": "1 / a", "minimum": "min(a, 1)",
    "maximum": "max(a, 1)", "absolute": "abs(a)", "sign": "sign(a)", "sqrt": "sqrt(abs(a))", "exp": "exp(a)",
    "expm1": "expm1(a)", "log": "log(abs(a))", "log1p": "log1p(abs(a))", "tanh": "tanh(a)", "sigmoid": "sigmoid(a)",
    "softplus": "softplus(a)", "erf": "erf(a)", "erfc": "erfc(a)", "sin": "sin(a)", "cos": "cos(a)", "atan": "atan(a)",
    "power": "abs(a)**a", "less": "where(a < 1, a, 2)", "less_equal": "where(a <= 1, a, 2)",
    "and": "where(a < 1 and a > -1, a, 2)", "or": "where(a < -1 or a > 1, a, 2)", "not": "where(not a < 1, a, 2)",
    "select": "where(a < 1, a, 2)", "exp_minus_square": "exp(-a**2)", "exp_minus_half_square": "exp(-a**2 / 2)",
    "normal": "erfc(-a / sqrt(2))",
}  # fmt: skip


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_every_operation(dtype: str, instruction_set: str) -> None:
    assert {*EVERY, "positive", "apart"} == {operation.name for operation in Operation}
    a = np.array([-5, -2, -1, -0.7, -0.1, -0.0, 0.0, 1e-4, 0.3, 1, 1.5, 4, 9, 20, np.inf, -np.inf, np.nan], dtype)
    eps = float(np.finfo(dtype).eps)
    for name, text in EVERY.items():
        program = ActivationFormula(text, where="h").value
        assert name in [Operation(step[0]).name for step in program.instructions], text
        (expected,) = evaluate(program, a)
        far = 200 if name in ("erfc", "power", "normal") else 8  # so many ulp are x² and y log x here
        np.testing.assert_allclose(run_in_engine(program, a), expected, rtol=far * eps, atol=1e-38, err_msg=text)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_what_must_not_be_0_is_at_least_the_least_normal_number(dtype: str, instruction_set: str) -> None:
    """No formula has it: it is put into losses whose y comes to 0 by rounding."""
    tiny = np.finfo(dtype).tiny
    a = np.array([-1, 0, tiny / 4, tiny, 2 * tiny, 3, np.inf, np.nan], dtype)
    program = Program(("a",), (), ((int(Operation["positive"]), 1, 0, 0, 0),), (1,), 2)
    expected = np.maximum(a, tiny)
    np.testing.assert_array_equal(run_in_engine(program, a), expected)
    np.testing.assert_array_equal(evaluate(program, a)[0], expected)


@pytest.mark.parametrize("name", [*(n for n, e in ACTIVATIONS.items() if not e.output_only), "elu:alpha=0.5"])
def test_a_formula_of_a_declared_activation_is_that(name: str) -> None:
    """By its kernel, so the same bits; by its program to 1e-6 of its value in float32 for |a| ≤ 20."""
    entry = activation(name, where="h")
    text = entry.formula
    for parameter, value in zip(entry.parameters, entry.numbers, strict=True):
        text = re.sub(rf"\b{parameter.name}\b", repr(value), text)
    own = activation(text, where="h")
    assert own.written is not None
    assert kernels.declared(own) == (
        activation("elu", where="h") if name == "celu" else entry
    )  # of alpha 1 they are one
    nets = [network([3, 5, 2], h=h, output="identity", loss="squared_error") for h in (name, text)]
    X, R = samples(nets[0], 20)
    for net in nets:
        net.fit(X, R, epochs=3, eta=0.01)
    assert nets[0].theta.tobytes() == nets[1].theta.tobytes()
    a = np.linspace(-20, 20, 2001, dtype=np.float32)
    found = run_in_engine(own.written.value, a)
    exact = np.array([float(exactly(name, float(x), 200)[0]) for x in a])
    normal = np.abs(exact) > 1e-37
    np.testing.assert_allclose(found[normal], exact[normal], rtol=1e-6 if name != "gelu_tanh" else 2e-5)


@pytest.mark.parametrize("h", OWN)
@pytest.mark.parametrize("output", ["identity", "sigmoid"])
def test_training_is_the_textbook(h: str, output: str, instruction_set: str) -> None:
    """Online, in blocks, in batches, in registers; as hidden layer, with every shape of the engine's own."""
    for layers, batch_size in (([4, 6, 5, 2], 1), ([30, 20, 3], 1), ([2, 4, 1], 1), ([30, 9, 1], 1), ([5, 40, 3], 8)):
        loss = "log" if output == "sigmoid" else "squared_error"
        net = network(layers, h=h, output=output, loss=loss)
        net.theta = net.theta / 2
        X, R = samples(net, 40)
        R = abs(R) / 4
        expected = by_numpy(net, X, R, batch_size)
        net.descend(X, R, 0.02, batch_size=batch_size)
        assert difference(net.theta, expected) < 1e-11, layers
        assert net.check_gradient(X[:7], R[:7]).ok


def by_numpy(net: Network, X: np.ndarray, R: np.ndarray, batch_size: int) -> np.ndarray:
    """θ after one pass, h′ by differences of 1e-6 in longer numbers, everything else as the textbook has it."""
    formula = ActivationFormula(net.h[0], where="h")

    def h(a: np.ndarray) -> np.ndarray:
        return evaluate(formula.value, a)[0]

    def dh(a: np.ndarray) -> np.ndarray:
        return evaluate(formula.derivative, a, h(a))[0]

    W, b = [np.array(w) for w in net.W], [np.array(c) for c in net.b]
    for start in range(0, len(X), batch_size):
        part = slice(start, start + batch_size)
        z, a = [X[part]], []
        for l in range(len(W)):
            a.append(z[-1] @ W[l] + b[l])
            last = l == len(W) - 1
            z.append(in_numpy(net.output)[0](a[-1]) if last else h(a[-1]))
        delta = z[-1] - R[part]
        for l in range(len(W) - 1, -1, -1):
            below = (delta @ W[l].T) * dh(a[l - 1]) if l else None
            W[l] = W[l] - 0.02 / len(delta) * z[l].T @ delta
            b[l] = b[l] - 0.02 / len(delta) * delta.sum(axis=0)
            delta = below
    return np.concatenate([part.ravel() for pair in zip(W, b, strict=True) for part in pair])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("loss", OWN_LOSSES)
def test_losses_of_formulas(loss: str, dtype: str, instruction_set: str) -> None:
    for output in ("identity", "softmax", "tanh", "a + sin(a)**2", "softplus"):
        net = network([3, 5, 2], output=output, loss=loss, dtype=dtype)
        X, R = samples(net, 9)
        report = net.check_gradient(X, R, np.arange(9.0))
        assert report.ok, report
        y = net.predict(X).astype(float)
        E = eval(loss, {"y": y, "r": R, "log": np.log, "sqrt": np.sqrt, "abs": np.abs, "where": np.where})
        assert net.E(X, R) == pytest.approx(np.sum(E) / 9, rel=1e-5 if dtype == "float32" else 1e-12)


def test_the_lecture_s_pair_as_formulas() -> None:
    """E = −r log y − (1 − r) log(1 − y) with y = σ(a): δ = y − r, and finite at a = ±800."""
    loss = "-r * log(y) - (1 - r) * log(1 - y)"
    for output in ("1 / (1 + exp(-a))", "sigmoid(a) + 0 * a**3", "0.5 + 0.5 * tanh(a / 2)"):
        net = Network([1, 1], output=output, loss=loss, bias=False)
        other = Network([1, 1], bias=False)
        for a in (-800.0, -30.0, -1.0, 0.0, 2.5, 40.0, 800.0):
            net.W[0] = other.W[0] = [[a]]
            for r in (0.0, 0.25, 1.0):
                t, expected = net.trace([1.0], [r]), other.trace([1.0], [r])
                assert pytest.approx(expected.E, rel=1e-14) == t.E
                np.testing.assert_allclose(t.layers[0].delta, expected.layers[0].delta, rtol=1e-14, atol=2e-16)


def test_a_declared_loss_under_an_output_of_one_s_own() -> None:
    for loss in ("log", "focal", "poisson", "huber", "cross_entropy"):
        net = network([3, 5, 2], output="0.9 * sigmoid(a) + 0.05", loss=loss)
        X, R = samples(net, 9)
        assert net.check_gradient(X, R).ok, loss


def test_bits_files_and_copies(tmp_path: Path) -> None:
    net = network([9, 33, 4], h=OWN[1], output="identity", loss=OWN_LOSSES[1])
    X, R = samples(net, 300)
    g = [np.empty_like(net.padded_theta) for _ in range(3)]
    for threads, out in enumerate(g, start=1):
        _engine.gradient(net._learning_plan, net.padded_theta, X, R, out, None, threads)
    assert g[0].tobytes() == g[1].tobytes() == g[2].tobytes()
    y = net.predict(X)
    assert net.predict(X[7:8]).tobytes() == y[7:8].tobytes()
    net.fit(X, R, epochs=1, eta=0.001)
    net.save(tmp_path / "net")
    for other in (deltaprop.load(tmp_path / "net"), pickle.loads(pickle.dumps(net)), copy.deepcopy(net)):
        assert other == net
        assert other.h == (OWN[1],)
        assert other.predict(X).tobytes() == net.predict(X).tobytes()
        assert other.gradient(X, R).tobytes() == net.gradient(X, R).tobytes()
    assert eval(repr(net), {"Network": Network}) == Network([9, 33, 4], h=OWN[1], output="identity", loss=OWN_LOSSES[1])


def test_without_sympy_a_network_predicts_and_says_what_training_needs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    net = network([2, 3, 1], h=OWN[0], output="identity", loss=OWN_LOSSES[0])
    X, R = samples(net, 5)
    net.save(tmp_path / "net")
    expected = net.predict(X), net.E(X, R)
    monkeypatch.setitem(sys.modules, "sympy", None)
    from deltaprop.functions import activations, losses

    for module in (activations, losses):
        module._formulas.clear()
    other = deltaprop.load(tmp_path / "net")
    assert (other.predict(X), other.E(X, R)) == (pytest.approx(expected[0]), pytest.approx(expected[1]))
    for verb in (lambda: other.fit(X, R), lambda: other.gradient(X, R), lambda: other.trace(X, R)):
        with pytest.raises(MissingExtraError, match=re.escape("pip install 'deltaprop[derive]'")):
            verb()


@pytest.mark.parametrize("batch_size", [1, 4])
def test_a_value_that_is_not_finite_is_reported_with_its_point(batch_size: int) -> None:
    X = np.linspace(-3, 2, 41)[:, None]
    for h, what, where in (
        ("log(a)", "h of layer 1, 'log(a)', is nan at a = -3", -3),
        ("sqrt(abs(a))", "h′ of layer 1, 'sqrt(abs(a))', is nan at a = 0", 0),
        ("1 / a", "h of layer 1, '1 / a', is inf at a = 0", 0),
    ):
        net = Network([1, 1, 1], h=h, output="identity", loss="squared_error", bias=False)
        net.theta = [1, 1]
        before = net.theta
        with pytest.raises(DivergenceError, match=re.escape(what)) as error:
            net.fit(X, np.zeros(41), eta=1e-12, batch_size=batch_size, shuffle=False, epochs=1)
        assert float(str(error.value).partition("at a = ")[2].split(". ")[0].rstrip(".")) == pytest.approx(
            where, abs=1e-6
        )
        assert (net.theta == before).all()
        with pytest.raises(DivergenceError, match=re.escape(what)) as error:
            net.descend(X, np.zeros(41), 1e-12, batch_size=batch_size)
        assert str(error.value).endswith("The parameters are as before.")
        assert (net.theta == before).all()
    net = Network([1, 1], output="identity", loss="log(y - r)", bias=False)
    net.theta = [1]
    with pytest.raises(DivergenceError, match=re.escape("E of loss 'log(y - r)' is nan at y = -3, r = 0.")):
        net.fit(X, np.zeros(41), eta=1e-12, batch_size=batch_size, shuffle=False, epochs=1)


def test_messages_and_the_command_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for arguments, words in (
        ({"h": "a * sigmiod(a)"}, "Network: h: no function is called 'sigmiod', column 5"),
        ({"h": "x**2"}, "Network: h: no variable is called 'x'"),
        ({"h": "__import__('os')"}, "Network: h: "),
        ({"output": "a^2"}, "Network: output: formulas have no '^'"),
        ({"loss": "(y - t)**2"}, "Network: loss: no variable is called 't'"),
    ):
        with pytest.raises(FormulaError, match=re.escape(words)):
            Network([2, 3, 1], **arguments)
    with pytest.raises(FormulaError, match="TableModel: h: formulas have no '\\^'"):
        TableModel(h="a^2")
    for name, words in (("sigmiod", "Did you mean 'sigmoid'?"), ("leaky relu", "Did you mean 'leaky_relu'?")):
        with pytest.raises(ValueError, match=re.escape(words)):
            Network([2, 3, 1], h=name)
    with pytest.raises(ValueError, match="loss 'log' needs outputs in"):
        Network([2, 1], output="a**2")
    monkeypatch.chdir(tmp_path)
    Path("t.csv").write_text("x,y\n" + "".join(f"{k},{k % 7}\n" for k in range(60)))
    command = ["fit", "t.csv", "--target", "y", "--epochs", "2", "--hidden", "3"]
    assert run([*command, "--h", "a * sigmoid(1.702*a)", "--loss", "(y - r)**4/4"]) == 0
    model = deltaprop.load("model.deltaprop")
    assert isinstance(model, TableModel)
    assert (model.network.h, model.network.loss) == (("a * sigmoid(1.702 * a)",), "(y - r)**4 / 4")
    capsys.readouterr()
    assert run([*command, "--h", "a * sigmod(a)"]) == 2
    assert "--h: no function is called 'sigmod', column 5 of 'a * sigmod(a)'. Did you mean 'sigmoid'?" in (
        capsys.readouterr().err
    )


def test_of_several_outputs_the_one_that_is_not_finite_is_named() -> None:
    net = Network([1, 2], output="identity", loss="log(y)", bias=False)
    net.W[0] = [[1, -1]]
    with pytest.raises(DivergenceError, match=re.escape("E of loss 'log(y)' is nan at y = -1, r = 0.")) as error:
        net.fit([[1.0]], [[0, 0]], epochs=1)
    assert "Use a smaller eta" not in str(error.value)


def test_a_point_of_the_validation_samples_is_reported() -> None:
    net = Network([1, 1, 1], h="sqrt(a)", output="identity", loss="squared_error", bias=False)
    net.theta = [1, 1]
    with pytest.raises(DivergenceError, match=re.escape("h of layer 1, 'sqrt(a)', is nan at a = -1")):
        net.fit([[1.0]], [1], epochs=1, eta=1e-9, validation=([[-1.0]], [1]))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_formula_under_softmax_where_a_probability_has_rounded_to_0(dtype: str) -> None:
    """E and δ = −r are as at the least normal number, not inf and nan."""
    net = Network([1, 3], output="softmax", loss="-r * (1 - y)**2 * log(y)", bias=False, dtype=dtype)
    net.W[0] = [[0, 800, -800]]
    t = net.trace([1.0], [0, 0, 1])
    assert t.y.tolist() == [0, 1, 0]
    assert pytest.approx(-np.log(np.finfo(dtype).tiny), rel=1e-6) == t.E
    np.testing.assert_allclose(t.layers[0].delta, [0, 1, -1], atol=1e-6)
    assert np.isfinite(net.fit([[1.0]], [[0, 0, 1]], epochs=3, eta=100.0).E).all()


def test_a_formula_of_a_declared_loss_is_that_under_softmax_too() -> None:
    for text, name in (
        ("-r * log(y) - (1 - r) * log(1 - y)", "log"),
        ("-(r * log(y))", "cross_entropy"),
        ("(r - y)**2 / 2", "squared_error"),
    ):
        nets = [network([2, 3], output="softmax", loss=loss) for loss in (text, name)]
        for net in nets:
            net.W[0] = [[800, -800, 0], [1, 2, 3]]
        X, R = np.array([[1.0, 0], [-1, 1]]), np.array([[0, 1.0, 0], [0, 0, 1]])
        assert nets[0].E(X, R) == nets[1].E(X, R)
        assert nets[0].gradient(X, R).tobytes() == nets[1].gradient(X, R).tobytes()


def test_formulas_that_reach_where_a_loss_is_infinite() -> None:
    for output, loss in (
        ("min(max(a / 6 + 0.5, 0), 1)", "log"),
        ("where(a > 0, 1, 0)", "cross_entropy"),
        ("2 * max(a, 0)", "poisson"),
        ("min(exp(a - 50), 1)", "log"),
        ("where(a > 80, 1, sigmoid(a))", "log"),
        ("min(max(a / 200 + 0.5, 0), 1)", "log"),
    ):
        with pytest.raises(ValueError, match=f"loss '{loss}' is infinite where y is"):
            Network([1, 1], output=output, loss=loss)
    Network([1, 1], output="exp(-exp(-a))", loss="log")
    for within in ("0.5 + atan(a) / pi", "sigmoid(a**3)", "where(a > 8, 0.5, sigmoid(a))", "min(sigmoid(a), 0.999)"):
        Network([1, 1], output=within, loss="log")


def test_one_formula_is_one_object_whoever_asks() -> None:
    assert activation("a**2 - a", where="one") is activation("a ** 2-a", where="other") or (
        activation("a**2 - a", where="one") == activation("a ** 2-a", where="other")
    )
    too_large = "+".join(f"tanh({i}*a)*sin({i}*a)" for i in range(1, 50))
    with pytest.raises(FormulaError, match=re.escape("Network: h: 'tanh(1 * a) * sin(1 * a)")):
        Network([1, 1, 1], h=too_large).gradient([[1.0]], [1])


def test_a_kernel_stands_for_a_formula_only_where_they_are_one() -> None:
    """Poisson's counts a y below 0 as the least number, the formula has no value there; δ = y − r needs Σ r = 1."""
    net = Network([1, 1], output="identity", loss="y - r * log(y)", bias=False)
    net.W[0] = [[-1]]
    assert np.isnan(net.E([[1.0]], [1]))
    net = network([2, 3], output="softmax", loss="-r * log(y)")
    X = np.array([[1.0, 2]])
    assert net.check_gradient(X, [[0.2, 0.3, 0.5]]).ok
    with pytest.raises(ValueError, match=re.escape("R[0] sums to 0.5; targets of loss 'cross_entropy' are probab")):
        net.gradient(X, [[0.2, 0.3, 0]])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("n_out", [1, 2, 3])
def test_few_rows_of_a_formula_output(n_out: int, dtype: str) -> None:
    """Fewer numbers than a vector holds: it wrote beyond them until it crashed."""
    net = network([2, n_out], output="a**2 / 4", loss="squared_error", dtype=dtype)
    X = np.random.default_rng(0).normal(size=(130, 2)).astype(dtype)
    expected = (X @ net.W[0] + net.b[0]) ** 2 / 4
    for n in [*range(40), 63, 64, 65, 129, 130]:
        np.testing.assert_allclose(net.predict(X[:n]), expected[:n], rtol=1e-5, atol=1e-6)


PROBIT = "(1 + erf(a / sqrt(2))) / 2"


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("loss", ["log", "focal", "-r * log(y) - (1 - r) * log(1 - y)"])
@pytest.mark.parametrize("output", [PROBIT, "1 - exp(-exp(a))", "exp(-exp(-a))"])
def test_a_formula_output_that_comes_to_0_and_1_by_rounding_trains(output: str, loss: str, dtype: str) -> None:
    """A y, or 1 - y, that has rounded to 0 counts as the least normal number."""
    net = Network([1, 1], output=output, loss=loss, dtype=dtype, bias=False)
    net.theta = [1]
    for a, r in ((-900.0, 0), (900.0, 1)):  # right
        assert net.E([[a]], [r]) == pytest.approx(0, abs=1e-6)
        assert abs(net.gradient([[a]], [r])[0]) < 1e-6
    for a, r in ((-10.0, 1), (10.0, 0)):  # wrong
        assert 9 < net.E([[a]], [r]) < 1e5
        assert np.isfinite(net.gradient([[a]], [r])).all()
    for a, r in ((-40.0, 1), (-14.0, 1), (-13.0, 1), (13.0, 0), (14.0, 0), (40.0, 0)):
        assert not np.isnan(net.gradient([[a]], [r])).any()
    x = np.append(np.random.default_rng(0).normal(size=300), [-40.0, 40.0])
    r = (x + np.random.default_rng(1).normal(size=302) > 0).astype(float)
    history = net.fit(x[:, None], r, epochs=30, eta=0.05)
    assert history.E[-1] < 0.6
    assert net.check_gradient(x[:50, None], r[:50]).ok


def test_a_loss_that_is_declared_in_other_words_is_composed_where_its_kernel_does_not_know_a() -> None:
    for text in ("y - r * log(y)", "2 * y - 2 * r * log(y)"):
        t = Network([1, 1], output="sigmoid", loss=text, bias=False)
        t.theta = [1]
        traced = t.trace([-800.0], 1)
        factor = 2 if text.startswith("2") else 1
        assert traced.layers[0].delta == pytest.approx(-factor)
        assert pytest.approx(800 * factor) == traced.E
