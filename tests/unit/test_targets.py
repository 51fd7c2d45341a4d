"""The target: which task it is, labels ↔ r, its own unit ↔ r."""

import datetime
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from deltaprop import TableError
from deltaprop.data import fit_target, read_table
from deltaprop.data.targets import Labels, Quantity, target_from_json


def target_of(cells: object, task: str | None = None) -> Labels | Quantity:
    return fit_target("t", read_table({"t": cells})["t"], task)


@pytest.mark.parametrize(
    ("cells", "labels"),
    [
        (["b", "a", "c"], ("a", "b", "c")),
        ([True, False, True], (False, True)),
        ([5, 7, 5], (5, 7)),
        ([0.5, -1.0, 0.5], (-1.0, 0.5)),
        (pd.Series(pd.Categorical([3, 1, 2])), (1, 2, 3)),
        ([" yes", "yes ", "no"], ("no", "yes")),
    ],
)
def test_what_is_classification(cells: object, labels: tuple[object, ...]) -> None:
    target = target_of(cells)
    assert isinstance(target, Labels)
    assert target.labels == labels
    assert target.functions() == (("sigmoid", "log") if len(labels) == 2 else ("softmax", "cross_entropy"))
    assert sum(target.counts) == 3


@pytest.mark.parametrize("cells", [[1, 2, 3], [1.5, 2.5, 9.0], [Decimal("1.5"), Decimal("2"), Decimal("3")]])
def test_what_is_regression(cells: list[object]) -> None:
    target = target_of(cells)
    assert isinstance(target, Quantity)
    assert target.mean == pytest.approx(float(sum(cells)) / 3)  # type: ignore[arg-type]


def test_the_task_can_be_named() -> None:
    assert isinstance(target_of([1, 2, 3], "classification"), Labels)
    assert isinstance(target_of([1, 2, 1], "regression"), Quantity)
    assert isinstance(target_of([True, False], "regression"), Quantity)
    with pytest.raises(TableError, match="not a quantity: use --task classification"):
        target_of(["a", "b"], "regression")
    with pytest.raises(ValueError, match="task needs to be one of classification, regression; got 'ranking'"):
        target_of([1, 2], "ranking")


def test_labels_to_r_and_back() -> None:
    two, three = target_of(["no", "yes"]), target_of(["a", "b", "c"])
    assert isinstance(two, Labels)
    assert isinstance(three, Labels)
    assert two.outputs == ["P(yes)"]
    assert three.outputs == ["P(a)", "P(b)", "P(c)"]
    r, classes = two.encode(read_table({"t": ["yes", "no", "yes", "perhaps"]})["t"])
    assert r.tolist() == [[1], [0], [1], [0]]
    assert classes.tolist() == [1, 0, 1, -1]
    r, classes = three.encode(read_table({"t": ["c", "x", "a"]})["t"])
    assert r.tolist() == [[0, 0, 1], [0, 0, 0], [1, 0, 0]]
    assert classes.tolist() == [2, -1, 0]
    assert_allclose(two.probabilities(np.array([[0.25]])), [[0.75, 0.25]])


def test_a_number_is_the_same_label_however_it_is_stored() -> None:
    target = target_of([0, 1, 1])
    assert isinstance(target, Labels)
    for cells in ([1.0, 0.0], [1, 0], ["1", "0"]):
        assert target.encode(read_table({"t": cells})["t"])[1].tolist() == [1, 0]


def test_labels_as_others_write_them() -> None:
    target = target_of([True, False])
    for cells in (["True", "false"], ["true", "FALSE"], [1, 0], [1.0, 0.0], ["1", "0"]):
        assert target.encode(read_table({"t": cells})["t"])[1].tolist() == [1, 0]  # type: ignore[union-attr]
    target = target_of(["1.50", "x", "2"])
    assert target.encode(read_table({"t": [1.5, 2.0]})["t"])[1].tolist() == [0, 1]  # type: ignore[union-attr]
    single = target_of(pd.Series([0.1, 0.2, 0.1], dtype="float32"))
    assert single.labels == (0.1, 0.2)  # type: ignore[union-attr]


def test_own_unit() -> None:
    target = target_of([10, 20, 60])
    assert isinstance(target, Quantity)
    r, values = target.encode(read_table({"t": [30, 45]})["t"])
    assert_allclose(r[:, 0], (np.array([30, 45]) - 30) / np.std([10, 20, 60]))
    assert_allclose(target.own_unit(r[:, 0]), [30, 45])
    assert values.tolist() == [30, 45]


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        (["a", "a"], "has one class, 'a': there is nothing to tell apart"),
        ([True, True], "has one class, True"),
        ([3, 3, 3], "has one value, 3, in every row: there is nothing to learn"),
        ([1, None, 3], "is missing in row 2: remove such rows"),
        (["a", None, "b", None], "is missing in 2 of 4 rows, first in row 2"),
        ([1.0, np.nan, 2.0, 3.0], "is missing in row 2"),
        ([1.0, np.inf, 2.0], "is inf in row 2; numbers need to be finite"),
        ([None, None], "is empty"),
        ([datetime.date(2020, 1, 1)] * 2, "it needs to be numbers, text or Booleans"),
        ([1.7e308, -1.7e308, 0.0], "holds numbers too large or too small to be standardised"),
        ([b"x", b"y"], "it needs to be numbers, text or Booleans"),
        ([[1], [2]], "it needs to be numbers, text or Booleans"),
        ([f"name {k}" for k in range(1001)], "has 1,001 classes; at most 1,000 are supported"),
    ],
)
def test_what_is_refused(cells: list[object], message: str) -> None:
    with pytest.raises(TableError, match="The target 't' ") as error:
        target_of(cells)
    assert message in str(error.value)


def test_json_and_back() -> None:
    for target in (target_of(["é", "x", "x"]), target_of([1, 2, 5]), target_of([True, False]), target_of([0.5, 1.5])):
        assert target_from_json(target.as_json()) == target
    labels, quantity = target_of(["a", "b"]).as_json(), target_of([1, 2, 5]).as_json()
    for good, change in (
        (labels, {"labels": ["a"]}),
        (labels, {"labels": ["a", "a"]}),
        (labels, {"labels": ["a", None]}),
        (labels, {"counts": [1]}),
        (labels, {"counts": [0, 0]}),
        (labels, {"task": "ranking"}),
        (quantity, {"mean": None}),
        (quantity, {"scale": -1.0}),
        (quantity, {"more": 0}),
    ):
        with pytest.raises((TypeError, ValueError, KeyError)):
            target_from_json({**good, **change})
