"""``deltaprop trace``: one row on its way through the network and back, every number by name."""

from __future__ import annotations

from typing import Annotated

import typer

from deltaprop.cli.arguments import ModelFile, TableFile, check_eta, load_table_model, read_for
from deltaprop.cli.output import printable, say, table
from deltaprop.errors import OptionError


def trace(
    model: ModelFile,
    table_file: TableFile,
    row: Annotated[int, typer.Option(help="Which row; the first below the header is 1.", min=1)] = 1,
    eta: Annotated[float | None, typer.Option(help="Also a step of this learning rate: w, Δw and w + Δw.")] = None,
    every: Annotated[bool, typer.Option("--all", help="Print every ∂E/∂w, however many there are.")] = False,
) -> None:
    """Print every quantity of backpropagation for one row: x, a, z, r, E, h′, δ, ∂E/∂w, ∂E/∂b."""
    from deltaprop.inspection.trace import MOST_ROWS

    check_eta(eta)
    fitted = load_table_model(model)
    data = read_for(fitted, table_file)
    if row > data.num_rows:
        raise OptionError(f"--row {row}: {table_file} has {data.num_rows:,} rows.")
    traced = fitted.trace(data, row - 1, eta=eta)
    print(printable(traced.headline))
    few = every or len(traced.rows(matrices=False)) + traced.trace.in_matrices <= MOST_ROWS
    if not few:
        say(f"note: {traced.trace.in_matrices:,} ∂E/∂w and ∂z/∂a are left out; --all prints them too")
    rows = [
        (r.symbol, r.name, f"{r.value:.10g}", "" if r.own_unit is None else f"{r.own_unit:.10g}")
        for r in traced.rows(matrices=few)
    ]
    table(["symbol", "of", "value", "in its own unit"], rows, numbers=[2, 3])
