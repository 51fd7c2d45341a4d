"""The model file: parts in, parts out.

One safetensors file: tensors, and one string of metadata, ``deltaprop``, that is JSON::

    {"format": 1, "sha256": "…", "version": "0.1.0", "kind": "network", …}

``sha256`` is the digest of the whole file with its own 64 digits replaced by zeros, so that no byte can change unseen.
Reading parses numbers and JSON and executes nothing. Writing replaces the file whole or not at all.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import math
import os
import struct
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

import numpy as np

from deltaprop.errors import ModelFileError

FORMAT = 1
_ZEROS = "0" * 64
_MARK = b'\\"sha256\\":\\"'  # JSON within JSON: the quotes are escaped
_LARGEST_HEADER = 100_000_000
_STALE = 5.0  # seconds

Part = TypeVar("Part")
PathLike = str | os.PathLike[str]


def write_model_file(path: PathLike, header: Mapping[str, Any], tensors: Mapping[str, np.ndarray[Any, Any]]) -> None:
    """Write a model file: whole, or not at all.

    The bytes go to a temporary file in the same folder, which is flushed to disk and then renamed; then the folder is
    flushed too. The same parts give the same bytes.

    Parameters
    ----------
    path : path-like
        Where to write; a file that is there is replaced.
    header : mapping
        JSON-able; "format", "sha256" and the "version" of deltaprop are added.
    tensors : mapping of str to ndarray
        C-contiguous arrays.

    Raises
    ------
    OSError
        If the folder is missing, full or not writable; nothing has changed then.
    """
    from importlib.metadata import version

    from safetensors.numpy import save

    text = json.dumps(
        {"format": FORMAT, "sha256": _ZEROS, "version": version("deltaprop"), **header},
        ensure_ascii=True,
        allow_nan=False,
        separators=(",", ":"),
    )
    arrays = {name: np.ascontiguousarray(array) for name, array in tensors.items()}
    data = bytearray(save(arrays, metadata={"deltaprop": text}))
    at = data.index(_MARK) + len(_MARK)
    data[at : at + 64] = hashlib.sha256(data).hexdigest().encode()
    replace_file(path, bytes(data))


def replace_file(path: PathLike, data: bytes) -> None:
    """Put ``data`` at ``path`` so that at every moment either the old file or the new one is there, whole.

    What is there and is no regular file, such as a pipe or a device, is written to as it is.

    Raises
    ------
    OSError
        If the folder is missing, full or not writable; nothing has changed then.
    """
    if os.path.exists(path) and not os.path.isfile(path):
        Path(path).write_bytes(data)  # raises where it is a folder
        return
    real = Path(os.path.realpath(path))  # a link stays a link
    mode = _mode_for(real)
    with _new_beside(real, path) as file:
        file.write(data)
        file.flush()
        os.fchmod(file.fileno(), mode)
        os.fsync(file.fileno())
        os.replace(file.name, real)
    folder = os.open(real.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def check_place(path: PathLike) -> None:
    """Raise OSError where a file could not be written, so that long work does not end in an error.

    Examples
    --------
    >>> check_place("no/such/folder/xor.deltaprop")
    Traceback (most recent call last):
    ...
    FileNotFoundError: [Errno 2] No such folder: 'no/such/folder'
    """
    real = Path(os.path.realpath(path))
    if not real.parent.is_dir():
        raise FileNotFoundError(errno.ENOENT, "No such folder", os.fspath(Path(path).parent))
    if real.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), os.fspath(path))
    if real.exists() and not real.is_file():
        return
    with _new_beside(real, path):
        _remove_stale(real)


def _parts_of(real: Path) -> str:
    """Return how the names of new files for a place begin."""
    return f".deltaprop-{hashlib.blake2b(real.name.encode(errors='surrogateescape'), digest_size=4).hexdigest()}-"


def _remove_stale(real: Path) -> None:
    """Remove what a process that was killed in the middle of writing has left beside a place."""
    for left in real.parent.glob(f"{_parts_of(real)}*.part"):
        with suppress(OSError), open(left, "rb") as file:
            if time.time() - os.fstat(file.fileno()).st_mtime > _STALE:  # younger ones may not have their lock yet
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)  # fails where somebody is writing
                left.unlink()


@contextmanager
def _new_beside(real: Path, path: PathLike) -> Iterator[BinaryIO]:
    """Open a new file in the folder of ``real`` for a while; what is not renamed is removed. Errors name ``path``.

    Its name is known before it is made, so that nothing is left where Ctrl-C comes at that very moment.
    """
    temporary = real.parent / f"{_parts_of(real)}{os.urandom(8).hex()}.part"
    try:
        real.exists()  # raises where the name is too long
        with open(temporary, "xb", opener=partial(os.open, mode=0o600)) as file:
            with suppress(OSError):  # a disk that knows no locks
                fcntl.flock(file, fcntl.LOCK_EX)
            yield file
    except OSError as error:
        raise OSError(error.errno, error.strerror, os.fspath(path)) from None
    finally:
        with suppress(OSError):
            temporary.unlink()


def _mode_for(path: Path) -> int:
    try:
        return path.stat().st_mode & 0o777
    except FileNotFoundError:
        mask = os.umask(0)
        os.umask(mask)
        return 0o666 & ~mask


def read_model_file(path: PathLike) -> tuple[dict[str, Any], dict[str, np.ndarray[Any, Any]]]:
    """Read a model file.

    Returns
    -------
    header : dict
        What was written.
    tensors : dict of str to ndarray

    Raises
    ------
    FileNotFoundError, OSError
        If there is no such file, or it cannot be read.
    ModelFileError
        If it is no model file, is damaged in any byte, or was written by a newer version.
    """
    with open(path, "rb") as file:
        size = os.fstat(file.fileno()).st_size
        head = _read_head(file, size, path)
        header = _check_head(head, size, path)
        tensors = file.read()
    at = head.find(_MARK) + len(_MARK)
    digest = hashlib.sha256(head[:at] + _ZEROS.encode() + head[at + 64 :])
    digest.update(tensors)
    if header["sha256"] != digest.hexdigest():
        raise ModelFileError(f"{path}: damaged: its contents do not match its own SHA-256.")
    from safetensors import SafetensorError
    from safetensors.numpy import load

    try:
        return header, load(head + tensors)
    except (SafetensorError, ValueError, KeyError, TypeError) as error:
        raise ModelFileError(f"{path}: not a deltaprop model file ({error}).") from None


def _read_head(file: BinaryIO, size: int, path: PathLike) -> bytes:
    """Return the part of a safetensors file before the numbers: a length of 8 bytes, and so much JSON."""
    start = file.read(8)
    if len(start) < 8:
        raise ModelFileError(f"{path}: not a deltaprop model file (it has {len(start)} bytes).")
    (length,) = struct.unpack("<Q", start)
    if length > min(size - 8, _LARGEST_HEADER):
        raise ModelFileError(f"{path}: not a deltaprop model file, or it was cut short.")
    return start + file.read(length)


def _check_head(head: bytes, size: int, path: PathLike) -> dict[str, Any]:
    """Return our own header; raise ModelFileError where it, or the file's size, is not that of a model file."""
    try:
        outer = strict_json(head[8:].decode())
        header = dict(strict_json(outer.pop("__metadata__")["deltaprop"]))
        format_ = header["format"]
        end = max((tensor["data_offsets"][1] for tensor in outer.values()), default=0)
        fits = type(end) is int and len(head) + end == size and type(format_) is int and type(header["sha256"]) is str
    except (ValueError, KeyError, TypeError, IndexError, AttributeError, RecursionError):
        raise ModelFileError(f"{path}: not a deltaprop model file, or it is damaged.") from None
    if type(format_) is int and format_ > FORMAT:
        raise ModelFileError(
            f"{path}: written by a newer version of deltaprop (format {format_}; this one reads up to {FORMAT}). "
            "Upgrade deltaprop to read it."
        )
    if not fits or format_ != FORMAT:
        raise ModelFileError(f"{path}: not a deltaprop model file, or it is damaged.")
    return header


def strict_json(text: str) -> Any:
    """Parse JSON that repeats no key and names no NaN or infinity; raise ValueError otherwise."""

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        result = dict(pairs)
        if len(result) != len(pairs):
            raise ValueError("a key is repeated")
        return result

    def refuse(name: str) -> Any:
        raise ValueError(f"{name} is no JSON number")

    return json.loads(text, object_pairs_hook=unique, parse_constant=refuse)


def finite_json(value: Any) -> Any:
    """Return what is JSON-able, with texts for the numbers that JSON has no word for; `restored_json` reads it.

    Examples
    --------
    >>> finite_json({"E": [0.5, float("inf")]})
    {'E': [0.5, 'float inf']}
    """
    if isinstance(value, Mapping):
        return {key: finite_json(own) for key, own in value.items()}
    if isinstance(value, list | tuple):
        return [finite_json(own) for own in value]
    return f"float {value!r}" if isinstance(value, float) and not math.isfinite(value) else value


def restored_json(value: Any) -> Any:
    """Return what `finite_json` was given, but for tuples, which are lists now."""
    if isinstance(value, Mapping):
        return {key: restored_json(own) for key, own in value.items()}
    if isinstance(value, list):
        return [restored_json(own) for own in value]
    return float(value.removeprefix("float ")) if isinstance(value, str) and value.startswith("float ") else value


def rebuilt(path: PathLike, build: Callable[[], Part]) -> Part:
    """Return ``build()``; a header that does not describe what it should raises ModelFileError."""
    try:
        return build()
    except ModelFileError:
        raise
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError) as error:
        raise ModelFileError(f"{path}: its parts do not fit together ({type(error).__name__}: {error}).") from None
