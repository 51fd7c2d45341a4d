"""What a TableModel says of rows: predict, predict_proba, evaluate."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from deltaprop.arrays import Array
from deltaprop.data import TableLike
from deltaprop.data.tables import column_of
from deltaprop.data.targets import Labels, Quantity
from deltaprop.errors import TableError
from deltaprop.table_model.base import Parts
from deltaprop.table_model.evaluation import Evaluation, evaluate_classes, evaluate_quantity

if TYPE_CHECKING:
    import pyarrow as pa


class Predicting(Parts):
    """The verbs of `TableModel` that predict."""

    def predict(self, table: TableLike) -> Array:
        """Return a label, or a value in the target's own unit, for every row.

        Parameters
        ----------
        table : path-like, pyarrow.Table, frame or mapping
            With the columns that the model was fitted to; others are ignored.

        Returns
        -------
        ndarray (n,)
            Labels as the target's column held them, or float64.

        Raises
        ------
        NotFittedError
            If the model has not been fitted.
        FileNotFoundError, OSError
            If the table's file cannot be read.
        TableError
            If a column is missing, holds text where it held numbers, or a number that is not finite.
        """
        target = self.target
        y = self._y(self.read(table))
        if isinstance(target, Quantity):
            return target.own_unit(y[:, 0])
        return target.decide(target.probabilities(y))

    def predict_proba(self, table: TableLike) -> Array:
        """Return the probability of every class for every row.

        Parameters
        ----------
        table : path-like, pyarrow.Table, frame or mapping
            With the columns that the model was fitted to; others are ignored.

        Returns
        -------
        ndarray (n, classes)
            The columns in the order of ``target.labels``.

        Raises
        ------
        NotFittedError
            If the model has not been fitted.
        FileNotFoundError, OSError
            If the table's file cannot be read.
        TableError
            As `predict`, or if the model predicts a quantity.
        """
        target = self.target
        if not isinstance(target, Labels):
            raise TableError(f"{target.name!r} is a quantity: the model predicts its value, not probabilities.")
        return target.probabilities(self._y(self.read(table)))

    def evaluate(self, table: TableLike) -> Evaluation:
        """Judge the model on a table that has the target, beside the trivial baseline.

        Parameters
        ----------
        table : path-like, pyarrow.Table, frame or mapping
            With the columns that the model was fitted to, and the target.

        Returns
        -------
        Evaluation
            Accuracies, log loss in nats and the area under the ROC curve; or R², and errors in the target's own unit.

        Raises
        ------
        NotFittedError
            If the model has not been fitted.
        FileNotFoundError, OSError
            If the table's file cannot be read.
        TableError
            As `predict`, or if the target is missing, or no row has a label that was met in training.
        """
        return self._evaluation(self.read(table))

    def _y(self, data: pa.Table) -> Array:
        y = np.asarray(self.network.predict(self.encoder.encode(data)), np.float64)
        if not np.isfinite(y).all():
            raise TableError(
                "The network's output is not finite: its parameters, or the numbers of the table, are too large."
            )
        return y

    def _evaluation(self, data: pa.Table) -> Evaluation:
        target = self.target
        r, truth = target.encode(column_of(data, target.name, what="target column"))
        y = self._y(data)
        if isinstance(target, Quantity):
            return evaluate_quantity(target, y[:, 0], r[:, 0])
        return evaluate_classes(target, target.probabilities(y), truth)
