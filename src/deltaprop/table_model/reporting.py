"""The report of a table: the page of its network, with the table's own cells, labels and predictions by their names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from deltaprop.arrays import Array
from deltaprop.data import TableEncoder, Target
from deltaprop.data.tables import column_of
from deltaprop.data.targets import Labels, Quantity
from deltaprop.inspection.report import Named, Rows
from deltaprop.network import Network
from deltaprop.table_model.rows import check_row, unmet

if TYPE_CHECKING:
    import pyarrow as pa


class TableRows:
    """Rows of a table that a page can show: those whose label, where the target has labels, was met in training."""

    def __init__(self, network: Network, encoder: TableEncoder, target: Target, data: pa.Table) -> None:
        self.network, self.encoder, self.target, self.data = network, encoder, target, data
        _, truth = target.encode(column_of(data, target.name, what="target column"))
        self.known = np.flatnonzero(truth >= 0) if isinstance(target, Labels) else np.arange(data.num_rows)

    def places(self, rows: Sequence[int]) -> list[int]:
        """Return where rows of the table are among those that can be shown; raise IndexError or TableError."""
        places = []
        for row in rows:
            check_row(self.data, row, "TableModel.report")
            place = int(np.searchsorted(self.known, row))
            if place == len(self.known) or self.known[place] != row:
                raise unmet(self.data, self.target, row)
            places.append(place)
        return places

    def described(self, places: Sequence[int]) -> Rows:
        """Return what rows are called, what the model says of them, and their cells."""
        rows = [int(self.known[place]) for place in places]
        part = self.data.take(rows)
        y = self.network.predict(self.encoder.encode(part))
        said: Any = self.target.decide(self.target.probabilities(y)) if isinstance(self.target, Labels) else None
        if said is None:
            said = self.target.own_unit(y[:, 0])  # type: ignore[union-attr]
        given, predicted = _cells(part, self.target.name), [_cell(value) for value in said.tolist()]
        name = self.target.name
        columns = [(f"{name} (target)", given), (f"{name}, as the trained network predicts it", predicted)]
        columns += [(name, _cells(part, name)) for name in dict.fromkeys(c.name for c in self.encoder.columns)]
        names = [f"row {row + 1}: {r}" for row, r in zip(rows, given, strict=True)]
        return Rows(names, columns)

    def named(self, weights: Array | None, batch_size: int) -> Named:
        """Return the names for a page."""
        notes = []
        if isinstance(self.target, Quantity):
            target = self.target
            moved = f" {'−' if target.shift < 0 else '+'} {abs(target.shift):.6g}" if target.shift else ""
            notes.append(f"y and r are the network's own numbers: {target.name} is {target.scale:.6g} r{moved}.")
        names = self.encoder.inputs, self.target.outputs
        return Named(*names, self.described, weights, self.places, batch_size, notes)


def _cells(table: pa.Table, name: str) -> list[str]:
    return [_cell(value) for value in table.column(name).to_pylist()]


def _cell(value: Any) -> str:
    if value is None:
        return "missing"
    return f"{value:.10g}" if isinstance(value, float) else str(value)
