"""How the commands speak: results on standard output, notes and errors, one line each, on standard error."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import TYPE_CHECKING

from deltaprop.terminal import printable, say

if TYPE_CHECKING:
    from deltaprop.table_model import Evaluation

__all__ = ["facts", "metrics", "printable", "say", "table"]


def facts(pairs: Iterable[tuple[str, object]]) -> None:
    """Print names and what belongs to them, a line each."""
    lines = [(name, printable(value)) for name, value in pairs]
    width = max(len(name) for name, _ in lines)
    for name, value in lines:
        print(f"{name:<{width}}  {value}")


def table(header: Sequence[str], rows: Iterable[Sequence[str]], *, numbers: Collection[int] = ()) -> None:
    """Print a table; the columns in ``numbers`` stand to the right."""
    from rich.cells import cell_len  # wide and combining characters

    lines = [list(header), *([printable(cell) for cell in row] for row in rows)]
    widths = [max(map(cell_len, column)) for column in zip(*lines, strict=True)]
    lines.insert(1, ["─" * width for width in widths])
    for line in lines:
        blanks = [" " * (width - cell_len(cell)) for cell, width in zip(line, widths, strict=True)]
        cells = [b + c if k in numbers else c + b for k, (c, b) in enumerate(zip(line, blanks, strict=True))]
        print("  ".join(cells).rstrip())


def metrics(evaluation: Evaluation) -> None:
    """Print metrics beside those of the trivial baseline."""
    rows = [(m.name, f"{m.value:.4g}", f"{m.baseline:.4g}") for m in evaluation.metrics]
    table(["", "model", "baseline"], rows, numbers=[1, 2])
    if evaluation.unknown:
        say(f"note: {evaluation.unknown:,} rows have a label that was not met in training: wrong in the accuracies")
