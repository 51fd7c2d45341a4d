"""The trace of a row of a table: every quantity of backpropagation, with columns, labels, and the target's own unit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

from deltaprop.inspection.trace import Trace


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
    own_unit : dict of (symbol, name) to float
        What x, y, r, E and the output's δ are before standardising.
    """

    trace: Trace
    row: int
    prediction: Any
    target: Any
    own_unit: dict[tuple[str, str], float]

    def rows(self) -> list[TraceRow]:
        """Return every number, in the order of the two passes."""
        return [TraceRow(*number, self.own_unit.get(number[:2])) for number in self.trace.rows()]

    def __str__(self) -> str:
        rows = self.rows()
        widths = [max(len(row.symbol) for row in rows), max(len(row.name) for row in rows)]
        lines = [
            f"{row.symbol:<{widths[0]}}  {row.name:<{widths[1]}}  {row.value: .10g}"
            + ("" if row.own_unit is None else f"  = {row.own_unit:.10g} in its own unit")
            for row in rows
        ]
        return "\n".join([f"row {self.row + 1}: predicted {self.prediction}, target {self.target}", *lines])

    __repr__ = __str__
