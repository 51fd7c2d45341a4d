"""What looks into the network of a table and changes nothing: trace, derive, draw, report, check_gradient, health."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING

from deltaprop.arrays import Array
from deltaprop.data import TableLike
from deltaprop.descent.schedules import Eta
from deltaprop.inspection.gradient_check import GradientReport, check_gradient
from deltaprop.inspection.health import HealthReport, health
from deltaprop.storage import PathLike
from deltaprop.table_model.picturing import Picturing
from deltaprop.table_model.rows import samples_of
from deltaprop.table_model.trace import TableTrace, trace_row
from deltaprop.training import Record

if TYPE_CHECKING:
    from deltaprop.inspection.derivation import Derivation
    from deltaprop.inspection.drawing import Drawing

_CHECKED_ROWS = 100  # of a table, for the gradient check


class Looking(Picturing):
    """The verbs of `TableModel` that show what its network does."""

    def trace(self, table: TableLike, row: int = 0, *, eta: float | None = None) -> TableTrace:
        """Return every quantity of backpropagation for one row, by the names of the columns and labels.

        Parameters
        ----------
        table : path-like, pyarrow.Table, frame or mapping
            With the columns that the model was fitted to, and the target.
        row : int, default 0
            Counted from 0.
        eta : float, optional
            The learning rate of a step that is traced, too; see `Network.trace`.

        Returns
        -------
        TableTrace
            The network's numbers by name, beside those in the table's own units.

        Raises
        ------
        NotFittedError
            If the model has not been fitted.
        FileNotFoundError, OSError
            If the table's file cannot be read.
        IndexError
            If there is no such row.
        TableError
            As `evaluate`.
        """
        return trace_row(self.network, self.encoder, self.target, self.read(table), row, eta)

    def derive(self, table: TableLike | None = None, row: int = 0, *, eta: float | None = None) -> Derivation:
        """Return the lecture's derivation for the network; with a table also in one row's numbers: `Network.derive`.

        Parameters
        ----------
        table : path-like, pyarrow.Table, frame or mapping, optional
            With the columns that the model was fitted to, and the target.
        row : int, default 0
            Counted from 0.
        eta : float, optional
            The learning rate of the row's update.

        Raises
        ------
        MissingExtraError
            If SymPy is not installed.
        NotFittedError, FileNotFoundError, OSError, IndexError, TableError
            As `trace`.
        """
        from deltaprop.inspection.derivation import derive

        x, r = self._encoded(table, row, "derive")
        return derive(self.network, x, r, eta, inputs=self.encoder.inputs, outputs=self.target.outputs)

    def _repr_html_(self) -> str:
        return f"<p><code>{escape(repr(self))}</code></p>{'' if self._parts is None else self.draw()}"

    def draw(self, table: TableLike | None = None, row: int = 0, *, unit: str | None = None) -> Drawing:
        """Draw the network; with a table also one row's numbers in it, by the names of the columns: `Network.draw`.

        Parameters
        ----------
        table : path-like, pyarrow.Table, frame or mapping, optional
            With the columns that the model was fitted to, and the target.
        row : int, default 0
            Counted from 0.
        unit : str, optional
            Draw this unit alone, with all that leads into it and back to it, as "z1.2".

        Raises
        ------
        TypeError, ValueError
            If a unit is asked for without a table, or none has that name.
        NotFittedError, FileNotFoundError, OSError, IndexError, TableError
            As `trace`.
        """
        from deltaprop.inspection.drawing import draw

        x, r = self._encoded(table, row, "draw")
        return draw(self.network, x, r, unit=unit, inputs=self.encoder.inputs, outputs=self.target.outputs)

    def report(
        self,
        table: TableLike,
        path: PathLike,
        *,
        samples: Sequence[int] | None = None,
        eta: float | None = None,
        record: Record | None = None,
        title: str | None = None,
    ) -> None:
        """Write a page that steps through one update of a row, by the names of the columns: `Network.report`.

        With the loss curves of the training.

        Parameters
        ----------
        table : path-like, pyarrow.Table, frame or mapping
            With the columns that the model was fitted to, and the target: the rows it was trained on.
        path : path-like
            Where to write; a file that is there is replaced, whole or not at all.
        samples : sequence of int, optional
            The rows to step through, counted from 0; by default the first 100, or so many as leave the page small.
        eta : float, optional
            The learning rate of the updates; by default what each of the record had, or the last of the training.
        record : Record, optional
            The record of the training: the page goes from update to update, back to the start, and to the model as it
            is, as `Network.report` does.
        title : str, optional
            The page's.

        Raises
        ------
        TypeError, ValueError
            If the page would be too large, or eta is no learning rate.
        NotFittedError, FileNotFoundError, OSError, IndexError, TableError
            As `trace`; OSError also if the page cannot be written, and nothing has changed then.
        """
        from deltaprop.inspection.report import report
        from deltaprop.table_model.reporting import TableRows

        data = self.read(table)
        X, R, weights = self._samples(data)
        rows = TableRows(self.network, self.encoder, self.target, data)
        report(
            self.network,
            X,
            R,
            path,
            samples=None if samples is None else rows.places(samples),
            eta=eta,
            history=self.history,
            record=record,
            named=rows.named(weights, self.provenance["batch size"]),
            title=f"How a network learns {self.target.name}" if title is None else title,
        )

    def _encoded(self, table: TableLike | None, row: int, verb: str) -> tuple[Array | None, Array | None]:
        """Return x and r of a row; neither where there is no table."""
        if table is None:
            return None, None
        X, R = samples_of(self.read(table), self.encoder, self.target, [row], f"TableModel.{verb}")
        return X[0], R[0]

    def check_gradient(self, table: TableLike) -> GradientReport:
        """Compare backpropagation with central differences on a table's first 100 rows: `Network.check_gradient`.

        Rows count by the class_weight that the model was trained with; those that count for nothing are passed over.

        Parameters
        ----------
        table : path-like, pyarrow.Table, frame or mapping
            With the columns that the model was fitted to, and the target.

        Returns
        -------
        GradientReport

        Raises
        ------
        NotFittedError
            If the model has not been fitted.
        FileNotFoundError, OSError
            If the table's file cannot be read.
        TableError
            As `evaluate`.
        """
        return check_gradient(self.network, *self._samples(self.read(table), most=_CHECKED_ROWS))

    def health(self, table: TableLike, *, eta: Eta | None = None) -> HealthReport:
        """Look for what keeps the network from learning, by the names of the columns: `Network.health`.

        Rows count by the class_weight that the model was trained with.

        Parameters
        ----------
        table : path-like, pyarrow.Table, frame or mapping
            With the columns that the model was fitted to, and the target: the rows it was trained on.
        eta : float, sequence or function of the epoch, optional
            As in `fit`; then steps of its batch size are looked at, too.

        Returns
        -------
        HealthReport

        Raises
        ------
        NotFittedError
            If the model has not been fitted.
        FileNotFoundError, OSError
            If the table's file cannot be read.
        TableError
            As `evaluate`.
        """
        return health(
            self.network,
            *self._samples(self.read(table)),
            eta=eta,
            batch_size=1 if eta is None else self.provenance["batch size"],
            inputs=self.encoder.inputs,
            outputs=self.target.outputs,
        )
