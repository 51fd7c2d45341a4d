"""A tree as a short program for the engine: instructions on numbered slots, each of which holds a block of numbers."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from deltaprop.errors import FormulaError
from deltaprop.functions.formulas.algebra import minus, sum_of, terms, times
from deltaprop.functions.formulas.operations import REFERENCE, Array, Operation
from deltaprop.functions.formulas.parser import vocabulary_text
from deltaprop.functions.formulas.tree import Node, substitute
from deltaprop.functions.formulas.vocabulary import FUNCTIONS

SLOTS = 128
_COMMUTE = {"add", "multiply", "and", "or"}
_Value = tuple[str, tuple[int, ...]]

Instruction = tuple[int, int, int, int, int]


@dataclass(frozen=True)
class Program:
    """What the engine runs.

    Attributes
    ----------
    inputs : tuple of str
        The variables, in slots 0, 1, ….
    constants : tuple of float
        The numbers, in the slots after them.
    instructions : tuple of tuple
        (operation, to, x, y, w): the value of an `Operation` over the slots x, y and w goes to slot ``to``, which may
        be one of them. Operands that the operation does not have are 0.
    outputs : tuple of int
        The slots of the results; of a formula that is a variable or a number, that one's.
    registers : int
        How many slots there are in all, at most 128.
    """

    inputs: tuple[str, ...]
    constants: tuple[float, ...]
    instructions: tuple[Instruction, ...]
    outputs: tuple[int, ...]
    registers: int

    def __str__(self) -> str:
        names = {
            **dict(enumerate(self.inputs)),
            **{len(self.inputs) + i: f"{c!r}" for i, c in enumerate(self.constants)},
        }
        lines = []
        for operation, to, *operands in self.instructions:
            name = Operation(operation).name
            args = " ".join(names.get(x, f"r{x}") for x in operands[: _ARITY.get(name, 1)])
            lines.append(f"r{to} = {name} {args}")
        return "\n".join([*lines, "return " + " ".join(names.get(x, f"r{x}") for x in self.outputs)])


_ARITY = {"select": 3} | dict.fromkeys(
    ("add", "subtract", "multiply", "divide", "minimum", "maximum", "power", "less", "less_equal", "and", "or"), 2
)


def compiled(trees: Node | Sequence[Node], inputs: Sequence[str]) -> Program:
    """Return the program of stable trees; what they share is computed once.

    Examples
    --------
    >>> from deltaprop.functions.formulas.parser import parse
    >>> from deltaprop.functions.formulas.stable import stable
    >>> print(compiled(stable(parse("a / (1 + exp(-1.702 * a))", ["a"], "h")), ["a"]))
    r2 = multiply a 1.702
    r2 = sigmoid r2
    r2 = multiply a r2
    return r2
    """
    builder = _Builder(tuple(inputs))
    results = [builder.value(x) for x in ([trees] if isinstance(trees, Node) else trees)]
    return builder.program(results)


def _minus_square(x: Node) -> tuple[str, Node] | None:
    """Return the operation for exp(x), and of what, where x is -u² or -u²/2: exp would magnify what u² loses."""
    parts = terms(x)
    if len(parts) != 1:
        return None
    ((square, coefficient),) = parts.items()
    name = {-1: "exp_minus_square", -0.5: "exp_minus_half_square"}.get(float(coefficient))
    match square.op, square.args:
        case "power", (u, Node(op="number", value=2)) if name:
            return name, u
    return None


def _over_root_two(x: Node) -> Node | None:
    """Return u where x is u / sqrt(2), which loses digits that erfc would magnify."""
    u = times(Fraction(1), x)
    parts = {term: float(c) * math.sqrt(2) for term, c in terms(u).items()}
    if not all(abs(abs(c) - 1) < 1e-15 for c in parts.values()):
        return None
    return sum_of({term: Fraction(round(c)) for term, c in parts.items()})


class _Builder:
    """Numbers the values: first the inputs, then constants and results of operations as they come."""

    def __init__(self, inputs: tuple[str, ...]) -> None:
        self.inputs = inputs
        self.values: list[_Value | float] = [("input", ()) for _ in inputs]
        self.known: dict[object, int] = {}
        self.nodes: dict[Node, int] = {}

    def number(self, value: float) -> int:
        return self._numbered(float(value), float(value))

    def emit(self, name: str, *operands: int) -> int:
        numbers = [self.values[i] for i in operands]
        if all(isinstance(x, float) for x in numbers):
            with np.errstate(all="ignore"):
                return self.number(float(REFERENCE[Operation[name]](*numbers)))
        value = (name, tuple(sorted(operands)) if name in _COMMUTE else operands)
        return self._numbered(value, value)

    def _numbered(self, key: object, value: _Value | float) -> int:
        if key not in self.known:
            self.known[key] = len(self.values)
            self.values.append(value)
        return self.known[key]

    def value(self, node: Node) -> int:
        if node not in self.nodes:
            self.nodes[node] = self._value(node)
        return self.nodes[node]

    def _value(self, node: Node) -> int:
        match node.op, node.args:
            case "number", _:
                return self.number(node.value)
            case "variable", _:
                return self.inputs.index(node.name)
            case "power", (x, Node(op="number", value=exponent)) if (2 * exponent).is_integer():
                return self.power(self.value(x), exponent)
            case "where", (c, Node(op="number", value=1), Node(op="number", value=0)):
                return self.value(c)  # conditions are 1 and 0
            case "exp", (x,) if (square := _minus_square(x)) is not None:
                return self.emit(square[0], self.value(square[1]))
            case "erfc", (x,) if (u := _over_root_two(x)) is not None:
                return self.emit("multiply", self.number(2), self.emit("normal", self.value(minus(u))))
        if node.op in FUNCTIONS and not FUNCTIONS[node.op].operation:
            return self.value(substitute(vocabulary_text(FUNCTIONS[node.op].definition), {"x": node.args[0]}))
        name = FUNCTIONS[node.op].operation if node.op in FUNCTIONS else node.op
        # The larger operand first: it needs more slots while it is computed.
        for x in sorted(node.args, key=lambda x: -x.size):
            self.value(x)
        operands = [self.value(x) for x in node.args]
        if name in ("minimum", "maximum"):  # two at a time
            first, *others = operands
            for other in others:
                first = self.emit(name, first, other)
            return first
        return self.emit(name, *operands)

    def power(self, x: int, exponent: float) -> int:
        """Multiply: whole powers by squaring, half ones with one square root."""
        if exponent < 0:
            return self.emit("divide", self.number(1), self.power(x, -exponent))
        whole, result, square = int(exponent), None, x
        if exponent != whole:
            result = self.emit("sqrt", x)
        while whole:
            if whole % 2:
                result = square if result is None else self.emit("multiply", result, square)
            whole //= 2
            if whole:
                square = self.emit("multiply", square, square)
        return self.number(1) if result is None else result

    def program(self, results: list[int]) -> Program:
        """Give slots to the values that the results need, and reuse those whose value is no longer needed."""
        order = self._needed(results)
        constants = [i for i in order if isinstance(self.values[i], float)]
        slots = {i: i for i in range(len(self.inputs))}
        slots |= {i: len(self.inputs) + k for k, i in enumerate(constants)}
        steps = [i for i in order if i not in slots]
        last = {x: at for at, i in enumerate(steps) for x in self._operands(i)} | dict.fromkeys(results, len(steps))
        fixed, free, total = len(slots), list[int](), len(slots)
        instructions: list[Instruction] = []
        for at, i in enumerate(steps):
            name, operands = self.values[i]  # type: ignore[misc]
            x, y, w = ([slots[x] for x in operands] + [0, 0])[:3]
            free += sorted({slots[x] for x in operands if slots[x] >= fixed and last[x] == at}, reverse=True)
            if not free:
                free.append(total)
                total += 1
            slots[i] = free.pop()
            instructions.append((int(Operation[name]), slots[i], x, y, w))
        if total > SLOTS:
            raise FormulaError(f"it is too large: it needs {total} numbers at a time, and there is room for {SLOTS}")
        numbers = tuple(float(self.values[i]) for i in constants)  # type: ignore[arg-type]
        return Program(self.inputs, numbers, tuple(instructions), tuple(slots[i] for i in results), total)

    def _operands(self, i: int) -> tuple[int, ...]:
        value = self.values[i]
        return () if isinstance(value, float) else value[1]

    def _needed(self, results: Iterable[int]) -> list[int]:
        """Return the values that the results come from, each after its operands."""
        needed = set(results)
        for i in range(len(self.values) - 1, -1, -1):
            if i in needed:
                needed |= set(self._operands(i))
        return sorted(needed)


def evaluate(program: Program, *inputs: Any) -> tuple[Array, ...]:
    """Run a program in NumPy: every instruction in float64, rounded to the inputs' dtype.

    Examples
    --------
    >>> from deltaprop.functions.formulas.parser import parse
    >>> square = compiled(parse("a**2 / 2", ["a"], "h"), ["a"])
    >>> evaluate(square, np.array([1.0, 3.0]))
    (array([0.5, 4.5]),)
    """
    blocks = [np.asarray(x) for x in inputs]
    shape, dtype = np.broadcast_shapes(*(x.shape for x in blocks)), np.result_type(*blocks)
    with np.errstate(all="ignore"):
        slots = [np.broadcast_to(np.asarray(x, dtype), shape) for x in [*blocks, *program.constants]]
        slots += [np.zeros(shape, dtype)] * (program.registers - len(slots))
        for operation, to, *operands in program.instructions:
            args = [slots[x].astype(float) for x in operands[: _ARITY.get(Operation(operation).name, 1)]]
            value = REFERENCE[operation](*args)
            if operation == Operation["positive"]:
                value = np.maximum(args[0], np.finfo(dtype).tiny)
            if operation == Operation["apart"]:
                value = np.maximum(args[0], np.finfo(dtype).eps / 4)
            slots[to] = np.asarray(value).astype(dtype)
    return tuple(slots[i] for i in program.outputs)
