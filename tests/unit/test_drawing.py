"""Drawings: a trace's numbers, where they can be read."""

import re
from itertools import combinations
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

from deltaprop import Network, TableModel
from deltaprop.cli import run
from deltaprop.inspection.drawing.svg import number, width_of
from problems import samples

SVG = "{http://www.w3.org/2000/svg}"
SHAPES = [[1, 1], [2, 4, 1], [3, 3, 3], [4, 4, 4], [8, 8, 8], [9, 1, 9], [30, 16, 8, 3], [784, 128, 10]]


def made(layers: list[int], **arguments: Any) -> tuple[Network, np.ndarray, np.ndarray]:
    net = Network(layers, h="tanh", seed=4, **arguments)
    X, R = samples(net, 1)
    return net, X[0], R[0]


def texts(svg: str) -> list[tuple[float, float, float, float, str]]:
    """Left, top, right, bottom of each text, about, and its words."""
    found = []
    for text in ElementTree.fromstring(svg).iter(SVG + "text"):
        size, x, y = (float(text.attrib[name]) for name in ("font-size", "x", "y"))
        wide = width_of(text.text or "", size)
        left = x - {"start": 0.0, "middle": wide / 2, "end": wide}[text.attrib["text-anchor"]]
        found.append((left, y - 0.75 * size, left + wide, y + 0.1 * size, text.text or ""))
    return found


def check_room(svg: str) -> None:
    _, _, width, height = map(float, ElementTree.fromstring(svg).attrib["viewBox"].split())
    boxes = texts(svg)
    for left, top, right, bottom, words in boxes:
        assert left >= 0 and top >= 0 and right <= width and bottom <= height, words  # noqa: PT018
    for one, other in combinations(boxes, 2):
        apart = one[2] <= other[0] or other[2] <= one[0] or one[3] <= other[1] or other[3] <= one[1]
        assert apart, (one, other)


@pytest.mark.parametrize("layers", SHAPES, ids=str)
def test_no_text_lies_on_another(layers: list[int]) -> None:
    net, x, r = made(layers)
    for scale in (1.0, 1e-5, -1e9):
        check_room(str(net.draw(scale * x, r)))
    check_room(str(net.draw()))
    for unit in ("z1.1", "y" if layers[-1] == 1 else "y1"):
        if len(layers) > 2 or unit[0] == "y":
            check_room(str(net.draw(x, r, unit=unit)))


def test_the_numbers_are_the_traces() -> None:
    net, x, r = made([2, 3, 2], output="softmax", loss="cross_entropy")
    t = net.trace(x, r)
    shown = [words for *_, words in texts(str(net.draw(x, r)))]
    expected = [*t.x, *t.layers[0].z, *t.y, *t.layers[0].W.ravel(), *t.layers[1].W.ravel()]
    for value in expected:
        assert number(float(value)) in shown
    for layer in t.layers:
        for delta in layer.delta:
            assert f"δ {number(float(delta))}" in shown
    assert f"E = {number(t.E)}" in shown
    described = ElementTree.fromstring(str(net.draw(x, r))).find(SVG + "desc")
    assert described is not None
    assert f"δ z1.2 = {number(float(t.layers[0].delta[1]))}" in (described.text or "")


def test_signs_and_sizes_of_weights_are_in_the_lines() -> None:
    net = Network([3, 1], bias=False)
    net.theta = [2.0, -1.0, 0.0]
    lines = list(ElementTree.fromstring(str(net.draw([1, 1, 1], 1))).iter(SVG + "line"))
    widths = [float(line.attrib["stroke-width"]) for line in lines]
    assert widths[0] > widths[1] > widths[2]
    assert ["stroke-dasharray" in line.attrib for line in lines] == [False, True, False]


def test_one_unit_forward_and_back() -> None:
    """The lecture's δ_j = z_j (1 − z_j) δ_y v_j: z = ½, δ_y = −½, v = 0.8."""
    net = Network([2, 2, 1], bias=False)
    net.theta = [0, 0, 0, 0, 0.8, -0.8]
    shown = [words for *_, words in texts(str(net.draw([1, 2], 1, unit="z1.1")))]
    assert "δ = h′(a) Σ δ w = 0.25 · (−0.4) = −0.1" in shown
    assert "z = h(a) = 0.5, h = sigmoid, h′(a) = 0.25" in shown
    assert {"z1.1", "x1", "x2", "y", "w 0.8", "δ −0.5"} <= set(shown)


def test_both_colour_schemes_and_no_name_breaks_out() -> None:
    from deltaprop.inspection.drawing import draw

    net, x, r = made([1, 1])
    svg = str(draw(net, x, r, inputs=["</text><script>"], outputs=['"&<é']))
    assert "prefers-color-scheme: dark" in svg
    assert "<script" not in svg
    assert "</text><script>" in [words for *_, words in texts(svg)]


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"x": [1, 2]}, TypeError, "numbers need a sample, x and r; got no r"),
        ({"r": 1}, TypeError, "got no x"),
        ({"unit": "y"}, TypeError, "a unit is drawn with the numbers of a sample"),
        ({"x": [[1, 2], [3, 4]], "r": [0, 1]}, ValueError, "x needs one sample; got 2"),
        ({"x": [1, 2, 3], "r": 0}, ValueError, "x needs 2 inputs; got 3"),
        ({"x": [1, 2], "r": 0, "unit": "z11"}, ValueError, "no unit is called 'z11'. Did you mean 'z1.1'?"),
    ],
)
def test_what_cannot_be_drawn(arguments: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=re.escape(message)):
        Network([2, 3, 1]).draw(**arguments)


def test_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("pyarrow")
    monkeypatch.chdir(tmp_path)
    Path("t.csv").write_text("a,b\n" + "".join(f"{k},{'no' if k % 3 else 'yes'}\n" for k in range(40)))
    assert run(["fit", "t.csv", "--target", "b", "--hidden", "3", "--epochs", "2", "--out", "m"]) == 0
    assert run(["draw", "m"]) == 0
    assert run(["draw", "m", "t.csv", "--row", "3", "--out", "row.svg"]) == 0
    assert run(["draw", "m", "t.csv", "--row", "3", "--unit", "z1.2", "--out", "unit.svg"]) == 0
    assert capsys.readouterr().out.splitlines()[-3:] == ["drew network.svg", "drew row.svg", "drew unit.svg"]
    model = TableModel.load("m") if hasattr(TableModel, "load") else None
    for name in ("network", "row", "unit"):
        ElementTree.fromstring(Path(f"{name}.svg").read_text())
    assert "P(yes)" in Path("row.svg").read_text()
    assert model is None or str(model.draw("t.csv", 2)) == Path("row.svg").read_text()
    for arguments, message in (
        (["--out", "x.png"], "--out x.png: a drawing's name needs to end in .svg."),
        (["--unit", "y"], "--unit needs a TABLE"),
        (["t.csv", "--row", "99"], "--row 99: t.csv has 40 rows."),
        (["t.csv", "--unit", "z9"], "--unit: no unit is called 'z9'."),
        (["--out", "no/such/x.svg"], "No such folder"),
    ):
        assert run(["draw", "m", *arguments]) == 2
        assert message in capsys.readouterr().err
