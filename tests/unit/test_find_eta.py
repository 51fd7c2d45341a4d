"""The learning-rate range test: its curve by hand, what it suggests, and that training with it works."""

import pickle
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from deltaprop import Network, TableModel
from deltaprop.cli import run
from deltaprop.errors import MissingExtraError
from deltaprop.inspection.eta_range import EtaRange
from problems import network, samples


def line(**arguments: Any) -> Network:
    net = Network([1, 1], output="identity", loss="squared_error", bias=False, **arguments)
    net.theta = [0.0]
    return net


def test_a_curve_that_is_known_in_closed_form() -> None:
    """E = ½ (w − r)², x = 1: a step makes (1 − η) of w − r, so that E_k = ½ r² Π_{j<k} (1 − η_j)²."""
    found = line().find_eta([[1.0]], [3.0], low=1e-3, high=1.0, points=40, steps=1)
    eta = 1e-3 * 1e3 ** (np.arange(40) / 39)
    left = np.concatenate([[1.0], np.cumprod(1 - eta)[:-1]])
    np.testing.assert_allclose(found.eta, eta, rtol=1e-12)
    np.testing.assert_allclose(found.E, 4.5 * left**2, rtol=1e-10, atol=1e-30)
    assert found.stopped == "high"
    falls = np.gradient(4.5 * left**2, np.log(eta))
    assert found.steepest is not None
    assert abs(np.log(found.steepest / eta[falls.argmin()])) < 0.4  # smoothing moves it by no more than two points


@pytest.mark.parametrize("points", [1, 4])
def test_several_steps_make_a_point(points: int) -> None:
    found = line().find_eta([[1.0]], [3.0], low=1e-3, high=1.0, points=10, steps=points)
    eta = 1e-3 * 1e3 ** (np.arange(10 * points) / (10 * points - 1))
    left = np.concatenate([[1.0], np.cumprod(1 - eta)[:-1]])
    np.testing.assert_allclose(found.E, (4.5 * left**2).reshape(10, points).mean(axis=1), rtol=1e-10)
    assert found.steps == points


def test_a_weight_of_two_is_half_the_eta() -> None:
    net = network([5, 4, 1], h="tanh")
    X, R = samples(net, 200)
    plain = net.find_eta(X, R, low=2e-4, high=20.0, batch_size=10)
    double = net.find_eta(X, R, low=1e-4, high=10.0, batch_size=10, sample_weight=np.full(200, 2.0))
    np.testing.assert_allclose(double.eta * 2, plain.eta, rtol=1e-12)
    np.testing.assert_allclose(double.E, plain.E, rtol=1e-9)
    assert plain.suggestion is not None
    assert double.suggestion == pytest.approx(plain.suggestion / 2)
    by_class = net.find_eta(X, R > 0.5, low=1e-4, high=10.0, batch_size=10, class_weight={0: 2.0, 1: 2.0})
    by_sample = net.find_eta(X, R > 0.5, low=1e-4, high=10.0, batch_size=10, sample_weight=np.full(200, 2.0))
    assert by_class.E.tobytes() == by_sample.E.tobytes()


def test_with_dropout_and_noise_both_looks_have_the_same_draws() -> None:
    net = network([5, 8, 1], h="tanh", dropout=[0.2, 0.5], input_noise=0.1)
    X, R = samples(net, 200)
    net.fit(X, R, epochs=1, eta=0.001)  # so that the next draws are not the first
    before = pickle.dumps(net)
    found = net.find_eta(X, R, batch_size=10)
    assert pickle.dumps(net) == before
    assert found.suggestion is not None
    still = net.find_eta(X, R, low=1e-300, high=1e-299, batch_size=10, points=10, steps=2)
    assert still.smoothed.tobytes() == np.full(10, still.smoothed[0]).tobytes()  # steps that change nothing
    again = net.find_eta(X, R, low=1e-300, high=1e-299, batch_size=20, points=10, steps=1)
    np.testing.assert_allclose(again.E, still.E, rtol=1e-12)


def test_points_whose_samples_weigh_nothing_are_left_out() -> None:
    net = network([5, 4, 1], h="tanh")
    X, R = samples(net, 640)
    weights = np.zeros(640)
    weights[net.epoch_order(640, 1, True)[:320]] = 1.0  # the first ten points of the first epoch alone
    found = net.find_eta(X, R, batch_size=32, sample_weight=weights, points=20)
    assert np.isnan(found.E[10:]).all()
    assert np.isfinite(found.E[:10]).all()
    assert "η" in str(found)
    found.draw()


@pytest.mark.parametrize("optimizer", ["sgd", "momentum", "adam"])
@pytest.mark.parametrize("batch_size", [1, 16])
def test_the_network_stays_as_it_is_and_the_same_call_gives_the_same_bits(optimizer: str, batch_size: int) -> None:
    net = network([30, 20, 3], h="tanh")
    X, R = samples(net, 150)
    net.fit(X, R, epochs=2, optimizer=optimizer, eta=0.01, batch_size=batch_size)
    before = pickle.dumps(net)
    one = net.find_eta(X, R, batch_size=batch_size)
    assert pickle.dumps(net) == before
    assert one.optimizer == optimizer
    two = net.find_eta(X, R, batch_size=batch_size, optimizer=optimizer)
    assert (one.E.tobytes(), one.suggestion) == (two.E.tobytes(), two.suggestion)
    assert len(one.eta) == len(one.E) == len(one.smoothed)
    other = Network(**{**net.config(), "seed": net.seed + 1})
    other.theta = net.theta
    assert other.find_eta(X, R, batch_size=batch_size, optimizer=optimizer).E.tobytes() != one.E.tobytes()


@pytest.mark.parametrize("batch_size", [1, 8])
def test_sparse_rows(batch_size: int) -> None:
    sparse = pytest.importorskip("scipy.sparse")
    net = network([30, 20, 2], h="tanh")
    X, R = samples(net, 90)
    X = X * (np.random.default_rng(0).random(X.shape) < 0.2)
    dense = net.find_eta(X, R, batch_size=batch_size, online_block=1 if batch_size == 1 else None, high=0.1)
    rows = net.find_eta(sparse.csr_matrix(X), R, batch_size=batch_size, high=0.1)
    np.testing.assert_allclose(rows.E, dense.E, rtol=1e-9)


def test_float32_and_sizes_that_do_not_divide() -> None:
    for n, batch_size in ((1, 1), (7, 5), (33, 32), (40, 1000)):
        net = network([5, 4, 1], h="tanh", dtype="float32")
        X, R = samples(net, n)
        found = net.find_eta(X, R, batch_size=batch_size)
        assert found.batch_size == min(batch_size, n)
        assert np.isfinite(found.E).all()
        assert str(found).endswith(".")


def test_steps_that_are_too_long_from_the_start() -> None:
    x = np.random.default_rng(0).normal(size=(100, 1)) * 10
    found = line().find_eta(x, 3 * x[:, 0], low=1e200, high=1e300)
    assert found.suggestion is None
    assert found.stopped == "diverged"
    assert str(found).startswith("The first steps already diverged")
    found.draw()
    later = line().find_eta(x, 3 * x[:, 0], low=1.0, high=10.0)
    assert later.suggestion is None
    assert str(later).startswith("No η can be suggested: E never fell by more than its noise.")


def test_nothing_to_learn() -> None:
    """Targets without a pattern, of a network that says their mean: E rises, and no η is suggested."""
    net = Network([3, 1], output="identity", loss="squared_error")
    net.theta = [0, 0, 0, 0]
    random = np.random.default_rng(0)
    found = net.find_eta(random.normal(size=(400, 3)), random.normal(size=400), batch_size=32)
    assert found.suggestion is None


@pytest.mark.parametrize(("optimizer", "batch_size"), [("sgd", 1), ("sgd", 32), ("adam", 32), ("momentum", 8)])
@pytest.mark.parametrize("name", ["titanic", "penguins", "wine_quality", "abalone"])
def test_training_with_what_is_suggested_works(name: str, optimizer: str, batch_size: int, real_data: Path) -> None:
    import pyarrow.parquet as pq

    table = pq.read_table(real_data / f"{name}.parquet")
    target = {"titanic": "Survived", "penguins": "species", "wine_quality": "quality"}.get(name, table.column_names[-1])
    words: dict[str, Any] = {"optimizer": optimizer, "batch_size": batch_size}
    found = TableModel().find_eta(table, target, **words)
    assert found.suggestion is not None
    assert found.least is not None
    assert found.stopped == "diverged"

    def held_out(eta: float) -> float:
        try:
            return min(TableModel().fit(table, target, eta=eta, epochs=5, keep="last", **words).E_validation)
        except ArithmeticError:
            return np.inf

    at = held_out(found.suggestion)
    grid = [held_out(found.suggestion * k) for k in (1e-3, 0.03, 0.3, 3, 30, 300)]
    assert at < 0.8 * grid[0]  # far smaller steps come nowhere in five epochs
    assert at < grid[-1]
    assert at - min(grid) < 0.25 * (grid[0] - min(grid))  # and it is among the best


def test_the_picture_marks_the_suggestion(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("matplotlib")
    net = network([5, 4, 1], h="tanh")
    found = net.find_eta(*samples(net, 200), batch_size=10)
    picture = found.draw()
    axes = picture.figure.axes[0]
    marks = [text.get_text() for text in axes.get_legend().get_texts()]
    assert f"suggested: η = {found.suggestion:.2g}" in marks
    assert any(list(curve.get_xdata()) == [found.suggestion] * 2 for curve in axes.lines)
    assert axes.get_xscale() == "log"
    for suffix, begins in ((".png", b"\x89PNG"), (".pdf", b"%PDF"), (".svg", b"<?xml")):
        picture.save(tmp_path / f"a{suffix}")
        assert (tmp_path / f"a{suffix}").read_bytes().startswith(begins)
    assert picture._repr_png_().startswith(b"\x89PNG")
    with pytest.raises(ValueError, match=re.escape("A picture needs to be one of .png, .svg, .pdf; got '.bmp'.")):
        picture.save(tmp_path / "a.bmp")
    html = found._repr_html_()
    assert html.startswith("<p>Train with η = ")
    assert "<svg" in html
    assert "<?xml" not in html

    def missing(*_: str) -> None:
        raise MissingExtraError("matplotlib is not installed.")

    monkeypatch.setattr("deltaprop.picture.optional", missing)
    assert "<svg" not in found._repr_html_()
    with pytest.raises(MissingExtraError, match="matplotlib is not installed"):
        found.draw()


@pytest.mark.parametrize(
    ("words", "error", "message"),
    [
        ({"low": 0}, ValueError, "Network.find_eta: low needs to be finite in float64 and above 0; got 0."),
        ({"high": float("inf")}, ValueError, "high needs to be finite in float64 and above 0; got inf."),
        ({"low": 1, "high": 1}, ValueError, "low needs to be below high; got 1 and 1."),
        ({"low": "1"}, TypeError, "low needs to be a number; got '1'."),
        ({"points": 3}, ValueError, "points needs to be"),
        ({"points": 10.5}, TypeError, "points"),
        ({"steps": 0}, ValueError, "steps needs to be"),
        ({"batch_size": 0}, ValueError, "batch_size needs to be"),
        ({"optimizer": "adm"}, ValueError, "no optimizer is called 'adm'. Did you mean 'adam'?"),
        ({"decay": -1}, ValueError, "decay needs to be finite"),
        ({"sample_weight": [-1.0] * 9}, ValueError, "sample_weight"),
        ({"R": [2.0] * 9}, ValueError, "R"),
        ({"X": np.zeros((0, 5)), "R": np.zeros(0)}, ValueError, "X has no rows"),
        ({"X": np.full((9, 5), np.nan)}, ValueError, "finite"),
        ({"lr": 1}, TypeError, "find_eta: lr: here it is eta."),
    ],
)
def test_what_is_refused(words: dict[str, Any], error: type[Exception], message: str) -> None:
    net = network([5, 4, 1], h="tanh")
    X, R = samples(net, 9)
    before = pickle.dumps(net)
    with pytest.raises(error, match=re.escape(message)):
        net.find_eta(**{"X": X, "R": R, **words})
    assert pickle.dumps(net) == before


def test_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("matplotlib")
    monkeypatch.chdir(tmp_path)
    random = np.random.default_rng(0)
    a = random.normal(size=300)
    Path("t.csv").write_text("a,b\n" + "".join(f"{x:.4f},{'yes' if x + n > 0 else 'no'}\n"
                                               for x, n in zip(a, random.normal(size=300), strict=True)))  # fmt: skip
    words = ("find-eta", "t.csv", "--target", "b", "--optimizer", "adam", "--class-weight", "balanced", "--hidden", "5")
    assert run([*words, "--plot", "eta.png"]) == 0
    out = capsys.readouterr().out
    found = TableModel(hidden=(5,)).find_eta("t.csv", "b", optimizer="adam", class_weight="balanced")
    assert isinstance(found, EtaRange)
    assert out == f"{found}\ndrew eta.png\n"
    assert Path("eta.png").read_bytes().startswith(b"\x89PNG")
    assert run([*words, "--high", "1e-5"]) == 1
    assert capsys.readouterr().out.startswith("No η can be suggested: E never fell by more than its noise.")
    for more, message in (
        (("--low", "2", "--high", "1"), "--low needs to be above 0 and below --high; got 2 and 1."),
        (("--low", "nan"), "--low needs to be above 0 and below --high; got nan and 10."),
        (("--optimizer", "lbfgs"), "--optimizer lbfgs takes all rows at once, and has no eta to look for."),
        (("--plot", "t.csv"), "--plot t.csv is the same file as the table."),
        (("--plot", "eta.bmp"), "--plot eta.bmp: a picture's name needs to end in .png, .svg, .pdf."),
        (("--optimizer", "adm"), "Did you mean 'adam'?"),
        (("--validation", "2"), "--validation needs to be a share between 0 and 1; got 2."),
    ):
        assert run([*words, *more]) == 2
        assert message in capsys.readouterr().err
