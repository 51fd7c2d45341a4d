"""The numbers of one sample, and the check that a formula with its numbers comes to the engine's value."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from deltaprop.arrays import numbers_in
from deltaprop.functions.formulas.tree import Node
from deltaprop.inspection.derivation.document import Line, Step, Words
from deltaprop.inspection.derivation.evaluation import precise, value_or_none
from deltaprop.inspection.derivation.notation import REST, plus, value, with_numbers
from deltaprop.inspection.trace import Trace, trace
from deltaprop.model import Model

MOST_TERMS = 8  # of a sum that are written

_TOLERANCE = {"float64": 1e-9, "float32": 1e-4}


def sample_trace(
    model: Model,
    x: ArrayLike,
    r: ArrayLike,
    inputs: Sequence[str] | None,
    outputs: Sequence[str] | None,
) -> Trace:
    """Return the trace of one sample; raise ValueError where it is none, or several."""
    where = f"{type(model).__name__}.derive"
    n_in, n_out = model.layers[0], model.layers[-1]
    shape = np.shape(x)
    if len(shape) != 1:
        raise ValueError(
            f"{where}: x needs one sample, shape ({n_in},); got {shape}. Take one: net.derive(X[0], R[0])."
        )
    if shape != (n_in,):
        raise ValueError(f"{where}: x needs {n_in} inputs; got {shape[0]}.")
    if np.ndim(r) and np.shape(r) != (n_out,):
        raise ValueError(f"{where}: r needs the targets of one sample, shape ({n_out},); got {np.shape(r)}.")
    numbers_in(x, model.dtype, "x", where=where)
    model.samples(np.reshape(x, (1, -1)), as_row(r), None, where)
    return trace(model, x, r, inputs=inputs, outputs=outputs)


def as_row(r: ArrayLike) -> ArrayLike:
    """Return the targets of one sample as those of a set of one."""
    return np.reshape(r, (1, -1) if np.ndim(r) else (1,))


class Numbers:
    """What is known of a sample, by symbol: the engine's numbers.

    Parameters
    ----------
    dtype : str
        In what the network computes.
    """

    def __init__(self, dtype: str) -> None:
        self.known: dict[Node, float] = {}
        self._tolerance = _TOLERANCE[dtype]

    def __setitem__(self, symbol: Node, number: float) -> None:
        self.known[symbol] = float(number)

    def sum(self, terms: Sequence[Node]) -> Node:
        """Return a sum; of a long one the first terms, … for what others come to, and the last."""
        if len(terms) <= MOST_TERMS:
            return plus(*terms)
        shown = MOST_TERMS - 2
        parts = [value_or_none(term, self.known) for term in terms[shown:-1]]
        self.known[REST] = math.nan if None in parts else precise().fsum(parts)
        return plus(*terms[:shown], REST, terms[-1])

    def line(self, left: Node, formula: Node, engine: float, *, words: Words = (), relation: str = "=") -> Line:
        """Return symbol = formula = formula with numbers = the engine's value, with a reason where they differ."""
        with_values = with_numbers(formula, self.known)
        steps = [] if formula.op == "number" else [Step(formula)]
        if with_values not in (formula, value(engine)):
            steps.append(Step(with_values))
        steps.append(Step(value(engine), self._doubt(formula, float(engine))))
        return Line(left, tuple(steps), relation, words=words, value=float(engine))

    def _doubt(self, formula: Node, engine: float) -> Words:
        mp = precise()
        by_hand = value_or_none(formula, self.known)
        if by_hand is None:
            return ("the engine's: the formula has no finite value at these numbers",)
        away = abs(by_hand - mp.mpf(engine)) if math.isfinite(engine) else mp.inf
        if away <= self._tolerance * abs(by_hand) + mp.mpf(10) ** -300:
            return ()
        return (f"the engine's, with all its digits; the formula with these numbers comes to {mp.nstr(by_hand, 10)}",)
