"""``deltaprop trace``: one row on its way through the network and back, every number by name."""

from __future__ import annotations

from typing import Annotated

import typer

from deltaprop.cli.arguments import ModelFile, TableFile, load_table_model, read_for
from deltaprop.cli.output import printable, say, table


def trace(
    model: ModelFile,
    table_file: TableFile,
    row: Annotated[int, typer.Option(help="Which row; the first below the header is 1.", min=1)] = 1,
    every: Annotated[bool, typer.Option("--all", help="Print every ∂E/∂w, however many there are.")] = False,
) -> None:
    """Print every quantity of backpropagation for one row: x, a, z, r, E, h′, δ, ∂E/∂w, ∂E/∂b."""
    from deltaprop.inspection.trace import MOST_ROWS

    fitted = load_table_model(model)
    data = read_for(fitted, table_file)
    if row > data.num_rows:
        raise ValueError(f"--row {row}: {table_file} has {data.num_rows:,} rows.")
    traced = fitted.trace(data, row - 1)
    print(f"row {row}: predicted {printable(traced.prediction)}, target {printable(traced.target)}")
    numbers = traced.rows()
    gradients = sum(number.symbol == "∂E/∂w" for number in numbers)
    if len(numbers) > MOST_ROWS and not every:
        say(f"note: {gradients:,} ∂E/∂w are left out; --all prints them too")
        numbers = [number for number in numbers if number.symbol != "∂E/∂w"]
    rows = [(r.symbol, r.name, f"{r.value:.10g}", "" if r.own_unit is None else f"{r.own_unit:.10g}") for r in numbers]
    table(["symbol", "of", "value", "in its own unit"], rows, numbers=[2, 3])
