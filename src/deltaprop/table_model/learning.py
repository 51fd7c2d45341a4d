"""What trains a TableModel, and looks for the learning rate to train it with: fit, find_eta."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from deltaprop.data import TableLike
from deltaprop.descent.optimizers import Optimizer
from deltaprop.descent.schedules import Eta
from deltaprop.foreign_words import answers_foreign_words
from deltaprop.inspection.eta_range import EtaRange
from deltaprop.storage import PathLike
from deltaprop.table_model.class_weights import class_weight_by_number
from deltaprop.table_model.fitting import BATCH_SIZE, learn, prepared
from deltaprop.table_model.predicting import Predicting
from deltaprop.training import History, Record


class Learning(Predicting):
    """The verbs of `TableModel` that train it."""

    @answers_foreign_words
    def fit(
        self,
        table: TableLike,
        target: str,
        *,
        task: str | None = None,
        drop: str | Sequence[str] | None = None,
        epochs: int | None = None,
        eta: Eta | None = None,
        batch_size: int | None = None,
        optimizer: str | Optimizer = "sgd",
        class_weight: Literal["balanced"] | Mapping[Any, float] | None = None,
        validation: float | None = 0.2,
        verbose: bool = False,
        eta_per: str = "epoch",
        decay: Eta = 0.0,
        eta_factors: Sequence[Any] | None = None,
        clip_norm: float | None = None,
        clip_value: float | None = None,
        max_norm: float | None = None,
        average: str | None = None,
        metrics: str | Sequence[str] = (),
        monitor: str = "E",
        patience: int | None = None,
        min_gain: float = 0.0,
        keep: str | None = None,
        goal: float | None = None,
        time_budget: float | None = None,
        callbacks: Sequence[Any] | None = None,
        checkpoint: PathLike | None = None,
        checkpoint_every: int | str | None = None,
        resume: bool = False,
        record: Record | None = None,
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
            The learning rate η_n, as in `Network.fit`; by default the optimizer's, or less where training diverges.
        batch_size : int, optional
            Rows per step; by default 32, or all of an optimizer that takes no fewer.
        optimizer : str or optimizer, default "sgd"
            The rule of a step, as in `Network.fit`.
        class_weight : "balanced" or mapping of label to weight, optional
            How much the rows of each label count; labels left out count 1. "balanced" makes all labels count alike.
        validation : float or None, default 0.2
            The share of the rows that is held out, of each class alike: the parameters kept are those of the epoch with
            the least loss on them, and training stops after 30 epochs without a lower one. None trains on all rows.
        verbose : bool, default False
            Show progress.
        eta_per, decay, eta_factors, clip_norm, clip_value, max_norm, average, callbacks, checkpoint_every
            As in `Network.fit`.
        metrics : str or sequence of str, optional
            What else is looked at of the rows held out: "accuracy" and "auc" of labels, "rmse", "mae" and "r2"; in
            ``history.metrics``, those of a quantity in its own unit.
        monitor : str, default "E"
            The metric that patience, keep and goal go by.
        patience : int, optional
            Stop after so many epochs in a row without a value better by more than ``min_gain``; by default 30 where
            rows are held out, and never where none are.
        min_gain, goal : float
            As in `Network.fit`; of "rmse" and "mae" in the target's own unit.
        keep : "last", "best" or "last best", optional
            As in `Network.fit`; by default the best where rows are held out.
        time_budget : float, optional
            Seconds that the training may take.
        checkpoint : path-like, optional
            A file that the run is written to now and then, and when it ends, as in `Network.fit`: `deltaprop.load`
            reads it as this model.
        resume : bool, default False
            Go on with the run in ``checkpoint``, if there is one, with the same table and arguments.
        record : Record, optional
            What to remember of the updates, as in `Network.fit`; its samples are rows of the table. `report` takes it.

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
        return learn(
            self,
            table,
            target,
            task=task,
            drop=drop,
            epochs=epochs,
            eta=eta,
            batch_size=batch_size,
            optimizer=optimizer,
            class_weight=class_weight,
            validation=validation,
            verbose=verbose,
            eta_per=eta_per,
            decay=decay,
            eta_factors=eta_factors,
            clip_norm=clip_norm,
            clip_value=clip_value,
            max_norm=max_norm,
            average=average,
            metrics=metrics,
            monitor=monitor,
            patience=patience,
            min_gain=min_gain,
            keep=keep,
            goal=goal,
            time_budget=time_budget,
            callbacks=callbacks,
            checkpoint=checkpoint,
            checkpoint_every=checkpoint_every,
            resume=resume,
            record=record,
        )

    @answers_foreign_words
    def find_eta(
        self,
        table: TableLike,
        target: str,
        *,
        task: str | None = None,
        drop: str | Sequence[str] | None = None,
        batch_size: int = BATCH_SIZE,
        optimizer: str | Optimizer = "sgd",
        class_weight: Literal["balanced"] | Mapping[Any, float] | None = None,
        validation: float | None = 0.2,
        decay: float = 0.0,
        low: float = 1e-6,
        high: float = 10.0,
        points: int = 100,
        steps: int | None = None,
    ) -> EtaRange:
        """Look for the learning rate to `fit` with: the range test, `Network.find_eta`, on the rows that it trains on.

        Nothing is fitted; the network is that with whose first weights `fit` would begin.

        Parameters
        ----------
        table, target, task, drop, batch_size, optimizer, class_weight, validation
            As of `fit`.
        decay, low, high, points, steps
            As of `Network.find_eta`.

        Returns
        -------
        EtaRange

        Raises
        ------
        FileNotFoundError, OSError, TableError, TypeError, ValueError, MissingExtraError
            As `fit`.

        Examples
        --------
        >>> from deltaprop import TableModel
        >>> table = {"height": [1.5, 1.6, 1.7, 1.8, 1.9, 2.0] * 10, "tall": [0, 0, 0, 1, 1, 1] * 10}
        >>> found = TableModel(hidden=(4,)).find_eta(table, "tall", high=100.0)
        >>> found.suggestion < found.least
        True
        """
        drop = [drop] if isinstance(drop, str) else list(drop or ())
        where = "TableModel.find_eta"
        _, data, network = prepared(self, table, target, where, task=task, drop=drop, validation=validation)
        return network.find_eta(
            data.X,
            data.R,
            low=low,
            high=high,
            points=points,
            steps=steps,
            batch_size=batch_size,
            optimizer=optimizer,
            class_weight=class_weight_by_number(class_weight, data.target),
            decay=decay,
        )
