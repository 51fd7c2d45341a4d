"""Derivations as a page of HTML with MathML."""

from __future__ import annotations

from html import escape

from deltaprop.inspection.derivation.breaking import width, width_of_words
from deltaprop.inspection.derivation.document import Derivation, Line, Words
from deltaprop.inspection.derivation.mathml import formula, rows

_ROOM = 100  # characters of a row

_STYLE = """
.derivation { font-family: Georgia, 'Times New Roman', serif; line-height: 1.5; max-width: 60em; margin: 0 auto; }
.derivation h1, .derivation h2 { overflow-wrap: anywhere; }
.derivation p, .derivation div { overflow-x: auto; }
.derivation p { overflow-y: hidden; padding-bottom: 0.3em; }
.derivation table { border: 0; border-collapse: collapse; margin: 0.4em 0 0.8em 1.5em; }
.derivation td { border: 0; padding: 0.35em 0.3em; text-align: left; vertical-align: middle; }
.derivation td.left { text-align: right; }
.derivation td.row { white-space: nowrap; }
.derivation td.row + td { padding-left: 1em; }
.derivation .more { padding-left: 1.5em; }
.derivation .reason { color: #5b6770; font-size: 90%; padding-left: 1.5em; }
.derivation math { display: inline math; math-style: normal; }
.derivation mtd { text-align: left; }
"""


def render(derivation: Derivation) -> str:
    """Return a derivation as a whole page."""
    title = escape(derivation.title)
    return (
        f'<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>{title}</title>\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"</head>\n<body>\n{body(derivation)}\n</body>\n</html>"
    )


def body(derivation: Derivation) -> str:
    """Return a derivation as the part of a page, as notebooks take it."""
    parts = [f'<div class="derivation">\n<style>{_STYLE}</style>', f"<h1>{escape(derivation.title)}</h1>"]
    for number, section in enumerate(derivation.sections, start=1):
        parts.append(f"<h2>{number}. {escape(section.title)}</h2>")
        for line in section.lines:
            if line.words:
                parts.append(f"<p>{words_in(line.words)}</p>")
            if line.left is not None:
                parts.append(_table(line))
    return "\n".join([*parts, "</div>"])


def words_in(words: Words) -> str:
    """Return words and symbols as HTML."""
    return "".join(escape(part) if isinstance(part, str) else formula(part, block=False) for part in words)


def _table(line: Line) -> str:
    assert line.left is not None
    room = _ROOM - width(line.left)
    shown = []  # left side, relation, right side
    for place, step in enumerate(line.steps):
        start = (formula(line.left, block=True), line.relation) if not place else ("", "=")
        first, *others = rows(step.right, room)
        own = [(*start, first), *(("", "", f'<span class="more">{row}</span>') for row in others)]
        if step.reason:
            reason = f'<span class="reason">{words_in(step.reason)}</span>'
            if not others and width(step.right) + width_of_words(step.reason) < room:
                own = [(*start, first + reason)]
            else:
                own.append(("", "", reason))
        shown += own
    number = f"({escape(line.tag)})" if line.tag else ""
    cells = [
        f'<tr><td class="left">{left}</td><td>{relation}</td><td class="row">{right}</td>'
        f"<td>{number if place == len(shown) - 1 else ''}</td></tr>"
        for place, (left, relation, right) in enumerate(shown)
    ]
    return "<div><table>\n" + "\n".join(cells) + "\n</table></div>"
