"""The native engine: that it is the one which the declarations are about, its plan of a network, its build."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from deltaprop import _engine
from deltaprop.arrays import Array, whole_number
from deltaprop.definition import Definition
from deltaprop.descent.optimizers import STEP_RULES
from deltaprop.functions import ACTIVATIONS, LOSSES, kernels

if TYPE_CHECKING:
    from deltaprop.functions.formulas import Program

_MOST_BLOCK = 32  # samples that online descent may take together: kMostBlock, plan.hpp

_RULES = {name: [p.name for p in entry.parameters] for name, entry in STEP_RULES.items()}
if (*map(set, _engine.function_names()), _engine.optimizers()) != (set(ACTIVATIONS), set(LOSSES), _RULES):
    raise ImportError(
        f"deltaprop: the engine has {_engine.function_names()} and {_engine.optimizers()}, which is not what "
        "deltaprop.functions and deltaprop.descent declare. Build and install the package again."
    )


def plan_of(definition: Definition, *, derivatives: bool) -> _engine.Plan:
    """Return the engine's plan; without derivatives it serves for predictions and E, and needs no SymPy."""

    def programs(kernel: kernels.Programs) -> tuple[_engine.Program, _engine.Program | None]:
        return _program(kernel.value), _program(kernel.derivative()) if derivatives else None

    layers: list[Any] = []
    for pair, h in zip(pairwise(definition.layers), definition.functions, strict=True):
        kernel = kernels.of_activation(h)
        if isinstance(kernel, kernels.Named):
            layers.append((*pair, kernel.name, kernel.numbers[0] if kernel.numbers else 0.0, definition.bias))
        else:
            layers.append((*pair, programs(kernel), 0.0, definition.bias))
    loss = kernels.of_loss(definition.loss_entry, definition.functions[-1])
    if isinstance(loss, kernels.Named):
        return _engine.Plan(layers, loss.name, list(loss.numbers), definition.dropout, definition.input_noise)
    return _engine.Plan(layers, programs(loss), [], definition.dropout, definition.input_noise)


def _program(program: Program) -> _engine.Program:
    return _engine.Program(len(program.inputs), program.constants, program.instructions, program.outputs)


def block_in(online_block: int | None, *, where: str) -> int:
    """Return an online_block for the engine: 0 where the choice is its own."""
    if online_block is None:
        return 0
    return whole_number(online_block, "online_block", at_least=1, below=_MOST_BLOCK + 1, where=where)


def engine_config() -> dict[str, Any]:
    """Return what the engine was built with and runs on: version, instruction sets, OpenMP, threads, compiler."""
    return dict(_engine.config())


def shuffled_order(n: int, seed: int, epoch: int) -> Array:
    """Return the numbers 0 … n − 1 in the order that follows from (seed, epoch); epochs count from 1."""
    order = np.empty(n, np.int64)
    _engine.shuffled_order(seed, epoch, order)
    return order
