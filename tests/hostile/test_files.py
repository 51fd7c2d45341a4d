"""A small model file, cut at every byte and with every bit of every byte flipped: it is refused."""

from pathlib import Path

import pytest

import deltaprop
from deltaprop import ModelFileError, Network, TableModel


def small_network(path: Path) -> None:
    net = Network([1, 2, 1], h="tanh", seed=3, dtype="float32")
    net.fit([[1.0]], [1], epochs=1)
    net.save(path)


def small_table_model(path: Path) -> None:
    table = {
        "height": [1.5, None, 1.9, 2.0] * 5,
        "eyes": ["a", "b", "b", "a"] * 5,
        "tall": ["no", "no", "yes", "yes"] * 5,
    }
    model = TableModel(hidden=(), dtype="float32")
    model.fit(table, "tall", epochs=2)
    model.save(path)


@pytest.mark.parametrize("write", [small_network, small_table_model])
def test_cut_at_every_byte(write: object, tmp_path: Path) -> None:
    path = tmp_path / "model"
    write(path)  # type: ignore[operator]
    data = path.read_bytes()
    for length in range(len(data)):
        path.write_bytes(data[:length])
        with pytest.raises(ModelFileError):
            deltaprop.load(path)
    path.write_bytes(data + b"\0")
    with pytest.raises(ModelFileError):
        deltaprop.load(path)


def survives(path: Path, data: bytes) -> bool:
    """Whether a changed file is still taken for a model; raises what `load` raises beside ModelFileError."""
    path.write_bytes(data)
    try:
        deltaprop.load(path)
    except ModelFileError as error:
        return str(path) not in str(error) or "\n" in str(error)  # the message names the file, on one line
    return True


@pytest.mark.parametrize("write", [small_network, small_table_model])
def test_every_byte_flipped(write: object, tmp_path: Path) -> None:
    """Every bit of every byte, and every byte to 0, to 255 and to a quote: no change is taken for a model."""
    path = tmp_path / "model"
    write(path)  # type: ignore[operator]
    data = path.read_bytes()
    for at, byte in enumerate(data):
        for changed in {*(byte ^ (1 << bit) for bit in range(8)), 0, 255, ord('"')} - {byte}:
            assert not survives(path, data[:at] + bytes([changed]) + data[at + 1 :]), (at, byte, changed)


def test_bytes_swapped_inserted_and_left_out(tmp_path: Path) -> None:
    path = tmp_path / "model"
    small_network(path)
    data = path.read_bytes()
    for at in range(len(data)):
        assert not survives(path, data[:at] + data[at + 1 :])
        assert not survives(path, data[:at] + b" " + data[at:])
        if at and data[at] != data[at - 1]:
            assert not survives(path, data[: at - 1] + data[at : at + 1] + data[at - 1 : at] + data[at + 1 :])
