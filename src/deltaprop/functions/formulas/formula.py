"""What the rest of the package uses of formulas: an activation or a loss from a text, and its programs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from keyword import iskeyword
from typing import ClassVar

from deltaprop.errors import FormulaError
from deltaprop.functions.formulas import budget
from deltaprop.functions.formulas.comparison import multiplied_out
from deltaprop.functions.formulas.derivative import derivative, shortest
from deltaprop.functions.formulas.guards import guarded
from deltaprop.functions.formulas.parser import LONGEST, parse, place
from deltaprop.functions.formulas.plateaus import reached
from deltaprop.functions.formulas.program import Program, compiled
from deltaprop.functions.formulas.ranges import range_of
from deltaprop.functions.formulas.stable import composed, stable
from deltaprop.functions.formulas.tree import Node
from deltaprop.functions.formulas.vocabulary import CONDITIONS, CONSTANTS


def is_formula(text: object, variables: tuple[str, ...] = ("a", "y", "r")) -> bool:
    """Tell whether a text that is no known name is meant as a formula, and not as a name.

    Words alone, one or several with spaces or hyphens between, are a name, unless one of them is a variable, a constant
    or a word of Python's; so they are with a colon and parameters behind.

    Examples
    --------
    >>> [is_formula(text) for text in ("a**2", "sigmiod(a)", "a", "1", "lambda x: x")]
    [True, True, True, True, True]
    >>> [is_formula(text) for text in ("sigmiod", "leaky-relu", "leaky_relu:slope=0.1", "", None)]
    [False, False, False, False, False]
    """
    if not isinstance(text, str) or not text.strip():
        return False
    words = text.partition(":")[0].strip()
    if not re.fullmatch(r"[\w\s-]*", words, re.ASCII) or words[:1].isdigit():
        return True
    return any(word in (*variables, *CONSTANTS) or iskeyword(word) for word in re.split(r"[\s-]+", words))


@contextmanager
def _named(where: str, tree: Node, what: str = "cannot be used") -> Iterator[None]:
    """Say whose formula it is, and which, in what goes wrong after it is parsed."""
    budget.begin()
    try:
        yield
    except (FormulaError, RecursionError) as error:
        why = "it is nested too deep" if isinstance(error, RecursionError) else error
        text = str(tree)
        shown = text if len(text) <= 60 else text[:59] + "…"
        raise FormulaError(f"{where}: {shown!r} {what}: {why}.") from None


def _rewritten(tree: Node, variables: tuple[str, ...]) -> tuple[Node, Program]:
    """Return the stable form and the program of a tree."""
    budget.begin()
    form = stable(tree)
    return form, compiled(guarded(form), variables)


def _checked(tree: Node, text: str, where: str, variables: tuple[str, ...]) -> tuple[Node, Program]:
    """Return the stable form and the program; raise FormulaError with the place of the first part without, as 1 / 0."""
    try:
        with _named(where, tree):
            return _rewritten(tree, variables)
    except FormulaError:
        for part in tree.parts():
            try:
                if part.op not in CONDITIONS:
                    _rewritten(part, variables)
            except FormulaError as error:
                raise FormulaError(f"{where}: {error}{place(part.column, text)}.") from None
            except RecursionError:
                break
        raise


class _Formula:
    variables: ClassVar[tuple[str, ...]]

    def __init__(self, text: str, *, where: str, constants: Mapping[str, float] | None = None) -> None:
        self.where = where
        self.tree = parse(text, self.variables, where, constants)
        if len(self.text) > LONGEST:
            raise FormulaError(f"{where}: written out, the formula has {len(self.text)} characters; at most {LONGEST}.")
        self.stable, self.value = _checked(self.tree, text, where, self.variables)

    @property
    def text(self) -> str:
        """The formula, written in the one way that stands for it everywhere."""
        return str(self.tree)

    @cached_property
    def _multiplied_out(self) -> Node:
        return multiplied_out(self.stable)

    def means(self, other: _Formula) -> bool:
        """Tell whether another formula is this one in other words, as far as rewriting finds out."""
        return self.stable == other.stable or self._multiplied_out == other._multiplied_out

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and isinstance(other, _Formula) and other.tree == self.tree

    def __hash__(self) -> int:
        return hash((type(self), self.tree))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.text!r})"


class ActivationFormula(_Formula):
    """An activation function h(a) from a text.

    Parameters
    ----------
    text : str
        The formula, of a.
    where : str
        Whose it is, for messages.
    constants : mapping, optional
        Numbers that have a name in it.

    Attributes
    ----------
    text : str
        The formula as it is written everywhere.
    tree, stable : Node
        What was written, and its stable form.
    value : Program
        z = h(a): inputs a. Made without SymPy.
    derivative : Program
        h′(a): inputs a and z. Made when asked for, by SymPy.
    low, high : float
        Bounds on h(a), infinite where they are not known.

    Raises
    ------
    FormulaError
        If it is no formula, or too large.

    Examples
    --------
    >>> h = ActivationFormula("1/(1+exp(-a))", where="h")
    >>> h, h.low, h.high
    (ActivationFormula('1 / (1 + exp(-a))'), 0.0, 1.0)
    >>> print(h.value)
    r1 = sigmoid a
    return r1
    """

    variables = ("a",)

    @cached_property
    def derivative(self) -> Program:
        """h′(a): inputs a and z = h(a)."""
        with _named(self.where, self.tree, "cannot be differentiated"):
            return derivative(self.stable, "a", ("a", "z"), {"z": self.stable}, kinks=True)

    def reached(self) -> set[float]:
        """Return values that h takes, and not by rounding alone."""
        return reached(guarded(self.stable), "a")

    @cached_property
    def _range(self) -> tuple[float, float]:
        ranges = [range_of(tree) for tree in (self.stable, guarded(self.stable))]
        return max(low for low, _ in ranges), min(high for _, high in ranges)

    @property
    def low(self) -> float:
        """The lower bound."""
        return self._range[0]

    @property
    def high(self) -> float:
        """The upper bound."""
        return self._range[1]


class LossFormula(_Formula):
    """A loss E(y, r) of one output from a text.

    Parameters
    ----------
    text : str
        The formula, of y and r.
    where : str
        Whose it is, for messages.
    constants : mapping, optional
        Numbers that have a name in it.

    Attributes
    ----------
    text, tree, stable
        As those of `ActivationFormula`.
    value : Program
        E: inputs y and r. Made without SymPy.

    Examples
    --------
    >>> loss = LossFormula("-r * log(y) - (1 - r) * log(1 - y)", where="loss")
    >>> sigmoid = ActivationFormula("1 / (1 + exp(-a))", where="output")
    >>> print(loss.slope_with(sigmoid.tree))
    r3 = subtract y r
    return r3
    """

    variables = ("y", "r")

    def __init__(self, text: str, *, where: str, constants: Mapping[str, float] | None = None) -> None:
        super().__init__(text, where=where, constants=constants)
        self._values: dict[tuple[Node | None, bool], Program] = {(None, False): self.value}
        self._slopes: dict[tuple[Node | None, bool], Program] = {}

    def value_with(self, h: Node | None, *, floors: bool = False) -> Program:
        """Return the program of E with y = h(a): inputs a, y and r. Made without SymPy.

        Without an h, or with one that makes it too large, it has the inputs y and r. With ``floors`` what comes to 0 by
        rounding counts as the least normal number in logarithms and below fractions.
        """
        if (h, floors) not in self._values:
            self._values[h, floors] = self._value(h, floors)
        return self._values[h, floors]

    def _value(self, h: Node | None, floors: bool) -> Program:
        if h is None:
            return self.value
        budget.begin()
        try:
            whole = composed(self.tree, h)
            return shortest([whole, self.stable], ("a", "y", "r"), {"y": stable(h)}, floors=floors)
        except (FormulaError, RecursionError):  # too large, or a constant y that E has no value at
            return self.value

    def slope_with(self, h: Node | None, *, floors: bool = False) -> Program:
        """Return the program of δ = ∂E/∂a with y = h(a): inputs a, y and r. Needs SymPy.

        Without an h, or with one that makes it too large, that of ∂E/∂y, with the inputs y and r.
        """
        if (h, floors) not in self._slopes:
            self._slopes[h, floors] = self._slope(h, floors)
        return self._slopes[h, floors]

    def _slope(self, h: Node | None, floors: bool) -> Program:
        if h is not None:
            budget.begin()
            try:
                whole = composed(self.tree, h)
                return derivative(whole, "a", ("a", "y", "r"), {"y": stable(h)}, floors=floors)
            except (FormulaError, RecursionError):
                pass
        with _named(self.where, self.tree, "cannot be differentiated"):
            return derivative(self.stable, "y", self.variables, {})
