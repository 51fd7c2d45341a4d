"""The trace: every quantity of backpropagation for one sample or many, with names."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from html import escape
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from deltaprop.arrays import Array, numbers_in
from deltaprop.descent.optimizers import Optimizer, optimizer_in
from deltaprop.descent.penalties import add_gradient
from deltaprop.descent.schedules import rates
from deltaprop.errors import optional
from deltaprop.model import Model

MOST_ROWS = 400  # of a printed table
_MOST_SAMPLES, _MOST_OUTPUTS = 20, 5  # of a printed table of many


class TraceNumber(NamedTuple):
    """One number of a trace: its symbol, the name of its unit or units, its value, and its layer (0 is the input)."""

    symbol: str
    name: str
    value: float
    layer: int


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
    W, b : ndarray (n_in, n_out), (n_out,)
        The weights and biases that were used, copies.
    W_after, b_after : ndarray (n_in, n_out), (n_out,), or None
        What the step makes of them; None where the trace was asked for no step.
    dW_penalty : ndarray (n_in, n_out) or None
        ∂Ω/∂w_ji = l2 w_ji + l1 sign(w_ji), which a step adds to ∂E/∂w_ji; None where the network has no penalty.
    h : str
        The layer's activation.
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
    W_after: Array | None = None
    b_after: Array | None = None
    dW_penalty: Array | None = None

    @property
    def change_W(self) -> Array | None:
        """Δw_ji = w_ji after the step − w_ji before it, (n_in, n_out)."""
        return None if self.W_after is None else self.W_after - self.W

    @property
    def change_b(self) -> Array | None:
        """Δb_j, (n_out,)."""
        return None if self.b is None or self.b_after is None else self.b_after - self.b


class _Rows(list[TraceNumber]):
    """Numbers with their names, in order."""

    def add(self, symbol: str, layer: int, names: Iterable[str], values: Array) -> None:
        self.extend(
            TraceNumber(symbol, name, float(value), layer) for name, value in zip(names, values.flat, strict=True)
        )


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
        The loss of the sample, without the penalty.
    layers : tuple of LayerTrace
        ``layers[l]`` holds the units that ``W[l]`` leads to.
    inputs : tuple of str
        The names of the inputs.
    eta : float or None
        η of the step, where the trace was asked for one.
    optimizer : Optimizer or None
        Its rule.
    penalty : float
        Ω(θ), which E of a set has beside the mean over its samples.
    """

    x: Array
    r: Array
    y: Array
    E: Any
    layers: tuple[LayerTrace, ...]
    inputs: tuple[str, ...]
    eta: float | None = None
    optimizer: Optimizer | None = None
    penalty: float = 0.0

    def rows(self, *, matrices: bool = True) -> list[TraceNumber]:
        """Return every number of a single sample by name, in the order of the two passes.

        Parameters
        ----------
        matrices : bool, default True
            Whether to give ∂E/∂w, the step of each w, and the Jacobian of softmax, which may be very many.

        Raises
        ------
        ValueError
            If the trace holds many samples; take one, as ``trace[0]``.
        """
        if self.x.ndim != 1:
            raise ValueError(f"Trace: these are the rows of one sample; this trace holds {len(self.x)}. Take trace[0].")
        rows = _Rows()
        add = rows.add
        depth = len(self.layers)
        add("x", 0, self.inputs, self.x)
        for k, layer in enumerate(self.layers, start=1):
            add("a", k, layer.units, layer.a)
            add("z", k, layer.units, layer.z)
        add("r", depth, self.layers[-1].units, self.r)
        rows.append(TraceNumber("E", "", float(self.E), depth))
        if any(layer.dW_penalty is not None for layer in self.layers):
            rows += [TraceNumber("Ω", "", self.penalty, depth), TraceNumber("E + Ω", "", self.E + self.penalty, depth)]
        for k, layer in zip(range(depth, 0, -1), reversed(self.layers), strict=True):
            if layer.dh.ndim == 1:
                add("h′", k, layer.units, layer.dh)
            elif matrices:
                add("∂z/∂a", k, (f"{j}, {i}" for j in layer.units for i in layer.units), layer.dh)
            add("δ", k, layer.units, layer.delta)
            if matrices:
                pairs = [f"{i} → {j}" for i in layer.inputs for j in layer.units]
                add("∂E/∂w", k, pairs, layer.dW)
                if layer.dW_penalty is not None:
                    add("∂Ω/∂w", k, pairs, layer.dW_penalty)
            if layer.db is not None:
                add("∂E/∂b", k, layer.units, layer.db)
        return rows + self._step(matrices)

    def _step(self, matrices: bool) -> list[TraceNumber]:
        """Return w and b before and after the step, where there is one."""
        rows = _Rows()
        add = rows.add
        for k, layer in enumerate(self.layers, start=1):
            pairs = [f"{i} → {j}" for i in layer.inputs for j in layer.units]
            if matrices and layer.W_after is not None and layer.change_W is not None:
                add("w", k, pairs, layer.W)
                add("Δw", k, pairs, layer.change_W)
                add("w + Δw", k, pairs, layer.W_after)
            if layer.b is not None and layer.b_after is not None and layer.change_b is not None:
                add("b", k, layer.units, layer.b)
                add("Δb", k, layer.units, layer.change_b)
                add("b + Δb", k, layer.units, layer.b_after)
        return rows

    def __len__(self) -> int:
        """How many samples it holds."""
        return 1 if self.x.ndim == 1 else len(self.x)

    def __getitem__(self, sample: int) -> Trace:
        """Return the trace of one of many samples, counted from 0; a step over all of them is no part of it.

        Raises
        ------
        IndexError
            If there is no such sample.
        """
        if not -len(self) <= sample < len(self):
            raise IndexError(f"Trace: there is no sample {sample}; it holds {len(self)}, counted from 0.")
        if self.x.ndim == 1:
            return self
        each = ("a", "z", "dh", "delta", "dW")
        layers = tuple(
            replace(
                layer,
                **{name: getattr(layer, name)[sample] for name in each},
                db=None if layer.db is None else layer.db[sample],
                W_after=None,
                b_after=None,
            )
            for layer in self.layers
        )
        x, r, y = self.x[sample], self.r[sample], self.y[sample]
        return replace(self, x=x, r=r, y=y, E=float(self.E[sample]), layers=layers, eta=None, optimizer=None)

    def to_frame(self) -> Any:
        """Return every number as a pandas frame: columns symbol, name, value and layer; of many also the sample.

        A step over many samples is of all of them: in its rows the sample is missing.

        Raises
        ------
        MissingExtraError
            If pandas is not installed.

        Examples
        --------
        >>> from deltaprop import Network
        >>> net = Network([1, 1])
        >>> net.theta = [0, 0]
        >>> net.trace([2], 1).to_frame().query("symbol == 'δ'")
          symbol name  value  layer
        6      δ    y   -0.5      1
        >>> net.trace([[2], [3]], [1, 0]).to_frame().query("symbol == 'δ'")
            sample symbol name  value  layer
        6        0      δ    y   -0.5      1
        15       1      δ    y    0.5      1
        """
        pandas = optional("pandas")
        if self.x.ndim == 1:
            return pandas.DataFrame(self.rows())
        numbers = [(k, *row) for k in range(len(self)) for row in self[k].rows()]
        numbers += [(pandas.NA, *row) for row in self._step(matrices=True)]
        frame = pandas.DataFrame(numbers, columns=["sample", *TraceNumber._fields])
        return frame.astype({"sample": "Int64"})

    @property
    def in_matrices(self) -> int:
        """How many numbers ``rows(matrices=False)`` leaves out."""
        jacobians = sum(layer.dh.size for layer in self.layers if layer.dh.ndim > 1)
        of_each_weight = (1 if self.eta is None else 4) + (self.layers[0].dW_penalty is not None)
        return jacobians + of_each_weight * sum(layer.W.size for layer in self.layers)

    def _samples(self) -> list[list[str]]:
        """Return a table of many samples: y, r, E and δ of the output of each, the first ones where they are many."""
        units = self.layers[-1].units[:_MOST_OUTPUTS]
        names = [f"{symbol} {unit}" if len(units) > 1 else symbol for symbol in ("y", "r", "δ") for unit in units]
        rows = [["sample", *names, "E"]]
        for k in range(min(len(self.x), _MOST_SAMPLES)):
            outputs = (self.y[k], self.r[k], self.layers[-1].delta[k])
            numbers = [value for values in outputs for value in values[: len(units)]]
            rows.append([str(k), *(f"{float(x):.6g}" for x in [*numbers, self.E[k]])])
        if len(self.x) > _MOST_SAMPLES:
            rows.append(["…"] + [""] * (len(names) + 1))
        return rows if len(self.x) else []

    def __str__(self) -> str:
        if self.x.ndim != 1:
            shapes = " → ".join(str(layer.a.shape[1]) for layer in self.layers)
            mean = f"; mean E {float(np.mean(self.E)):.6g}" if len(self.x) else ""
            lines = [f"Trace of {_counted(len(self.x))}, {self.x.shape[1]} → {shapes}{mean}"]
            return "\n".join([*lines, *("  ".join(row).rstrip() for row in _aligned(self._samples()))])
        rows = self.rows(matrices=False)
        few = len(rows) + self.in_matrices <= MOST_ROWS
        rows = self.rows() if few else rows[:MOST_ROWS]
        width = max(len(row.symbol) for row in rows)
        longest = max(len(row.name) for row in rows)
        lines = [f"{row.symbol:<{width}}  {row.name:<{longest}}  {row.value: .10g}" for row in rows]
        if not few:
            lines.append("… the other numbers are in .layers, and in .rows()")
        return "\n".join(lines)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        if self.x.ndim != 1:
            first = escape(str(self).partition("\n")[0])
            head, *body_rows = ["".join(f"<td>{escape(cell)}</td>" for cell in row) for row in self._samples()] or [""]
            body = "".join(f"<tr>{row}</tr>" for row in body_rows)
            return f"<p>{first}</p><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
        rows = self.rows(matrices=False)
        few = len(rows) + self.in_matrices <= MOST_ROWS
        shown = self.rows() if few else rows[:MOST_ROWS]
        cells = "".join(
            f"<tr><td>{row.symbol}</td><td>{escape(row.name)}</td><td>{row.value:.10g}</td></tr>" for row in shown
        )
        more = "" if few else "<p>… the other numbers are in .layers, and in .rows()</p>"
        head = "<thead><tr><th>symbol</th><th>of</th><th>value</th></tr></thead>"
        return f"<table>{head}<tbody>{cells}</tbody></table>{more}"


def _counted(samples: int) -> str:
    return f"{samples} sample" + "s" * (samples != 1)


def _aligned(rows: Sequence[Sequence[str]]) -> list[list[str]]:
    """Return the cells of a table, each as wide as the widest of its column, numbers to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [[cell.rjust(width) for cell, width in zip(row, widths, strict=True)] for row in rows]


def unit_names(model: Model, labels: Sequence[str] | None = None) -> list[tuple[str, ...]]:
    """Return the names of each layer's units: z1.2 is unit 2 of hidden layer 1; outputs y1, y2, … or ``labels``."""
    hidden = [tuple(f"z{layer}.{j}" for j in range(1, n + 1)) for layer, n in enumerate(model.layers[1:-1], start=1)]
    return [*hidden, output_names(model.layers[-1]) if labels is None else tuple(labels)]


def output_names(n_out: int) -> tuple[str, ...]:
    """Return the names of the outputs: y where it is one, else y1, y2 and so on."""
    return ("y",) if n_out == 1 else tuple(f"y{j}" for j in range(1, n_out + 1))


def trace(
    model: Model,
    X: ArrayLike,
    R: ArrayLike,
    *,
    eta: float | None = None,
    optimizer: str | Optimizer | None = None,
    training: bool | None = None,
    inputs: Sequence[str] | None = None,
    outputs: Sequence[str] | None = None,
) -> Trace:
    """Return the trace of one sample, x (n_in,) with r (n_out,), or of many, X (n, n_in) with R.

    ``inputs`` and ``outputs`` name the input columns and the output units; `Network.trace` documents the rest.
    """
    where = f"{type(model).__name__}.trace"
    x: Any = X if hasattr(X, "tocsr") else numbers_in(X, model.dtype, "x", where=where)  # sparse rows: raw_trace
    r = numbers_in(R, model.dtype, "r", where=where)
    single = x.ndim == 1
    if single:
        if x.shape[0] != model.layers[0]:
            raise ValueError(f"{where}: x needs {model.layers[0]} inputs; got {x.shape[0]}.")
        if r.ndim and r.size != model.layers[-1]:
            raise ValueError(f"{where}: r needs {model.layers[-1]} targets; got {r.size}.")
        x, r = x.reshape(1, -1), r.reshape(1, -1) if r.ndim else r.reshape(1)
    raw = model.raw_trace(x, r, training=eta is not None if training is None else training)
    rate = rule = None
    after: tuple[Sequence[Array | None], Sequence[Array | None]] = ([None] * len(model.W),) * 2
    if eta is not None:
        rule = model.step_rule if optimizer is None else optimizer_in(optimizer, where=where, dtype=model.dtype)
        rate = rates(eta, 1, 1, where=where, dtype=model.dtype, own=rule.eta)(1)
        if rule.full_batch:
            raise ValueError(f"{where}: a step of {rule.name} needs all samples, and E as it goes; use fit.")
        if not len(raw.x):
            raise ValueError(f"{where}: X has no rows, so there is no step.")
        stepping = model.without_draws() if training is not None and not training else model
        after = stepping.after_step(*model.samples(x, r, None, where)[:2], rate, rule)
    elif optimizer is not None:
        raise ValueError(f"{where}: a step needs an eta; without one there is no use for an optimizer.")

    def one(values: Array) -> Array:
        return values[0] if single else values

    penalties: list[Array | None] = [None] * len(model.W)
    if model.l2 or model.l1:
        penalties = [np.zeros_like(W) for W in model.W]
        add_gradient([own for own in penalties if own is not None], model.W, model.l2, model.l1)
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
                W_after=after[0][k],
                b_after=after[1][k],
                dW_penalty=penalties[k],
            )
        )
        below = units
    E = float(raw.E[0]) if single else raw.E
    return Trace(
        one(raw.x).copy(),
        one(raw.r).copy(),
        layers[-1].z,
        E,
        tuple(layers),
        names,
        None if rule is None else rate,
        rule,
        model.penalty,
    )
