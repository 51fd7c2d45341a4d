"""A run on disk: killed at any moment and resumed, it ends with the bits of one that was never interrupted."""

import errno
import io
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import deltaprop
from deltaprop import ModelFileError, Network
from deltaprop.descent.optimizers import STEP_RULES
from deltaprop.training import Now
from problems import network, samples

CASES: dict[str, dict[str, Any]] = {
    "online in blocks": {"layers": [30, 20, 2], "eta": 0.05},
    "online, naive": {"layers": [5, 4, 1], "optimizer": "adam", "eta": 0.01},
    "batches": {"layers": [9, 12, 3], "batch_size": 16, "optimizer": "nadam", "eta": 0.01},
    "penalties and decay": {"layers": [9, 12, 3], "batch_size": 7, "optimizer": "lion", "eta": 1e-3, "decay": 0.1,
                            "l2": 0.01, "l1": 1e-3},
    "a schedule per step": {"layers": [30, 20, 2], "optimizer": "nesterov", "eta": "one_cycle:0.05", "eta_per": "step"},
    "plateau, patience, the best": {"layers": [5, 4, 1], "eta": "plateau:0.3,patience=1", "patience": 3,
                                    "validation": 0.3, "metrics": ["accuracy"], "batch_size": 5},
    "weights, float32": {"layers": [9, 12, 3], "dtype": "float32", "batch_size": 4, "sample_weight": np.arange(120.0)},
    "lbfgs, the best": {"layers": [9, 12, 3], "optimizer": "lbfgs", "l2": 1e-3, "validation": 0.3, "keep": "best"},
    "lbfgs, float32": {"layers": [9, 12, 3], "optimizer": "lbfgs:history=3", "dtype": "float32"},
    "rprop": {"layers": [9, 12, 3], "optimizer": "rprop", "average": "last:2"},
    "sparse": {"layers": [30, 20, 2], "sparse": True, "optimizer": "momentum", "eta": 0.02},
}  # fmt: skip


def made(layers: list[int], sparse: bool = False, **arguments: Any) -> tuple[Network, Any, Any, dict[str, Any]]:
    own = {name: arguments.pop(name) for name in ("l2", "l1", "dtype") if name in arguments}
    net = Network(layers, h="tanh", output="sigmoid", loss="log", seed=3, **own)
    random = np.random.default_rng(1)
    X = random.normal(size=(120, layers[0])) * (random.random((120, layers[0])) < 0.4)
    R = (X[:, : layers[-1]] > 0).astype(float)
    if sparse:
        X = pytest.importorskip("scipy.sparse").csr_matrix(X)
    return net, X, R, {"epochs": 6, **arguments}


class Stop:
    """Stops a run after so many steps."""

    def __init__(self, after: int) -> None:
        self.left = after

    def on_step(self, _: Now) -> bool:
        self.left -= 1
        return self.left == 0


def same_course(one: Any, other: Any) -> None:
    for name in ("E", "E_validation", "eta", "penalty", "metrics", "best_epoch"):
        assert repr(getattr(one, name)) == repr(getattr(other, name)), name  # to the bit, and NaN is NaN
    assert [x.tolist() for x in one.eta_steps] == [x.tolist() for x in other.eta_steps]


@pytest.mark.parametrize("case", CASES)
def test_stopped_and_resumed_again_and_again(case: str, tmp_path: Path) -> None:
    net, X, R, arguments = made(**CASES[case])
    whole = net.fit(X, R, **arguments)
    path = tmp_path / "run.deltaprop"
    for after in (1, 2, 5, 11, 3, 10_000):
        other, *_ = made(**CASES[case])  # as a new process has it
        stop = Stop(after)
        history = other.fit(X, R, **arguments, checkpoint=path, checkpoint_every="0s", resume=True, callbacks=[stop])
    same_course(whole, history)
    assert other.theta.tobytes() == net.theta.tobytes()
    assert other == net
    again, *_ = made(**CASES[case])
    finished = again.fit(X, R, **arguments, checkpoint=path, resume=True)  # there is nothing left to do
    same_course(whole, finished)
    assert again == net
    loaded = deltaprop.load(path)
    assert loaded == net


SCRIPT = """
import sys
import numpy as np
from deltaprop import Network
random = np.random.default_rng(0)
X = random.normal(size=(3000, 40)); R = (X[:, 0] > 0).astype(float)
net = Network([40, 30, 1], h="tanh", seed=1)
net.fit(X, R, epochs=40, eta="cosine:0.01", optimizer="adam", batch_size=3, validation=0.2, patience=9,
        checkpoint="run.deltaprop", checkpoint_every="0s", resume=True)
sys.stdout.buffer.write(net.theta.tobytes())
"""


def test_killed_at_random_moments(tmp_path: Path) -> None:
    def process() -> "subprocess.Popen[bytes]":
        return subprocess.Popen([sys.executable, "-c", SCRIPT], cwd=tmp_path, stdout=subprocess.PIPE)

    def whole() -> bytes:
        done = subprocess.run(
            [sys.executable, "-c", SCRIPT.replace('"run.', '"whole.')], cwd=tmp_path, capture_output=True
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    began = time.monotonic()
    expected = whole()
    seconds, random = time.monotonic() - began, np.random.default_rng(2)
    for _ in range(10):  # a run goes on where the one before was killed: the last may have little left to do
        running = process()
        try:
            running.communicate(timeout=seconds * random.random())
        except subprocess.TimeoutExpired:
            running.send_signal(signal.SIGKILL)
            running.communicate()
    running = process()
    out, _ = running.communicate()
    assert running.returncode == 0
    assert out == expected
    assert deltaprop.load(tmp_path / "run.deltaprop") == deltaprop.load(tmp_path / "whole.deltaprop")


class FullFile(io.FileIO):
    """A file on a disk that has no room."""

    def write(self, _: Any) -> Any:
        raise OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize("fails", ["open", "write", "fsync", "replace"])
def test_a_disk_that_fails_leaves_the_run_before_and_ends_no_training(
    fails: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    net, X, R, arguments = made(**CASES["batches"])
    path = tmp_path / "run.deltaprop"
    net.fit(X, R, **arguments, checkpoint=path, callbacks=[Stop(20)])
    written = path.read_bytes()
    import deltaprop.storage as storage

    def full(*_: Any, **__: Any) -> Any:
        raise OSError(errno.ENOSPC, "No space left on device")

    other, *_ = made(**CASES["batches"])
    monkeypatch.setattr("deltaprop.training.checkpoint.check_place", lambda path: None)
    if fails == "write":
        monkeypatch.setattr(storage, "open", FullFile, raising=False)
    else:
        monkeypatch.setattr(storage.os, fails, full)
    with pytest.warns(UserWarning, match="the run could not be written: .*No space left"):
        other.fit(X, R, **arguments, checkpoint=path, checkpoint_every="0s", resume=True)
    monkeypatch.undo()
    assert path.read_bytes() == written
    assert [p.name for p in tmp_path.iterdir()] == ["run.deltaprop"]
    third, *_ = made(**CASES["batches"])
    third.fit(X, R, **arguments, checkpoint=path, resume=True)
    assert third == other


def test_a_run_of_something_else_is_refused_and_nothing_changes(tmp_path: Path) -> None:
    net, X, R, arguments = made(**CASES["batches"])
    path = tmp_path / "run.deltaprop"
    net.fit(X, R, **arguments, checkpoint=path, callbacks=[Stop(20)])
    for changed, message in (
        ({"eta": 0.02}, "was called with eta=0.01, and here it is 0.02"),
        ({"epochs": 9}, "was called with epochs=6, and here it is 9"),
        ({"optimizer": "adam"}, "was called with optimizer='nadam', and here it is 'adam'"),
        ({"X": X + 1}, "was called with other samples"),
        ({"sample_weight": np.ones(120)}, "was called with other samples"),
    ):
        other, *_ = made(**CASES["batches"])
        before = other.theta.tobytes()
        words = {"X": X, "R": R, **arguments, **changed, "checkpoint": path, "resume": True}
        with pytest.raises(ValueError, match=re.escape(message)):
            other.fit(**words)
        assert other.theta.tobytes() == before
    with pytest.raises(ValueError, match="is of another network"):
        Network([9, 3]).fit(X, R, **arguments, checkpoint=path, resume=True)
    net.save(path)
    with pytest.raises(ModelFileError, match="holds a model, and no run that could be resumed"):
        net.fit(X, R, **arguments, checkpoint=path, resume=True)
    with pytest.raises(FileNotFoundError):
        net.fit(X, R, **arguments, checkpoint=tmp_path / "no" / "run")
    for words, message in (
        ({"resume": True}, "resume needs a checkpoint, the file of the run."),
        ({"checkpoint_every": 2}, "checkpoint_every needs a checkpoint"),
        (
            {"checkpoint": path, "checkpoint_every": "2"},
            "as 5, or a time, as '30s' or '5m'; got '2'",
        ),
        ({"checkpoint": path, "checkpoint_every": 0}, "got 0"),
    ):
        with pytest.raises(ValueError, match=re.escape(message)):
            net.fit(X, R, **arguments, **words)


def test_every_so_many_epochs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from deltaprop.training import checkpoint

    times: list[int] = []
    original = checkpoint.write_model_file

    def counted(path: Any, header: Any, tensors: Any) -> None:
        times.append(header["network"]["epoch"])
        original(path, header, tensors)

    monkeypatch.setattr(checkpoint, "write_model_file", counted)
    net, X, R, arguments = made(**CASES["online in blocks"])
    net.fit(X, R, **{**arguments, "epochs": 7}, checkpoint=tmp_path / "run", checkpoint_every=3)
    assert times == [0, 3, 6, 7]  # at once, so that there is a run to resume from the first moment


@pytest.mark.parametrize("optimizer", STEP_RULES)
@pytest.mark.parametrize("batch_size", [1, 8])
def test_epochs_one_by_one_and_rows_one_by_one_are_the_same_bits(optimizer: str, batch_size: int) -> None:
    nets = [network([30, 7, 2], h="tanh") for _ in range(4)]
    X, R = samples(nets[0], 40)
    words: dict[str, Any] = {"eta": 0.01, "optimizer": optimizer, "batch_size": batch_size}
    nets[0].fit(X, R, epochs=3, online_block=1, **words)
    for _ in range(3):
        nets[1].fit(X, R, epochs=1, online_block=1, **words)
    for n in (1, 2, 3):
        order = nets[2].epoch_order(40, n, shuffle=True)
        for pieces in np.split(order, [8, 24]):
            nets[2].descend(X[pieces], R[pieces], 0.01, optimizer=optimizer, batch_size=batch_size, online_block=1)
        for s in np.array_split(order, 40 // batch_size):
            nets[3].descend(X[s], R[s], 0.01, optimizer=optimizer, batch_size=batch_size, online_block=1)
    assert len({net.theta.tobytes() for net in nets}) == 1


def test_views_of_weights_survive_a_resume(tmp_path: Path) -> None:
    net, X, R, arguments = made(**CASES["batches"])
    net.fit(X, R, **arguments, checkpoint=tmp_path / "run", callbacks=[Stop(20)])
    other, *_ = made(**CASES["batches"])
    view = other.W[0]
    other.fit(X, R, **arguments, checkpoint=tmp_path / "run", resume=True)
    assert np.shares_memory(view, other.W[0])
    assert (view == other.W[0]).all()
