"""Theta: one padded array for the engine, W and b of each layer as live views of it, dense for everybody else."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from deltaprop.arrays import Array, numbers_in

_ALIGNMENT = 64  # bytes


def aligned_zeros(size: int, dtype: np.dtype[Any]) -> Array:
    """Return ``size`` zeros whose first element stands at a multiple of 64 bytes, where vectors load fastest."""
    block = np.zeros(size * dtype.itemsize + _ALIGNMENT, dtype=np.uint8)
    start = -block.ctypes.data % _ALIGNMENT
    return block[start : start + size * dtype.itemsize].view(dtype)


class LayerViews(Sequence[Any]):
    """One array per layer, live: reading gives a view into theta, assigning copies into it.

    ``net.W[0][1, 2] = 5`` and ``net.W[0] = A`` both change the network. An array taken out stays valid: training
    changes it in place. Entries are None where a layer has no such array (``net.b`` without biases).
    """

    def __init__(self, name: str, views: Sequence[Array | None]) -> None:
        self._name = name
        self._views = views

    def __len__(self) -> int:
        return len(self._views)

    def __getitem__(self, layer: int | slice) -> Any:
        return self._views[layer]

    def __iter__(self) -> Iterator[Any]:
        return iter(self._views)

    def __setitem__(self, layer: int, values: ArrayLike) -> None:
        if isinstance(layer, slice):
            raise TypeError(f"Network.{self._name}: assign one layer at a time, or all: net.{self._name} = [...].")
        view = self._views[layer]
        view[...] = self._checked(layer, values)  # type: ignore[index]  # _checked has refused None

    def _checked(self, layer: int, values: ArrayLike) -> Array:
        view = self._views[layer]
        name = f"{self._name}[{layer}]"
        if view is None:
            raise ValueError(f"Network.{name}: this network has no biases (bias=False).")
        array = numbers_in(values, view.dtype, name, where="Network")
        if array.shape != view.shape:
            raise ValueError(f"Network.{name} needs shape {view.shape}; got {array.shape}.")
        return array

    def assign(self, values: Sequence[ArrayLike]) -> None:
        """Copy in one array per layer (they may be views of each other): all, or none where one does not fit."""
        if len(values) != len(self):
            raise ValueError(f"Network.{self._name} needs {len(self)} arrays, one per layer; got {len(values)}.")
        for view, array in zip(self._views, [self._checked(*pair).copy() for pair in enumerate(values)], strict=True):
            view[...] = array  # type: ignore[index]  # _checked has refused None

    def __repr__(self) -> str:
        return f"[{', '.join('None' if view is None else repr(view) for view in self._views)}]"


class Parameters:
    """The numbers of a network.

    Inside, each layer is one matrix [W; b] whose rows are padded for the engine; the padding is zero and nobody outside
    sees it. Dense is: layer by layer, W row by row, then b.

    Parameters
    ----------
    layout : sequence of (offset, n_in, n_out, pitch, bias)
        Where each [W; b] stands, as the engine's Plan says.
    size : int
        Elements of the padded array.
    dtype : numpy.dtype

    Attributes
    ----------
    padded : ndarray (size,)
        Theta itself, as the engine reads and writes it.
    W, b : LayerViews
        Live views into it.
    """

    def __init__(self, layout: Sequence[tuple[int, int, int, int, bool]], size: int, dtype: np.dtype[Any]) -> None:
        self._layout = layout
        self.padded = aligned_zeros(size, dtype)
        W, b = self.views(self.padded)
        self.W = LayerViews("W", W)
        self.b = LayerViews("b", b)

    def start_from(self, layers: Sequence[Any]) -> None:
        """Copy in a W for each layer, or a tuple (W, b)."""
        if len(layers) != len(self.W):
            raise ValueError(f"Network: init needs {len(self.W)} arrays, one for each layer; got {len(layers)}.")
        for l, layer in enumerate(layers):
            if isinstance(layer, tuple) and len(layer) != 2:
                raise ValueError(f"Network: init[{l}] needs W or a tuple (W, b); got a tuple of {len(layer)}.")
        self.W.assign([layer[0] if isinstance(layer, tuple) else layer for layer in layers])
        for l, layer in enumerate(layers):
            if isinstance(layer, tuple):
                _, self.b[l] = layer

    def views(self, padded: Array) -> tuple[list[Array], list[Array | None]]:
        """Return W and b of each layer as views into an array that is laid out like theta along its last axis."""
        W: list[Array] = []
        b: list[Array | None] = []
        for offset, n_in, n_out, pitch, bias in self._layout:
            rows = n_in + bias
            matrix = padded[..., offset : offset + rows * pitch]
            matrix = matrix.reshape(*padded.shape[:-1], rows, pitch)[..., :n_out]
            W.append(matrix[..., :n_in, :])
            b.append(matrix[..., n_in, :] if bias else None)
        return W, b

    def dense(self, padded: Array | None = None) -> Array:
        """Return theta, or another array of its layout, without the padding: a copy."""
        parts = []
        for W, b in zip(*self.views(self.padded if padded is None else padded), strict=True):
            parts.append(W.reshape(-1))
            if b is not None:
                parts.append(b)
        return np.concatenate(parts)

    def assign(self, dense: Array, padded: Array | None = None) -> None:
        """Copy a dense theta into theta, or into another array of its layout; its size must fit."""
        at = 0
        pairs = zip(*self.views(self.padded if padded is None else padded), strict=True)
        for view in (view for pair in pairs for view in pair if view is not None):
            view[...] = dense[at : at + view.size].reshape(view.shape)
            at += view.size
