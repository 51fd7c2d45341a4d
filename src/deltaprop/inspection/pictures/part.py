"""A network up to one of its layers: what its units make of any inputs, by the engine, without targets."""

from __future__ import annotations

from dataclasses import replace

from deltaprop.arrays import Array
from deltaprop.model import Model


def up_to(model: Model, layer: int, *, a: bool = False) -> Model:
    """Return the network whose outputs are the units that ``W[layer]`` leads to: z, or a.

    Its parameters are a copy.
    """
    own = model.definition
    h = (*own.h, own.output)
    part = Model.of_definition(
        replace(
            own,
            layers=own.layers[: layer + 2],
            h=own.h[:layer],
            output="identity" if a else h[layer],
            loss="squared_error",
            dropout=(),
        )
    )
    part.theta = model.theta[: part.n_parameters]
    return part


def a_of(model: Model, layer: int, X: Array) -> Array:
    """Return a of a layer's units, (n, n_out)."""
    return up_to(model, layer, a=True).predict(X)


def z_of(model: Model, layer: int, X: Array) -> Array:
    """Return z of a layer's units, (n, n_out)."""
    return up_to(model, layer).predict(X)
