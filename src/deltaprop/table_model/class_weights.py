"""How much rows count, by their labels."""

from __future__ import annotations

from typing import Any

import numpy as np

from deltaprop.arrays import Array
from deltaprop.data import Target
from deltaprop.data.targets import Labels, label_text
from deltaprop.errors import TableError


def weights_of_rows(class_weight: Any, target: Target, R: Array) -> Array | None:
    """Return how much each row of R counts by the class weights that a model was trained with; None: all alike.

    "balanced" is that of the training rows: n / (classes · rows of the class).
    """
    if class_weight is None or not isinstance(target, Labels):
        return None
    numbers = class_weight_by_number(class_weight, target)
    if isinstance(numbers, str):
        counts = np.maximum(target.counts, 1)
        of_class = sum(target.counts) / (len(counts) * counts)
    else:
        of_class = np.array([float(numbers.get(k, 1.0)) for k in range(len(target.labels))])
    weights: Array = target.probabilities(R) @ of_class
    if not weights.any():
        raise TableError(f"Every row of the table has a label of {target.name!r} that class_weight gave a weight of 0.")
    return weights


def class_weight_by_number(class_weight: Any, target: Target) -> Any:
    """Return class weights by the numbers of the classes, from those by label."""
    if class_weight is None:
        return None
    if not isinstance(target, Labels):
        raise TableError(f"class_weight is for labels, and {target.name!r} is a quantity.")
    if isinstance(class_weight, str):
        return class_weight
    if not hasattr(class_weight, "items"):
        raise TypeError(
            f"TableModel.fit: class_weight needs 'balanced', or a mapping of label to weight; got {class_weight!r}."
        )
    places = {label_text(label): k for k, label in enumerate(target.labels)}
    numbers: dict[int, Any] = {}
    for label, weight in class_weight.items():
        if label_text(label) not in places:
            raise TableError(f"class_weight has {label!r}, which is no label of {target.name!r}.")
        if places[label_text(label)] in numbers:
            raise TableError(f"class_weight has the label {label!r} of {target.name!r} twice.")
        numbers[places[label_text(label)]] = weight
    return numbers
