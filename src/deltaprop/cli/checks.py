"""What the commands that train refuse before any work: one line for what would be refused later in other words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from deltaprop.cli.arguments import check_page, refuse_same_file
from deltaprop.cli.values import budget_in, names_in, often_in, shares_in, units_in
from deltaprop.errors import OptionError


def check_training(options: Mapping[str, Any]) -> None:
    """Refuse options of table, network and descent that cannot be used."""
    from deltaprop.data.targets import TASKS
    from deltaprop.descent.initializers import initializer
    from deltaprop.descent.optimizers import optimizer_in
    from deltaprop.descent.schedules import decays, rates
    from deltaprop.functions import activation
    from deltaprop.functions import loss as loss_of
    from deltaprop.training.averages import average_in

    if options["task"] not in (None, *TASKS):
        raise OptionError(f"--task needs to be {' or '.join(TASKS)}; got {options['task']!r}.")
    if options["seed"] >= 2**64:
        raise OptionError(f"--seed needs to be below 2^64; got {options['seed']}.")
    try:
        chosen = activation(options["h"], where="--h")
        if options["loss"] is not None:
            loss_of(options["loss"], where="--loss")
        if options["init"] is not None:
            initializer(options["init"], where="--init")
        rule = optimizer_in(options["optimizer"], where="--optimizer")
        if options.get("average") is not None:
            average_in(options["average"], where="--average")
        if options.get("eta") is not None:
            rates(options["eta"], 1, 1, where="fit", name="--eta", own=rule.eta)(1)
        if options.get("decay") is not None:
            decays(options["decay"], 1, 1, where="fit", name="--decay")(1)
    except ValueError as error:
        raise OptionError(str(error)) from None
    if chosen.output_only:
        raise OptionError(f"--h {options['h']!r} is for the output layer only.")
    share = options["validation"]
    if share is not None and not 0 < share < 1:
        raise OptionError(f"--validation needs to be a share between 0 and 1; got {share:g}.")
    if share is not None and options["no_validation"]:
        raise OptionError("--validation and --no-validation contradict each other.")
    dropped = shares_in(options["dropout"])
    number = len(units_in(options["hidden"])) + 1
    if isinstance(dropped, tuple) and len(dropped) not in (2 if number > 1 else 1, number):
        raise OptionError(f"--dropout needs one share, two, or {number} with --hidden {options['hidden']}.")
    for name in ("clip_norm", "clip_value", "max_norm"):
        if options.get(name) is not None and not 0 < options[name] < float("inf"):
            raise OptionError(f"--{name.replace('_', '-')} needs to be finite and above 0; got {options[name]:g}.")
    if rule.full_batch:
        _check_full_batch(rule.name, options)
    for name in ("l2", "l1", "input_noise", "min_gain"):
        if not (options.get(name) or 0.0) < float("inf"):
            raise OptionError(f"--{name.replace('_', '-')} needs to be finite and at least 0; got {options[name]:g}.")


def _check_full_batch(rule: str, options: Mapping[str, Any]) -> None:
    """Refuse what an optimizer that takes all rows at once has no use for."""
    from deltaprop.training.full_batch import NO_USE

    for name in NO_USE:
        if options.get(name) not in (None, 0, "epoch"):
            option = f"--{name.replace('_', '-')}"
            raise OptionError(f"--optimizer {rule} takes all rows at once, and has no use for {option}.")
    if (options.get("average") or "").startswith("ema"):
        raise OptionError(f"--optimizer {rule} has no steps within an epoch for --average ema; use last.")
    if rule.startswith("rprop"):
        return
    for name, given in (("dropout", options["dropout"] not in ("0", "0.0")), ("l1", options["l1"]),
                        ("input_noise", options["input_noise"])):  # fmt: skip
        if given:
            option = f"--{name.replace('_', '-')}"
            raise OptionError(f"--optimizer {rule} needs an E that is smooth and stays: no {option}.")


def check_course(options: Mapping[str, Any]) -> None:
    """Refuse options of how long to train and what to keep that cannot be used, or not together."""
    from deltaprop.training.metrics import metric_in
    from deltaprop.training.stopping import KEEP

    if options["eta_per"] not in ("epoch", "step"):
        raise OptionError(f"--eta-per needs to be epoch or step; got {options['eta_per']!r}.")
    kept = [which.replace(" ", "-") for which in KEEP]
    if options["keep"] not in (None, *KEEP, *kept):
        raise OptionError(f"--keep needs to be one of {', '.join(kept)}; got {options['keep']!r}.")
    try:
        for name in ("monitor", "metrics"):
            for metric in names_in(options[name]):
                metric_in(metric, 1, where=f"--{name}")
    except ValueError as error:
        raise OptionError(str(error)) from None
    if options["goal"] is not None and options["goal"] != options["goal"]:
        raise OptionError("--goal needs to be a number; got nan.")
    budget_in(options["time_budget"])
    often_in(options["checkpoint_every"])
    if options["no_validation"]:
        for name in ("metrics", "monitor"):
            if options[name] not in (None, "", "E"):
                raise OptionError(f"--{name} is of rows held out, and --no-validation holds none out.")
        if options["min_gain"] and options["patience"] is None:
            raise OptionError("--min-gain needs --patience where no rows are held out.")
    if options["checkpoint_every"] is not None and options["checkpoint"] is None:
        raise OptionError("--checkpoint-every needs --checkpoint, the file of the run.")


def check_places(options: Mapping[str, Any], names: Sequence[str]) -> None:
    """Refuse, before any work is done, where the results could not be written."""
    from deltaprop.errors import optional
    from deltaprop.picture import PICTURES
    from deltaprop.storage import check_place

    written: list[tuple[str, Path]] = []
    for name in names:
        path = options[name]
        if path is None:
            continue
        check_place(path)
        refuse_same_file(path, f"--{name}", options["table"], "the table")
        for other, place in written:
            refuse_same_file(path, f"--{name}", place, other)
        written.append((f"--{name}", path))
    if options.get("report") is not None:
        check_page(options["report"], "--report")
    plot = options.get("plot")
    if plot is None:
        return
    if plot.suffix.lower() not in PICTURES:
        raise OptionError(f"--plot {plot}: a picture's name needs to end in {', '.join(PICTURES)}.")
    optional("matplotlib", "plot")
