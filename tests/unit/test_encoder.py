"""Columns into inputs, by hand."""

import datetime

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from deltaprop import TableError
from deltaprop.data import TableEncoder, fit_encoder, read_table
from deltaprop.data.columns import MOST_LEVELS


def fitted(columns: object) -> tuple[TableEncoder, list[str]]:
    return fit_encoder(read_table(columns))


def test_numbers_are_standardised_and_missing_cells_are_the_median_and_marked() -> None:
    encoder, notes = fitted({"a": [1.0, 2.0, 3.0, 10.0, None], "b": [0, 0, 0, 0, 5]})
    assert encoder.inputs == ["a", "a (missing)", "b"]
    assert notes == []
    filled = np.array([1, 2, 3, 10, 2.5])  # the median of 1, 2, 3, 10
    X = encoder.encode(read_table({"b": [1, 1], "a": [None, 7], "extra": ["x", "y"]}))
    assert_allclose(X[:, 0], (np.array([2.5, 7]) - filled.mean()) / filled.std())
    assert X[:, 1].tolist() == [1, 0]
    assert_allclose(X[:, 2], [0, 0])  # mean 1, standard deviation 2


def test_a_cell_missing_for_the_first_time_is_the_median() -> None:
    encoder, _ = fitted({"a": [1, 2, 6]})
    assert encoder.inputs == ["a"]
    assert_allclose(encoder.encode(read_table({"a": [None, 2]})), np.full((2, 1), (2 - 3) / np.std([1, 2, 6])))


def test_NaN_is_missing() -> None:
    frame = pd.DataFrame({"a": [1.0, np.nan, 3.0], "s": pd.Series(["x", None, "y"], dtype=object)})
    encoder, _ = fitted(frame)
    assert encoder.inputs == ["a", "a (missing)", "s=x", "s=y", "s (missing)"]
    assert encoder.encode(read_table(frame))[1].tolist() == [0, 1, 0, 0, 1]


def test_text_and_categories_are_one_hot_and_unseen_levels_all_zeros() -> None:
    frame = pd.DataFrame({"s": ["b", "a", "b"], "c": pd.Categorical([3, 1, 3])})
    encoder, _ = fitted(frame)
    assert encoder.inputs == ["s=a", "s=b", "c=1", "c=3"]
    assert encoder.encode(read_table(frame)).tolist() == [[0, 1, 0, 1], [1, 0, 1, 0], [0, 1, 0, 1]]
    other = read_table({"s": ["z", None, " a "], "c": [3, 2, 1]})
    assert encoder.encode(other).tolist() == [[0, 0, 0, 1], [0, 0, 0, 0], [1, 0, 1, 0]]


def test_booleans_are_numbers() -> None:
    encoder, _ = fitted({"a": [True, False, False, None]})
    assert encoder.inputs == ["a", "a (missing)"]
    assert encoder.columns[0].boolean  # type: ignore[union-attr]
    X = encoder.encode(read_table({"a": [True, False]}))
    assert X[0, 0] > 0 > X[1, 0]
    assert_allclose(encoder.encode(read_table({"a": [1, 0]})), X)


def test_over_a_hundred_levels_the_rare_ones_are_pooled() -> None:
    levels = [f"level {k:03}" for k in range(MOST_LEVELS + 20)]
    cells = [level for k, level in enumerate(levels) for _ in range(6 if k < 110 else 2)]
    encoder, _ = fitted({"s": cells})
    assert len(encoder.inputs) == MOST_LEVELS + 1
    assert encoder.inputs[-2:] == ["s=level 099", "s=(other)"]
    X = encoder.encode(read_table({"s": ["level 000", "level 119", "never seen", None]}))
    assert X.sum(axis=1).tolist() == [1, 1, 1, 0]
    assert X[:, -1].tolist() == [0, 1, 1, 0]
    exactly, _ = fitted({"s": levels[:MOST_LEVELS]})
    assert len(exactly.inputs) == MOST_LEVELS
    rare, notes = fitted({"s": [f"{k}x" for k in range(300)], "a": range(300)})
    assert rare.inputs == ["a"]
    assert notes == ["column 's' is ignored: text with 300 levels, each in fewer than 5 rows"]


def test_columns_that_tell_nothing_are_left_out_and_named() -> None:
    encoder, notes = fitted(
        {
            "one": [7, 7, 7],
            "same": ["x", "x", "x"],
            "none": [None, None, None],
            "a": [1, 2, 3],
            "some": ["x", None, "x"],
        }
    )
    assert encoder.inputs == ["a", "some=x", "some (missing)"]
    assert notes == [
        "column 'one' is ignored: every row has the same value",
        "column 'same' is ignored: every row has the same value",
        "column 'none' is ignored: every cell is missing",
    ]
    with pytest.raises(TableError, match="No column is left"):
        fitted({"one": [7, 7]})
    rounding, _ = fitted({"a": [1, 2], "b": [0.1 + 0.2, 0.3]})  # differ by rounding alone
    assert rounding.inputs == ["a"]


def test_text_among_numbers_is_noted() -> None:
    _, notes = fitted({"a": ["1", "2", "n.a.", "4"]})
    assert notes == ["column 'a' is text because of 'n.a.' in row 3; most cells are numbers"]
    assert fitted({"a": ["1", "x", "y", "4"]})[1] == []


@pytest.mark.parametrize(
    ("cells", "what"),
    [
        ([datetime.date(2020, 1, 1)] * 2, "a date or a time"),
        ([datetime.datetime(2020, 1, 1)] * 2, "a date or a time"),
        ([datetime.timedelta(1)] * 2, "a date or a time"),
        ([[1, 2], [3]], "list<item: int64>"),
        ([{"a": 1}, {"a": 2}], "struct<a: int64>"),
        ([b"x", b"y"], "binary"),
    ],
)
def test_dates_and_lists_are_refused_by_name(cells: list[object], what: str) -> None:
    with pytest.raises(TableError, match="Column 'when' is ") as error:
        fitted({"when": cells, "a": [1, 2]})
    assert what in str(error.value)
    assert "--drop 'when'" in str(error.value)


def test_values_that_are_refused() -> None:
    with pytest.raises(TableError, match=r"Column 'a' is inf in row 2; numbers need to be finite"):
        fitted({"a": [1.0, np.inf]})
    with pytest.raises(TableError, match="too large to be standardised"):
        fitted({"a": [1.7e308, 1.6e308]})
    encoder, _ = fitted({"a": [1.0, 2.0], "s": ["x", "y"]})
    with pytest.raises(TableError, match=r"Column 'a' is -inf in row 1"):
        encoder.encode(read_table({"a": [-np.inf], "s": ["x"]}))
    with pytest.raises(TableError, match="Column 'a' held numbers at fit time; here row 2 is 'abc'"):
        encoder.encode(read_table({"a": [None, "abc"], "s": ["x", "y"]}))
    with pytest.raises(TableError, match="The table lacks the column 's'"):
        encoder.encode(read_table({"a": [1]}))
    with pytest.raises(TableError, match="The table lacks columns 'a', 's'"):
        encoder.encode(read_table({"b": [1]}))
    with pytest.raises(TableError, match="Column 's' held text at fit time; here it is list"):
        encoder.encode(read_table({"a": [1], "s": [[1]]}))
    with pytest.raises(TableError, match="Column 'a' holds numbers too large to be standardised"):
        fitted({"a": [0, 1e-10]})[0].encode(read_table({"a": [1e300]}))


def test_large_and_small_numbers_keep_their_scale() -> None:
    encoder, _ = fitted(
        {"huge": [1e200, 2e200, 3e200], "tiny": [1e-200, 2e-200, 3e-200], "integer": [2**53, 2**53 + 2, 0]}
    )
    X = encoder.encode(read_table({"huge": [3e200], "tiny": [3e-200], "integer": [0]}))
    assert_allclose(X[0, :2], np.sqrt(1.5))


def test_json_and_back() -> None:
    encoder, _ = fitted({"a": [1.0, 1 / 3, None], "s": ["x", "é", None], "b": [True, False, True]})
    assert TableEncoder.from_json(encoder.as_json()) == encoder
    good = encoder.as_json()
    for at, change in (
        (0, {"mean": "0"}),
        (0, {"scale": 0.0}),
        (0, {"median": float("inf")}),
        (0, {"indicator": 1}),
        (0, {"name": 3}),
        (0, {"kind": "lambda"}),
        (0, {"more": 1}),
        (1, {"levels": ["x", "x"]}),
        (1, {"levels": [1]}),
        (1, {"pooled": None}),
        (1, {"name": "a"}),
    ):
        parts = [dict(part) for part in good]
        parts[at].update(change)
        with pytest.raises((TypeError, ValueError, KeyError)):
            TableEncoder.from_json(parts)


def test_inputs_have_names_of_their_own() -> None:
    encoder, _ = fitted({"a": ["x", "y"], "a=x": [1, 2], "a=x (2)": [3, 5]})
    assert encoder.inputs == ["a=x", "a=y", "a=x (2)", "a=x (2) (2)"]


def test_levels_as_others_write_them() -> None:
    """A source may write 1 as 1.0 and True as true; what stands there exactly comes first."""
    for fit_cells, cells, places in (
        (["True", "False", "maybe"], [True, False], [1, 0]),
        (["1.0", "2.0", "x"], [1, 2], [0, 1]),
        (["001", "002", "x"], [1, 2], [0, 1]),
        (pd.Series(pd.Categorical([1.0, 2.0, 3.0])), ["1.0", "3.00"], [0, 2]),
        (pd.Series(pd.Categorical([True, False, True])), ["True", "FALSE"], [1, 0]),
        (["1.50", "x", "y"], [1.5, 1.5], [0, 0]),
    ):
        encoder, _ = fitted({"c": fit_cells})
        X = encoder.encode(read_table({"c": cells}))
        assert X.argmax(axis=1).tolist() == places, fit_cells
        assert (X.sum(axis=1) == 1).all()
    both, _ = fitted({"c": ["7", "007", "x"]})  # which of the two is meant cannot be told
    assert both.encode(read_table({"c": ["7", "007", "7.0"]})).tolist() == [[0, 1, 0], [1, 0, 0], [0, 0, 0]]


def test_missing_is_spelt_alike_in_every_source() -> None:
    encoder, _ = fitted({"c": ["a", "NA", "b", "", "None"]})
    assert encoder.inputs == ["c=a", "c=b", "c (missing)"]
    assert encoder.encode(read_table({"c": [None, "?", "a"]})).tolist() == [[0, 0, 1], [0, 0, 1], [1, 0, 0]]


def test_columns_of_which_nothing_was_met_are_named() -> None:
    encoder, _ = fitted({"c": ["a", "b", "a"], "d": ["x", "y", "x"], "n": [1, 2, 3]})
    assert encoder.unmet(read_table({"c": ["z", None], "d": ["q", "x"], "n": [1, 2]})) == ["c"]
    assert encoder.unmet(read_table({"c": [None, None], "d": ["x", "x"], "n": [1, 2]})) == []


def test_rows_are_counted_in_the_whole_table() -> None:
    rows = np.array([0, 5, 6, 7])
    table = read_table({"a": [1.0, 2, 3, 4, 5, 6, 7, np.inf]})
    with pytest.raises(TableError, match="Column 'a' is inf in row 8"):
        fit_encoder(table, rows=rows)
    table = read_table({"a": ["1", "2", "3", "4", "5", "oops", "7", "8"]})
    assert "because of 'oops' in row 6" in fit_encoder(table, rows=rows)[1][0]
    with pytest.raises(TableError, match="Column 'a' is inf in row 4"):  # wherever it stands
        fit_encoder(read_table({"a": [1.0, 2, 3, np.inf, 5, 6, 7, 8]}), rows=rows)


@pytest.mark.parametrize("base", [1e15, 2.0**53, -3e16])
def test_small_differences_between_large_numbers_count(base: float) -> None:
    values = base + np.arange(60) % 10 * 64
    encoder, _ = fitted({"x": values})
    assert_allclose(encoder.encode(read_table({"x": values}))[:, 0], (np.arange(60) % 10 - 4.5) / np.std(range(10)))


def test_categories_of_intervals_and_dates_are_text() -> None:
    frame = pd.DataFrame({"i": pd.cut([1, 2, 3, 4.0], 2), "d": pd.Categorical(pd.to_datetime(["2020", "2021"] * 2))})
    encoder, _ = fitted(frame)
    assert encoder.inputs[:2] == ["i=(0.997, 2.5]", "i=(2.5, 4.0]"]
    assert encoder.encode(read_table(frame))[:, :2].tolist() == [[1, 0], [1, 0], [0, 1], [0, 1]]
    assert encoder.encode(read_table(frame)).sum(axis=1).tolist() == [2, 2, 2, 2]
