"""Network: construction, parameters, and a value among values."""

import copy
import pickle
import re

import numpy as np
import pytest

from deltaprop import Network
from problems import network, samples


def test_the_defaults() -> None:
    net = Network([2, 4, 1])
    assert (net.h, net.output, net.loss, net.bias, net.seed, net.dtype) == (
        ("sigmoid",),
        "sigmoid",
        "log",
        True,
        0,
        np.dtype("float64"),
    )
    assert repr(net) == (
        "Network([2, 4, 1], h=['sigmoid'], output='sigmoid', loss='log', bias=True, seed=0, dtype='float64')"
    )
    assert eval(repr(net)) == net
    assert net.n_parameters == 2 * 4 + 4 + 4 + 1


def test_h_is_one_name_or_one_each_and_ignored_where_there_is_no_hidden_layer() -> None:
    assert Network([2, 3, 4, 1], h="tanh").h == ("tanh", "tanh")
    assert Network([2, 3, 4, 1], h=["tanh", "relu"]).h == ("tanh", "relu")
    assert Network([2, 1], h="softplus").h == ()
    assert Network([2, 3, 1], h="logistic", output="logistic").output == "sigmoid"


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"layers": [2]}, ValueError, "layers needs at least the inputs and the outputs"),
        ({"layers": []}, ValueError, "layers needs at least"),
        ({"layers": 3}, TypeError, "layers needs the units of each layer"),
        ({"layers": b"\2\1"}, TypeError, "layers needs the units of each layer"),
        ({"layers": [2, 10**30, 1]}, ValueError, "layers[1] needs to be below 1099511627776"),
        ({"layers": "2-1"}, TypeError, "layers needs the units of each layer"),
        ({"layers": [2, 0, 1]}, ValueError, "layers[1] needs to be at least 1; got 0"),
        ({"layers": [2, 1.5]}, TypeError, "layers[1] needs to be a whole number; got 1.5"),
        ({"layers": [True, 1]}, TypeError, "layers[0] needs to be a whole number"),
        ({"layers": [2**39, 2**39, 1]}, ValueError, "too large"),
        ({"layers": [2, 3, 1], "h": "sigmiod"}, ValueError, "Did you mean 'sigmoid'?"),
        ({"layers": [2, 3, 1], "h": ["tanh", "tanh"]}, ValueError, "one per hidden layer (1); got 2"),
        ({"layers": [2, 3, 1], "h": 3}, TypeError, "needs the name of an activation function"),
        ({"layers": [2, 3, 1], "h": "softmax"}, ValueError, "for the output layer only"),
        ({"layers": [2, 1], "output": "tanh"}, ValueError, "loss 'log' needs outputs in [0, 1]"),
        ({"layers": [2, 1], "output": "relu"}, ValueError, "Use output='sigmoid'"),
        ({"layers": [2, 2], "output": "identity", "loss": "cross_entropy"}, ValueError, "Use output='softmax'"),
        ({"layers": [2, 1], "output": "softmax", "loss": "cross_entropy"}, ValueError, "over one unit is always 1"),
        ({"layers": [2, 1], "loss": "mse"}, ValueError, "'mse' is called 'squared_error' here"),
        ({"layers": [2, 1], "loss": "bce"}, ValueError, "'bce' is called 'log' here"),
        ({"layers": [2, 1], "loss": "squared_eror"}, ValueError, "Did you mean 'squared_error'?"),
        ({"layers": [2, 1], "loss": None}, TypeError, "needs the name of a loss"),
        ({"layers": [2, 1], "bias": 1}, TypeError, "bias needs to be True or False"),
        ({"layers": [2, 1], "seed": -1}, ValueError, "seed needs to be at least 0"),
        ({"layers": [2, 1], "seed": 2**64}, ValueError, "below 18446744073709551616"),
        ({"layers": [2, 1], "seed": 1.0}, TypeError, "seed needs to be a whole number"),
        ({"layers": [2, 1], "dtype": "float16"}, ValueError, "'float32' or 'float64'"),
        ({"layers": [2, 1], "dtype": None}, ValueError, "'float32' or 'float64'"),
        ({"layers": [2, 1], "dtype": "number"}, ValueError, "'float32' or 'float64'"),
        ({"layers": [2, 1], "activation": "tanh"}, TypeError, "activation: here it is h"),
        ({"layers": [2, 1], "lr": 0.1}, TypeError, "lr: here it is eta"),
        ({"layers": [2, 1], "alpha": 0.1}, TypeError, "alpha: here it is l2, of Network, as it is: scikit-learn"),
    ],
)
def test_what_is_refused(arguments: dict[str, object], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=re.escape(message)) as caught:
        Network(**arguments)  # type: ignore[arg-type]
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith("Network")


def test_all_after_layers_is_keyword_only() -> None:
    with pytest.raises(TypeError, match="positional"):
        Network([2, 3, 1], "tanh")  # type: ignore[misc]
    with pytest.raises(TypeError, match="positional"):
        Network([2, 1]).fit([[1, 2]], [1], 3)  # type: ignore[misc]


def test_the_first_weights_depend_on_seed_layer_and_place_alone() -> None:
    net = Network([7, 5, 3], seed=9)
    assert (net.W[0] == Network([7, 5, 2], seed=9).W[0]).all()
    assert (net.theta == Network([7, 5, 3], seed=9, h="tanh", dtype="float64").theta).all()
    assert not np.array_equal(net.theta, Network([7, 5, 3], seed=10).theta)
    assert not any(b.any() for b in net.b)
    wide = Network([400, 300, 2], h=["relu"], seed=1)  # Glorot at the output, He where relu follows
    assert 0.99 < np.abs(wide.W[0]).max() / np.sqrt(6 / 400) <= 1
    assert 0.97 < np.abs(wide.W[1]).max() / np.sqrt(6 / 302) <= 1
    assert abs(wide.W[0].mean()) < 0.01 * np.sqrt(6 / 400)
    np.testing.assert_allclose(wide.W[0].std(), np.sqrt(2 / 400), rtol=0.01)


def test_live_views_and_dense_theta() -> None:
    net = Network([2, 3, 1])
    view = net.W[0]
    net.W[0] = np.arange(6).reshape(2, 3)
    net.b[1] = [7]
    assert view is net.W[0]
    assert net.theta[:6].tolist() == [0, 1, 2, 3, 4, 5]
    assert net.theta[-1] == 7
    view[1, 2] = -1
    assert net.theta[5] == -1
    net.theta = np.arange(13)
    assert view.tolist() == [[0, 1, 2], [3, 4, 5]]
    assert net.b[0].tolist() == [6, 7, 8]
    copied = net.theta
    copied[:] = 0  # a copy: the network does not change
    assert net.theta[1] == 1
    net.descend([[1, 2]], [1], 0.5)  # trains in place: views survive
    assert view is net.W[0]
    assert (view.ravel() == net.theta[:6]).all()
    net.W = [np.zeros((2, 3)), np.ones((3, 1))]
    assert view.sum() == 0
    assert len(net.W) == 2
    assert [W.shape for W in net.W] == [(2, 3), (3, 1)]
    assert repr(net.b).startswith("[array(")


def test_assignments_are_checked_and_change_nothing_where_they_fail() -> None:
    net = Network([2, 3, 1])
    before = net.theta
    with pytest.raises(ValueError, match=re.escape("Network.W[0] needs shape (2, 3); got (3, 2)")):
        net.W[0] = np.zeros((3, 2))
    with pytest.raises(ValueError, match=re.escape("Network.W[0] needs shape (2, 3); got ()")):
        net.W[0] = 1.0
    with pytest.raises(ValueError, match=re.escape("W[0][1, 2] is nan, not a finite number")):
        net.W[0] = [[0, 0, 0], [0, 0, np.nan]]
    with pytest.raises(ValueError, match=re.escape("Network.W[1] needs shape (3, 1)")):
        net.W = [np.ones((2, 3)), np.ones((1, 3))]
    with pytest.raises(ValueError, match="needs 2 arrays, one per layer; got 1"):
        net.b = [[1, 1, 1]]
    with pytest.raises(ValueError, match=re.escape("Network.theta needs shape (13,); got (12,)")):
        net.theta = np.zeros(12)
    with pytest.raises(TypeError, match=r"assign one layer at a time, or all: net.W = \[...\]"):
        net.W[0:1] = [np.zeros((2, 3))]
    with pytest.raises(IndexError):
        net.W[2] = np.zeros((1, 1))
    assert (net.theta == before).all()
    free = Network([2, 3, 1], bias=False)
    assert list(free.b) == [None, None]
    assert free.n_parameters == 9
    with pytest.raises(ValueError, match="no biases"):
        free.b[0] = [1, 2, 3]


@pytest.mark.parametrize("make_copy", [copy.copy, copy.deepcopy, lambda net: pickle.loads(pickle.dumps(net))])
def test_copies_have_parameters_of_their_own(make_copy: object) -> None:
    net = network([3, 17, 2], h="tanh", dtype="float32", seed=3)
    X, R = samples(net, 20)
    net.fit(X, R, epochs=2)
    other = make_copy(net)  # type: ignore[operator]
    assert other == net
    assert other.epoch == 2
    assert other.predict(X).tobytes() == net.predict(X).tobytes()
    assert net.fit(X, R, epochs=1).E == other.fit(X, R, epochs=1).E
    other.W[0] = np.zeros((3, 17))
    assert other != net
    assert net.W[0].any()


def test_weights_may_be_exchanged() -> None:
    """Views of theta assigned to theta: each is read before any is written, at sizes without padding, too."""
    net = Network([16, 16, 16, 1])
    first, second = net.W[0].copy(), net.W[1].copy()
    net.W = [net.W[1], net.W[0], net.W[2]]
    assert (net.W[0] == second).all()
    assert (net.W[1] == first).all()


def test_what_a_network_is_cannot_be_changed() -> None:
    net = Network([2, 3, 1])
    for name in ("layers", "h", "output", "loss", "bias", "seed", "dtype", "epoch", "n_parameters"):
        with pytest.raises(AttributeError):
            setattr(net, name, getattr(net, name))


def test_equality() -> None:
    assert Network([2, 1]) == Network([2, 1])
    assert Network([2, 1]) != Network([2, 1], seed=1)
    assert Network([2, 1]) != Network([2, 1], dtype="float32")
    assert Network([2, 1]) != "a network"
    with pytest.raises(TypeError, match="unhashable"):
        hash(Network([2, 1]))


def test_reset() -> None:
    net = Network([2, 3, 1], seed=5)
    start = net.theta
    view = net.W[0]
    net.fit([[1, 2]], [1], epochs=2)
    assert net.epoch == 2
    assert net.reset() is net
    assert (net.theta == start).all()
    assert net.epoch == 0
    net.reset(6)
    assert net == Network([2, 3, 1], seed=6)
    assert view is net.W[0]
    with pytest.raises(ValueError, match="seed needs to be at least 0"):
        net.reset(-1)


def test_draw_names_every_unit_and_weight_of_a_small_network() -> None:
    svg = str(Network([2, 4, 1]).draw())
    for name in ("x₁", "x₂", "z₁", "z₄", ">y<", "w₁₁", "w₄₂", "v₁", "v₄", "z = σ(a)", "a = Σ v z + b"):
        assert name in svg
    assert svg.count("<circle") == 7
    assert svg.count("<line") == 12
    assert Network([2, 4, 1]).draw()._repr_svg_() == svg


@pytest.mark.parametrize("layers", [[1, 1], [30, 16, 8, 3], [784, 128, 10], [8, 8], [9, 1, 9]])
def test_draw_is_well_formed_and_within_its_frame(layers: list[int]) -> None:
    from xml.etree import ElementTree

    root = ElementTree.fromstring(str(Network(layers, bias=False).draw()))
    _, _, width, height = map(float, root.attrib["viewBox"].split())
    name = "{http://www.w3.org/2000/svg}"
    circles = [(float(c.attrib["cx"]), float(c.attrib["cy"])) for c in root.iter(name + "circle")]
    assert len(circles) == sum(n if n <= 8 else 7 for n in layers)
    assert len(set(circles)) == len(circles)
    assert all(19 <= x <= width - 19 and 19 <= y <= height - 19 for x, y in circles)
    assert root.find(name + "title") is not None


def test_drawings_are_saved(tmp_path: object) -> None:
    path = f"{tmp_path}/net.svg"
    drawing = Network([2, 1]).draw()
    drawing.save(path)
    with open(path, encoding="utf-8") as file:
        assert file.read() == drawing.svg
