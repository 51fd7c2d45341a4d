"""``deltaprop evaluate``: how good a model is on a table that has the answers."""

from __future__ import annotations

from deltaprop.cli.arguments import ModelFile, TableFile, load_table_model, read_for
from deltaprop.cli.output import metrics, printable


def evaluate(model: ModelFile, table: TableFile) -> None:
    """Judge a model on a table, beside the trivial baseline: the most frequent class, or the mean."""
    fitted = load_table_model(model)
    evaluation = fitted.evaluate(read_for(fitted, table))
    print(f"{printable(fitted.target.name)} in {evaluation.rows:,} rows of {printable(table)}:")
    metrics(evaluation)
