"""The verb: from a network and samples to a page on disk."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from deltaprop.arrays import Array, numbers_in
from deltaprop.descent.schedules import rates
from deltaprop.inspection.health import health
from deltaprop.inspection.report.curves import loss_curves
from deltaprop.inspection.report.figure import figure
from deltaprop.inspection.report.formulas import symbols_for_script, templates_of
from deltaprop.inspection.report.page import Page
from deltaprop.inspection.report.record import LITTLE, MOST, packed, recorded, size_of
from deltaprop.inspection.report.sections import (
    derivation_html,
    facts_html,
    health_html,
    network_in_words,
    notes_html,
    notes_on,
)
from deltaprop.model import Model
from deltaprop.storage import PathLike, replace_file
from deltaprop.training import History, Record

MOST_SAMPLES, MOST_UPDATES = 100, 100  # where nobody says how many
_SCORE = 20  # updates of a run, that there should be room for


@dataclass(frozen=True)
class Rows:
    """What samples are called, and the cells of their table: pairs of a column's name and a cell for each sample."""

    names: Sequence[str]
    columns: Sequence[tuple[str, Sequence[str]]] = ()


@dataclass(frozen=True)
class Named:
    """What a table adds to rows of numbers.

    Attributes
    ----------
    inputs, outputs : sequence of str or None
        The names of the input columns and of the output units.
    described : function of row numbers or None
        What rows of X are called, with their cells.
    sample_weight : ndarray or None
        The weights that the rows of X had in training.
    places : function of row numbers or None
        The rows of X that a record's samples are, where it counts them otherwise.
    batch_size : int
        How many samples made an update in training, where that is known; else 0.
    notes : sequence of str
        What a reader has to know of the numbers, a sentence each.
    """

    inputs: Sequence[str] | None = None
    outputs: Sequence[str] | None = None
    described: Callable[[Sequence[int]], Rows] | None = None
    sample_weight: Array | None = None
    places: Callable[[Sequence[int]], Sequence[int]] | None = None
    batch_size: int = 0
    notes: Sequence[str] = ()


class Moment(NamedTuple):
    """A state of the network that a page shows: what people call it, and the η of the updates shown."""

    label: str
    network: Model
    eta: float


def report(
    model: Model,
    X: ArrayLike,
    R: ArrayLike,
    path: PathLike,
    *,
    samples: Sequence[int] | None = None,
    eta: float | None = None,
    history: History | None = None,
    states: Sequence[tuple[str, Model]] | None = None,
    record: Record | None = None,
    title: str | None = None,
    named: Named | None = None,
) -> None:
    """Write a page that steps through one update of a network; `Network.report` documents it."""
    where = f"{type(model).__name__}.report"
    named = Named() if named is None else named
    x, r = _rows(model, X, R, where)
    own = model.step_rule.eta
    if eta is None and record is None:
        own = _last_eta(model, history)
    rate = rates(own if eta is None else eta, 1, 1, where=where, dtype=model.dtype, own=own)(1)
    if record is None:
        moments = [Moment(label, one, rate) for label, one in _states(model, states, where)]
    elif states is not None:
        raise TypeError(f"{where}: give states or a record, not both.")
    else:
        if not isinstance(record, Record):
            raise TypeError(f"{where}: record needs a deltaprop.Record; got {record!r}.")
        record.last_before(0)  # raises where there is no run in it
        if samples is None and (few := _few(model, record)):
            samples = few if named.places is None else named.places(few)
        kept = (
            "the network now" if history is None or history.best_epoch is None else f"kept: epoch {history.best_epoch}"
        )
        moments = _of_record(model, record, samples, kept, None if eta is None else rate)
    rows = _chosen(model, len(moments), samples, x.shape[0], where)
    chosen = [(_dense(x, row), r[row]) for row in rows]
    told = Rows([f"sample {row}" for row in rows]) if named.described is None else named.described(rows)
    names: dict[str, Any] = {"inputs": named.inputs, "outputs": named.outputs}
    found = [recorded(*moment, chosen, **names) for moment in moments]
    first = found[0].traces[0]
    outputs = first.layers[-1].units
    shape = "-".join(map(str, model.layers))
    head = "Health" if len(moments) == 1 else "Health of the network now"
    sections = [("health", head, health_html(health(model, x, r, named.sample_weight, **names)))]
    if history is not None and len(history):
        sections.append(("losses", "Loss over the epochs", loss_curves(history)))
    page = Page(
        title=f"One update of a {shape} network" if title is None else title,
        facts=facts_html(network_in_words(model, [moment.eta for moment in moments])),
        notes=notes_html([*notes_on(model, record, named.batch_size, named.sample_weight is not None), *named.notes]),
        figure=figure(model, first.inputs, outputs),
        templates=templates_of(model),
        record={
            **packed(found),
            "layers": model.layers,
            "bias": model.bias,
            "softmax": bool(model.definition.functions[-1].output_only),
            "plain": model.step_rule.name == "sgd",
            "symbols": symbols_for_script(model),
            "inputs": first.inputs,
            "units": [layer.units for layer in first.layers],
            "samples": list(told.names),
            "columns": list(told.columns),
        },
        sections=sections,
        derivation=derivation_html(model),
    )
    replace_file(path, page.html().encode())


def _rows(model: Model, X: Any, R: Any, where: str) -> tuple[Any, Any]:
    """Return X and R by rows, one sample as one row; sparse rows stay what they are."""
    x = X.tocsr() if hasattr(X, "tocsr") else numbers_in(X, model.dtype, "X", where=where)
    r = numbers_in(R, model.dtype, "R", where=where)
    if x.ndim == 1:
        x, r = x.reshape(1, -1), r.reshape(1, -1) if r.ndim else r.reshape(1)
    if x.ndim != 2 or x.shape[1] != model.layers[0]:
        raise ValueError(f"{where}: X needs shape (n, {model.layers[0]}); got {x.shape}.")
    if not x.shape[0]:
        raise ValueError(f"{where}: X has no rows, so there is nothing to step through.")
    if not r.ndim or len(r) != x.shape[0]:
        raise ValueError(
            f"{where}: R needs {x.shape[0]} rows, one for each of X; got {len(r) if r.ndim else 'a number'}."
        )
    return x, r


def _dense(X: Any, row: int) -> Array:
    one: Array = X[[row]].toarray()[0] if hasattr(X, "tocsr") else X[row]
    return one


def _last_eta(model: Model, history: History | None) -> float:
    """Return the last η of the training above 0, where that is known and one of the rule's steps; else the rule's."""
    own = model.step_rule.eta
    if history is None or model.memory.optimizer.full_batch:
        return own
    return next((eta for eta in reversed(history.eta) if eta > 0), own)


def _few(model: Model, record: Record) -> list[int]:
    """Return so many of a record's samples as leave room for a score of its updates on a small page, one at least."""
    of_state, of_sample = size_of(model)
    states = min(len(record.steps) + 1, _SCORE)
    fits = (LITTLE // states - of_state) // of_sample
    return list(record.samples[: max(1, fits)])


def _of_record(
    model: Model, record: Record, samples: Sequence[int] | None, kept: str, eta: float | None
) -> list[Moment]:
    """Return the network at the updates of a record, at so many of them, evenly, as leave the page small.

    And as it is now, where it is none of them: the best epoch's, or an average.
    """
    of_state, of_sample = size_of(model)
    fits = LITTLE // (of_state + max(1, len(samples or ())) * of_sample)
    most = min(max(2, fits), MOST_UPDATES)
    every = record.steps
    places = np.linspace(0, len(every) - 1, min(most, len(every))).round().astype(int)
    moments = []
    for place in np.unique(places):
        step = every[place]
        label = f"update {step:,}, epoch {record.epoch_of(step)}" if step else "the start"
        moments.append(Moment(label, record.network(step), record.eta_of(step + 1) if eta is None else eta))
    if not any(np.array_equal(moment.network.padded_theta, model.padded_theta) for moment in moments):
        moments.append(Moment(kept, model, moments[-1].eta))
    for moment in moments:
        _check_same(moment.label, moment.network, model, f"{type(model).__name__}.report")
    return moments


def _check_same(label: str, other: Model, model: Model, where: str) -> None:
    """Raise ValueError where a state is of another network."""
    if replace(other.definition, seed=model.seed) != model.definition:
        raise ValueError(f"{where}: state {label!r} is of another network: {other!r}.")


def _states(model: Model, states: Sequence[tuple[str, Model]] | None, where: str) -> list[tuple[str, Model]]:
    """Return the states to show with their labels; the present one where none are given."""
    if states is None:
        return [("", model)]
    moments = [(str(label), other) for label, other in states]
    if not moments:
        raise ValueError(f"{where}: states needs at least one pair of a label and a network; got none.")
    for label, other in moments:
        if not isinstance(other, Model):
            raise TypeError(f"{where}: states needs pairs of a label and a network; got {other!r} at {label!r}.")
        _check_same(label, other, model, where)
    return moments


def _chosen(model: Model, states: int, samples: Sequence[int] | None, n: int, where: str) -> list[int]:
    """Return the rows to record: those asked for, or the first ones that leave the page small."""
    of_state, of_sample = size_of(model)
    if samples is None:
        room = (LITTLE - states * of_state) // (states * of_sample)
        count = max(1, min(MOST_SAMPLES, n, room))
        rows = list(range(count))
    else:
        rows = list(samples)
        if not rows:
            raise ValueError(f"{where}: samples needs at least one row of X; got none.")
        for row in rows:
            if not isinstance(row, int | np.integer):
                raise TypeError(f"{where}: samples needs whole numbers, rows of X; got {row!r}.")
            if not 0 <= row < n:
                raise ValueError(f"{where}: samples needs rows of X, 0 to {n - 1}; got {row}.")
    size = states * (of_state + len(rows) * of_sample)
    if size > MOST:
        fits = (MOST - states * of_state) // (states * of_sample)
        many = "1 sample" if len(rows) == 1 else f"{len(rows)} samples"
        here = "" if states == 1 else f" in {states} states"
        if of_state + of_sample > MOST:
            what = "The network is too large for a page: net.trace(x, r, eta=…) has its numbers."
        elif fits > 0:
            what = f"Pass at most {fits} samples, as samples=range({fits})."
        else:
            what = "Pass fewer states, or a record of fewer updates."
        raise ValueError(
            f"{where}: {many}{here} would take {size / 2**20:,.0f} MiB of the page, which may have "
            f"{MOST / 2**20:.0f}. {what}"
        )
    return rows
