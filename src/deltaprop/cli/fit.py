"""``deltaprop fit``: a table in, a model file out."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from deltaprop.cli.arguments import TableFile
from deltaprop.cli.output import metrics, printable


def fit(
    table: TableFile,
    target: Annotated[str, typer.Option(help="The column to predict.")],
    out: Annotated[Path, typer.Option(help="Where the model file goes.")] = Path("model.deltaprop"),
    task: Annotated[
        str | None,
        typer.Option(
            metavar="TASK",
            help="classification or regression. By default text, Booleans, categories and two distinct values are "
            "classification.",
        ),
    ] = None,
    hidden: Annotated[str, typer.Option(help="Units of the hidden layers; 0 for none.")] = "32,16",
    h: Annotated[str, typer.Option("--h", help="Activation of the hidden layers.")] = "tanh",
    epochs: Annotated[
        int | None, typer.Option(help="At most so many; by default about 40,000 steps, but 20 to 300 epochs.")
    ] = None,
    eta: Annotated[
        float | None, typer.Option(help="Learning rate; by default 0.1, or less where training diverges.")
    ] = None,
    batch_size: Annotated[int, typer.Option(help="Rows per step; 1 is the lecture's.")] = 32,
    drop: Annotated[
        list[str] | None, typer.Option(metavar="COLUMN", help="A column to leave out; may be repeated.")
    ] = None,
    validation: Annotated[
        float, typer.Option(help="Share of the rows to hold out; the best epoch on them is kept.")
    ] = 0.2,
    no_validation: Annotated[bool, typer.Option("--no-validation", help="Train on all rows.")] = False,
    seed: Annotated[int, typer.Option(help="Same seed, same model.")] = 0,
    plot: Annotated[Path | None, typer.Option(help="Draw the loss curves into this file (png, svg or pdf).")] = None,
) -> None:
    """Train a network on a table."""
    from deltaprop.inspection.curves import check_picture, draw_losses
    from deltaprop.storage import check_place
    from deltaprop.table_model import TableModel

    # What can be known to fail after training fails before it.
    for path in (out, *([plot] if plot else [])):
        check_place(path)
    if plot is not None:
        check_picture(plot)

    model = TableModel(hidden=_units(hidden), h=h, seed=seed)
    history = model.fit(
        table,
        target,
        task=task,
        drop=drop or (),
        epochs=epochs,
        eta=eta,
        batch_size=batch_size,
        validation=None if no_validation else validation,
        verbose=True,
    )
    model.save(out)
    if plot is not None:
        draw_losses(history, plot)
    if model.evaluation is not None:
        print(f"On the {model.evaluation.rows:,} rows held out:")
        metrics(model.evaluation)
    print(f"saved {printable(out)}" + ("" if plot is None else f", drew {printable(plot)}"))


def _units(hidden: str) -> tuple[int, ...]:
    """Return the units in a text such as ``32,16``; ``0`` is no hidden layer."""
    if hidden.strip() in ("", "0"):
        return ()
    try:
        return tuple(int(units) for units in hidden.split(","))
    except ValueError:
        raise ValueError(f"--hidden needs whole numbers such as 32,16; got {hidden!r}.") from None
