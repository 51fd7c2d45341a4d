"""Formulas too long for a line, in rows: broken between terms, those in brackets too."""

from __future__ import annotations

from deltaprop.functions.formulas.tree import Node
from deltaprop.inspection.derivation.text import TextWriter
from deltaprop.inspection.derivation.writer import FRACTION, PRODUCT, Writer, factors_of, signed_terms

_LEAST = 30  # characters of room, however deep in brackets


class _Width(TextWriter):
    """As text, but a fraction as wide as the wider of its two parts."""

    fraction_binding = PRODUCT

    def fraction(self, above: Node, below: Node) -> str:
        return max(self.write(above), self.write(below), key=len)


def width(node: Node) -> int:
    """Return about how many characters wide a formula is."""
    return len(_Width().write(node))


def broken(writer: Writer, node: Node, room: int) -> list[str]:
    """Return a formula in rows of about ``room`` characters, as far as it has terms to break it between.

    Parameters
    ----------
    writer : Writer
        Of LaTeX: a bracket that opens in one row and closes in another is written by amsmath's commands.
    node : Node
    room : int
    """
    room = max(room, _LEAST)
    if width(node) <= room:
        return [writer.write(node)]
    terms = signed_terms(node)
    if len(terms) == 1 and terms[0][0] == "+":
        return _product(writer, node, room)
    rows: list[str] = []
    left = 0  # room in the last row
    for sign, term in terms:
        wide = width(term) + 3
        alone = not rows and sign == "+" and term.op in ("number", "value")  # -3 + a needs no brackets
        text = writer.write(term) if alone else writer.inside(term, FRACTION)
        first, *others = [text] if wide <= room else _product(writer, term, room - 3)
        sign = sign if rows or sign == "-" else ""
        if rows and wide <= left:
            rows[-1] += f" {sign} {first}"
        else:
            rows.append(f"{sign} {first}" if sign == "-" or not rows else f"{{}} {sign} {first}")
            left = room
        left -= wide
        rows += [rf"\quad {row}" for row in others]
    return [row.strip() for row in rows]


def _product(writer: Writer, node: Node, room: int) -> list[str]:
    """Return a product in rows, broken in the widest sum among its factors; as it is where there is none."""
    if node.op == "sum":
        head, body = writer.summation(writer.write(node.args[0]), ""), node.args[1]
        inner = (_bracketed if _is_sum(body) else _product)(writer, body, room - 3)
        return [f"{head} {inner[0]}", *inner[1:]]
    factors = factors_of(node)
    sums = [k for k, x in enumerate(factors) if _is_sum(x) or x.op == "sum"]
    if not sums:
        return [writer.inside(node, FRACTION)]
    at = max(sums, key=lambda k: width(factors[k]))
    beside = sum(width(x) + 1 for k, x in enumerate(factors) if k != at)
    inner = (_product if factors[at].op == "sum" else _bracketed)(writer, factors[at], max(room - beside, room // 2))
    for others, first in ((factors[:at], True), (factors[at + 1 :], False)):
        if others:
            tree = others[0]
            for x in others[1:]:
                tree = Node("multiply", (tree, x))
            text = writer.inside(tree, min(PRODUCT, writer.fraction_binding))
            place = 0 if first else -1
            dot = writer.needs_dot(others[-1], factors[at]) if first else writer.needs_dot(factors[at], others[0])
            inner[place] = writer.beside([text, inner[place]] if first else [inner[place], text], [dot])
    return inner


def _is_sum(node: Node) -> bool:
    return len(signed_terms(node)) > 1


def _bracketed(writer: Writer, node: Node, room: int) -> list[str]:
    first, *others = broken(writer, node, room - 4)
    if not others:
        return [writer.brackets(first)]
    rows = [rf"\Bigl({first}", *(rf"\quad {row}" for row in others)]
    rows[-1] += r"\Bigr)"
    return rows
