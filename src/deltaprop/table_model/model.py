"""TableModel: a table in, a model out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np

from deltaprop.arrays import Array, whole_number
from deltaprop.data import TableEncoder, TableLike, Target, read_table
from deltaprop.data.tables import column_of
from deltaprop.data.targets import Labels, Quantity, target_from_json
from deltaprop.definition import define
from deltaprop.descent.initializers import Initializer
from deltaprop.descent.optimizers import Optimizer
from deltaprop.descent.schedules import Eta
from deltaprop.errors import NotFittedError, TableError
from deltaprop.functions import Activation, Loss
from deltaprop.functions import loss as loss_of
from deltaprop.inspection.gradient_check import GradientReport, check_gradient
from deltaprop.inspection.health import HealthReport, health
from deltaprop.network import Network
from deltaprop.storage import PathLike, write_model_file
from deltaprop.table_model.evaluation import Evaluation, evaluate_classes, evaluate_quantity
from deltaprop.table_model.fitting import class_weight_by_number, learn, weights_of_rows
from deltaprop.table_model.preparation import prepare
from deltaprop.table_model.provenance import check_provenance, metrics_of, new_provenance
from deltaprop.table_model.trace import TableTrace, encoded_row, trace_row
from deltaprop.training import History

if TYPE_CHECKING:
    import pyarrow as pa

    from deltaprop.inspection.derivation import Derivation

_CHECKED_ROWS = 100  # of a table, for the gradient check


class TableModel:
    """An encoder of a table's columns, a `Network`, and the labels or the unit of the target, joined.

    Text, Boolean and category targets, and those with exactly two distinct values, are classification: a sigmoid output
    with log loss for two classes, softmax with cross-entropy for more. Others are regression: an identity output with
    squared error, on the standardised target.

    Parameters
    ----------
    hidden : sequence of int, default (32, 16)
        Units of the hidden layers; ``()`` for none.
    h : str or sequence of str, default "tanh"
        Activation of the hidden layers.
    loss : str or Loss, optional
        Another loss than those: focal for labels; huber, absolute_error, ``"quantile:q=0.9"``, … for quantities, or
        poisson, gamma and tweedie, whose output is exp and whose target is not centred.
    init : str or Initializer, optional
        How the first weights are drawn; by default as h needs.
    seed : int, default 0
        From it come the rows held out, the first weights and the order of each epoch.
    dtype : "float32" or "float64", default "float64"

    Attributes
    ----------
    network : Network
        After `fit`; its inputs are ``encoder.inputs``.
    encoder : TableEncoder
    target : Labels or Quantity
    provenance : dict
        Where the model comes from: version, rows, settings, metrics of the held-out rows.
    notes : list of str
        What the last `fit` wants its caller to know, such as columns that it left out.
    evaluation : Evaluation or None
        Of the rows that the last `fit` held out.

    Raises
    ------
    TypeError, ValueError
        If hidden, h, loss, init, seed or dtype cannot be used; see `Network`.

    Notes
    -----
    Source: the network and its training are `Network`'s; docs/tables.md says what becomes of each column.

    Examples
    --------
    >>> from deltaprop import TableModel
    >>> table = {"height": [1.5, 1.6, 1.7, 1.8, 1.9, 2.0] * 10, "tall": ["no", "no", "no", "yes", "yes", "yes"] * 10}
    >>> model = TableModel(hidden=(4,))
    >>> history = model.fit(table, "tall")
    >>> model.predict({"height": [1.4, 2.1]})
    array(['no', 'yes'], dtype='<U3')
    >>> model.evaluate(table)["accuracy"]
    1.0
    """

    def __init__(
        self,
        *,
        hidden: Sequence[int] = (32, 16),
        h: str | Activation | Sequence[str | Activation] = "tanh",
        loss: str | Loss | None = None,
        init: str | Initializer | None = None,
        seed: int = 0,
        dtype: str = "float64",
    ) -> None:
        if not isinstance(hidden, Sequence) or isinstance(hidden, str):
            raise TypeError(
                f"TableModel: hidden needs the units of each hidden layer, such as (32, 16); got {hidden!r}."
            )
        usual = {"output": "sigmoid", "loss_name": "log", "bias": True}
        define([1, *hidden, 1], h=h, init=init, seed=seed, dtype=dtype, who="TableModel", **usual)
        self.hidden = tuple(hidden)
        self.h = str(h) if isinstance(h, str | Activation) else tuple(map(str, h))
        self.loss = None if loss is None else str(loss_of(loss, where="TableModel: loss"))
        self.init = None if init is None else str(init)
        self.seed = seed
        self.dtype = dtype
        self.notes: list[str] = []
        self.evaluation: Evaluation | None = None
        self._parts: tuple[TableEncoder, Target, Network, dict[str, Any]] | None = None

    # ---- training --------------------------------------------------------------------------------------------------

    def fit(
        self,
        table: TableLike,
        target: str,
        *,
        task: str | None = None,
        drop: str | Sequence[str] | None = None,
        epochs: int | None = None,
        eta: Eta | None = None,
        batch_size: int = 32,
        optimizer: str | Optimizer = "sgd",
        class_weight: Literal["balanced"] | Mapping[Any, float] | None = None,
        validation: float | None = 0.2,
        verbose: bool = False,
    ) -> History:
        """Learn to predict one column of a table from the others.

        Parameters
        ----------
        table : path-like, pyarrow.Table, frame or mapping
            A CSV or Parquet file, a pandas or polars frame, or a mapping of columns.
        target : str
            The column to predict.
        task : "classification" or "regression", optional
            Where the target's type should not decide.
        drop : str or sequence of str, optional
            Columns that are not to be inputs.
        epochs : int, optional
            At most so many; by default about 40,000 steps, but 20 to 300 epochs.
        eta : float, sequence, function of the epoch, formula or schedule, optional
            The learning rate η_n, as in `Network.fit`; by default 0.1, or less where training diverges.
        batch_size : int, default 32
        optimizer : str or optimizer, default "sgd"
            The rule of a step, as in `Network.fit`.
        class_weight : "balanced" or mapping of label to weight, optional
            How much the rows of each label count; labels left out count 1. "balanced" makes all labels count alike.
        validation : float or None, default 0.2
            The share of the rows that is held out, of each class alike: the parameters kept are those of the epoch with
            the least loss on them, and training stops after 30 epochs without a lower one. None trains on all rows.
        verbose : bool, default False
            Show progress.

        Returns
        -------
        History
            Its E is in the network's numbers: nats, or half the squared standardised error.

        Raises
        ------
        FileNotFoundError, OSError
            If the table's file cannot be read.
        TableError
            If the table, the target or a column cannot be used.
        TypeError, ValueError
            If another argument cannot be used.
        MissingExtraError
            If pyarrow is not installed.
        DivergenceError
            If the parameters stop being finite.
        """
        batch_size = whole_number(batch_size, "batch_size", at_least=1, where="TableModel.fit")
        if validation is not None and not (isinstance(validation, float | np.floating) and 0 < validation < 1):
            raise ValueError(
                f"TableModel.fit: validation needs to be a share between 0 and 1, or None; got {validation!r}."
            )
        drop = [drop] if isinstance(drop, str) else list(drop or ())
        if target in drop:
            raise TableError(f"The target {target!r} cannot be dropped.")
        loss = None if self.loss is None else loss_of(self.loss, where="TableModel.fit: loss")
        source = read_table(table)
        data = prepare(source, target, task=task, loss=loss, drop=drop, validation=validation, seed=self.seed)
        network, history, notes = learn(
            data,
            hidden=self.hidden,
            h=self.h,
            loss=loss,
            init=self.init,
            class_weight=class_weight_by_number(class_weight, data.target),
            seed=self.seed,
            dtype=self.dtype,
            epochs=epochs,
            eta=eta,
            batch_size=batch_size,
            optimizer=optimizer,
            verbose=verbose,
        )
        used = {target, *drop, *(column.name for column in data.encoder.columns)}
        provenance = new_provenance(
            data,
            history,
            batch_size=batch_size,
            class_weight=class_weight,
            dropped=drop,
            ignored=[name for name in source.column_names if name not in used],
        )
        self._parts = data.encoder, data.target, network, provenance
        self.notes = data.notes + notes
        self.evaluation = self._evaluation(data.held_out) if data.held_out.num_rows else None
        if self.evaluation is not None:
            provenance["metrics"] = metrics_of(self.evaluation)
        return history

    # ---- what the model says ---------------------------------------------------------------------------------------

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
        return trace_row(self.network, self.encoder, self.target, self._row(table, row, "trace"), row, eta)

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

        x = r = None
        if table is not None:
            x, r = encoded_row(self.encoder, self.target, self._row(table, row, "derive"), row)
        return derive(self.network, x, r, eta, inputs=self.encoder.inputs, outputs=self.target.outputs)

    def _row(self, table: TableLike, row: int, where: str) -> pa.Table:
        """Return one row of a table."""
        data = self.read(table)
        if not 0 <= row < data.num_rows:
            raise IndexError(
                f"TableModel.{where}: there is no row {row}; the table has {data.num_rows:,}, counted from 0."
            )
        return data.slice(row, 1)

    def check_gradient(self, table: TableLike) -> GradientReport:
        """Compare backpropagation with central differences on a table's first 100 rows: `Network.check_gradient`.

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
        return check_gradient(self.network, *self._samples(self.read(table).slice(0, _CHECKED_ROWS)))

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
        X, R = self._samples(self.read(table))
        return health(
            self.network,
            X,
            R,
            weights_of_rows(self.provenance.get("class weight"), self.target, R),
            eta=eta,
            batch_size=1 if eta is None else self.provenance["batch size"],
            inputs=self.encoder.inputs,
            outputs=self.target.outputs,
        )

    def _samples(self, data: pa.Table) -> tuple[Array, Array]:
        """Return X and R of the rows whose label, where it is one, was met in training."""
        R, truth = self.target.encode(column_of(data, self.target.name, what="target column"))
        X = self.encoder.encode(data)
        known = truth >= 0 if isinstance(self.target, Labels) else np.ones(len(X), bool)
        if not known.any():
            raise TableError("No row of the table has a label that was met in training.")
        return X[known], R[known]

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

    def _fitted(self) -> tuple[TableEncoder, Target, Network, dict[str, Any]]:
        if self._parts is None:
            raise NotFittedError("This TableModel has not been fitted: call fit(table, target) first.")
        return self._parts

    # ---- the file --------------------------------------------------------------------------------------------------

    def save(self, path: PathLike) -> None:
        """Write the model to one file, which replaces what was there, whole or not at all; `deltaprop.load` reads it.

        Parameters
        ----------
        path : path-like
            By custom it ends in ``.deltaprop``.

        Raises
        ------
        NotFittedError
            If the model has not been fitted.
        OSError
            If it cannot be written; nothing has changed then.
        ValueError
            If a parameter is not finite.
        """
        encoder, target, network, provenance = self._fitted()
        header = {
            "kind": "table_model",
            "network": network.description(),
            "encoder": encoder.as_json(),
            "target": target.as_json(),
            "provenance": provenance,
        }
        write_model_file(path, header, {"theta": network.finite_theta("save")})

    @classmethod
    def from_description(cls, header: Mapping[str, Any], theta: Array) -> Self:
        """Return the model of a file's parts; raise ValueError, TypeError or KeyError where they do not fit."""
        network = Network.from_description(header["network"], theta)
        encoder = TableEncoder.from_json(header["encoder"])
        target = target_from_json(header["target"])
        if (len(encoder.inputs), target.n_out) != (network.layers[0], network.layers[-1]):
            raise ValueError("the network does not have the inputs and outputs of the table")
        own_loss = loss_of(network.loss, where="the network")
        if network.output != target.functions(own_loss)[0]:
            raise ValueError("the network's output and loss are not those of the target")
        provenance = dict(header["provenance"])
        check_provenance(provenance)
        h = {"h": network.h[0] if len(set(network.h)) == 1 else network.h} if network.h else {}
        model = cls(
            hidden=network.layers[1:-1],
            **h,
            loss=None if target.functions()[1] == network.loss else network.loss,
            init=network.init,
            seed=network.seed,
            dtype=network.dtype.name,
        )
        model._parts = encoder, target, network, provenance
        return model

    def __repr__(self) -> str:
        more = "".join(f", {name}={value!r}" for name in ("loss", "init") if (value := getattr(self, name)) is not None)
        arguments = f"hidden={self.hidden}, h={self.h!r}{more}, seed={self.seed}, dtype={self.dtype!r}"
        if self._parts is None:
            return f"TableModel({arguments})"
        return f"TableModel({arguments}) fitted to {self.target.name!r}: {self.target.task}, {self.network.layers}"
