"""How the commands speak: results on standard output, notes and errors, one line each, on standard error."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Collection, Iterable, Sequence
from itertools import zip_longest
from typing import TYPE_CHECKING

from deltaprop.terminal import printable, say

if TYPE_CHECKING:
    from deltaprop.table_model import Evaluation

__all__ = ["facts", "metrics", "printable", "say", "table"]

_NARROWEST = 10  # characters of a column


def facts(pairs: Iterable[tuple[str, object]]) -> None:
    """Print names and what belongs to them, a line each."""
    lines = [(name, printable(value)) for name, value in pairs]
    width = max(len(name) for name, _ in lines)
    for name, value in lines:
        print(f"{name:<{width}}  {value}")


def table(header: Sequence[str], rows: Iterable[Sequence[str]], *, numbers: Collection[int] = ()) -> None:
    """Print a table; the columns in ``numbers`` stand to the right. On a terminal wide cells go on in lines below."""
    from rich.cells import cell_len  # wide and combining characters
    from rich.console import Console
    from rich.text import Text

    lines = [list(header), *([printable(cell) for cell in row] for row in rows)]
    widths = [max(map(cell_len, column)) for column in zip(*lines, strict=True)]
    if sys.stdout.isatty():
        room = max(shutil.get_terminal_size().columns - 2 * (len(widths) - 1), _NARROWEST * len(widths))
        while sum(widths) > room:
            widths[widths.index(max(widths))] -= 1
    console = Console()
    for place, line in enumerate(lines):
        wrapped = [
            [part.plain.rstrip() for part in Text(cell).wrap(console, width)] or [""]
            for cell, width in zip(line, widths, strict=True)
        ]
        for cells in zip_longest(*wrapped, fillvalue=""):
            blanks = [" " * (width - cell_len(cell)) for cell, width in zip(cells, widths, strict=True)]
            placed = [b + c if k in numbers else c + b for k, (c, b) in enumerate(zip(cells, blanks, strict=True))]
            print("  ".join(placed).rstrip())
        if place == 0:
            print("  ".join("─" * width for width in widths))


def metrics(evaluation: Evaluation) -> None:
    """Print metrics beside those of the trivial baseline."""
    rows = [(m.name, f"{m.value:.4g}", f"{m.baseline:.4g}") for m in evaluation.metrics]
    table(["", "model", "baseline"], rows, numbers=[1, 2])
    if evaluation.unknown:
        say(f"note: {evaluation.unknown:,} rows have a label that was not met in training: wrong in the accuracies")
