"""A formula as a tree, and the tree as text."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from deltaprop.functions.formulas.vocabulary import CONSTANTS, OPERATORS


@dataclass(frozen=True)
class Node:
    """A number, a variable, an operator or a function of the vocabulary with its arguments.

    Attributes
    ----------
    op : str
        "number", "variable", or a key of OPERATORS or FUNCTIONS.
    args : tuple of Node
        Its arguments.
    value : float
        The number, where it is one.
    name : str
        The variable, where it is one.
    column : int
        Where it begins in the text, from 1; no part of what it is.
    size : int
        How many nodes it has, those that stand in several places counted as often.

    Examples
    --------
    >>> half = Node("divide", (variable("a"), number(2)))
    >>> str(half), half.size
    ('a / 2', 3)
    """

    op: str
    args: tuple[Node, ...] = ()
    value: float = 0.0
    name: str = ""
    column: int = field(default=0, compare=False, repr=False)
    size: int = field(init=False, compare=False, repr=False)
    _hash: int = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "size", 1 + sum(x.size for x in self.args))
        object.__setattr__(self, "_hash", hash((self.op, self.args, self.value, self.name)))

    def __hash__(self) -> int:
        return self._hash  # kept, for trees are looked up at every turn

    def __str__(self) -> str:
        return _printed(self)[0]

    @property
    def variables(self) -> frozenset[str]:
        """The names of the variables in it."""
        if self.op == "variable":
            return frozenset({self.name})
        return frozenset(node.name for node in self.parts() if node.op == "variable")

    def parts(self) -> list[Node]:
        """Return all trees in it, and itself, each once, from the leaves up."""
        found: dict[Node, None] = {}
        rebuilt(self, lambda node, args: found.setdefault(node) or node)
        return list(found)


def numbers_in(node: Node) -> set[float]:
    """Return the numbers in a tree."""
    return {x.value for x in node.parts() if x.op == "number"}


def number(value: float) -> Node:
    """Return a number; there is one zero only."""
    return Node("number", value=float(value) + 0.0)


def variable(name: str) -> Node:
    """Return a variable."""
    return Node("variable", name=name)


def rebuilt(node: Node, make: Callable[[Node, tuple[Node, ...]], Node]) -> Node:
    """Return ``make(node, its arguments rebuilt)``, from the leaves up; what stands in several places is made once."""
    made: dict[Node, Node] = {}

    def visit(node: Node) -> Node:
        if node not in made:
            made[node] = make(node, tuple(visit(x) for x in node.args))
        return made[node]

    return visit(node)


def with_args(node: Node, args: tuple[Node, ...]) -> Node:
    """Return the node over other arguments."""
    return Node(node.op, args, node.value, node.name, node.column)


def substitute(node: Node, values: Mapping[str, Node]) -> Node:
    """Return the tree with variables replaced by trees.

    Examples
    --------
    >>> str(substitute(Node("neg", (variable("y"),)), {"y": variable("a")}))
    '-a'
    """
    return rebuilt(
        node, lambda n, args: values.get(n.name, n) if n.op == "variable" else with_args(n, args) if args else n
    )


_ATOM = 9


def _printed(node: Node) -> tuple[str, int]:
    """Return the text and how tightly its outermost operator binds."""
    if node.op == "number":
        text = _digits(abs(node.value))
        return (f"-{text}", OPERATORS["neg"][1]) if node.value < 0 else (text, _ATOM)
    if node.op == "variable":
        return node.name, _ATOM
    if node.op not in OPERATORS:
        return f"{node.op}({', '.join(str(x) for x in node.args)})", _ATOM
    symbol, binding = OPERATORS[node.op]
    args = node.args
    if node.op in ("less", "less_equal") and args[0].op == "number" and args[1].op != "number":
        symbol, args = symbol.replace("<", ">"), args[::-1]  # a > 0, not 0 < a
    if len(args) == 1:
        # -x**2 is -(x**2), and - -2 is not the number 2.
        return symbol + _inside(args[0], binding + (args[0].op == "number")), binding
    # Operators of one kind group to the left, powers to the right, and comparisons not at all.
    left = binding + (node.op in ("power", "less", "less_equal"))
    right = OPERATORS["neg"][1] if node.op == "power" else binding + 1
    return _inside(args[0], left) + symbol + _inside(args[1], right), binding


def _inside(node: Node, binding: int) -> str:
    text, own = _printed(node)
    return text if own >= binding else f"({text})"


def _digits(value: float) -> str:
    for name, constant in CONSTANTS.items():
        if value == constant:
            return name
    return str(int(value)) if value < 1e16 and value == math.floor(value) else repr(value)
