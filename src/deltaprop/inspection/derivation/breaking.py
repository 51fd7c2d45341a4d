"""Formulas too long for a line, in rows: broken between terms, in brackets too; stacked within fractions and cases."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from copy import copy
from typing import Self

from deltaprop.functions.formulas.tree import Node
from deltaprop.inspection.derivation.document import Words
from deltaprop.inspection.derivation.text import TextWriter
from deltaprop.inspection.derivation.writer import FRACTION, PRODUCT, Writer, factors_of, signed_terms

_LEAST = 30  # characters of room, however deep in brackets
_IF = 6  # characters of what stands between a value and its condition


class _Width(TextWriter):
    """As text, but a fraction as wide as the wider of its two parts, and cases as the widest of them."""

    fraction_binding = PRODUCT

    def fraction(self, above: Node, below: Node) -> str:
        return max(self.write(above), self.write(below), key=len)

    def cases(self, cases: Sequence[tuple[str, str]], otherwise: str) -> str:
        return max([then + " " * _IF + condition for then, condition in cases] + ["{" + otherwise], key=len)


_width = _Width()


def width(node: Node) -> int:
    """Return about how many characters wide a formula is."""
    return len(_width.write(node))


def width_of_words(words: Words) -> int:
    """Return about how many characters wide a reason is."""
    return sum(len(part) if isinstance(part, str) else width(part) for part in words)


class RowWriter(Writer):
    """A format in which a formula stands in rows, and in which some rows can be one above the other within another."""

    room = 1_000_000  # characters; a part that is wider, within a fraction or one of several cases, is stacked

    def within(self, room: int) -> Self:
        """Return a writer for narrower rows."""
        narrow = copy(self)
        narrow.room = max(room, _LEAST)
        return narrow

    def write(self, node: Node) -> str:  # noqa: D102
        return super().write(node) if width(node) <= self.room else self._block(node)

    def inside(self, node: Node, binding: int) -> str:  # noqa: D102
        if not _is_sum(node) or width(node) <= self.room:
            return super().inside(node, binding)
        return self.brackets(self._block(node))

    def _block(self, node: Node) -> str:
        rows = broken(self, node)
        return rows[0] if len(rows) == 1 else self.stacked(rows)

    def _cases(self, node: Node) -> tuple[list[tuple[str, str]], str]:
        cases = []
        while node.op == "where":
            condition, then, node = node.args
            beside = self.within(self.room - _IF - min(width(condition), self.room // 2))
            cases.append((beside.write(then), self.within(self.room // 2).write(condition)))
        return cases, self.within(self.room - _IF).write(node)

    def _condition(self, node: Node) -> str:
        if node.op not in ("and", "or") or width(node) <= self.room:
            return super()._condition(node)
        first, second = (self.write(x) for x in node.args)
        return self.stacked([first, self.words_between("", node.op, second).strip()])

    # ---- how rows look ---------------------------------------------------------------------------------------------

    @abstractmethod
    def appended(self, row: str, sign: str, text: str) -> str:
        """Return a row with one term more."""

    @abstractmethod
    def continued(self, sign: str, text: str) -> str:
        """Return a row that begins with the sign of a term that is not the first."""

    @abstractmethod
    def indented(self, row: str) -> str:
        """Return a row further to the right."""

    @abstractmethod
    def opened(self, row: str) -> str:
        """Return a row behind a bracket that closes in another."""

    @abstractmethod
    def closed(self, row: str) -> str:
        """Return a row before a bracket that was opened in another."""

    @abstractmethod
    def stacked(self, rows: Sequence[str]) -> str:
        """Return rows one above the other as one piece."""


def broken(writer: RowWriter, node: Node, room: int | None = None) -> list[str]:
    """Return a formula in rows of about ``room`` characters, the writer's where none is given."""
    writer = writer.within(writer.room if room is None else room)
    if width(node) <= writer.room:
        return [writer.write(node)]
    terms = signed_terms(node)
    if len(terms) == 1 and terms[0][0] == "+":
        return _product(writer, node)
    rows: list[str] = []
    left = 0  # room in the last row
    for sign, term in terms:
        wide = width(term) + 3
        alone = not rows and sign == "+" and term.op in ("number", "value")  # -3 + a needs no brackets
        text = writer.write(term) if alone else writer.inside(term, FRACTION) if wide <= writer.room else ""
        first, *others = [text] if text else _product(writer.within(writer.room - 3), term)
        if rows and wide <= left:
            rows[-1] = writer.appended(rows[-1], sign, first)
        else:
            rows.append(writer.continued(sign, first) if rows else writer.signs([sign], [first]))
            left = writer.room
        left -= wide
        rows += [writer.indented(row) for row in others]
    return rows


def _product(writer: RowWriter, node: Node) -> list[str]:
    """Return a product in rows, broken in the widest sum among its factors; without one, a row with stacks in it."""
    if node.op == "sum":
        body = node.args[1]
        inner = (_bracketed if _is_sum(body) else _product)(writer.within(writer.room - 3), body)
        return [writer.summation(writer.index(node), inner[0]), *inner[1:]]
    factors = factors_of(node)
    if len(factors) == 1:
        return [writer.within(writer.room - 2).piece(node)[0]]
    sums = [k for k, x in enumerate(factors) if _is_sum(x) or x.op == "sum"]
    at = max(sums or range(len(factors)), key=lambda k: width(factors[k]))
    beside = sum(width(x) + 1 for k, x in enumerate(factors) if k != at)
    narrow = writer.within(max(writer.room - beside, writer.room // 2))
    inner = (_bracketed if _is_sum(factors[at]) else _product)(narrow, factors[at])
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


def _bracketed(writer: RowWriter, node: Node) -> list[str]:
    first, *others = broken(writer, node, writer.room - 4)
    if not others:
        return [writer.brackets(first)]
    rows = [writer.opened(first), *map(writer.indented, others)]
    return [*rows[:-1], writer.closed(rows[-1])]
