"""Derivations as a LaTeX document, and trees as LaTeX formulas."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Sequence

from deltaprop.functions.formulas.tree import Node
from deltaprop.inspection.derivation.breaking import RowWriter, broken, width, width_of_words
from deltaprop.inspection.derivation.document import Derivation, Line, Words
from deltaprop.inspection.derivation.notation import symbol_parts
from deltaprop.inspection.derivation.writer import PRODUCT, Piece, digits

_LETTERS = {
    "μ": r"\mu", "ρ": r"\rho", "β": r"\beta", "ε": r"\varepsilon", "λ": r"\lambda", "ψ": r"\psi", "δ": r"\delta",
    "η": r"\eta", "σ": r"\sigma", "ℓ": r"\ell", "…": r"\cdots",
}  # fmt: skip
_OWN = ("log", "tanh", "sinh", "cosh", "tan", "sin", "cos", "arctan", "min", "max")  # functions LaTeX has a word for
_SIGNS = {"≤": r"\le", "≥": r"\ge"}
_CONSTANTS = {math.pi: r"\pi", math.e: "e"}
_ROOM = 100  # characters of a line

_HEAD = r"""\documentclass[fleqn]{article}
\usepackage[utf8]{inputenc}
\usepackage[T1]{fontenc}
\usepackage{amsmath}
\setlength{\oddsidemargin}{-1cm}
\setlength{\textwidth}{18cm}
\setlength{\topmargin}{-2cm}
\setlength{\textheight}{25cm}
\setlength{\parindent}{0pt}
\setlength{\parskip}{6pt}
\allowdisplaybreaks
"""


class LatexWriter(RowWriter):
    """Trees as formulas of LaTeX, of amsmath."""

    def number(self, x: float, *, exact: bool) -> str:  # noqa: D102
        if math.isinf(x) or math.isnan(x):
            return r"\infty" if math.isinf(x) else r"\mathrm{NaN}"
        if exact and x in _CONSTANTS:
            return _CONSTANTS[x]
        mantissa, exponent = digits(x, exact=exact)
        return rf"{{{mantissa} \cdot 10^{{{exponent}}}}}" if exponent else mantissa

    def symbol(self, name: str) -> str:  # noqa: D102
        base, layer, indices = symbol_parts(name)
        prime = "'" if base.endswith("′") else ""
        letter = base.removesuffix("′")
        text = _LETTERS.get(letter, letter if len(letter) == 1 else rf"\mathrm{{{letter}}}")
        letters = [_LETTERS.get(k, k) for k in indices]
        if layer:
            text += f"^{{({layer})}}"
            text = f"{{{text}}}" if prime else text
        if len(letters) == 2 and letters[0] == "y":
            return f"{text}_{{y_{{{letters[1]}}}}}{prime}"
        comma = "" if all(len(k) == 1 for k in indices) else ","
        return text + (f"_{{{comma.join(letters)}}}" if indices else "") + prime

    def function(self, name: str) -> str:  # noqa: D102
        return "\\" + name if name in _OWN else _LETTERS.get(name, rf"\operatorname{{{name}}}")

    def brackets(self, text: str) -> str:  # noqa: D102
        return rf"\left({text}\right)"

    def signs(self, signs: Sequence[str], texts: Sequence[str]) -> str:  # noqa: D102
        first = ("-" if signs[0] == "-" else "") + texts[0]
        return first + "".join(f" {sign} {text}" for sign, text in zip(signs[1:], texts[1:], strict=True))

    def beside(self, texts: Sequence[str], dots: Sequence[bool]) -> str:  # noqa: D102
        between = (r" \cdot " if dot else r" \, " for dot in dots)
        return texts[0] + "".join(space + text for space, text in zip(between, texts[1:], strict=True))

    def fraction(self, above: Node, below: Node) -> str:  # noqa: D102
        return rf"\frac{{{self.write(above)}}}{{{self.write(below)}}}"

    def power(self, base: str, exponent: Node) -> str:  # noqa: D102
        return f"{{{base}}}^{{{self.write(exponent)}}}"

    def root(self, text: str) -> str:  # noqa: D102
        return rf"\sqrt{{{text}}}"

    def bars(self, text: str) -> str:  # noqa: D102
        return rf"\left|{text}\right|"

    def exponential(self, exponent: Node) -> Piece:  # noqa: D102
        return f"e^{{{self.write(exponent)}}}", PRODUCT

    def cases(self, cases: Sequence[tuple[str, str]], otherwise: str) -> str:  # noqa: D102
        rows = [*(rf"{then} & \text{{if }} {condition}" for then, condition in cases), rf"{otherwise} & \text{{else}}"]
        return r"\begin{cases}" + r" \\ ".join(rows) + r"\end{cases}"

    def partial(self, top: str, bottom: str) -> str:  # noqa: D102
        return rf"\frac{{\partial {top}}}{{\partial {bottom}}}"

    def summation(self, index: str, body: str) -> str:  # noqa: D102
        return rf"\sum_{{{index}}} {body}"

    def unequal(self, left: str, right: str) -> str:  # noqa: D102
        return rf"{left} \neq {right}"

    def indicator(self, left: str, right: str) -> str:  # noqa: D102
        return rf"\mathbf{{1}}_{{{left}={right}}}"

    def call(self, function: str, args: Sequence[str]) -> str:  # noqa: D102
        return rf"{function}\left({', '.join(args)}\right)"

    def compared(self, left: str, sign: str, right: str) -> str:  # noqa: D102
        return f"{left} {_SIGNS.get(sign, sign)} {right}"

    def words_between(self, left: str, word: str, right: str) -> str:  # noqa: D102
        return rf"{left} \text{{ {word} }} {right}"

    def appended(self, row: str, sign: str, text: str) -> str:  # noqa: D102
        return f"{row} {sign} {text}"

    def continued(self, sign: str, text: str) -> str:  # noqa: D102
        return f"{{}} {sign} {text}"

    def indented(self, row: str) -> str:  # noqa: D102
        return rf"\quad {row}"

    def opened(self, row: str) -> str:  # noqa: D102
        return rf"\Bigl({row}"

    def closed(self, row: str) -> str:  # noqa: D102
        return rf"{row}\Bigr)"

    def stacked(self, rows: Sequence[str]) -> str:  # noqa: D102
        return r"\begin{aligned}" + r" \\ ".join(f"&{row}" for row in rows) + r"\end{aligned}"


writer = LatexWriter()
_KNOWN = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#", "%": r"\%", "_": r"\_",
    "^": r"\textasciicircum{}", "~": r"\textasciitilde{}", "<": r"\textless{}", ">": r"\textgreater{}",
    "|": r"\textbar{}", '"': r"\textquotedbl{}", "…": r"\ldots{}", "−": "$-$", "·": r"$\cdot$", "×": r"$\times$",
    "≤": r"$\le$", "≥": r"$\ge$", "→": r"$\to$", "′": "$'$", "°": r"$^\circ$", "\n": " ",
    **{letter: f"${command}$" for letter, command in _LETTERS.items() if letter != "…"},
}  # fmt: skip


def escaped(text: str) -> str:
    r"""Return a text as LaTeX prints it; letters that pdflatex has not become plain ones, or their number.

    Examples
    --------
    >>> print(escaped("50% of x_1 & Größe"))
    50\% of x\_1 \& Größe
    """
    return "".join(_KNOWN.get(letter) or _letter(letter) for letter in text)


def _letter(letter: str) -> str:
    if " " <= letter <= "~" or "À" <= letter <= "ſ":
        return letter
    plain = "".join(x for x in unicodedata.normalize("NFKD", letter) if " " < x <= "~")
    return escaped(plain) if plain else rf"\texttt{{U+{ord(letter):04X}}}"


def words_in(words: Words) -> str:
    """Return words and symbols as LaTeX text."""
    return "".join(escaped(part) if isinstance(part, str) else f"${writer.write(part)}$" for part in words)


def equation(line: Line) -> str:
    """Return the equation of a line in rows aligned at the equals sign, for an aligned environment."""
    assert line.left is not None
    relation = {"=": "=", "←": r"\leftarrow"}[line.relation]
    room = _ROOM - width(line.left)
    rows = []
    for place, step in enumerate(line.steps):
        start = f"{writer.write(line.left)} &{relation} " if not place else "&= "
        first, *others = broken(writer, step.right, room)
        own = [start + first, *(rf"&\quad {row}" for row in others)]
        if step.reason:
            reason = rf"\qquad \text{{{words_in(step.reason)}}}"
            beside = not others and width(step.right) + width_of_words(step.reason) < room
            own = [own[0] + reason] if beside else [*own, f"&{reason}"]
        rows += own
    return " \\\\\n".join(rows)


def render(derivation: Derivation) -> str:
    """Return a derivation as a document."""
    parts = [_HEAD + r"\begin{document}", rf"\section*{{{escaped(derivation.title)}}}"]
    for number, section in enumerate(derivation.sections, start=1):
        parts.append(rf"\subsection*{{{number}. {escaped(section.title)}}}")
        for line in section.lines:
            if line.words:
                parts.append(words_in(line.words))
            if line.left is not None:
                tag = rf" \tag{{{line.tag}}}" if line.tag else ""
                parts.append("\\begin{align*}\n" + equation(line) + tag + "\n\\end{align*}")
    parts.append(r"\end{document}")
    return "\n\n".join(parts)
