"""``deltaprop predict``: rows in, predictions out."""

from __future__ import annotations

import csv
import io
import sys
from pathlib import Path
from typing import Annotated

import typer

from deltaprop.cli.arguments import ModelFile, TableFile, load_table_model, read_for


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
    fitted = load_table_model(model)
    data = read_for(fitted, table)
    columns = [fitted.predict(data).tolist()]
    header = ["prediction"]
    if isinstance(fitted.target, Labels):
        columns += fitted.predict_proba(data).T.tolist()
        header += fitted.target.probability_names
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(zip(*columns, strict=True))
    if out is None:
        sys.stdout.write(text.getvalue())
    else:
        replace_file(out, text.getvalue().encode())
