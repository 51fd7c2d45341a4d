"""Derivatives as people take them: by SymPy where a function is smooth, by the vocabulary's rules at kinks."""

from __future__ import annotations

from deltaprop.errors import FormulaError
from deltaprop.functions.formulas.folding import constant_value
from deltaprop.functions.formulas.tree import Node, number, rebuilt, variable, with_args
from deltaprop.inspection.derivation.algebra import Algebra, Expression, UnwrittenError
from deltaprop.inspection.derivation.conditions import decided, first_is_it, solved
from deltaprop.inspection.derivation.effort import TooLongError, limited
from deltaprop.inspection.derivation.notation import ONE, ZERO, minus, times

_SHORT = 6  # digits of a quotient that is written as a decimal


def for_people(node: Node) -> Node:
    """Return a formula without the words that are there for floating point: expm1(a) is exp(a) − 1.

    Examples
    --------
    >>> from deltaprop.functions.formulas import parse
    >>> str(for_people(parse("log1p(exp(-a)) + relu(a) + y**(2 - 1.5)", ["a", "y"], "h")))
    'log(1 + exp(-a)) + max(a, 0) + sqrt(y)'
    """

    def plain(node: Node, args: tuple[Node, ...]) -> Node:
        match node.op:
            case "number" if node.value < 0:
                return Node("neg", (number(-node.value),))
            case "power" if args[1] in (ZERO, ONE):
                return ONE if args[1] == ZERO else args[0]
            case "power" if args[1] == number(0.5):
                return Node("sqrt", args[:1])
            case "multiply" if ZERO in args:
                return ZERO
            case "multiply" if args[1].op == "power" and args[1].args[1].op == "neg":
                base, exponent = args[1].args
                return plain(Node("divide"), (args[0], plain(Node("power"), (base, exponent.args[0]))))
            case "divide" if args[1].op == "number" and 0 < args[1].value < 1 and (1 / args[1].value).is_integer():
                return _times(1 / args[1].value, args[0])
            case "divide" if all(x.op == "number" for x in args) and not args[0].value.is_integer():
                return _decimal(with_args(node, args))
            case "expm1":
                return minus(Node("exp", args), ONE)
            case "log1p":
                return Node("log", (Node("add", (ONE, *args)),))
            case "softplus":
                return Node("log", (Node("add", (ONE, Node("exp", args))),))
            case "relu":
                return Node("max", (*args, ZERO))
            case "add" | "subtract" if all(x.op == "number" for x in args):
                return plain(number(round(constant_value(with_args(node, args)), 15)), ())
            case "multiply" if ONE in args:
                return args[1] if args[0] == ONE else args[0]
            case "divide" if args[1] == ONE:
                return args[0]
            case "max" | "min" if len(args) > 2:
                return Node(node.op, (Node(node.op, args[:-1]), args[-1]))
        return with_args(node, args) if args else node

    return rebuilt(node, plain)


def _times(factor: float, node: Node) -> Node:
    """Return a number times a tree, put together with the number that it begins with."""
    match node.op:
        case "number":
            return number(factor * node.value)
        case "neg":
            return Node("neg", (_times(factor, node.args[0]),))
        case "divide":
            return Node("divide", (_times(factor, node.args[0]), node.args[1]))
        case "multiply" if node.args[0].op == "number":
            return times(number(factor * node.args[0].value), node.args[1])
    return times(number(factor), node)


def _decimal(node: Node) -> Node:
    """Return a quotient of numbers as one where that is short: 0.125 for 0.25 / 2."""
    x = constant_value(node)
    return number(x) if len(repr(x)) <= _SHORT else node


def derivative(node: Node, name: str, algebra: Algebra) -> Node:
    """Return ∂node/∂name, as the rules give it.

    Raises
    ------
    FormulaError
        If that takes too long, or a part of the tree has no value, as 1 / tan(pi).

    Examples
    --------
    >>> from deltaprop.functions.formulas import parse
    >>> for text in ("1 / (1 + exp(-a))", "max(a, 0)", "a * tanh(a)"):
    ...     print(derivative(parse(text, ["a"], "h"), "a", Algebra()))
    exp(-a) / (1 + exp(-a))**2
    where(a > 0, 1, 0)
    tanh(a) + a * (1 - tanh(a)**2)
    """
    known: dict[Node, Expression] = {}

    def slope(node: Node) -> Expression:
        if node not in known:
            known[node] = _slope(node)
        return known[node]

    def _slope(node: Node) -> Expression:
        expression = algebra.expression(node)
        total = expression.diff(algebra.symbol(variable(name)))
        for inner in [algebra.nodes[s] for s in sorted(expression.free_symbols, key=str)]:
            if inner.op != "variable" and name in inner.variables:
                total += expression.diff(algebra.symbol(inner)) * kinked(inner)
        return total

    def kinked(node: Node) -> Expression:
        """Return the differential that the vocabulary declares, which holds at kinks too."""
        x, y = node.args[-2:] if len(node.args) > 1 else (node.args[0], node.args[0])
        match node.op:
            case "where":
                return branches(node.args[0], x, y)
            case "max" | "min":
                return branches(first_is_it(node, algebra), x, y)
            case "abs":
                return algebra.symbol(Node("sign", (x,))) * slope(x)
            case "sigmoid":
                return algebra.expression(times(node, minus(ONE, node))) * slope(x)
            case "exp":
                return algebra.symbol(node) * slope(x)
            case "sign":
                return algebra.sympy.Integer(0)
            case "power":  # x**y, with y no constant
                log = algebra.sympy.log(algebra.expression(x))
                power = algebra.expression(node)
                return power * (slope(y) * log + algebra.expression(y) * slope(x) / algebra.expression(x))
        raise ValueError(f"no rule for {node.op}")

    def branches(condition: Node, x: Node, y: Node) -> Expression:
        there, otherwise = slope(x), slope(y)
        if there == otherwise:
            return there
        then, other = algebra.tree(there), algebra.tree(otherwise)
        if then.op == "where" and then.args[2] == other:  # one condition within the other
            within = solved(decided(condition, then.args[0], True, algebra), algebra)
            condition, then = Node("and", (then.args[0], within)), then.args[1]
        return algebra.symbol(Node("where", (condition, then, other)))

    try:
        with limited():
            return algebra.tree(slope(node))
    except TooLongError:
        raise FormulaError(f"the derivative of {str(node)[:60]!r} takes too long.") from None
    except UnwrittenError as error:
        raise FormulaError(f"the derivative of {str(node)[:60]!r} cannot be written: {error}.") from None
