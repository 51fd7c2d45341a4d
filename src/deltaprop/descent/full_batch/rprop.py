"""Resilient backpropagation: each parameter has a step of its own, whose direction is the gradient's sign alone.

Source: Igel and Hüsken, Empirical evaluation of the improved Rprop learning algorithms, Neurocomputing 50, 2003.
"""

from __future__ import annotations

import math

import numpy as np

from deltaprop.descent.full_batch.problem import Array, Memories, Problem, Step


def rprop(problem: Problem, parameters: dict[str, float], memories: Memories) -> Step:
    """iRprop+: where the gradient turned, and E rose, the last change is taken back."""
    return _step(problem, parameters, memories, take_back=True)


def rprop_minus(problem: Problem, parameters: dict[str, float], memories: Memories) -> Step:
    """iRprop−: where the gradient turned, nothing moves."""
    return _step(problem, parameters, memories, take_back=False)


def _step(problem: Problem, parameters: dict[str, float], memories: Memories, *, take_back: bool) -> Step:
    size, before, change = memories.vectors  # views: what is written there is remembered
    if not memories.steps:
        size[...] = parameters["start"]
        memories.numbers[:] = [math.inf]
    E, g = problem.look(problem.theta)
    turn = np.sign(g * before)
    grown = np.minimum(size * parameters["up"], parameters["most"])
    shrunk = np.maximum(size * parameters["down"], parameters["least"])
    size[...] = np.where(turn > 0, grown, np.where(turn < 0, shrunk, size))
    back: Array | float = -change if take_back and memories.numbers[0] < E else 0.0
    before[...] = np.where(turn < 0, 0.0, g)
    move = np.where(turn < 0, back, -np.sign(g) * size)
    change[...] = move
    memories.numbers[:] = [E]
    return Step(problem.theta + move)
