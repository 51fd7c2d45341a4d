"""The derivation with the numbers of a sample: the engine's, and by hand to the last digit."""

import re

import numpy as np
import pytest

from deltaprop import Network
from deltaprop.inspection.derivation import Derivation, derive
from deltaprop.inspection.derivation.text import TextWriter, words_in
from problems import network, samples

written, text_of = TextWriter().write, words_in


def lines_of(document: Derivation) -> list[str]:
    return [line.strip() for line in str(document).splitlines()]


def by_hand(text: str) -> float:
    """What a reader's calculator makes of a formula with numbers."""
    python = text.replace("−", "-").replace("·", "*").replace("²", "**2").replace("³", "**3").replace("log", "np.log")
    python = python.replace("exp", "np.exp").replace("^", "**")
    python = re.sub(r"(?<=[\d)]) (?=[(\dn])", " * ", python)
    return float(eval(python, {"np": np}))


def with_numbers() -> tuple[Network, Derivation]:
    net = Network([2, 2, 1])
    net.theta = [0.1, -0.2, 0.3, 0.4, 0.05, -0.05, 0.8, -0.8, 0.1]
    return net, net.derive([1, 2], 1, 0.5)


def test_one_sample_by_hand() -> None:
    net, document = with_numbers()
    t = net.trace([1, 2], 1)
    text = lines_of(document)
    assert "a_1 = w_11 x_1 + w_12 x_2 + b_1 = 0.1 · 1 + 0.3 · 2 + 0.05 = 0.75" in text
    assert "δ_y = y − r = 0.5339562733 − 1 = −0.4660437267" in text
    assert "∂E/∂v_1 = δ_y z_1 = (−0.4660437267) · 0.6791786992 = −0.3165269721" in text
    numeric = 0
    for line in text[text.index("8. The sample") :]:
        parts = re.split(" = | ← ", line)
        if len(parts) == 4:
            assert f"{by_hand(parts[2]):.10g}" == f"{by_hand(parts[3]):.10g}"
            numeric += 1
    assert numeric == 4 + 2 + 1 + 2 + 4 + 6 + 9
    values = {written(line.left): line.value for s in document.sections[7:] for line in s.lines if line.left}
    for k in range(2):
        assert values[f"h′(a_{k + 1})"] == t.layers[0].dh[k]
        assert values[f"δ_{k + 1}"] == t.layers[0].delta[k]
        assert values[f"∂E/∂v_{k + 1}"] == t.layers[1].dW[k, 0]
        for i in range(2):
            assert values[f"∂E/∂w_{k + 1}{i + 1}"] == t.layers[0].dW[i, k]
    assert values["E"] == t.E
    assert values["δ_y"] == t.layers[1].delta[0]


def test_the_update_is_the_engines_own_step_and_changes_nothing() -> None:
    net, document = with_numbers()
    before = net.theta
    after = Network(**net.config())
    after.theta = before
    after.descend([[1, 2]], [1], 0.5)
    new = [line.value for line in document.sections[-1].lines if line.relation == "←"]
    W, b = after.W, after.b
    assert new == [W[0][0, 0], W[0][1, 0], b[0][0], W[0][0, 1], W[0][1, 1], b[0][1], *W[1][:, 0], b[1][0]]
    assert (net.theta == before).all()
    assert document.sections[-1].title == "The update"
    assert derive(net, [1, 2], 1).sections[-1].title == "The gradient"


@pytest.mark.parametrize(
    ("layers", "options"),
    [
        ([4, 3, 3], {"h": "gelu", "output": "softmax", "loss": "cross_entropy"}),
        ([4, 3, 5, 2], {"h": ["tanh", "relu"], "output": "identity", "loss": "huber"}),
        ([3, 2], {"output": "tanh", "loss": "hinge", "bias": False}),
        ([2, 4, 3], {"h": "mish", "output": "softmax", "loss": "focal"}),
        ([2, 4, 3], {"h": "silu", "output": "identity", "loss": "quantile:q=0.1,0.5,0.9"}),
        ([2, 4, 3], {"output": "sigmoid", "loss": "log:label_smoothing=0.1"}),
        ([2, 3, 1], {"h": "a * sigmoid(1.702 * a)", "output": "(1 + tanh(a/2))/2", "loss": "(y - r)**4"}),
        ([12, 20, 11], {"h": "elu", "output": "softmax", "loss": "squared_error"}),
        ([2, 3, 1], {"dtype": "float32"}),
    ],
)
def test_all_numbers_are_the_engines_and_their_formulas_come_to_them(
    layers: list[int], options: dict[str, object]
) -> None:
    net = network(layers, **options)
    X, R = samples(net, 3)
    if "smoothing" in str(options) or layers[-1] == 1:
        R = np.clip(R, 0, 1)
    document = derive(net, X[0], R[0], 0.1)
    t = net.trace(X[0], R[0])
    engine = {0.1}
    for values in (t.x, t.r, [t.E], *(v for layer in t.layers for v in (layer.a, layer.z, layer.dh, layer.delta))):
        engine |= set(map(float, np.ravel(values)))
    for layer in t.layers:
        engine |= set(map(float, layer.dW.ravel())) | set(map(float, [] if layer.db is None else layer.db.ravel()))
    printed = [line for s in document.sections[7:-1] for line in s.lines if line.value is not None]
    assert len(printed) > 15
    assert {line.value for line in printed} <= engine
    assert "[the engine's" not in str(document)  # no formula comes to another value
    assert document.to_latex()
    assert document.to_html()


def readme_network() -> Network:
    X, R = [[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0]
    net = Network([2, 4, 1], h="sigmoid", output="sigmoid", loss="log", seed=0)
    net.fit(X, R, epochs=2000, eta=1.0)
    return net


@pytest.mark.parametrize("which", ["README", "saturated", "wide", "softmax"])
def test_the_printed_numbers_come_to_the_printed_value_by_hand(which: str) -> None:
    """With what stands on the paper and a calculator, to the last digit, or to what the line says."""
    if which == "README":
        document = readme_network().derive([0, 1], 1, 1.0)
    elif which == "saturated":
        net = Network([1, 1], bias=False)
        net.theta = [30.0]
        document = net.derive([1.0], 1, 0.1)
    else:
        net = network([12, 20, 15], h="tanh", output="identity" if which == "wide" else "softmax",
                      loss="squared_error" if which == "wide" else "cross_entropy")  # fmt: skip
        X, R = samples(net, 1)
        document = derive(net, X[0], R[0], 0.1)
    seen = 0
    for section in document.sections[7:]:
        for line in section.lines:
            if line.left is None or len(line.steps) < 2:
                continue
            *_, formula, shown = line.steps
            text, value = written(formula.right), written(shown.right)
            if not re.search(r"\d", text) or "_" in text:
                continue
            if shown.reason:
                value = text_of(shown.reason).partition("comes to ")[2]
            text = re.sub("tanh", "np.tanh", text)
            if "exp" in text and "…" in text:
                continue
            assert by_hand(text) == pytest.approx(by_hand(value), rel=6e-10, abs=1e-300), text
            seen += 1
    assert seen > (5 if which == "saturated" else 30)


def test_an_operand_has_the_digits_that_its_line_needs() -> None:
    net = Network([1, 1], bias=False)
    net.theta = [6.0]
    text = lines_of(net.derive([1.0], 1))
    # y = 1 / (1 + exp(-6)) = 0.99752737684336523…, so 1 - y = 0.00247262315663477…
    assert "y = 1 / (1 + exp(−a_y)) = 1 / (1 + exp(−6)) = 0.9975273768" in text
    assert "δ_y = y − r = 0.997527376843 − 1 = −0.002472623157" in text


def test_where_digits_cancel_it_says_what_the_formula_comes_to() -> None:
    net = Network([1, 1], bias=False)
    net.theta = [1.0]
    text = str(net.derive([30.0], 1))
    # exp(-30) = 9.3576229688e-14; the float64 next to 1 - that is 1 - 842 / 2**53 = 1 - 9.3480778674e-14
    assert (
        "δ_y = y − r\n      = 0.9999999999999065 − 1\n      = −9.357622969e−14     [the engine's; with these numbers, "
        "which have all their digits, the formula comes to −9.348077867e−14]"
    ) in text
    assert r"the formula comes to $-{9.348077867 \cdot 10^{-14}}$" in net.derive([30.0], 1).to_latex()
    assert "no finite value at these numbers" in str(net.derive([800.0], 0))


def test_what_a_long_sum_does_not_write_has_its_value() -> None:
    net = Network([10, 1], output="identity", loss="squared_error")
    net.theta = [0.5] * 10 + [0.25]
    text = lines_of(net.derive(list(range(1, 11)), 0))
    at = text.index("a_y = w_1 x_1 + w_2 x_2 + w_3 x_3 + w_4 x_4 + w_5 x_5 + w_6 x_6 + … + w_10 x_10 + b_y")
    # 0.5 (7 + 8 + 9) = 12
    assert text[at + 1] == "= 0.5 · 1 + 0.5 · 2 + 0.5 · 3 + 0.5 · 4 + 0.5 · 5 + 0.5 · 6 + 12 + 0.5 · 10 + 0.25"
    assert text[at + 2] == "= 27.75"
    words = "Of a sum of more than 8 terms the first 6 and the last are written; … is all the others."
    assert words in text


def test_a_large_network_is_abridged_and_says_so() -> None:
    net = network([30, 20, 12], output="softmax", loss="cross_entropy")
    X, R = samples(net, 1)
    text = str(net.derive(X[0], R[0]))
    for words in (
        "Of 30 inputs the first 6 are shown.",
        "Layer 1, of whose 20 units the first 6 are shown:",
        "The output, of whose 12 units the first 6 are shown:",
        "Of the 30 weights of each unit the first 6 are shown.",
        "+ … + w_1,30 x_30 + b_1",
    ):
        assert words in text
    assert "[the engine's" not in text
    assert "w_7" not in text
