"""How the first weights are drawn: their spread, their bits, and what is refused or warned about."""

import pickle
import re
import warnings
from pathlib import Path

import numpy as np
import pytest

import deltaprop
from deltaprop import Network
from deltaprop.descent.initializers import INITIALIZERS

N_IN, N_OUT = 300, 200
SD = {  # of W, by the formula
    "glorot_uniform": np.sqrt(2 / 500), "glorot_normal": np.sqrt(2 / 500), "he_uniform": np.sqrt(2 / 300),
    "he_normal": np.sqrt(2 / 300), "lecun_uniform": np.sqrt(1 / 300), "lecun_normal": np.sqrt(1 / 300),
    "orthogonal": np.sqrt(1 / 300), "uniform": 0.05 / np.sqrt(3), "normal": 0.05,
    "nguyen_widrow": 0.7 * 200 ** (1 / 300) / np.sqrt(300), "zeros": 0,
}  # fmt: skip
LARGEST = {  # where there is one
    "glorot_uniform": np.sqrt(6 / 500), "he_uniform": np.sqrt(6 / 300), "lecun_uniform": np.sqrt(3 / 300),
    "uniform": 0.05, "zeros": 0,
}  # fmt: skip


def first(init: str, layers: list[int] | None = None, seed: int = 0, **arguments: object) -> Network:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore" if init == "zeros" else "error")
        return Network(layers or [N_IN, N_OUT, 1], init=init, seed=seed, **arguments)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", INITIALIZERS)
def test_spread(name: str) -> None:
    net = first(name)
    W = net.W[0]
    assert W.std() == pytest.approx(SD[name], rel=0.02)
    assert abs(W.mean()) < 4 * W.std() / np.sqrt(W.size) + 1e-300
    if name in LARGEST:
        assert 0.999 * LARGEST[name] <= np.abs(W).max() <= LARGEST[name]
    if "normal" in name:  # a normal number is beyond 1, 2, 3 sd so often
        shares = [(np.abs(W) > k * SD[name]).mean() for k in (1, 2, 3)]
        np.testing.assert_allclose(shares, [0.3173, 0.0455, 0.0027], rtol=0.15)
    assert (net.b[0] == 0).all() or name == "nguyen_widrow"
    assert net.W[1].any() or name == "zeros"


@pytest.mark.parametrize("name", INITIALIZERS)
def test_bits_follow_from_the_seed(name: str) -> None:
    one, same, other = first(name, [7, 5, 2]), first(name, [7, 5, 2]), first(name, [7, 5, 2], seed=1)
    assert one == same
    assert name == "zeros" or (one.W[0] != other.W[0]).all()
    assert name == "zeros" or one.W[1].ravel()[0] != one.W[0].ravel()[0]
    start = one.theta
    one.fit(np.ones((3, 7)), np.ones((3, 2)), epochs=1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert one.reset().theta.tobytes() == start.tobytes()
    assert first(name, [7, 5, 2], dtype="float32").W[0].dtype == np.float32


def test_orthogonal() -> None:
    for n_in, n_out in ((12, 5), (5, 12), (6, 6), (1, 4), (4, 1)):
        W = first("orthogonal:gain=2", [n_in, n_out], output="identity", loss="squared_error").W[0] / 2
        np.testing.assert_allclose(W.T @ W if n_in >= n_out else W @ W.T, np.eye(min(n_in, n_out)), atol=1e-14)


def test_nguyen_widrow_is_the_published_rule() -> None:
    """Each unit's weights have the length 0.7 H^(1/n), and its bias lies within."""
    net = first("nguyen_widrow", [3, 40, 1])
    length = 0.7 * 40 ** (1 / 3)
    np.testing.assert_allclose(np.linalg.norm(net.W[0], axis=0), length, rtol=1e-14)
    assert 0.8 * length < np.abs(net.b[0]).max() < length
    first("nguyen_widrow", [3, 40, 1], bias=False)


def test_the_default_follows_h() -> None:
    layers = [30, 20, 10, 1]
    arguments = {"h": ["relu", "selu"], "output": "sigmoid"}
    net = Network(layers, **arguments)  # type: ignore[arg-type]
    for layer, name in enumerate(("he", "lecun", "glorot")):
        assert net.W[layer].tobytes() == first(name, layers, **arguments).W[layer].tobytes()
    assert net.init is None
    assert "init" not in net.config()


@pytest.mark.parametrize("text", ["he", "uniform:range=0.3", "orthogonal"])
def test_it_is_kept(text: str, tmp_path: Path) -> None:
    net = first(text, [3, 4, 1])
    net.save(tmp_path / "net")
    loaded = deltaprop.load(tmp_path / "net")
    copies = [loaded, pickle.loads(pickle.dumps(net)), eval(repr(net), {"Network": Network})]
    for copy in copies:
        assert isinstance(copy, Network)
        assert copy == net
        assert copy.init == net.init
        assert copy.reset(5) == net.reset(5)
        net.reset(0)


def test_units_that_start_alike_are_warned_about_once_and_where_it_was_asked(tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match=r"all units of layer 1 start alike.*Use another init than 'zeros'") as record:
        net = Network([2, 3, 1], init="zeros")
    assert len(record) == 1
    assert record[0].filename == __file__
    with pytest.warns(UserWarning, match="start alike") as record:
        net.reset()
    assert record[0].filename == __file__
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        Network([2, 1], init="zeros")  # the perceptron may start at 0
        Network([2, 1, 1], init="zeros")  # one unit is like no other
        net.theta = np.arange(13.0)
        net.save(tmp_path / "net")
        assert deltaprop.load(tmp_path / "net") == net  # and nothing is drawn there
        assert net.check_gradient(np.ones((1, 2)), [1]).ok


@pytest.mark.parametrize(
    ("init", "error", "message"),
    [
        ("glort", ValueError, "Network: init: no initializer is called 'glort'. Did you mean 'glorot'?"),
        ("normal:sd=0", ValueError, "Network: init: normal: sd needs to be above 0; got 0.0."),
        ("zeros:sd=1", ValueError, "zeros: no parameter is called 'sd'. It has none."),
        (3, TypeError, "Network: init needs the name of an initializer; got 3."),
        (deltaprop.leaky_relu(slope=0.1), ValueError, "init needs the name of an initializer; got 'leaky_relu'"),
    ],
)
def test_what_is_wrong_is_said(init: object, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=re.escape(message)):
        Network([2, 2, 1], init=init)  # type: ignore[arg-type]


def test_given_arrays() -> None:
    W, b = [np.arange(6.0).reshape(2, 3), np.ones((3, 1))], [np.array([1.0, 2, 3]), np.array([4.0])]
    net = Network([2, 3, 1], init=[(W[0], b[0]), W[1]])
    assert (net.W[0] == W[0]).all()
    assert (net.b[0] == b[0]).all()
    assert (net.W[1] == W[1]).all()
    assert (net.b[1] == 0).all()
    assert net.init is None
    assert Network([2, 3, 1], init=[w.tolist() for w in W]).W[0].tolist() == W[0].tolist()
    assert net.reset() == Network([2, 3, 1])
    for init, error, words in (
        ([W[0]], ValueError, "Network: init needs 2 arrays, one for each layer; got 1."),
        ([W[0].T, W[1]], ValueError, "Network.W[0] needs shape (2, 3); got (3, 2)."),
        ([(W[0], [1]), W[1]], ValueError, "Network.b[0] needs shape (3,); got (1,)."),
        ([W[0], [[1], [np.nan], [2]]], ValueError, "W[1][1, 0] is nan, not a finite number."),
        ([(W[0], b[0], 3), W[1]], ValueError, "Network: init[0] needs W or a tuple (W, b); got a tuple of 3."),
    ):
        with pytest.raises(error, match=re.escape(words)):
            Network([2, 3, 1], init=init)  # type: ignore[arg-type]
    with pytest.warns(UserWarning, match="all units of layer 1 start alike"):
        Network([2, 3, 1], init=[np.ones((2, 3)), np.ones((3, 1))])


def test_what_is_too_large_for_the_dtype_is_refused() -> None:
    for init in ("normal:sd=1e300", "uniform:range=1e300"):
        with pytest.raises(ValueError, match=r"init '.*' draws weights too large for float32"):
            Network([2, 3, 1], init=init, dtype="float32")
        Network([2, 3, 1], init=init, dtype="float64")
    with pytest.raises(ValueError, match="init needs 2 arrays, one for each layer; got 1"):
        Network([2, 2, 1], init=[np.ones((2, 2))])
