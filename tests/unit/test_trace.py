"""The trace: shapes, names, and that it is the descent step itself."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from deltaprop import Adam, Network
from deltaprop.cli.app import run_command as run
from deltaprop.inspection.trace import trace
from problems import network, samples


def test_shapes_of_one_sample_and_of_many() -> None:
    net = network([3, 4, 2], output="softmax", loss="cross_entropy")
    X, R = samples(net, 5)
    one, many = net.trace(X[2], R[2]), net.trace(X, R)
    assert isinstance(one.E, float)
    assert many.E.shape == (5,)
    for k, layer in enumerate(many.layers):
        single = one.layers[k]
        for name in ("a", "z", "dh", "delta", "dW", "db"):
            assert getattr(layer, name).shape == (5, *getattr(single, name).shape)
            assert (getattr(layer, name)[2] == getattr(single, name)).all()
    assert one.layers[0].dW.shape == (3, 4)
    assert one.layers[1].dh.shape == (2, 2)  # the Jacobian of softmax
    assert many.y.shape == (5, 2)
    assert (many.x == X).all()
    assert (many.r == R).all()
    assert network([3, 4, 2], bias=False).trace(X[0], R[0]).layers[0].db is None


def test_a_replay_through_traces_gives_the_same_theta_bit_for_bit() -> None:
    net, replay = network([4, 6, 3, 2], h="tanh"), network([4, 6, 3, 2], h="tanh")
    X, R = samples(net, 25)
    net.descend(X, R, 0.125)  # a power of two: η δ z is exact either way
    for x, r in zip(X, R, strict=True):
        t = replay.trace(x, r)
        for k, layer in enumerate(t.layers):
            replay.W[k] -= 0.125 * layer.dW
            replay.b[k] -= 0.125 * layer.db
    assert replay.theta.tobytes() == net.theta.tobytes()


@pytest.mark.parametrize("optimizer", ["sgd", "momentum", Adam(0.8)], ids=str)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_training_run_is_its_traces_bit_for_bit(optimizer: Any, dtype: str) -> None:
    net, run = (network([4, 6, 3, 2], h="tanh", dtype=dtype) for _ in range(2))
    X, R = samples(net, 25)
    run.fit(X, R, epochs=1, eta=0.1, shuffle=False, optimizer=optimizer, online_block=1)
    for x, r in zip(X, R, strict=True):
        before = net.theta
        t = net.trace(x, r, eta=0.1, optimizer=optimizer)
        assert net.theta.tobytes() == before.tobytes()
        net.descend([x], [r], 0.1, optimizer=optimizer, online_block=1)  # what the optimizer remembers goes on
        for k, layer in enumerate(t.layers):
            assert layer.W_after.tobytes() == net.W[k].tobytes()
            assert layer.b_after.tobytes() == net.b[k].tobytes()
            assert (layer.change_W == layer.W_after - layer.W).all()
        assert t.eta == 0.1
    assert net.theta.tobytes() == run.theta.tobytes()
    again = net.trace(X[0], R[0], eta=0.1)  # by default the rule of the last descent
    assert again.optimizer == net.optimizer
    assert repr(again.optimizer) == repr(net.trace(X[0], R[0], eta=0.1, optimizer=optimizer).optimizer)


def test_the_step_of_many_samples_is_that_of_a_batch() -> None:
    net = network([3, 4, 2])
    X, R = samples(net, 6)
    t = net.trace(X, R, eta=0.5)
    net.descend(X, R, 0.5, batch_size=6)
    assert all(layer.W_after.tobytes() == W.tobytes() for layer, W in zip(t.layers, net.W, strict=True))
    assert network([3, 2], bias=False).trace(X[0], R[0], eta=0.5).layers[0].change_b is None
    for arguments, words in (
        ({"eta": -1}, "eta"),
        ({"optimizer": "adam"}, "a step needs an eta"),
        ({"eta": 0.1, "optimizer": "adamm"}, "Did you mean 'adam'?"),
    ):
        with pytest.raises(ValueError, match=re.escape(words)):
            net.trace(X, R, **arguments)
    with pytest.raises(ValueError, match="there is no step"):
        net.trace(X[:0], R[:0], eta=0.1)


def test_the_step_is_in_the_table_and_the_frame(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    net = Network([2, 2, 1])
    net.theta = np.zeros(9)
    t = net.trace([1, 2], 1, eta=0.5)
    lines = str(t).splitlines()
    assert len(lines) == len(t.rows()) == len(net.trace([1, 2], 1).rows()) + 3 * 9
    assert any(re.fullmatch(r"Δw +z1\.1 → y +0\.125", line) for line in lines)  # −η (y − r) z = ½ · ½ · ½
    assert any(re.fullmatch(r"w \+ Δw +z1\.1 → y +0\.125", line) for line in lines)
    assert any(re.fullmatch(r"b \+ Δb +y +0\.25", line) for line in lines)
    frame = t.to_frame()
    assert list(frame.columns) == ["symbol", "name", "value", "layer"]
    assert len(frame) == len(t.rows())
    html = trace(net, [1, 2], [1], inputs=["<b>", "x"])._repr_html_()
    assert "&lt;b&gt;" in html
    assert html.count("<tr>") == 1 + len(net.trace([1, 2], 1).rows())
    assert net.trace([[1, 2]], [1])._repr_html_().startswith("<p>Trace of 1 sample,")
    assert "the other numbers are in" in network([60, 40, 3]).trace(np.zeros(60), np.zeros(3), eta=1)._repr_html_()
    pd.DataFrame({"x": range(40), "t": ["a", "b"] * 20}).to_csv(tmp_path / "t.csv", index=False)
    model = str(tmp_path / "m")
    assert run(["fit", str(tmp_path / "t.csv"), "--target", "t", "--epochs", "1", "--hidden", "2", "--out", model]) == 0
    capsys.readouterr()
    assert run(["trace", model, str(tmp_path / "t.csv"), "--eta", "0.1"]) == 0
    assert "w + Δw" in capsys.readouterr().out


def test_the_gradient_of_a_trace_is_the_gradient() -> None:
    net = network([4, 6, 2])
    X, R = samples(net, 3)
    t = net.trace(X[1], R[1])
    dense = np.concatenate([part.ravel() for layer in t.layers for part in (layer.dW, layer.db)])  # type: ignore[union-attr]
    assert dense.tobytes() == net.gradient(X[1:2], R[1:2]).tobytes()


def test_the_printed_table_names_every_number() -> None:
    net = Network([2, 2, 1])
    net.theta = np.zeros(9)
    t = net.trace([1, 2], 1)
    lines = str(t).splitlines()
    assert len(lines) == len(t.rows()) == 2 + 4 + 2 + 1 + 1 + (1 + 1 + 2 + 1) + (2 + 2 + 4 + 2)
    assert re.fullmatch(r"x +x1 +1", lines[0])
    assert re.fullmatch(r"a +z1\.1 +0", lines[2])
    assert re.fullmatch(r"E +0\.6931471806", next(line for line in lines if line.startswith("E")))
    assert any(re.fullmatch(r"∂E/∂w +x2 → z1\.1 +-?0", line) for line in lines)
    assert repr(t) == str(t)
    named = trace(net, [1, 2], [1], inputs=["age", "height"], outputs=["P(ill)"])
    assert ("x", "age", 1.0, 0) in named.rows()
    assert ("δ", "P(ill)", -0.5, 2) in named.rows()
    many = net.trace([[1, 2], [3, 4]], [1, 0])
    assert str(many).split("\n")[0] == "Trace of 2 samples, 2 → 2 → 1; mean E 0.693147"
    assert str(many).split("\n")[1].split() == ["sample", "y", "r", "δ", "E"]
    assert str(many).split("\n")[3].split()[0] == "1"
    with pytest.raises(ValueError, match=re.escape("rows of one sample; this trace holds 2. Take trace[0].")):
        many.rows()
    assert str(net.trace(np.zeros((0, 2)), [])) == "Trace of 0 samples, 2 → 2 → 1"
    big = network([60, 40, 3]).trace(np.zeros(60), np.zeros(3))
    lines = str(big).splitlines()
    assert len(lines) == len(big.rows(matrices=False)) + 1 == 60 + 2 * 43 + 3 + 1 + 3 * 43 + 1
    assert lines[-1] == "… the other numbers are in .layers, and in .rows()"
    assert big.in_matrices == 60 * 40 + 40 * 3
    assert len(big.rows()) == len(big.rows(matrices=False)) + big.in_matrices
    softmax = network([2, 3], output="softmax", loss="cross_entropy").trace([0, 1], [1, 0, 0])
    assert ("∂z/∂a", "y1, y1") in [row[:2] for row in softmax.rows()]


def test_what_is_refused() -> None:
    net = Network([2, 3, 1])
    with pytest.raises(ValueError, match="x needs 2 inputs; got 3"):
        net.trace([1, 2, 3], 1)
    with pytest.raises(ValueError, match="r needs 1 targets; got 2"):
        net.trace([1, 2], [1, 0])
    with pytest.raises(ValueError, match="targets of loss 'log' are in"):
        net.trace([1, 2], 2)
    with pytest.raises(ValueError, match="R needs shape"):
        net.trace([[1, 2]], [[1], [0]])


def test_a_trace_keeps_the_weights_it_was_made_with() -> None:
    net = Network([2, 1])
    t = net.trace([1, 2], 1)
    before = net.W[0].copy()
    net.descend([[1, 2]], [1], 1.0)
    assert (before == t.layers[0].W).all()
    assert t.layers[0].h == "sigmoid"
    assert t.layers[0].inputs == ("x1", "x2")


def test_a_trace_keeps_the_sample_it_was_made_of() -> None:
    x = np.array([1.0, 2.0])
    t = Network([2, 1]).trace(x, 1)
    x[0] = 99
    assert t.x[0] == 1


def test_masked_samples_are_refused() -> None:
    with pytest.raises(ValueError, match="x has masked cells"):
        Network([2, 1]).trace(np.ma.masked_equal([1.0, 2.0], 1), 1)


def test_each_of_many_samples_is_its_own_trace() -> None:
    net = network([3, 4, 2], h="tanh", output="softmax", loss="cross_entropy")
    X, R = samples(net, 5)
    many = net.trace(X, R, eta=0.1)
    assert len(many) == 5
    for k in range(-5, 5):
        assert many[k].rows() == net.trace(X[k], R[k]).rows()
    with pytest.raises(IndexError, match="there is no sample 5; it holds 5, counted from 0"):
        many[5]
    frame = many.to_frame()
    assert list(frame) == ["sample", "symbol", "name", "value", "layer"]
    for k in range(5):
        own = frame[frame["sample"] == k].drop(columns="sample").reset_index(drop=True)
        assert own.equals(net.trace(X[k], R[k]).to_frame())
    step = frame[frame["sample"].isna()]
    assert step["symbol"].value_counts().to_dict() == dict.fromkeys(("w", "Δw", "w + Δw"), 20) | dict.fromkeys(
        ("b", "Δb", "b + Δb"), 6
    )
    assert net.trace(X[:0], R[:0]).to_frame().empty
    html = many._repr_html_()
    assert html.count("<tr>") == 6
    assert "<td>δ y2</td>" in html
    assert len(str(net.trace(np.zeros((50, 3)), np.zeros(50, int))).split("\n")) == 23


def test_other_libraries_words_are_answered() -> None:
    net = Network([2, 1])
    for verb in (net.trace, net.derive, net.check_gradient, net.health):
        with pytest.raises(TypeError, match=r"lr: here it is eta"):
            verb([[1.0, 2]], [1], lr=0.1)  # type: ignore[call-arg]


def test_the_penalty_stands_apart_in_a_trace() -> None:
    net = Network([2, 1], output="identity", loss="squared_error", l2=0.5, l1=2.0)
    net.theta = [3, -4, 7]
    t = net.trace([1, 1], 4, eta=0.1)
    assert (t.E, t.penalty) == (2, 20.25)  # a = 6, ½ (6 − 4)²; ¼ (9 + 16) + 2 (3 + 4)
    assert t.layers[0].dW.ravel().tolist() == [2, 2]
    assert t.layers[0].dW_penalty is not None
    assert t.layers[0].dW_penalty.ravel().tolist() == [1.5 + 2, -2 - 2]
    assert t.layers[0].change_W is not None
    np.testing.assert_allclose(t.layers[0].change_W.ravel(), [-0.1 * 5.5, -0.1 * -2], rtol=1e-12)
    rows = {(row.symbol, row.name): row.value for row in t.rows()}
    assert rows["Ω", ""] == 20.25
    assert rows["E + Ω", ""] == net.E([[1, 1]], [4]) == 22.25
    assert rows["∂Ω/∂w", "x2 → y"] == -4
    assert len(t.rows()) == len(t.rows(matrices=False)) + t.in_matrices
    net.descend([[1, 1]], [4], 0.1)
    assert net.W[0].ravel().tolist() == t.layers[0].W_after.ravel().tolist()  # type: ignore[union-attr]
    assert "Ω" not in str(Network([2, 1]).trace([1, 1], 1))


def test_a_step_that_is_not_of_training_draws_nothing() -> None:
    net = Network([3, 8, 2], h="tanh", output="softmax", loss="cross_entropy", dropout=[0.3, 0.5], seed=4)
    t = net.trace([1.0, -2.0, 0.5], [1, 0], eta=0.25, training=False)
    for layer in t.layers:
        assert_allclose(layer.change_W, -0.25 * layer.dW, rtol=1e-6, atol=1e-12)
