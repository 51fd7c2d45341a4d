"""How the commands speak: results on standard output, notes and errors, one line each, on standard error."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from deltaprop.table_model import Evaluation


def printable(text: object) -> str:
    """Return text on one line and without control characters, which a stranger's table may hold."""
    return "".join(c if c.isprintable() else " " if c.isspace() else "\N{REPLACEMENT CHARACTER}" for c in str(text))


def say(line: str) -> None:
    """Print a note or an error."""
    print(printable(line), file=sys.stderr, flush=True)


def facts(pairs: Iterable[tuple[str, object]]) -> None:
    """Print names and what belongs to them, a line each."""
    lines = [(name, printable(value)) for name, value in pairs]
    width = max(len(name) for name, _ in lines)
    for name, value in lines:
        print(f"{name:<{width}}  {value}")


def table(header: Sequence[str], rows: Iterable[Sequence[str]], *, numbers: Iterable[int] = ()) -> None:
    """Print a table; the columns in ``numbers`` stand to the right."""
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    right = set(numbers)
    result = Table(box=SIMPLE_HEAD, header_style="bold", pad_edge=False, show_edge=False)
    for k, name in enumerate(header):
        result.add_column(Text(name), justify="right" if k in right else "left", no_wrap=k in right)
    for row in rows:
        result.add_row(*(Text(printable(cell)) for cell in row))
    console = Console(file=sys.stdout, highlight=False)
    if not console.is_terminal:
        console = Console(file=sys.stdout, highlight=False, width=10_000)  # a file has no right edge
    console.print(result)


def metrics(evaluation: Evaluation) -> None:
    """Print metrics beside those of the trivial baseline."""
    rows = [(m.name, f"{m.value:.4g}", f"{m.baseline:.4g}") for m in evaluation.metrics]
    table(["", "model", "baseline"], rows, numbers=[1, 2])
    if evaluation.unknown:
        say(f"note: {evaluation.unknown:,} rows have a label that was not met in training: wrong in the accuracies")
