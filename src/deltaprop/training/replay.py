"""Back to any update of a recorded run, with its samples given anew."""

from __future__ import annotations

from typing import Any

from deltaprop.model import Model
from deltaprop.training.record import Record
from deltaprop.training.validation import divided


def replay(model: Model, record: Record, X: Any, R: Any, step: int, sample_weight: Any, class_weight: Any) -> Any:
    """Return the network as it was after an update; `Network.replay` documents it."""
    where = f"{type(model).__name__}.replay"
    if not isinstance(record, Record):
        raise TypeError(f"{where}: record needs a deltaprop.Record; got {record!r}.")
    found = record.last_before(step)
    begun = record.begun()
    if begun.config() != model.config():
        raise ValueError(f"{where}: the record is of another network: {begun!r}.")
    samples = model.samples(X, R, sample_weight, where, class_weight)
    if record.validation is not None:
        samples, _ = divided(model, samples, record.validation, (), where)
    return record.network_from(found, step, samples, where)
