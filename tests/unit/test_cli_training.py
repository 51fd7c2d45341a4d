"""`deltaprop fit` with what ends a run, what surrounds a step, and runs on disk; killed at any moment it goes on."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import deltaprop
from deltaprop import Network, TableModel
from deltaprop.cli import run
from deltaprop.cli.app import run_command
from deltaprop.cli.fit_options import seconds, shares


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


def _code(arguments: list[str]) -> int:
    """The exit code as the shell sees it, whoever refuses."""
    return run(["fit", "table.csv", "--target", "y", *arguments])


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


def test_what_ends_a_run(table: Path) -> None:
    assert fit("--epochs", "200", "--goal", "0.6") == 0
    by_goal = deltaprop.load("model.deltaprop").provenance["epochs"]
    assert fit("--epochs", "200", "--patience", "1", "--eta", "1") == 0
    assert deltaprop.load("model.deltaprop").provenance["epochs"] < 200
    assert by_goal < 200
    began = time.monotonic()
    assert fit("--epochs", "1000000", "--time-budget", "1s", "--no-validation") == 0
    assert time.monotonic() - began < 30


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
        (["--dropout", ".1,.2"], "--dropout needs one share, or 3"),
        (["--l2", "-1"], "--l2 needs to be finite and at least 0"),
        (["--clip-norm", "0"], "--clip-norm needs to be above 0"),
        (["--monitor", "beauty"], "--monitor needs to be one of 'E', "),
        (["--monitor", "auc", "--no-validation"], "--monitor needs rows held out"),
        (["--keep", "first"], "--keep needs to be one of 'last', 'best'"),
        (["--eta-per", "year"], "--eta-per needs to be one of 'epoch', 'step'"),
        (["--time-budget", "soon"], "--time-budget needs a time such as 90, 30s, 5m or 2h"),
        (["--checkpoint", "run", "--checkpoint-every", "0"], "--checkpoint-every needs a time"),
        (["--checkpoint-every", "3"], "--checkpoint-every needs a --checkpoint"),
        (["--average", "emma"], "--average: no average is called 'emma'"),
        (["--decay", "much"], "no schedule is called 'much'"),
        (["--optimizer", "lbfgs", "--eta", "0.1"], "has no use for --eta"),
        (["--resume", "run", "--checkpoint", "run"], "leave --checkpoint out"),
        (["--checkpoint", "table.csv"], "is the same file as the table"),
        (["--checkpoint", "no/run"], "No such folder"),
    ],
)
def test_nonsense_is_refused_in_one_line(
    table: Path, capfd: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    code = _code(arguments)
    said = capfd.readouterr().err.strip().splitlines()
    assert code != 0
    assert message in said[-1]
    assert not Path("model.deltaprop").exists()


def test_without_a_table_or_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: Any) -> None:
    monkeypatch.chdir(tmp_path)
    assert run_command(["fit"]) == 2
    assert "fit needs a TABLE and --target COLUMN, or --resume FILE" in capfd.readouterr().err
    assert run_command(["fit", "--resume", "none"]) == 2
    assert "there is no such file" in capfd.readouterr().err
    Network([2, 1]).save("net.deltaprop")
    assert run_command(["fit", "--resume", "net.deltaprop"]) == 2
    assert "holds a model, and no run" in capfd.readouterr().err
    net = Network([2, 1])
    net.fit([[0, 1]], [1], epochs=1, checkpoint="run")
    assert run_command(["fit", "--resume", "run"]) == 2
    assert "was not begun by `deltaprop fit`" in capfd.readouterr().err


RUN = ["--optimizer", "momentum", "--epochs", "400", "--dropout", "0.1", "--patience", "400", "--batch-size", "4"]


def test_a_command_that_is_killed_goes_on_to_the_same_file(table: Path) -> None:
    """kill -9 at random moments, and then only `deltaprop fit --resume run`."""
    assert fit(*RUN, "--out", "whole.deltaprop") == 0
    code = "from deltaprop.cli import main; main()"
    first = ["fit", "table.csv", "--target", "y", *RUN, "--checkpoint", "run", "--checkpoint-every", "0.02s"]
    moments = random.Random(1)
    killed = 0
    for _ in range(12):
        command = first if not Path("run").exists() else ["fit", "--resume", "run"]
        process = subprocess.Popen(
            [sys.executable, "-c", code, *command], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        )
        try:
            process.wait(1.0 + moments.random())
            assert process.returncode == 0, process.stderr.read() if process.stderr else ""
            break
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            killed += 1
        finally:
            assert process.stderr
            process.stderr.close()
    else:
        assert run_command(["fit", "--resume", "run"]) == 0
    assert killed
    assert Path("model.deltaprop").read_bytes() == Path("whole.deltaprop").read_bytes()


def test_another_table_is_not_gone_on_with(table: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert fit("--epochs", "3", "--checkpoint", "run") == 0
    lines = table.read_text().splitlines()
    table.write_text("\n".join(lines[:-10]) + "\n")
    assert _code(["--resume", "run", "--epochs", "3"]) != 0
    assert "was called with other samples" in capfd.readouterr().err


def test_texts_of_options() -> None:
    assert [seconds(text) for text in ("90", "30s", "1.5m", "2h", None)] == [90, 30, 90, 7200, None]
    assert shares("0") == (0.0,)
