"""The model file: what goes in comes out, whole or not at all."""

import json
import os
import signal
import stat
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors import safe_open

import deltaprop
from deltaprop import ModelFileError, Network
from deltaprop.storage import read_model_file, replace_file, write_model_file
from problems import network, samples


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_network_comes_back_to_the_bit(tmp_path: Path, dtype: str) -> None:
    net = network([3, 17, 4, 2], h=["tanh", "relu"], output="softmax", loss="cross_entropy", seed=2**63, dtype=dtype)
    X, R = samples(net, 20)
    net.fit(X, R, epochs=3)
    net.save(tmp_path / "net.deltaprop")
    other = deltaprop.load(tmp_path / "net.deltaprop")
    assert isinstance(other, Network)
    assert other == net
    assert other.epoch == 3
    assert other.predict(X).tobytes() == net.predict(X).tobytes()
    assert net.fit(X, R, epochs=1).E == other.fit(X, R, epochs=1).E


def test_the_same_network_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        Network([2, 3, 1], seed=1).save(tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_it_is_a_safetensors_file_with_json_in_its_metadata(tmp_path: Path) -> None:
    net = Network([2, 3, 1], seed=1)
    net.save(tmp_path / "net")
    with safe_open(tmp_path / "net", framework="numpy") as file:
        assert list(file.keys()) == ["theta"]
        assert (file.get_tensor("theta") == net.theta).all()
        header = json.loads(file.metadata()["deltaprop"])
    assert header["format"] == 1
    assert header["kind"] == "network"
    assert header["version"] == deltaprop.__version__
    assert header["network"] == {**net.config(), "epoch": 0}
    assert len(header["sha256"]) == 64


def test_an_existing_file_is_replaced_with_its_mode_kept(tmp_path: Path) -> None:
    path = tmp_path / "net"
    path.write_bytes(b"old")
    path.chmod(0o640)
    Network([2, 1]).save(path)
    assert deltaprop.load(path) == Network([2, 1])
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert os.listdir(tmp_path) == ["net"]
    fresh = tmp_path / "fresh"
    Network([2, 1]).save(fresh)
    mask = os.umask(0)
    os.umask(mask)
    assert stat.S_IMODE(fresh.stat().st_mode) == 0o666 & ~mask


def test_ctrl_c_as_the_new_file_is_made_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "net").write_bytes(b"old")
    made = []
    real = os.open

    def interrupted(path: Any, *arguments: Any, **words: Any) -> int:
        os.close(real(path, *arguments, **words))
        made.append(os.listdir(tmp_path))
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "open", interrupted)
    with pytest.raises(KeyboardInterrupt):
        replace_file(tmp_path / "net", b"new")
    monkeypatch.undo()
    assert len(made[0]) == 2
    assert os.listdir(tmp_path) == ["net"]
    assert (tmp_path / "net").read_bytes() == b"old"


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").write_bytes(b"old")
    (tmp_path / "link").symlink_to("real")
    replace_file(tmp_path / "link", b"new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_bytes() == b"new"


def test_where_it_cannot_be_written_nothing_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(FileNotFoundError):
        Network([2, 1]).save(tmp_path / "no" / "such" / "folder")
    with pytest.raises(IsADirectoryError):
        Network([2, 1]).save(tmp_path)
    path = tmp_path / "net"
    Network([2, 1], seed=1).save(path)
    before = path.read_bytes()

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        Network([2, 1], seed=2).save(path)
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == ["net"]


def test_the_file_and_then_its_folder_are_flushed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []
    real_fsync, real_replace = os.fsync, os.replace

    def fsync(descriptor: int) -> None:
        calls.append("folder" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "file")
        real_fsync(descriptor)

    def replace(a: Any, b: Any) -> None:
        calls.append("rename")
        real_replace(a, b)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(os, "replace", replace)
    Network([2, 1]).save(tmp_path / "net")
    assert calls == ["file", "rename", "folder"]


def test_killed_while_saving_there_is_always_a_whole_file(tmp_path: Path) -> None:
    path = tmp_path / "net"
    Network([300, 300, 1]).save(path)
    code = (
        "import sys; from deltaprop import Network; net = Network([300, 300, 1], seed=1)\n"
        "print('ready', flush=True)\n"
        "while True: net.save(sys.argv[1])"
    )
    for delay in (0.0, 0.003, 0.01, 0.02):
        process = subprocess.Popen([sys.executable, "-c", code, str(path)], stdout=subprocess.PIPE)
        assert process.stdout is not None
        process.stdout.readline()
        try:
            process.wait(delay)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
        assert deltaprop.load(path) in (Network([300, 300, 1]), Network([300, 300, 1], seed=1))


def test_a_file_of_a_newer_version_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("deltaprop.storage.FORMAT", 2)
    Network([2, 1]).save(tmp_path / "net")
    monkeypatch.undo()
    with pytest.raises(
        ModelFileError, match=r"written by a newer version of deltaprop \(format 2; this one reads up to 1\)"
    ):
        deltaprop.load(tmp_path / "net")


def test_what_is_no_model_file_is_said_so(tmp_path: Path) -> None:
    path = tmp_path / "file"
    for content in (
        b"",
        b"x",
        b"PK\x03\x04" + bytes(100),
        b"a,b\n1,2\n",
        bytes(1000),
        struct.pack("<Q", 2**63) + bytes(99),
    ):
        path.write_bytes(content)
        with pytest.raises(ModelFileError, match="not a deltaprop model file"):
            deltaprop.load(path)
    from safetensors.numpy import save_file

    save_file({"theta": np.zeros(3)}, path)
    with pytest.raises(ModelFileError, match="not a deltaprop model file"):
        deltaprop.load(path)
    with pytest.raises(FileNotFoundError):
        deltaprop.load(tmp_path / "none")


def test_a_huge_file_that_is_no_model_is_not_read(tmp_path: Path) -> None:
    """A hundred gigabytes of nothing (a sparse file), and the head of a model whose numbers would be that long."""
    path = tmp_path / "huge"
    with path.open("wb") as file:
        file.truncate(100_000_000_000)
    with pytest.raises(ModelFileError, match="not a deltaprop model file"):
        deltaprop.load(path)
    Network([2, 1]).save(path)
    with path.open("r+b") as file:
        file.truncate(100_000_000_000)
    with pytest.raises(ModelFileError, match="not a deltaprop model file, or it is damaged"):
        deltaprop.load(path)


def test_a_network_that_is_not_finite_is_not_saved(tmp_path: Path) -> None:
    net = Network([2, 1])
    net.b[0][0] = np.inf
    with pytest.raises(ValueError, match=r"Network\.save: a bias of layer 1 is not finite"):
        net.save(tmp_path / "net")
    assert os.listdir(tmp_path) == []


def test_parts_that_do_not_fit_are_refused_before_anything_is_allocated(tmp_path: Path) -> None:
    """Files with a right digest, as someone could make by hand, whose sizes contradict each other."""
    path = tmp_path / "net"
    net = Network([2, 3, 1])
    good = net.description()
    theta = net.theta
    for change in (
        {"layers": [2, 4, 1]},
        {"layers": [2**39, 2**39, 1]},
        {"layers": [2, 3.0, 1]},
        {"layers": [2, True, 1]},
        {"layers": "2-3-1"},
        {"layers": []},
        {"bias": 1},
        {"bias": False},
        {"dtype": "float32"},
        {"dtype": "object"},
        {"h": ["no_such_h"]},
        {"h": ["leaky_relu:slope=2"]},
        {"h": ["leaky_relu:"]},
        {"h": [1]},
        {"h": ["sigmoid", "sigmoid"]},
        {"output": "tanh"},
        {"loss": None},
        {"epoch": -1},
        {"epoch": 1.5},
        {"epoch": 2**32},
        {"seed": -1},
        {"callback": "print"},
    ):
        write_model_file(path, {"kind": "network", "network": {**good, **change}}, {"theta": theta})
        with pytest.raises(ModelFileError, match="do not fit together"):
            deltaprop.load(path)
    headers: list[dict[str, Any]] = [
        {"kind": "network"},
        {"kind": "network", "network": None},
        {"kind": "network", "network": {}},
    ]
    for header in headers:
        write_model_file(path, header, {"theta": theta})
        with pytest.raises(ModelFileError, match="do not fit together"):
            deltaprop.load(path)
    for tensors in (
        {},
        {"theta": theta[:5]},
        {"weights": theta},
        {"theta": theta[None]},
        {"theta": np.full(13, np.nan)},
    ):
        write_model_file(path, {"kind": "network", "network": good}, tensors)
        with pytest.raises(ModelFileError, match="do not fit together"):
            deltaprop.load(path)
    write_model_file(path, {"kind": "forest"}, {"theta": theta})
    with pytest.raises(ModelFileError, match="holds a 'forest', which this version of deltaprop does not know"):
        deltaprop.load(path)


def test_json_that_repeats_a_key_or_names_a_NaN_is_refused(tmp_path: Path) -> None:
    from deltaprop.storage import strict_json

    for text, why in (
        ('{"a": 1, "a": 2}', "repeated"),
        ('{"a": NaN}', "NaN is no JSON"),
        ("[Infinity]", "no JSON"),
        ("{", "Expecting"),
    ):
        with pytest.raises(ValueError, match=why):
            strict_json(text)
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_model_file(tmp_path / "x", {"a": float("nan")}, {})
    assert os.listdir(tmp_path) == []


def test_read_returns_what_was_written(tmp_path: Path) -> None:
    tensors = {"a": np.arange(6.0).reshape(2, 3), "b": np.array([1, 2], np.int64)}
    write_model_file(tmp_path / "x", {"kind": "test", "text": 'quotes " and \\ and ∂'}, tensors)
    header, read = read_model_file(tmp_path / "x")
    assert header["text"] == 'quotes " and \\ and ∂'
    assert set(read) == {"a", "b"}
    assert (read["a"] == tensors["a"]).all()


def test_a_pipe_is_written_to_as_it_is() -> None:
    read, write = os.pipe()
    replace_file(f"/dev/fd/{write}", b"through")
    os.close(write)
    assert os.read(read, 100) == b"through"
    os.close(read)
