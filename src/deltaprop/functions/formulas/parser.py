"""From text to tree: Python's grammar, and of it only what the vocabulary holds. Nothing is ever evaluated."""

from __future__ import annotations

import ast
import math
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache

from deltaprop.errors import FormulaError, did_you_mean
from deltaprop.functions.formulas.folding import constant_value
from deltaprop.functions.formulas.tree import Node
from deltaprop.functions.formulas.vocabulary import ALIASES, CONDITIONS, CONSTANTS, FUNCTIONS

LONGEST, LONGEST_NUMBER, DEEPEST, LARGEST, HIGHEST = 2000, 300, 100, 500, 64  # characters, levels, nodes, exponent

_TOKEN = re.compile(
    r"(?P<space> +)|(?P<number>(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?)|(?P<name>[A-Za-z_]\w*)|\*\*|[<>]=?|[-+*/(),]", re.ASCII
)
# What people write for what the language has.
_MEANT = {"^": "**", "²": "**2", "³": "**3", "×": "*", "·": "*", "÷": "/", "−": "-", "≤": "<=", "≥": ">="}
_MEANT_CALLS = {"ln": "log(x)", "pow": "x**y", "clip": "min(max(x, low), high)", "square": "x**2", "fabs": "abs(x)"}
_BINARY: dict[type[ast.operator], str] = {
    ast.Add: "add", ast.Sub: "subtract", ast.Mult: "multiply", ast.Div: "divide", ast.Pow: "power",
}  # fmt: skip
_COMPARE: dict[type[ast.cmpop], tuple[str, bool]] = {  # its name, and whether the sides change places
    ast.Lt: ("less", False), ast.LtE: ("less_equal", False), ast.Gt: ("less", True), ast.GtE: ("less_equal", True),
}  # fmt: skip


def parse(text: str, variables: Sequence[str], where: str, constants: Mapping[str, float] | None = None) -> Node:
    """Return the tree of a formula.

    Parameters
    ----------
    text : str
        The formula, as Python would write it, of at most 2000 characters.
    variables : sequence of str
        The variables that it may have.
    where : str
        Whose formula it is, for the message.
    constants : mapping, optional
        Numbers that have a name in it.

    Raises
    ------
    TypeError
        If ``text`` is no text.
    FormulaError
        If it is no formula in the language; the message has the column.

    Examples
    --------
    >>> str(parse("a if a>0 else slope*a", ["a"], "h", {"slope": 0.1}))
    'where(a > 0, a, 0.1 * a)'
    >>> parse("a * sigmiod(a)", ["a"], "h")
    Traceback (most recent call last):
    ...
    deltaprop.errors.FormulaError: h: no function is called 'sigmiod', column 5 of 'a * sigmiod(a)'. Did you mean 'sigmoid'?
    """  # noqa: E501
    if not isinstance(text, str):
        raise TypeError(f"{where} needs a formula as text; got {text!r}.")
    return _Parser(text, tuple(variables), where, constants or {}).tree()


def place(column: int, text: str) -> str:
    """Return in words where in a text a column is, with the text, or what is around the column of a long one.

    Examples
    --------
    >>> place(5, "a + log(0)")
    ", column 5 of 'a + log(0)'"
    """
    start, end = (0, len(text)) if len(text) <= 60 else (max(0, column - 21), max(0, column - 21) + 40)
    excerpt = "…" * (start > 0) + text[start:end] + "…" * (end < len(text))
    return f", column {column} of {excerpt!r}"


class _Parser:
    def __init__(self, text: str, variables: tuple[str, ...], where: str, constants: Mapping[str, float]) -> None:
        self.text, self.variables, self.where, self.constants = text, variables, where, constants
        self.nodes = 0

    def error(self, what: str, column: int | None = None, hint: str = "") -> FormulaError:
        return FormulaError(f"{self.where}: {what}{'' if column is None else place(column, self.text)}.{hint}")

    def tree(self) -> Node:
        if len(self.text) > LONGEST:
            raise self.error(f"a formula has at most {LONGEST} characters; this one has {len(self.text)}")
        self.check_characters()
        stripped = self.text.lstrip(" ")
        self.indent = len(self.text) - len(stripped)
        if not stripped:
            raise self.error("a formula is needed; the text is empty")
        try:
            body = ast.parse(stripped.rstrip(" "), mode="eval").body
        except SyntaxError as error:
            column = min((error.offset or len(self.text)) + self.indent, len(self.text))  # 0 where it ends too early
            raise self.error("this is no formula", column) from None
        except (MemoryError, RecursionError):
            raise self.error(f"a formula is nested at most {DEEPEST} deep; this one is deeper") from None
        return self.number(body, 0)

    def check_characters(self) -> None:
        """Refuse what is no token of the language, before Python's parser sees the text."""
        at, last = 0, ""
        while at < len(self.text):
            token = _TOKEN.match(self.text, at)
            if token is None or (token.lastgroup == last == "number"):
                rest = self.text[at:]
                meant = _MEANT.get(rest[0])
                if rest[0] == "." and last == "name":  # np.exp(a)
                    raise self.error("formulas have no '.'", at + 1, " Write the function alone, as exp(a).")
                if rest.startswith(("==", "!=")):
                    raise self.error("numbers are compared with <, <=, > and >=", at + 1)
                hint = f" Did you mean {meant!r}?" if meant else ""
                raise self.error(
                    f"formulas have no {rest[0]!r}" if token is None else "this is no number", at + 1, hint
                )
            if token.lastgroup == "name" and last == "number":
                raise self.error("a * is missing before a name", at + 1)
            if token.lastgroup == "number" and len(token[0]) > LONGEST_NUMBER:
                raise self.error("this number is too long", at + 1)
            last = token.lastgroup or ""
            at = token.end()

    def column(self, node: ast.expr) -> int:
        return node.col_offset + self.indent + 1

    def node(self, source: ast.expr, op: str, *args: Node, value: float = 0.0, name: str = "") -> Node:
        self.nodes += 1
        if self.nodes > LARGEST:
            raise self.error(f"a formula has at most {LARGEST} operations and operands; this one has more")
        return Node(op, args, value, name, self.column(source))

    def number(self, source: ast.expr, depth: int) -> Node:
        """Return the tree of something that is a number."""
        node = self.any(source, depth)
        if node.op in CONDITIONS:
            hint = " Write where(condition, x, y)."
            raise self.error("a condition stands where a number is needed", self.column(source), hint)
        return node

    def condition(self, source: ast.expr, depth: int) -> Node:
        """Return the tree of something that holds or not."""
        node = self.any(source, depth)
        if node.op not in CONDITIONS:
            raise self.error("a number stands where a condition is needed", self.column(source), " Compare it: a > 0.")
        return node

    def any(self, source: ast.expr, depth: int) -> Node:
        depth += 1
        if depth > DEEPEST:
            raise self.error(f"a formula is nested at most {DEEPEST} deep; this one is deeper", self.column(source))
        match source:
            case ast.Constant():
                return self.literal(source)
            case ast.Name():
                return self.named(source)
            case ast.UnaryOp(op=ast.UAdd(), operand=x):
                return self.number(x, depth)
            case ast.UnaryOp(op=ast.USub(), operand=x):
                operand = self.number(x, depth)
                if operand.op == "number":
                    return self.node(source, "number", value=0.0 - operand.value)  # one zero only
                return self.node(source, "neg", operand)
            case ast.UnaryOp(op=ast.Not(), operand=x):
                return self.node(source, "not", self.condition(x, depth))
            case ast.BinOp(left=x, op=op, right=y) if type(op) in _BINARY:
                self.check_row(source, depth)
                left, right = self.number(x, depth), self.number(y, depth)
                if isinstance(op, ast.Pow):
                    self.check_exponent(right, y)
                return self.node(source, _BINARY[type(op)], left, right)
            case ast.BoolOp(op=op, values=values):
                name = "and" if isinstance(op, ast.And) else "or"
                return self.chained(source, name, [self.condition(x, depth) for x in values])
            case ast.Compare():
                return self.comparison(source, depth)
            case ast.IfExp(test=c, body=x, orelse=y):
                args = self.condition(c, depth), self.number(x, depth), self.number(y, depth)
                return self.node(source, "where", *args)
            case ast.Call():
                return self.call(source, depth)
        raise self.error("this is not in the language of formulas", self.column(source))

    def check_row(self, source: ast.BinOp, depth: int) -> None:
        """Refuse a sum or a product of too many, each of which is one level deeper: a + b + c is (a + b) + c."""
        first, operands = source.left, 2
        while isinstance(first, ast.BinOp):
            first, operands = first.left, operands + 1
        if depth + operands - 1 > DEEPEST:
            here = "" if depth == 1 else f", and fewer inside of something, as here {DEEPEST + 1 - depth}"
            what = f"a formula has at most {DEEPEST} terms or factors in a row{here}; these are {operands}"
            raise self.error(what, self.column(source))

    def literal(self, source: ast.Constant) -> Node:
        value = source.value
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self.error(f"{value!r} is no number", self.column(source))
        try:
            value = float(value)
        except OverflowError:
            value = math.inf
        if math.isinf(value):
            raise self.error("this number is too large", self.column(source))
        return self.node(source, "number", value=value)

    def named(self, source: ast.Name) -> Node:
        name = source.id
        if name in self.variables:
            return self.node(source, "variable", name=name)
        known = {**CONSTANTS, **self.constants}
        if name in known:
            return self.node(source, "number", value=float(known[name]) + 0.0)
        if name in FUNCTIONS or name in ALIASES:
            raise self.error(f"{name} is a function", self.column(source), f" Write {name}({self.variables[0]}).")
        hint = did_you_mean(name, [*self.variables, *known, *FUNCTIONS, *ALIASES])
        has = f" The variables are: {', '.join(self.variables)}."
        raise self.error(f"no variable is called {_short(name)!r}", self.column(source), hint + has)

    def chained(self, source: ast.expr, op: str, args: list[Node]) -> Node:
        tree = args[0]
        for x in args[1:]:
            tree = self.node(source, op, tree, x)
        return tree

    def comparison(self, source: ast.Compare, depth: int) -> Node:
        sides = [self.number(x, depth) for x in (source.left, *source.comparators)]
        parts = []
        for op, x, y in zip(source.ops, sides, sides[1:], strict=False):
            if type(op) not in _COMPARE:
                raise self.error("numbers are compared with <, <=, > and >=", self.column(source))
            name, swapped = _COMPARE[type(op)]
            parts.append(self.node(source, name, *((y, x) if swapped else (x, y))))
        return self.chained(source, "and", parts)

    def call(self, source: ast.Call, depth: int) -> Node:
        if not isinstance(source.func, ast.Name):
            raise self.error("only a function of the language can be called", self.column(source))
        name = ALIASES.get(source.func.id, source.func.id)
        if name not in FUNCTIONS:
            if name in (*self.variables, *CONSTANTS, *self.constants):
                raise self.error(f"{name} is no function", self.column(source), f" Write {name} * (…).")
            hint = _hint_for_call(name)
            raise self.error(f"no function is called {_short(name)!r}", self.column(source), hint)
        if source.keywords or any(isinstance(x, ast.Starred) for x in source.args):
            raise self.error(f"{name} takes plain arguments", self.column(source))
        arity, given = FUNCTIONS[name].arity, len(source.args)
        if given != arity and not (arity < 0 and given >= -arity):
            needed = f"{-arity} arguments or more" if arity < 0 else f"{arity} argument{'s' * (arity > 1)}"
            raise self.error(f"{name} needs {needed}; got {given}", self.column(source))
        first = self.condition if name == "where" else self.number
        args = [first(source.args[0], depth), *(self.number(x, depth) for x in source.args[1:])]
        return self.node(source, name, *args)

    def check_exponent(self, exponent: Node, source: ast.expr) -> None:
        if exponent.variables:
            return
        value = constant_value(exponent)
        if not abs(value) <= HIGHEST:
            raise self.error(f"an exponent lies between -{HIGHEST} and {HIGHEST}; got {value:g}", self.column(source))


def _hint_for_call(name: str) -> str:
    from deltaprop.functions.activations import ACTIVATIONS

    if name in _MEANT_CALLS:
        return f" Did you mean {_MEANT_CALLS[name]!r}?"
    for entry in ACTIVATIONS.values():
        if name in (entry.name, *entry.aliases):
            return f" It is an activation of its own; its formula is {entry.formula}."
    return did_you_mean(name, [*FUNCTIONS, *ALIASES]) or f" There are: {', '.join(FUNCTIONS)}."


def _short(name: str) -> str:
    return name if len(name) <= 40 else name[:39] + "…"


@lru_cache(maxsize=256)
def vocabulary_text(text: str) -> Node:
    """Return the tree of a text of the vocabulary, of x, y and their differentials.

    Examples
    --------
    >>> str(vocabulary_text("sign(x) * dx"))
    'sign(x) * dx'
    """
    return parse(text, ("x", "y", "dx", "dy"), "vocabulary")
