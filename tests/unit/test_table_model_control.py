"""TableModel.fit: what ends a run, what is kept, runs on disk; the network's penalties; other libraries' words."""

import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import deltaprop
from deltaprop import Network, TableError, TableModel
from deltaprop.errors import ResumeError
from deltaprop.training import Now


@pytest.fixture
def table() -> dict[str, Any]:
    random = np.random.default_rng(0)
    a, b = random.normal(size=400), random.normal(size=400)
    return {
        "a": a,
        "b": b,
        "amount": 50 + 7 * (a + b**2) + random.normal(size=400),
        "big": np.where(a > b, "yes", "no"),
    }


class Stop:
    def __init__(self, after: int) -> None:
        self.left = after

    def on_step(self, _: Now) -> bool:
        self.left -= 1
        return self.left == 0


def test_metrics_of_a_quantity_are_in_its_own_unit(table: dict[str, Any]) -> None:
    model = TableModel(hidden=(8,))
    history = model.fit(table, "amount", metrics=["rmse", "mae", "r2"], monitor="rmse", epochs=40, keep="last")
    assert model.evaluation is not None
    for name, own in (("rmse", "RMSE (amount)"), ("mae", "MAE (amount)"), ("r2", "R²")):
        assert history.metrics[name][-1] == pytest.approx(model.evaluation[own], rel=1e-10)
    reached = history.metrics["rmse"][9]
    again = TableModel(hidden=(8,)).fit(table, "amount", monitor="rmse", goal=reached, epochs=40)
    assert again.stopped == "goal"
    first = next(k for k, value in enumerate(history.metrics["rmse"]) if value <= reached)
    assert len(again) == first + 1
    assert again.metrics["rmse"] == history.metrics["rmse"][: first + 1]
    # An RMSE better by less than a whole unit does not count: patience of 3 ends it soon.
    gains = TableModel(hidden=(8,)).fit(table, "amount", monitor="rmse", min_gain=1e3, patience=3, epochs=40)
    assert (gains.stopped, len(gains)) == ("patience", 4)


def test_penalties_are_the_networks(table: dict[str, Any], tmp_path: Path) -> None:
    model = TableModel(hidden=(8,), l2=0.01, l1=0.001)
    history = model.fit(table, "big", epochs=5)
    assert (model.network.l2, model.network.l1) == (0.01, 0.001)
    assert history.penalty[-1] > 0
    model.save(tmp_path / "m")
    loaded = deltaprop.load(tmp_path / "m")
    assert isinstance(loaded, TableModel)
    assert (loaded.l2, loaded.l1) == (0.01, 0.001)
    assert "l2=0.01, l1=0.001" in repr(loaded)
    assert "l2" not in repr(TableModel())
    with pytest.raises(ValueError, match="TableModel: l2"):
        TableModel(l2=-1)


def test_patience_and_keep(table: dict[str, Any]) -> None:
    model = TableModel(hidden=(4,))
    history = model.fit(table, "big", metrics="auc", monitor="auc", patience=2, epochs=60)
    best = int(np.argmax(history.metrics["auc"]))
    assert history.best_epoch == best + 1
    assert len(history) == min(best + 3, 60)
    assert model.evaluation is not None
    assert model.evaluation["ROC AUC"] == pytest.approx(max(history.metrics["auc"]))
    trained = TableModel(hidden=(4,)).fit(table, "big", validation=None, patience=1, min_gain=10.0, epochs=60)
    assert (trained.stopped, len(trained), trained.best_epoch) == ("patience", 2, 2)


@pytest.mark.parametrize("target", ["amount", "big"])
def test_stopped_and_resumed_it_ends_with_the_same_file(target: str, table: dict[str, Any], tmp_path: Path) -> None:
    words: dict[str, Any] = {"epochs": 8, "optimizer": "adam", "eta": "cosine:0.02", "metrics": "rmse"}
    if target == "big":
        words["class_weight"] = {"yes": 3}
    whole = TableModel(hidden=(8,))
    expected = whole.fit(table, target, **words)
    whole.save(tmp_path / "whole")
    for after in (1, 13, 4, 40, 10_000):
        model = TableModel(hidden=(8,))
        history = model.fit(
            table, target, **words, checkpoint=tmp_path / "r", checkpoint_every=2, resume=True, callbacks=[Stop(after)]
        )
    model.save(tmp_path / "m")
    assert (tmp_path / "m").read_bytes() == (tmp_path / "whole").read_bytes()
    assert history.metrics == expected.metrics
    loaded = deltaprop.load(tmp_path / "r")
    assert isinstance(loaded, TableModel)
    assert loaded.network == whole.network
    assert (loaded.predict(table) == whole.predict(table)).all()


def test_a_run_of_another_table_is_refused(table: dict[str, Any], tmp_path: Path) -> None:
    words: dict[str, Any] = {"epochs": 8, "eta": 0.1, "checkpoint": tmp_path / "r", "resume": True}
    TableModel(hidden=(8,)).fit(table, "big", **words, callbacks=[Stop(3)])
    renamed = {**table, "big": np.where(table["big"] == "yes", "oui", "non")}  # the same numbers for the network
    with pytest.raises(ResumeError, match="was called with another table, or one whose columns are read otherwise"):
        TableModel(hidden=(8,)).fit(renamed, "big", **words)
    with pytest.raises(ResumeError, match=re.escape("was called with eta=0.1, and here it is 0.2")):
        TableModel(hidden=(8,)).fit(table, "big", **{**words, "eta": 0.2})
    with pytest.raises(ResumeError, match="is of another network"):
        TableModel(hidden=(9,)).fit(table, "big", **words)
    Network([2, 8, 1]).fit(np.zeros((3, 2)), [0, 1, 1], epochs=1, checkpoint=tmp_path / "n")
    with pytest.raises(ResumeError):
        TableModel(hidden=(8,)).fit(table, "big", **{**words, "checkpoint": tmp_path / "n"})


def test_the_time_is_shared_by_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    from deltaprop.table_model import fitting

    budgets: list[float] = []
    original, clock = fitting.train, iter(np.arange(0.0, 1e3, 10.0))

    def seen(*args: Any, **words: Any) -> Any:
        budgets.append(words["time_budget"])
        return original(*args, **{**words, "time_budget": None})

    monkeypatch.setattr(fitting, "train", seen)
    monkeypatch.setattr(fitting, "time", SimpleNamespace(monotonic=lambda: float(next(clock))))
    x = np.random.default_rng(0).normal(size=1000)
    wild = {**{f"x{k}": x for k in range(60)}, "y": 1000 * x}
    TableModel(hidden=()).fit(wild, "y", epochs=2, batch_size=1, time_budget=100.0)
    assert budgets[:2] == [100.0, 90.0]


@pytest.mark.parametrize(
    ("words", "error", "message"),
    [
        ({"metrics": "accuracy"}, TableError, "accuracy is of labels, and 'amount' is a quantity."),
        ({"monitor": "auc"}, TableError, "auc is of labels, and 'amount' is a quantity."),
        ({"monitor": "r2", "validation": None}, ValueError, "monitor needs validation samples"),
        ({"goal": float("nan")}, ValueError, "goal needs to be a number that can be reached; got nan."),
        ({"monitor": "rmse", "goal": "low"}, TypeError, "goal needs to be a number; got 'low'."),
        ({"resume": True}, ValueError, "resume needs a checkpoint, the file of the run."),
        ({"time_budget": 0}, ValueError, "time_budget needs to be above 0 seconds; got 0."),
        ({"time_budget": "1m"}, TypeError, "time_budget needs to be a number; got '1m'."),
        ({"learning_rate_init": 1}, TypeError, "TableModel.fit: learning_rate_init: here it is eta."),
        ({"n_iter_no_change": 1}, TypeError, "TableModel.fit: n_iter_no_change: here it is patience."),
    ],
)
def test_what_is_refused(words: dict[str, Any], error: type[Exception], message: str, table: dict[str, Any]) -> None:
    model = TableModel()
    with pytest.raises(error, match=re.escape(message)):
        model.fit(table, "amount", **words)
    assert repr(model) == repr(TableModel())


def test_scikit_learns_words_for_a_table() -> None:
    words: Any = {"hidden_layer_sizes": (3,)}
    with pytest.raises(TypeError, match=re.escape("TableModel: hidden_layer_sizes: here it is hidden")):
        TableModel(**words)
    with pytest.raises(TypeError, match=re.escape("Network: hidden_layer_sizes: here it is layers")):
        Network([1, 1], **words)
