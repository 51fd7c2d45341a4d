"""The command line: what is printed, what is written, which exit code."""

import csv
import io
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import deltaprop
from deltaprop import Network, TableModel
from deltaprop.cli import run

TABLE = "height,eyes,tall,price\n" + "".join(
    f"{150 + k},{'blue' if k % 3 else 'brown'},{'yes' if k > 24 else 'no'},{k * 10.5}\n" for k in range(50)
)


BAR = ("fit", "people.csv", "--target", "tall", "--epochs", "300")


@pytest.fixture(autouse=True)
def inside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Work in an empty folder that holds one table."""
    monkeypatch.chdir(tmp_path)
    Path("people.csv").write_text(TABLE)


def fit(*arguments: str, target: str = "tall") -> int:
    return run(["fit", "people.csv", "--target", target, "--epochs", "30", "--hidden", "4", *arguments])


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """Run something that is bad input: exit code 2, one line, and no file more than before."""
    before = {name: Path(name).read_bytes() for name in os.listdir() if os.path.isfile(name)}
    capsys.readouterr()
    assert run(arguments) == 2
    out, err = capsys.readouterr()
    lines = [line for line in err.splitlines() if not line.startswith(("note:", "epoch"))]
    assert lines[-1].startswith("deltaprop: ")
    assert out == ""
    assert {name: Path(name).read_bytes() for name in os.listdir() if os.path.isfile(name)} == before
    return lines[-1].removeprefix("deltaprop: ")


def test_fit_predict_evaluate(capsys: pytest.CaptureFixture[str]) -> None:
    assert fit("--out", "m.deltaprop") == 0
    out, err = capsys.readouterr()
    assert "classification of tall: no 20, yes 20" in err
    assert "40 rows to learn from, 10 held out; 4 inputs from 3 columns" in err
    assert re.search(r"^epoch 1  E 0\.\d+  E_validation 0\.\d+$", err, re.MULTILINE)
    assert "On the 10 rows held out:" in out
    assert re.search(r"^accuracy +\S+ +0\.5$", out, re.MULTILINE)
    assert out.splitlines()[-1] == "saved m.deltaprop"
    model = deltaprop.load("m.deltaprop")
    assert isinstance(model, TableModel)

    assert run(["predict", "m.deltaprop", "people.csv"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    rows = list(csv.reader(io.StringIO(out)))
    assert rows[0] == ["prediction", "P(no)", "P(yes)"]
    assert [row[0] for row in rows[1:]] == model.predict("people.csv").tolist()
    assert [float(row[2]) for row in rows[1:]] == model.predict_proba("people.csv")[:, 1].tolist()

    assert run(["predict", "m.deltaprop", "people.csv", "--out", "p.csv"]) == 0
    assert capsys.readouterr().out == ""
    assert Path("p.csv").read_text() == out

    assert run(["evaluate", "m.deltaprop", "people.csv"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("tall in 50 rows of people.csv:\n")
    assert re.search(r"^ROC AUC +\S+ +0\.5$", out, re.MULTILINE)


def test_regression_speaks_the_targets_unit(capsys: pytest.CaptureFixture[str]) -> None:
    assert fit(target="price") == 0
    out, err = capsys.readouterr()
    assert "regression of price: mean " in err
    assert "RMSE (price)" in out
    assert run(["predict", "model.deltaprop", "people.csv"]) == 0
    rows = capsys.readouterr().out.splitlines()
    assert rows[0] == "prediction"
    assert abs(float(rows[41]) - 420) < 60
    assert fit("--task", "classification", target="price") == 0
    assert "classification of price: 50" in capsys.readouterr().err


def test_trace(capsys: pytest.CaptureFixture[str]) -> None:
    fit()
    capsys.readouterr()
    assert run(["trace", "model.deltaprop", "people.csv", "--row", "3"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert re.fullmatch(r"row 3: predicted (yes|no), target no", lines[0])
    assert lines[1].split() == ["symbol", "of", "value", "in", "its", "own", "unit"]
    assert re.match(r"x +height +-\d\.\d+ +152 *$", lines[3])
    for symbol in ("a", "z", "r", "E", "h′", "δ", "∂E/∂w", "∂E/∂b"):
        assert any(line.startswith(symbol + " ") for line in lines), symbol
    assert any(re.match(r"∂E/∂w +eyes=blue → z1\.2 ", line) for line in lines)


def test_fit_with_an_optimizer_and_a_schedule(capsys: pytest.CaptureFixture[str]) -> None:
    assert fit("--optimizer", "adam:beta1=0.8", "--eta", "cosine:0.05,warmup=2") == 0
    first = Path("model.deltaprop").read_bytes()
    model = TableModel(hidden=(4,))
    words = {"epochs": 30, "optimizer": deltaprop.Adam(beta1=0.8), "eta": deltaprop.cosine(0.05, warmup=2)}
    history = model.fit("people.csv", "tall", **words)
    assert history.eta[:3] == pytest.approx([0.025, 0.05, 0.05])
    model.save("other.deltaprop")
    assert Path("other.deltaprop").read_bytes() == first
    assert "no optimizer is called 'adm'. Did you mean 'adam'?" in refused(
        capsys, "fit", "people.csv", "--target", "tall", "--optimizer", "adm"
    )
    assert "no schedule is called 'cosin'. Did you mean 'cosine'?" in refused(
        capsys, "fit", "people.csv", "--target", "tall", "--eta", "cosin:1"
    )


def test_derive(capsys: pytest.CaptureFixture[str]) -> None:
    fit()
    capsys.readouterr()
    assert run(["derive", "model.deltaprop"]) == 0
    symbols = capsys.readouterr().out
    assert symbols.startswith("Backpropagation in a 4-4-1 network\n")
    assert "= y − r" in symbols
    assert "The sample" not in symbols
    assert run(["derive", "model.deltaprop", "people.csv", "--row", "3", "--eta", "0.5"]) == 0
    out = capsys.readouterr().out
    assert out.startswith(symbols)
    model = deltaprop.load("model.deltaprop")
    assert isinstance(model, TableModel)
    assert out == f"{model.derive('people.csv', 2, eta=0.5)}\n"
    assert "height" in out
    assert f"{model.trace('people.csv', 2).trace.E:.10g}" in out
    for name, begins in (("d.html", "<!DOCTYPE html>"), ("d.tex", "\\documentclass"), ("d.md", "# Backprop")):
        assert run(["derive", "model.deltaprop", "people.csv", "--out", name]) == 0
        assert capsys.readouterr() == ("", f"saved {name}\n")
        assert Path(name).read_text().startswith(begins)
    for verb in ("trace", "derive", "health"):
        for eta in ("inf", "nan", "-1"):
            assert refused(capsys, verb, "model.deltaprop", "people.csv", "--eta", eta).startswith("--eta needs to be")
    assert "--eta needs a TABLE" in refused(capsys, "derive", "model.deltaprop", "--eta", "1")
    assert "is written as one of .txt, .md, .tex, .html" in refused(
        capsys, "derive", "model.deltaprop", "--out", "d.pdf"
    )
    assert refused(capsys, "derive", "model.deltaprop", "people.csv", "--row", "51") == (
        "--row 51: people.csv has 50 rows."
    )
    os.rename("people.csv", "people.txt")
    assert "is the same file as the table" in refused(
        capsys, "derive", "model.deltaprop", "people.txt", "--out", "people.txt"
    )


def test_a_long_trace_leaves_the_weights_out_and_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    fit("--hidden", "60,60")
    capsys.readouterr()
    run(["trace", "model.deltaprop", "people.csv"])
    out, err = capsys.readouterr()
    assert "∂E/∂w" not in out
    assert "note: 3,900 ∂E/∂w and ∂z/∂a are left out; --all prints them too" in err
    run(["trace", "model.deltaprop", "people.csv", "--all"])
    out, err = capsys.readouterr()
    assert out.count("∂E/∂w") == 3900
    assert err == ""


def test_health(capsys: pytest.CaptureFixture[str]) -> None:
    fit()
    capsys.readouterr()
    assert run(["health", "model.deltaprop", "people.csv", "--eta", "0.1"]) == 0
    out = capsys.readouterr().out
    assert "All is well" in out
    assert "‖Δw‖/‖w‖" in out
    assert run(["health", "model.deltaprop", "people.csv", "--eta", "1e-12"]) in (0, 1)  # where it has learned enough
    model = deltaprop.load("model.deltaprop")
    assert isinstance(model, deltaprop.TableModel)
    model.network.W[0] = model.network.W[0] * 1e4
    model.network.W[1] = model.network.W[1] * 1e4
    model.save("saturated.deltaprop")
    capsys.readouterr()
    assert run(["health", "saturated.deltaprop", "people.csv"]) == 1
    assert "saturated units in layer 1: " in capsys.readouterr().out
    assert run(["health", "model.deltaprop", "people.csv", "--eta", "-1"]) == 2
    fit("--class-weight", "yes=2")
    capsys.readouterr()
    assert run(["health", "model.deltaprop", "people.csv"]) == 0
    weighted = deltaprop.load("model.deltaprop")
    assert isinstance(weighted, deltaprop.TableModel)
    assert f"E is {weighted.health('people.csv').E:.4g} over" in capsys.readouterr().out
    assert run(["show", "model.deltaprop"]) == 0
    assert re.search(r"^class weight +yes 2$", capsys.readouterr().out, re.MULTILINE)


def test_check(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    fit()
    capsys.readouterr()
    assert run(["check", "model.deltaprop", "people.csv"]) == 0
    assert "The gradient agrees with central differences" in capsys.readouterr().out
    right = Network.gradient
    monkeypatch.setattr(Network, "gradient", lambda self, *args, **weights: right(self, *args, **weights) * 1.001)
    assert run(["check", "model.deltaprop", "people.csv"]) == 1
    assert "The gradient DISAGREES" in capsys.readouterr().out


def test_show(capsys: pytest.CaptureFixture[str]) -> None:
    fit("--seed", "5", "--drop", "price")
    capsys.readouterr()
    assert run(["show", "model.deltaprop"]) == 0
    out = capsys.readouterr().out
    for pattern in (
        r"^target +classification of tall: no 20, yes 20$",
        r"^layers +3-4-1$",
        r"^h +tanh$",
        r"^seed +5$",
        rf"^deltaprop +{re.escape(deltaprop.__version__)}$",
        r"^rows held out +10$",
        r"^columns dropped +price$",
        r"^accuracy +\S+ +0\.5$",
        r"^3 inputs from 2 columns:$",
        r"^height +1 +number, mean 1\d\d\.\d+, standard deviation 1\d\.\d+ *$",
        r"^eyes +2 +text, 2 levels *$",
    ):
        assert re.search(pattern, out, re.MULTILINE), pattern
    Network([2, 1], seed=3).save("net.deltaprop")
    assert run(["show", "net.deltaprop"]) == 0
    assert re.search(r"^h +none: there is no hidden layer$", capsys.readouterr().out, re.MULTILINE)


def test_plot(capsys: pytest.CaptureFixture[str]) -> None:
    for name, magic in (("loss.png", b"\x89PNG"), ("loss.svg", b"<?xml"), ("loss.pdf", b"%PDF")):
        assert fit("--plot", name) == 0
        assert capsys.readouterr().out.endswith(f"saved model.deltaprop, drew {name}\n")
        assert Path(name).read_bytes().startswith(magic)


def test_options(capsys: pytest.CaptureFixture[str]) -> None:
    assert (
        fit("--hidden", "0", "--no-validation", "--batch-size", "1", "--eta", "0.5", "--h", "relu", "--seed", "2") == 0
    )
    out = capsys.readouterr().out
    assert "held out" not in out
    model = deltaprop.load("model.deltaprop")
    assert isinstance(model, TableModel)
    assert model.network.layers == (4, 1)
    assert model.provenance["eta"] == 0.5
    assert model.provenance["rows"] == 50
    assert model.network.epoch == 30
    assert fit("--drop", "price", "--drop", "eyes", "--validation", "0.4") == 0
    assert "30 rows to learn from, 20 held out; 1 inputs from 1 columns" in capsys.readouterr().err


def test_the_same_command_writes_the_same_bytes() -> None:
    fit("--out", "a")
    fit("--out", "b")
    assert Path("a").read_bytes() == Path("b").read_bytes()


def test_columns_that_were_not_met_are_ignored_with_a_note(capsys: pytest.CaptureFixture[str]) -> None:
    fit("--drop", "price")
    Path("new.csv").write_text("shoe,height,eyes,price\n40,160,blue,1\n41,,green,2\n")
    capsys.readouterr()
    assert run(["predict", "model.deltaprop", "new.csv"]) == 0
    out, err = capsys.readouterr()
    assert err == "note: columns that the model does not know are ignored: shoe\n"
    assert len(out.splitlines()) == 3


def test_bad_input_to_fit(capsys: pytest.CaptureFixture[str]) -> None:
    Path("one.csv").write_text("a,b\n1,x\n2,x\n3,x\n")
    Path("missing.csv").write_text("a,b\n1,x\n2,\n3,y\n")
    Path("empty.csv").write_text("a,b\n")
    Path("infinite.csv").write_text("a,b\n1,x\ninf,y\n3,x\n")
    Path("dates.csv").write_text("a,day,b\n1,2020-01-01,x\n2,2020-01-02,y\n3,2020-01-03,y\n")
    Path("binary.csv").write_bytes(bytes(range(256)))

    def fit(name: str, *arguments: str, target: str = "b") -> str:
        return refused(capsys, "fit", name, "--target", target, *arguments)

    assert fit("none.csv") == "none.csv: No such file or directory."
    assert fit("one.csv", target="c").startswith("No target column 'c' in the table.")
    assert fit("one.csv") == "The target 'b' has one class, 'x': there is nothing to tell apart."
    assert fit("missing.csv").startswith("The target 'b' is missing in row 2: remove such rows")
    assert fit("empty.csv") == "empty.csv: the table is empty: 2 columns, 0 rows."
    assert fit("infinite.csv") == "Column 'a' is inf in row 2; numbers need to be finite."
    assert "Column 'day' is a date or a time" in fit("dates.csv")
    assert fit("binary.csv") == "binary.csv: neither a CSV nor a Parquet file."
    assert "Did you mean 'price'?" in fit("people.csv", "--drop", "prise", target="tall")
    for arguments, message in (
        (("--hidden", "0,3"), "--hidden needs whole numbers of at least 1 such as 32,16, or 0; got '0,3'."),
        (("--hidden", "many"), "--hidden needs whole numbers of at least 1 such as 32,16, or 0; got 'many'."),
        (("--h", "tahn"), "Did you mean 'tanh'?"),
        (("--eta", "-1"), "--eta needs to be finite in float64 and at least 0; got -1.0."),
        (("--eta", "nan"), "eta needs to be finite"),
        (("--epochs", "-3"), "Invalid value for '--epochs'"),
        (("--epochs", "3.5"), "Invalid value for '--epochs'"),
        (("--batch-size", "0"), "Invalid value for '--batch-size'"),
        (("--validation", "2"), "--validation needs to be a share between 0 and 1; got 2."),
        (("--seed", "-1"), "Invalid value for '--seed'"),
        (("--task", "ranking"), "--task needs to be classification or regression; got 'ranking'."),
        (("--plot", "loss.bmp"), "--plot loss.bmp: a picture's name needs to end in .png, .svg, .pdf."),
        (("--plot", "no/loss.png"), "no: No such folder."),
        (("--plot", "same.png", "--out", "./same.png"), "--plot same.png is the same file as --out."),
        (("--out", "people.csv"), "--out people.csv is the same file as the table."),
        (("--plot", "./people.csv"), "--plot people.csv is the same file as the table."),
        (("--drop", "tall"), "The target 'tall' cannot be dropped."),
        (("--hidden", "1" + "0" * 30), "--hidden needs whole numbers"),
        (("--validation", "0.3", "--no-validation"), "--validation and --no-validation contradict each other."),
        (("--h", "softmax"), "--h 'softmax' is for the output layer only."),
        (("--out", "no/such/m.deltaprop"), "no/such: No such folder."),
        (("--out", "."), "Is a directory"),
        (("--no-such-option",), "No such option: --no-such-option"),
    ):
        assert message in fit("people.csv", *arguments, target="tall")
    assert "Missing option '--target'" in refused(capsys, "fit", "people.csv")
    assert "Missing argument" in refused(capsys, "fit", "--target", "tall")
    assert "No such command 'fti'" in refused(capsys, "fti")


def test_training_that_diverges_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    line = refused(capsys, "fit", "people.csv", "--target", "price", "--eta", "1e300")
    assert "TableModel" not in line
    assert "epoch 1 met" in line
    assert "Use a smaller eta" in line


def test_bad_input_to_the_others(capsys: pytest.CaptureFixture[str]) -> None:
    fit("--drop", "price")
    Path("text.csv").write_text("height,eyes,tall\nhigh,blue,no\n")
    Path("lacking.csv").write_text("height,tall\n150,no\n")
    Path("infinite.csv").write_text("height,eyes,tall\n-inf,blue,no\n")
    Path("targetless.csv").write_text("height,eyes\n150,blue\n")
    Path("strange.csv").write_text("height,eyes,tall\n150,blue,perhaps\n")
    Network([2, 1]).save("net.deltaprop")
    damaged = bytearray(Path("model.deltaprop").read_bytes())
    damaged[-1] ^= 1
    Path("damaged.deltaprop").write_bytes(damaged)
    for command in ("predict", "evaluate", "trace", "derive", "check", "health"):
        assert refused(capsys, command, "model.deltaprop", "none.csv") == "none.csv: No such file or directory."
        assert refused(capsys, command, "none.deltaprop", "people.csv") == "none.deltaprop: No such file or directory."
        assert refused(capsys, command, "people.csv", "people.csv").startswith("people.csv: not a deltaprop model file")
        assert "its contents do not match its own SHA-256" in refused(
            capsys, command, "damaged.deltaprop", "people.csv"
        )
        assert "holds a network without the columns of a table" in refused(
            capsys, command, "net.deltaprop", "people.csv"
        )
        assert "Column 'height' held numbers at fit time; here row 1 is 'high'" in refused(
            capsys, command, "model.deltaprop", "text.csv"
        )
        assert refused(capsys, command, "model.deltaprop", "lacking.csv") == "The table lacks the column 'eyes'."
        assert "Column 'height' is -inf in row 1" in refused(capsys, command, "model.deltaprop", "infinite.csv")
    for command in ("evaluate", "trace", "derive", "check", "health"):
        assert "No target column 'tall'" in refused(capsys, command, "model.deltaprop", "targetless.csv")
    for command in ("trace", "derive", "check", "health"):
        assert "met in training" in refused(capsys, command, "model.deltaprop", "strange.csv")
    assert (
        refused(capsys, "trace", "model.deltaprop", "people.csv", "--row", "51") == "--row 51: people.csv has 50 rows."
    )
    assert "Invalid value for '--row'" in refused(capsys, "trace", "model.deltaprop", "people.csv", "--row", "0")
    assert refused(capsys, "predict", "model.deltaprop", "people.csv", "--out", "no/p.csv") == "no: No such folder."
    assert refused(capsys, "show", "people.csv").startswith("people.csv: not a deltaprop model file")


def test_names_that_would_move_the_terminal_are_printed_harmless(capsys: pytest.CaptureFixture[str]) -> None:
    evil = "\x1b[31mred\x07[bold]x[/bold]"
    rows = "".join(f'{k},"{evil}{k % 2}"\n' for k in range(10))
    Path("evil.csv").write_text(f'"{evil}","t{evil}"\n{rows}')
    assert run(["fit", "evil.csv", "--target", f"t{evil}", "--epochs", "2", "--hidden", "2"]) == 0
    for command in (
        ["show", "model.deltaprop"],
        *([c, "model.deltaprop", "evil.csv"] for c in ("trace", "derive", "evaluate", "check")),
    ):
        assert run(command) == 0
    assert run(["health", "model.deltaprop", "evil.csv"]) == 1  # after two epochs it has learned nothing
    assert run(["fit", "evil.csv", "--target", evil + "2"]) == 2
    Path("unknown.csv").write_text(f'"{evil}","t{evil}","{evil}2"\n1,x,2\n2,"{evil}1",3\n')
    assert run(["evaluate", "model.deltaprop", "unknown.csv"]) == 0
    out, err = capsys.readouterr()
    assert "\x1b" not in out + err
    assert "\x07" not in out + err
    assert "[31mred\N{REPLACEMENT CHARACTER}[bold]x[/bold]" in out


def test_the_table_that_was_fitted_to_gives_no_note(capsys: pytest.CaptureFixture[str]) -> None:
    Path("useless.csv").write_text(TABLE.replace("\n", ",x\n").replace("price,x", "price,same"))
    assert run(["fit", "useless.csv", "--target", "tall", "--epochs", "2", "--drop", "price"]) == 0
    assert "note: column 'same' is ignored: every row has the same value" in capsys.readouterr().err
    assert run(["predict", "model.deltaprop", "useless.csv"]) == 0
    assert capsys.readouterr().err == ""


def test_predictions_do_not_replace_what_they_come_from(capsys: pytest.CaptureFixture[str]) -> None:
    fit()
    Path("link.csv").symlink_to("people.csv")
    for out, what in (("people.csv", "the table"), ("link.csv", "the table"), ("model.deltaprop", "the model")):
        line = refused(capsys, "predict", "model.deltaprop", "people.csv", "--out", out)
        assert line == f"--out {out} is the same file as {what}."


def test_places_that_cannot_be_written_are_refused_before_training(capsys: pytest.CaptureFixture[str]) -> None:
    Path("loop").symlink_to("loop")
    Path("dangling").symlink_to("no/such/folder/file")
    for out in ("x" * 300, "/proc/model", "loop", "dangling"):
        line = refused(capsys, "fit", "people.csv", "--target", "tall", "--out", out)
        assert ".part" not in line
        assert "classification" not in line
    assert fit("--out", "x" * 255) == 0  # the longest name that a file may have


def test_closed_and_narrow_streams() -> None:
    fit()
    for arguments in (["predict", "model.deltaprop", "people.csv"], ["evaluate", "model.deltaprop", "people.csv"]):
        code = f"from deltaprop.cli import run; raise SystemExit(run({arguments!r}))"
        closed = subprocess.run(
            ["sh", "-c", f'exec "{sys.executable}" -c "$0" >&-', code], check=False, capture_output=True
        )
        assert (closed.returncode, closed.stderr) == (0, b"")
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    for arguments in (
        ["fit", "people.csv", "--target", "price", "--epochs", "2"],
        ["trace", "model.deltaprop", "people.csv"],
        ["derive", "model.deltaprop", "people.csv"],
    ):
        process = command(*arguments, env=environment)
        out, err = process.communicate(timeout=30)
        assert process.returncode == 0, err
        assert "?" in out
    Path("latin.csv").write_text(TABLE.replace("yes", "oui é"), encoding="utf-8")
    assert run(["fit", "latin.csv", "--target", "tall", "--epochs", "2"]) == 0
    process = command("predict", "model.deltaprop", "latin.csv", env=environment)
    out, _ = process.communicate(timeout=30)
    assert "P(oui é)" in out  # a table is UTF-8 whatever the terminal is


def test_a_text_column_in_other_words_is_noted(capsys: pytest.CaptureFixture[str]) -> None:
    fit("--drop", "price")
    Path("german.csv").write_text("height,eyes\n160,blau\n170,braun\n")
    capsys.readouterr()
    assert run(["predict", "model.deltaprop", "german.csv"]) == 0
    assert capsys.readouterr().err == "note: no cell of column 'eyes' is a level that was met in training\n"


def test_a_trace_of_many_classes_is_short(capsys: pytest.CaptureFixture[str]) -> None:
    Path("many.csv").write_text("x,y\n" + "".join(f"{k},class {k % 300}\n" for k in range(900)))
    assert run(["fit", "many.csv", "--target", "y", "--epochs", "1", "--hidden", "2"]) == 0
    capsys.readouterr()
    assert run(["trace", "model.deltaprop", "many.csv"]) == 0
    out, err = capsys.readouterr()
    assert len(out.splitlines()) < 2500
    assert "note: 90,602 ∂E/∂w and ∂z/∂a are left out" in err  # 300 · 300 + 2 · 300 + 1 · 2


def test_a_table_from_a_pipe() -> None:
    fit()
    process = command("predict", "model.deltaprop", "/dev/stdin", stdin=subprocess.PIPE)
    out, err = process.communicate(TABLE, timeout=20)
    assert err == ""
    assert len(out.splitlines()) == 51


def test_a_mistake_of_ours_is_not_passed_off_as_the_callers(monkeypatch: pytest.MonkeyPatch) -> None:
    fit()

    def broken(self: TableModel, table: object) -> None:
        raise ValueError("a bug")

    monkeypatch.setattr(TableModel, "evaluate", broken)
    with pytest.raises(ValueError, match="a bug"):
        run(["evaluate", "model.deltaprop", "people.csv"])


def test_ctrl_c_while_the_commands_are_still_being_loaded(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Interrupting:
        def find_spec(self, name: str, *rest: object) -> None:
            if name == "deltaprop.cli.app":
                raise KeyboardInterrupt

    for name in [name for name in sys.modules if name == "deltaprop.cli.app"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(sys, "meta_path", [Interrupting(), *sys.meta_path])
    assert run(["fit", "people.csv", "--target", "tall"]) == 130
    assert capsys.readouterr().err == "deltaprop: interrupted.\n"


def test_the_bar_on_a_terminal() -> None:
    """In a pseudo-terminal progress is a bar, which ends at 100 % where training stops early."""
    import pty

    pid, terminal = pty.fork()
    if pid == 0:
        os.environ["TERM"] = "xterm-256color"
        os.execv(sys.executable, [sys.executable, "-c", "from deltaprop.cli import main; main()", *BAR])
    shown = b""
    while True:
        try:
            shown += os.read(terminal, 4096)
        except OSError:  # the other side has ended
            break
    _, status = os.waitpid(pid, 0)
    os.close(terminal)
    assert os.waitstatus_to_exitcode(status) == 0
    text = shown.decode()
    assert "100%" in text
    assert re.search(r"epoch \d+  E 0\.\d+  E_validation", text)
    assert "saved model.deltaprop" in text


def test_version_and_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--version"]) == 0
    assert capsys.readouterr().out == f"deltaprop {deltaprop.__version__}\n"
    assert run(["--help"]) == 0
    out = capsys.readouterr().out
    for command in ("fit", "predict", "evaluate", "trace", "derive", "check", "health", "show"):
        assert command in out
    assert run([command, "--help"]) == 0


def command(*arguments: str, **options: object) -> "subprocess.Popen[str]":
    code = "from deltaprop.cli import main; main()"
    return subprocess.Popen(  # type: ignore[call-overload,no-any-return]
        [sys.executable, "-c", code, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **options,
    )


def test_ctrl_c_is_130_and_nothing_is_written() -> None:
    process = command("fit", "people.csv", "--target", "tall", "--epochs", "100000000", "--no-validation")
    assert process.stderr is not None
    for line in process.stderr:
        if line.startswith("epoch"):
            break
    time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=20)
    assert process.returncode == 130
    assert err.splitlines()[-1] == "deltaprop: interrupted."
    assert os.listdir() == ["people.csv"]


def test_a_reader_that_goes_away_is_no_error() -> None:
    fit()
    Path("long.csv").write_text(TABLE.splitlines()[0] + "\n" + "\n".join(TABLE.splitlines()[1:] * 2000))
    process = command("predict", "model.deltaprop", "long.csv")
    assert process.stdout is not None
    assert process.stderr is not None
    assert process.stdout.readline() == "prediction,P(no),P(yes)\n"
    process.stdout.close()
    err = process.stderr.read()
    process.stderr.close()
    assert (process.wait(20), err) == (0, "")
