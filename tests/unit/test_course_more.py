"""What a run refuses, and what it leaves: found by others who tried to break it."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import deltaprop
from deltaprop import ModelFileError, Network, TableModel
from deltaprop.cli import run
from deltaprop.storage import read_model_file, write_model_file

X = np.random.default_rng(0).normal(size=(40, 3))
R = (np.arange(40) % 2).astype(float)


def net(**arguments: Any) -> Network:
    return Network([3, 4, 1], seed=5, **arguments)


def test_a_checkpoint_replaces_no_model(tmp_path: Path) -> None:
    model = tmp_path / "model"
    net().save(model)
    before = model.read_bytes()
    with pytest.raises(ValueError, match=r"Network\.fit: checkpoint: .* holds a model, which would be lost"):
        net().fit(X, R, epochs=1, checkpoint=model)
    with pytest.raises(ValueError, match="no file can have the name"):
        net().fit(X, R, epochs=1, checkpoint="a\0b")
    assert model.read_bytes() == before


def test_a_run_whose_parts_do_not_fit_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "run"
    net().fit(X, R, epochs=6, checkpoint=path, callbacks=[lambda now: now.epoch == 3])
    header, tensors = read_model_file(path)
    good = {key: value for key, value in header.items() if key not in ("format", "sha256", "version")}
    run_of = good["run"]
    without = {name: values for name, values in tensors.items() if name != "before"}
    short = {**tensors, "before": tensors["before"][:-1]}
    broken: list[tuple[dict[str, Any], Any]] = [
        ({key: value for key, value in run_of.items() if key != "history"}, tensors),
        ({**run_of, "at": [1, 2]}, tensors),
        ({**run_of, "optimizer": "nothing"}, tensors),
        (run_of, without),
        (run_of, short),
    ]
    for own, arrays in broken:
        write_model_file(path, {**good, "run": own}, arrays)
        other = net()
        before = other.theta
        with pytest.raises(ModelFileError, match="do not fit together"):
            other.fit(X, R, epochs=6, checkpoint=path, resume=True)
        assert (other.theta == before).all()
        assert other.epoch == 0


def test_samples_presented_are_counted_across_files(tmp_path: Path) -> None:
    one = net()
    one.fit(X, R, epochs=6, checkpoint=tmp_path / "run", callbacks=[lambda now: now.epoch == 3])
    other = net()
    other.fit(X, R, epochs=6, checkpoint=tmp_path / "run", resume=True)
    assert (one.presented, other.presented) == (120, 240)
    other.save(tmp_path / "model")
    loaded = deltaprop.load(tmp_path / "model")
    assert isinstance(loaded, Network)
    assert loaded.presented == 240


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"decay": "plateau:0.1"}, "Network.fit: plateau is of eta, which falls where E does not; decay cannot."),
        ({"decay": 50.0, "eta": 0.1}, "a step with decay takes eta times decay of each weight"),
        ({"online_block": 4, "batch_size": 8}, "online_block is of steps after every sample; with batch_size=8"),
        ({"min_gain": 0.1}, "min_gain is what patience goes by, and there is none"),
        ({"eta_per": np.ones(2)}, "eta_per needs to be 'epoch' or 'step'; got array([1., 1.])."),
        ({"eta": np.ones((3, 1))}, "eta needs to be a number; got array([[1.], [1.], [1.]])."),
        ({"patience": np.ones((200, 2))}, "patience needs to be a whole number; got array([[1., 1.], [1., 1.]"),
        ({"eta_factors": np.array(1.0)}, "eta_factors needs a number for each of the 2 layers"),
        ({"eta_factors": ["a", 1]}, "eta_factors needs to be a number; got 'a'."),
        ({"eta": "x"}, "Network.fit: eta: no schedule is called 'x'."),
    ],
)
def test_what_is_refused_in_a_line(arguments: dict[str, Any], message: str) -> None:
    own = net(output="identity", loss="squared_error")
    before = own.theta
    with pytest.raises((TypeError, ValueError), match=re.escape(message)) as caught:
        own.fit(X, R, **{"epochs": 2, **arguments})
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 400
    assert (own.theta == before).all()


def test_a_decay_above_one_is_refused_by_descend_too() -> None:
    own = net()
    before = own.theta
    with pytest.raises(ValueError, match=r"Network\.descend: a step with decay takes eta times decay of each weight"):
        own.descend(X, R, 0.1, decay=50.0)
    assert (own.theta == before).all()


def test_dropout_as_an_array() -> None:
    assert Network([3, 4, 1], dropout=np.array(0.5)).dropout == Network([3, 4, 1], dropout=0.5).dropout  # type: ignore[arg-type]


def test_what_ends_a_run_in_its_last_epoch_did_not_stop_it() -> None:
    assert net().fit(X, R, epochs=1, time_budget=1e-9).stopped == "epochs"
    assert net().fit(X, R, epochs=2, callbacks=[lambda now: now.epoch == 2]).stopped == "epochs"
    assert net().fit(X, R, epochs=3, callbacks=[lambda now: now.epoch == 2]).stopped == "callback"


def test_metrics_of_a_quantity_are_names() -> None:
    pytest.importorskip("pyarrow")
    table = {"a": list(X[:, 0]), "b": list(X[:, 1])}
    for metrics in (3, None):
        with pytest.raises(TypeError, match="metrics needs names of metrics"):
            TableModel().fit(table, "b", metrics=metrics)  # type: ignore[arg-type]


def test_the_command_that_goes_on_is_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("pyarrow")
    monkeypatch.chdir(tmp_path)
    Path("t.csv").write_text("a,b\n" + "".join(f"{a:.4f},{'yes' if a > 0 else 'no'}\n" for a in X[:, 0]))
    fit = ["fit", "t.csv", "--target", "b", "--hidden", "3", "--epochs", "50", "--out", "m"]
    assert run([*fit, "--report", "r.html", "--checkpoint", "run", "--time-budget", "1e-9"]) == 0
    said = capsys.readouterr().err.splitlines()[-1]
    command = re.search(r"deltaprop (fit --resume run --report r\.html) goes on", said)
    assert command is not None, said
    assert run([*command[1].split(), "--time-budget", "60"]) == 0
    assert "wrote r.html" in capsys.readouterr().out
    assert run([*fit[:-1], "other", "--checkpoint", "m"]) == 2
    assert "holds a model, which would be lost" in capsys.readouterr().err
