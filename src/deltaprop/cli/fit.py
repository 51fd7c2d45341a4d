"""``deltaprop fit``: a table in, a model file out."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from deltaprop.cli.arguments import TableFile, refuse_same_file
from deltaprop.cli.output import metrics, printable
from deltaprop.errors import OptionError

_MOST_UNITS = 1_000_000  # of a hidden layer


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
    loss: Annotated[
        str | None,
        typer.Option(
            help="The loss, where it should be another than the usual: huber:delta=1, … (`deltaprop list losses`)."
        ),
    ] = None,
    init: Annotated[str | None, typer.Option(help="How the first weights are drawn; by default as h needs.")] = None,
    class_weight: Annotated[
        str | None,
        typer.Option(metavar="WEIGHTS", help="balanced, or how much each label counts: yes=5,no=1."),
    ] = None,
    epochs: Annotated[
        int | None, typer.Option(min=0, help="At most so many; by default about 40,000 steps, but 20 to 300 epochs.")
    ] = None,
    eta: Annotated[
        str | None,
        typer.Option(
            metavar="ETA",
            help="Learning rate: a number, a formula of the epoch n, or a schedule such as cosine:0.1,warmup=5 "
            "(`deltaprop list schedules`); by default 0.1, or less where training diverges.",
        ),
    ] = None,
    optimizer: Annotated[
        str, typer.Option(help="The rule of a step: adam, adam:beta1=0.8, … (`deltaprop list optimizers`).")
    ] = "sgd",
    batch_size: Annotated[int, typer.Option(min=1, help="Rows per step; 1 is the lecture's.")] = 32,
    drop: Annotated[
        list[str] | None, typer.Option(metavar="COLUMN", help="A column to leave out; may be repeated.")
    ] = None,
    validation: Annotated[
        float | None,
        typer.Option(help="Share of the rows to hold out; the best epoch on them is kept.  [default: 0.2]"),
    ] = None,
    no_validation: Annotated[bool, typer.Option("--no-validation", help="Train on all rows.")] = False,
    seed: Annotated[int, typer.Option(min=0, max=2**64 - 1, help="Same seed, same model.")] = 0,
    plot: Annotated[Path | None, typer.Option(help="Draw the loss curves into this file (png, svg or pdf).")] = None,
) -> None:
    """Train a network on a table."""
    from deltaprop.inspection.curves import draw_losses
    from deltaprop.storage import replace_file
    from deltaprop.table_model import TableModel

    _check(task, h, loss, init, eta, optimizer, validation, no_validation)
    _check_places(table, out, plot)
    weights = _weights(class_weight)
    model = TableModel(hidden=_units(hidden), h=h, loss=loss, init=init, seed=seed)
    history = model.fit(
        table,
        target,
        task=task,
        drop=drop or (),
        epochs=epochs,
        eta=eta,
        batch_size=batch_size,
        optimizer=optimizer,
        class_weight=weights,
        validation=None if no_validation else 0.2 if validation is None else validation,
        verbose=True,
    )
    picture = None if plot is None else draw_losses(history, plot.suffix)
    model.save(out)
    if plot is not None and picture is not None:
        replace_file(plot, picture)
    if model.evaluation is not None:
        print(f"On the {model.evaluation.rows:,} rows held out:")
        metrics(model.evaluation)
    print(f"saved {printable(out)}" + ("" if plot is None else f", drew {printable(plot)}"))


def _check(
    task: str | None,
    h: str,
    loss: str | None,
    init: str | None,
    eta: str | None,
    optimizer: str,
    validation: float | None,
    no_validation: bool,
) -> None:
    """Refuse what would be refused later in other words."""
    from deltaprop.data.targets import TASKS
    from deltaprop.descent.initializers import initializer
    from deltaprop.descent.optimizers import optimizer_in
    from deltaprop.descent.schedules import rates
    from deltaprop.functions import activation
    from deltaprop.functions import loss as loss_of

    if task not in (None, *TASKS):
        raise OptionError(f"--task needs to be {' or '.join(TASKS)}; got {task!r}.")
    try:
        chosen = activation(h, where="--h")
        if loss is not None:
            loss_of(loss, where="--loss")
        if init is not None:
            initializer(init, where="--init")
        optimizer_in(optimizer, where="--optimizer")
        if eta is not None:
            rates(eta, 1, 1, where="fit", name="--eta")(1)
    except ValueError as error:
        raise OptionError(str(error)) from None
    if chosen.output_only:
        raise OptionError(f"--h {h!r} is for the output layer only.")
    if validation is not None and not 0 < validation < 1:
        raise OptionError(f"--validation needs to be a share between 0 and 1; got {validation:g}.")
    if validation is not None and no_validation:
        raise OptionError("--validation and --no-validation contradict each other.")


def _check_places(table: Path, out: Path, plot: Path | None) -> None:
    """Refuse, before any work is done, where the results could not be written."""
    from deltaprop.errors import optional
    from deltaprop.inspection.curves import PICTURES
    from deltaprop.storage import check_place

    check_place(out)
    refuse_same_file(out, "--out", table, "the table")
    if plot is None:
        return
    check_place(plot)
    refuse_same_file(plot, "--plot", table, "the table")
    refuse_same_file(plot, "--plot", out, "--out")
    if plot.suffix.lower() not in PICTURES:
        raise OptionError(f"--plot {plot}: a picture's name needs to end in {', '.join(PICTURES)}.")
    optional("matplotlib", "plot")


def _weights(class_weight: str | None) -> Any:
    """Return what a text such as ``balanced`` or ``yes=5,no=1`` stands for."""
    if class_weight in (None, "balanced"):
        return class_weight
    weights: dict[str, float] = {}
    begun = ""  # of a label that has a comma in it
    for part in class_weight.split(","):
        begun, equals, number = (begun + part).rpartition("=")
        if not equals:
            begun = f"{number},"
            continue
        label, begun = begun.strip(), ""
        if label in weights:
            raise OptionError(f"--class-weight has {label!r} twice.")
        try:
            weights[label] = float(number)
        except ValueError:
            weights[label] = -1.0
        if not 0 <= weights[label] < float("inf"):
            raise _not_weights(part)
    if begun or not weights:
        raise _not_weights(begun[:-1])
    if not any(weights.values()):
        raise OptionError("--class-weight gives every label a weight of 0: there is nothing to learn.")
    return weights


def _not_weights(part: str) -> OptionError:
    return OptionError(
        f"--class-weight needs balanced, or label=weight with commas between, weights of at least 0; got {part!r}."
    )


def _units(hidden: str) -> tuple[int, ...]:
    """Return the units in a text such as ``32,16``; ``0`` is no hidden layer."""
    if hidden.strip() == "0":
        return ()
    try:
        units = tuple(int(part) for part in hidden.split(","))
    except ValueError:
        units = (0,)
    if not all(1 <= unit < _MOST_UNITS for unit in units):
        raise OptionError(f"--hidden needs whole numbers of at least 1 such as 32,16, or 0; got {hidden!r}.")
    return units
