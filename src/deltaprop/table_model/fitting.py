"""How a table's network is trained where its owner leaves it to us, and what a run on disk says of the table."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from deltaprop.arrays import Array, whole_number
from deltaprop.data import TableLike, Target, read_table
from deltaprop.data.targets import Quantity
from deltaprop.descent.optimizers import optimizer_in
from deltaprop.descent.schedules import Eta
from deltaprop.errors import DivergenceError, TableError
from deltaprop.functions import loss as loss_of
from deltaprop.network import Network
from deltaprop.real_numbers import real_number
from deltaprop.table_model.base import Parts
from deltaprop.table_model.class_weights import class_weight_by_number
from deltaprop.table_model.predicting import Predicting
from deltaprop.table_model.preparation import Prepared, prepare
from deltaprop.table_model.provenance import described, metrics_of, new_provenance
from deltaprop.table_model.rows import samples_of
from deltaprop.terminal import say
from deltaprop.training import Around, History, run_in
from deltaprop.training.loop import train
from deltaprop.training.metrics import METRICS

if TYPE_CHECKING:
    import pyarrow as pa

BATCH_SIZE = 32
_SHARES = (1.0, 0.1, 0.01)  # of the optimizer's own η: tried in turn while descent diverges, where none was named
_STEPS = 40_000  # of descent, about, where the caller named no epochs
_EPOCHS = (20, 300)  # at least and at most then
_PATIENCE = 30  # epochs without a lower validation loss
_IN_THE_UNIT_OF_R = ("rmse", "mae")  # metrics
_WHERE = "TableModel.fit"


def learn(
    model: Predicting,
    table: TableLike,
    name: str,
    *,
    task: str | None,
    drop: str | Sequence[str] | None,
    class_weight: Any,
    validation: float | None,
    batch_size: int | None,
    epochs: int | None,
    verbose: bool,
    command: Mapping[str, Any] | None = None,
    shown: int = 0,
    **descent: Any,
) -> History:
    """Train ``model``; `TableModel.fit` documents the arguments.

    ``command`` is what a run on disk keeps of the command line that began it, JSON-able; ``shown`` how many rows of
    those that it learns from, evenly over the table, a record without samples is to have.
    """
    whole = optimizer_in(descent["optimizer"], where=_WHERE).full_batch  # an epoch is one step
    if batch_size is None:
        batch_size = 1 if whole else BATCH_SIZE
    batch_size = whole_number(batch_size, "batch_size", at_least=1, where=_WHERE)
    drop = [drop] if isinstance(drop, str) else list(drop or ())
    source, data, network = prepared(model, table, name, _WHERE, task=task, drop=drop, validation=validation)
    target, record = data.target, descent["record"]
    if shown and record is not None and not record.samples:
        places = np.linspace(0, len(data.rows) - 1, min(shown, len(data.rows))).round().astype(int)
        record.samples = tuple(np.sort(data.rows)[places].tolist())
    descent |= _in_numbers_of_the_network(target, descent)
    if data.validation is not None and descent["patience"] is None:
        descent["patience"] = _PATIENCE
    if epochs is None:
        epochs = _EPOCHS[1] if whole else default_epochs(len(data.X), batch_size)
    used = {name, *drop, *(column.name for column in data.encoder.columns)}
    ignored = [column for column in source.column_names if column not in used]

    def provenance_of(history: History) -> dict[str, Any]:
        return new_provenance(
            data,
            history,
            batch_size=len(data.X) if whole else batch_size,
            class_weight=class_weight,
            dropped=drop,
            ignored=ignored,
        )

    def header(history: History) -> dict[str, Any]:
        more = {} if command is None else {"command": dict(command)}
        own = _in_own_unit(history, target)
        return {**described(data.encoder, target, provenance_of(own), own), **more}

    def rows(samples: Sequence[int]) -> tuple[Array, Array]:
        return samples_of(source, data.encoder, target, samples, _WHERE)

    if verbose:
        for line in (*data.summary(), network):
            say(line)
    history, notes = _descend(
        network,
        data,
        verbose=verbose,
        epochs=epochs,
        batch_size=batch_size,
        class_weight=class_weight_by_number(class_weight, target),
        around=Around(header, _digest_of(data), rows),
        **descent,
    )
    history = _in_own_unit(history, target)
    provenance = provenance_of(history)
    model.become(data.encoder, target, network, provenance)
    model.notes, model.history = data.notes + notes, history
    model.evaluation = model.evaluate(data.held_out) if data.held_out.num_rows else None
    if model.evaluation is not None:
        provenance["metrics"] = metrics_of(model.evaluation)
    return history


def prepared(
    model: Parts,
    table: TableLike,
    name: str,
    where: str,
    *,
    task: str | None,
    drop: Sequence[str],
    validation: float | None,
) -> tuple[pa.Table, Prepared, Network]:
    """Return a table, the table divided and encoded, and a network for it with its first weights."""
    if validation is not None and not (isinstance(validation, float | np.floating) and 0 < validation < 1):
        raise ValueError(f"{where}: validation needs to be a share between 0 and 1, or None; got {validation!r}.")
    if name in drop:
        raise TableError(f"The target {name!r} cannot be dropped.")
    source = read_table(table)
    loss = None if model.loss is None else loss_of(model.loss, where=f"{where}: loss")
    data = prepare(source, name, task=task, loss=loss, drop=drop, validation=validation, seed=model.seed)
    output, loss_name = data.target.functions(loss)
    network = Network(
        [data.X.shape[1], *model.hidden, data.target.n_out],
        h=model.h,
        output=output,
        loss=loss_name,
        init=model.init,
        seed=model.seed,
        dtype=model.dtype,
        l2=model.l2,
        l1=model.l1,
        dropout=model.dropout,
        input_noise=model.input_noise,
    )
    return source, data, network


def default_epochs(rows: int, batch_size: int) -> int:
    """Return how many epochs there are at most, where the caller named no number."""
    return int(np.clip(_STEPS // -(-rows // batch_size), *_EPOCHS))


def _descend(
    network: Network, data: Prepared, *, eta: Eta | None, verbose: bool, **arguments: Any
) -> tuple[History, list[str]]:
    """Train a network; where no eta was named and training diverges it starts over with a tenth of it.

    Returns the history, and what the network's owner wants to know.
    """

    def once(eta: Eta | None) -> History:
        return train(network, data.X, data.R, eta=eta, validation=data.validation, verbose=verbose, **arguments)

    if eta is not None:
        return once(eta), []
    rule = optimizer_in(arguments["optimizer"], where=_WHERE)
    if rule.full_batch:
        return once(None), []
    etas = [float(f"{rule.eta * share:.12g}") for share in _SHARES]
    notes: list[str] = []
    written = None
    if arguments["resume"] and arguments["checkpoint"] is not None:
        written = run_in(arguments["checkpoint"])
    begun = None if written is None else written["called with"].get("eta")
    for attempt in etas:
        if begun in etas and attempt > begun:  # the run on disk has come to the next
            notes.append(_started_over(attempt))
            continue
        began = time.monotonic()
        try:
            return once(attempt), notes
        except DivergenceError:
            if attempt == etas[-1]:
                raise
        notes.append(_started_over(attempt))
        network.reset()
        if arguments["record"] is not None:
            arguments["record"].forget()
        arguments["resume"], arguments["starts_over"] = False, True
        if arguments["time_budget"] is not None:
            arguments["time_budget"] = max(arguments["time_budget"] - (time.monotonic() - began), 1e-9)
        if verbose:
            say(f"note: {notes[-1]}")
    raise AssertionError("one eta is the last")


def _started_over(eta: float) -> str:
    return f"training diverged with eta {eta:g} and was started over with a tenth of that"


def _in_numbers_of_the_network(target: Target, descent: Mapping[str, Any]) -> dict[str, Any]:
    """Return min_gain and goal as the network's r counts them; refuse metrics that are of labels for a quantity."""
    if not isinstance(target, Quantity):
        return {}
    metrics = descent["metrics"]
    names = metrics if isinstance(metrics, Sequence) and not isinstance(metrics, str) else [metrics]
    for metric in (*names, descent["monitor"]):
        if isinstance(metric, str) and metric in METRICS and METRICS[metric].needs != "any":
            raise TableError(f"{metric} is of labels, and {target.name!r} is a quantity.")
    if descent["monitor"] not in _IN_THE_UNIT_OF_R:
        return {}
    numbers = {key: descent[key] for key in ("min_gain", "goal") if descent[key] is not None}
    return {key: real_number(value, key, where=_WHERE) / target.scale for key, value in numbers.items()}


def _in_own_unit(history: History, target: Target) -> History:
    """Return a history whose metrics are in the target's own unit."""
    if not isinstance(target, Quantity):
        return history
    own = {
        name: [value * target.scale for value in values] if name in _IN_THE_UNIT_OF_R else values
        for name, values in history.metrics.items()
    }
    return replace(history, metrics=own)


def _digest_of(data: Prepared) -> str:
    """Return what tells how a table's columns and target are read from other ways."""
    read = [data.encoder.as_json(), data.target.as_json()]
    return hashlib.blake2b(json.dumps(read, sort_keys=True).encode(), digest_size=16).hexdigest()
