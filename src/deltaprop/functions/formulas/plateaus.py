"""Which values a formula really has, and not by rounding alone, as sigmoid(40) = 1."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from deltaprop.errors import FormulaError
from deltaprop.functions.formulas import budget
from deltaprop.functions.formulas.program import compiled, evaluate
from deltaprop.functions.formulas.stable import stable
from deltaprop.functions.formulas.tree import Node, rebuilt, with_args

_NEAR = np.linspace(-3, 3, 121)  # where no usual function comes to its bounds by rounding
_FAR = np.concatenate([np.linspace(-100, 100, 4001), np.outer((-1, 1), np.geomspace(100, 1e9, 200)).ravel()])


def reached(tree: Node, name: str) -> set[float]:
    """Return values that a stable tree of one variable takes: those near 0, and wherever else it is constant.

    Examples
    --------
    >>> from deltaprop.functions.formulas.parser import parse
    >>> [1.0 in reached(parse(h, ["a"], "h"), "a") for h in ("min(exp(a - 50), 1)", "sigmoid(a)")]
    [True, False]
    """
    program = compiled(tree, [name])
    found = set(evaluate(program, _NEAR)[0].tolist())
    levels = set(_levels(tree))
    return found | (levels & set(evaluate(program, _FAR)[0].tolist()) if levels else set())


def _levels(tree: Node) -> Iterator[float]:
    """Yield what the whole comes to where a min, a max or a where in it takes a constant."""
    for part in tree.parts():
        if part.op not in ("min", "max", "where"):
            continue
        for constant in (x for x in part.args if x.op == "number"):
            budget.begin()
            try:
                level = stable(_with(tree, part, constant))
            except FormulaError:  # 1 / 0: no value
                continue
            if level.op == "number":
                yield level.value


def _with(tree: Node, part: Node, other: Node) -> Node:
    """Return the tree with another one wherever a part of it stands."""
    return rebuilt(tree, lambda node, args: other if node == part else with_args(node, args) if args else node)
