"""The trace: every quantity of backpropagation for one sample or many, with names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from deltaprop.model import Model

Array = NDArray[Any]
MOST_ROWS = 400  # of a printed table


@dataclass(frozen=True)
class LayerTrace:
    """What happens in the units of one layer; with many samples each array has a leading axis (n).

    Attributes
    ----------
    a : ndarray (n_out,)
        Pre-activations, a_j = Σ_i w_ji z_i + b_j.
    z : ndarray (n_out,)
        Activations, z_j = h(a_j).
    dh : ndarray (n_out,)
        h′(a_j); for a softmax layer the Jacobian ∂z_j/∂a_k, (n_out, n_out).
    delta : ndarray (n_out,)
        δ_j = ∂E/∂a_j, by the delta rule (2).
    dW : ndarray (n_in, n_out)
        ∂E/∂w_ji = δ_j z_i at [i, j], equation (1).
    db : ndarray (n_out,) or None
        ∂E/∂b_j = δ_j; None without biases.
    W, b : ndarray
        The weights and biases that were used, copies.
    units, inputs : tuple of str
        The names of the layer's units and of what leads into them.
    """

    a: Array
    z: Array
    dh: Array
    delta: Array
    dW: Array
    db: Array | None
    W: Array
    b: Array | None
    h: str
    units: tuple[str, ...]
    inputs: tuple[str, ...]


@dataclass(frozen=True)
class Trace:
    """The forward and backward pass of one sample, or of many (then each array has a leading axis).

    Attributes
    ----------
    x : ndarray (n_in,)
        The inputs.
    r : ndarray (n_out,)
        The targets.
    y : ndarray (n_out,)
        The outputs, z of the last layer.
    E : float, or ndarray (n,)
        The loss of the sample.
    layers : tuple of LayerTrace
        ``layers[l]`` holds the units that ``W[l]`` leads to.
    inputs : tuple of str
        The names of the inputs.
    """

    x: Array
    r: Array
    y: Array
    E: Any
    layers: tuple[LayerTrace, ...]
    inputs: tuple[str, ...]

    def rows(self) -> list[tuple[str, str, float]]:
        """Return (symbol, name, value) for every number of a single sample, in the order of the two passes.

        Raises
        ------
        ValueError
            If the trace holds many samples; take one with ``net.trace(X[k], R[k])``.
        """
        if self.x.ndim != 1:
            raise ValueError(
                f"Trace: a table shows one sample; this trace holds {len(self.x)}. Take one: net.trace(X[0], R[0])."
            )
        rows: list[tuple[str, str, float]] = []

        def add(symbol: str, names: Sequence[str], values: Array) -> None:
            rows.extend((symbol, name, float(value)) for name, value in zip(names, values, strict=True))

        add("x", self.inputs, self.x)
        for layer in self.layers:
            add("a", layer.units, layer.a)
            add("z", layer.units, layer.z)
        add("r", self.layers[-1].units, self.r)
        rows.append(("E", "", float(self.E)))
        for layer in reversed(self.layers):
            if layer.dh.ndim == 1:
                add("h′", layer.units, layer.dh)
            else:
                names = [f"{j}, {k}" for j in layer.units for k in layer.units]
                add("∂z/∂a", names, layer.dh.reshape(-1))
            add("δ", layer.units, layer.delta)
            names = [f"{i} → {j}" for i in layer.inputs for j in layer.units]
            add("∂E/∂w", names, layer.dW.reshape(-1))
            if layer.db is not None:
                add("∂E/∂b", layer.units, layer.db)
        return rows

    def __str__(self) -> str:
        if self.x.ndim != 1:
            shapes = " → ".join(str(layer.a.shape[1]) for layer in self.layers)
            return f"Trace of {len(self.x)} samples, {self.x.shape[1]} → {shapes}; mean E {float(np.mean(self.E)):.6g}"
        rows = self.rows()
        left = len(rows) - MOST_ROWS
        if left > 0:
            rows = rows[:MOST_ROWS]
        width = max(len(symbol) for symbol, _, _ in rows)
        longest = max(len(name) for _, name, _ in rows)
        lines = [f"{symbol:<{width}}  {name:<{longest}}  {value: .10g}" for symbol, name, value in rows]
        if left > 0:
            lines.append(f"… {left} more numbers; they are in .layers")
        return "\n".join(lines)

    __repr__ = __str__


def unit_names(model: Model, labels: Sequence[str] | None = None) -> list[tuple[str, ...]]:
    """Return the names of each layer's units: z1.2 is unit 2 of hidden layer 1; outputs y1, y2, … or ``labels``."""
    hidden = [tuple(f"z{layer}.{j}" for j in range(1, n + 1)) for layer, n in enumerate(model.layers[1:-1], start=1)]
    n_out = model.layers[-1]
    if labels is None:
        labels = ["y"] if n_out == 1 else [f"y{j}" for j in range(1, n_out + 1)]
    return [*hidden, tuple(labels)]


def trace(
    model: Model,
    X: ArrayLike,
    R: ArrayLike,
    *,
    inputs: Sequence[str] | None = None,
    outputs: Sequence[str] | None = None,
) -> Trace:
    """Return the trace of one sample, x (n_in,) with r (n_out,), or of many, X (n, n_in) with R.

    ``inputs`` and ``outputs`` name the input columns and the output units; `Network.trace` documents the rest.
    """
    x, r = np.asarray(X), np.asarray(R)
    single = x.ndim == 1
    if single:
        if x.size != model.layers[0]:
            raise ValueError(f"{type(model).__name__}.trace: x needs {model.layers[0]} inputs; got {x.size}.")
        if r.size != model.layers[-1]:
            raise ValueError(f"{type(model).__name__}.trace: r needs {model.layers[-1]} targets; got {r.size}.")
        x, r = x.reshape(1, -1), r.reshape(1, -1)
    raw = model.raw_trace(x, r)

    def one(values: Array) -> Array:
        return values[0] if single else values

    names = tuple(inputs) if inputs is not None else tuple(f"x{i}" for i in range(1, model.layers[0] + 1))
    layers = []
    below = names
    for k, units in enumerate(unit_names(model, outputs)):
        W, b, db = model.W[k], model.b[k], raw.db[k]
        layers.append(
            LayerTrace(
                a=one(raw.a[k]),
                z=one(raw.z[k]),
                dh=one(raw.dh[k]),
                delta=one(raw.delta[k]),
                dW=one(raw.dW[k]),
                db=None if db is None else one(db),
                W=W.copy(),
                b=None if b is None else b.copy(),
                h=[*model.h, model.output][k],
                units=units,
                inputs=below,
            )
        )
        below = units
    E = float(raw.E[0]) if single else raw.E
    return Trace(one(raw.x), one(raw.r), layers[-1].z, E, tuple(layers), names)
