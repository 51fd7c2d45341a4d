"""Reading tables: whatever people have becomes the same Arrow table."""

import gzip
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from deltaprop import MissingExtraError, TableError
from deltaprop.data import read_table

COLUMNS = {"height": [1.5, None, 1.75], "eyes": ["blue", "brown", None], "tall": [True, False, True]}
CSV = "height,eyes,tall\n1.5,blue,true\n,brown,false\n1.75,,true\n"


def columns(source: object, **arguments: object) -> dict[str, list[object]]:
    return read_table(source, **arguments).to_pydict()  # type: ignore[arg-type]


def test_every_source_is_the_same_table(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(CSV)
    (tmp_path / "t.tsv").write_text(CSV.replace(",", "\t"))
    (tmp_path / "t.txt").write_text(CSV.replace(",", ";"))
    (tmp_path / "t.csv.gz").write_bytes(gzip.compress(CSV.encode()))
    (tmp_path / "bom.csv").write_bytes(b"\xef\xbb\xbf" + CSV.replace("\n", "\r\n").encode())
    pq.write_table(pa.table(COLUMNS), tmp_path / "t.parquet")
    pq.write_table(pa.table(COLUMNS), tmp_path / "named_as_a_csv.csv")
    sources = [
        tmp_path / name
        for name in ("t.csv", "t.tsv", "t.txt", "t.csv.gz", "bom.csv", "t.parquet", "named_as_a_csv.csv")
    ]
    sources += [str(sources[0]), COLUMNS, pa.table(COLUMNS), pd.DataFrame(COLUMNS), pl.DataFrame(COLUMNS)]
    for source in sources:
        assert columns(source) == COLUMNS, source


def test_an_index_of_pandas_is_no_column(tmp_path: Path) -> None:
    frame = pd.DataFrame({"a": [1, 2]}, index=pd.Index(["u", "v"], name="who"))
    frame.to_parquet(tmp_path / "t.parquet")
    for source in (frame, tmp_path / "t.parquet", frame.rename_axis(None)):
        assert columns(source) == {"a": [1, 2]}


def test_names_and_cells_of_a_csv(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text('\n"a, b", c ,,"say ""hi"""\n1,"two\nlines",3,NA\n2,?,4,null\n')
    table = read_table(path)
    assert table.column_names == ["a, b", "c", "Unnamed: 2", 'say "hi"']
    assert table["c"].to_pylist() == ["two\nlines", None]
    assert table['say "hi"'].to_pylist() == [None, None]


def test_types_come_from_all_rows_not_from_the_first_block(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    rows = 400_000
    path.write_text("a,b\n" + "1,2\n" * rows + "x,3.5\n")
    table = read_table(path)
    assert table.schema.types == [pa.string(), pa.float64()]
    assert table.num_rows == rows + 1


def test_columns_that_must_be_text_are(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("code,n\n007,1\n008,2\n")
    assert columns(path) == {"code": [7, 8], "n": [1, 2]}
    assert columns(path, text=["code", "none"]) == {"code": ["007", "008"], "n": [1, 2]}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "the table is empty: it has no header"),
        (b"\n\n\n", "the table is empty: it has no header"),
        (b"a,b\n", "the table is empty: 2 columns, 0 rows"),
        (b"a,b,a\n1,2,3\n", "more than one column is called 'a'"),
        (b"a,b\n1,2\n3\n", "Expected 2 columns, got 1"),
        (b"a,b\n1,2,3\n", "Expected 2 columns, got 3"),
        ("a,b\n1,é\n".encode("latin-1"), "column 'b' is not UTF-8 text"),
        (b"PK\x03\x04\x00\x00\x00", "neither a CSV nor a Parquet file"),
        (b"x" * 200_000 + b",b\n1,2\n", "field larger than field limit"),
        ("a,b\n1,2\n".encode("utf-16"), "is UTF-16 text; save the file as UTF-8"),
        ("caf\u00e9,b\n1,2\n".encode("latin-1"), "its header is not UTF-8 text"),
        (b"a,b", "the table is empty: 2 columns, 0 rows"),
        (b"PAR1 and then nothing of the kind", "not a table that can be read"),
    ],
)
def test_files_that_are_refused(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(content)
    with pytest.raises(TableError) as error:
        read_table(path)
    assert message in str(error.value)
    assert str(error.value).startswith(str(path))
    assert "\n" not in str(error.value)


def test_sources_that_are_refused(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_table(tmp_path / "none.csv")
    with pytest.raises(IsADirectoryError):
        read_table(tmp_path)
    with pytest.raises(TypeError, match="got int"):
        read_table(3)
    with pytest.raises(TypeError, match="got ndarray"):
        read_table(np.zeros((2, 2)))
    with pytest.raises(TableError, match="the table is empty"):
        read_table({})
    with pytest.raises(TableError, match="length"):
        read_table({"a": [1, 2], "b": [1]})
    with pytest.raises(TableError, match="Could not convert 'a'"):
        read_table(pd.DataFrame({"m": [1, "a", None]}))
    (tmp_path / "broken.csv.gz").write_bytes(gzip.compress(CSV.encode())[:-9])
    with pytest.raises(TableError, match="not a table that can be read"):
        read_table(tmp_path / "broken.csv.gz")


def test_without_pyarrow_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(
        MissingExtraError, match=r"pyarrow is not installed. Install it with: pip install 'deltaprop\[table\]'"
    ):
        read_table({"a": [1]})


def test_polars_frames_with_text() -> None:
    frame = pl.DataFrame(
        {
            "s": ["a", "b", None],
            "c": pl.Series(["u", "v", "u"], dtype=pl.Categorical),
            "e": pl.Series(["u", None, "u"], dtype=pl.Enum(["u", "v"])),
            "n": [1, 2, 3],
        }
    )
    table = read_table(frame)
    assert table.to_pydict() == frame.to_dict(as_series=False)
    assert table.take([2, 0])["s"].to_pylist() == [None, "a"]


def test_other_forms_of_arrow() -> None:
    runs = pa.RunEndEncodedArray.from_arrays([2, 3], [1.0, 2.0])
    views = pa.array(["a", None, "b"], pa.string_view())
    assert columns(pa.table({"r": runs, "v": views})) == {"r": [1, 1, 2], "v": ["a", None, "b"]}


def test_names_that_are_no_text_and_blanks_around_them(tmp_path: Path) -> None:
    assert columns(pd.DataFrame([[1, 2]], columns=[1, "y"])) == {"1": [1], "y": [2]}
    assert columns(pd.DataFrame([[1, 2]], columns=pd.MultiIndex.from_tuples([("a", "b"), ("a", "c")]))) == {
        "('a', 'b')": [1],
        "('a', 'c')": [2],
    }
    pq.write_table(pa.table({" x": [1], "": [2]}), tmp_path / "t.parquet")
    assert columns(tmp_path / "t.parquet") == columns({" x": [1], "": [2]}) == {"x": [1], "Unnamed: 1": [2]}


def test_metadata_that_pandas_did_not_write() -> None:
    for text in (b"[1]", b'{"index_columns": null}', b"no json", b'{"index_columns": [3, "a"]}'):
        table = pa.table({"a": [1], "b": [2]}).replace_schema_metadata({b"pandas": text})
        assert "b" in columns(table)


def test_decimal_commas(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("a;b;c\n1,5;2;x\n-0,25;3;y\n;4;z\n")
    assert columns(path) == {"a": [1.5, -0.25, None], "b": [2, 3, 4], "c": ["x", "y", "z"]}
    path.write_text('a,b\n"1,5",2\n"2,5",3\n')  # separated by commas: text
    assert columns(path)["a"] == ["1,5", "2,5"]
    path.write_text("a;b\n1,5;x\n1.5;y\n")  # neither one nor the other
    assert columns(path)["a"] == ["1,5", "1.5"]


def test_missing_cells_with_blanks_around_them(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("a,b\n1, NA \n2, 7\n3,NA\n")
    assert columns(path) == {"a": [1, 2, 3], "b": [None, 7, None]}


def test_blank_lines_of_a_single_column_are_missing_cells(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    for text in ("x\n1\n\n2\n", "x\n1\n\n2"):
        path.write_text(text)
        assert columns(path) == {"x": [1, None, 2]}
    path.write_text("x,y\n1,2\n\n3,4\n")  # of several they are nothing
    assert columns(path) == {"x": [1, 3], "y": [2, 4]}


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_delimiters(tmp_path: Path, delimiter: str) -> None:
    path = tmp_path / "t.csv"
    path.write_text(f'x{delimiter}"y, unit; or\t|"{delimiter}"a\nb"\n1{delimiter}2{delimiter}3\n')
    assert columns(path) == {"x": [1], "y, unit; or\t|": [2], "a\nb": [3]}
    path.write_text(f"x{delimiter}y, unit\n1{delimiter}2\n") if delimiter != "," else None
    assert next(iter(columns(path).values())) == [1]


def test_very_wide_tables(tmp_path: Path) -> None:
    names = [f"a column with a rather long name, number {k}" for k in range(30_000)]
    path = tmp_path / "t.csv"
    path.write_text("\t".join(names) + "\n" + "\t".join("1" * 30_000) + "\n")
    assert read_table(path).column_names == names
