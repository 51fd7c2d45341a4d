"""Pictures of the network of a table, by the names of its columns and in their units."""

from __future__ import annotations

from collections.abc import Sequence

from deltaprop.data import TableLike
from deltaprop.foreign_words import answers_foreign_words
from deltaprop.inspection.pictures import over_plane, plot_activation, plot_weights
from deltaprop.picture import Picture
from deltaprop.table_model.base import Parts
from deltaprop.table_model.plane import meaning_of_target, plane_of_columns


class Picturing(Parts):
    """The verbs of `TableModel` that draw curves and maps."""

    def plot_weights(
        self, table: TableLike | None = None, row: int | None = None, *, layers: int | Sequence[int] | None = None
    ) -> Picture:
        """Draw the weights as heat maps; with a table also ∂E/∂w, by the names of the columns: `Network.plot_weights`.

        Parameters
        ----------
        table : path-like, pyarrow.Table, frame or mapping, optional
            With the columns that the model was fitted to, and the target.
        row : int, optional
            Counted from 0: ∂E/∂w of this row alone. By default the mean over all rows, which count by the class_weight
            that the model was trained with.
        layers : int or sequence of int, optional
            Which layers, from 0; −1 is the last. All by default.

        Returns
        -------
        Picture

        Raises
        ------
        TypeError, ValueError
            If there is a row but no table, or no such layer.
        NotFittedError, FileNotFoundError, OSError, IndexError, TableError
            As `trace`.
        MissingExtraError
            If matplotlib is not installed.
        """
        inputs, outputs = self.encoder.inputs, self.target.outputs
        if table is None:
            if row is not None:
                raise TypeError("TableModel.plot_weights: a row needs a table.")
            return plot_weights(self.network, layers=layers, inputs=inputs, outputs=outputs)
        data = self.read(table) if row is None else self._row(table, row, "plot_weights")
        return plot_weights(self.network, *self._samples(data), layers=layers, inputs=inputs, outputs=outputs)

    @answers_foreign_words
    def plot_boundary(
        self, table: TableLike, over: Sequence[str], *, row: int | None = None, most: int = 8, grid: int = 101
    ) -> Picture:
        """Draw the decision boundary over two columns, and what hidden units see of them: `Network.plot_boundary`.

        The axes are in the columns' own units, and so is a target that is a quantity.

        Parameters
        ----------
        table : path-like, pyarrow.Table, frame or mapping
            With the columns that the model was fitted to. Where it has the target, too, its rows are drawn.
        over : two of str
            The columns of numbers that the plane is over: across, then up.
        row : int, optional
            Counted from 0: the other columns are held at this row's cells. By default at their mean in the table; text
            at that which is most frequent.
        most : int, default 8
            How many units of a hidden layer are drawn; 0: the output alone.
        grid : int, default 101
            Points along a side of the plane.

        Returns
        -------
        Picture

        Raises
        ------
        NotFittedError, FileNotFoundError, OSError, IndexError
            As `trace`.
        TableError, ValueError
            As `evaluate`, or if there are no two such columns of numbers.
        MissingExtraError
            If matplotlib is not installed.

        Examples
        --------
        >>> from deltaprop import TableModel
        >>> table = {"height": [1.5, 1.9, 1.6, 2.0] * 20, "age": [30, 40, 50, 20] * 20, "tall": ["no", "yes"] * 40}
        >>> model = TableModel(hidden=(3,))
        >>> history = model.fit(table, "tall", epochs=5)
        >>> picture = model.plot_boundary(table, ("height", "age"))
        >>> picture.title
        'The decision boundary over height and age'
        """
        where = "TableModel.plot_boundary"
        data = self.read(table)
        if row is not None:
            self._row(data, row, "plot_boundary")
        plane, there = plane_of_columns(self.encoder, data, over, row, grid, where)
        meaning = meaning_of_target(self.target, data, there)
        return over_plane(self.network, plane, meaning, most=most, where=where)

    def plot_activation(self, table: TableLike | None = None, *, layers: int | Sequence[int] | None = None) -> Picture:
        """Draw h and h′ of the layers; with a table also which a's its rows bring: `Network.plot_activation`.

        Parameters
        ----------
        table : path-like, pyarrow.Table, frame or mapping, optional
            With the columns that the model was fitted to.
        layers : int or sequence of int, optional
            Which layers, from 0; −1 is the output.

        Returns
        -------
        Picture

        Raises
        ------
        ValueError
            If there is no such layer.
        NotFittedError, FileNotFoundError, OSError, TableError
            As `predict`.
        MissingExtraError
            If matplotlib is not installed.
        """
        X = None if table is None else self.encoder.encode(self.read(table))
        return plot_activation(self.network, X, layers=layers)
