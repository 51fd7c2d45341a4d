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

    listed: dict[Kind, tuple[str, Iterable[Entry]]] = {
        Kind.activations: ("h(a)", ACTIVATIONS.values()),
        Kind.losses: ("E of an output", LOSSES.values()),
        Kind.initializers: ("weights of a layer", INITIALIZERS.values()),
    }
    what, entries = listed[kind]
    rows = []
    for entry in entries:
        parameters = ", ".join(f"{p.name} = {p.default:g}, {p.bounds}" for p in entry.parameters)
        rows.append((", ".join([entry.name, *entry.aliases]), entry.formula, parameters))
    table(["loss" if kind is Kind.losses else kind[:-1], what, "parameters"], rows)
