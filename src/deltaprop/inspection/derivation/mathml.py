"""Trees as MathML, which browsers show without anything else."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape

from deltaprop.functions.formulas.tree import Node
from deltaprop.inspection.derivation.breaking import RowWriter, broken
from deltaprop.inspection.derivation.notation import symbol_parts
from deltaprop.inspection.derivation.writer import PRODUCT, Piece, digits

_TALL = '<mo minsize="1.8em" maxsize="1.8em">'  # a bracket whose other half is in another row
_MINUS_OR_PLUS = {"-": "−", "+": "+"}
_CONSTANTS = {math.pi: "<mi>π</mi>", math.e: "<mi>e</mi>"}


def _row(text: str) -> str:
    return f"<mrow>{text}</mrow>"


class MathmlWriter(RowWriter):
    """Trees as elements of presentation MathML."""

    def number(self, x: float, *, exact: bool) -> str:  # noqa: D102
        if math.isinf(x) or math.isnan(x):
            return "<mi>∞</mi>" if math.isinf(x) else "<mi>NaN</mi>"
        if exact and x in _CONSTANTS:
            return _CONSTANTS[x]
        mantissa, exponent = digits(x, exact=exact)
        power = f"<msup><mn>10</mn><mn>{exponent.replace('-', '−')}</mn></msup>"
        return f"<mn>{mantissa}</mn>" + (f"<mo>·</mo>{power}" if exponent else "")

    def symbol(self, name: str) -> str:  # noqa: D102
        base, layer, indices = symbol_parts(name)
        prime = base.endswith("′")
        text = f"<mi>{escape(base.removesuffix('′'))}</mi>"
        comma = "" if all(len(k) == 1 for k in indices) else "<mo>,</mo>"
        below = _row(comma.join(_letter(k) for k in indices))
        if len(indices) == 2 and indices[0] == "y":
            below = f"<msub><mi>y</mi>{_letter(indices[1])}</msub>"
        above = f"<mo>(</mo><mn>{layer}</mn><mo>)</mo>" * bool(layer) + "<mo>′</mo>" * prime
        if indices and above:
            return f"<msubsup>{text}{below}{_row(above)}</msubsup>"
        if indices:
            return f"<msub>{text}{below}</msub>"
        return f"<msup>{text}{_row(above)}</msup>" if above else text

    def function(self, name: str) -> str:  # noqa: D102
        return f"<mi>{name}</mi>"

    def brackets(self, text: str) -> str:  # noqa: D102
        return _row(f"<mo>(</mo>{text}<mo>)</mo>")

    def signs(self, signs: Sequence[str], texts: Sequence[str]) -> str:  # noqa: D102
        parts = ["<mo>−</mo>" * (signs[0] == "-") + texts[0]]
        parts += [f"<mo>{_MINUS_OR_PLUS[s]}</mo>{text}" for s, text in zip(signs[1:], texts[1:], strict=True)]
        return _row("".join(parts))

    def beside(self, texts: Sequence[str], dots: Sequence[bool]) -> str:  # noqa: D102
        between = ("<mo>·</mo>" if dot else '<mspace width="0.17em"></mspace>' for dot in dots)
        return _row(texts[0] + "".join(space + text for space, text in zip(between, texts[1:], strict=True)))

    def fraction(self, above: Node, below: Node) -> str:  # noqa: D102
        return f"<mfrac>{_row(self.write(above))}{_row(self.write(below))}</mfrac>"

    def power(self, base: str, exponent: Node) -> str:  # noqa: D102
        return f"<msup>{_row(base)}{_row(self.write(exponent))}</msup>"

    def root(self, text: str) -> str:  # noqa: D102
        return f"<msqrt>{text}</msqrt>"

    def bars(self, text: str) -> str:  # noqa: D102
        return _row(f"<mo>|</mo>{text}<mo>|</mo>")

    def exponential(self, exponent: Node) -> Piece:  # noqa: D102
        return f"<msup><mi>e</mi>{_row(self.write(exponent))}</msup>", PRODUCT

    def cases(self, cases: Sequence[tuple[str, str]], otherwise: str) -> str:  # noqa: D102
        rows = [(then, f"<mtext>if&nbsp;</mtext>{condition}") for then, condition in cases]
        cells = "".join(
            f"<mtr><mtd>{then}</mtd><mtd>{condition}</mtd></mtr>"
            for then, condition in [*rows, (otherwise, "<mtext>else</mtext>")]
        )
        return _row(f"<mo>{{</mo><mtable>{cells}</mtable>")

    def partial(self, top: str, bottom: str) -> str:  # noqa: D102
        return f"<mfrac>{_row(f'<mo>∂</mo>{top}')}{_row(f'<mo>∂</mo>{bottom}')}</mfrac>"

    def summation(self, index: str, body: str) -> str:  # noqa: D102
        return _row(f"<munder><mo>∑</mo>{index}</munder>{body}")

    def unequal(self, left: str, right: str) -> str:  # noqa: D102
        return _row(f"{left}<mo>≠</mo>{right}")

    def indicator(self, left: str, right: str) -> str:  # noqa: D102
        return f"<msub><mn>1</mn>{_row(f'{left}<mo>=</mo>{right}')}</msub>"

    def call(self, function: str, args: Sequence[str]) -> str:  # noqa: D102
        return _row(f"{function}<mo>(</mo>{'<mo>,</mo>'.join(args)}<mo>)</mo>")

    def compared(self, left: str, sign: str, right: str) -> str:  # noqa: D102
        return _row(f"{left}<mo>{escape(sign)}</mo>{right}")

    def words_between(self, left: str, word: str, right: str) -> str:  # noqa: D102
        return _row(f"{left}<mtext>&nbsp;{word}&nbsp;</mtext>{right}")

    def appended(self, row: str, sign: str, text: str) -> str:  # noqa: D102
        return f"{row}<mo>{_MINUS_OR_PLUS[sign]}</mo>{text}"

    def continued(self, sign: str, text: str) -> str:  # noqa: D102
        return f'<mo form="infix">{_MINUS_OR_PLUS[sign]}</mo>{text}'

    def indented(self, row: str) -> str:  # noqa: D102
        return f'<mspace width="1em"></mspace>{row}'

    def opened(self, row: str) -> str:  # noqa: D102
        return f"{_TALL}(</mo>{row}"

    def closed(self, row: str) -> str:  # noqa: D102
        return f"{row}{_TALL})</mo>"

    def stacked(self, rows: Sequence[str]) -> str:  # noqa: D102
        return '<mtable displaystyle="true">' + "".join(f"<mtr><mtd>{row}</mtd></mtr>" for row in rows) + "</mtable>"


def _letter(index: str) -> str:
    return f"<mn>{index}</mn>" if index.isdigit() else f"<mi>{escape(index)}</mi>"


_writer = MathmlWriter()


def formula(node: Node, *, block: bool) -> str:
    """Return a tree as a math element, in its displayed form or within a line of text."""
    return _math(_writer.write(node), block=block)


def rows(node: Node, room: int) -> list[str]:
    """Return a tree as math elements of about ``room`` characters, to be shown one below the other."""
    return [_math(row, block=True) for row in broken(_writer, node, room)]


def _math(text: str, *, block: bool) -> str:
    display = ' display="block"' if block else ""
    return f'<math xmlns="http://www.w3.org/1998/Math/MathML"{display}>{_row(text)}</math>'
