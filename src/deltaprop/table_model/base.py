"""What every verb of a TableModel stands on: its parts, and a table as they read it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from deltaprop.arrays import Array
from deltaprop.data import TableEncoder, TableLike, Target, read_table
from deltaprop.data.tables import column_of
from deltaprop.data.targets import Labels
from deltaprop.errors import NotFittedError, TableError
from deltaprop.network import Network
from deltaprop.table_model.class_weights import weights_of_rows
from deltaprop.table_model.evaluation import Evaluation
from deltaprop.table_model.rows import check_row
from deltaprop.training import History

if TYPE_CHECKING:
    import pyarrow as pa


class Parts:
    """The encoder, the network and the target of a table, once it has been fitted."""

    hidden: tuple[int, ...]
    h: str | tuple[str, ...]
    loss: str | None
    init: str | None
    seed: int
    dtype: str
    l2: float
    l1: float
    dropout: float | tuple[float, ...]
    input_noise: float
    notes: list[str]
    evaluation: Evaluation | None
    history: History | None
    _parts: tuple[TableEncoder, Target, Network, dict[str, Any]] | None

    @property
    def encoder(self) -> TableEncoder:
        """What turns the table's columns into inputs."""
        return self._fitted()[0]

    @property
    def target(self) -> Target:
        """The labels, or the unit, of the target."""
        return self._fitted()[1]

    @property
    def network(self) -> Network:
        """The network between them."""
        return self._fitted()[2]

    @property
    def provenance(self) -> dict[str, Any]:
        """Where the model comes from."""
        return self._fitted()[3]

    def _fitted(self) -> tuple[TableEncoder, Target, Network, dict[str, Any]]:
        if self._parts is None:
            raise NotFittedError("This TableModel has not been fitted: call fit(table, target) first.")
        return self._parts

    def become(self, encoder: TableEncoder, target: Target, network: Network, provenance: dict[str, Any]) -> None:
        """Take over what has been fitted."""
        self._parts = encoder, target, network, provenance

    def read(self, table: TableLike) -> pa.Table:
        """Return a table as this model reads it: text where its columns held text.

        Parameters
        ----------
        table : path-like, pyarrow.Table, frame or mapping

        Returns
        -------
        pyarrow.Table
            Which every verb of the model takes.

        Raises
        ------
        NotFittedError
            If the model has not been fitted.
        FileNotFoundError, OSError
            If the table's file cannot be read.
        TableError
            If it is no table, or has no rows.
        """
        return read_table(
            table, text=[*self.encoder.text_columns, *([self.target.name] if self.target.is_text else [])]
        )

    def unused_columns(self, table: pa.Table) -> list[str]:
        """Return the names of a table's columns that were not in the table that the model was fitted to.

        Parameters
        ----------
        table : pyarrow.Table
            As `read` returns it.
        """
        known = {column.name for column in self.encoder.columns} | {self.target.name}
        known |= {*self.provenance["columns dropped"], *self.provenance["columns ignored"]}
        return [name for name in table.column_names if name not in known]

    def notes_on(self, table: pa.Table) -> list[str]:
        """Return what the owner of a table wants to know before predictions from it are used, a line each.

        Parameters
        ----------
        table : pyarrow.Table
            As `read` returns it.

        Raises
        ------
        TableError
            If a column is missing.
        """
        notes = []
        unused = self.unused_columns(table)
        if unused:
            notes.append(f"columns that the model does not know are ignored: {', '.join(unused)}")
        for name in self.encoder.unmet(table):
            notes.append(f"no cell of column {name!r} is a level that was met in training")
        return notes

    def _samples(self, data: pa.Table, most: int | None = None) -> tuple[Array, Array, Array | None]:
        """Return X, R and the weights of the training of the rows whose label, where it is one, was met there.

        At most the first ``most`` that count for something.
        """
        R, truth = self.target.encode(column_of(data, self.target.name, what="target column"))
        rows = np.flatnonzero(truth >= 0) if isinstance(self.target, Labels) else np.arange(len(R))
        if not len(rows):
            raise TableError("No row of the table has a label that was met in training.")
        weights = weights_of_rows(self.provenance.get("class weight"), self.target, R[rows])
        if most is not None:
            chosen = (np.arange(len(rows)) if weights is None else np.flatnonzero(weights))[:most]
            rows, weights = rows[chosen], None if weights is None else weights[chosen]
        return self.encoder.encode(data if len(rows) == len(R) else data.take(rows)), R[rows], weights

    def _row(self, table: TableLike, row: int, where: str) -> pa.Table:
        """Return one row of a table."""
        data = self.read(table)
        check_row(data, row, f"TableModel.{where}")
        return data.slice(row, 1)
