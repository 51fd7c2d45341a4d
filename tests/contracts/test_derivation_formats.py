"""The derivation as LaTeX, Markdown and HTML: well-formed, broken in rows, nothing beyond the margin."""

import re
import shutil
import subprocess
import xml.etree.ElementTree as ElementTree
from html.parser import HTMLParser
from pathlib import Path

import pytest

from deltaprop import Network
from deltaprop.inspection.derivation import Derivation, breaking, derive, latex
from problems import network, samples

NASTY = ['50% <b>&"x"', "a_1 $y$ #{\\}", "größe ~^|", "温度 `x` *y*"]


def documents() -> list[Derivation]:
    some = network([4, 3, 4, 3], h=["elu", "a * sigmoid(1.702 * a)"], output="softmax", loss="focal")
    X, R = samples(some, 1)
    hinge = Network([2, 2], output="hard_tanh", loss="hinge")
    return [
        Network([2, 2, 1]).derive([1e-7, 2e9], 1, 0.5),
        derive(some, X[0], R[0], 0.1, inputs=NASTY, outputs=NASTY[1:]),
        hinge.derive([1, 2], [0, 1]),
        Network([2, 12, 1], h="where(a > 1 and not a > 2, abs(a), sqrt(a**2 + pi))", loss="log").derive(),
        Network([2, 3, 1], h="a**3 - where(a > 0.5, exp(a), sin(a) * tanh(a) / (1 + a**2))",
                output="1 / (1 + exp(-1.702 * a))",
                loss="-r * log(y) - (1 - r) * log(1 - y) + abs(y - r)**3").derive([0.5, -1.25], 0.7, 0.1),
    ]  # fmt: skip


@pytest.fixture(scope="module")
def formats() -> list[Derivation]:
    return documents()


def check_balance(latex: str) -> None:
    plain = re.sub(r"\\\\|\\[{}$]", "", latex)  # row ends, and escaped ones
    depth = 0
    for letter in plain:
        depth += (letter == "{") - (letter == "}")
        assert depth >= 0
    assert depth == 0
    assert plain.count("$") % 2 == 0
    assert plain.count(r"\left") - plain.count(r"\leftarrow") == plain.count(r"\right")
    open_: list[str] = []
    for kind, name in re.findall(r"\\(begin|end)\{(\w+\*?)\}", plain):
        if kind == "begin":
            open_.append(name)
        else:
            assert open_.pop() == name
    assert not open_


def test_latex_is_balanced_and_pdflatex_has_every_letter(formats: list[Derivation]) -> None:
    for document in formats:
        latex = document.to_latex()
        check_balance(latex)
        assert latex.startswith(r"\documentclass")
        assert set(re.findall(r"\\usepackage(?:\[.*?\])?\{(.*?)\}", latex)) == {"inputenc", "fontenc", "amsmath"}
        assert not re.search(r"[^\x00-\x7fÀ-ſ]", latex)
    latex = formats[1].to_latex()
    assert r"50\% \textless{}b\textgreater{}\&\textquotedbl{}x\textquotedbl{}" in latex
    assert r"a\_1 \$y\$ \#\{\textbackslash{}\}" in latex
    assert r"größe \textasciitilde{}\textasciicircum{}\textbar{}" in latex
    assert r"\texttt{U+6E29}" in latex


def test_latex_compiles(formats: list[Derivation], tmp_path: Path) -> None:
    if shutil.which("pdflatex") is None:
        pytest.skip("pdflatex is not installed")
    for k, document in enumerate(formats):
        document.save(tmp_path / f"d{k}.tex")
        command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", f"d{k}.tex"]
        log = subprocess.run(command, cwd=tmp_path, check=True, capture_output=True).stdout.decode("latin-1")
        assert all(float(wide) < 10 for wide in re.findall(r"Overfull \\hbox \((\S+)pt too wide", log))


def test_long_formulas_are_broken_in_rows(formats: list[Derivation]) -> None:
    """The rows, one after the other, are the formula; none is long that has a sum to break."""

    def plain(text: str) -> str:
        text = re.sub(r"\\(begin|end)\{aligned\}|\\\\ (?=&)|&(?! \\text)", "", text)  # rows within a fraction
        text = re.sub(r"\\(left|right|Bigl|Bigr)(?=[()])|\\quad|\{\}(?= [+-])| ", "", text)
        return text.replace("(-", "(0-").replace("+(0-", "+(-")

    broken = 0
    net = network([8, 12, 3], h="gelu", output="softmax", loss="focal")
    X, R = samples(net, 1)
    for document in [*formats, net.derive(X[0], R[0], 0.1)]:
        steps = [step.right for section in document.sections for line in section.lines for step in line.steps]
        for tree in steps:
            rows = breaking.broken(latex.writer, tree, 60)
            assert plain("".join(rows)) == plain(latex.writer.write(tree))
            broken += len(rows) > 1
            if breaking.width(tree) > 60 and tree.op in ("add", "subtract"):
                assert len(rows) > 1
    assert broken > 50


def test_markdown(formats: list[Derivation]) -> None:
    for document in formats:
        text = document.to_markdown()
        blocks = re.findall(r"(?m)^\$\$$", text)
        assert len(blocks) % 2 == 0
        assert len(blocks) // 2 == sum(line.left is not None for s in document.sections for line in s.lines)
        check_balance(re.sub(r"\\([`*_{}\[\]()#+!|~$\\])", "", re.sub(r"(?s)\$\$.*?\$\$", "", text)).replace("\\", ""))
        for block in re.findall(r"(?s)^\$\$\n(.*?)\n\$\$$", text, re.MULTILINE):
            check_balance(block)
    text = formats[1].to_markdown()
    assert '50% &lt;b&gt;&amp;"x"' in text
    assert r"a\_1 \$y\$ \#\{\\\}" in text


class Tags(HTMLParser):
    """That every element is closed where it was opened."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def test_html_is_well_formed_and_has_mathml(formats: list[Derivation]) -> None:
    for document in formats:
        page = document.to_html()
        tags = Tags()
        tags.feed(page)
        tags.close()
        assert not tags.open
        assert "<script" not in page
        assert "http" not in page.replace("http://www.w3.org/1998/Math/MathML", "")
        formulas = re.findall(r"(?s)<math.*?</math>", page)
        assert len(formulas) >= sum(1 + len(line.steps) for s in document.sections for line in s.lines if line.left)
        for formula in formulas:
            tree = ElementTree.fromstring(formula.replace("&nbsp;", " "))
            for element in tree.iter():
                name = element.tag.rpartition("}")[2]
                if name in ("mfrac", "msup", "msub", "munder"):
                    assert len(element) == 2
                if name == "msubsup":
                    assert len(element) == 3
        assert document._repr_html_() in page
    tags = Tags()
    tags.feed(formats[1].to_html())
    for name in NASTY:
        assert f"{name}:" in tags.text
    assert "<b>" not in formats[1].to_html()


def test_html_is_broken_in_rows(formats: list[Derivation]) -> None:
    net = network([12, 20, 15], h="selu", output="sigmoid", loss="log")
    X, R = samples(net, 1)
    for document in [*formats, derive(net, X[0], R[0], 0.1)]:
        page = document.to_html()
        assert page.count("<table>") == page.count("<div><table>")  # it is the table that scrolls, and not the page
        assert ".derivation p, .derivation div { overflow-x: auto; }" in page
        for formula in re.findall(r"(?s)<math[^>]*block.*?</math>", page):
            tree = ElementTree.fromstring(formula.replace("&nbsp;", " "))
            for element in list(tree.iter()):
                if element.tag.rpartition("}")[2] in ("mfrac", "mtable"):  # as wide as their widest row
                    widest = max(element, key=lambda x: len("".join(x.itertext())))
                    element[:] = [widest]
            assert len("".join(tree.itertext())) <= 110


@pytest.mark.parametrize("wide", [400, 1400])
def test_a_page_never_scrolls_sideways(formats: list[Derivation], tmp_path: Path, wide: int) -> None:
    browser = shutil.which("chromium")
    if browser is None:
        pytest.skip("chromium is not installed")
    formats[4].save(tmp_path / "derivation.html")
    (tmp_path / "frame.html").write_text(
        f'<iframe id="f" src="derivation.html" style="width:{wide}px;height:500px"></iframe><p id="p"></p><script>'
        'onload = () => { const page = document.getElementById("f").contentDocument.documentElement;'
        'document.getElementById("p").textContent = page.scrollWidth + " in " + page.clientWidth }</script>'
    )
    command = [browser, "--headless", "--no-sandbox", "--disable-gpu", "--allow-file-access-from-files", "--dump-dom"]
    run = subprocess.run([*command, (tmp_path / "frame.html").as_uri()], capture_output=True, text=True, timeout=120)
    found = re.search(r"(\d+) in (\d+)<", run.stdout)
    if found is None:
        pytest.skip("chromium does not run here")
    assert int(found[1]) <= int(found[2])


def test_save_goes_by_the_suffix(tmp_path: Path) -> None:
    document = Network([2, 1]).derive()
    for suffix, text in (
        (".txt", str(document)),
        (".md", document.to_markdown()),
        (".TEX", document.to_latex()),
        (".html", document.to_html()),
    ):
        path = tmp_path / f"derivation{suffix}"
        document.save(path)
        assert path.read_text(encoding="utf-8").rstrip("\n") == text.rstrip("\n")
    with pytest.raises(ValueError, match=r"saved as one of \.txt, \.md, \.tex, \.html; got 'derivation\.pdf'"):
        document.save("derivation.pdf")
    with pytest.raises(OSError, match="No such file"):
        document.save(tmp_path / "nowhere" / "derivation.md")
