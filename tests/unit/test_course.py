"""What ends a run, what is kept, and what is on disk: cases that once went wrong."""

import errno
import os
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from deltaprop import Adam, Network
from deltaprop.cli import run
from deltaprop.descent.schedules import SCHEDULES, rates
from deltaprop.errors import ResumeError
from deltaprop.storage import check_place
from deltaprop.training import History, hold_out

random = np.random.default_rng(5)
X = random.normal(size=(60, 3))
R = (X[:, 0] + random.normal(size=60) > 0).astype(float)


def resumed_until_done(path: Path, **arguments: Any) -> tuple[Network, History]:
    """A run that every look at the clock ends, and that goes on each time."""
    for _ in range(400):
        net = Network([3, 4, 1], h="tanh")
        history = net.fit(X, R, **arguments, checkpoint=path, resume=True, time_budget=1e-9)
        if history.stopped != "time":
            return net, history
    raise AssertionError("the run has no end")


@pytest.mark.parametrize(
    ("arguments", "stopped"),
    [
        ({"eta": 3.0, "batch_size": 60, "validation": 0.3, "patience": 3}, "patience"),
        ({"eta": 0.5, "batch_size": 60, "goal": 0.6}, "goal"),
        ({"optimizer": "rprop", "validation": 0.3, "patience": 4}, "patience"),
        ({"optimizer": "lbfgs"}, "converged"),
    ],
)
def test_time_that_is_over_at_an_epochs_end_hides_no_other_end(
    arguments: dict[str, Any], stopped: str, tmp_path: Path
) -> None:
    arguments |= {"epochs": 300}
    net = Network([3, 4, 1], h="tanh")
    whole = net.fit(X, R, **arguments)
    assert whole.stopped == stopped
    other, history = resumed_until_done(tmp_path / "run", **arguments)
    assert history.stopped == stopped
    assert history.E == whole.E
    assert other == net


def test_etas_of_many_steps_are_numbers_in_the_file(tmp_path: Path) -> None:
    net, path = Network([3, 1]), tmp_path / "run"
    history = net.fit(X, R, epochs=20, eta="cosine:0.1", eta_per="step", checkpoint=path)
    assert path.stat().st_size < 60 * 20 * 8 + 6000
    again = Network([3, 1]).fit(X, R, epochs=20, eta="cosine:0.1", eta_per="step", checkpoint=path, resume=True)
    assert [x.tolist() for x in again.eta_steps] == [x.tolist() for x in history.eta_steps]


def test_infinity_is_an_argument_like_others(tmp_path: Path) -> None:
    for _ in range(2):
        history = Network([3, 1]).fit(X, R, epochs=2, goal=-np.inf, checkpoint=tmp_path / "run", resume=True)
    assert len(history) == 2
    with pytest.raises(ResumeError, match=r"goal=-inf, and here it is 0\.5"):
        Network([3, 1]).fit(X, R, epochs=2, goal=0.5, checkpoint=tmp_path / "run", resume=True)


def test_the_same_in_other_words_is_the_same_run(tmp_path: Path) -> None:
    words = {"epochs": 2, "checkpoint": tmp_path / "run", "resume": True}
    Network([3, 1]).fit(X, R, optimizer="adam", **words)  # type: ignore[arg-type]
    Network([3, 1]).fit(X, R, optimizer=" adam ", keep="last", **words)  # type: ignore[arg-type]


def test_metrics_that_have_no_value_on_the_validation_samples_are_refused() -> None:
    one_class = (X[:10], np.ones(10))
    with pytest.raises(ValueError, match="auc compares two classes, and the validation rows have one of them"):
        Network([3, 1]).fit(X, R, validation=one_class, monitor="auc")
    quantities = Network([3, 1], output="identity", loss="squared_error")
    with pytest.raises(ValueError, match="accuracy is of classes, and these targets are quantities"):
        quantities.fit(X, 9 * R, validation=(X, 9 * R), metrics="accuracy")


def test_where_no_value_is_a_number_the_last_epoch_is_kept() -> None:
    net, other = (Network([3, 1], output="identity", loss="squared_error") for _ in range(2))
    same = (X[:10], np.ones(10))  # r2 of targets that are all alike
    history = net.fit(X, R, epochs=5, eta=0.01, validation=same, monitor="r2", keep="best")
    other.fit(X, R, epochs=5, eta=0.01)
    assert history.best_epoch == 5
    assert net == other


@pytest.mark.parametrize("optimizer", ["rprop:start=3", "lbfgs", "levenberg_marquardt"])
def test_the_best_of_full_batch_steps_is_the_best_network(optimizer: str) -> None:
    """Where an epoch is one step the parameters after it count by E after it, not before."""
    made = {"h": "tanh", "output": "sigmoid", "loss": "squared_error", "seed": 3}
    net = Network([3, 6, 1], **made)  # type: ignore[arg-type]
    history = net.fit(X, R, epochs=12, optimizer=optimizer, keep="best")
    E = []
    for epochs in range(1, 13):
        other = Network([3, 6, 1], **made)  # type: ignore[arg-type]
        other.fit(X, R, epochs=epochs, optimizer=optimizer)
        E.append(other.E(X, R))
    assert net.E(X, R) == pytest.approx(min(E), rel=1e-12)
    assert history.best_epoch == 1 + int(np.argmin(E))
    goal = sorted(E)[3]
    net.reset()
    assert net.fit(X, R, epochs=12, optimizer=optimizer, goal=goal).stopped == "goal"
    assert net.E(X, R) <= goal * (1 + 1e-12)


def test_samples_that_weigh_nothing_are_refused() -> None:
    weights = np.zeros(60)
    weights[hold_out(60, 0.3, 0, R.astype(int))[1]] = 1
    with pytest.raises(ValueError, match="all rows weigh 0, so there is nothing to learn from"):
        Network([3, 1]).fit(X, R, sample_weight=weights, validation=0.3)
    with pytest.raises(ValueError, match=r"validation: (all rows weigh 0|every sample_weight is 0)"):
        Network([3, 1]).fit(X, R, sample_weight=1 - weights, validation=0.3)


def test_a_full_disk_is_tried_again_when_the_next_writing_is_due(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries = []

    def full(*_: Any) -> None:
        tries.append(1)
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("deltaprop.training.checkpoint.write_model_file", full)
    with pytest.warns(UserWarning, match=r"No space left on device\.$"):  # and no word of a file that is not there
        Network([3, 1]).fit(X, R, epochs=9, checkpoint=tmp_path / "run", checkpoint_every=4)
    assert len(tries) == 4  # as it begins, after epochs 4 and 8, and at the end


def test_what_is_there_is_not_lost(tmp_path: Path) -> None:
    table, path = tmp_path / "data.csv", tmp_path / "run"
    table.write_text("a,b\n1,2\n")
    with pytest.raises(ValueError, match="there is a file that is no run"):
        Network([3, 1]).fit(X, R, checkpoint=table)
    assert table.read_text() == "a,b\n1,2\n"
    Network([3, 1]).fit(X, R, epochs=5, checkpoint=path, callbacks=[lambda now: now.epoch == 2])
    before = path.read_bytes()
    with pytest.raises(ValueError, match="holds a run that has not come to its end"):
        Network([3, 1]).fit(X, R, epochs=5, checkpoint=path)
    Network([3, 1]).fit(X, R, epochs=5, checkpoint=path, resume=True)
    finished = path.read_bytes()
    assert finished != before
    with pytest.raises(TypeError):
        Network([3, 1]).fit(X, R, epochs=5, eta=lambda n: None, checkpoint=path)  # type: ignore[arg-type,return-value]
    assert path.read_bytes() == finished
    Network([3, 1]).fit(X, R, epochs=5, checkpoint=path)  # it had come to its end


def test_what_a_killed_process_left_is_removed(tmp_path: Path) -> None:
    check_place(tmp_path / "run")
    assert os.listdir(tmp_path) == []
    pid = os.fork()
    if pid == 0:
        import deltaprop.storage as storage

        storage.os.fsync = lambda _: os._exit(9)  # type: ignore[assignment]
        storage.replace_file(tmp_path / "run", b"half")
    os.waitpid(pid, 0)
    left = os.listdir(tmp_path)
    assert len(left) == 1
    check_place(tmp_path / "run")
    assert os.listdir(tmp_path) == left  # it might be somebody's who is at work
    long_ago = time.time() - 60
    os.utime(tmp_path / left[0], (long_ago, long_ago))
    check_place(tmp_path / "other")
    assert os.listdir(tmp_path) == left
    check_place(tmp_path / "run")
    assert os.listdir(tmp_path) == []


def test_warm_up_per_step_rises_over_its_epochs() -> None:
    eta = rates("constant:0.1,warmup=2", 1, 4, where="", per_step=True)
    found = np.concatenate([eta.of_steps(n, 4) for n in (1, 2, 3)])
    np.testing.assert_allclose(found, 0.1 * np.minimum(np.arange(1, 13) / 8, 1))
    assert [SCHEDULES["constant"](1.0, warmup=4).eta(m, 9) for m in range(5)] == [0.25, 0.5, 0.75, 1.0, 1.0]


@pytest.mark.parametrize(
    ("period", "stretch"), [(3.3, 1.0), (0.7, 1.0), (2.0, 2.0), (3.0, 1.5), (1e-9, 1.0), (1e-300, 2.0)]
)
def test_restarts_come_when_they_are_due(period: float, stretch: float) -> None:
    schedule = SCHEDULES["cosine_restarts"](1.0, period=period, stretch=stretch)
    starts, length = [0.0], period
    while starts[-1] < 100 and len(starts) < 50:
        starts.append(starts[-1] + length)
        length *= stretch
    for start in starts:
        assert schedule.eta(start, 100) == pytest.approx(1, abs=1e-6) or period < 1e-6
        assert 0 <= schedule.eta(start + 0.3, 100) <= 1


def test_steps_come_when_they_are_due() -> None:
    schedule = SCHEDULES["step"](1.0, factor=0.5, every=0.1)
    assert [schedule.eta(k / 10, 9) for k in range(50)] == [0.5**k for k in range(50)]


def test_a_formula_that_is_no_eta_in_the_end_is_refused_before_the_first_epoch() -> None:
    net = Network([3, 1])
    with pytest.raises(ValueError, match=r"eta\(4\) needs to be finite in float64 and at least 0; got -0\.05"):
        net.fit(X, R, epochs=9, eta="0.35 - 0.1 * n")
    assert net.epoch == 0


def test_a_function_is_asked_for_eta_once_an_epoch(tmp_path: Path) -> None:
    etas = iter([0.3, 0.2, 0.1])
    history = Network([3, 1]).fit(X, R, epochs=3, eta=lambda n: next(etas), checkpoint=tmp_path / "run")
    assert history.eta == [0.3, 0.2, 0.1]


def test_a_number_of_numpy_that_is_true_stops() -> None:
    history = Network([3, 1]).fit(X, R, epochs=9, callbacks=[lambda now: np.float64(now.E) < 10])
    assert (len(history), history.stopped) == (1, "callback")


def test_accuracy_of_hinge_and_of_labels_that_do_not_exclude_each_other() -> None:
    net = Network([3, 1], output="identity", loss="hinge")
    history = net.fit(X, R, epochs=3, eta=0.01, validation=(X, R), metrics="accuracy")
    assert history.metrics["accuracy"][-1] == pytest.approx(np.mean((net.predict(X)[:, 0] > 0) == R))
    both = np.stack([X[:, 0] > 0, X[:, 1] > 0], axis=1).astype(float)
    net = Network([3, 2])
    history = net.fit(X, both, epochs=30, eta=0.5, validation=(X, both), metrics="accuracy")
    assert history.metrics["accuracy"][-1] == pytest.approx(np.mean(((net.predict(X) > 0.5) == both).all(axis=1)))


def test_a_frozen_layer_is_not_held_by_max_norm() -> None:
    net = Network([3, 4, 1])
    before = [W.copy() for W in net.W]
    net.fit(X, R, epochs=2, eta_factors=[0, 1], max_norm=0.3)
    assert (net.W[0] == before[0]).all()
    assert np.linalg.norm(net.W[1]) <= 0.3 * (1 + 1e-12)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ({"metrics": 3}, "metrics needs names of metrics; got 3"),
        ({"keep": np.ones(2)}, "keep needs to be one of"),
        ({"resume": "yes", "checkpoint": "r"}, "resume needs to be True or False; got 'yes'"),
        ({"checkpoint": True}, "checkpoint needs the name of a file; got True"),
        ({"checkpoint": "r", "checkpoint_every": "5d"}, "needs to be epochs, as 5, or a time, as '30s' or '5m'"),
        ({"eta": Adam}, "eta needs a number, a schedule or a function of n; got Adam"),
        ({"callbacks": [Network]}, "a callback is a function, or an object with on_epoch or on_step"),
    ],
)
def test_what_is_refused(words: dict[str, Any], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    net = Network([3, 1])
    with pytest.raises((TypeError, ValueError), match=message):
        net.fit(X, R, **words)
    assert net.epoch == 0
    assert os.listdir() == []


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("--optimizer lbfgs --decay .1", "lbfgs takes all rows at once, and has no use for --decay."),
        ("--optimizer lbfgs --clip-norm 1", "has no use for --clip-norm."),
        ("--optimizer rprop --eta-per step", "has no use for --eta-per."),
        ("--optimizer lbfgs --l1 .1", "needs an E that is smooth and stays: no --l1."),
        ("--optimizer lbfgs --dropout .5", "no --dropout."),
        ("--optimizer lbfgs --average ema", "use last."),
        ("--optimizer levenberg_marquardt", "levenberg_marquardt is for squared_error, not for log; use lbfgs."),
        ("--clip-norm inf", "--clip-norm needs to be finite and above 0; got inf."),
        ("--eta 0.35-0.1*n --epochs 9", "eta(4) needs to be finite"),
        ("--class-weight no=1e308,yes=1e308", "deltaprop: "),
        ("--class-weight no=0,yes=0", "0"),
    ],
)
def test_options_that_cannot_be_are_one_line(
    options: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("pyarrow")
    monkeypatch.chdir(tmp_path)
    rows = "".join(f"{x:.3f},{'yes' if r else 'no'}\n" for x, r in zip(X[:, 0], R, strict=True))
    Path("t.csv").write_text("a,b\n" + rows)
    assert run(["fit", "t.csv", "--target", "b", *options.split()]) == 2
    last = capsys.readouterr().err.splitlines()[-1]
    assert last.startswith("deltaprop: ")
    assert message in last
    assert os.listdir() == ["t.csv"]


def test_a_label_may_weigh_nothing_on_the_command_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("pyarrow")
    monkeypatch.chdir(tmp_path)
    Path("t.csv").write_text("a,b\n" + "".join(f"{k},{'xyz'[k % 3]}\n" for k in range(60)))
    assert run(["fit", "t.csv", "--target", "b", "--class-weight", "x=0", "--epochs", "1"]) == 0
