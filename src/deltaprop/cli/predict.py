"""``deltaprop predict``: rows in, predictions out."""

from __future__ import annotations

import csv
import io
import sys
from pathlib import Path
from typing import Annotated

import typer

from deltaprop.cli.arguments import ModelFile, TableFile, load_table_model, read_for, refuse_same_file


def predict(
    model: ModelFile,
    table: TableFile,
    out: Annotated[Path | None, typer.Option(help="Write them here; by default to standard output.")] = None,
) -> None:
    """Predict every row of a table: a CSV of the prediction and, for classes, P of each."""
    from deltaprop.data.targets import Labels
    from deltaprop.storage import check_place, replace_file

    if out is not None:
        check_place(out)
        refuse_same_file(out, "--out", table, "the table")
        refuse_same_file(out, "--out", model, "the model")
    fitted = load_table_model(model)
    data = read_for(fitted, table)
    if isinstance(fitted.target, Labels):
        P = fitted.predict_proba(data)
        header = ["prediction", *fitted.target.probability_names]
        columns = [fitted.target.decide(P).tolist(), *P.T.tolist()]
    else:
        header = ["prediction"]
        columns = [fitted.predict(data).tolist()]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(zip(*columns, strict=True))
    data_out = text.getvalue().encode()  # a table is UTF-8, whatever a terminal is
    if out is None:
        sys.stdout.flush()
        sys.stdout.buffer.write(data_out)
    else:
        replace_file(out, data_out)
