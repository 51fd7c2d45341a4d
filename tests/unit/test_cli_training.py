"""Tables and `deltaprop fit` with dropout, clipping, averages, and optimizers that take all rows at once."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import deltaprop
from deltaprop import TableModel
from deltaprop.cli import run
from deltaprop.cli.app import run_command


@pytest.fixture
def table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    draws = np.random.default_rng(0)
    x = draws.normal(size=(300, 3))
    y = np.where(x[:, 0] * x[:, 1] + 0.3 * draws.normal(size=300) > 0, "yes", "no")
    rows = [f"{a:.4f},{b:.4f},{c:.4f},{label}" for (a, b, c), label in zip(x, y, strict=True)]
    (tmp_path / "table.csv").write_text("a,b,c,y\n" + "\n".join(rows) + "\n")
    return tmp_path / "table.csv"


def fit(*arguments: str) -> int:
    return run_command(["fit", "table.csv", "--target", "y", *arguments])


def test_the_network_has_what_was_asked_for(table: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = "--l2 1e-3 --l1 1e-5 --dropout .1,.2,.3 --input-noise 0.05 --epochs 3 --optimizer adam --eta 0.001"
    assert fit(*words.split()) == 0
    network = deltaprop.load("model.deltaprop").network
    assert (network.l2, network.l1, network.dropout, network.input_noise) == (1e-3, 1e-5, (0.1, 0.2, 0.3), 0.05)
    model = deltaprop.load("model.deltaprop")
    assert (model.l2, model.dropout) == (1e-3, (0.1, 0.2, 0.3))
    assert "l2=0.001" in repr(model)
    capsys.readouterr()
    assert run_command(["show", "model.deltaprop"]) == 0
    assert "dropout          0.1, 0.2, 0.3" in capsys.readouterr().out


def test_it_trains_as_table_models_do(table: Path) -> None:
    words = "--epochs 12 --clip-norm 0.5 --max-norm 2 --decay 0.01 --average last:3 --keep best --min-gain 0.001"
    assert fit(*words.split(), "--eta", "cosine:0.1,warmup=2", "--eta-per", "step", "--monitor", "accuracy") == 0
    model = TableModel()
    model.fit(
        table, "y", epochs=12, clip_norm=0.5, max_norm=2, decay=0.01, average="last:3", keep="best", min_gain=0.001,
        eta="cosine:0.1,warmup=2", eta_per="step", monitor="accuracy",
    )  # fmt: skip
    assert model.network == deltaprop.load("model.deltaprop").network


@pytest.mark.parametrize("optimizer", ["lbfgs", "rprop"])
def test_full_batch_optimizers(table: Path, optimizer: str) -> None:
    assert fit("--optimizer", optimizer, "--epochs", "20") == 0
    assert deltaprop.load("model.deltaprop").evaluation is None
    assert deltaprop.load("model.deltaprop").evaluate(table)["accuracy"] > 0.75
    assert run_command(["show", "model.deltaprop"]) == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--dropout", "1"], "--dropout needs shares of at least 0 and below 1"),
        (["--dropout", ".1,.2,.3,.4"], "--dropout needs one share, two, or 3 with --hidden 32,16"),
        (["--dropout", "half"], "--dropout needs shares"),
        (["--input-noise", "-1"], "--input-noise"),
        (["--clip-norm", "0"], "--clip-norm needs to be finite and above 0"),
        (["--clip-value", "-1"], "--clip-value needs to be finite and above 0"),
        (["--max-norm", "nan"], "--max-norm needs to be finite and above 0"),
        (["--average", "emma"], "--average: no average is called 'emma'"),
        (["--optimizer", "lbfgs", "--eta", "0.1"], "has no use for --eta"),
    ],
)
def test_nonsense_is_refused_in_one_line(
    table: Path, capfd: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    assert run(["fit", "table.csv", "--target", "y", *arguments]) == 2
    assert message in capfd.readouterr().err.strip().splitlines()[-1]
    assert not Path("model.deltaprop").exists()


def test_a_run_with_all_of_it_goes_on(table: Path) -> None:
    words = [
        "--dropout",
        ".1",
        "--clip-norm",
        "0.5",
        "--average",
        "ema:0.9",
        "--epochs",
        "8",
        "--optimizer",
        "adam",
        "--eta",
        "0.01",
    ]
    assert fit(*words, "--out", "whole.deltaprop") == 0
    model = TableModel(dropout=0.1)
    common = {"epochs": 8, "clip_norm": 0.5, "average": "ema:0.9", "optimizer": "adam", "eta": "0.01"}
    model.fit(table, "y", **common, checkpoint="run", callbacks=[lambda now: now.epoch == 3])
    again = TableModel(dropout=0.1)
    again.fit(table, "y", **common, checkpoint="run", resume=True)
    assert again.network == deltaprop.load("whole.deltaprop").network
