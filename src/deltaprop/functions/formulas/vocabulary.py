"""The words of the language of formulas: one declaration each."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Function:
    """One function of the language.

    Attributes
    ----------
    name : str
        How formulas write it.
    arity : int
        How many arguments it has; -2 stands for two or more.
    operation : str
        The instruction that computes it, where there is one.
    definition : str
        Otherwise its value in other words of the language, of x.
    differential : str
        Its total differential, right at kinks too; dx and dy are those of its arguments. sqrt, a
        power, and where have none: see symbolic.
    low, high : float
        Its range.
    slope : int
        1 where it increases, -1 where it decreases, 0 where it does neither everywhere.
    parity : int
        1 where f(-x) = f(x), -1 where f(-x) = -f(x), 0 otherwise.
    aliases : tuple of str
        Other names that are understood.
    """

    name: str
    arity: int = 1
    operation: str = ""
    definition: str = ""
    differential: str = ""
    low: float = -math.inf
    high: float = math.inf
    slope: int = 0
    parity: int = 0
    aliases: tuple[str, ...] = ()


_HALF_PI = math.pi / 2

FUNCTIONS = {
    function.name: function
    for function in (
        Function("exp", 1, "exp", "", "exp(x) * dx", 0.0, slope=1),
        Function("expm1", 1, "expm1", "", "exp(x) * dx", -1.0, slope=1),
        Function("log", 1, "log", "", "dx / x", slope=1),
        Function("log1p", 1, "log1p", "", "dx / (1 + x)", slope=1),
        Function("sqrt", 1, "sqrt", "", "", 0.0, slope=1),
        Function("abs", 1, "absolute", "", "sign(x) * dx", 0.0, parity=1),
        Function("sign", 1, "sign", "", "0", -1.0, 1.0, slope=1, parity=-1),
        Function("min", -2, "minimum", "", "where(x < y, dx, dy)"),
        Function("max", -2, "maximum", "", "where(x > y, dx, dy)"),
        Function("where", 3, "select"),
        Function("tanh", 1, "tanh", "", "(1 - tanh(x)**2) * dx", -1.0, 1.0, slope=1, parity=-1),
        Function("sinh", 1, "", "(expm1(x) - expm1(-x)) / 2", "cosh(x) * dx", slope=1, parity=-1),
        Function("cosh", 1, "", "(exp(abs(x)) + 1 / exp(abs(x))) / 2", "sinh(x) * dx", 1.0, parity=1),
        Function("tan", 1, "", "sin(x) / cos(x)", "(1 + tan(x)**2) * dx", parity=-1),
        Function("sin", 1, "sin", "", "cos(x) * dx", -1.0, 1.0, parity=-1),
        Function("cos", 1, "cos", "", "-sin(x) * dx", -1.0, 1.0, parity=1),
        Function("atan", 1, "atan", "", "dx / (1 + x**2)", -_HALF_PI, _HALF_PI, 1, -1, ("arctan",)),
        Function("sigmoid", 1, "sigmoid", "", "sigmoid(x) * sigmoid(-x) * dx", 0.0, 1.0, 1, aliases=("logistic",)),
        Function("softplus", 1, "softplus", "", "sigmoid(x) * dx", 0.0, slope=1),
        Function("erf", 1, "erf", "", "2 / sqrt(pi) * exp(-x**2) * dx", -1.0, 1.0, slope=1, parity=-1),
        Function("erfc", 1, "erfc", "", "-2 / sqrt(pi) * exp(-x**2) * dx", 0.0, 2.0, slope=-1),
        Function("relu", 1, "", "max(x, 0)", "where(x > 0, dx, 0)", 0.0, slope=1),
    )
}
ALIASES = {alias: name for name, function in FUNCTIONS.items() for alias in function.aliases}
CONSTANTS = {"pi": math.pi, "e": math.e}

# Operators: how they are written, and how tightly they bind, as in Python.
OPERATORS = {
    "or": (" or ", 1), "and": (" and ", 2), "not": ("not ", 3), "less": (" < ", 4), "less_equal": (" <= ", 4),
    "add": (" + ", 5), "subtract": (" - ", 5), "multiply": (" * ", 6), "divide": (" / ", 6), "neg": ("-", 7),
    "power": ("**", 8),
}  # fmt: skip
CONDITIONS = ("less", "less_equal", "and", "or", "not")
# The differential of x**y where y is no constant.
POWER_DIFFERENTIAL = "y * x**(y - 1) * dx + x**y * log(x) * dy"
