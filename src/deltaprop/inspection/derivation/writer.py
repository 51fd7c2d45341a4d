"""How trees are written: what stands in brackets, what beside what. Each format says how its pieces look."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from itertools import pairwise

from deltaprop.functions.formulas.tree import Node
from deltaprop.functions.formulas.vocabulary import CONDITIONS, CONSTANTS
from deltaprop.inspection.derivation.notation import ONE, REST

SUM, FRACTION, PRODUCT, POWER, ATOM = range(5)  # how tightly a piece holds together

Piece = tuple[str, int]
_SYMBOLS = ("variable", "partial", "applied")
_WITH_DIGITS_FIRST = ("number", "value", "power", "divide", "add", "subtract", "neg")
NAMES = {"atan": "arctan", "sigmoid": "σ"}  # of functions, where people write another than the language of formulas


class Writer(ABC):
    """Trees as text of one format."""

    fraction_binding = PRODUCT  # a fraction with a bar needs no brackets in a product

    def write(self, node: Node) -> str:
        """Return the text of a tree."""
        return self.piece(node)[0]

    def inside(self, node: Node, binding: int) -> str:
        """Return the text of a tree, in brackets where it holds together less than ``binding``."""
        text, own = self.piece(node)
        return text if own >= binding else self.brackets(text)

    def piece(self, node: Node) -> Piece:
        """Return the text of a tree, and how tightly it holds together."""
        args = node.args
        match node.op:
            case "number" | "value":
                text = self.number(abs(node.value), exact=node.op == "number")
                return (self.signs(["-"], [text]), SUM) if node.value < 0 else (text, ATOM)
            case "variable":
                return self.symbol(node.name), ATOM
            case "add" | "subtract" | "neg":
                return self._sum(node), SUM
            case "multiply" | "divide":
                positive = _without_sign(node)
                if positive is not None:  # (-2) a is -2 a
                    return self.signs(["-"], [self.inside(positive, FRACTION)]), SUM
                if node.op == "multiply":
                    return self._product(node), PRODUCT
                return self.fraction(*args), self.fraction_binding
            case "power":
                return self.power(self.inside(args[0], ATOM), args[1]), POWER
            case "sqrt":
                return self.root(self.write(args[0])), ATOM
            case "abs":
                return self.bars(self.write(args[0])), ATOM
            case "exp":
                return self.exponential(args[0])
            case "where":
                return self.cases(*self._cases(node)), ATOM
            case "partial":
                return self.partial(self.inside(args[0], ATOM), self.inside(args[1], ATOM)), ATOM
            case "sum":
                return self.summation(self.index(node), self.inside(args[1], FRACTION)), PRODUCT
            case "indicator":
                return self.indicator(self.write(args[0]), self.write(args[1])), ATOM
            case "applied":
                return self.call(self.symbol(node.name), [self.write(x) for x in args]), ATOM
        if node.op in CONDITIONS:
            return self._condition(node), SUM
        return self.call(self.function(NAMES.get(node.op, node.op)), [self.write(x) for x in args]), ATOM

    def index(self, node: Node) -> str:
        """Return what stands below a sum: its index, and the value that it does not take."""
        index, _, *without = node.args
        return self.unequal(self.write(index), self.write(without[0])) if without else self.write(index)

    def terms(self, node: Node) -> list[tuple[str, str]]:
        """Return the terms of a sum, each with its sign; what is no sum is a sum of one."""
        terms = []
        for place, (sign, term) in enumerate(signed_terms(node)):
            alone = not place and sign == "+" and term.op in ("number", "value")  # -3 + a needs no brackets
            terms.append((sign, self.write(term) if alone else self.inside(term, FRACTION)))
        return terms

    def _sum(self, node: Node) -> str:
        signs, texts = zip(*self.terms(node), strict=True)
        return self.signs(signs, texts)

    def _product(self, node: Node) -> str:
        factors = factors_of(node)
        texts = []
        for place, factor in enumerate(factors, start=1):
            last = place == len(factors)
            binding = ATOM if factor.op == "sum" and not last else min(PRODUCT, self.fraction_binding)
            texts.append(self.inside(factor, binding))
        dots = [self.needs_dot(left, right) for left, right in pairwise(factors)]
        return self.beside(texts, dots)

    def needs_dot(self, left: Node, right: Node) -> bool:
        """Whether a dot stands between two factors: before numbers."""
        if left.op == right.op == "partial":
            return self.dots_partials
        if _has(right, _SYMBOLS) or (right.op == "number" and right.value in CONSTANTS.values()):
            return False
        return right.op in _WITH_DIGITS_FIRST or _has(left, ("value",)) or _has(right, ("value",))

    dots_partials = False

    def _cases(self, node: Node) -> tuple[list[tuple[str, str]], str]:
        cases = []
        while node.op == "where":
            condition, then, node = node.args
            cases.append((self.write(then), self.write(condition)))
        return cases, self.write(node)

    def _condition(self, node: Node) -> str:
        args = node.args
        if node.op == "and" and all(x.op == "less" for x in args) and args[0].args[1] == args[1].args[0]:
            low, middle, high = (self.write(x) for x in (*args[0].args, args[1].args[1]))
            return self.compared(self.compared(low, "<", middle), "<", high)
        if node.op in ("and", "or"):
            return self.words_between(self.write(args[0]), node.op, self.write(args[1]))
        if node.op == "not":
            return self.words_between("", "not", self.brackets(self.write(args[0])))
        sign = "<" if node.op == "less" else "≤"
        if not _has(args[0], (*_SYMBOLS, "value")) and _has(args[1], (*_SYMBOLS, "value")):  # a > 0, not 0 < a
            sign, args = {"<": ">", "≤": "≥"}[sign], args[::-1]
        return self.compared(self.write(args[0]), sign, self.write(args[1]))

    # ---- how pieces look -------------------------------------------------------------------------------------------

    @abstractmethod
    def number(self, x: float, *, exact: bool) -> str:
        """Return a number that is not negative; of a formula (exact), or one that was put in."""

    @abstractmethod
    def symbol(self, name: str) -> str:
        """Return a variable."""

    @abstractmethod
    def function(self, name: str) -> str:
        """Return the name of a function."""

    @abstractmethod
    def brackets(self, text: str) -> str:
        """Return a text in round brackets."""

    @abstractmethod
    def signs(self, signs: Sequence[str], texts: Sequence[str]) -> str:
        """Return terms with their signs."""

    @abstractmethod
    def beside(self, texts: Sequence[str], dots: Sequence[bool]) -> str:
        """Return factors beside each other, a dot between some."""

    @abstractmethod
    def fraction(self, above: Node, below: Node) -> str:
        """Return a fraction."""

    @abstractmethod
    def power(self, base: str, exponent: Node) -> str:
        """Return a power."""

    @abstractmethod
    def root(self, text: str) -> str:
        """Return a square root."""

    @abstractmethod
    def bars(self, text: str) -> str:
        """Return an absolute value."""

    @abstractmethod
    def exponential(self, exponent: Node) -> Piece:
        """Return a power of e, and how tightly it holds together."""

    @abstractmethod
    def cases(self, cases: Sequence[tuple[str, str]], otherwise: str) -> str:
        """Return values with their conditions, and the value where none holds."""

    @abstractmethod
    def partial(self, top: str, bottom: str) -> str:
        """Return a partial derivative."""

    @abstractmethod
    def summation(self, index: str, body: str) -> str:
        """Return a sum over an index."""

    @abstractmethod
    def unequal(self, left: str, right: str) -> str:
        """Return two indices that are not the same."""

    @abstractmethod
    def indicator(self, left: str, right: str) -> str:
        """Return one where two indices are the same, else 0."""

    @abstractmethod
    def call(self, function: str, args: Sequence[str]) -> str:
        """Return a function's value."""

    @abstractmethod
    def compared(self, left: str, sign: str, right: str) -> str:
        """Return a comparison."""

    @abstractmethod
    def words_between(self, left: str, word: str, right: str) -> str:
        """Return two conditions joined by a word."""


def signed_terms(node: Node, sign: str = "+") -> list[tuple[str, Node]]:
    """Return the terms of a sum with their signs; what is no sum is one term."""
    if sign == "+" and node.op in ("add", "subtract"):
        return [*signed_terms(node.args[0]), *signed_terms(node.args[1], "+" if node.op == "add" else "-")]
    positive = _without_sign(node)
    if positive is not None:
        return [("-" if sign == "+" else "+", positive)]
    return [(sign, node)]


def _without_sign(node: Node) -> Node | None:
    """Return a tree without the minus that it begins with; None where there is none."""
    if node.op == "neg":
        return node.args[0]
    if node.op not in ("multiply", "divide"):
        return None
    first = _without_sign(node.args[0])
    if first == ONE and node.op == "multiply":
        return node.args[1]
    return None if first is None else Node(node.op, (first, node.args[1]))


def factors_of(node: Node) -> list[Node]:
    """Return the factors of a product; what is no product is one."""
    if node.op != "multiply":
        return [node]
    return [*factors_of(node.args[0]), *factors_of(node.args[1])]


def _has(node: Node, ops: Sequence[str]) -> bool:
    return (node.op in ops and node != REST) or any(_has(x, ops) for x in node.args)


def digits(x: float, *, exact: bool) -> tuple[str, str]:
    """Return the digits of a number, and of its power of ten, "" where it is written without one.

    A number of a formula is written as in programs; one that was put in with 10 significant digits, or as many as it
    has.

    Examples
    --------
    >>> digits(0.25, exact=True), digits(1e15, exact=False), digits(1.5e-7, exact=False)
    (('0.25', ''), ('1', '15'), ('1.5', '-7'))
    """
    if exact:
        text = str(int(x)) if x < 1e16 and x == int(x) else repr(x)
    else:
        text = next(text for n in range(10, 18) if float(text := f"{x:.{n}g}") == x)
    mantissa, _, exponent = text.partition("e")
    return mantissa, str(int(exponent)) if exponent else ""
