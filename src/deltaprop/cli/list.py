"""``deltaprop list``: the functions there are, from their declarations."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from deltaprop.cli.output import table

if TYPE_CHECKING:
    from deltaprop.functions import Entry


class Kind(StrEnum):
    """What can be listed."""

    activations = "activations"
    losses = "losses"
    initializers = "initializers"
    optimizers = "optimizers"
    schedules = "schedules"
    penalties = "penalties"
    constraints = "constraints"
    averages = "averages"
    metrics = "metrics"


def list_functions(
    kind: Annotated[Kind, typer.Argument(metavar="KIND", help=", ".join(kind.value for kind in Kind) + ".")],
) -> None:
    """List the functions, rules and schedules there are, with their equations and parameters."""
    from deltaprop.descent.initializers import INITIALIZERS
    from deltaprop.descent.optimizers import OPTIMIZERS
    from deltaprop.descent.penalties import PENALTIES
    from deltaprop.descent.schedules import SCHEDULES
    from deltaprop.descent.terms import CONSTRAINTS
    from deltaprop.functions import ACTIVATIONS, LOSSES
    from deltaprop.training.averages import AVERAGES
    from deltaprop.training.metrics import METRICS

    def common(entry: Entry) -> tuple[str, str, str]:
        parameters = ", ".join(p.described for p in entry.parameters)
        return ", ".join([entry.name, *entry.aliases]), entry.formula, parameters

    match kind:
        case Kind.activations:
            table(["activation", "h(a)", "parameters"], map(common, ACTIVATIONS.values()))
        case Kind.initializers:
            table(["initializer", "weights of a layer", "parameters"], map(common, INITIALIZERS.values()))
        case Kind.optimizers:
            steps = ((*common(e), "" if e.full_batch else f"{e.eta:g}") for e in OPTIMIZERS.values())
            table(["optimizer", "a step", "parameters", "eta"], steps)
        case Kind.schedules:
            table(["schedule", "eta", "parameters"], map(common, SCHEDULES.values()))
        case Kind.penalties:
            table(["penalty", "of the weights, in E", "parameters"], map(common, PENALTIES.values()))
        case Kind.constraints:
            table(["constraint", "of a step", "parameters"], map(common, CONSTRAINTS.values()))
        case Kind.averages:
            table(["average", "of w", "parameters"], map(common, AVERAGES.values()))
        case Kind.metrics:
            better = ((*common(e)[:2], "more" if e.more_is_better else "less") for e in METRICS.values())
            table(["metric", "its value", "better"], better)
        case Kind.losses:
            rows = [(*common(e), e.targets_in_words, e.canonical, e.dropped) for e in LOSSES.values()]
            table(["loss", "E of an output", "parameters", "r", "output", "left out"], rows)
