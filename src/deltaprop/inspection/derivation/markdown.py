"""Derivations as Markdown, with formulas in LaTeX between dollar signs."""

from __future__ import annotations

import re

from deltaprop.inspection.derivation import latex
from deltaprop.inspection.derivation.document import Derivation, Words


def escaped(text: str) -> str:
    r"""Return a text as Markdown shows it: none of its characters is markup.

    Examples
    --------
    >>> print(escaped("a_1 <b> *c*"))
    a\_1 &lt;b&gt; \*c\*
    """
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return re.sub(r"([\\`*_{}\[\]()#+!|~$])", r"\\\1", text)


def words_in(words: Words) -> str:
    """Return words and symbols as Markdown."""
    return "".join(escaped(part) if isinstance(part, str) else f"${latex.writer.write(part)}$" for part in words)


def render(derivation: Derivation) -> str:
    """Return a derivation as Markdown."""
    parts = [f"# {escaped(derivation.title)}"]
    for number, section in enumerate(derivation.sections, start=1):
        parts.append(f"## {number}. {escaped(section.title)}")
        for line in section.lines:
            if line.words:
                parts.append(words_in(line.words))
            if line.left is not None:
                tag = rf" \tag{{{line.tag}}}" if line.tag else ""
                parts.append(f"$$\n\\begin{{aligned}}\n{latex.equation(line)}\n\\end{{aligned}}{tag}\n$$")
    return "\n\n".join(parts)
