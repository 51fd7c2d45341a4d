"""What a derivation is: sections of lines, each an equation with its steps, or words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from deltaprop.functions.formulas.tree import Node
from deltaprop.storage import PathLike, replace_file

Words = tuple[str | Node, ...]
_RENDERERS = {".txt": "text", ".md": "markdown", ".tex": "latex", ".html": "html"}


@dataclass(frozen=True)
class Step:
    """One more way to write the left side of a line, and by what it follows from the one before."""

    right: Node
    reason: Words = ()


@dataclass(frozen=True)
class Line:
    """An equation, left = step = step = …, or words alone.

    Attributes
    ----------
    left : Node or None
        What the equation is about; None where the line has words alone.
    steps : tuple of Step
        Its right sides, each equal to the one before.
    relation : str
        "=", or "←" for an update.
    tag : str
        The lecture's number of the equation: "1", "2".
    words : tuple of str and Node
        What is said before it; symbols in it are trees.
    value : float or None
        The engine's number, where the last step is one, with all its digits.
    """

    left: Node | None = None
    steps: tuple[Step, ...] = ()
    relation: str = "="
    tag: str = ""
    words: Words = ()
    value: float | None = None


@dataclass(frozen=True)
class Section:
    """A title, and lines."""

    title: str
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class Derivation:
    """The lecture's derivation for one network; ``str`` is its text, and notebooks show it with its formulas.

    Attributes
    ----------
    title : str
    sections : tuple of Section
    """

    title: str
    sections: tuple[Section, ...]

    def __str__(self) -> str:
        return self._rendered("text")

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return str(import_module(f"{__package__}.html").body(self))

    def to_markdown(self) -> str:
        """Return it as Markdown with formulas in LaTeX between dollar signs."""
        return self._rendered("markdown")

    def to_latex(self) -> str:
        """Return it as a whole LaTeX document, which pdflatex compiles; it needs amsmath alone."""
        return self._rendered("latex")

    def to_html(self) -> str:
        """Return it as a whole HTML page with formulas in MathML; it loads nothing."""
        return self._rendered("html")

    def _rendered(self, format: str) -> str:
        render: Callable[[Derivation], str] = import_module(f"{__package__}.{format}").render
        return render(self)

    def save(self, path: PathLike) -> None:
        """Write it to a file, whole or not at all, in the format of the suffix: .txt, .md, .tex or .html.

        Raises
        ------
        ValueError
            If the suffix is another.
        OSError
            If the file cannot be written; nothing has changed then.
        """
        suffix = Path(path).suffix.lower()
        if suffix not in _RENDERERS:
            raise ValueError(f"A derivation is saved as one of {', '.join(_RENDERERS)}; got {str(path)!r}.")
        replace_file(path, (self._rendered(_RENDERERS[suffix]).rstrip("\n") + "\n").encode())
