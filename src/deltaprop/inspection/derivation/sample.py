"""The numbers of one sample, and the check that a formula with its numbers comes to the engine's value."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from deltaprop.arrays import numbers_in
from deltaprop.functions.formulas.tree import Node
from deltaprop.inspection.derivation.document import Line, Step, Words
from deltaprop.inspection.derivation.evaluation import Number, precise, value_or_none
from deltaprop.inspection.derivation.notation import REST, plus, value, with_numbers
from deltaprop.inspection.trace import Trace, trace
from deltaprop.model import Model

MOST_TERMS = 8  # of a sum that are written

DIGITS = {"float64": 10, "float32": 6}  # significant, of a value
_ALL = 17  # digits, with which a number of float64 is that number


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
        self._digits = DIGITS[dtype]
        self._exactly = dtype == "float64"

    def __setitem__(self, symbol: Node, number: float) -> None:
        self.known[symbol] = float(number)

    def sum(self, terms: Sequence[Node]) -> Node:
        """Return a sum; of a long one the first terms, … for what others come to, and the last."""
        if len(terms) <= MOST_TERMS:
            return plus(*terms)
        shown = MOST_TERMS - 2
        parts = [value_or_none(term, self.known) for term in terms[shown:-1]]
        self.known[REST] = math.nan if None in parts else float(precise().fsum(parts))
        return plus(*terms[:shown], REST, terms[-1])

    def line(self, left: Node, formula: Node, engine: float, *, words: Words = (), relation: str = "=") -> Line:
        """Return symbol = formula = formula with numbers = the engine's value.

        The numbers have as many digits as it takes that the formula comes to the value to its last digit; where it
        does not with all of them, the line says to what it comes.
        """
        engine = float(engine)
        shown = self.rounded(engine)
        symbols = [x for x in formula.parts() if x in self.known]
        for digits in range(self._digits, _ALL + 1):
            numbers = {x: rounded(self.known[x], digits) for x in symbols}
            by_hand = value_or_none(formula, numbers)
            if by_hand is not None and self._is(by_hand, shown):
                break
        steps = [] if formula.op == "number" else [Step(formula)]
        with_values = with_numbers(formula, numbers)
        if with_values not in (formula, value(shown)):
            steps.append(Step(with_values))
        steps.append(Step(value(shown), self._doubt(by_hand, shown)))
        return Line(left, tuple(steps), relation, words=words, value=engine)

    def rounded(self, x: float) -> float:
        """Return a number as it is shown where it is nothing that is computed with."""
        return rounded(x, self._digits)

    def _is(self, by_hand: Number, shown: float) -> bool:
        """Whether what a formula comes to is the value that is shown; in float32, but for its last digit."""
        mp = precise()
        if self._exactly:
            return rounded(float(by_hand), self._digits) == shown or abs(by_hand - shown) <= mp.mpf(10) ** -300
        return bool(abs(by_hand - shown) <= mp.mpf(10) ** (1 - self._digits) * abs(shown))

    def _doubt(self, by_hand: Number | None, shown: float) -> Words:
        if by_hand is None:
            return ("the engine's: the formula has no finite value at these numbers",)
        if self._is(by_hand, shown):
            return ()
        comes_to = value(self.rounded(float(by_hand)))
        return ("the engine's; with these numbers, which have all their digits, the formula comes to ", comes_to)


def rounded(x: float, digits: int) -> float:
    """Return a number with so many significant digits.

    Examples
    --------
    >>> rounded(2 / 3, 4)
    0.6667
    """
    return float(f"{x:.{digits}g}")
