"""The README's example runs, its picture is what draw() draws, and its commands are the Makefile's."""

import re
from pathlib import Path

import pytest

from deltaprop import Network

ROOT = Path(__file__).parent.parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_example_runs_and_prints_what_it_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    code = re.search(r"```python\n(.*?)```", README, re.DOTALL)
    assert code is not None
    lines = code[1].strip().splitlines()
    assert len(lines) <= 10
    exec(code[1], {})
    printed = capsys.readouterr().out.splitlines()
    said = [line.partition("  # ")[2] for line in lines if line.startswith("print(")]
    assert len(printed) >= len(said) >= 2
    for words, line in zip(said, printed, strict=False):
        assert words == line


def test_the_picture_is_what_draw_draws() -> None:
    assert "docs/2-4-1.svg" in README
    assert (ROOT / "docs" / "2-4-1.svg").read_text(encoding="utf-8") == str(Network([2, 4, 1]).draw())


def test_run_it_and_test_it() -> None:
    for heading, command in (("## Run it", "make run"), ("## Test it", "make test")):
        after = README.split(heading + "\n", 1)[1].split("\n## ", 1)[0]
        block = re.search(r"```\w*\n(.*?)\n```", after, re.DOTALL)
        assert block is not None
        assert block[1] == command


def test_every_link_to_a_file_leads_somewhere() -> None:
    for page in (*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")):
        for link in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
            assert (page.parent / link).exists(), f"{page.name}: {link}"
