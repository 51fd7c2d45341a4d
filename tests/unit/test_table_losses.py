"""TableModel and the command line with other losses, first weights and weights of labels."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import deltaprop
from deltaprop import TableError, TableModel
from deltaprop.cli import run


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    """Visits grow with age, and cost is in money; ill is rare and depends on age."""
    random = np.random.default_rng(0)
    age = random.uniform(20, 80, 600)
    visits = random.poisson(np.exp(age / 40))
    cost = 100 * random.gamma(2, np.exp(age / 40))
    ill = np.where(random.uniform(size=600) < (age / 80) ** 6, "yes", "no")
    return pd.DataFrame({"age": age, "visits": visits, "cost": cost, "ill": ill})


def fitted(frame: pd.DataFrame, target: str, loss: str | None, **arguments: object) -> TableModel:
    model = TableModel(hidden=(8,), loss=loss)
    others = {"visits", "cost", "ill"} - {target}
    model.fit(frame, target, drop=sorted(others), epochs=60, **arguments)
    return model


@pytest.mark.parametrize(("target", "loss"), [("visits", "poisson"), ("cost", "gamma"), ("cost", "tweedie:p=1.7")])
def test_counts_and_amounts(frame: pd.DataFrame, target: str, loss: str, tmp_path: Path) -> None:
    """Positive, in their own unit, near the expectation, which grows e-fold in 40 years."""
    model = fitted(frame, target, loss)
    assert (model.network.output, model.network.loss) == ("exp", loss)
    assert not model.target.centred
    y = model.predict({"age": [25.0, 65.0]})
    expected = np.exp(np.array([25, 65]) / 40) * (200 if target == "cost" else 1)
    np.testing.assert_allclose(y, expected, rtol=0.25)
    metrics = {metric.name.partition(" ")[0]: metric for metric in model.evaluate(frame).metrics}
    shares = frame[target] - model.target.mean
    assert metrics["RMSE"].baseline == pytest.approx(np.sqrt((shares**2).mean()), rel=1e-9)
    assert metrics["RMSE"].value < metrics["RMSE"].baseline
    model.save(tmp_path / "m.deltaprop")
    again = deltaprop.load(tmp_path / "m.deltaprop")
    assert again.target == model.target
    assert again.loss == loss
    assert (again.predict(frame) == model.predict(frame)).all()
    trace = model.trace(frame, 3)
    assert trace.target == frame[target][3]
    own = {(row.symbol, row.name): row.own_unit for row in trace.rows() if row.own_unit is not None}
    assert set(own) == {("x", "age"), ("z", target), ("r", target)}
    assert own["r", target] == pytest.approx(frame[target][3])


def test_a_quantile_lies_above_its_share(frame: pd.DataFrame) -> None:
    model = fitted(frame, "cost", "quantile:q=0.9")
    assert model.target.centred
    assert (frame["cost"] < model.predict(frame)).mean() == pytest.approx(0.9, abs=0.04)


@pytest.mark.parametrize("loss", ["focal", "squared_error", "log:label_smoothing=0.1"])
def test_labels(frame: pd.DataFrame, loss: str) -> None:
    model = fitted(frame, "ill", loss)
    assert model.network.output == "sigmoid"
    P = model.predict_proba({"age": [25.0, 78.0]})
    assert P[0, 1] < 0.2
    assert P[1, 1] > 0.5


def test_weights_of_labels(frame: pd.DataFrame) -> None:
    """Balanced labels move the boundary to where both are as likely as each other given their shares."""
    recalls = []
    for class_weight in (None, "balanced", {"yes": 1, "no": 0.2}):
        model = fitted(frame, "ill", None, class_weight=class_weight)
        said, ill = model.predict(frame) == "yes", frame["ill"] == "yes"
        recalls.append((said & ill).sum() / ill.sum())
    assert recalls[1] > recalls[0] + 0.1
    assert recalls[2] > recalls[0] + 0.1
    for wrong, words in (({"maybe": 2}, "class_weight has 'maybe', which is no label of 'ill'"),):
        with pytest.raises(TableError, match=words):
            fitted(frame, "ill", None, class_weight=wrong)
    with pytest.raises(TableError, match="class_weight is for labels, and 'cost' is a quantity"):
        fitted(frame, "cost", None, class_weight="balanced")


@pytest.mark.parametrize(
    ("target", "loss", "words"),
    [
        ("ill", "hinge", "The loss 'hinge' gives no probabilities of labels: use 'log', or focal."),
        ("ill", "poisson", "The loss 'poisson' gives no probabilities of labels"),
        ("ill", "cross_entropy", "Two classes are one output, and the loss 'cross_entropy' needs one for each"),
        ("cost", "log", "The loss 'log' is for labels, and 'cost' is a quantity."),
        ("cost", "quantile:q=0.1,0.9", "The loss 'quantile:q=0.1,0.9' has several outputs"),
        ("visits", "gamma", "The target 'visits' is 0 in row "),
    ],
)
def test_losses_that_do_not_suit_the_target(frame: pd.DataFrame, target: str, loss: str, words: str) -> None:
    with pytest.raises(TableError, match=re.escape(words)):
        fitted(frame, target, loss)
    with pytest.raises(ValueError, match="'mse' is called 'squared_error' here"):
        TableModel(loss="mse")


def test_command_line(
    frame: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    frame.to_csv("t.csv", index=False)
    common = ["fit", "t.csv", "--epochs", "2", "--hidden", "3"]
    arguments = ["--target", "cost", "--drop", "ill", "--loss", "huber:delta=0.5", "--init", "normal:sd=0.3"]
    assert run([*common, *arguments]) == 0
    model = deltaprop.load("model.deltaprop")
    assert (model.network.loss, model.network.init) == ("huber:delta=0.5", "normal:sd=0.3")
    assert "loss='huber:delta=0.5', init='normal:sd=0.3'" in repr(model)
    for weights in ("balanced", "yes=5,no=1"):
        assert run([*common, "--target", "ill", "--class-weight", weights]) == 0
    capsys.readouterr()
    for more, words in (
        (["--target", "cost", "--loss", "hubert"], "--loss: no loss is called 'hubert'. Did you mean 'huber'?"),
        (["--target", "cost", "--loss", "huber:delta=x"], "--loss: delta needs to be a number; got 'x'."),
        (["--target", "cost", "--init", "xavierr"], "--init: no initializer is called 'xavierr'"),
        (["--target", "ill", "--class-weight", "yes"], "--class-weight needs balanced, or label=weight"),
        (["--target", "ill", "--class-weight", "yes=-1"], "--class-weight needs balanced, or label=weight"),
        (["--target", "ill", "--class-weight", "ja=1"], "class_weight has 'ja', which is no label of 'ill'."),
    ):
        assert run([*common, *more]) == 2
        assert words in capsys.readouterr().err


def test_weights_of_labels_in_a_series(frame: pd.DataFrame) -> None:
    """By its index, not by its order."""
    models = [fitted(frame, "ill", None, class_weight=w) for w in ({"yes": 9, "no": 1}, pd.Series({"yes": 9, "no": 1}))]
    assert (models[0].predict_proba(frame) == models[1].predict_proba(frame)).all()
    net = deltaprop.Network([1, 1])
    X, r = [[1.0], [2.0]], [0, 1]
    assert net.E(X, r, class_weight=pd.Series({1: 5.0, 0: 1.0})) == net.E(X, r, class_weight={1: 5, 0: 1})
    with pytest.raises(TypeError, match="class_weight needs 'balanced', or a mapping of label to weight"):
        fitted(frame, "ill", None, class_weight=[1, 2])


def test_weights_of_labels_with_commas_on_the_command_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    cells = ["a, b", "c=d"] * 20
    pd.DataFrame({"x": range(40), "t": cells}).to_csv("t.csv", index=False)
    command = ["fit", "t.csv", "--target", "t", "--epochs", "1", "--class-weight"]
    assert run([*command, "a, b=2,c=d=1"]) == 0
    assert run([*command, "a, c=2"]) == 2
    assert "class_weight has 'a, c', which is no label of 't'." in capsys.readouterr().err


@pytest.mark.parametrize(
    ("weights", "words"),
    [("yes=1,", "got ''"), ("yes=1,yes=2", "twice")],
)
def test_weights_on_the_command_line_that_cannot_be(
    weights: str, words: str, frame: pd.DataFrame, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    frame.to_csv(tmp_path / "t.csv", index=False)
    out = tmp_path / "m"
    command = ["fit", str(tmp_path / "t.csv"), "--target", "ill", "--out", str(out), "--class-weight", weights]
    assert run(command) == 2
    assert words in capsys.readouterr().err
