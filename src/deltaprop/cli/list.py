"""``deltaprop list``: the functions there are, from their declarations."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from deltaprop.cli.output import table


class Kind(StrEnum):
    """What can be listed."""

    activations = "activations"
    losses = "losses"


def list_functions(kind: Annotated[Kind, typer.Argument(metavar="KIND", help="activations or losses.")]) -> None:
    """List the activation functions or the losses."""
    from deltaprop.functions import ACTIVATIONS, LOSSES

    if kind is Kind.losses:
        losses = [(loss.name, loss.formula, loss.canonical) for loss in LOSSES.values()]
        return table(["loss", "E of a sample", "goes with output"], losses)
    rows = []
    for entry in ACTIVATIONS.values():
        parameters = ", ".join(f"{p.name} = {p.default:g}, {p.bounds}" for p in entry.parameters)
        rows.append((", ".join([entry.name, *entry.aliases]), f"h(a) = {entry.formula}", parameters))
    return table(["activation", "formula", "parameters"], rows)
