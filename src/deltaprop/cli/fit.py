"""``deltaprop fit``: a table in, a model file out."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import typer

from deltaprop.cli import options as o
from deltaprop.cli.arguments import refuse_same_file
from deltaprop.cli.output import metrics as print_metrics
from deltaprop.cli.output import printable, say
from deltaprop.cli.runs import command_of, refuse_unfinished, resumed
from deltaprop.cli.values import budget_in, names_in, often_in, units_in, weights_in
from deltaprop.errors import OptionError


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
    optimizer: o.OptimizerName = "sgd",
    eta: o.EtaText = None,
    eta_per: o.EtaPer = "epoch",
    batch_size: o.BatchSize = 32,
    decay: o.Decay = None,
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
            say(f"note: deltaprop fit --resume {options['checkpoint']} goes on with the run")
        raise


def _train(options: Mapping[str, Any]) -> None:
    """Train, write the model and say how good it is."""
    from deltaprop.inspection.curves import draw_losses
    from deltaprop.storage import replace_file
    from deltaprop.table_model import TableModel
    from deltaprop.table_model.fitting import learn

    _check(options)
    _check_places(options)
    names = ("h", "loss", "init", "l2", "l1", "seed")
    model = TableModel(hidden=units_in(options["hidden"]), **{name: options[name] for name in names})
    checkpoint, keep = options["checkpoint"], options["keep"]
    history = learn(
        model,
        options["table"],
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
        command=None if checkpoint is None else command_of(options, checkpoint),
        verbose=True,
    )
    out, plot = options["out"], options["plot"]
    picture = None if plot is None else draw_losses(history, plot.suffix)
    model.save(out)
    if plot is not None and picture is not None:
        replace_file(plot, picture)
    if history.stopped == "time":
        more = "" if checkpoint is None else f"; deltaprop fit --resume {checkpoint} goes on"
        say(f"note: the time was over in epoch {len(history)}{more}")
    if model.evaluation is not None:
        print(f"On the {model.evaluation.rows:,} rows held out:")
        print_metrics(model.evaluation)
    print(f"saved {printable(out)}" + ("" if plot is None else f", drew {printable(plot)}"))


def _check(options: Mapping[str, Any]) -> None:
    """Refuse what would be refused later in other words, and options that contradict each other."""
    from deltaprop.data.targets import TASKS
    from deltaprop.descent.initializers import initializer
    from deltaprop.descent.optimizers import optimizer_in
    from deltaprop.descent.schedules import rates
    from deltaprop.functions import activation
    from deltaprop.functions import loss as loss_of
    from deltaprop.training.metrics import metric_in
    from deltaprop.training.stopping import KEEP

    if options["table"] is None:
        raise OptionError("Missing argument 'TABLE': a CSV or Parquet file to train on, or --resume a run.")
    if options["target"] is None:
        raise OptionError("Missing option '--target': the column to predict.")
    if options["task"] not in (None, *TASKS):
        raise OptionError(f"--task needs to be {' or '.join(TASKS)}; got {options['task']!r}.")
    if options["seed"] >= 2**64:
        raise OptionError(f"--seed needs to be below 2^64; got {options['seed']}.")
    if options["eta_per"] not in ("epoch", "step"):
        raise OptionError(f"--eta-per needs to be epoch or step; got {options['eta_per']!r}.")
    kept = [which.replace(" ", "-") for which in KEEP]
    if options["keep"] not in (None, *KEEP, *kept):
        raise OptionError(f"--keep needs to be one of {', '.join(kept)}; got {options['keep']!r}.")
    try:
        chosen = activation(options["h"], where="--h")
        if options["loss"] is not None:
            loss_of(options["loss"], where="--loss")
        if options["init"] is not None:
            initializer(options["init"], where="--init")
        optimizer_in(options["optimizer"], where="--optimizer")
        for name in ("eta", "decay"):
            if options[name] is not None:
                rates(options[name], 1, 1, where="fit", name=f"--{name}")(1)
        for name in ("monitor", "metrics"):
            for metric in names_in(options[name]):
                metric_in(metric, 1, where=f"--{name}")
    except ValueError as error:
        raise OptionError(str(error)) from None
    if chosen.output_only:
        raise OptionError(f"--h {options['h']!r} is for the output layer only.")
    share = options["validation"]
    if share is not None and not 0 < share < 1:
        raise OptionError(f"--validation needs to be a share between 0 and 1; got {share:g}.")
    for name, number in (("l2", options["l2"]), ("l1", options["l1"]), ("min-gain", options["min_gain"] or 0.0)):
        if not number < float("inf"):
            raise OptionError(f"--{name} needs to be finite and at least 0; got {number:g}.")
    if options["goal"] is not None and options["goal"] != options["goal"]:
        raise OptionError("--goal needs to be a number; got nan.")
    budget_in(options["time_budget"])
    often_in(options["checkpoint_every"])
    _check_together(options)


def _check_together(options: Mapping[str, Any]) -> None:
    """Refuse options that contradict each other."""
    if options["no_validation"]:
        if options["validation"] is not None:
            raise OptionError("--validation and --no-validation contradict each other.")
        for name in ("metrics", "monitor"):
            if options[name] not in (None, "", "E"):
                raise OptionError(f"--{name} is of rows held out, and --no-validation holds none out.")
        if options["min_gain"] and options["patience"] is None:
            raise OptionError("--min-gain needs --patience where no rows are held out.")
    if options["checkpoint_every"] is not None and options["checkpoint"] is None:
        raise OptionError("--checkpoint-every needs --checkpoint, the file of the run.")


def _check_places(options: Mapping[str, Any]) -> None:
    """Refuse, before any work is done, where the results could not be written."""
    from deltaprop.errors import optional
    from deltaprop.inspection.curves import PICTURES
    from deltaprop.storage import check_place

    written: list[tuple[str, Path]] = []
    for name in ("out", "plot", "checkpoint"):
        path = options[name]
        if path is None:
            continue
        check_place(path)
        refuse_same_file(path, f"--{name}", options["table"], "the table")
        for other, place in written:
            refuse_same_file(path, f"--{name}", place, other)
        written.append((f"--{name}", path))
    plot = options["plot"]
    if plot is None:
        return
    if plot.suffix.lower() not in PICTURES:
        raise OptionError(f"--plot {plot}: a picture's name needs to end in {', '.join(PICTURES)}.")
    optional("matplotlib", "plot")
