"""What is made of the declarations: the page, the lists, and how functions are named from everywhere."""

import copy
import dataclasses
import pickle
import re
import runpy
import sys
from pathlib import Path

import numpy as np
import pytest

import deltaprop
from deltaprop import Network, TableModel
from deltaprop.cli.app import run_command
from deltaprop.descent.initializers import INITIALIZERS
from deltaprop.descent.optimizers import OPTIMIZERS
from deltaprop.descent.penalties import PENALTIES
from deltaprop.descent.schedules import SCHEDULES
from deltaprop.functions import ACTIVATIONS, LOSSES
from deltaprop.training.metrics import METRICS

ROOT = Path(__file__).parent.parent.parent


@pytest.mark.parametrize("tool", ["make_functions.py", "make_descent.py"])
def test_the_page_is_made_of_the_declarations(tool: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", [tool, "--check"])
    with pytest.raises(SystemExit) as exit_:
        runpy.run_path(str(ROOT / "tools" / tool), run_name="__main__")
    assert not exit_.value.code, exit_.value.code


def test_every_declaration_says_what_it_is() -> None:
    aliases = [alias for entry in ACTIVATIONS.values() for alias in entry.aliases]
    assert len({*aliases, *ACTIVATIONS}) == len(aliases) + len(ACTIVATIONS)
    for entry in ACTIVATIONS.values():
        assert entry.formula
        assert entry.derivative
        assert entry.low < entry.high
        assert entry.start in ("glorot", "he", "lecun")
        assert str(entry) == entry.name


def test_list(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["list", "activations"]) == 0
    printed = capsys.readouterr().out.splitlines()
    assert len(printed) == 2 + len(ACTIVATIONS)
    assert "silu, swish        a / (1 + exp(-a))" in printed
    assert any(line.startswith("leaky_relu ") and line.endswith("slope = 0.01, in [1e-30, 1]") for line in printed)
    assert run_command(["list", "losses"]) == 0
    printed = capsys.readouterr().out.splitlines()
    assert len(printed) == 2 + len(LOSSES)
    (gamma,) = (line for line in printed if line.startswith("gamma "))
    assert re.split("  +", gamma) == ["gamma", "log(y) + r / y", "above 0", "exp", "-log(r) - 1"]
    assert run_command(["list", "initializers"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 2 + len(INITIALIZERS)
    for kind, entries in (
        ("optimizers", OPTIMIZERS),
        ("schedules", SCHEDULES),
        ("penalties", PENALTIES),
        ("metrics", METRICS),
    ):
        assert run_command(["list", kind]) == 0
        printed = capsys.readouterr().out.splitlines()
        assert [line.split()[0] for line in printed[2:]] == list(entries)
    assert run_command(["list", "cats"]) == 2
    assert "'activations', 'losses', 'initializers'" in capsys.readouterr().err


@pytest.mark.parametrize("columns", [100, 20])
def test_a_wide_table_goes_on_in_lines_below_on_a_terminal(
    columns: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    assert run_command(["list", "losses"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= max(columns, 70)
    assert len(lines) > 2 + len(LOSSES)
    words = "".join("".join(lines).split())
    assert all(loss.name in words for loss in LOSSES.values() if len(loss.name) <= 10)


def test_from_the_command_line_to_the_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table, out = tmp_path / "table.csv", tmp_path / "model"
    table.write_text("x,y\n" + "".join(f"{k / 10},{np.sin(k / 10):.6f}\n" for k in range(60)))
    words = ["fit", str(table), "--target", "y", "--epochs", "2", "--out", str(out), "--h"]
    assert run_command([*words, "leaky_relu:slope=0.2"]) == 0
    assert run_command(["show", str(out)]) == 0
    assert "leaky_relu:slope=0.2, leaky_relu:slope=0.2" in capsys.readouterr().out
    assert run_command([*words, "leaky_relu:slope=2"]) == 2
    assert capsys.readouterr().err == "deltaprop: --h: leaky_relu: slope needs to be in [1e-30, 1]; got 2.0.\n"
    assert run_command([*words, "softmax"]) == 2
    assert "for the output layer only" in capsys.readouterr().err


def test_a_declaration_in_place_of_a_name() -> None:
    leaky = deltaprop.leaky_relu(slope=0.5)
    net = Network([2, 3, 3, 1], h=[leaky, "gelu"], output=deltaprop.elu(alpha=2), loss="squared_error")
    assert net.h == ("leaky_relu:slope=0.5", "gelu")
    assert net.output == "elu:alpha=2.0"
    again: Network = eval(repr(net), {"Network": Network})
    assert again == net
    assert Network([1, 1, 1], h=deltaprop.leaky_relu(slope=0.01)).h == ("leaky_relu",)
    assert TableModel(hidden=(3,), h=leaky).h == "leaky_relu:slope=0.5"
    assert TableModel(hidden=(3, 2), h=[leaky, "tanh"]).h == ("leaky_relu:slope=0.5", "tanh")
    assert deltaprop.leaky_relu(0.5) == leaky
    assert repr(leaky) == "leaky_relu(slope=0.5)"
    assert eval(repr(leaky), {"leaky_relu": deltaprop.leaky_relu}) == leaky
    assert pickle.loads(pickle.dumps(leaky)) == copy.deepcopy(leaky) == leaky
    assert Network([2, 2, 1], h=" leaky_relu : slope = 0.5 ").h == net.h[:1]
    with pytest.raises(TypeError, match="elu has 1 parameters; got 2 values"):
        deltaprop.elu(1, 2)
    with pytest.raises(TypeError, match="elu: alpha is given twice"):
        deltaprop.elu(1, alpha=2)
    with pytest.raises(ValueError, match="Network: output: elu: alpha needs to be"):
        Network([2, 1], output=dataclasses.replace(deltaprop.elu, values=(-1.0,)))
    with pytest.raises(TypeError, match="h needs the name of an activation function; got 1"):
        Network([2, 2, 1], h=1)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"elu: no parameter is called 'slope'\. It has alpha\."):
        deltaprop.elu(slope=1)


def test_weights_start_as_h_needs() -> None:
    for h, limit in (("gelu", np.sqrt(6 / 50)), ("selu", np.sqrt(3 / 50)), ("arctan", np.sqrt(6 / 250))):
        W = Network([50, 200, 1], h=h, seed=1).W[0]
        assert 0.99 * limit < np.abs(W).max() < limit
