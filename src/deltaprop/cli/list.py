"""``deltaprop list``: the functions there are, from their declarations."""

from __future__ import annotations

from collections.abc import Iterable
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

    if kind is Kind.losses:
        losses = [(loss.name, loss.formula, loss.canonical) for loss in LOSSES.values()]
        return table(["loss", "E of a sample", "goes with output"], losses)
    entries: Iterable[Entry] = (ACTIVATIONS if kind is Kind.activations else INITIALIZERS).values()
    rows = []
    for entry in entries:
        parameters = ", ".join(f"{p.name} = {p.default:g}, {p.bounds}" for p in entry.parameters)
        rows.append((", ".join([entry.name, *entry.aliases]), entry.formula, parameters))
    return table([kind[:-1], "h(a)" if kind is Kind.activations else "weights of a layer", "parameters"], rows)
