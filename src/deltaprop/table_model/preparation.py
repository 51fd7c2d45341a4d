"""From a table to what a network trains on: rows held out, columns encoded, the target as r."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING

from deltaprop.arrays import Array
from deltaprop.data import TableEncoder, Target, fit_encoder, fit_target
from deltaprop.data.tables import column_of
from deltaprop.data.targets import Labels
from deltaprop.functions import Loss
from deltaprop.training import hold_out

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class Prepared:
    """What a network trains on.

    Attributes
    ----------
    encoder : TableEncoder
        Learnt from the training rows alone.
    target : Labels or Quantity
    X, R : ndarray (n, inputs), (n, n_out)
        The training rows.
    validation : (X, R) or None
        The rows held out.
    held_out : pyarrow.Table
        The same rows, not encoded; empty where there are none.
    notes : list of str
        What the owner of the table wants to know.
    rows : ndarray
        Which rows of the table the training rows are.
    """

    encoder: TableEncoder
    target: Target
    X: Array
    R: Array
    validation: tuple[Array, Array] | None
    held_out: pa.Table
    notes: list[str]
    rows: Array

    def summary(self) -> list[str]:
        """Return a few lines on what will be learnt from what."""
        rows = f"{len(self.X):,} rows to learn from, {self.held_out.num_rows:,} held out"
        inputs = f"{self.X.shape[1]} inputs from {len(self.encoder.columns)} columns"
        return [self.target.describe(), f"{rows}; {inputs}", *(f"note: {note}" for note in self.notes)]


def prepare(
    table: pa.Table,
    name: str,
    *,
    task: str | None,
    loss: Loss | None,
    drop: Collection[str],
    validation: float | None,
    seed: int,
) -> Prepared:
    """Divide and encode a table; `TableModel.fit` documents the parameters and what is raised."""
    column = column_of(table, name, what="target column")
    for dropped in drop:
        column_of(table, dropped, what="column to drop")
    whole = fit_target(name, column, task, loss)
    classes = whole.encode(column)[1] if isinstance(whole, Labels) else None
    rows, reserved = hold_out(table.num_rows, validation or 0.0, seed, classes)
    learnt, held_out = table.take(rows), table.take(reserved)
    target = fit_target(name, learnt.column(name), whole.task, loss)
    encoder, notes = fit_encoder(table, {name, *drop}, rows)
    if validation is not None and not len(reserved):
        notes.append(f"{validation:g} of {table.num_rows} rows is none to hold out: all of them are learnt from")

    def encoded(part: pa.Table) -> tuple[Array, Array]:
        return encoder.encode(part), target.encode(part.column(name))[0]

    validated = encoded(held_out) if len(reserved) else None
    return Prepared(encoder, target, *encoded(learnt), validated, held_out, notes, rows)
