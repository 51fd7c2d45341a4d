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


def list_functions(
    kind: Annotated[Kind, typer.Argument(metavar="KIND", help="activations, losses or initializers.")],
) -> None:
    """List the activation functions, the losses or the initializers."""
    from deltaprop.descent.initializers import INITIALIZERS
    from deltaprop.functions import ACTIVATIONS, LOSSES

    def common(entry: Entry) -> tuple[str, str, str]:
        parameters = ", ".join(f"{p.name} = {p.default:g}, {p.bounds}" for p in entry.parameters)
        return ", ".join([entry.name, *entry.aliases]), entry.formula, parameters

    match kind:
        case Kind.activations:
            table(["activation", "h(a)", "parameters"], map(common, ACTIVATIONS.values()))
        case Kind.initializers:
            table(["initializer", "weights of a layer", "parameters"], map(common, INITIALIZERS.values()))
        case Kind.losses:
            rows = [(*common(e), e.targets_in_words, e.canonical, e.dropped) for e in LOSSES.values()]
            table(["loss", "E of an output", "parameters", "r", "output", "left out"], rows)
