"""Between trees and SymPy's expressions: SymPy does the algebra, the trees are what people read.

Smooth functions are SymPy's own. What has a kink (where, min, max, abs, sign) is a symbol there, so that no value at a
kink is lost; so are notation, and exponentials such as exp(1.702 a), of which SymPy would make exp(a / 500) to the
power of 851. Coming back, sums and products are put in the order in which people write them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from fractions import Fraction
from functools import cached_property
from typing import Any

from deltaprop.errors import optional
from deltaprop.functions.formulas.tree import Node, number
from deltaprop.inspection.derivation.evaluation import Point, value_or_none
from deltaprop.inspection.derivation.notation import ONE

Expression = Any  # of SymPy, which has no types

_FUNCTIONS = ("exp", "log", "tanh", "sinh", "cosh", "tan", "sin", "cos", "atan", "erf", "erfc")
_ODD, _EVEN = ("tanh", "sinh", "tan", "sin", "atan", "erf", "sign"), ("cosh", "cos", "abs")
_HIGHEST = 20  # degree of polynomials in an exponential
_LONG = 10**9
_LARGEST_BELOW = 64  # of a fraction that is written as one; others are decimals where they can be


def is_wild(exponent: Expression) -> bool:
    """Whether SymPy would take large numbers in the exponent of an exponential as degrees of polynomials."""
    coefficients = (x.as_coeff_Mul(rational=True)[0] for x in exponent.as_ordered_terms())
    return any(max(abs(int(c.p)), int(c.q)) > _HIGHEST for c in coefficients if c.is_Rational)


class UnwrittenError(ValueError):
    """An expression of SymPy's that is no tree."""


class Algebra:
    """A translation there and back.

    Parameters
    ----------
    points : sequence of Point
        At which it is seen that 1 − y is positive, and so written that way round.
    positive : sequence of str
        Variables that are known to be positive.
    """

    def __init__(self, points: Sequence[Point] = (), positive: Sequence[str] = ()) -> None:
        self.sympy = optional("sympy", "derive")
        self.points, self.positive = points, positive
        self.nodes: dict[Expression, Node] = {}  # by symbol of SymPy
        self._symbols: dict[Node, Expression] = {}
        self._trees: dict[Expression, Node] = {}
        self._turned: dict[Expression, bool] = {}

    @cached_property
    def _classes(self) -> Mapping[str, Any]:
        return {name: getattr(self.sympy, name) for name in _FUNCTIONS}

    def symbol(self, node: Node) -> Expression:
        """Return the symbol that stands for a tree."""
        if node in self._symbols:
            return self._symbols[node]
        if node.op == "variable":
            fact = {"positive": True} if node.name in self.positive else {"real": True}
            symbol = self.sympy.Symbol(node.name, **fact)
        else:
            symbol = self.sympy.Symbol(f"s{len(self.nodes):04}", real=True)
        self.nodes[symbol] = node
        self._symbols[node] = symbol
        return symbol

    def expression(self, node: Node) -> Expression:
        """Return a tree as SymPy's expression."""
        sympy = self.sympy
        match node.op:
            case "number":
                if node.value in (math.pi, math.e):
                    return sympy.pi if node.value == math.pi else sympy.E
                return sympy.Rational(repr(node.value))  # as it was written: 0.1 is a tenth
            case "add" | "subtract" | "multiply" | "divide" | "neg" | "sqrt":
                args = [self.expression(x) for x in node.args]
                match node.op:
                    case "add":
                        return args[0] + args[1]
                    case "subtract":
                        return args[0] - args[1]
                    case "multiply":
                        return args[0] * args[1]
                    case "divide":
                        return args[0] / args[1]
                    case "neg":
                        return -args[0]
                return sympy.sqrt(args[0])
            case "power" if not node.args[1].variables:
                return self.expression(node.args[0]) ** self.expression(node.args[1])
        if node.op in self._classes:
            inner = self.expression(node.args[0])
            if node.op != "exp" or not is_wild(inner):
                return self._classes[node.op](inner)
        return self.symbol(node)

    def tree(self, expression: Expression) -> Node:
        """Return SymPy's expression as a tree, in the order in which people write.

        Raises
        ------
        UnwrittenError
            If it is none.
        """
        if expression in self.nodes:
            return self.nodes[expression]
        if expression not in self._trees:
            try:
                self._trees[expression] = self._tree(expression)
            except OverflowError:
                raise UnwrittenError("a number in it is too large for float64") from None
        return self._trees[expression]

    def _tree(self, expression: Expression) -> Node:
        sympy = self.sympy
        if expression.is_Rational:
            return _rational(_fraction(expression))
        if expression in (sympy.pi, sympy.E):
            return number(math.pi if expression == sympy.pi else math.e)
        if expression.is_Add:
            return self._sum(expression)
        if expression.is_Mul or (expression.is_Pow and expression.exp.is_Rational):
            return self._product(expression)
        if expression.is_Pow:
            return Node("power", (self.tree(expression.base), self.tree(expression.exp)))
        sign, tree = self._called(expression)
        return Node("neg", (tree,)) if sign < 0 else tree

    def _called(self, expression: Expression) -> tuple[int, Node]:
        """Return a function's sign and tree: tanh(r - y) is -tanh(y - r), and cosh(r - y) is cosh(y - r)."""
        name = {"Abs": "abs"}.get(type(expression).__name__, type(expression).__name__)
        if name not in (*self._classes, "abs", "sign"):  # SymPy makes |a| of √a²
            raise UnwrittenError(f"no formula has {expression}")
        inner = expression.args[0]
        turned = name in (*_ODD, *_EVEN) and self._reversed(inner)
        return (-1 if turned and name in _ODD else 1), Node(name, (self.tree(-inner if turned else inner),))

    def _sum(self, expression: Expression) -> Node:
        terms = []
        for term in expression.args:
            _, rest = term.as_coeff_Mul(rational=True)
            tree = self.tree(term)
            negative = tree.op == "neg"
            terms.append((negative, tree.args[0] if negative else tree, bool(rest.is_number)))
        straight = any(x.op == "multiply" and x.args[0].op == "number" and x.size == 3 for _, x, _ in terms)
        # Positive terms come first, and among them a constant, unless it is that of 2 a + 3.
        terms.sort(key=lambda t: (t[0], t[2] == straight, "r" in t[1].variables, t[1].size, str(t[1])))
        negative, tree, _ = terms[0]
        tree = Node("neg", (tree,)) if negative else tree
        for negative, term, _ in terms[1:]:
            tree = Node("subtract" if negative else "add", (tree, term))
        return tree

    def _product(self, expression: Expression) -> Node:
        coefficient = Fraction(1)
        exponents: dict[Node, Fraction] = {}
        for factor in expression.as_ordered_factors() if expression.is_Mul else [expression]:
            if factor.is_Rational:
                coefficient *= _fraction(factor)
                continue
            base, exponent = factor, Fraction(1)
            if factor.is_Pow and factor.exp.is_Rational:
                base, exponent = factor.base, _fraction(factor.exp)
            sign, tree = 1, None
            if base.is_Add and exponent.denominator == 1:
                if expression.is_Mul:  # 2 (1 - y) for 2 - 2 y
                    content, rest = base.as_content_primitive()
                    if content.is_Integer:
                        base, coefficient = rest, coefficient * Fraction(int(content)) ** exponent.numerator
                if self._reversed(base):
                    sign, base = -1, -base
            elif base.is_Function and base not in self.nodes:
                sign, tree = self._called(base)
            coefficient *= sign ** (exponent.numerator % 2)
            tree = tree or self.tree(base)
            exponents[tree] = exponents.get(tree, Fraction(0)) + exponent
        if coefficient < 0:
            coefficient *= self._turned_one(exponents)
        above = [_power(tree, exponent) for tree, exponent in exponents.items() if exponent > 0]
        below = [_power(tree, -exponent) for tree, exponent in exponents.items() if exponent < 0]
        negative, coefficient = coefficient < 0, abs(coefficient)
        key = self._order
        above.sort(key=key)
        below.sort(key=key)
        over, under = _over_whole_number(coefficient)
        if over != 1 or not above:
            above.insert(0, _rational(over))
        if under != 1:
            below.insert(0, number(under))
        tree = _chain(above)
        if below:
            tree = Node("divide", (tree, _chain(below)))
        return Node("neg", (tree,)) if negative else tree

    def _turned_one(self, exponents: dict[Node, Fraction]) -> int:
        """Turn a difference among factors round, which may be of either sign, so that no minus stands before them.

        Return −1 where there is one, else 1.
        """
        for tree, exponent in exponents.items():
            odd = exponent.denominator == 1 and exponent.numerator % 2
            if tree.op != "subtract" or not odd or "r" in tree.variables:
                continue
            signs = {v > 0 for p in self.points if (v := value_or_none(tree, p))}
            turned = self.tree(-self.expression(tree))
            if len(signs) == 2 and turned.op == "subtract" and _first(turned).op != "neg":
                del exponents[tree]
                exponents[turned] = exponents.get(turned, Fraction(0)) + exponent
                return -1
        return 1

    def _order(self, node: Node) -> tuple[bool, bool, bool, int, str]:
        """Return what factors are sorted by: constants, y − r, symbols, sums, functions."""
        return bool(node.variables), "r" not in node.variables, node.op in _FUNCTIONS, node.size, str(node)

    def _reversed(self, base: Expression) -> bool:
        """Whether a sum is better written the other way round: 1 − y where that is positive, y − r otherwise."""
        if not base.is_Add:
            return False
        if base not in self._turned:
            self._turned[base] = self._is_turned(self.tree(base))
        return self._turned[base]

    def _is_turned(self, tree: Node) -> bool:
        signs = _signs(tree)
        if len(signs) == 1:  # a + z, not -a - z, whatever that is
            return signs == {"-"}
        values = [v for v in (value_or_none(tree, p) for p in self.points) if v is not None]
        if any(values) and (all(v >= 0 for v in values) or all(v <= 0 for v in values)):
            return any(v < 0 for v in values)
        return (
            tree.op == "neg"
            or _first(tree).op == "neg"
            or (tree.op == "subtract" and "r" in tree.args[0].variables and "r" not in tree.args[1].variables)
        )


def _signs(node: Node) -> set[str]:
    """Return the signs of a sum's terms."""
    if node.op in ("add", "subtract"):
        right = _signs(node.args[1])
        return _signs(node.args[0]) | (right if node.op == "add" else {"+" if sign == "-" else "-" for sign in right})
    return {"-"} if node.op == "neg" else {"+"}


def _first(node: Node) -> Node:
    while node.op in ("add", "subtract"):
        node = node.args[0]
    return node


def _chain(factors: Sequence[Node]) -> Node:
    tree = factors[0] if factors else ONE
    for factor in factors[1:]:
        tree = Node("multiply", (tree, factor))
    return tree


def _power(base: Node, exponent: Fraction) -> Node:
    if exponent == 1:
        return base
    if exponent == Fraction(1, 2):
        return Node("sqrt", (base,))
    decimal = Fraction(repr(float(exponent))) == exponent
    return Node("power", (base, number(float(exponent)) if decimal else _rational(exponent)))


def _fraction(x: Expression) -> Fraction:
    return Fraction(int(x.p), int(x.q))


def _short_decimal(x: Fraction) -> bool:
    """Whether a fraction is better written as a decimal, and is one exactly."""
    return x.denominator > _LARGEST_BELOW and Fraction(repr(float(x))) == x


def _over_whole_number(x: Fraction) -> tuple[Fraction, int]:
    """Return a fraction as a number, a decimal where it is long, over a whole number."""
    if x.denominator <= _LARGEST_BELOW:
        return Fraction(x.numerator), x.denominator
    if _short_decimal(x):
        return x, 1
    if x.denominator > _LONG:
        return Fraction(repr(float(x))), 1  # longer than float64 is: a product of such decimals, rounded
    under = x.denominator
    for prime in (2, 5):
        while under % prime == 0:
            under //= prime
    over = x * under
    return (over, under) if _short_decimal(over) else (Fraction(x.numerator), x.denominator)


def _rational(x: Fraction) -> Node:
    if x < 0:
        return Node("neg", (_rational(-x),))
    over, under = _over_whole_number(x)
    return number(float(over)) if under == 1 else Node("divide", (number(float(over)), number(under)))
