"""The lecture's symbols as trees: a_j, ∂E/∂w_ji, Σ_k …, h′(a_j), and which of them stand for what of a network.

A derivation is written in the trees of formulas (functions/formulas/tree.py) with a few more operations: "partial",
"sum", "applied" and "indicator" are the lecture's notation, and "value" is a number that was put in for a symbol. A
variable's name holds its layer and its indices: ``w^2_j,i`` is w_ji of layer 2.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from deltaprop.functions.formulas.tree import Node, number, rebuilt, variable, with_args
from deltaprop.model import Model

Index = int | str

ONE, ZERO = number(1), number(0)
E, ETA = variable("E"), variable("η")
REST = variable("…")  # the terms of a long sum that are not written


def symbol(base: str, *indices: Index, layer: int = 0) -> Node:
    """Return a symbol with indices below and, unless it is 0, its layer above.

    Examples
    --------
    >>> symbol("w", "j", "i", layer=2).name
    'w^2_j,i'
    """
    above = f"^{layer}" if layer else ""
    below = "_" + ",".join(map(str, indices)) if indices else ""
    return variable(base + above + below)


def symbol_parts(name: str) -> tuple[str, str, tuple[str, ...]]:
    """Return the letter of a symbol, its layer ("" for none) and its indices.

    Examples
    --------
    >>> symbol_parts("w^2_j,i")
    ('w', '2', ('j', 'i'))
    """
    head, _, below = name.partition("_")
    base, _, above = head.partition("^")
    return base, above, tuple(below.split(",")) if below else ()


def partial(top: Node, bottom: Node) -> Node:
    """Return ∂top/∂bottom as a symbol of its own."""
    return Node("partial", (top, bottom))


def summed(index: str, body: Node, *, without: str = "") -> Node:
    """Return Σ over an index of a tree that has it, but for one value of the index."""
    return Node("sum", (variable(index), body, *([variable(without)] if without else [])))


def terms_of_sum(node: Node, n: int) -> list[Node]:
    """Return the terms of a sum over an index from 1 to n; what the index is not has to be a number by then.

    Examples
    --------
    >>> [str(term) for term in terms_of_sum(summed("m", symbol("y", "m"), without="2"), 3)]
    ['y_1', 'y_3']
    """
    index, body, *without = node.args
    if without and not without[0].name.isdigit():
        raise ValueError(f"a sum without {without[0].name} has no terms before that is a number")
    return [at(body, **{index.name: m}) for m in range(1, n + 1) if variable(str(m)) not in without]


def applied(function: Node, *args: Node) -> Node:
    """Return a function's value by the function's letter: h(a_j)."""
    return Node("applied", args, name=function.name)


def value(x: float) -> Node:
    """Return a number that was put in for a symbol."""
    return Node("value", value=float(x) + 0.0)


def plus(*parts: Node) -> Node:
    """Return a sum from left to right."""
    return _chain("add", parts)


def times(*parts: Node) -> Node:
    """Return a product from left to right."""
    return _chain("multiply", parts)


def minus(left: Node, right: Node) -> Node:
    """Return left − right."""
    return Node("subtract", (left, right))


def _chain(op: str, parts: tuple[Node, ...]) -> Node:
    tree = parts[0]
    for part in parts[1:]:
        tree = Node(op, (tree, part))
    return tree


def at(node: Node, **indices: Index) -> Node:
    """Return a tree with indices replaced, in symbols and under indicators.

    Examples
    --------
    >>> at(symbol("w", "k", "j"), k=3).name
    'w_3,j'
    """

    def renamed(node: Node, args: tuple[Node, ...]) -> Node:
        if node.op != "variable":
            return with_args(node, args) if args else node
        base, above, below = symbol_parts(node.name)
        if not below:
            return variable(str(indices[base])) if base in indices else node
        return symbol(base, *(indices.get(k, k) for k in below), layer=int(above or 0))

    return rebuilt(node, renamed)


def expanded(node: Node, sizes: Mapping[str, int]) -> Node:
    """Return a tree with every sum over an index written out, and every indicator of two numbers as 0 or 1.

    Examples
    --------
    >>> str(expanded(summed("k", symbol("r", "k")), {"k": 3}))
    'r_1 + r_2 + r_3'
    """

    def written_out(node: Node, args: tuple[Node, ...]) -> Node:
        if node.op == "sum":
            return plus(*terms_of_sum(with_args(node, args), sizes[args[0].name]) or [ZERO])
        return with_args(node, args) if args else node

    def decided(node: Node, args: tuple[Node, ...]) -> Node:
        if node.op == "indicator" and all(x.name.isdigit() for x in args):
            return ONE if args[0] == args[1] else ZERO
        return with_args(node, args) if args else node

    return rebuilt(rebuilt(node, written_out), decided)


def with_numbers(node: Node, numbers: Mapping[Node, float]) -> Node:
    """Return a tree with numbers put in for the symbols that have one, and for the rest of a long sum."""
    if node in numbers:
        return value(numbers[node])
    return with_args(node, tuple(with_numbers(x, numbers) for x in node.args)) if node.args else node


@dataclass(frozen=True)
class LayerSymbols:
    """The symbols of one layer, by the index of a unit, which is a letter or a number.

    Hidden layers have w, a_j, z_j; the output has v, a_y, y as in the lecture, with the indices of several outputs
    behind the y. Where there are several hidden layers each bears its number.

    Attributes
    ----------
    number : int
        Which layer it is, from 1.
    n_in, n_out : int
        Units below, and its own.
    hidden : bool
        Whether it is not the output.
    shown : int
        The number that its symbols bear, 0 for none.
    weight : str
        The letter of its weights.
    unit, below : str
        The letters of the indices of its units and of those below.
    below_base, below_shown : str, int
        The letter of what leads into it, and the layer number that bears.
    function : Node
        The letter of its activation function.
    """

    number: int
    n_in: int
    n_out: int
    hidden: bool
    shown: int
    weight: str
    unit: str
    below: str
    below_base: str
    below_shown: int
    function: Node

    @property
    def single(self) -> bool:
        """Whether it is an output of one unit, which needs no index."""
        return not self.hidden and self.n_out == 1

    def _of(self, base: str, j: Index) -> Node:
        if self.hidden:
            return symbol(base, j, layer=self.shown)
        return symbol(base, "y") if self.single else symbol(base, "y", j)

    def a(self, j: Index) -> Node:
        """Return the pre-activation of unit j."""
        return self._of("a", j)

    def delta(self, j: Index) -> Node:
        """Return δ of unit j."""
        return self._of("δ", j)

    def b(self, j: Index) -> Node:
        """Return the bias of unit j."""
        return self._of("b", j)

    def z(self, j: Index) -> Node:
        """Return the activation of unit j: z_j, or y."""
        if self.hidden:
            return symbol("z", j, layer=self.shown)
        return symbol("y") if self.single else symbol("y", j)

    def r(self, j: Index) -> Node:
        """Return the target of output j."""
        return symbol("r") if self.single else symbol("r", j)

    def w(self, j: Index, i: Index) -> Node:
        """Return the weight from unit i below to unit j."""
        return symbol(self.weight, i) if self.single else symbol(self.weight, j, i, layer=self.shown)

    def input(self, i: Index) -> Node:
        """Return what unit i below gives: x_i or z_i."""
        return symbol(self.below_base, i, layer=self.below_shown)

    def slope(self, j: Index) -> Node:
        """Return h′(a_j)."""
        base, above, below = symbol_parts(self.function.name)
        return applied(symbol(base + "′", *below, layer=int(above or 0)), self.a(j))


def symbols_of(model: Model) -> list[LayerSymbols]:
    """Return the symbols of each layer of a network."""
    depth = len(model.layers) - 1
    deep = depth > 2
    alike = len(set(model.h)) == 1
    layers = []
    for l in range(1, depth + 1):
        hidden = l < depth
        layers.append(
            LayerSymbols(
                number=l,
                n_in=model.layers[l - 1],
                n_out=model.layers[l],
                hidden=hidden,
                shown=l if hidden and deep else 0,
                weight="w" if hidden or depth == 1 else "v",
                unit="j" if hidden else "k",
                below="i" if hidden or depth == 1 else "j",
                below_base="x" if l == 1 else "z",
                below_shown=l - 1 if deep else 0,
                function=symbol("h", layer=0 if alike or not deep else l) if hidden else symbol("h", "o"),
            )
        )
    return layers
