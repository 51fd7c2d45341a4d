"""``deltaprop find-eta``: which learning rate to train with, by the range test."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from deltaprop.cli import options as o
from deltaprop.cli.arguments import TableFile
from deltaprop.cli.checks import check_places, check_training
from deltaprop.cli.output import printable
from deltaprop.cli.values import shares_in, units_in, weights_in
from deltaprop.errors import OptionError

_PANEL = "The test"


def find_eta(
    context: typer.Context,
    table: TableFile,
    target: Annotated[str, o.option("The table", "The column to predict.", metavar="COLUMN")],
    task: o.Task = None,
    drop: o.Drop = None,
    class_weight: o.ClassWeight = None,
    validation: o.Validation = None,
    no_validation: o.NoValidation = False,
    seed: o.Seed = 0,
    hidden: o.Hidden = "32,16",
    h: o.H = "tanh",
    loss: o.Loss = None,
    init: o.Init = None,
    l2: o.L2 = 0.0,
    l1: o.L1 = 0.0,
    dropout: o.Dropout = "0",
    input_noise: o.InputNoise = 0.0,
    optimizer: o.OptimizerName = "sgd",
    batch_size: o.BatchSize = None,
    low: Annotated[float, o.option(_PANEL, "The first learning rate.", metavar="X")] = 1e-6,
    high: Annotated[float, o.option(_PANEL, "The last, where E does not rise before.", metavar="X")] = 10.0,
    plot: Annotated[
        Path | None, o.option(_PANEL, "Draw the curve into this file (png, svg or pdf).", metavar="FILE")
    ] = None,
) -> None:
    """Look for the learning rate to fit with: steps whose eta rises until E does; exit 1 where none can be told."""
    from deltaprop.descent.optimizers import optimizer_in
    from deltaprop.table_model import TableModel
    from deltaprop.table_model.fitting import BATCH_SIZE

    options = context.params
    check_training(options)
    if optimizer_in(optimizer, where="--optimizer").full_batch:
        raise OptionError(f"--optimizer {optimizer} takes all rows at once, and has no eta to look for.")
    if not 0 < low < high < float("inf"):
        raise OptionError(f"--low needs to be above 0 and below --high; got {low:g} and {high:g}.")
    check_places(options, ("plot",))
    model = TableModel(
        hidden=units_in(hidden),
        h=h,
        loss=loss,
        init=init,
        l2=l2,
        l1=l1,
        dropout=shares_in(dropout),
        input_noise=input_noise,
        seed=seed,
    )
    found = model.find_eta(
        table,
        target,
        task=task,
        drop=drop,
        batch_size=batch_size or BATCH_SIZE,
        optimizer=optimizer,
        class_weight=weights_in(class_weight),
        validation=None if no_validation else validation or 0.2,
        low=low,
        high=high,
    )
    if plot is not None:
        found.draw().save(plot)
    print(printable(found))
    if plot is not None:
        print(f"drew {printable(plot)}")
    if found.suggestion is None:
        raise typer.Exit(1)
