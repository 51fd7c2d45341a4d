"""What the texts of ``deltaprop fit``'s options stand for, and what is refused before any work is done."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from deltaprop.errors import OptionError

_MOST_UNITS = 1_000_000  # of a hidden layer
_UNITS_OF_TIME = {"s": 1.0, "m": 60.0, "h": 3600.0}


def check_options(given: Mapping[str, Any]) -> None:
    """Refuse what would be refused later in other words."""
    from deltaprop.data.targets import TASKS
    from deltaprop.descent.initializers import initializer
    from deltaprop.descent.optimizers import optimizer_in
    from deltaprop.descent.schedules import rates
    from deltaprop.functions import activation
    from deltaprop.functions import loss as loss_of
    from deltaprop.training.averages import average_in
    from deltaprop.training.metrics import METRICS
    from deltaprop.training.stopping import KEEP

    if given["task"] not in (None, *TASKS):
        raise OptionError(f"--task needs to be {' or '.join(TASKS)}; got {given['task']!r}.")
    try:
        chosen = activation(given["h"], where="--h")
        if given["loss"] is not None:
            loss_of(given["loss"], where="--loss")
        if given["init"] is not None:
            initializer(given["init"], where="--init")
        rule = optimizer_in(given["optimizer"], where="--optimizer")
        for name in ("eta", "decay"):
            if given[name] is not None:
                rates(given[name], 1, 1, where="fit", name=f"--{name}")(1)
        if given["average"] is not None:
            average_in(given["average"], where="--average")
    except ValueError as error:
        raise OptionError(str(error)) from None
    if chosen.output_only:
        raise OptionError(f"--h {given['h']!r} is for the output layer only.")
    if given["validation"] is not None and not 0 < given["validation"] < 1:
        raise OptionError(f"--validation needs to be a share between 0 and 1; got {given['validation']:g}.")
    if given["validation"] is not None and given["no_validation"]:
        raise OptionError("--validation and --no-validation contradict each other.")
    for name, choices in (("eta_per", ("epoch", "step")), ("keep", (None, *KEEP)), ("monitor", ("E", *METRICS))):
        if given[name] not in choices:
            words = ", ".join(repr(choice) for choice in choices if choice is not None)
            raise OptionError(f"--{name.replace('_', '-')} needs to be one of {words}; got {given[name]!r}.")
    if given["no_validation"] and given["monitor"] != "E":
        raise OptionError("--monitor needs rows held out: leave --no-validation out.")
    for name in ("l2", "l1", "input_noise", "min_gain"):
        if not 0 <= given[name] < float("inf"):
            raise OptionError(f"--{name.replace('_', '-')} needs to be finite and at least 0; got {given[name]:g}.")
    for name in ("clip_norm", "clip_value", "max_norm"):
        if given[name] is not None and not given[name] > 0:
            raise OptionError(f"--{name.replace('_', '-')} needs to be above 0; got {given[name]:g}.")
    if rule.full_batch and given["eta"] is not None:
        raise OptionError(f"--optimizer {rule.name} takes all rows at once, and has no use for --eta.")
    if len(at := shares(given["dropout"])) > 1 and len(at) != len(units(given["hidden"])) + 1:
        raise OptionError(f"--dropout needs one share, or {len(units(given['hidden'])) + 1}; got {given['dropout']!r}.")
    seconds(given["time_budget"])
    every = given["checkpoint_every"]
    if every is not None and not (every.isdecimal() and int(every) > 0):
        seconds(every, "--checkpoint-every")


def seconds(text: str | None, option: str = "--time-budget") -> float | None:
    """Return the seconds in a text such as ``90``, ``30s``, ``5m`` or ``2h``; None for None.

    Examples
    --------
    >>> seconds("90"), seconds("1.5m")
    (90.0, 90.0)
    """
    if text is None:
        return None
    unit = _UNITS_OF_TIME.get(text[-1:])
    try:
        value = float(text[:-1] if unit else text) * (unit or 1.0)
    except ValueError:
        value = -1.0
    if not 0 < value < float("inf"):
        raise OptionError(f"{option} needs a time such as 90, 30s, 5m or 2h; got {text!r}.")
    return value


def shares(text: str) -> tuple[float, ...]:
    """Return the shares in a text such as ``.5`` or ``.2,.5``, each at least 0 and below 1.

    Examples
    --------
    >>> shares(".2,.5")
    (0.2, 0.5)
    """
    try:
        values = tuple(float(part) for part in text.split(","))
    except ValueError:
        values = (-1.0,)
    if not all(0 <= value < 1 for value in values):
        raise OptionError(f"--dropout needs shares of at least 0 and below 1, such as .5 or .2,.5,.5; got {text!r}.")
    return values


def label_weights(class_weight: str | None) -> Any:
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


def units(hidden: str) -> tuple[int, ...]:
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
