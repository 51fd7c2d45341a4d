"""Where a model comes from: what `TableModel.fit` writes into the file beside the model itself."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

from deltaprop.data import TableEncoder, Target
from deltaprop.data.targets import label_text
from deltaprop.table_model.evaluation import Evaluation
from deltaprop.table_model.preparation import Prepared
from deltaprop.training import History


def described(
    encoder: TableEncoder, target: Target, provenance: dict[str, Any], history: History | None
) -> dict[str, Any]:
    """Return what a model file says beside its network: the same of every run with the same arguments."""
    curves = {} if history is None else {"history": replace(history, seconds=[]).as_json()}
    return {
        "kind": "table_model",
        "encoder": encoder.as_json(),
        "target": target.as_json(),
        "provenance": provenance,
        **curves,
    }


def new_provenance(
    data: Prepared, history: History, *, batch_size: int, class_weight: Any, dropped: list[str], ignored: list[str]
) -> dict[str, Any]:
    """Return what a model file says of how its model was made, JSON-able."""
    from importlib.metadata import version

    weights = class_weight
    if hasattr(class_weight, "items"):
        weights = {label_text(label): float(weight) for label, weight in class_weight.items()}
    return {
        "deltaprop": version("deltaprop"),
        "rows": len(data.X),
        "rows held out": data.held_out.num_rows,
        "columns dropped": dropped,
        "columns ignored": ignored,
        "epochs": len(history),
        "epoch kept": len(history) if history.best_epoch is None else history.best_epoch,
        **({} if history.eta and math.isnan(history.eta[-1]) else {"eta": history.eta[-1] if history.eta else 0.0}),
        "batch size": batch_size,
    } | ({} if weights is None else {"class weight": weights})


def metrics_of(evaluation: Evaluation) -> dict[str, dict[str, float]]:
    """Return an evaluation as provenance keeps it."""
    return {metric.name: {"model": metric.value, "baseline": metric.baseline} for metric in evaluation.metrics}


def check_provenance(provenance: dict[str, Any]) -> None:
    """Raise TypeError where what a file says of a model's origin is not what `TableModel.fit` writes."""
    for what in ("columns dropped", "columns ignored"):
        names = provenance[what]
        if not (isinstance(names, list) and all(isinstance(name, str) for name in names)):
            raise TypeError(f"{what} are not names")
    weights = provenance.get("class weight", "balanced")
    numbers = list(weights.values()) if isinstance(weights, dict) else [] if weights == "balanced" else [None]
    if not all(type(number) is float and number >= 0 for number in numbers):
        raise TypeError("class weights are not those of labels")
    metrics = provenance.get("metrics", {})
    if not isinstance(metrics, dict):
        raise TypeError("metrics are not those of a model")
    for values in metrics.values():
        if not (isinstance(values, dict) and set(values) == {"model", "baseline"}):
            raise TypeError("metrics are not those of a model")
        if not all(isinstance(value, int | float) for value in values.values()):
            raise TypeError("metrics are not numbers")
