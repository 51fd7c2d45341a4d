"""h and h′ as people write them: from the declaration of an activation, or from a formula of the user's own."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from deltaprop.functions import Activation, Entry
from deltaprop.functions.formulas import parse
from deltaprop.functions.formulas.tree import Node, variable
from deltaprop.inspection.derivation.algebra import Algebra
from deltaprop.inspection.derivation.calculus import derivative, for_people
from deltaprop.inspection.derivation.declared import or_declared
from deltaprop.inspection.derivation.document import Step
from deltaprop.inspection.derivation.elimination import in_terms_of
from deltaprop.inspection.derivation.evaluation import Point, precise, slopes_agree, value_or_none
from deltaprop.inspection.derivation.reduction import reduced
from deltaprop.inspection.derivation.simplification import into_branches, simplified, weight

A, Z = variable("a"), variable("z")


@dataclass(frozen=True)
class Slope:
    """An activation and its derivative, in the variables a and z = h(a).

    Attributes
    ----------
    h : Node
        h(a).
    steps : tuple of Step
        h′(a): as the rules of differentiation give it, and then shorter, each step equal to the one before.
    complete : bool
        Whether no simplification was given up as too long.
    confirmed : bool
        Whether the first of them agrees with differences of h at random points.
    positive : bool
        Whether h is positive at all of those points.
    """

    h: Node
    steps: tuple[Step, ...]
    complete: bool
    confirmed: bool
    positive: bool

    @property
    def final(self) -> Node:
        """h′ as it goes on."""
        return self.steps[-1].right


def tree_of(entry: Entry, text: str, variables: Sequence[str]) -> Node:
    """Return a text of a declaration as people write it, with its parameters' numbers put in.

    A parameter that is among the variables stays a symbol.
    """
    constants = {
        p.name: v for p, v in zip(entry.parameters, entry.values, strict=True)
        if not isinstance(v, tuple) and p.name not in variables
    }  # fmt: skip
    return for_people(parse(text, variables, entry.name, constants))


def points_of(h: Node) -> list[Point]:
    """Return a = 0 and random a with z = h(a) there, always the same ones."""
    draw = random.Random(1)
    mp = precise()
    points: list[Point] = []
    for a in [0.0, *(draw.uniform(-4, 4) for _ in range(14))]:
        point = {A: mp.mpf(a)}
        z = value_or_none(h, point)
        if z is not None:
            points.append({**point, Z: z})
    return points


@lru_cache(maxsize=64)
def slope_of(entry: Activation) -> Slope:
    """Return h and h′ of an activation that works on each unit by itself.

    Examples
    --------
    >>> from deltaprop.functions import activation
    >>> for step in slope_of(activation("sigmoid", where="h")).steps:
    ...     print(step.right)
    exp(-a) / (1 + exp(-a))**2
    z * (1 - z)
    """
    h = for_people(entry.written.tree) if entry.written else tree_of(entry, entry.formula, ["a"])
    points = points_of(h)
    positive = bool(points) and all(p[Z] > 0 for p in points)
    algebra = Algebra(points, ["z"] if positive else [])
    raw = derivative(h, "a", algebra)
    shorter, complete = simplified(raw, points, algebra)
    steps = [Step(raw), *shorter]
    steps += into_branches(steps[-1].right, points, algebra)
    by_z = in_terms_of("z", h, raw, points, algebra)
    if by_z and weight(by_z[-1].right) <= weight(steps[-1].right):
        steps += by_z
    elif weight((by_z := [*steps[:1], *reduced("z", h, raw, points, algebra)])[-1].right) < weight(steps[-1].right):
        steps = by_z
    if entry.written is None:
        declared = tree_of(entry, entry.derivative, ["a", "z"])
        away_from_kinks = [p for p in points if p[A]]
        kinks = [{A: precise().mpf(a)} for a in entry.kinks]
        steps = or_declared(steps, declared, ("z", h), away_from_kinks, kinks, algebra)
    confirmed = slopes_agree(h, "a", raw, [p for p in points if p[A]])
    return Slope(h, tuple(steps), complete, confirmed, positive)
