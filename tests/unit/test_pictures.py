"""Pictures by matplotlib: the engine's numbers, where they belong, by their names."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

from deltaprop import Network, TableModel
from deltaprop.cli import run
from problems import samples

pytest.importorskip("matplotlib")

from deltaprop.inspection.pictures.weights import thinned
from deltaprop.picture import Picture

SVG = "{http://www.w3.org/2000/svg}"
XOR = np.array([[0.0, 0], [0, 1], [1, 0], [1, 1]])
R_XOR = np.array([0.0, 1, 1, 0])
SHAPES = [[1, 1], [2, 1], [2, 2, 1], [2, *[3] * 5, 1], [30, 16, 8, 3], [9, 1, 9], [784, 30, 10], [3, 120, 2]]


def made(layers: list[int], **arguments: Any) -> tuple[Network, np.ndarray, np.ndarray]:
    net = Network(layers, h="tanh", seed=4, **arguments)
    return net, *samples(net, 12)


def titled(picture: Picture) -> dict[str, Any]:
    """The panels by the first line of their title."""
    return {axes.get_title().partition("\n")[0]: axes for axes in picture.figure.axes if axes.get_title()}


def shown(axes: Any, image: int = 0) -> np.ndarray:
    return np.asarray(axes.images[image].get_array())


def main_panel(picture: Picture) -> Any:
    """The panel whose axes are named."""
    return next(axes for axes in picture.figure.axes if axes.get_xlabel() and axes.images)


def texts_apart(picture: Picture) -> None:
    """No words on other words, and none cut by the picture's edge, as matplotlib lays them out."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.text import Text

    from deltaprop.picture import look

    with look():
        canvas = FigureCanvasAgg(picture.figure)
        canvas.draw()
    drawn = canvas.get_renderer()
    beyond = set()  # labels of ticks that are not in sight
    for axes in picture.figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
            low, high = sorted(axis.get_view_interval())
            room = 1e-6 * (high - low)
            for tick in [*axis.get_major_ticks(), *axis.get_minor_ticks()]:
                if not low - room <= tick.get_loc() <= high + room:
                    beyond |= {tick.label1, tick.label2}
    words = [t for t in picture.figure.findobj(Text) if t.get_visible() and t.get_text().strip() and t not in beyond]
    boxes = [(t.get_window_extent(drawn), t.get_text()) for t in words if t.axes is None or t.axes.get_visible()]
    boxes = [(box, text) for box, text in boxes if box.width]
    width, height = canvas.get_width_height()
    for k, (box, text) in enumerate(boxes):
        assert max(-box.x0, box.x1 - width, -box.y0, box.y1 - height) <= 1, text
        for other, more in boxes[k + 1 :]:
            over = min(box.x1, other.x1) - max(box.x0, other.x0), min(box.y1, other.y1) - max(box.y0, other.y0)
            assert min(over) <= 1.5, (text, more)


# ---- weights ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("layers", SHAPES, ids=str)
def test_a_heat_map_has_the_weights_and_the_gradient(layers: list[int]) -> None:
    net, X, R = made(layers, output="softmax" if layers[-1] > 1 else "sigmoid",
                     loss="cross_entropy" if layers[-1] > 1 else "log")  # fmt: skip
    panels = titled(net.plot_weights(X, R))
    gradient, at = net.gradient(X, R), 0
    for k, (W, b) in enumerate(zip(net.W, net.b, strict=True)):
        np.testing.assert_array_equal(shown(panels[f"W[{k}]"]), W)
        np.testing.assert_array_equal(shown(panels[f"W[{k}]"], 1), b[None])
        dW, db = gradient[at : at + W.size], gradient[at + W.size : at + W.size + b.size]
        np.testing.assert_array_equal(shown(panels[f"∂E/∂W[{k}]"]), dW.reshape(W.shape))
        np.testing.assert_array_equal(shown(panels[f"∂E/∂W[{k}]"], 1), db[None])
        at += W.size + b.size
        for image in panels[f"W[{k}]"].images:
            assert image.get_clim() == (-max(abs(W).max(), abs(b).max()), max(abs(W).max(), abs(b).max()))


@pytest.mark.parametrize("layers", SHAPES, ids=str)
def test_no_words_lie_on_others(layers: list[int]) -> None:
    net, X, R = made(layers)
    texts_apart(net.plot_weights(X, R) if net.n_parameters < 1000 else net.plot_weights())
    names = [f"a rather long name of a column, number {k} in $" for k in range(layers[0])]
    labels = [f"P(a label of many words {k})" for k in range(layers[-1])]
    texts_apart(net.plot_weights(inputs=names, outputs=labels))
    texts_apart(net.plot_activation(X))
    if layers[0] > 1:
        texts_apart(net.plot_boundary(X, R, inputs=names, outputs=labels, grid=11))


def test_rows_are_what_weights_come_from_and_columns_what_they_lead_to() -> None:
    net = Network([3, 2, 1])
    panels = titled(net.plot_weights(inputs=["length", "width", "US$"], outputs=["P(yes)"]))
    first, second = panels["W[0]"], panels["W[1]"]
    assert first.get_title().endswith("inputs → layer 1")
    assert [t.get_text() for t in first.get_yticklabels()] == ["length", "width", r"US\$", "bias"]
    assert [t.get_text() for t in first.get_xticklabels()] == ["z1.1", "z1.2"]
    assert [t.get_text() for t in second.get_yticklabels()] == ["z1.1", "z1.2", "bias"]
    assert [t.get_text() for t in second.get_xticklabels()] == ["P(yes)"]
    assert {t.get_text() for t in second.texts} >= {f"{float(w):.3g}".replace("-", "−") for w in net.W[1].ravel()}


def test_the_gradient_of_one_sample_is_the_traces() -> None:
    net, X, R = made([3, 4, 2])
    panels = titled(net.plot_weights(X[0], R[0]))
    t = net.trace(X[0], R[0])
    for k, layer in enumerate(t.layers):
        np.testing.assert_allclose(shown(panels[f"∂E/∂W[{k}]"]), layer.dW, rtol=1e-12)
    assert net.plot_weights(X[0], R[0]).title.endswith("∂E/∂w of one sample")
    assert net.plot_weights(X, R).title.endswith("mean over 12 samples")


def test_layers_are_chosen_and_biases_may_be_none() -> None:
    net = Network([2, 3, 3, 1], bias=False)
    panels = titled(net.plot_weights(layers=[1, -1]))
    assert list(panels) == ["W[1]", "W[2]"]
    assert all(len(axes.images) == 1 for axes in panels.values())
    zero = Network([2, 1])
    zero.theta = np.zeros(3)
    assert titled(zero.plot_weights())["W[0]"].images[0].get_clim() == (-1.0, 1.0)


def test_weights_of_pixels_as_images() -> None:
    net = Network([12, 70, 1])
    picture = net.plot_weights(image=(3, 4))
    panels = titled(picture)
    assert len(panels) == 60
    np.testing.assert_array_equal(shown(panels["z1.7"]), net.W[0][:, 6].reshape(3, 4))
    assert "the first 60 of 70 units" in picture.figure.get_suptitle()
    texts_apart(Network([784, 30, 10]).plot_weights(image=(28, 28)))
    for image, message in (
        ((4, 4), "an image of 4 by 4 is 16 inputs; the network has 12."),
        ((12,), "image needs the"),
    ):
        with pytest.raises(ValueError, match=re.escape(message)):
            net.plot_weights(image=image)
    with pytest.raises(TypeError, match="image is of W\\[0\\] alone"):
        net.plot_weights(image=(3, 4), layers=0)


@pytest.mark.parametrize("n", [1, 2, 9, 10, 40, 784, 12345])
def test_names_that_have_no_room_are_left_out_evenly(n: int) -> None:
    places = thinned(n, 4.0)
    assert places[0] == 0
    assert places[-1] == n - 1
    assert places == sorted(set(places))
    assert len(places) <= 28
    between = np.diff(places)[1:-1]
    assert len(set(between.tolist())) <= 1


# ---- planes -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("h", ["tanh", "relu", "a / (1 + abs(a))"])
def test_the_plane_has_the_engines_numbers(h: str, dtype: str) -> None:
    net = Network([4, 5, 3, 1], h=h, dtype=dtype, seed=3)
    X, R = samples(net, 20)
    picture = net.plot_boundary(X, R, over=(2, 0), grid=7)
    axes = main_panel(picture)
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("x3", "x1")
    left, right, bottom, top = axes.images[0].get_extent()
    wide, high = (right - left) / 7, (top - bottom) / 7
    points = np.tile(np.asarray(X, dtype).mean(axis=0), (49, 1))
    points[:, 2] = np.tile(left + wide * (np.arange(7) + 0.5), 7)
    points[:, 0] = np.repeat(bottom + high * (np.arange(7) + 0.5), 7)
    close = {"rtol": 2e-5, "atol": 2e-6} if dtype == "float32" else {"rtol": 1e-12, "atol": 1e-14}
    np.testing.assert_allclose(shown(axes).ravel(), net.predict(points)[:, 0], **close)
    t = net.trace(points, np.zeros(49))
    panels = titled(picture)
    for k, n in enumerate(net.layers[1:-1]):
        for j in range(n):
            np.testing.assert_allclose(shown(panels[f"z{k + 1}.{j + 1}"]).ravel(), t.layers[k].z[:, j], **close)
    held = net.plot_boundary(X, R, over=(2, 0), grid=7, held=[0.5, 0, -1.0, 2])
    points[:, 1], points[:, 3] = 0, 2
    np.testing.assert_allclose(shown(main_panel(held)).ravel(), net.predict(points)[:, 0], **close)


def test_a_hidden_unit_of_the_first_layer_turns_on_a_line() -> None:
    net = Network([2, 1, 1], h="tanh")
    net.theta = [1.0, 1, -1, 1, 0]  # a = x1 + x2 − 1
    axes = titled(net.plot_boundary(XOR, R_XOR))["z1.1"]
    line = axes.collections[0].get_paths()[0].vertices
    np.testing.assert_allclose(line.sum(axis=1), 1, atol=1e-12)


def test_samples_are_in_their_places_with_a_marker_for_each_class() -> None:
    net = Network([2, 2, 1])
    axes = main_panel(net.plot_boundary(XOR, R_XOR))
    points = {c.get_label(): c for c in axes.collections if c.get_label().startswith("r = ")}
    assert {name: c.get_offsets().tolist() for name, c in points.items()} == {
        "r = 0": [[0, 0], [1, 1]],
        "r = 1": [[0, 1], [1, 0]],
    }
    shapes = [c.get_paths()[0].vertices.shape for c in points.values()]
    assert shapes[0] != shapes[1]


def test_many_classes_are_regions_of_the_largest_output() -> None:
    net = Network([2, 4, 14], output="softmax", loss="cross_entropy", seed=2)
    X = np.random.default_rng(0).normal(size=(60, 2))
    picture = net.plot_boundary(X, np.arange(60) % 14, grid=9, outputs=[f"class {c}" for c in range(14)])
    axes = main_panel(picture)
    values = shown(axes).ravel()
    assert set(values) <= set(range(14))
    assert "class" in picture.words
    assert not picture.figure.subfigs[-1].legends  # more classes than a legend tells apart: their regions have names
    there = {f"class {c:.0f}" for c in set(values)}
    assert {text.get_text() for text in axes.texts} == there
    grid = np.stack(np.meshgrid(*(np.linspace(*limits, 9) for limits in (axes.get_xlim(), axes.get_ylim()))), axis=-1)
    for text in axes.texts:
        place = np.abs(grid - text.get_position()).sum(axis=-1).argmin()
        assert text.get_text() == f"class {values[place]:.0f}"
    looks = {
        (tuple(c.get_facecolor()[0]), c.get_paths()[0].vertices.tobytes())
        for c in axes.collections
        if len(c.get_offsets()) > 1
    }
    assert len(looks) == 14


def test_quantities_and_several_decisions() -> None:
    rng = np.random.default_rng(1)
    X = rng.normal(size=(30, 3))
    net = Network([3, 4, 2], output="identity", loss="squared_error")
    picture = net.plot_boundary(X, X[:, :2] ** 2, most=0, grid=5)
    assert list(titled(picture)) == ["y1", "y2"]
    several = Network([3, 4, 2]).plot_boundary(X, X[:, :2] > 0, most=0, grid=5)
    assert "y1: r = 1 on " in several.words
    hinge = Network([3, 4, 1], h="tanh", output="identity", loss="hinge")
    assert "boundary, y = 0" in [
        t.get_text() for t in hinge.plot_boundary(X, X[:, 0] > 0, grid=21).figure.subfigs[-1].legends[0].get_texts()
    ]
    alone = Network([3, 4, 1]).plot_boundary(X, grid=5)
    assert not [c for c in main_panel(alone).collections if c.get_label() == "r = 0"]


def test_units_beyond_the_most_are_counted() -> None:
    net, X, R = made([3, 20, 1])
    picture = net.plot_boundary(X, R, most=6, grid=5)
    assert [name for name in titled(picture) if name.startswith("z")] == [f"z1.{j}" for j in range(1, 7)]
    assert picture.figure.subfigs[0].get_suptitle().endswith("the first 6 of 20 units")
    many = np.random.default_rng(0).normal(size=(4001, 3))
    crowd = net.plot_boundary(many, (many[:, 0] > 0).astype(float), most=0, grid=5)
    assert "of 4,001 samples every 3rd is drawn" in crowd.figure.subfigs[0].get_suptitle()


def test_numbers_that_are_not_finite_are_left_blank() -> None:
    X = np.random.default_rng(0).normal(size=(20, 2))
    net = Network([2, 3, 1], h="relu", output="exp", loss="poisson")
    net.theta = net.theta * 300
    axes = main_panel(net.plot_boundary(X * 10, np.ones(20), grid=9))
    assert np.isfinite(axes.images[0].get_clim()).all()
    holes = Network([2, 3, 1], h="log(a)").plot_boundary(X, X[:, 0] > 0, grid=9)
    panel = titled(holes)["z1.1"]
    assert np.isfinite(panel.images[0].get_clim()).all()
    assert np.ma.masked_invalid(shown(panel)).mask.any()
    holes.data(".png")


def test_sparse_samples() -> None:
    sparse = pytest.importorskip("scipy.sparse")
    net, X, R = made([5, 3, 1])
    same = net.plot_boundary(sparse.csr_matrix(X), R, grid=5)
    np.testing.assert_array_equal(shown(main_panel(same)), shown(main_panel(net.plot_boundary(X, R, grid=5))))
    net.plot_weights(sparse.csr_matrix(X), R)
    net.plot_activation(sparse.csr_matrix(X))


# ---- h and h′, loss -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("h", ["sigmoid", "leaky_relu:slope=0.1", "a / (1 + a**2)"])
def test_h_and_its_derivative_are_the_traces(h: str) -> None:
    net = Network([1, 1], output=h, loss="squared_error")
    net.theta = [1, 0]
    axes = net.plot_activation().figure.axes[0]
    lines = {line.get_label(): line for line in axes.lines}
    a = np.asarray(lines["h(a)"].get_xdata())
    t = net.trace(a[:, None], np.zeros(len(a)))
    np.testing.assert_array_equal(lines["h(a)"].get_ydata(), t.y[:, 0])
    np.testing.assert_array_equal(lines["h′(a)"].get_ydata(), t.layers[0].dh[:, 0])


def test_each_h_once_or_each_layer_with_its_samples() -> None:
    net = Network([2, 3, 3, 4], h=["relu", "relu"], output="softmax", loss="cross_entropy")
    assert list(titled(net.plot_activation())) == ["layers 1, 2: relu"]
    picture = net.plot_activation(XOR)
    assert list(titled(picture)) == ["layer 1: relu", "layer 2: relu"]
    bars = picture.figure.axes[0].patches
    t = net.trace(XOR, [0, 1, 2, 3])
    counts, _ = np.histogram(t.layers[0].a, bins=40, range=(-5, 5))
    heights = np.array([bar.get_height() for bar in bars])
    np.testing.assert_allclose(heights / heights.max(), counts / counts.max())


def test_a_function_that_has_no_value_everywhere() -> None:
    axes = Network([1, 2, 1], h="log(a)").plot_activation(layers=0).figure.axes[0]
    lines = {line.get_label(): line for line in axes.lines}
    a = np.asarray(lines["h(a)"].get_xdata())
    assert np.isnan(np.asarray(lines["h(a)"].get_ydata())[a < 0]).all()
    assert np.isnan(np.asarray(lines["h′(a)"].get_ydata())[a < 0]).all()


def test_loss_curves_have_the_historys_numbers() -> None:
    X = np.random.default_rng(0).normal(size=(60, 2))
    R = (X[:, 0] > 0).astype(float)
    net = Network([2, 3, 1])
    history = net.fit(X, R, epochs=6, validation=(X[:20], R[:20]), metrics=["accuracy", "E"])
    picture = history.plot()
    loss, metrics = picture.figure.axes
    lines = {line.get_label(): line for line in loss.lines}
    assert lines["training, before each update"].get_ydata().tolist() == history.E
    assert lines["held out, after the epoch"].get_ydata().tolist() == history.E_validation
    assert {line.get_label() for line in metrics.lines} >= {"accuracy"}
    plain = Network([2, 3, 1]).fit(X, R, epochs=1).plot()
    assert len(plain.figure.axes) == 1
    texts_apart(picture)


# ---- files, and what stays as it was ------------------------------------------------------------------------------


def test_the_same_picture_is_the_same_bytes(tmp_path: Path) -> None:
    net, X, R = made([2, 3, 1])
    for make in (lambda: net.plot_weights(X, R), lambda: net.plot_boundary(X, R, grid=9)):
        assert make().data(".svg") == make().data(".svg")
    for suffix in (".png", ".pdf"):
        assert net.plot_activation().data(suffix) == net.plot_activation().data(suffix)
    net.plot_activation().save(tmp_path / "p.PNG")
    assert (tmp_path / "p.PNG").read_bytes().startswith(b"\x89PNG")
    with pytest.raises(ValueError, match=re.escape("A picture needs to be one of .png, .svg, .pdf; got '.gif'.")):
        net.plot_weights().save(tmp_path / "p.gif")


def test_an_svg_says_what_it_shows_in_light_and_dark() -> None:
    net = Network([2, 2, 1])
    picture = net.plot_boundary(XOR, R_XOR, inputs=["</title><script>", "&<"])
    root = ElementTree.fromstring(picture.data(".svg"))
    assert root.attrib["role"] == "img"
    title, words = root.find(SVG + "title"), root.find(SVG + "desc")
    assert title is not None
    assert title.text == picture.title == "The decision boundary over </title><script> and &<"
    assert words is not None
    assert "r = 1 on " in (words.text or "")
    assert not list(root.iter(SVG + "script"))
    style = root.find(SVG + "style")
    assert style is not None
    assert "prefers-color-scheme: dark" in (style.text or "")
    assert picture._repr_png_().startswith(b"\x89PNG")


def test_pyplot_is_not_touched_and_neither_are_its_settings() -> None:
    code = (
        "import sys, matplotlib; matplotlib.rcParams['font.size'] = 33; before = matplotlib.rcParams.copy()\n"
        "from deltaprop import Network\n"
        "net = Network([2, 2, 1]); X, R = [[0, 0], [0, 1]], [0, 1]\n"
        "net.plot_weights(X, R).data('.png'); net.plot_boundary(X, R).data('.svg')\n"
        "net.plot_activation(X).data('.pdf'); net.fit(X, R, epochs=2).plot().data('.png')\n"
        "assert 'matplotlib.pyplot' not in sys.modules\n"
        "assert {**matplotlib.rcParams.copy()} == {**before}\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_network_stays_as_it_was() -> None:
    net, X, R = made([3, 4, 1], dropout=0.5, l2=0.1)
    theta, presented = net.theta, net.presented
    net.plot_weights(X, R), net.plot_boundary(X, R, grid=5), net.plot_activation(X)
    np.testing.assert_array_equal(net.theta, theta)
    assert net.presented == presented


@pytest.mark.parametrize(
    ("verb", "arguments", "error", "message"),
    [
        ("plot_weights", {"X": XOR}, TypeError, "Network.plot_weights: ∂E/∂w needs samples, X and R; got no R."),
        ("plot_weights", {"layers": 2}, ValueError, "layers are those of W, 0 to 1 (−1 is the last); there is no 2."),
        ("plot_weights", {"layers": []}, ValueError, "layers needs at least one."),
        ("plot_weights", {"layers": "all"}, ValueError, "there is no 'a'."),
        ("plot_weights", {"inputs": ["a"]}, ValueError, "inputs needs 2 names; got 1."),
        ("plot_weights", {"X": [1, 2, 3], "R": 1}, ValueError, "x needs 2 inputs; got 3."),
        ("plot_boundary", {"X": XOR, "over": (0, 2)}, ValueError, "inputs are numbered 0 to 1; there is no 2."),
        ("plot_boundary", {"X": XOR, "over": (0,)}, ValueError, "over needs two inputs; got (0,)."),
        ("plot_boundary", {"X": XOR, "over": "ab"}, ValueError, "over needs two inputs; got 'ab'."),
        ("plot_boundary", {"X": XOR, "over": (1, 1)}, ValueError, "over needs two different inputs; got 'x2' twice."),
        ("plot_boundary", {"X": XOR, "over": ("x1", "x22")}, ValueError, "no input is called 'x22'. Did you mean"),
        ("plot_boundary", {"X": XOR, "held": [1]}, ValueError, "held needs a value for each of the 2 inputs; got"),
        ("plot_boundary", {"X": XOR, "grid": 1}, ValueError, "grid needs the points of a side"),
        ("plot_boundary", {"X": XOR, "most": -1}, ValueError, "most needs the number of units drawn of a layer"),
        ("plot_boundary", {"X": XOR, "R": [0, 1]}, ValueError, "Network.plot_boundary: R needs shape (4, 1) or (4,)"),
        ("plot_boundary", {"X": np.empty((0, 2))}, ValueError, "X has no rows, so there is no plane to look at."),
        ("plot_activation", {"layers": 5}, ValueError, "layers are those of W, 0 to 1"),
        ("plot_activation", {"X": [[1, 2, 3]]}, ValueError, "Network.plot_activation: X needs shape (n, 2)"),
    ],
)  # fmt: skip
def test_what_cannot_be_drawn(verb: str, arguments: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=re.escape(message)) as raised:
        getattr(Network([2, 3, 1]), verb)(**arguments)
    assert "\n" not in str(raised.value)


def test_a_plane_needs_two_inputs_and_a_curve_one_unit() -> None:
    with pytest.raises(ValueError, match="a plane needs two inputs; this network has one"):
        Network([1, 3, 1]).plot_boundary([[1.0]], [1])
    with pytest.raises(ValueError, match="softmax is a function of all units of its layer"):
        Network([2, 3], output="softmax", loss="cross_entropy").plot_activation()


def test_without_matplotlib(monkeypatch: pytest.MonkeyPatch) -> None:
    from deltaprop.errors import MissingExtraError

    def missing(name: str) -> Any:
        raise ModuleNotFoundError(f"No module named {name!r}", name="matplotlib")

    monkeypatch.setattr("deltaprop.errors.importlib.import_module", missing)
    for make in (lambda: Network([2, 1]).plot_weights(), lambda: Network([2, 1]).fit(XOR, R_XOR, epochs=1).plot()):
        with pytest.raises(MissingExtraError, match=re.escape("pip install 'deltaprop[plot]'")):
            make()


# ---- tables -------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def table() -> dict[str, Any]:
    rng = np.random.default_rng(0)
    n = 80
    height, weight = rng.normal(170, 10, n), rng.normal(70, 12, n)
    eyes = rng.choice(["blue", "brown", "green"], n, p=[0.2, 0.6, 0.2])
    weight[3] = np.nan
    return {
        "height": height, "weight": weight, "eyes": eyes, "smokes": rng.random(n) > 0.5,
        "tall": np.where(height + rng.normal(0, 3, n) > 170, "yes", "no"), "age": 2 * height - 300,
    }  # fmt: skip


def without(table: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: values for key, values in table.items() if key != name}


def test_columns_in_their_own_units(table: dict[str, Any]) -> None:
    pytest.importorskip("pyarrow")
    model = TableModel(hidden=(3,))
    data = without(table, "age")
    model.fit(data, "tall", epochs=3)
    picture = model.plot_boundary(data, ("height", "weight"), grid=5)
    axes = main_panel(picture)
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("height", "weight")
    left, right, bottom, top = axes.images[0].get_extent()
    x = left + (right - left) / 5 * (np.arange(5) + 0.5)
    y = bottom + (top - bottom) / 5 * (np.arange(5) + 0.5)
    rows = {
        "height": np.tile(x, 5), "weight": np.repeat(y, 5), "eyes": ["brown"] * 25,
        "smokes": np.full(25, table["smokes"].mean()),
    }  # fmt: skip
    np.testing.assert_allclose(shown(axes).ravel(), model.predict_proba(rows)[:, 1], rtol=1e-9)
    points = {c.get_label(): c.get_offsets() for c in axes.collections if c.get_label() in ("yes", "no")}
    assert len(points["yes"]) + len(points["no"]) == 79  # one has no weight
    assert "the 2 other columns at their mean or most frequent text" in picture.words
    row = model.plot_boundary(data, ("height", "weight"), row=7, grid=5)
    rows |= {"eyes": [table["eyes"][7]] * 25, "smokes": [bool(table["smokes"][7])] * 25}
    np.testing.assert_allclose(shown(main_panel(row)).ravel(), model.predict_proba(rows)[:, 1], rtol=1e-9)
    assert "as in row 8" in row.words
    texts_apart(picture)
    new = model.plot_boundary(without(data, "tall"), ("height", "weight"), grid=5)
    assert not [c for c in main_panel(new).collections if c.get_label() in ("yes", "no")]


def test_a_quantity_in_its_own_unit(table: dict[str, Any]) -> None:
    pytest.importorskip("pyarrow")
    model = TableModel(hidden=(3,))
    data = without(table, "tall")
    model.fit(data, "age", epochs=30)
    axes = main_panel(model.plot_boundary(data, ("height", "weight"), grid=5))
    low, high = axes.images[0].get_clim()
    assert low <= min(table["age"])
    assert high >= max(table["age"])
    weights = titled(model.plot_weights(data))
    assert [t.get_text() for t in weights["W[0]"].get_yticklabels()][:2] == ["height", "weight"]
    R = model.target.encode(model.read(data).column("age"))[0]
    gradient = model.network.gradient(model.encoder.encode(model.read(data)), R)
    np.testing.assert_array_equal(shown(weights["∂E/∂W[0]"]).ravel(), gradient[: model.network.W[0].size])
    assert "∂E/∂w of one sample" in model.plot_weights(data, 4).title
    assert list(titled(model.plot_activation(data))) == ["layer 1: tanh", "output: identity"]


def test_columns_that_cannot_be_drawn(table: dict[str, Any]) -> None:
    pytest.importorskip("pyarrow")
    from deltaprop import NotFittedError, TableError

    model = TableModel(hidden=(3,))
    with pytest.raises(NotFittedError):
        model.plot_boundary(table, ("height", "weight"))
    model.fit(without(table, "age"), "tall", epochs=1)
    for over, message in (
        (("height", "wieght"), "the model has no column 'wieght'. Did you mean 'weight'? Of numbers there are: height"),
        (("height", "eyes"), "column 'eyes' holds text, and a plane is over numbers."),
        (("height", "height"), "over needs two different columns; got 'height' twice."),
        (("height", "age"), "the model has no column 'age'."),
    ):
        with pytest.raises(TableError, match=re.escape(f"TableModel.plot_boundary: {message}")):
            model.plot_boundary(table, over)
    with pytest.raises(ValueError, match="over needs two inputs"):
        model.plot_boundary(table, ("height",))
    with pytest.raises(IndexError, match="there is no row 80"):
        model.plot_boundary(table, ("height", "weight"), row=80)
    with pytest.raises(TableError, match="lacks the column 'eyes'"):
        model.plot_boundary(without(table, "eyes"), ("height", "weight"))
    with pytest.raises(TypeError, match="a row needs a table"):
        model.plot_weights(row=1)


def test_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("pyarrow")
    monkeypatch.chdir(tmp_path)
    rows = "".join(f"{k % 7},{k % 5},{'xyz'[k % 3]},{'no' if k % 7 > k % 5 else 'yes'}\n" for k in range(60))
    Path("t.csv").write_text("a,b,c,d\n" + rows)
    assert run(["fit", "t.csv", "--target", "d", "--hidden", "3", "--epochs", "2", "--out", "m"]) == 0
    for arguments in (
        ["--weights"],
        ["t.csv", "--weights", "--row", "2", "--out", "w.png"],
        ["t.csv", "--boundary", "a", "b"],
        ["t.csv", "--boundary", "a", "b", "--row", "9", "--out", "b.pdf"],
        ["t.csv", "--activation", "--out", "h.svg"],
        ["--activation"],
    ):
        assert run(["draw", "m", *arguments]) == 0
    said = capsys.readouterr().out.splitlines()
    names = ["weights.svg", "w.png", "boundary.svg", "b.pdf", "h.svg", "activation.svg"]
    assert said[-6:] == [f"drew {name}" for name in names]
    assert all(Path(name).stat().st_size > 1000 for name in names)
    for arguments, message in (
        (["--boundary", "a", "b"], "--boundary needs a TABLE: the plane is over two of its columns."),
        (["--weights", "--activation"], "--weights and --activation: one picture at a time."),
        (["--weights", "--row", "3"], "--row needs a TABLE"),
        (["--weights", "--out", "w.gif"], "--out w.gif: a picture's name needs to end in .png, .svg, .pdf."),
        (["t.csv", "--boundary", "a", "z"], "--boundary: the model has no column 'z'."),
        (["t.csv", "--boundary", "a", "c"], "--boundary: column 'c' holds text, and a plane is over numbers."),
        (["t.csv", "--activation", "--row", "3"], "--row is not of --activation, which takes all rows."),
        (["t.csv", "--weights", "--row", "99"], "--row 99: t.csv has 60 rows."),
    ):
        assert run(["draw", "m", *arguments]) == 2
        assert message in capsys.readouterr().err


# ---- pages --------------------------------------------------------------------------------------------------------

DOCS = Path(__file__).parent.parent.parent / "docs"


def test_the_gallery_runs_and_shows_what_it_makes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import doctest

    pytest.importorskip("pyarrow")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "examples").symlink_to(DOCS.parent / "examples")
    text = (DOCS / "gallery.md").read_text(encoding="utf-8")
    examples = doctest.DocTestParser().get_doctest(text.replace("```", ""), {}, "gallery.md", "gallery.md", 0)
    failures: list[str] = []
    doctest.DocTestRunner().run(examples, out=failures.append)
    assert not failures, "".join(failures)
    shown_here = re.findall(r"!\[[^\]]{20,}\]\(gallery/([^)]+)\)", text)
    assert len(shown_here) == text.count("![") >= 8
    made = [path.name for path in tmp_path.glob("*.svg")]
    made += [path.with_suffix(".png").name for path in tmp_path.glob("*.html")]  # a page, photographed
    assert sorted(shown_here) == sorted(made)
    for name in shown_here:
        assert (DOCS / "gallery" / name).stat().st_size > 1000


@pytest.mark.parametrize("name", ["xor_one_update_at_a_time", "what_the_hidden_units_see"])
def test_a_tutorial_shows_what_its_examples_save(name: str) -> None:
    text = (DOCS / "tutorials" / f"{name}.md").read_text(encoding="utf-8")
    links = re.findall(r"!\[[^\]]{20,}\]\(pictures/([^)]+)\)", text)
    assert len(links) == text.count("![")
    assert sorted(links) == sorted(re.findall(r"\.save\(\"([^\"]+)\"\)", text))
    for link in links:
        root = ElementTree.parse(DOCS / "tutorials" / "pictures" / link).getroot()
        assert root.find(SVG + "title") is not None
