"""The tutorials do what they say: every example in them is run, and prints what stands there."""

import doctest
from pathlib import Path

import pytest

TUTORIALS = sorted((Path(__file__).parent.parent.parent / "docs" / "tutorials").glob("*.md"))


@pytest.mark.parametrize("path", TUTORIALS, ids=lambda path: path.stem)
def test_a_tutorial(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "examples").symlink_to(TUTORIALS[0].parent.parent.parent / "examples")
    text = path.read_text(encoding="utf-8").replace("```", "")  # what ends an example is an empty line
    examples = doctest.DocTestParser().get_doctest(text, {}, path.name, str(path), 0)
    assert len(examples.examples) >= 8
    failures: list[str] = []
    doctest.DocTestRunner().run(examples, out=failures.append)
    assert not failures, "".join(failures)


def test_there_are_five() -> None:
    assert [path.stem for path in TUTORIALS] == [
        "a_published_example",
        "the_lecture_by_hand",
        "what_the_hidden_units_see",
        "why_does_my_network_not_learn",
        "xor_one_update_at_a_time",
    ]
