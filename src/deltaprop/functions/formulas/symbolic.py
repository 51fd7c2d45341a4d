"""Derivatives, and other ways to write them, by SymPy.

SymPy sees sums, products and powers of symbols, never a function: each function in a formula is one symbol there, and
its derivative is the differential that the vocabulary declares. So nothing can come back that the language does not
have, kinks have the derivative that is declared for them, and what SymPy does is bounded by sizes known beforehand.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import suppress
from fractions import Fraction
from typing import Any

from deltaprop.errors import FormulaError, optional
from deltaprop.functions.formulas import budget
from deltaprop.functions.formulas.algebra import ONE, ZERO, factors, multiplied, terms
from deltaprop.functions.formulas.parser import vocabulary_text
from deltaprop.functions.formulas.stable import called, product, stable, total
from deltaprop.functions.formulas.tree import Node, number, rebuilt, substitute, variable, with_args
from deltaprop.functions.formulas.vocabulary import CONDITIONS, FUNCTIONS, POWER_DIFFERENTIAL

_MOST_TERMS = 200  # of a sum that is multiplied out
_LARGEST = 1000  # nodes of a tree that is rewritten
_SHORT = 1024  # numbers with longer numerator or denominator are symbols too

Expression = Any  # of SymPy, which has no types


def differentiate(node: Node, name: str) -> Node:
    """Return the stable form of the derivative of a stable tree by one of its variables.

    Examples
    --------
    >>> from deltaprop.functions.formulas.parser import parse
    >>> for text in ("a**3 / 3", "max(a, 0)", "where(a > 0, a, expm1(a))", "exp(-a**2)"):
    ...     print(differentiate(stable(parse(text, ["a"], "h")), "a"))
    a**2
    where(a > 0, 1, 0)
    where(a > 0, 1, exp(a))
    -2 * (a * exp(-a**2))
    """
    known: dict[Node, Node] = {variable(name): ONE}

    def derivative(node: Node) -> Node:
        if node not in known:
            sums = node.op in ("add", "subtract")
            known[node] = (_of_function if _is_symbol(node) else _of_sum if sums else _of_product)(node)
        return known[node]

    def _of_sum(node: Node) -> Node:
        return total((t, c * d) for x, c in terms(node).items() for t, d in terms(derivative(x)).items())

    def _of_product(node: Node) -> Node:
        symbols = _Symbols()
        expression = symbols.expression(node)
        parts = []
        for symbol, inner in list(symbols.nodes.items()):
            slope = derivative(inner)
            if slope != ZERO:
                outer = stable(symbols.tree(expression.diff(symbol)))
                parts.append(product(multiplied(factors(outer), factors(slope))))
        return total((t, c) for part in parts for t, c in terms(part).items())

    def _of_function(node: Node) -> Node:
        if not node.args:
            return ZERO
        if node.op == "where":
            return called("where", (node.args[0], derivative(node.args[1]), derivative(node.args[2])))
        slopes = [derivative(x) for x in node.args]
        if all(slope == ZERO for slope in slopes):
            return ZERO
        rule = vocabulary_text(FUNCTIONS[node.op].differential if node.op in FUNCTIONS else POWER_DIFFERENTIAL)
        values = dict(zip(("x", "y"), node.args, strict=False)) | dict(zip(("dx", "dy"), slopes, strict=False))
        return stable(substitute(rule, values))

    return derivative(node)


def rewritten(node: Node) -> list[Node]:
    """Return other stable forms of a stable tree: multiplied out, over one denominator, with common factors apart.

    A form that becomes too large is left out.

    Examples
    --------
    >>> from deltaprop.functions.formulas.parser import parse
    >>> for form in rewritten(stable(parse("(1 - r) / (1 - y) - r / y", ["y", "r"], "loss"))):
    ...     print(form)
    1 / (1 - y) - r / y - r / (1 - y)
    (y - r) / (y * (1 - y))
    (1 - r) / (1 - y) - r / y
    """
    if node.size > _LARGEST:
        return []
    forms = []
    for way in (_multiplied_out, _over_one_denominator, _factored):
        budget.begin()
        with suppress(FormulaError):
            forms.append(_by(way, node))
    budget.begin()
    return forms


def _by(way: Callable[[Expression], Expression], node: Node) -> Node:
    """Rewrite a tree, and the branches in it by themselves."""

    def algebra(node: Node) -> Node:
        symbols = _Symbols()
        return stable(symbols.tree(way(symbols.expression(node))))

    def branches(node: Node, args: tuple[Node, ...]) -> Node:
        if node.op == "where":
            return called("where", (args[0], algebra(args[1]), algebra(args[2])))
        return with_args(node, args) if args else node

    return algebra(rebuilt(node, branches))


def _multiplied_out(expression: Expression) -> Expression:
    if _terms(expression) > _MOST_TERMS:
        return expression
    return expression.expand(power_base=False, power_exp=False, log=False)


def _over_one_denominator(expression: Expression) -> Expression:
    above, below = optional("sympy", "derive").together(expression).as_numer_denom()
    return _multiplied_out(above) / below


def _factored(expression: Expression) -> Expression:
    return optional("sympy", "derive").factor_terms(expression)


def _terms(expression: Expression) -> int:
    """Return a bound on how many terms an expression has when it is multiplied out; of many, that they are too many."""
    count = 1
    if expression.is_Add:
        count = sum(_terms(x) for x in expression.args)
    elif expression.is_Mul:
        for x in expression.args:
            count = min(count * _terms(x), _MOST_TERMS + 1)
    elif expression.is_Pow:
        count = _terms(expression.base)
        if count > 1 and expression.exp.is_Integer:
            n = abs(int(expression.exp))  # below a fraction it is multiplied out, too
            count = math.comb(count + n - 1, n) if n <= _MOST_TERMS else n
    return min(count, _MOST_TERMS + 1)


def _is_symbol(node: Node) -> bool:
    """Tell whether SymPy sees a node as a symbol, unless it is a short number."""
    if node.op == "power":
        return node.args[1].op != "number" or not (2 * node.args[1].value).is_integer()
    return node.op in ("number", "variable", *CONDITIONS) or (node.op in FUNCTIONS and node.op != "sqrt")


class _Symbols:
    """SymPy's symbols for the functions, the variables and the long numbers of a tree."""

    def __init__(self) -> None:
        self.sympy = optional("sympy", "derive")
        self.nodes: dict[Expression, Node] = {}
        self.known: dict[Node, Expression] = {}
        self.trees: dict[Expression, Node] = {}

    def expression(self, node: Node) -> Expression:
        if node not in self.known:
            self.known[node] = self._expression(node)
        return self.known[node]

    def _expression(self, node: Node) -> Expression:
        if node.op == "number":
            value = Fraction(node.value)
            if max(abs(value.numerator), value.denominator) <= _SHORT:
                return self.sympy.Rational(value.numerator, value.denominator)
        if _is_symbol(node):
            symbol = self.sympy.Symbol(f"s{len(self.nodes):05}")
            self.nodes[symbol] = node
            return symbol
        args = [self.expression(x) for x in node.args]
        match node.op:
            case "neg":
                return -args[0]
            case "add":
                return args[0] + args[1]
            case "subtract":
                return args[0] - args[1]
            case "multiply":
                return args[0] * args[1]
            case "divide":
                return args[0] / args[1]
            case "sqrt":
                return self.sympy.Pow(args[0], self.sympy.Rational(1, 2))
        twice = round(2 * node.args[1].value)
        return self.sympy.Pow(args[0], self.sympy.Rational(twice, 2))

    def tree(self, expression: Expression) -> Node:
        if expression not in self.trees:
            self.trees[expression] = self._tree(expression)
        return self.trees[expression]

    def _tree(self, expression: Expression) -> Node:
        if expression.is_Symbol:
            return self.nodes[expression]
        if expression.is_Rational:
            return Node("divide", (number(int(expression.p)), number(int(expression.q))))
        if expression.is_Pow:
            return Node("power", (self.tree(expression.base), number(float(expression.exp))))
        op = {"Add": "add", "Mul": "multiply"}[expression.func.__name__]
        tree, *others = (self.tree(x) for x in expression.args)
        for x in others:
            tree = Node(op, (tree, x))
        return tree
