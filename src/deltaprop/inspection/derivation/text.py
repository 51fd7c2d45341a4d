"""Derivations as plain text."""

from __future__ import annotations

import math
from collections.abc import Sequence
from textwrap import wrap

from deltaprop.functions.formulas.tree import Node
from deltaprop.inspection.derivation.document import Derivation, Line, Words
from deltaprop.inspection.derivation.notation import symbol_parts
from deltaprop.inspection.derivation.writer import ATOM, FRACTION, POWER, Piece, Writer, digits

_WIDTH = 110
_ABOVE = str.maketrans("0123456789-()", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁽⁾")
_CONSTANTS = {math.pi: "π", math.e: "e"}


class TextWriter(Writer):
    """Trees as text with the letters of mathematics."""

    fraction_binding = FRACTION
    dots_partials = True

    def needs_dot(self, left: Node, right: Node) -> bool:
        """Whether a dot stands between two factors: before numbers, and beside fractions, which have no bar here."""
        return super().needs_dot(left, right) or "divide" in (left.op, right.op)

    def number(self, x: float, *, exact: bool) -> str:  # noqa: D102
        if math.isinf(x) or math.isnan(x):
            return "∞" if math.isinf(x) else "NaN"
        if exact and x in _CONSTANTS:
            return _CONSTANTS[x]
        mantissa, exponent = digits(x, exact=exact)
        return f"{mantissa}e{exponent.replace('-', '−')}" if exponent else mantissa

    def symbol(self, name: str) -> str:  # noqa: D102
        base, layer, indices = symbol_parts(name)
        below = ("" if all(len(k) == 1 for k in indices) else ",").join(indices)
        if len(indices) == 2 and indices[0] == "y":
            below = "".join(indices)  # a_y12 is a of y_12
        above = f"({layer})".translate(_ABOVE) if layer else ""
        prime = "′" if base.endswith("′") else ""
        return base.removesuffix("′") + above + (f"_{below}" if below else "") + prime

    def function(self, name: str) -> str:  # noqa: D102
        return name

    def brackets(self, text: str) -> str:  # noqa: D102
        return f"({text})"

    def signs(self, signs: Sequence[str], texts: Sequence[str]) -> str:  # noqa: D102
        first = ("−" if signs[0] == "-" else "") + texts[0]
        others = (f" {'−' if sign == '-' else '+'} {text}" for sign, text in zip(signs[1:], texts[1:], strict=True))
        return first + "".join(others)

    def beside(self, texts: Sequence[str], dots: Sequence[bool]) -> str:  # noqa: D102
        return texts[0] + "".join((" · " if dot else " ") + text for dot, text in zip(dots, texts[1:], strict=True))

    def fraction(self, above: Node, below: Node) -> str:  # noqa: D102
        return f"{self.inside(above, FRACTION)} / {self.inside(below, POWER)}"

    def power(self, base: str, exponent: Node) -> str:  # noqa: D102
        if exponent.op == "number" and exponent.value in (2, 3):
            return base + str(int(exponent.value)).translate(_ABOVE)
        return f"{base}^{self.inside(exponent, ATOM)}"

    def root(self, text: str) -> str:  # noqa: D102
        return f"√{text}" if text.isalnum() or (text[0] == "|" == text[-1] and text.count("|") == 2) else f"√({text})"

    def bars(self, text: str) -> str:  # noqa: D102
        return f"|{text}|"

    def exponential(self, exponent: Node) -> Piece:  # noqa: D102
        return f"exp({self.write(exponent)})", ATOM

    def cases(self, cases: Sequence[tuple[str, str]], otherwise: str) -> str:  # noqa: D102
        return "{" + ", ".join([*(f"{then} if {condition}" for then, condition in cases), f"else {otherwise}"]) + "}"

    def partial(self, top: str, bottom: str) -> str:  # noqa: D102
        return f"∂{top}/∂{bottom}"

    def summation(self, index: str, body: str) -> str:  # noqa: D102
        return f"Σ_{index} {body}"

    def unequal(self, left: str, right: str) -> str:  # noqa: D102
        return f"{{{left}≠{right}}}"

    def indicator(self, left: str, right: str) -> str:  # noqa: D102
        return f"1{{{left}={right}}}"

    def call(self, function: str, args: Sequence[str]) -> str:  # noqa: D102
        return f"{function}({', '.join(args)})"

    def compared(self, left: str, sign: str, right: str) -> str:  # noqa: D102
        return f"{left} {sign} {right}"

    def words_between(self, left: str, word: str, right: str) -> str:  # noqa: D102
        return f"{left} {word} {right}".strip()


_writer = TextWriter()


def render(derivation: Derivation) -> str:
    """Return a derivation as text."""
    lines = [derivation.title, "=" * len(derivation.title)]
    for number, section in enumerate(derivation.sections, start=1):
        title = f"{number}. {section.title}"
        lines += ["", title, "-" * len(title)]
        for line in section.lines:
            lines += _rows(line)
    return "\n".join(lines)


def words_in(words: Words) -> str:
    """Return words and symbols as text."""
    return "".join(part if isinstance(part, str) else _writer.write(part) for part in words)


def _rows(line: Line) -> list[str]:
    rows = ["", *wrap(words_in(line.words), _WIDTH)] if line.words else []
    if line.left is None:
        return rows
    left = _writer.write(line.left)
    rights = [_writer.write(step.right) for step in line.steps]
    tag = f"   ({line.tag})" if line.tag else ""
    whole = f"  {left} {line.relation} " + " = ".join(rights)
    if not any(step.reason for step in line.steps) and len(whole) <= _WIDTH:
        return [*rows, whole + tag]
    for place, (right, step) in enumerate(zip(rights, line.steps, strict=True)):
        start = f"  {left} {line.relation} " if not place else " " * (len(left) + 3) + "= "
        reason = f"     [{words_in(step.reason)}]" if step.reason else ""
        rows.append(start + right + reason + (tag if place == len(rights) - 1 else ""))
    return rows
