"""What the figures are made of: lines, circles, texts and their colours, in light and in dark."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from html import escape

from deltaprop.storage import PathLike, replace_file

# Forward is blue and backward vermilion, which people who confuse red and green tell apart (Okabe and Ito, 2008); the
# sign of a weight is also in the dashes of its line. Class by class, light and dark.
_INK = {
    "ground": ("fill:#ffffff", "fill:#15191d"),
    "ink": ("fill:#1b2630", "fill:#e8edf2"),
    "muted": ("fill:#55616b", "fill:#a9b4be"),
    "forward": ("fill:#005a94", "fill:#6cc0f2"),
    "backward": ("fill:#b34700", "fill:#ff9a5c"),
    "unit": ("fill:#dcebf7;stroke:#1b5e8c", "fill:#1d3445;stroke:#6cc0f2"),
    "input": ("fill:#ffffff;stroke:#1b5e8c", "fill:#15191d;stroke:#6cc0f2"),
    "edge": ("stroke:#5b6770", "stroke:#93a0ab"),
    "tip": ("fill:#5b6770", "fill:#93a0ab"),
    "back": ("stroke:#b34700", "stroke:#ff9a5c"),
    "backtip": ("fill:#b34700", "fill:#ff9a5c"),
}
SUBSCRIPT = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
_NARROW, _LETTER, _CAPITAL, _WIDE = 0.34, 0.53, 0.74, 1.0  # of the size of a text, the width of a letter, about


@dataclass(frozen=True)
class Drawing:
    """A picture in SVG: shown by notebooks, ``str`` is the text, `save` writes it."""

    svg: str

    def _repr_svg_(self) -> str:
        return self.svg

    def __str__(self) -> str:
        return self.svg

    def save(self, path: PathLike) -> None:
        """Write the SVG to ``path``, whole or not at all; raise OSError where it cannot be written."""
        replace_file(path, self.svg.encode())


class Canvas:
    """The parts of a picture, from back to front."""

    def __init__(self) -> None:
        self._parts: list[str] = []

    def line(
        self, start: tuple[float, float], end: tuple[float, float], *, width: float = 1.0, dashed: bool = False,
        kind: str = "edge",
    ) -> None:  # fmt: skip
        """Draw an arrow."""
        (x1, y1), (x2, y2) = start, end
        more = ' stroke-dasharray="5 3"' if dashed else ""
        self._parts.append(
            f'<line class="dp-{kind}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" '
            f'stroke-width="{width:.2g}"{more} marker-end="url(#dp-{kind})"/>'
        )

    def circle(self, at: tuple[float, float], radius: float, *, kind: str = "unit") -> None:
        """Draw a unit."""
        x, y = at
        self._parts.append(f'<circle class="dp-{kind}" cx="{x:g}" cy="{y:g}" r="{radius:g}" stroke-width="1.5"/>')

    def text(
        self, at: tuple[float, float], words: str, *, size: float = 13, kind: str = "ink", anchor: str = "middle",
        ground: bool = False, bold: bool = False,
    ) -> None:  # fmt: skip
        """Write words, on ground of their own where lines lie below them."""
        x, y = at
        where = f'x="{x:.1f}" y="{y:.1f}" font-size="{size:g}" text-anchor="{anchor}"'
        weight = ' font-weight="bold"' if bold else ""
        if ground:
            wide = width_of(words, size) + 4
            self._parts.append(
                f'<rect class="dp-ground" x="{x - wide / 2:.1f}" y="{y - 0.82 * size:.1f}" width="{wide:.1f}" '
                f'height="{1.05 * size:.1f}"/>'
            )
        self._parts.append(f'<text class="dp-{kind}" {where}{weight}>{escape(words)}</text>')

    def drawing(self, width: float, height: float, *, title: str, words: str) -> Drawing:
        """Return the picture; ``words`` say in text what it shows."""
        light = "".join(f".dp-{name}{{{style[0]}}}" for name, style in _INK.items())
        dark = "".join(f".dp-{name}{{{style[1]}}}" for name, style in _INK.items())
        tips = "".join(
            f'<marker id="dp-{kind}" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="7" markerHeight="7" '
            f'markerUnits="userSpaceOnUse" orient="auto"><path class="dp-{ink}" d="M0 0 8 4 0 8z"/></marker>'
            for kind, ink in (("edge", "tip"), ("back", "backtip"))
        )
        head = [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" width="{width:g}" '
            f'height="{height:g}" role="img" font-family="Georgia, \'Times New Roman\', serif">',
            f"<title>{escape(title)}</title>",
            f"<desc>{escape(words)}</desc>",
            f"<style>{light}@media (prefers-color-scheme: dark){{{dark}}}</style>",
            f"<defs>{tips}</defs>",
            f'<rect class="dp-ground" width="{width:g}" height="{height:g}" rx="8"/>',
        ]
        return Drawing("\n".join([*head, *self._parts, "</svg>"]) + "\n")


def number(x: float) -> str:
    """Return a number in few letters, with three digits.

    Examples
    --------
    >>> [number(x) for x in (0.0, -0.123456, 12.3456, 999.7, 1234.5, 2.5e-7, float("inf"))]
    ['0', '−0.123', '12.3', '1e3', '1.2e3', '2.5e-7', 'inf']
    """
    if x == 0:
        return "0"
    text = f"{x:.3g}"
    if not 1e-3 <= abs(float(text)) < 1e3 and abs(x) < float("inf"):
        mantissa, _, exponent = f"{x:.1e}".partition("e")
        text = f"{mantissa.removesuffix('.0')}e{int(exponent)}"
    return text.replace("-", "−", 1) if x < 0 else text


def shortened(name: str, most: int = 18) -> str:
    """Return a name that fits, without its middle where it would take the room of more letters.

    Of the columns of a text it is the end that differs.

    Examples
    --------
    >>> shortened("colour=red"), shortened("MS_SubClass=One_Story_1946_and_Newer")
    ('colour=red', 'MS_Sub…d_Newer')
    """
    room = _LETTER * most
    if width_of(name, 1) <= room:
        return name
    kept, end = "…", ""
    start = ""
    left, right = 0, len(name) - 1
    while left <= right:
        forward = width_of(start, 1) <= width_of(end, 1)
        letter = name[left] if forward else name[right]
        if width_of(start + end + letter + kept, 1) > room:
            break
        start, end = (start + letter, end) if forward else (start, letter + end)
        left, right = (left + 1, right) if forward else (left, right - 1)
    return f"{start}{kept}{end}"


def width_of(words: str, size: float) -> float:
    """Return about how wide a text is."""
    return size * sum(map(_width, words))


def _width(letter: str) -> float:
    if unicodedata.east_asian_width(letter) in "WF" or letter in "MW@%…":
        return _WIDE
    if letter.isupper() or letter in "mw+=<>−&":
        return _CAPITAL
    return _NARROW if letter in "ijlt.,:;|!'()[] " else _LETTER
