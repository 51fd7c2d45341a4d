"""Bounds on what a formula can come to, by interval arithmetic over its tree."""

from __future__ import annotations

import math
from collections.abc import Mapping

from deltaprop.functions.formulas.folding import folded
from deltaprop.functions.formulas.tree import Node
from deltaprop.functions.formulas.vocabulary import CONDITIONS, FUNCTIONS

Range = tuple[float, float]
ANY: Range = (-math.inf, math.inf)


def range_of(node: Node, variables: Mapping[str, Range] | None = None) -> Range:
    """Return bounds between which every value lies that is not NaN; they may be wide.

    Examples
    --------
    >>> from deltaprop.functions.formulas.parser import parse
    >>> range_of(parse("1 / (1 + exp(-a))", ["a"], "h")), range_of(parse("a * sigmoid(a)", ["a"], "h"))
    ((0.0, 1.0), (-inf, inf))
    """
    known: dict[Node, Range] = {}

    def visit(node: Node) -> Range:
        if node not in known:
            known[node] = _range(node, variables or {}, [visit(x) for x in node.args])
        return known[node]

    return visit(node)


def _range(node: Node, variables: Mapping[str, Range], args: list[Range]) -> Range:
    match node.op:
        case "number":
            return node.value, node.value
        case "variable":
            return variables.get(node.name, ANY)
        case "neg":
            return -args[0][1], -args[0][0]
        case "add":
            return _sum(args[0], args[1])
        case "subtract":
            return _sum(args[0], (-args[1][1], -args[1][0]))
        case "multiply":
            return _power(args[0], 2) if node.args[0] == node.args[1] else _product(args[0], args[1])
        case "divide":
            return _product(args[0], _reciprocal(args[1]))
        case "power":
            return _power(args[0], node.args[1].value) if node.args[1].op == "number" else ANY
        case "min" | "max":
            choose = min if node.op == "min" else max
            return choose(low for low, _ in args), choose(high for _, high in args)
        case "where":
            return min(args[1][0], args[2][0]), max(args[1][1], args[2][1])
        case "abs":
            low, high = args[0]
            return (0.0 if low <= 0 <= high else min(abs(low), abs(high))), max(abs(low), abs(high))
    if node.op in CONDITIONS:
        return 0.0, 1.0
    function = FUNCTIONS[node.op]
    if not function.slope:
        return function.low, function.high
    ends = [folded(node.op, [x]) for x in args[0][:: function.slope]]
    # Outside the domain, as at log(-1), an end says nothing.
    low, high = (bound if math.isnan(x) else x for x, bound in zip(ends, (function.low, function.high), strict=True))
    return low, high


def _sum(x: Range, y: Range) -> Range:
    low, high = x[0] + y[0], x[1] + y[1]
    return (-math.inf if math.isnan(low) else low), (math.inf if math.isnan(high) else high)


def _product(x: Range, y: Range) -> Range:
    ends = [0.0 if 0 in (i, j) else i * j for i in x for j in y]
    return min(ends), max(ends)


def _reciprocal(x: Range) -> Range:
    low, high = x
    if low < 0 < high:
        return ANY
    if low == high == 0:
        return ANY
    return (-math.inf if high == 0 else 1 / high), (math.inf if low == 0 else 1 / low)


def _power(x: Range, exponent: float) -> Range:
    low, high = x
    if exponent < 0 and low <= 0 <= high:
        return _reciprocal(_power(x, -exponent))
    whole = exponent == math.floor(exponent)
    if not whole:
        low, high = max(low, 0.0), max(high, 0.0)
    elif exponent % 2 == 0:
        low, high = (0.0 if low <= 0 <= high else min(abs(low), abs(high))), max(abs(low), abs(high))
    ends = folded("power", [low, exponent]), folded("power", [high, exponent])
    return min(ends), max(ends)
