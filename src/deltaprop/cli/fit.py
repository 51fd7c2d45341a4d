"""``deltaprop fit``: a table in, a model file out."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from deltaprop.cli import options as o
from deltaprop.cli.checks import check_course, check_places, check_training
from deltaprop.cli.output import metrics as print_metrics
from deltaprop.cli.output import printable, say
from deltaprop.cli.runs import command_of, command_to_resume, refuse_unfinished, resumed
from deltaprop.cli.values import budget_in, names_in, often_in, shares_in, units_in, weights_in
from deltaprop.errors import OptionError

if TYPE_CHECKING:
    from deltaprop.training import Record

_ROWS_SHOWN = 5  # of the table, on a page of the training


def fit(
    context: typer.Context,
    table: o.Table = None,
    target: o.Target = None,
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
    eta: o.EtaText = None,
    eta_per: o.EtaPer = "epoch",
    batch_size: o.BatchSize = None,
    decay: o.Decay = None,
    clip_norm: o.ClipNorm = None,
    clip_value: o.ClipValue = None,
    max_norm: o.MaxNorm = None,
    average: o.AverageText = None,
    epochs: o.Epochs = None,
    time_budget: o.TimeBudget = None,
    goal: o.Goal = None,
    patience: o.Patience = None,
    min_gain: o.MinGain = None,
    monitor: o.Monitor = None,
    metrics: o.Metrics = None,
    keep: o.Keep = None,
    out: o.Out = Path("model.deltaprop"),
    plot: o.Plot = None,
    report: o.Report = None,
    checkpoint: o.CheckpointFile = None,
    checkpoint_every: o.CheckpointEvery = None,
    resume: o.Resume = None,
) -> None:
    """Train a network on a table."""
    options = dict(context.params)
    if resume is not None:
        options = resumed(context, resume)
    elif checkpoint is not None:
        refuse_unfinished(checkpoint)
    try:
        _train(options)
    except KeyboardInterrupt:
        if options["checkpoint"] is not None and options["checkpoint"].exists():
            say(f"note: {command_to_resume(options, options['checkpoint'])} goes on with the run")
        raise


def _train(options: Mapping[str, Any]) -> None:
    """Train, write the model and say how good it is."""
    from deltaprop.data import read_table
    from deltaprop.storage import replace_file
    from deltaprop.table_model import TableModel
    from deltaprop.table_model.fitting import learn

    if options["table"] is None:
        raise OptionError("Missing argument 'TABLE': a CSV or Parquet file to train on, or --resume a run.")
    if options["target"] is None:
        raise OptionError("Missing option '--target': the column to predict.")
    check_training(options)
    check_course(options)
    check_places(options, ("out", "plot", "report", "checkpoint"))
    names = ("h", "loss", "init", "l2", "l1", "input_noise", "seed")
    model = TableModel(
        hidden=units_in(options["hidden"]),
        dropout=shares_in(options["dropout"]),
        **{name: options[name] for name in names},
    )
    checkpoint, keep = options["checkpoint"], options["keep"]
    data = read_table(options["table"])
    record = _record(options)
    history = learn(
        model,
        data,
        options["target"],
        task=options["task"],
        drop=options["drop"],
        class_weight=weights_in(options["class_weight"]),
        validation=None if options["no_validation"] else options["validation"] or 0.2,
        batch_size=options["batch_size"],
        optimizer=options["optimizer"],
        eta=options["eta"],
        eta_per=options["eta_per"],
        decay=options["decay"] or 0.0,
        **{name: options[name] for name in ("clip_norm", "clip_value", "max_norm", "average")},
        epochs=options["epochs"],
        time_budget=budget_in(options["time_budget"]),
        goal=options["goal"],
        patience=options["patience"],
        min_gain=options["min_gain"] or 0.0,
        monitor=options["monitor"] or "E",
        metrics=names_in(options["metrics"]),
        keep=None if keep is None else keep.replace("-", " "),
        callbacks=None,
        checkpoint=checkpoint,
        checkpoint_every=often_in(options["checkpoint_every"]),
        resume=options["resume"] is not None,
        record=record,
        shown=_ROWS_SHOWN,
        command=None if checkpoint is None else command_of(options, checkpoint),
        verbose=True,
    )
    out, plot, page = options["out"], options["plot"], options["report"]
    picture = None if plot is None else history.plot().data(plot.suffix)
    model.save(out)
    if plot is not None and picture is not None:
        replace_file(plot, picture)
    if model.evaluation is not None:
        print(f"On the {model.evaluation.rows:,} rows held out:")
        print_metrics(model.evaluation)
    print(f"saved {printable(out)}" + ("" if plot is None else f", drew {printable(plot)}"))
    if page is not None:
        model.report(data, page, record=record if record is not None and record.updates else None)
        print(f"wrote {printable(page)}")
    if history.stopped == "time":
        more = "" if checkpoint is None else f"; {command_to_resume(options, checkpoint)} goes on"
        say(f"note: the time was over in epoch {len(history)}{more}")


def _record(options: Mapping[str, Any]) -> Record | None:
    """Return what remembers the updates for --report; None where there is none."""
    from deltaprop.descent.optimizers import optimizer_in
    from deltaprop.training import Record

    if options["report"] is None or optimizer_in(options["optimizer"], where="--optimizer").full_batch:
        return None
    return Record(every=1)
