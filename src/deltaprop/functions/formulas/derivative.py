"""Of several ways to write a derivative, the shortest program among those that are as good as the chain rule's own.

A way is taken only where it comes to the chain rule's value on a grid of points, small and huge. It may be finite where
the chain rule is not (inf - inf), never the other way round.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from deltaprop.errors import FormulaError
from deltaprop.functions.formulas.exact import exactly
from deltaprop.functions.formulas.guards import guarded, with_floors
from deltaprop.functions.formulas.kinks import at_kinks, at_removable_kinks
from deltaprop.functions.formulas.operations import Array, Operation
from deltaprop.functions.formulas.poles import near_poles
from deltaprop.functions.formulas.program import Program, compiled, evaluate
from deltaprop.functions.formulas.ranges import range_of
from deltaprop.functions.formulas.reuse import reused
from deltaprop.functions.formulas.stable import stable
from deltaprop.functions.formulas.symbolic import differentiate, rewritten
from deltaprop.functions.formulas.tree import Node, number, substitute

_TOLERANCE = 2e-14  # of a value, and of the largest one near 0
_FAR = (-1e4, -800.0, -100.0, -40.0, -20.0, 20.0, 40.0, 100.0, 800.0, 1e4)
_NEAR = np.linspace(-10, 10, 81)
_POINTS = np.concatenate([_NEAR, np.linspace(0.003, 0.997, 24), _FAR])
_MOST_DOUBTFUL = 30  # points at which another way may come to another value, and the exact one decides
_OTHERS = (0.0, 1.0, 0.3, -2.0)  # of the second variable, which is r
# Roughly, in additions.
_COSTS = {
    "divide": 3, "sqrt": 3, "exp": 8, "expm1": 10, "log": 10, "log1p": 12, "tanh": 12, "sigmoid": 12, "softplus": 20,
    "erf": 20, "erfc": 25, "sin": 12, "cos": 12, "atan": 15, "power": 25,
}  # fmt: skip


def derivative(
    tree: Node,
    name: str,
    inputs: Sequence[str],
    given: Mapping[str, Node],
    *,
    floors: bool = False,
    kinks: bool = False,
) -> Program:
    """Return the program of a stable tree's derivative by a variable.

    Parameters
    ----------
    tree : Node
        The stable tree.
    name : str
        By which variable.
    inputs : sequence of str
        The inputs of the program, that variable first.
    given : mapping
        By input, the stable tree whose value it has: z = h(a).
    floors : bool, default False
        Whether what is not negative is to be kept from 0 in logarithms and below fractions (guards).
    kinks : bool, default False
        Whether the value at kinks is to be that of the sides, where they agree, and otherwise lie between them, as of
        h′; or else only where they agree, as of δ (kinks).

    Examples
    --------
    >>> from deltaprop.functions.formulas.parser import parse
    >>> from deltaprop.functions.formulas.stable import stable
    >>> h = stable(parse("1 / (1 + exp(-a))", ["a"], "h"))
    >>> print(derivative(h, "a", ["a", "z"], {"z": h}))
    r3 = subtract 1.0 z
    r3 = multiply z r3
    return r3
    """
    by_chain_rule = differentiate(tree, name)
    mirrored = reused(by_chain_rule, {}, mirrors=True)
    ways = [by_chain_rule, *rewritten(by_chain_rule), *(rewritten(mirrored) if mirrored != by_chain_rule else ())]
    finish = _finish(inputs, given, floors)
    best, program = _best(ways, inputs, given, finish if floors else None)
    known = {x: compiled(guarded(given[x]), [name]) for x in inputs if x in given}
    others = np.array(_OTHERS if len(inputs) > 1 + len(known) else (0.0,))  # of r

    def slope(value: float) -> Array:
        at = np.full(len(others), value)
        values = {name: at} | {x: evaluate(own, at)[0] for x, own in known.items()}
        return evaluate(program, *(values.get(x, others) for x in inputs))[0]

    def beside(value: float) -> Node:
        at = np.array([value])
        values = {name: number(value)} | {x: number(float(evaluate(own, at)[0][0])) for x, own in known.items()}
        return stable(substitute(best, values))

    mended = best
    if kinks:
        mended = near_poles(at_kinks(best, name, lambda x: float(slope(x)[0])), best, name, inputs, given, program)
    else:
        mended = at_removable_kinks(best, name, slope, beside)
    return program if mended is best else finish(mended)


def _finish(inputs: Sequence[str], given: Mapping[str, Node], floors: bool) -> Callable[[Node], Program]:
    """Return what makes the program of a tree that is rewritten no more."""
    if not floors:
        return lambda tree: compiled(tree, inputs)
    bounds = {name: range_of(tree) for name, tree in given.items()}
    differences = [name for name, tree in given.items() if tree.op in ("add", "subtract")]
    return lambda tree: compiled(with_floors(tree, bounds, differences), inputs)


def shortest(
    ways: Sequence[Node], inputs: Sequence[str], given: Mapping[str, Node], *, floors: bool = False
) -> Program:
    """Return the shortest program among stable trees of one value, of which the first one is trusted."""
    return _best(ways, inputs, given, _finish(inputs, given, floors) if floors else None)[1]


def _best(
    ways: Sequence[Node],
    inputs: Sequence[str],
    given: Mapping[str, Node],
    floored: Callable[[Node], Program] | None = None,
) -> tuple[Node, Program]:
    """Return the tree of the shortest program, and that, or what ``floored`` makes of it.

    Where two are as good in float64, the one that is finite at more points in float32 comes first: with floors a factor
    may be 1 / 1e-38, and overflow, that comes to nothing in the product.
    """
    sample = _sample(inputs, given)
    found = [(tree, program, floored(tree) if floored else program) for tree, program in _programs(ways, inputs, given)]
    trusted = evaluate(found[0][1], *sample)[0]
    finite = np.isfinite(trusted)
    scale = np.max(np.abs(trusted), where=finite & (np.abs(sample[0]) <= _NEAR.max()), initial=0.0)
    with np.errstate(over="ignore"):
        single = [x.astype(np.float32) for x in sample]

    def rank(value: Array, program: Program, final: Program) -> tuple[int, int, int]:
        lost = (~np.isfinite(evaluate(final, *single)[0])).sum() if floored else 0
        return int((~np.isfinite(value)).sum()), int(lost), _cost(program)

    best, least = found[0], rank(trusted, *found[0][1:])
    for way in found[1:]:
        value = evaluate(way[1], *sample)[0]
        with np.errstate(all="ignore"):
            near_enough = np.abs(value - trusted) <= _TOLERANCE * (np.abs(trusted) + scale)
        own = rank(value, *way[1:])
        if own >= least:
            continue
        doubtful = np.flatnonzero(~near_enough & finite)
        if len(doubtful) <= _MOST_DOUBTFUL and all(
            _no_worse(
                value[k], trusted[k], found[0][0], {x: float(own[k]) for x, own in zip(inputs, sample, strict=True)}
            )
            for k in doubtful
        ):
            best, least = way, own
    return best[0], best[2]


def _no_worse(value: float, trusted: float, tree: Node, at: Mapping[str, float]) -> bool:
    """Whether a value is as near to the exact one as the one that is trusted."""
    exact = exactly(tree, at)
    return exact is not None and abs(value - exact) <= abs(trusted - exact)


def _programs(ways: Sequence[Node], inputs: Sequence[str], given: Mapping[str, Node]) -> list[tuple[Node, Program]]:
    """Return trees with their programs, the trusted one first; drop those that are too large, unless all are."""
    trees = dict.fromkeys(reused(way, given, mirrors=mirrors) for way in ways for mirrors in (False, True))
    programs, refused = dict[Node, Program](), []
    for tree in [ways[0], *trees]:
        try:
            last = guarded(tree)
            programs.setdefault(last, compiled(last, inputs))
        except FormulaError as error:
            refused.append(error)
    if not programs:
        raise refused[0]
    return list(programs.items())


def _sample(inputs: Sequence[str], given: Mapping[str, Node]) -> list[Array]:
    """Return points of the inputs."""
    free = [name for name in inputs if name not in given]
    grid = {free[0]: np.tile(_POINTS, len(_OTHERS) if len(free) > 1 else 1)}
    if len(free) > 1:
        grid[free[1]] = np.repeat(_OTHERS, len(_POINTS))
    for name, tree in given.items():
        (grid[name],) = evaluate(compiled(guarded(tree), free[:1]), grid[free[0]])
    return [grid[name] for name in inputs]


def _cost(program: Program) -> int:
    return sum(_COSTS.get(Operation(step[0]).name, 1) for step in program.instructions)
