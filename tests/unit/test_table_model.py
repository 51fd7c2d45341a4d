"""TableModel: from a table to predictions in the table's own words and units."""

import copy
import dataclasses
import pickle
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

import deltaprop
from deltaprop import ModelFileError, TableError, TableModel
from deltaprop.data.targets import Labels, Quantity
from deltaprop.errors import NotFittedError
from deltaprop.storage import read_model_file, write_model_file


def table(n: int = 200, seed: int = 0) -> pd.DataFrame:
    """Heights and eyes; tall and price and kind depend on them."""
    random = np.random.default_rng(seed)
    height = random.normal(170, 10, n)
    eyes = random.choice(["blue", "brown", "green"], n)
    price = 1000 + 20 * height + 300 * (eyes == "blue") + random.normal(0, 10, n)
    kind = np.where(height > 178, "large", np.where(height < 162, "small", "middle"))
    frame = pd.DataFrame({"height": height, "eyes": eyes, "price": price, "kind": kind, "tall": height > 170})
    frame.loc[::17, "height"] = np.nan
    return frame


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    return table()


def fitted(frame: pd.DataFrame, target: str, *, seed: int = 0, **arguments: Any) -> TableModel:
    model = TableModel(hidden=(8,), seed=seed)
    others = {"price", "kind", "tall"} - {target}
    model.fit(frame, target, drop=sorted(others), epochs=60, **arguments)
    return model


def test_two_classes(frame: pd.DataFrame) -> None:
    model = fitted(frame, "tall")
    assert isinstance(model.target, Labels)
    assert model.network.layers == (5, 8, 1)
    assert model.encoder.inputs == ["height", "height (missing)", "eyes=blue", "eyes=brown", "eyes=green"]
    labels, P = model.predict(frame), model.predict_proba(frame)
    assert labels.dtype == bool
    assert P.shape == (200, 2)
    assert_allclose(P.sum(axis=1), 1)
    assert (labels == (P[:, 1] > 0.5)).all()
    evaluation = model.evaluate(frame)
    assert evaluation["accuracy"] == (labels == frame["tall"]).mean() > 0.93
    assert [m.name for m in evaluation.metrics] == ["accuracy", "balanced accuracy", "log loss", "ROC AUC"]
    share = model.target.counts[1] / sum(model.target.counts)
    assert evaluation.metrics[2].baseline == pytest.approx(
        -(frame["tall"] * np.log(share) + ~frame["tall"] * np.log(1 - share)).mean()
    )


def test_several_classes(frame: pd.DataFrame) -> None:
    model = fitted(frame, "kind")
    assert model.network.output == "softmax"
    assert model.target.outputs == ["P(large)", "P(middle)", "P(small)"]
    P = model.predict_proba(frame)
    assert_allclose(P, model.network.predict(model.encoder.encode(model.read(frame))))
    assert set(model.predict(frame)) == {"large", "middle", "small"}
    assert model.evaluate(frame)["accuracy"] > 0.85


def test_a_quantity_comes_back_in_its_own_unit(frame: pd.DataFrame) -> None:
    model = fitted(frame, "price")
    assert isinstance(model.target, Quantity)
    y = model.predict(frame)
    evaluation = model.evaluate(frame)
    error = y - frame["price"]
    assert evaluation["RMSE (price)"] == pytest.approx(np.sqrt((error**2).mean()))
    assert evaluation["MAE (price)"] == pytest.approx(abs(error).mean())
    assert evaluation["R²"] == pytest.approx(
        1 - (error**2).sum() / ((frame["price"] - frame["price"].mean()) ** 2).sum()
    )
    assert evaluation["R²"] > 0.8
    with pytest.raises(TableError, match="'price' is a quantity"):
        model.predict_proba(frame)


def test_a_trace_speaks_the_tables_names_and_units(frame: pd.DataFrame) -> None:
    model = fitted(frame, "price")
    t = model.trace(frame, row=3)
    assert isinstance(model.target, Quantity)
    s = model.target.scale
    assert t.prediction == pytest.approx(model.predict(frame)[3])
    assert t.target == frame["price"][3]
    rows = {(row.symbol, row.name): row for row in t.rows()}
    assert rows["x", "height"].own_unit == frame["height"][3]
    assert rows["x", "eyes=blue"].own_unit is None
    assert rows["z", "price"].own_unit == pytest.approx(t.prediction)
    assert rows["r", "price"].own_unit == t.target
    assert rows["E", ""].own_unit == pytest.approx((t.prediction - t.target) ** 2 / 2)
    assert rows["δ", "price"].own_unit == pytest.approx(t.prediction - t.target)
    assert rows["δ", "price"].value == pytest.approx((t.prediction - t.target) / s)
    assert ("∂E/∂w", "eyes=blue → z1.8") in rows
    assert f"row 4: predicted {t.prediction}, target {t.target}" in str(t)
    missing = {(row.symbol, row.name): row for row in model.trace(frame, row=17).rows()}
    assert missing["x", "height"].own_unit is None
    assert missing["x", "height (missing)"].value == 1
    tall = fitted(frame, "tall").trace(frame, row=0)
    assert tall.target is np.True_ or isinstance(tall.target, bool)
    assert ("δ", "P(True)") in [row[:2] for row in tall.rows()]
    with pytest.raises(IndexError, match="there is no row 200; the table has 200, counted from 0"):
        model.trace(frame, row=200)
    with pytest.raises(IndexError):
        model.trace(frame, row=-1)


def test_the_gradient_check(frame: pd.DataFrame) -> None:
    for target in ("tall", "kind", "price"):
        assert fitted(frame, target).check_gradient(frame).ok


def test_the_gradient_check_weighs_labels_as_the_training_did() -> None:
    """∂E/∂b of the output is Σ w (y − r) / Σ w, and a row of weight 0 is none of those that are compared."""
    rng = np.random.default_rng(0)
    rare = rng.random(400) < 0.1
    table = {"x": rng.normal(size=400) + 1.2 * rare, "y": np.where(rare, "yes", "no")}
    for class_weight, w in ((None, (1, 1)), ("balanced", None), ({"yes": 9}, (9, 1)), ({"no": 0}, (1, 0))):
        model = TableModel(hidden=(4,), dtype="float64")
        model.fit(table, "y", class_weight=class_weight, epochs=3, validation=None)  # type: ignore[arg-type]
        report = model.check_gradient(table)
        assert report.ok
        yes, no = w or (400 / (2 * rare.sum()), 400 / (2 * (~rare).sum()))
        weights = np.where(rare, yes, no)
        first = np.flatnonzero(weights)[:100]
        y = model.predict_proba(table)[first, 1]
        expected = np.average(y - rare[first], weights=weights[first])
        of_output = next(group for group in report.groups if (group.layer, group.group) == (2, "biases"))
        assert of_output.analytic == pytest.approx(expected, rel=1e-9, abs=1e-12), class_weight
    with pytest.raises(TableError, match="class_weight gave a weight of 0"):
        model.check_gradient({"x": [1.0, 2.0], "y": ["no", "no"]})


def test_health_weighs_labels_as_the_training_did(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    rare = rng.random(2000) < 0.05
    table = {"x": rng.normal(size=2000) + 1.2 * rare, "y": np.where(rare, "yes", "no")}
    part = {name: column[:500] for name, column in table.items()}
    for class_weight in ("balanced", {"yes": np.float32(20)}):
        model = TableModel(hidden=(4,))
        model.fit(table, "y", class_weight=class_weight, epochs=10)  # type: ignore[arg-type]
        report = model.health(table)
        assert report.ok, report
        assert report.chance == pytest.approx(np.log(2), rel=0.1)
        assert model.health(part).ok
        model.save(tmp_path / "model")
        other = deltaprop.load(tmp_path / "model")
        assert isinstance(other, TableModel)
        assert other.provenance["class weight"] == ("balanced" if class_weight == "balanced" else {"yes": 20.0})
        assert str(other.health(table)) == str(report)
        del other.provenance["class weight"]  # as in a file from before it was kept
        other.save(tmp_path / "old")
        old = deltaprop.load(tmp_path / "old")
        assert isinstance(old, TableModel)
        assert [finding.kind for finding in old.health(table).findings] == ["chance"]
    model.fit(table, "y", class_weight={"yes": 0}, epochs=1)
    with pytest.raises(deltaprop.errors.TableError, match="class_weight gave a weight of 0"):
        model.health({"x": [1.0, 2.0], "y": ["yes", "yes"]})


def test_healthy_models_of_tables_raise_no_finding(frame: pd.DataFrame) -> None:
    for target in ("tall", "kind", "price"):
        report = fitted(frame, target).health(frame)
        assert report.ok, (target, report)


def test_held_out_rows_stay_out(frame: pd.DataFrame) -> None:
    model = fitted(frame, "tall")
    assert model.provenance["rows"] + model.provenance["rows held out"] == 200
    assert abs(model.provenance["rows held out"] - 40) <= 1
    assert model.evaluation is not None
    assert model.evaluation.rows == model.provenance["rows held out"]
    assert model.provenance["metrics"]["accuracy"]["model"] == model.evaluation["accuracy"]
    assert sum(model.target.counts) == model.provenance["rows"]  # type: ignore[union-attr]
    history = TableModel(hidden=(4,)).fit(frame[["height", "tall"]], "tall", epochs=30)
    assert len(history.E_validation) == len(history) <= 30
    assert history.best_epoch == int(np.argmin(history.E_validation)) + 1
    everything = fitted(frame, "tall", validation=None)
    assert everything.provenance["rows"] == 200
    assert everything.evaluation is None
    few = TableModel(hidden=())
    few.fit({"a": [1, 2, 3], "b": ["x", "y", "x"]}, "b", epochs=2)
    assert few.notes == ["0.2 of 3 rows is none to hold out: all of them are learnt from"]


def test_the_same_seed_gives_the_same_model(frame: pd.DataFrame, tmp_path: Path) -> None:
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        fitted(frame, "kind", seed=seed).save(tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    assert (tmp_path / "a").read_bytes() != (tmp_path / "c").read_bytes()


@pytest.mark.parametrize("target", ["tall", "kind", "price"])
def test_a_file_brings_back_the_same_model(frame: pd.DataFrame, tmp_path: Path, target: str) -> None:
    model = fitted(frame, target)
    model.save(tmp_path / "model")
    other = deltaprop.load(tmp_path / "model")
    assert isinstance(other, TableModel)
    assert (other.predict(frame) == model.predict(frame)).all()
    assert other.provenance == model.provenance
    assert other.history == dataclasses.replace(model.history, seconds=[])  # type: ignore[type-var]
    assert other.evaluate(frame) == model.evaluate(frame)
    assert repr(other) == repr(model)
    for duplicate in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        assert (duplicate.predict(frame) == model.predict(frame)).all()
    other.save(tmp_path / "again")
    assert (tmp_path / "again").read_bytes() == (tmp_path / "model").read_bytes()


def test_a_file_whose_parts_contradict_each_other_is_refused(frame: pd.DataFrame, tmp_path: Path) -> None:
    path = tmp_path / "model"
    fitted(frame, "tall").save(path)
    header, tensors = read_model_file(path)
    good = {key: header[key] for key in ("kind", "network", "encoder", "target", "provenance")}
    write_model_file(path, good, tensors)
    assert deltaprop.load(path).target.name == "tall"  # type: ignore[union-attr]
    for change in (
        {"encoder": header["encoder"][:1]},
        {"encoder": None},
        {"target": {"task": "regression", "name": "tall", "mean": 0.0, "scale": 1.0}},
        {"target": {**header["target"], "labels": ["a", "b", "c"], "counts": [1, 1, 1]}},
        {"network": {**header["network"], "loss": "hinge"}},
        {"provenance": []},
        {"provenance": {}},
        {"provenance": {**header["provenance"], "class weight": 3}},
        {"provenance": {**header["provenance"], "class weight": {"yes": "5"}}},
        {"provenance": {**header["provenance"], "metrics": "x"}},
        {"provenance": {**header["provenance"], "metrics": {"a": {}}}},
        {"provenance": {**header["provenance"], "metrics": {"a": {"model": "x", "baseline": 0}}}},
        {"provenance": {**header["provenance"], "columns dropped": [1]}},
        {"history": []},
        {"history": {"E": "0.5"}},
        {"history": {"E": [1]}},
        {"history": {"E": [1.0, 2.0], "eta": [0.1]}},
        {"history": {"E": [1.0], "metrics": {"auc": 1.0}}},
        {"history": {"E": [1.0], "metrics": []}},
        {"history": {"stopped": 3}},
        {"history": {"best_epoch": "2"}},
        {"history": {"e": []}},
    ):
        write_model_file(path, {**good, **change}, tensors)
        with pytest.raises(ModelFileError, match="do not fit together"):
            deltaprop.load(path)


def test_predicting_from_files_and_mappings(frame: pd.DataFrame, tmp_path: Path) -> None:
    frame = frame.assign(code=np.where(frame["tall"], "007", "12"))
    model = TableModel(hidden=(4,))
    model.fit(frame[["height", "code", "kind"]], "kind", epochs=5)
    expected = model.predict_proba(frame)
    frame.to_csv(tmp_path / "t.csv", index=False)
    frame.to_parquet(tmp_path / "t.parquet")
    for source in (tmp_path / "t.parquet", tmp_path / "t.csv", frame.to_dict("list")):
        assert_allclose(model.predict_proba(source), expected, rtol=1e-12)  # "007" in a CSV stays text
    assert model.unused_columns(model.read(frame)) == ["eyes", "price", "tall"]


def test_labels_that_were_not_met(frame: pd.DataFrame) -> None:
    model = fitted(frame, "kind")
    other = frame.assign(kind=["giant", *frame["kind"][1:]])
    evaluation = model.evaluate(other)
    assert evaluation.unknown == 1
    right = model.predict(frame) == frame["kind"]
    assert evaluation["accuracy"] == pytest.approx(right[1:].sum() / 200)
    with pytest.raises(TableError, match="label giant of row 1 was not met in training"):
        model.trace(other, 0)
    assert model.check_gradient(other).ok
    one = model.evaluate(frame[frame["kind"] == "large"])
    assert one["balanced accuracy"] == one["accuracy"]
    with pytest.raises(TableError, match="No row has a label of 'kind' that was met in training: large, middle, small"):
        model.evaluate(frame.assign(kind="giant"))


def test_training_that_diverges_starts_over_with_a_tenth_of_eta() -> None:
    """The same column 60 times: a step goes η ‖x‖² = 6 x² of the way on average, far beyond the 2 where it diverges."""
    x = np.random.default_rng(0).normal(size=1000)
    wild = {**{f"x{k}": x for k in range(60)}, "y": 1000 * x}
    model = TableModel(hidden=())
    model.fit(wild, "y", epochs=20, batch_size=1)
    assert model.notes[0].startswith("training diverged with eta 0.1 and was started over with a tenth of that")
    assert model.provenance["eta"] in (0.01, 0.001)
    assert model.evaluate(wild)["R²"] > 0.99
    with pytest.raises(deltaprop.DivergenceError):
        TableModel(hidden=()).fit(wild, "y", epochs=20, eta=0.5, batch_size=1)


def test_what_is_refused(frame: pd.DataFrame) -> None:
    model = TableModel()
    with pytest.raises(NotFittedError, match=r"has not been fitted: call fit\(table, target\) first"):
        model.predict(frame)
    assert isinstance(NotFittedError(), ValueError)
    for arguments, message in (
        ({"target": "hight"}, "No target column 'hight' in the table. Did you mean 'height'?"),
        ({"drop": ["prize"]}, "No column to drop 'prize' in the table. Did you mean 'price'?"),
        ({"drop": "prize"}, "Did you mean 'price'?"),
        ({"validation": 1.5}, "validation needs to be a share between 0 and 1, or None; got 1.5"),
        ({"validation": 0}, "validation needs to be a share"),
        ({"batch_size": 0}, "batch_size needs to be at least 1"),
        ({"epochs": -1}, "epochs needs to be at least 0"),
        ({"eta": -1.0}, "eta needs to be finite in float64 and at least 0"),
        ({"task": "guessing"}, "task needs to be one of"),
    ):
        with pytest.raises(ValueError, match=re.escape(message)):
            model.fit(frame, **{"target": "tall", **arguments})  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"layers\[1\] needs to be at least 1"):
        TableModel(hidden=(0,))
    with pytest.raises(TypeError, match=r"hidden needs the units of each hidden layer, such as \(32, 16\); got 32"):
        TableModel(hidden=32)  # type: ignore[arg-type]
    with pytest.raises(KeyError, match=r"no metric 'acuracy'\. Did you mean 'accuracy'"):
        fitted(frame, "tall").evaluate(frame)["acuracy"]
    with pytest.raises(NotFittedError):
        _ = model.network


def test_a_fit_that_fails_leaves_the_model_as_it_was(frame: pd.DataFrame) -> None:
    model = fitted(frame, "tall")
    before = model.predict(frame)
    with pytest.raises(TableError):
        model.fit(frame, "nothing")
    with pytest.raises(deltaprop.DivergenceError):
        model.fit(frame.assign(price=frame["price"] ** 9), "price", eta=1e300, epochs=3)
    assert (model.predict(frame) == before).all()


def test_float32_with_several_classes(frame: pd.DataFrame) -> None:
    """scikit-learn warns where probabilities do not sum to one in float64; warnings are errors here."""
    model = TableModel(hidden=(4,), dtype="float32")
    model.fit(frame[["height", "eyes", "kind"]], "kind", epochs=5)
    assert model.evaluate(frame)["log loss"] > 0


def test_a_network_that_is_not_finite_is_not_saved(frame: pd.DataFrame, tmp_path: Path) -> None:
    model = fitted(frame, "tall")
    model.network.W[0][0, 0] = np.nan
    with pytest.raises(ValueError, match=r"Network\.save: a weight of layer 1 is not finite"):
        model.save(tmp_path / "model")
    assert list(tmp_path.iterdir()) == []


def test_quantities_far_from_one_are_judged_right(frame: pd.DataFrame) -> None:
    """The same table with its target in other units: the same R², and errors in that unit."""
    reference = fitted(frame, "price").evaluate(frame)
    for unit in (1e-200, 1e-30, 1e30, 1e150):
        scaled = frame.assign(price=frame["price"] * unit)
        evaluation = fitted(scaled, "price").evaluate(scaled)
        assert evaluation["R²"] == pytest.approx(reference["R²"], rel=1e-6)
        assert evaluation["RMSE (price)"] == pytest.approx(reference["RMSE (price)"] * unit, rel=1e-6)


def test_labels_in_other_words(frame: pd.DataFrame, tmp_path: Path) -> None:
    model = fitted(frame, "tall")
    expected = model.evaluate(frame)["accuracy"]
    for cells in (
        frame["tall"].astype(int),
        frame["tall"].astype(float),
        frame["tall"].map({True: "true", False: "false"}),
    ):
        assert model.evaluate(frame.assign(tall=cells))["accuracy"] == expected
    for cells in (frame["tall"].map({True: 0.1, False: 0.2}).astype("float32"), frame["tall"].map({True: 7, False: 8})):
        other = frame.assign(tall=cells)
        other.to_csv(tmp_path / "t.csv", index=False)
        numbered = fitted(other, "tall")
        assert numbered.evaluate(tmp_path / "t.csv") == numbered.evaluate(other)


def test_traces_of_columns_and_targets_named_like_others() -> None:
    table = {"c": ["a", "b"] * 20, "c=a": np.arange(40.0), "z1.1": np.arange(40.0) ** 2}
    model = TableModel(hidden=(2,))
    model.fit(table, "z1.1", epochs=2)
    own = [(row.symbol, row.name, row.own_unit) for row in model.trace(table, 3).rows() if row.own_unit is not None]
    assert [entry for entry in own if entry[0] == "x"] == [("x", "c=a (2)", 3.0)]
    assert [entry[:2] for entry in own if entry[1] == "z1.1"] == [
        ("a", "z1.1"),
        ("z", "z1.1"),
        ("r", "z1.1"),
        ("δ", "z1.1"),
    ]


def test_long_labels_and_labels_that_numpy_would_cut() -> None:
    labels = ["a" * 100_000, "a\0"]
    model = TableModel(hidden=())
    model.fit({"x": np.arange(40.0), "y": labels * 20}, "y", epochs=2)
    assert set(model.predict({"x": np.arange(40.0) * 1000 - 2e4}).tolist()) <= set(labels)


def test_a_network_whose_output_is_not_finite_does_not_predict(frame: pd.DataFrame) -> None:
    model = fitted(frame, "tall")
    model.network.b[1][0] = np.nan
    with pytest.raises(TableError, match="The network's output is not finite"):
        model.predict(frame)


SETS = {
    "penguins": "species",
    "titanic": "Survived",
    "adult": "income",
    "california_housing": "median_house_value",
    "wine_quality": "quality",
}


@pytest.mark.parametrize("name", SETS)
def test_a_strangers_table_with_the_defaults(name: str, real_data: Path) -> None:
    """Far better than the trivial baseline; benchmarks/tables.py holds it against scikit-learn."""
    target = SETS[name]
    data = pd.read_parquet(real_data / f"{name}.parquet").sample(frac=1, random_state=0)
    cut = int(0.7 * len(data))
    model = TableModel()
    model.fit(data[:cut], target)
    first = model.evaluate(data[cut:]).metrics[0]
    least = {"penguins": 0.95, "titanic": 0.76, "adult": 0.84, "california_housing": 0.74, "wine_quality": 0.27}[name]
    assert first.name in ("accuracy", "R²")
    assert first.value > least > first.baseline + 0.05
