"""The target column: labels ↔ r for classification, its own unit ↔ r for regression."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from deltaprop.arrays import Array
from deltaprop.data.arrow import (
    canonical,
    is_boolean,
    is_category,
    is_empty,
    is_number,
    is_text,
    nearest_texts,
    numbers,
    without_categories,
)
from deltaprop.data.columns import standard
from deltaprop.errors import TableError
from deltaprop.functions import Loss

if TYPE_CHECKING:
    import pyarrow as pa

Label = str | bool | int | float

TASKS = ("classification", "regression")
_MOST_CLASSES = 1000
_ROOM = 1e6  # standard deviations that a prediction may be away from the mean


@dataclass(frozen=True)
class Labels:
    """A target of classification: its labels, in ascending order; class k is ``labels[k]``.

    Two classes are one output, y = P(labels[1]); more are one output each.

    Attributes
    ----------
    name : str
    labels : tuple
        Text, Booleans or numbers, as the column holds them.
    counts : tuple of int
        How many rows of the training data have each.
    """

    task: ClassVar[str] = "classification"
    name: str
    labels: tuple[Label, ...]
    counts: tuple[int, ...]

    @property
    def n_out(self) -> int:
        """How many outputs the network has."""
        return 1 if len(self.labels) == 2 else len(self.labels)

    @property
    def outputs(self) -> list[str]:
        """The names of the outputs."""
        return self.probability_names[1:] if self.n_out == 1 else self.probability_names

    @property
    def probability_names(self) -> list[str]:
        """The names of the classes' probabilities: P(label)."""
        return [f"P({label_text(label)})" for label in self.labels]

    def functions(self, loss: Loss | None = None) -> tuple[str, str]:
        """Return the output's activation and the loss; raise TableError where this loss is not for labels."""
        output, usual = ("sigmoid", "log") if self.n_out == 1 else ("softmax", "cross_entropy")
        if loss is None:
            return output, usual
        _refuse_several(loss)
        if loss.targets not in ("unit", "distribution", "real"):
            raise TableError(f"The loss {loss.name!r} gives no probabilities of labels: use {usual!r}, or focal.")
        if loss.targets == "distribution" and self.n_out == 1:
            raise TableError(f"Two classes are one output, and the loss {loss.name!r} needs one for each: use 'log'.")
        return output, str(loss)

    @property
    def is_text(self) -> bool:
        """Whether the column must be read as text."""
        return isinstance(self.labels[0], str)

    def encode(self, column: pa.ChunkedArray) -> tuple[Array, Array]:
        """Return r (n, n_out) and the class of each row; −1, with r all zeros, for a label that was never met."""
        place = {label_text(label): k for k, label in enumerate(self.labels)}
        near = {form: place[text] for form, text in nearest_texts(place).items()}
        if all(isinstance(label, bool) for label in self.labels):
            near |= {"0": 0, "1": 1}
        texts = [label_text(label) for label in cells(self.name, column)]
        found = {text: place.get(text, near.get(canonical(text), -1)) for text in set(texts)}
        classes = np.array([found[text] for text in texts])
        r = np.zeros((len(classes), len(self.labels) + 1))  # column −1 takes the labels never met
        r[np.arange(len(classes)), classes] = 1
        return (r[:, 1:2] if self.n_out == 1 else r[:, :-1]), classes

    def probabilities(self, y: Array) -> Array:
        """Return P (n, classes) from the network's y."""
        return np.hstack([1 - y, y]) if self.n_out == 1 else y

    def decide(self, P: Array) -> Array:
        """Return the label with the largest of P (n, classes) in every row."""
        long = any(isinstance(label, str) and (len(label) > 100 or label.endswith("\0")) for label in self.labels)
        labels: Array = np.array(self.labels, dtype=object if long else None)[P.argmax(axis=1)]
        return labels

    def describe(self) -> str:
        """Say in a few words what is predicted."""
        if len(self.labels) > 12:
            return f"classification of {self.name}: {len(self.labels)} classes"
        counts = (
            f"{shorten(label_text(label))} {count:,}" for label, count in zip(self.labels, self.counts, strict=True)
        )
        return f"classification of {self.name}: {', '.join(counts)}"

    def as_json(self) -> dict[str, Any]:
        """Return what a model file keeps."""
        return {"task": self.task, "name": self.name, "labels": list(self.labels), "counts": list(self.counts)}

    @classmethod
    def from_json(cls, name: str, labels: list[Label], counts: list[int]) -> Self:
        """Return the target of a model file; raise TypeError or ValueError where that is no such target."""
        target = cls(name, tuple(labels), tuple(counts))
        if type(name) is not str or not all(type(label) in (str, bool, int, float) for label in labels):
            raise TypeError("labels have the wrong type")
        if len(labels) < 2 or len({label_text(label) for label in labels}) < len(labels):
            raise ValueError("labels are not distinct")
        if (
            len(counts) != len(labels)
            or not all(type(count) is int and count >= 0 for count in counts)
            or not sum(counts)
        ):
            raise ValueError("counts are not those of the labels")
        return target


@dataclass(frozen=True)
class Quantity:
    """A target of regression, standardised: r = (value − mean) / scale.

    Where the loss needs targets of at least 0 it is not moved: r = value / scale.

    Attributes
    ----------
    name : str
    mean, scale : float
        Mean and standard deviation of the training data, in the target's own unit.
    centred : bool
        Whether the mean is taken off.
    """

    task: ClassVar[str] = "regression"
    n_out: ClassVar[int] = 1
    is_text: ClassVar[bool] = False
    name: str
    mean: float
    scale: float
    centred: bool = True

    def functions(self, loss: Loss | None = None) -> tuple[str, str]:
        """Return the output's activation and the loss; raise TableError where this loss is not for a quantity."""
        if loss is None:
            return "identity", "squared_error"
        _refuse_several(loss)
        if loss.targets not in ("real", "count", "positive"):
            raise TableError(f"The loss {loss.name!r} is for labels, and {self.name!r} is a quantity.")
        return loss.canonical, str(loss)

    @property
    def shift(self) -> float:
        """What is taken off before scaling."""
        return self.mean if self.centred else 0.0

    @property
    def outputs(self) -> list[str]:
        """The name of the output."""
        return [self.name]

    def encode(self, column: pa.ChunkedArray) -> tuple[Array, Array]:
        """Return r (n, 1) and the values in their own unit (n,)."""
        values = numbers(self.name, column)
        refuse_missing(self.name, np.isnan(values))
        return ((values - self.shift) / self.scale)[:, None], values

    def own_unit(self, y: Array) -> Array:
        """Return the network's y in the target's own unit."""
        return y * self.scale + self.shift

    def describe(self) -> str:
        """Say in a few words what is predicted."""
        return f"regression of {self.name}: mean {self.mean:.6g}, standard deviation {self.scale:.6g}"

    def as_json(self) -> dict[str, Any]:
        """Return what a model file keeps."""
        numbers = {"task": self.task, "name": self.name, "mean": self.mean, "scale": self.scale}
        return numbers if self.centred else {**numbers, "centred": False}

    @classmethod
    def from_json(cls, name: str, mean: float, scale: float, centred: bool = True) -> Self:
        """Return the target of a model file; raise TypeError or ValueError where that is no such target."""
        if type(centred) is not bool:
            raise TypeError("centred is no Boolean")
        if type(name) is not str or not all(type(x) is float and np.isfinite(x) for x in (mean, scale)) or scale <= 0:
            raise ValueError("a target's mean and scale are not numbers")
        return cls(name, mean, scale, centred)


Target = Labels | Quantity


def _refuse_several(loss: Loss) -> None:
    if loss.several:
        raise TableError(f"The loss {str(loss)!r} has several outputs, and a table's target is one: use one of them.")


def fit_target(name: str, column: pa.ChunkedArray, task: str | None = None, loss: Loss | None = None) -> Target:
    """Learn from a column what its labels, or its mean and scale, are.

    Text, Booleans, categories and exactly two distinct values are classification, anything else regression; ``task``
    overrides that. A quantity is centred unless the ``loss`` needs targets of at least 0.

    Raises
    ------
    TableError
        If a cell is missing or infinite, every row has one value, or the column does not suit the task or the loss.

    Examples
    --------
    >>> from deltaprop.data.tables import read_table
    >>> table = read_table({"ill": ["no", "yes", "no"], "age": [20, 40, 60]})
    >>> fit_target("ill", table["ill"])
    Labels(name='ill', labels=('no', 'yes'), counts=(2, 1))
    >>> target = fit_target("age", table["age"])
    >>> target.mean, round(target.scale, 3)
    (40.0, 16.33)
    """
    if task not in (None, *TASKS):
        raise ValueError(f"task needs to be one of {', '.join(TASKS)}; got {task!r}.")
    column = without_categories(column) if task == "regression" else column
    kind = column.type
    if not (is_number(kind) or is_text(kind) or is_boolean(kind) or is_category(kind)):
        what = "empty" if is_empty(kind) else f"{kind}"
        raise TableError(f"The target {name!r} is {what}; it needs to be numbers, text or Booleans.")
    numeric = is_number(kind)
    if task is None:
        distinct = len(set(cells(name, column))) if numeric else 0
        task = "regression" if numeric and distinct != 2 else "classification"
    if task == "regression":
        if not (numeric or is_boolean(kind)):
            raise TableError(f"The target {name!r} is {kind}, which is not a quantity: use --task classification.")
        values = numbers(name, column)
        refuse_missing(name, np.isnan(values))
        mean, scale = standard(values)
        if scale == 0:
            raise TableError(
                f"The target {name!r} has one value, {values[0]:g}, in every row: there is nothing to learn."
            )
        if not (np.isfinite(_ROOM * scale + abs(mean)) and np.isfinite(_ROOM / scale)):
            raise TableError(f"The target {name!r} holds numbers too large or too small to be standardised.")
        centred = loss is None or loss.targets not in ("count", "positive")
        if loss is not None and not centred:
            low = values <= 0 if loss.targets == "positive" else values < 0
            if low.any():
                row = int(low.argmax())
                needs = "above 0" if loss.targets == "positive" else "of at least 0"
                raise TableError(
                    f"The target {name!r} is {values[row]:g} in row {row + 1}; the loss {loss.name!r} needs values "
                    f"{needs}."
                )
        return Quantity(name, mean, scale, centred)
    labels, counts = np.unique(np.array(cells(name, column), dtype=object), return_counts=True)
    if len(labels) < 2:
        raise TableError(f"The target {name!r} has one class, {labels[0]!r}: there is nothing to tell apart.")
    if len(labels) > _MOST_CLASSES:
        raise TableError(f"The target {name!r} has {len(labels):,} classes; at most {_MOST_CLASSES:,} are supported.")
    return Labels(name, tuple(labels.tolist()), tuple(counts.tolist()))


def label_text(label: Label) -> str:
    """Return a label as text: the same for the number 1 however it is stored."""
    return str(int(label)) if isinstance(label, float) and label.is_integer() else str(label)


def shorten(text: str) -> str:
    """Return a text cut to what fits on a line."""
    return text if len(text) <= 40 else text[:39] + "…"


def cells(name: str, column: pa.ChunkedArray) -> list[Label]:
    """Return a target's cells; raise TableError where one is missing or infinite."""
    column = without_categories(column)
    if column.type in ("halffloat", "float"):  # 0.1, not the nearest float32 written out in float64
        column = column.cast("string").cast("float64")
    values = [float(value) if isinstance(value, Decimal) else value for value in column.to_pylist()]
    refuse_missing(name, np.array([value is None or value != value for value in values]))
    for row, value in enumerate(values):
        if value in (np.inf, -np.inf):
            raise TableError(f"The target {name!r} is {value} in row {row + 1}; numbers need to be finite.")
    return [value.strip() if isinstance(value, str) else value for value in values]


def refuse_missing(name: str, missing: Array) -> None:
    """Raise TableError where a target is missing."""
    if missing.any():
        count, row = int(missing.sum()), int(missing.argmax()) + 1
        where = f"row {row}" if count == 1 else f"{count:,} of {len(missing):,} rows, first in row {row}"
        raise TableError(f"The target {name!r} is missing in {where}: remove such rows, or fill them in.")


def target_from_json(data: dict[str, Any]) -> Target:
    """Return the target of a model file; raise KeyError, TypeError or ValueError where that is no target."""
    parts = dict(data)
    kind: Any = {kind.task: kind for kind in (Labels, Quantity)}[parts.pop("task")]
    target: Target = kind.from_json(**parts)
    return target
