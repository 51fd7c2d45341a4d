"""``deltaprop fit``: a table in, a model file out."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any

import typer

from deltaprop.cli.arguments import refuse_same_file
from deltaprop.cli.fit_options import check_options, label_weights, seconds, shares, units
from deltaprop.cli.output import metrics, printable
from deltaprop.errors import OptionError

_NETWORK, _STEP, _ROUND, _END, _RUN = "The network", "A step", "Around a step", "What ends it", "A run on disk"


def fit(
    table: Annotated[Path | None, typer.Argument(metavar="[TABLE]", help="A CSV or Parquet file.")] = None,
    target: Annotated[str | None, typer.Option(help="The column to predict.")] = None,
    out: Annotated[Path, typer.Option(help="Where the model file goes.")] = Path("model.deltaprop"),
    task: Annotated[
        str | None,
        typer.Option(
            metavar="TASK",
            help="classification or regression. By default text, Booleans, categories and two distinct values are "
            "classification.",
        ),
    ] = None,
    drop: Annotated[
        list[str] | None, typer.Option(metavar="COLUMN", help="A column to leave out; may be repeated.")
    ] = None,
    class_weight: Annotated[
        str | None,
        typer.Option(metavar="WEIGHTS", help="balanced, or how much each label counts: yes=5,no=1."),
    ] = None,
    validation: Annotated[
        float | None,
        typer.Option(help="Share of the rows to hold out, by default 0.2; the best epoch on them is kept."),
    ] = None,
    no_validation: Annotated[bool, typer.Option("--no-validation", help="Train on all rows.")] = False,
    seed: Annotated[int, typer.Option(min=0, max=2**64 - 1, help="Same seed, same model.")] = 0,
    plot: Annotated[Path | None, typer.Option(help="Draw the loss curves into this file (png, svg or pdf).")] = None,
    hidden: Annotated[
        str, typer.Option(help="Units of the hidden layers; 0 for none.", rich_help_panel=_NETWORK)
    ] = "32,16",
    h: Annotated[str, typer.Option("--h", help="Activation of the hidden layers.", rich_help_panel=_NETWORK)] = "tanh",
    loss: Annotated[
        str | None,
        typer.Option(
            help="The loss, where it should be another than the usual: huber:delta=1, … (`deltaprop list losses`).",
            rich_help_panel=_NETWORK,
        ),
    ] = None,
    init: Annotated[
        str | None,
        typer.Option(help="How the first weights are drawn; by default as h needs.", rich_help_panel=_NETWORK),
    ] = None,
    l2: Annotated[float, typer.Option(help="Penalty l2/2 Σ w² in E.", rich_help_panel=_NETWORK)] = 0.0,
    l1: Annotated[float, typer.Option(help="Penalty l1 Σ |w| in E.", rich_help_panel=_NETWORK)] = 0.0,
    dropout: Annotated[
        str,
        typer.Option(
            metavar="SHARES",
            help="Share of the hidden units that training drops; or of the inputs and of each hidden layer: .2,.5,.5",
            rich_help_panel=_NETWORK,
        ),
    ] = "0",
    input_noise: Annotated[
        float, typer.Option(help="Standard deviation of noise on inputs in training.", rich_help_panel=_NETWORK)
    ] = 0.0,
    epochs: Annotated[
        int | None,
        typer.Option(
            min=0,
            help="At most so many; by default about 40,000 steps, but 20 to 300 epochs.",
            rich_help_panel=_STEP,
        ),
    ] = None,
    batch_size: Annotated[
        int, typer.Option(min=1, help="Rows per step; 1 is the lecture's.", rich_help_panel=_STEP)
    ] = 32,
    optimizer: Annotated[
        str,
        typer.Option(
            help="The rule of a step: adam, adam:beta1=0.8, lbfgs, … (`deltaprop list optimizers`).",
            rich_help_panel=_STEP,
        ),
    ] = "sgd",
    eta: Annotated[
        str | None,
        typer.Option(
            metavar="ETA",
            help="Learning rate: a number, a formula of the epoch n, or a schedule such as cosine:0.1,warmup=5 "
            "(`deltaprop list schedules`); by default 0.1, or less where training diverges.",
            rich_help_panel=_STEP,
        ),
    ] = None,
    eta_per: Annotated[
        str, typer.Option(metavar="epoch|step", help="How often a schedule changes eta.", rich_help_panel=_STEP)
    ] = "epoch",
    decay: Annotated[
        str | None, typer.Option(metavar="DECAY", help="Decoupled weight decay, given as eta.", rich_help_panel=_ROUND)
    ] = None,
    clip_norm: Annotated[
        float | None, typer.Option(help="The most that a gradient's norm may be.", rich_help_panel=_ROUND)
    ] = None,
    clip_value: Annotated[float | None, typer.Option(help="And each of its numbers.", rich_help_panel=_ROUND)] = None,
    max_norm: Annotated[
        float | None,
        typer.Option(help="The most that the norm of the weights into a unit may be.", rich_help_panel=_ROUND),
    ] = None,
    average: Annotated[
        str | None,
        typer.Option(
            help="End with an average of the parameters: ema:0.999, last:5 (`deltaprop list averages`).",
            rich_help_panel=_ROUND,
        ),
    ] = None,
    patience: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Epochs in a row without a better one; by default 30 where rows are held out.",
            rich_help_panel=_END,
        ),
    ] = None,
    min_gain: Annotated[float, typer.Option(help="By how much it has to be better.", rich_help_panel=_END)] = 0.0,
    monitor: Annotated[
        str, typer.Option(help="What is watched: E, or a metric (`deltaprop list metrics`).", rich_help_panel=_END)
    ] = "E",
    keep: Annotated[
        str | None,
        typer.Option(metavar="last|best", help="Which epoch's parameters the model has.", rich_help_panel=_END),
    ] = None,
    goal: Annotated[float | None, typer.Option(help="Stop where it is as good.", rich_help_panel=_END)] = None,
    time_budget: Annotated[
        str | None, typer.Option(metavar="TIME", help="Stop after so long: 90, 90s, 5m, 2h.", rich_help_panel=_END)
    ] = None,
    checkpoint: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the run into this file as it goes.", rich_help_panel=_RUN)
    ] = None,
    checkpoint_every: Annotated[
        str | None,
        typer.Option(
            metavar="N|TIME", help="Every so many epochs, or a time as 30s; by default a minute.", rich_help_panel=_RUN
        ),
    ] = None,
    resume: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Go on with the run in this file; TABLE, --target and all else are in it.",
            rich_help_panel=_RUN,
        ),
    ] = None,
) -> None:
    """Train a network on a table."""
    given = {name: value for name, value in locals().items() if name not in ("resume", "checkpoint")}
    if resume is not None:
        if checkpoint is not None:
            raise OptionError("--resume names the run's file itself: leave --checkpoint out.")
        if table is None:
            given = _of_run(resume)
    if given["table"] is None or given["target"] is None:
        raise OptionError("fit needs a TABLE and --target COLUMN, or --resume FILE. See: deltaprop fit --help")
    if given["checkpoint_every"] is not None and checkpoint is None and resume is None:
        raise OptionError("--checkpoint-every needs a --checkpoint, the file of the run.")
    _fit(given, checkpoint if resume is None else resume, resume is not None)


def _of_run(file: Path) -> dict[str, Any]:
    """Return the options of the command whose run is in a file."""
    from deltaprop.training.checkpoint import called_with

    if not file.exists():
        raise OptionError(f"--resume {file}: there is no such file.")
    options = called_with(file)["about"].get("command")
    if not isinstance(options, dict):
        raise OptionError(f"--resume {file}: the run was not begun by `deltaprop fit`; give its TABLE and --target.")
    return {
        name: Path(value) if name in ("table", "out", "plot") and value else value for name, value in options.items()
    }


def _fit(given: dict[str, Any], checkpoint: Path | None, resume: bool) -> None:
    from deltaprop.inspection.curves import draw_losses
    from deltaprop.storage import replace_file
    from deltaprop.table_model import TableModel

    check_options(given)
    table, out, plot = given["table"], given["out"], given["plot"]
    _check_places(table, out, plot, checkpoint)
    about = {name: os.path.abspath(value) if isinstance(value, Path) else value for name, value in given.items()}
    dropped = shares(given["dropout"])
    model = TableModel(
        hidden=units(given["hidden"]),
        h=given["h"],
        loss=given["loss"],
        init=given["init"],
        seed=given["seed"],
        l2=given["l2"],
        l1=given["l1"],
        dropout=dropped[0] if len(dropped) == 1 else dropped,
        input_noise=given["input_noise"],
    )
    every = given["checkpoint_every"]
    control = {name: given[name] for name in ("patience", "keep", "decay") if given[name] is not None}
    history = model.fit(
        table,
        given["target"],
        task=given["task"],
        drop=given["drop"] or (),
        epochs=given["epochs"],
        eta=given["eta"],
        batch_size=given["batch_size"],
        optimizer=given["optimizer"],
        class_weight=label_weights(given["class_weight"]),
        validation=None if given["no_validation"] else 0.2 if given["validation"] is None else given["validation"],
        verbose=True,
        about={"command": about},
        eta_per=given["eta_per"],
        clip_norm=given["clip_norm"],
        clip_value=given["clip_value"],
        max_norm=given["max_norm"],
        average=given["average"],
        min_gain=given["min_gain"],
        monitor=given["monitor"],
        goal=given["goal"],
        time_budget=seconds(given["time_budget"]),
        checkpoint=checkpoint,
        checkpoint_every=int(every) if every is not None and every.isdecimal() else every,
        resume=resume,
        **control,
    )
    picture = None if plot is None else draw_losses(history, plot.suffix)
    model.save(out)
    if plot is not None and picture is not None:
        replace_file(plot, picture)
    if model.evaluation is not None:
        print(f"On the {model.evaluation.rows:,} rows held out:")
        metrics(model.evaluation)
    print(f"saved {printable(out)}" + ("" if plot is None else f", drew {printable(plot)}"))


def _check_places(table: Path, out: Path, plot: Path | None, checkpoint: Path | None) -> None:
    """Refuse, before any work is done, where the results could not be written."""
    from deltaprop.errors import optional
    from deltaprop.inspection.curves import PICTURES
    from deltaprop.storage import check_place

    check_place(out)
    refuse_same_file(out, "--out", table, "the table")
    if checkpoint is not None:
        check_place(checkpoint)
        refuse_same_file(checkpoint, "--checkpoint", table, "the table")
        refuse_same_file(checkpoint, "--checkpoint", out, "--out")
    if plot is None:
        return
    check_place(plot)
    refuse_same_file(plot, "--plot", table, "the table")
    refuse_same_file(plot, "--plot", out, "--out")
    if plot.suffix.lower() not in PICTURES:
        raise OptionError(f"--plot {plot}: a picture's name needs to end in {', '.join(PICTURES)}.")
    optional("matplotlib", "plot")
