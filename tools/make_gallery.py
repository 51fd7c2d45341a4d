"""Make the pictures of docs/gallery.md and of the tutorials, by running the examples that stand there.

A page's pictures go into the folder that its links name; an example that prints something else than it says, and a
picture that no example makes, end it with an error. Bytes depend on the version of matplotlib and the machine's
instruction set, so there is no --check: the tests run the examples.
"""

from __future__ import annotations

import contextlib
import doctest
import os
import re
import shutil
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parent.parent
PAGES = ("gallery.md", "tutorials/xor_one_update_at_a_time.md", "tutorials/what_the_hidden_units_see.md")


def pictures_of(page: Path) -> list[Path]:
    """Return where the pictures are that a page shows."""
    return [page.parent / link for link in re.findall(r"^!\[[^\]]+\]\(([^)]+)\)$", page.read_text(), re.MULTILINE)]


def run_examples(page: Path) -> None:
    """Run the examples of a page in the working folder; raise RuntimeError where one prints something else."""
    text = page.read_text(encoding="utf-8").replace("```", "")
    examples = doctest.DocTestParser().get_doctest(text, {}, page.name, str(page), 0)
    failures: list[str] = []
    doctest.DocTestRunner().run(examples, out=failures.append)
    if failures:
        raise RuntimeError("".join(failures))


def make(page: Path) -> None:
    """Run a page's examples and put the pictures that it shows in their places."""
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        os.symlink(ROOT / "examples", "examples")
        run_examples(page)
        for place in pictures_of(page):
            place.parent.mkdir(exist_ok=True)
            shutil.copyfile(place.name, place)
            print(f"{place.relative_to(ROOT)}: {place.stat().st_size / 1024:.0f} KiB")


if __name__ == "__main__":
    for name in sys.argv[1:] or PAGES:
        make(ROOT / "docs" / name)
