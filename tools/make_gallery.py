"""Make the pictures of docs/gallery.md and of the tutorials, by running the examples that stand there.

A page's pictures go into the folder that its links name; an example that prints something else than it says, and a
picture that no example makes, end it with an error. Bytes depend on the version of matplotlib and the machine's
instruction set, so there is no --check: the tests run the examples. A page of HTML is photographed by Chromium, where
Playwright is installed; elsewhere its picture stays as it is.
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


def photograph(page: Path, place: Path) -> None:
    """Put a picture of a report into its place: three fifths of its steps on, where delta comes back."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        view = browser.new_page(viewport={"width": 1100, "height": 760}, color_scheme="light")
        view.goto(page.absolute().as_uri())
        slider = view.locator("#slider")
        slider.fill(str(int(slider.get_attribute("max") or 0) * 3 // 5))
        slider.blur()
        view.locator("main > section").first.scroll_into_view_if_needed()
        view.screenshot(path=place, scale="css")
        browser.close()


def make(page: Path) -> None:
    """Run a page's examples and put the pictures that it shows in their places."""
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        os.symlink(ROOT / "examples", "examples")
        run_examples(page)
        for place in pictures_of(page):
            place.parent.mkdir(exist_ok=True)
            html = Path(place.name).with_suffix(".html")
            if html.exists():
                try:
                    photograph(html, place)
                except ImportError:
                    print(f"{place.relative_to(ROOT)}: left as it is; it takes Playwright and Chromium")
                    continue
            else:
                shutil.copyfile(place.name, place)
            print(f"{place.relative_to(ROOT)}: {place.stat().st_size / 1024:.0f} KiB")


if __name__ == "__main__":
    for name in sys.argv[1:] or PAGES:
        make(ROOT / "docs" / name)
