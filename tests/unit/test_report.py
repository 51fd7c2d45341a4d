"""The report: what is in its file. tests/conformance/test_report_page.py looks at it in a browser."""

import base64
import hashlib
import html
import json
import re
import sys
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from deltaprop import Momentum, Network, Record, TableModel
from deltaprop.cli import run
from deltaprop.data.targets import Quantity
from deltaprop.inspection.report import Named, Rows, report
from deltaprop.inspection.report.formulas import templates_of
from deltaprop.training import History
from problems import network, samples

HOSTILE = "</script><script>alert(1)</script>"
MIB = 2**20


class Reader(HTMLParser):
    """The elements of a page, and the texts of its scripts and styles."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: dict[str, list[str]] = {"script": [], "style": []}
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attributes)))

    def handle_data(self, data: str) -> None:
        if self.cdata_elem is not None:
            self.texts[self.cdata_elem].append(data)

    def named(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]

    @property
    def record(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.texts["script"][0])
        return found


def page_of(folder: Path, net: Network, X: Any, R: Any, **more: Any) -> Reader:
    path = folder / "report.html"
    net.report(X, R, path, **more)
    return Reader(path.read_text(encoding="utf-8"))


def numbers(record: dict[str, Any], state: int, sample: int) -> dict[str, np.ndarray]:
    """The record's arrays by name, flat."""
    own = record["states"][state]
    found = {"E": np.frombuffer(base64.b64decode(own["E"]), "<f8")[sample : sample + 1]}
    for text, parts in ((own["numbers"], record["stateParts"]), (own["samples"][sample], record["sampleParts"])):
        values = np.frombuffer(base64.b64decode(text), np.dtype(record["dtype"]).newbyteorder("<"))
        places = np.cumsum([0, *(size for _, size in parts)])
        assert places[-1] == len(values)
        found |= {name: values[a:b] for (name, _), a, b in zip(parts, places, places[1:], strict=False)}
    return found


def check_numbers(page: Reader, state: int, sample: int, t: Any) -> None:
    found = numbers(page.record, state, sample)
    for name in ("x", "r", "E"):
        np.testing.assert_array_equal(found.pop(name), np.ravel(getattr(t, name)))
    for k, layer in enumerate(t.layers, start=1):
        for name in (
            "a",
            "z",
            "delta",
            "dW",
            "db",
            "W",
            "b",
            "W_after",
            "b_after",
            "change_W",
            "change_b",
            "dW_penalty",
        ):
            values = getattr(layer, name)
            assert (f"{name}:{k}" in found) == (values is not None)
            if values is not None:
                np.testing.assert_array_equal(found.pop(f"{name}:{k}"), values.ravel())
        if layer.dh.ndim == 1:
            np.testing.assert_array_equal(found.pop(f"dh:{k}"), layer.dh)
    assert not found


@pytest.mark.parametrize(
    "arguments",
    [
        {"layers": [2, 2, 1]},
        {"layers": [1, 1], "bias": False},
        {"layers": [4, 8, 5, 3], "output": "softmax", "loss": "cross_entropy", "h": "relu", "dtype": "float32"},
        {"layers": [3, 9, 2], "h": "gelu", "l2": 0.01, "l1": 0.001, "output": "tanh", "loss": "huber"},
    ],
    ids=str,
)
def test_the_numbers_are_the_traces_to_the_bit(arguments: dict[str, Any], tmp_path: Path) -> None:
    net = network(**arguments)
    X, R = samples(net, 4)
    net.descend(X, R, 0.1, optimizer=Momentum(0.8))
    other = net.copy() if hasattr(net, "copy") else Network(**net.config())
    other.theta = net.theta / 2
    page = page_of(tmp_path, net, X, R, samples=[3, 1], eta=0.3, states=[("now", net), ("half", other)])
    for state, one in enumerate((net, other)):
        for place, row in enumerate((3, 1)):
            check_numbers(page, state, place, one.trace(X[row], R[row], eta=0.3))
    assert page.record["samples"] == ["sample 3", "sample 1"]
    assert [state["label"] for state in page.record["states"]] == ["now", "half"]


def test_eta_is_the_rules_own_where_none_is_given(tmp_path: Path) -> None:
    net = network([2, 3, 1])
    X, R = samples(net, 2)
    assert page_of(tmp_path, net, X, R).record["states"][0]["eta"] == 0.1
    net.descend(X, R, 0.1, optimizer="adam")
    page = page_of(tmp_path, net, X, R)
    assert page.record["states"][0]["eta"] == 0.001
    assert page.record["plain"] is False
    check_numbers(page, 0, 1, net.trace(X[1], R[1], eta=0.001))


def test_dropout_and_noise_are_left_out_and_the_page_says_so(tmp_path: Path) -> None:
    net = network([3, 4, 1], dropout=0.5, input_noise=0.1)
    X, R = samples(net, 2)
    page = page_of(tmp_path, net, X, R)
    check_numbers(page, 0, 0, net.without_draws().trace(X[0], R[0], eta=0.1))
    assert "In training there is dropout and noise; the numbers here are without." in (
        tmp_path / "report.html"
    ).read_text(encoding="utf-8")


def test_one_sample_and_sparse_rows(tmp_path: Path) -> None:
    sparse = pytest.importorskip("scipy.sparse")
    net = network([6, 3, 1])
    X, R = samples(net, 3)
    check_numbers(page_of(tmp_path, net, X[1], R[1]), 0, 0, net.trace(X[1], R[1], eta=0.1))
    check_numbers(page_of(tmp_path, net, list(X[1]), float(R[1, 0])), 0, 0, net.trace(X[1], R[1], eta=0.1))
    X[abs(X) < 0.7] = 0
    check_numbers(page_of(tmp_path, net, sparse.csr_matrix(X), R), 0, 2, net.trace(X[2], R[2], eta=0.1))


def test_a_hundred_samples_of_30_16_1_take_at_most_2_mib(tmp_path: Path) -> None:
    net = network([30, 16, 1])
    page = page_of(tmp_path, net, *samples(net, 150))
    assert len(page.record["samples"]) == 100
    assert (tmp_path / "report.html").stat().st_size <= 2 * MIB


def test_a_wide_network_has_as_many_samples_as_leave_the_page_small(tmp_path: Path) -> None:
    net = network([784, 30, 10], output="softmax", loss="cross_entropy")
    X, R = samples(net, 60)
    page = page_of(tmp_path, net, X, R)
    assert 1 < len(page.record["samples"]) < 60
    assert (tmp_path / "report.html").stat().st_size < 4.5 * MIB
    with pytest.raises(
        ValueError, match=r"40 samples would take 30 MiB of the page, which may have 24\. Pass at most 32"
    ):
        net.report(X, R, tmp_path / "r.html", samples=range(40))
    huge = Network([2000, 1000, 1])
    with pytest.raises(ValueError, match=r"The network is too large for a page: net\.trace"):
        huge.report(np.zeros((1, 2000)), [1], tmp_path / "r.html")


def test_nothing_is_loaded_and_no_script_runs_but_the_pages_own(tmp_path: Path) -> None:
    net = network([2, 3, 2])
    history = net.fit(*samples(net, 8), epochs=3, validation=0.5)
    page = page_of(tmp_path, net, *samples(net, 8), history=history)
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert set(re.findall(r"https?://[^\"'<\s]*", text)) <= {
        "http://www.w3.org/1998/Math/MathML",
        "http://www.w3.org/2000/svg",
    }
    assert not page.named("link") + page.named("iframe") + page.named("img") + page.named("base")
    for tag, attributes in page.elements:
        assert not {name for name in attributes if name.startswith("on")} | {"style", "src"} & attributes.keys(), tag
    assert [s.get("type") for s in page.named("script")] == ["application/json", None]
    policy = next(m["content"] or "" for m in page.named("meta") if "http-equiv" in m)
    rules = dict(rule.strip().partition(" ")[::2] for rule in policy.split(";"))
    assert rules["default-src"] == "'none'"

    def hashed(text: str) -> str:
        return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"

    assert rules["script-src"] == hashed(page.texts["script"][1])
    assert set(rules["style-src"].split()) == {hashed(style) for style in page.texts["style"]}


def test_no_name_breaks_out(tmp_path: Path) -> None:
    net = network([2, 3, 1])
    X, R = samples(net, 2)
    named = Named([HOSTILE, "{figure}"], ['"&<é\u2028'], lambda rows: Rows([HOSTILE] * 2, [(HOSTILE, [HOSTILE] * 2)]))
    report(net, X, R, tmp_path / "r.html", named=named, title=HOSTILE, states=[(HOSTILE, net)])
    page = Reader((tmp_path / "r.html").read_text(encoding="utf-8"))
    assert len(page.named("script")) == 2
    assert sum("id" in svg and svg["id"] == "net" for svg in page.named("svg")) == 1
    record = page.record
    assert record["inputs"] == [HOSTILE, "{figure}"]
    assert record["columns"] == [[HOSTILE, [HOSTILE, HOSTILE]]]
    assert record["units"][-1] == ['"&<é\u2028']


def test_every_formula_has_places_that_the_record_fills() -> None:
    net = network([3, 9, 4], h="tanh", output="softmax", loss="squared_error", l2=0.1)
    made = templates_of(net)
    keys = set(re.findall(r'data-(?:slot|bare)="([^"]*)"', "".join(made.values())))
    assert keys == {"a", "z", *(f"z:2:{j}" for j in range(4)), *(f"r:{j}" for j in range(4))}
    assert {
        "rule-a-1",
        "rule-z-1",
        "rule-dh-1",
        "rule-delta-1",
        "rule-dW-2",
        "rule-w-2",
        "rule-E",
        "delta-3",
    } <= made.keys()


def test_without_sympy_the_steps_are_there_and_a_line_says_what_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from deltaprop.inspection.derivation.output_error import output_error
    from deltaprop.inspection.derivation.slopes import slope_of

    net = network([2, 3, 1], h="a / (1 + abs(a))")
    output_error.cache_clear()
    slope_of.cache_clear()
    monkeypatch.setitem(sys.modules, "sympy", None)
    page = page_of(tmp_path, net, *samples(net, 2))
    assert "sympy is not installed. Install it with" in (tmp_path / "report.html").read_text(encoding="utf-8")
    formulas = {template["id"] for template in page.named("template")}
    assert {"f-h-1", "f-rule-delta-1", "f-dh-2", "f-rule-E", "f-E-0", "f-rule-delta-2"} <= formulas
    assert not {"f-delta-0", "f-dh-1"} & formulas


def test_loss_curves_and_health(tmp_path: Path) -> None:
    net = network([2, 3, 1])
    X, R = samples(net, 40)
    history = net.fit(X, R, epochs=7, validation=0.25)
    page_of(tmp_path, net, X, R, history=history)
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    lines = re.findall(r'<polyline class="(\w+)" points="([^"]*)"', text)
    assert [(kind, len(points.split())) for kind, points in lines] == [("training", 7), ("held", 7)]
    for line in str(net.health(X, R)).split("\n")[3:]:
        assert line.replace("'", "&#x27;") in text


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"X": [[1, 2, 3]], "R": [1]}, ValueError, r"Network.report: X needs shape \(n, 2\); got \(1, 3\)."),
        ({"R": [1]}, ValueError, "Network.report: R needs 2 rows, one for each of X; got 1."),
        ({"X": np.zeros((0, 2)), "R": []}, ValueError, "X has no rows, so there is nothing to step through"),
        ({"samples": [2]}, ValueError, "samples needs rows of X, 0 to 1; got 2"),
        ({"samples": []}, ValueError, "samples needs at least one row of X; got none"),
        ({"samples": [0.5]}, TypeError, "samples needs whole numbers, rows of X; got 0.5"),
        ({"eta": -1}, ValueError, "eta"),
        ({"states": []}, ValueError, "states needs at least one pair"),
        ({"states": [("a", 3)]}, TypeError, "pairs of a label and a network; got 3 at 'a'"),
        ({"states": [("a", Network([2, 2, 1]))]}, ValueError, "state 'a' is of another network"),
        ({"lr": 1}, TypeError, "here it is eta"),
    ],
)
def test_what_cannot_be_reported(
    arguments: dict[str, Any], error: type[Exception], message: str, tmp_path: Path
) -> None:
    net = Network([2, 3, 1])
    given = {"X": [[0, 1], [1, 0]], "R": [0, 1], "path": tmp_path / "r.html", **arguments}
    with pytest.raises(error, match=message):
        net.report(**given)
    assert not (tmp_path / "r.html").exists()


def test_a_failing_write_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "report.html"
    path.write_text("old")
    net = Network([2, 3, 1])

    def fail(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("os.fsync", fail)
        with pytest.raises(OSError, match="No space left"):
            net.report([[0, 1]], [1], path)
    assert path.read_text() == "old"
    assert [file.name for file in tmp_path.iterdir()] == ["report.html"]
    with pytest.raises(FileNotFoundError, match="no"):
        net.report([[0, 1]], [1], tmp_path / "no" / "report.html")


@pytest.fixture
def table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    pytest.importorskip("pyarrow")
    monkeypatch.chdir(tmp_path)
    rows = "".join(f"{k / 4},{'red' if k % 2 else 'blue'},{'no' if k % 3 else 'yes'}\n" for k in range(40))
    Path("t.csv").write_text("size,colour,b\n" + rows)
    assert run(["fit", "t.csv", "--target", "b", "--hidden", "3", "--epochs", "2", "--out", "m"]) == 0
    return "t.csv"


def test_a_tables_names_and_cells(table: str) -> None:
    import deltaprop

    model = deltaprop.load("m")
    assert isinstance(model, TableModel)
    model.report(table, "r.html", samples=[3, 0], eta=0.2)
    page = Reader(Path("r.html").read_text(encoding="utf-8"))
    record = page.record
    said = model.predict(table)
    assert record["samples"] == ["row 4: yes", "row 1: yes"]
    assert record["columns"] == [
        ["b (target)", ["yes", "yes"]], ["b, as the trained network predicts it", [str(said[3]), str(said[0])]],
        ["size", ["0.75", "0"]], ["colour", ["red", "blue"]],
    ]  # fmt: skip
    assert record["inputs"] == list(model.encoder.inputs)
    assert record["units"][-1] == ["P(yes)"]
    check_numbers(page, 0, 0, model.trace(table, 3, eta=0.2).trace)
    with pytest.raises(IndexError, match="there is no row 40; the table has 40"):
        model.report(table, "r.html", samples=[40])
    other = {"size": [1.0, 2.0], "colour": ["red", "red"], "b": ["maybe", "yes"]}
    model.report(other, "r.html")
    assert Reader(Path("r.html").read_text(encoding="utf-8")).record["columns"][0][1] == ["yes"]
    with pytest.raises(deltaprop.TableError, match="The label maybe of row 1 was not met in training"):
        model.report(other, "r.html", samples=[0])


def test_eta_and_loss_curves_are_those_of_the_training(table: str) -> None:
    import deltaprop

    model = TableModel(hidden=(3,))
    history = model.fit(table, "b", epochs=4, eta="0.3 / n", optimizer="momentum")
    assert model.history is history
    model.save("m2")
    for own in (model, deltaprop.load("m2")):
        own.report(table, "r.html")
        page = Reader(Path("r.html").read_text(encoding="utf-8"))
        assert [state["eta"] for state in page.record["states"]] == [0.075]
        assert [one["id"] for one in page.named("section") if one.get("id") == "losses"] == ["losses"]
    model.fit(table, "b", epochs=0)
    model.report(table, "r.html")
    state = Reader(Path("r.html").read_text(encoding="utf-8")).record["states"][0]
    assert state["eta"] == 0.1  # the rule's: there was no epoch


def test_a_recorded_training_of_a_table(table: str) -> None:
    """Its samples are rows of the table, held out or not; the page ends with the model where that is no update."""
    model, kept = TableModel(hidden=(3,)), Record(every=5, samples=[39, 2, 0, 7])
    model.fit(table, "b", epochs=20, batch_size=8, eta=0.5, record=kept)
    data = model.read(table)
    assert kept.x is not None
    assert kept.r is not None
    assert kept.x.tolist() == model.encoder.encode(data.take([39, 2, 0, 7])).tolist()
    assert kept.r[:, 0].tolist() == [1, 0, 1, 0]
    model.report(table, "r.html", record=kept)
    page = Reader(Path("r.html").read_text(encoding="utf-8"))
    labels = [state["label"] for state in page.record["states"]]
    best = model.provenance["epoch kept"]
    assert best < model.provenance["epochs"]
    assert labels[:2] == ["the start", "update 5, epoch 2"]
    assert labels[-1] == f"kept: epoch {best}"
    assert page.record["samples"][0] == "row 40: yes"
    check_numbers(page, len(labels) - 1, 1, model.trace(table, 2, eta=0.5).trace)
    check_numbers(page, 1, 3, kept.network(5).trace(kept.x[3], kept.r[3], eta=0.5))
    with pytest.raises(IndexError, match=r"TableModel\.fit: there is no row 40; the table has 40"):
        model.fit(table, "b", record=Record(samples=[40]))


def test_a_record_begins_anew_where_training_does() -> None:
    pytest.importorskip("pyarrow")
    x = np.random.default_rng(0).normal(size=1000)
    wild = {**{f"x{k}": x for k in range(60)}, "y": 1000 * x}
    model, kept = TableModel(hidden=()), Record(samples=[0])
    model.fit(wild, "y", epochs=3, batch_size=1, validation=None, record=kept)
    assert "started over" in model.notes[0]
    assert kept.updates == 3000
    assert kept.network(3000) == model.network


def test_the_command(table: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["report", "m", table]) == 0
    assert run(["report", "m", table, "--samples", "3", "--eta", "0.5", "--out", "few.html"]) == 0
    assert capsys.readouterr().out.splitlines()[-2:] == ["wrote report.html", "wrote few.html"]
    record = Reader(Path("few.html").read_text(encoding="utf-8")).record
    assert (len(record["samples"]), record["states"][0]["eta"]) == (3, 0.5)
    for arguments, message in (
        ([table, "--out", "x.svg"], "--out x.svg: a page's name needs to end in .html or .htm."),
        ([table, "--out", "no/such/x.html"], "No such folder"),
        ([table, "--samples", "99"], "--samples 99: t.csv has 40 rows."),
        ([table, "--eta", "-1"], "--eta needs to be finite and at least 0; got -1."),
        (["none.csv"], "No such file"),
    ):
        assert run(["report", "m", *arguments]) == 2
        said = capsys.readouterr().err
        assert message in said
        assert said.count("\n") == 1


def test_fit_writes_a_page_of_its_training(table: str, capsys: pytest.CaptureFixture[str]) -> None:
    fit = ["fit", table, "--target", "b", "--hidden", "3", "--out", "m2"]
    assert run([*fit, "--epochs", "3", "--report", "run.html"]) == 0
    assert capsys.readouterr().out.splitlines()[-2:] == ["saved m2", "wrote run.html"]
    page = Reader(Path("run.html").read_text(encoding="utf-8"))
    rows = [int(name.split(":")[0].removeprefix("row ")) for name in page.record["samples"]]
    assert rows == sorted(rows)
    assert len(rows) == 5
    labels = ["the start", "update 1, epoch 1", "update 2, epoch 2", "update 3, epoch 3"]
    assert [state["label"] for state in page.record["states"]] == labels
    learnt = Record(samples=[row - 1 for row in rows])  # of those held out, none
    model = TableModel(hidden=(3,))
    model.fit(table, "b", epochs=1, record=learnt)
    assert learnt.x is not None
    assert all((x == model.network.trace(x, 1).x).all() for x in learnt.x)
    assert run([*fit, "--epochs", "3", "--optimizer", "lbfgs", "--report", "whole.html"]) == 0
    page = Reader(Path("whole.html").read_text(encoding="utf-8"))
    assert len(page.record["states"]) == 1  # of all rows at once there are no updates to record
    Path("one.csv").write_text("a,b\n" + "1,yes\n2,no\n" * 2)
    assert run(["fit", "one.csv", "--target", "b", "--no-validation", "--report", "few.html", "--epochs", "1"]) == 0
    capsys.readouterr()
    for arguments, message in (
        (["--report", "x.svg"], "--report x.svg: a page's name needs to end in .html or .htm."),
        (["--report", "no/such/x.html"], "No such folder"),
        (["--report", "m3.html", "--out", "m3.html"], "--report m3.html is the same file as --out."),
        (["--report", table], "--report t.csv is the same file as the table."),
    ):
        assert run([*fit, *arguments]) == 2
        said = capsys.readouterr().err
        assert message in said
        assert said.count("\n") == 1


def test_fit_resumed_writes_a_page_of_what_it_did_itself(table: str, capsys: pytest.CaptureFixture[str]) -> None:
    fit = ["fit", table, "--target", "b", "--hidden", "3", "--out", "m2", "--epochs", "9", "--report", "run.html"]
    assert run([*fit, "--checkpoint", "run", "--time-budget", "1e-9"]) == 0
    Path("run.html").unlink()
    assert run(["fit", "--resume", "run", "--time-budget", "60"]) == 0
    assert capsys.readouterr().out.splitlines()[-2:] == ["saved m2", "wrote run.html"]
    first = Reader(Path("run.html").read_text(encoding="utf-8")).record["states"]
    assert [state["label"] for state in first][:2] == ["the start", "update 1, epoch 2"]
    Path("run.html").unlink()
    assert run(["fit", "--resume", "run"]) == 0  # it is done: there is only the model
    assert len(Reader(Path("run.html").read_text(encoding="utf-8")).record["states"]) == 1
    Path("run.html").write_text("a stranger's")
    assert run(["fit", "--resume", "run"]) == 2
    assert "where run has the page go, is there: give --report again." in capsys.readouterr().err


def test_a_recorded_run(tmp_path: Path) -> None:
    """From update to update, the first and the last among them, with the record's samples and its first η."""
    net = network([3, 4, 1])
    X, R = samples(net, 20)
    kept = Record(every=7, samples=[4, 0])
    net.fit(X, R, epochs=2, eta=[0.2, 0.1], record=kept)
    page = page_of(tmp_path, net, X, R, record=kept)
    assert kept.steps == (0, 7, 14, 21, 28, 35, 40)
    steps = ("7, epoch 1", "14, epoch 1", "21, epoch 2", "28, epoch 2", "35, epoch 2", "40, epoch 2")
    labels = ["the start", *(f"update {step}" for step in steps)]
    assert [state["label"] for state in page.record["states"]] == labels
    assert [state["eta"] for state in page.record["states"]] == [0.2] * 3 + [0.1] * 4
    assert page.record["samples"] == ["sample 4", "sample 0"]
    for k, step in enumerate(kept.steps):
        check_numbers(page, k, 1, kept.network(step).trace(X[0], R[0], eta=0.2 if k < 3 else 0.1))

    many = Record(every=1, samples=[0])
    net.fit(X, R, epochs=400, eta=0.01, record=many)
    page = page_of(tmp_path, net, X, R, record=many)
    labels = [state["label"] for state in page.record["states"]]
    assert (labels[0], labels[-1]) == ("the start", "update 8,000, epoch 402")
    assert len(labels) == 100
    assert (tmp_path / "report.html").stat().st_size < 2 * MIB


def test_records_that_a_page_cannot_be_made_of(tmp_path: Path) -> None:
    net = network([3, 4, 1])
    X, R = samples(net, 20)
    kept, other = Record(), network([3, 5, 1])
    for words, error, message in (
        ({"record": kept}, ValueError, "Record: it holds nothing yet"),
        ({"record": 3}, TypeError, "Network.report: record needs a deltaprop.Record; got 3."),
        ({"record": 3, "samples": [0]}, TypeError, "Network.report: record needs a deltaprop.Record; got 3."),
        ({"record": kept, "states": [("now", net)]}, TypeError, "give states or a record, not both"),
    ):
        with pytest.raises(error, match=re.escape(message)):
            net.report(X, R, tmp_path / "r.html", **words)  # type: ignore[arg-type]
    other.fit(X, R, epochs=1, record=kept)
    with pytest.raises(ValueError, match="state 'the start' is of another network"):
        net.report(X, R, tmp_path / "r.html", record=kept)
    assert not list(tmp_path.iterdir())


def test_the_page_says_what_training_did(table: str, tmp_path: Path) -> None:
    def notes(path: str) -> str:
        return html.unescape(re.sub(r"<[^>]+>", "", Path(path).read_text(encoding="utf-8").split("<section")[0]))

    net = network([3, 4, 1])
    X, R = samples(net, 20)
    history = net.fit(X, R, epochs=4, eta="0.5 / n", batch_size=5)
    net.report(X, R, "r.html", history=history)
    page = Reader(Path("r.html").read_text(encoding="utf-8"))
    assert page.record["states"][0]["eta"] == 0.125
    assert "The update here is a step of one sample alone, from the weights as they are." in notes("r.html")
    kept = Record(every=8)
    net.fit(X, R, epochs=4, eta="0.5 / n", eta_per="step", batch_size=5, record=kept)
    assert [kept.epoch_of(update) for update in (1, 4, 5, 16, 99)] == [5, 5, 6, 8, 8]
    assert kept.eta_of(6) == pytest.approx(0.5 / 6.25)
    assert kept.eta_of(1) == pytest.approx(0.1)
    net.report(X, R, "r.html", record=kept)
    assert "in training 5 samples together made each" in notes("r.html")
    assert "0.1 to" in notes("r.html")
    net.fit(X, R, epochs=3, optimizer="lbfgs")
    net.report(X, R, "r.html", history=History(eta=[1.0], E=[0.5]))
    assert "Training was by lbfgs, of all samples at once; the update here is plain descent's, of one." in notes(
        "r.html"
    )
    assert Reader(Path("r.html").read_text(encoding="utf-8")).record["states"][0]["eta"] == 0.1
    model = TableModel(hidden=(3,))
    model.fit(table, "size", epochs=2, batch_size=4)
    model.report(table, "r.html")
    target = model.target
    assert isinstance(target, Quantity)
    assert f"y and r are the network's own numbers: size is {target.scale:.6g} r + {target.mean:.6g}." in notes(
        "r.html"
    )
    assert "in training 4 samples together made each" in notes("r.html")


def test_a_record_of_a_wide_network_shows_fewer_samples_and_more_updates(tmp_path: Path) -> None:
    net = network([200, 30, 2])
    X, R = samples(net, 30)
    kept = Record(every=1, samples=range(20))
    net.fit(X, R, epochs=2, record=kept)
    record = page_of(tmp_path, net, X, R, record=kept).record
    assert len(record["samples"]) == 1
    assert len(record["states"]) >= 5
    assert (tmp_path / "report.html").stat().st_size < 6 * MIB


def test_a_network_too_large_for_a_page_is_trained_and_evaluated(
    table: str, capsys: pytest.CaptureFixture[str]
) -> None:
    fit = ["fit", table, "--target", "b", "--hidden", "2000,2000", "--epochs", "1", "--out", "m2"]
    assert run([*fit, "--report", "big.html"]) == 2
    out, err = capsys.readouterr()
    assert "saved m2" in out
    assert "accuracy" in out
    assert "The network is too large for a page" in err.splitlines()[-1]
    assert not Path("big.html").exists()


def test_notebooks_show_networks(table: str) -> None:
    import deltaprop

    net = network([2, 3, 1])
    assert str(net.draw()) in net._repr_html_()
    assert "h=[" in net._repr_html_()
    assert "<svg" not in TableModel()._repr_html_()
    model = deltaprop.load("m")
    assert isinstance(model, TableModel)
    assert "<svg" in model._repr_html_()
