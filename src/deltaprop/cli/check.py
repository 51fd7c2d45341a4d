"""``deltaprop check``: whether the gradient is right, for this model on these rows."""

from __future__ import annotations

import typer

from deltaprop.cli.arguments import ModelFile, TableFile, load_table_model, read_for


def check(model: ModelFile, table: TableFile) -> None:
    """Compare backpropagation with central differences on a table's first 100 rows; exit 1 where they disagree."""
    fitted = load_table_model(model)
    report = fitted.check_gradient(read_for(fitted, table))
    print(report)
    if not report.ok:
        raise typer.Exit(1)
