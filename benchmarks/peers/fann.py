"""FANN, the C library (Debian: libfann-dev), through ctypes; a pass is one `fann_train_epoch`, so the loop is its own.

It trains online alone (its batches are whole epochs), and on squared errors alone: δ_y = (y − r) y′, which is our
squared_error, ½ Σ (y − r)². So its updates are compared with ours there; our time is that of the row, with log loss.

FANN's sigmoid is 1 / (1 + exp(−2 s a)), the logistic for steepness s = ½. It halves errors for symmetric activations
alone, and with momentum 0 its step is learning_rate · δ z: the factor between its rate and our η is 1. In y′ and h′ it
cuts z to [0.01, 0.99]; the samples that are compared stay within.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import re
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np

from side_by_side.task import Array, Task

NAME = "FANN"
INCREMENTAL, SIGMOID, LINEAR_ERROR, STEEPNESS = 0, 3, 0, 0.5
FACTOR = 1.0  # its learning_rate for our η

_path = ctypes.util.find_library("floatfann")
if _path is None:
    raise ImportError("libfloatfann, FANN's C library, is not installed (Debian: libfann-dev)")
_fann = ctypes.CDLL(_path)


def _version() -> str:
    """Of the library that was loaded; it has no function for that."""
    maps = Path("/proc/self/maps")
    found = re.search(r"libfloatfann\.so\.([\d.]+)", maps.read_text()) if maps.exists() else None
    return found[1] if found else "unknown"


VERSION = _version()
_fann.fann_create_standard_array.restype = ctypes.c_void_p
_fann.fann_train_epoch.restype = ctypes.c_float


class _Net(ctypes.Structure):
    """The first fields of `struct fann`: `fann_set_weight_array` would search all connections for each."""

    _fields_ = [
        ("errno", ctypes.c_int),
        ("log", ctypes.c_void_p),
        ("text", ctypes.c_char_p),
        ("rates", ctypes.c_float * 3),
        ("network_type", ctypes.c_int),
        ("layers", ctypes.c_void_p * 2),
        ("sizes", ctypes.c_uint * 3),
        ("weights", ctypes.POINTER(ctypes.c_float)),
    ]


class _Data(ctypes.Structure):
    """`struct fann_train_data`, over rows that NumPy owns."""

    _fields_ = [
        ("errno", ctypes.c_int),
        ("log", ctypes.c_void_p),
        ("text", ctypes.c_char_p),
        ("sizes", ctypes.c_uint * 3),
        ("inputs", ctypes.c_void_p),
        ("outputs", ctypes.c_void_p),
    ]


def nearest(task: Task) -> Task | None:
    """Online, sigmoid, float32: with squared errors instead of the log loss."""
    if (task.batch_size, task.h, task.output, task.optimizer) != (1, "sigmoid", "sigmoid", "sgd"):
        return None
    return replace(task, loss="squared_error")


class _Incremental:
    def __init__(self, task: Task, X: Array, R: Array) -> None:
        self.task = task
        sizes = (ctypes.c_uint * len(task.layers))(*task.layers)
        self.net = ctypes.c_void_p(_fann.fann_create_standard_array(len(task.layers), sizes))
        _fann.fann_set_training_algorithm(self.net, INCREMENTAL)
        _fann.fann_set_train_error_function(self.net, LINEAR_ERROR)
        _fann.fann_set_learning_rate(self.net, ctypes.c_float(FACTOR * task.eta))
        _fann.fann_set_learning_momentum(self.net, ctypes.c_float(0))
        for layer in ("hidden", "output"):
            getattr(_fann, f"fann_set_activation_function_{layer}")(self.net, SIGMOID)
            getattr(_fann, f"fann_set_activation_steepness_{layer}")(self.net, ctypes.c_float(STEEPNESS))
        for own, start in zip(self._layers(), self._rows(*task.start()), strict=True):
            own[...] = start
        self.rows = [np.ascontiguousarray(A, np.float32) for A in (X, R)]
        self.pointers = [A.ctypes.data + A.strides[0] * np.arange(len(A), dtype=np.uintp) for A in self.rows]
        addresses = [p.ctypes.data for p in self.pointers]
        self.data = _Data(0, None, None, (len(X), X.shape[1], R.shape[1]), *addresses)

    def _layers(self) -> list[Array]:
        """Views (n_out, n_in + 1) of its weights; the last of each row is the bias."""
        pairs = list(pairwise(self.task.layers))
        first = ctypes.cast(self.net, ctypes.POINTER(_Net)).contents.weights
        flat = np.ctypeslib.as_array(first, (sum((i + 1) * o for i, o in pairs),))
        ends = np.cumsum([(i + 1) * o for i, o in pairs])
        return [part.reshape(o, i + 1) for part, (i, o) in zip(np.split(flat, ends[:-1]), pairs, strict=True)]

    @staticmethod
    def _rows(W: list[Array], b: list[Array]) -> list[Array]:
        return [np.column_stack([w.T, bias]) for w, bias in zip(W, b, strict=True)]

    def run(self) -> None:
        _fann.fann_train_epoch(self.net, ctypes.byref(self.data))

    def parameters(self) -> tuple[list[Array], list[Array]]:
        return [w[:, :-1].T.copy() for w in self._layers()], [w[:, -1].copy() for w in self._layers()]

    def __del__(self) -> None:
        _fann.fann_destroy(self.net)


def prepare(task: Task, X: Array, R: Array) -> _Incremental:
    return _Incremental(task, X, R)
