"""Runs that the command line begins and resumes: killed at any moment they end with the same model file."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import deltaprop
from deltaprop import Network, TableModel
from deltaprop.cli import run
from deltaprop.storage import read_model_file

N = 300
FIT = ("fit", "people.csv", "--target", "price", "--hidden", "6", "--optimizer", "adam:beta1=0.8", "--eta",
       "cosine:0.02,warmup=2", "--eta-per", "step", "--batch-size", "7", "--epochs", "40", "--l2", "1e-4",
       "--l1", "1e-5", "--decay", "0.01", "--metrics", "rmse,r2", "--monitor", "r2", "--patience", "25",
       "--min-gain", "1e-5", "--validation", "0.3", "--drop", "eyes", "--seed", "3")  # fmt: skip


@pytest.fixture(autouse=True)
def inside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Work in an empty folder that holds one table."""
    monkeypatch.chdir(tmp_path)
    random = np.random.default_rng(0)
    height, shoe = random.normal(170, 9, N), random.normal(40, 3, N)
    price = height * 2 + np.sin(shoe) * 20 + random.normal(0, 3, N)
    lines = [
        f"{a:.3f},{b:.3f},{'blue' if a > b * 4 else 'brown'},{c:.3f}"
        for a, b, c in zip(height, shoe, price, strict=True)
    ]
    Path("people.csv").write_text("height,shoe,eyes,price\n" + "\n".join(lines) + "\n")


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """Run something that is bad input: exit code 2, one line, and no file more or other than before."""
    before = {name: Path(name).read_bytes() for name in os.listdir() if os.path.isfile(name)}
    capsys.readouterr()
    assert run(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("deltaprop: ")
    assert err.count("\n") == 1, err
    assert {name: Path(name).read_bytes() for name in os.listdir() if os.path.isfile(name)} == before
    return err.removeprefix("deltaprop: ").rstrip()


def test_killed_at_random_moments_it_ends_with_the_same_model_file() -> None:
    def process(*arguments: str) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(
            [sys.executable, "-m", "deltaprop", *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )

    began = time.monotonic()
    assert process(*FIT, "--out", "whole.deltaprop").wait() == 0
    seconds, random = time.monotonic() - began, np.random.default_rng(1)
    killed = 0
    for _ in range(8):
        begin = not Path("run.deltaprop").exists()
        words = (*FIT, "--checkpoint-every", "0s", "--out", "m.deltaprop") if begin else ("fit",)
        running = process(*words, "--resume", "run.deltaprop")
        try:
            running.wait(seconds * random.uniform(0.4, 1.1))
        except subprocess.TimeoutExpired:
            running.send_signal(signal.SIGKILL)
            killed += 1
        running.wait()
    assert killed
    last = process("fit", "--resume", "run.deltaprop")
    assert last.wait() == 0
    assert Path("m.deltaprop").read_bytes() == Path("whole.deltaprop").read_bytes()
    assert not [name for name in os.listdir() if name.endswith(".part") and not name.startswith(".deltaprop-")]
    loaded = deltaprop.load("run.deltaprop")
    assert isinstance(loaded, TableModel)
    assert loaded.network == deltaprop.load("whole.deltaprop").network


def test_a_run_goes_on_from_another_folder_and_where_all_has_been_moved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([*FIT, "--out", "whole.deltaprop"]) == 0
    expected = Path("whole.deltaprop").read_bytes()
    Path("runs").mkdir()
    assert run([*FIT, "--checkpoint", "runs/r", "--time-budget", "0.001", "--out", "m.deltaprop"]) == 0
    assert "note: the time was over in epoch" in capsys.readouterr().err
    assert Path("m.deltaprop").read_bytes() != expected
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    for name in ("people.csv", "runs", "m.deltaprop"):
        os.rename(name, elsewhere / name)
    assert "the run" not in capsys.readouterr().err
    assert run(["show", "elsewhere/runs/r"]) == 0
    assert "A run that has not come to its end" in capsys.readouterr().out
    assert run(["fit", "--resume", "elsewhere/runs/r", "--time-budget", "inf"]) == 0
    assert capsys.readouterr().out.endswith("saved elsewhere/m.deltaprop\n")
    assert (elsewhere / "m.deltaprop").read_bytes() == expected
    assert run(["fit", "--resume", "elsewhere/runs/r", "--out", "again.deltaprop"]) == 0  # there is nothing left to do
    assert Path("again.deltaprop").read_bytes() == expected
    assert run(["show", "elsewhere/runs/r"]) == 0
    assert "come to its end" not in capsys.readouterr().out


def test_the_same_command_with_resume_begins_and_goes_on(capsys: pytest.CaptureFixture[str]) -> None:
    words = [*FIT, "--resume", "r", "--out", "m.deltaprop"]
    assert run([*words, "--time-budget", "0.001"]) == 0
    assert "note: there is no r yet: the run begins" in capsys.readouterr().err
    assert run([*words, "--time-budget", "1h"]) == 0
    assert run([*FIT, "--out", "whole.deltaprop"]) == 0
    assert Path("m.deltaprop").read_bytes() == Path("whole.deltaprop").read_bytes()


def test_a_run_that_diverged_and_started_over(capsys: pytest.CaptureFixture[str]) -> None:
    """Without an eta training starts over where it diverges: so it does where it is resumed."""
    x = np.random.default_rng(0).normal(size=1000)  # the same column 60 times: see test_table_model
    rows = "".join(f"{a}," * 60 + f"{1000 * a}\n" for a in x)
    Path("wild.csv").write_text(",".join(f"x{k}" for k in range(60)) + ",y\n" + rows)
    words = ["fit", "wild.csv", "--target", "y", "--hidden", "0", "--batch-size", "1", "--epochs", "20"]
    assert run([*words, "--out", "whole.deltaprop"]) == 0
    notes = [line for line in capsys.readouterr().err.splitlines() if "diverged" in line]
    assert len(notes) in (1, 2)
    for budget in ("0.0001", "0.002", "0.004", "1h"):
        assert run([*words, "--resume", "r", "--out", "m.deltaprop", "--time-budget", budget]) == 0
    assert Path("m.deltaprop").read_bytes() == Path("whole.deltaprop").read_bytes()


def test_what_a_run_has_is_refused_otherwise(capsys: pytest.CaptureFixture[str]) -> None:
    run([*FIT, "--checkpoint", "r", "--time-budget", "0.001"])
    for words, message in (
        (("--eta", "0.3"), "--eta 0.3: the run in r began with --eta cosine:0.02,warmup=2, and goes on as it began."),
        (("--no-validation",), "--no-validation: the run in r began with no --no-validation, and goes on as it began."),
        (("--drop", "shoe"), "--drop shoe: the run in r began with --drop eyes, and goes on as it began."),
        (("--goal", "1"), "--goal 1.0: the run in r began with no --goal, and goes on as it began."),
        (("--checkpoint", "s"), "--checkpoint s and --resume r are two files: a run goes on in its own."),
        (("--time-budget", "soon"), "--time-budget needs a time above 0, as 60 (seconds), 5m or 2h; got 'soon'."),
        (("--out", "r"), "--checkpoint r is the same file as --out."),
    ):
        assert refused(capsys, "fit", "--resume", "r", *words) == message
    assert refused(capsys, *FIT, "--checkpoint", "r").startswith("--checkpoint r holds a run that has not come to its")
    Path("people.csv").write_text(Path("people.csv").read_text().replace("blue", "Blue").replace("170.", "171."))
    capsys.readouterr()
    assert run(["fit", "--resume", "r"]) == 2
    assert re.search(r"the run in r was called with (another table|other samples)", capsys.readouterr().err)
    os.remove("people.csv")
    assert refused(capsys, "fit", "--resume", "r") == "people.csv: No such file or directory."


def test_files_that_are_no_run_of_the_command_line(capsys: pytest.CaptureFixture[str]) -> None:
    run([*FIT, "--epochs", "1"])
    holds_none = "model.deltaprop: holds a model, and no run that could be resumed."
    assert refused(capsys, "fit", "--resume", "model.deltaprop") == holds_none
    assert refused(capsys, "fit", "--resume", "none").startswith("--resume none: no such file")
    assert refused(capsys, "fit", "--resume", "people.csv").startswith("people.csv: not a deltaprop model file")
    Network([1, 1]).fit([[1.0]], [1], epochs=1, checkpoint="net")
    assert "net: holds a run that was begun in Python" in refused(capsys, "fit", "--resume", "net")
    TableModel().fit("people.csv", "price", epochs=1, checkpoint="table")
    assert "table: holds a run that was begun in Python" in refused(capsys, "fit", "--resume", "table")


def test_a_strangers_run_replaces_nothing_that_is_no_model(capsys: pytest.CaptureFixture[str]) -> None:
    run([*FIT, "--checkpoint", "r", "--time-budget", "0.001", "--out", "diary.txt", "--plot", "me.png"])
    Path("diary.txt").write_text("dear diary")
    message = "--out diary.txt, where r has the model go, is there: give --out again."
    assert refused(capsys, "fit", "--resume", "r") == message
    message = "--plot me.png, where r has the picture go, is there: give --plot again."
    assert refused(capsys, "fit", "--resume", "r", "--out", "m") == message
    assert run(["fit", "--resume", "r", "--out", "diary.txt", "--plot", "me.png", "--time-budget", "1h"]) == 0
    assert isinstance(deltaprop.load("diary.txt"), TableModel)


@pytest.mark.parametrize("change", [{"more": 1}, {"seed": "x"}, {"l2": -1}, {"checkpoint": "m"}, {"help": True}, None])
def test_options_that_are_not_ours(change: dict[str, object] | None, capsys: pytest.CaptureFixture[str]) -> None:
    from deltaprop.storage import write_model_file

    run([*FIT, "--checkpoint", "r", "--time-budget", "0.001"])
    header, tensors = read_model_file("r")
    header["command"] = [3] if change is None else {**header["command"], **change}
    header = {key: value for key, value in header.items() if key not in ("format", "sha256", "version")}
    write_model_file("r", header, tensors)
    assert refused(capsys, "fit", "--resume", "r") == "r: its options are not those of this version of deltaprop."


def test_ctrl_c_says_how_to_go_on() -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "deltaprop", *FIT[:-10], "--epochs", "1000000", "--patience", "999999", "--eta", "0.001",
         "--checkpoint", "r", "--checkpoint-every", "0s"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stderr is not None
    for line in process.stderr:
        if line.startswith("epoch"):
            break
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert err.splitlines()[-2:] == [
        "note: deltaprop fit --resume r goes on with the run",
        "deltaprop: interrupted.",
    ]
    assert sorted(os.listdir()) == ["people.csv", "r"]


@pytest.mark.filterwarnings("default")
def test_a_disk_that_is_full_is_a_note(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """The training goes on, and the model is written elsewhere."""
    from deltaprop.training import checkpoint

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device", "r")

    monkeypatch.setattr(checkpoint, "write_model_file", full)
    assert run([*FIT, "--checkpoint", "r", "--epochs", "2"]) == 0
    assert (
        "note: Network.fit: the run could not be written: [Errno 28] No space left on device" in capsys.readouterr().err
    )
    assert isinstance(deltaprop.load("model.deltaprop"), TableModel)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--eta-per", "day"), "--eta-per needs to be epoch or step; got 'day'."),
        (("--keep", "first"), "--keep needs to be one of last, best, last-best; got 'first'."),
        (("--monitor", "acuracy"), "--monitor: no metric is called 'acuracy'. Did you mean 'accuracy'?"),
        (("--metrics", "r2,rsme"), "--metrics: no metric is called 'rsme'. Did you mean 'rmse'?"),
        (("--time-budget", "0"), "--time-budget needs a time above 0, as 60 (seconds), 5m or 2h; got '0'."),
        (("--time-budget", "-1m"), "--time-budget needs a time above 0"),
        (("--checkpoint-every", "5"), "--checkpoint-every needs --checkpoint, the file of the run."),
        (("--checkpoint", "r", "--checkpoint-every", "0"), "needs epochs, as 5, or a time, as 30s or 5m; got '0'."),
        (("--checkpoint", "people.csv"), "--checkpoint people.csv is the same file as the table."),
        (("--checkpoint", "model.deltaprop"), "--checkpoint model.deltaprop is the same file as --out."),
        (("--checkpoint", "no/such/run"), "no/such: No such folder."),
        (("--decay", "-1"), "--decay needs to be finite in float64 and at least 0; got -1.0."),
        (("--decay", "cosin:1"), "no schedule is called 'cosin'."),
        (("--l2", "-1"), "Invalid value for '--l2'"),
        (("--l1", "inf"), "--l1 needs to be finite and at least 0; got inf."),
        (("--min-gain", "inf"), "--min-gain needs to be finite and at least 0; got inf."),
        (("--goal", "nan"), "--goal needs to be a number; got nan."),
        (("--patience", "0"), "Invalid value for '--patience'"),
        (("--seed", str(2**64)), "--seed needs to be below 2^64; got 18446744073709551616."),
        (("--no-validation", "--metrics", "r2"), "--metrics is of rows held out, and --no-validation holds none out."),
        (("--no-validation", "--monitor", "r2"), "--monitor is of rows held out, and --no-validation holds none out."),
        (("--no-validation", "--min-gain", "1"), "--min-gain needs --patience where no rows are held out."),
        (("--metrics", "accuracy"), "accuracy is of labels, and 'price' is a quantity."),
        (("--monitor", "auc"), "auc is of labels, and 'price' is a quantity."),
        (("--learning_rate_init", "1"), "No such option: --learning_rate_init; here it is --eta."),
        (("--alpha", "1"), "No such option: --alpha; here it is --l2."),
    ],
)
def test_nonsense_is_refused_before_any_work(
    words: tuple[str, ...], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert message in refused(capsys, "fit", "people.csv", "--target", "price", *words)
