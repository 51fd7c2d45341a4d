"""A picture that matplotlib draws: how all of them look, in light and in dark, and how they become files."""

from __future__ import annotations

import hashlib
import io
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

from deltaprop.errors import optional
from deltaprop.storage import PathLike, replace_file
from deltaprop.terminal import printable

PICTURES = (".png", ".svg", ".pdf")

_DOTS = {"png": 150, "svg": 90, "pdf": 150}  # an inch; of an SVG those of the images in it

# Colours that people who confuse red and green tell apart (Okabe and Ito, 2008). An SVG has those of the dark scheme
# beside them; the two that stand on a coloured ground stay as they are.
INK, MUTED, FAINT, GROUND = "#1b2630", "#55616b", "#c9d1d8", "#ffffff"
FORWARD, BACKWARD, THIRD = "#0072b2", "#d55e00", "#009e73"
ON_LIGHT, ON_DARK = "#1b2631", "#fffffe"
_IN_THE_DARK = {
    INK: "#e8edf2", MUTED: "#a9b4be", FAINT: "#3a444d", GROUND: "#15191d",
    FORWARD: "#6cc0f2", BACKWARD: "#ff9a5c", THIRD: "#4fc9a4",
}  # fmt: skip

_LOOK: dict[str, Any] = {
    "svg.hashsalt": "deltaprop", "svg.fonttype": "path", "text.usetex": False,
    "font.size": 9, "axes.titlesize": 10, "axes.labelsize": 9, "xtick.labelsize": 8, "ytick.labelsize": 8,
    "legend.fontsize": 8.5, "legend.frameon": False, "figure.titlesize": 10.5, "axes.linewidth": 0.8,
    "axes.spines.top": False, "axes.spines.right": False, "axes.grid": False, "axes.unicode_minus": True,
    "figure.facecolor": GROUND, "savefig.facecolor": "auto", "savefig.bbox": None, "savefig.transparent": False,
    "axes.facecolor": "none",
    **dict.fromkeys(("text.color", "axes.labelcolor", "axes.titlecolor", "xtick.color", "ytick.color"), INK),
    **dict.fromkeys(("xtick.labelcolor", "ytick.labelcolor"), INK), "axes.edgecolor": MUTED,
}  # fmt: skip

# For letters that matplotlib's own font lacks, where there are such fonts.
_OTHER_FONTS = (
    "Noto Sans CJK JP", "Noto Sans CJK SC", "Noto Sans JP", "Noto Sans SC", "Noto Sans KR", "WenQuanYi Zen Hei",
    "Microsoft YaHei", "Yu Gothic", "Malgun Gothic", "Hiragino Sans", "Arial Unicode MS", "Noto Sans Devanagari",
    "Noto Sans Thai", "Noto Emoji",
)  # fmt: skip


@contextmanager
def look() -> Iterator[None]:
    """Draw in our manner, whatever the caller's matplotlib is set to; raise MissingExtraError where there is none."""
    fonts = {font.name for font in optional("matplotlib.font_manager", "plot").fontManager.ttflist}
    family = ["DejaVu Sans", *(name for name in _OTHER_FONTS if name in fonts)]
    with optional("matplotlib", "plot").rc_context({**_LOOK, "font.family": family}), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing from")  # a letter that the font lacks is a box
        yield


def new_figure(width: float, height: float) -> Any:
    """Return a figure of so many inches, of no window and no notebook's state."""
    return optional("matplotlib.figure", "plot").Figure(figsize=(width, height), layout="constrained")


def as_written(name: str, most: int = 40) -> str:
    r"""Return a name as matplotlib shows it letter by letter, on one line, its end cut where it is longer.

    Examples
    --------
    >>> as_written("price in $ or $US"), as_written("mean fractal dimension", 10)
    ('price in \\$ or \\$US', 'mean frac…')
    """
    name = printable(name)
    return (name if len(name) <= most else f"{name[: most - 1]}…").replace("$", r"\$")


@dataclass(frozen=True, repr=False, eq=False)
class Picture:
    """A picture that matplotlib draws: shown by notebooks, ``.figure`` is matplotlib's, `save` writes it.

    Attributes
    ----------
    figure : matplotlib.figure.Figure
    title, words : str
        What it shows, in words: they are in the file, for readers who cannot see it.
    """

    figure: Any
    title: str = ""
    words: str = ""

    def data(self, suffix: str) -> bytes:
        """Return the picture as a file of this ending holds it; raise ValueError where it is none of `PICTURES`."""
        kind = suffix.lower().removeprefix(".")
        if f".{kind}" not in PICTURES:
            raise ValueError(f"A picture needs to be one of {', '.join(PICTURES)}; got {suffix!r}.")
        said = {
            "svg": {"Date": None, "Creator": None},  # ours are at its head
            "pdf": {"CreationDate": None, "Title": self.title, "Subject": self.words},
            "png": {"Title": self.title, "Description": self.words},
        }[kind]
        held = io.BytesIO()
        with look():
            self.figure.savefig(held, format=kind, dpi=_DOTS[kind], metadata=said)
        return _with_words(held.getvalue(), self.title, self.words) if kind == "svg" else held.getvalue()

    def save(self, path: PathLike) -> None:
        """Write it to a file that ends in .png, .svg or .pdf, whole or not at all.

        Raises
        ------
        ValueError
            If it ends in something else.
        OSError
            If it cannot be written.
        """
        replace_file(path, self.data(Path(path).suffix))

    def _repr_png_(self) -> bytes:
        return self.data(".png")


def _with_own_ids(svg: str) -> str:
    """Return an SVG whose ids follow from what is drawn; matplotlib's follow from the last bits of lengths."""
    found = re.findall(r' id="([A-Za-z]+[0-9a-f]{10})"', svg)
    places = {name: str(k) for k, name in enumerate(dict.fromkeys(found))}
    bare = re.sub("|".join(places) or "$^", lambda name: places[name[0]], svg)
    own = f"dp{hashlib.sha256(bare.encode()).hexdigest()[:8]}"
    return re.sub("|".join(places) or "$^", lambda name: f"{own}-{places[name[0]]}", svg)


def _with_words(svg: bytes, title: str, words: str) -> bytes:
    """Return matplotlib's SVG with a title, a description, and the dark scheme's colours."""
    dark = "".join(
        f'.dp-picture [style*="{what}: {light}"]{{{what}:{other}!important}}'
        for light, other in _IN_THE_DARK.items()
        for what in ("fill", "stroke")
    )
    said = "".join(f"<{name}>{escape(text)}</{name}>" for name, text in (("title", title), ("desc", words)) if text)
    head, _, rest = _with_own_ids(svg.decode()).partition("<svg ")
    attributes, _, body = rest.partition(">")
    style = f"<style>@media (prefers-color-scheme: dark){{{dark}}}</style>"
    return f'{head}<svg class="dp-picture" role="img" {attributes}>\n {said}\n {style}{body}'.encode()
