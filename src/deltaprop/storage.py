"""The model file: parts in, parts out.

One safetensors file: tensors, and one string of metadata, ``deltaprop``, that is JSON::

    {"format": 1, "sha256": "…", "version": "0.1.0", "kind": "network", …}

``sha256`` is the digest of the whole file with its own 64 digits replaced by zeros, so that no byte can change unseen.
Reading parses numbers and JSON and executes nothing. Writing replaces the file whole or not at all.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import struct
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from deltaprop.errors import ModelFileError

FORMAT = 1
_ZEROS = "0" * 64
_MARK = b'\\"sha256\\":\\"'  # JSON within JSON: the quotes are escaped
_LARGEST_HEADER = 100_000_000

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
    path = Path(os.path.realpath(path))  # a link stays a link
    mode = _mode_for(path)
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fchmod(file.fileno(), mode)
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise
    folder = os.open(path.parent, os.O_RDONLY)
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
    folder = Path(os.path.realpath(path)).parent
    if not folder.is_dir():
        raise FileNotFoundError(errno.ENOENT, "No such folder", str(Path(path).parent))
    if Path(path).is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if not os.access(folder, os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(Path(path).parent))


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
    data = Path(path).read_bytes()
    header = _header(data, path)
    from safetensors import SafetensorError
    from safetensors.numpy import load

    try:
        return header, load(data)
    except (SafetensorError, ValueError, KeyError, TypeError) as error:
        raise ModelFileError(f"{path}: not a deltaprop model file ({error}).") from None


def _header(data: bytes, path: PathLike) -> dict[str, Any]:
    no_model = f"{path}: not a deltaprop model file"
    if len(data) < 8:
        raise ModelFileError(f"{no_model} (it has {len(data)} bytes).")
    (length,) = struct.unpack("<Q", data[:8])
    if length > min(len(data) - 8, _LARGEST_HEADER):
        raise ModelFileError(f"{no_model}, or it was cut short.")
    try:
        outer = strict_json(data[8 : 8 + length].decode())
        header = strict_json(outer["__metadata__"]["deltaprop"])
        format_, digest = header["format"], header["sha256"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise ModelFileError(f"{no_model}, or it is damaged.") from None
    if type(format_) is int and format_ > FORMAT:
        raise ModelFileError(
            f"{path}: written by a newer version of deltaprop (format {format_}; this one reads up to {FORMAT}). "
            "Upgrade deltaprop to read it."
        )
    at = data.find(_MARK) + len(_MARK)
    blanked = data[:at] + _ZEROS.encode() + data[at + 64 :]
    if type(format_) is not int or format_ != FORMAT or digest != hashlib.sha256(blanked).hexdigest():
        raise ModelFileError(f"{path}: damaged: its contents do not match its own SHA-256.")
    return dict(header)


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


def rebuilt(path: PathLike, build: Callable[[], Part]) -> Part:
    """Return ``build()``; a header that does not describe what it should raises ModelFileError."""
    try:
        return build()
    except ModelFileError:
        raise
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, MemoryError) as error:
        raise ModelFileError(f"{path}: its parts do not fit together ({type(error).__name__}: {error}).") from None
