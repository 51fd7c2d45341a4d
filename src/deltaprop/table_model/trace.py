"""The trace of a row of a table: every quantity of backpropagation, with columns, labels, and the target's own unit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from deltaprop.data import TableEncoder, Target
from deltaprop.data.arrow import numbers
from deltaprop.data.columns import NumericColumn
from deltaprop.data.targets import Labels
from deltaprop.inspection.trace import MOST_ROWS, Trace, trace
from deltaprop.network import Network
from deltaprop.table_model.rows import samples_of

if TYPE_CHECKING:
    import pyarrow as pa


class TraceRow(NamedTuple):
    """One number of a trace: its symbol, its name, its value, and the value in its own unit where that is another."""

    symbol: str
    name: str
    value: float
    own_unit: float | None


@dataclass(frozen=True)
class TableTrace:
    """One row of a table on its way through the network and back.

    Attributes
    ----------
    trace : Trace
        The network's trace, in the numbers that it sees: x standardised, r a probability or standardised.
    row : int
        The row of the table, from 0.
    prediction, target : label or float
        What the model says and what the table says, in the target's own unit.
    own_unit : dict of (symbol, layer, name) to float
        What x (layer 0), and y, r, E and δ of the output layer, are before standardising.
    """

    trace: Trace
    row: int
    prediction: Any
    target: Any
    own_unit: dict[tuple[str, int, str], float]

    def rows(self, *, matrices: bool = True) -> list[TraceRow]:
        """Return every number, in the order of the two passes; ``matrices`` as for the network's trace."""
        return [
            TraceRow(n.symbol, n.name, n.value, self.own_unit.get((n.symbol, n.layer, n.name)))
            for n in self.trace.rows(matrices=matrices)
        ]

    @property
    def headline(self) -> str:
        """The row (counted from 1), what the model says of it and what the table says."""
        return f"row {self.row + 1}: predicted {self.prediction}, target {self.target}"

    def __str__(self) -> str:
        rows = self.rows(matrices=False)
        few = len(rows) + self.trace.in_matrices <= MOST_ROWS
        rows = self.rows() if few else rows[:MOST_ROWS]
        widths = [max(len(row.symbol) for row in rows), max(len(row.name) for row in rows)]
        lines = [
            f"{row.symbol:<{widths[0]}}  {row.name:<{widths[1]}}  {row.value: .10g}"
            + ("" if row.own_unit is None else f"  = {row.own_unit:.10g} in its own unit")
            for row in rows
        ]
        if not few:
            lines.append("… the other numbers are in .trace.layers, and in .rows()")
        return "\n".join([self.headline, *lines])

    __repr__ = __str__


def trace_row(
    network: Network, encoder: TableEncoder, target: Target, data: pa.Table, row: int, eta: float | None
) -> TableTrace:
    """Return the trace of a row of a table; `TableModel.trace` documents it."""
    X, R = samples_of(data, encoder, target, [row], "TableModel.trace")
    one = data.slice(row, 1)
    _, truth = target.encode(one.column(target.name))
    result = trace(network, X[0], R[0], eta=eta, inputs=encoder.inputs, outputs=target.outputs)
    own = {}
    for numeric, name in encoder.first_inputs():
        if isinstance(numeric, NumericColumn):
            value = float(numbers(numeric.name, one.column(numeric.name))[0])
            if not np.isnan(value):
                own["x", 0, name] = value
    if isinstance(target, Labels):
        prediction = target.decide(target.probabilities(result.y[None]))[0]
        return TableTrace(result, row, prediction, target.labels[truth[0]], own)
    s, output, depth = target.scale, target.outputs[0], len(result.layers)
    y, r_own, delta = float(target.own_unit(result.y[0])), float(truth[0]), float(result.layers[-1].delta[0])
    numbers_of = {("z", output): y, ("r", output): r_own}
    if network.output == "identity":
        numbers_of["a", output] = y
    if network.loss == "squared_error":
        numbers_of |= {("E", ""): s * s * result.E, ("δ", output): s * delta}
    own |= {(symbol, depth, name): value for (symbol, name), value in numbers_of.items()}
    return TableTrace(result, row, y, r_own, own)
