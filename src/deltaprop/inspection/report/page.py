"""The page put together: one text of HTML that loads nothing and runs no script but its own."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from html import escape
from importlib.resources import files
from typing import Any

_SCRIPTS = ("record", "symbols", "steps", "formulas", "figure", "tables", "stepper")


@dataclass(frozen=True)
class Page:
    """The parts of a page; all but title and record are HTML.

    Attributes
    ----------
    title : str
    facts, notes : str
        The network in words.
    figure : str
        The drawing with its empty places.
    templates : mapping of str to str
        Formulas by name.
    record : mapping
        The engine's numbers and everybody's names, JSON-able.
    sections : list of (id, title, HTML)
        What follows below the steps.
    derivation : str
    """

    title: str
    facts: str
    notes: str
    figure: str
    templates: Mapping[str, str]
    record: Mapping[str, Any]
    sections: list[tuple[str, str, str]]
    derivation: str

    def html(self) -> str:
        """Return the page."""
        script = '(() => {\n"use strict";\n' + "\n".join(part(f"{name}.js") for name in _SCRIPTS) + "})();\n"
        body = self._body()
        styles = [part("page.css"), *re.findall(r"<style>(.*?)</style>", body, re.DOTALL)]
        policy = (
            f"default-src 'none'; script-src {_hash(script)}; style-src {' '.join(map(_hash, styles))}; "
            "base-uri 'none'; form-action 'none'"
        )
        return (
            '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
            f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
            '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
            '<meta name="color-scheme" content="light dark">\n'
            f"<title>{escape(self.title)}</title>\n<style>{styles[0]}</style>\n</head>\n"
            f'<body>\n{body}\n<script id="record" type="application/json">{json_for_page(self.record)}</script>\n'
            f"<script>{script}</script>\n</body>\n</html>\n"
        )

    def _body(self) -> str:
        formulas = "\n".join(f'<template id="f-{name}">{text}</template>' for name, text in self.templates.items())
        sections = "\n".join(
            f'<section aria-labelledby="h-{name}" id="{name}">\n'
            f'<h2 id="h-{name}">{escape(title)}</h2>\n{html}\n</section>'
            for name, title, html in self.sections
        )
        parts = {
            "title": escape(self.title),
            "facts": self.facts,
            "notes": self.notes,
            "figure": self.figure,
            "sections": sections,
            "derivation": self.derivation,
            "templates": formulas,
        }
        return re.sub(r"\{(\w+)\}", lambda found: parts[found[1]], part("page.html"))  # at once: a name may have braces


@cache
def part(name: str) -> str:
    """Return a file of the page: its style, its frame, or a module of its script."""
    return files(__package__).joinpath("parts", name).read_text(encoding="utf-8")


def json_for_page(value: Any) -> str:
    """Return JSON that no HTML around it can end or open.

    Examples
    --------
    >>> json_for_page("</script>").count("<"), json.loads(json_for_page("</script>"))
    (0, '</script>')
    """
    return json.dumps(value, allow_nan=False, separators=(",", ":")).replace("<", "\\u003c")


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
