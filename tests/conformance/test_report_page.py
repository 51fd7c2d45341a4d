"""The report in a real browser: its numbers against the engine's, steps there and back, keys, faults, screenshots."""

import re
import shutil
from collections.abc import Iterator
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from deltaprop import Momentum, Network, Record
from problems import network, samples

CHROMIUM = shutil.which("chromium")
playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
if CHROMIUM is None:
    pytest.skip("there is no chromium; Debian has it: apt-get install chromium", allow_module_level=True)

SCREENS = Path(__file__).parents[2] / "build" / "report"
ETA = 0.25

NETWORKS: dict[str, dict[str, Any]] = {
    "2-2-1": {"layers": [2, 2, 1]},
    "1-1": {"layers": [1, 1], "output": "identity", "loss": "squared_error", "bias": False},
    "30-16-1": {"layers": [30, 16, 1], "h": "tanh"},
    "4-8-5-3": {"layers": [4, 8, 5, 3], "h": "relu", "output": "softmax", "loss": "cross_entropy"},
    "3-10-9": {"layers": [3, 10, 9], "h": "gelu", "output": "softmax", "loss": "cross_entropy", "dtype": "float32"},
    "3-4-2": {"layers": [3, 4, 2], "h": "a / (1 + abs(a))", "output": "tanh", "loss": "squared_error", "l2": 0.01,
              "bias": False},
}  # fmt: skip


def made(name: str) -> tuple[Network, np.ndarray, np.ndarray]:
    net = network(seed=3, **NETWORKS[name])
    X, R = samples(net, 5)
    if net.l2:
        net.descend(X, R, 0.1, optimizer=Momentum(0.5))
    return net, X, R


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with playwright.sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.fixture
def visit(browser: Any, tmp_path: Path) -> Iterator[Any]:
    """A function that opens a file; what the page complains of, asks for or pops up is a failure of the test."""
    contexts: list[Any] = []
    complaints: list[str] = []

    def opened(path: Path, *, width: int = 1280, scheme: str = "light") -> Any:
        context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: complaints.append(f"console: {message.text}"))
        page.on("pageerror", lambda error: complaints.append(f"error: {error}"))
        page.on("dialog", lambda dialog: complaints.append(f"dialog: {dialog.message}") or dialog.dismiss())
        page.on("request", lambda asked: asked.url == path.as_uri() or complaints.append(f"request: {asked.url}"))
        page.goto(path.as_uri())
        return page

    yield opened
    for context in contexts:
        context.close()
    assert not complaints


def reported(folder: Path, net: Network, X: np.ndarray, R: np.ndarray, **more: Any) -> Path:
    path = folder / "report.html"
    net.report(X, R, path, eta=ETA, **more)
    return path


def written(x: float, digits: int) -> str:
    """A number as the page writes it, rounded in decimals from the number's own bits."""
    if x == 0:
        return "0"
    exact = Decimal(float(x))
    low, high = (-3, 3) if digits == 3 else (-4, 6)
    plain = Decimal(10) ** low <= abs(exact) < Decimal(10) ** high
    kept = digits if plain or digits == 6 else 2
    step = Decimal(1).scaleb(exact.adjusted() - kept + 1)
    rounded = exact.quantize(step, rounding=ROUND_HALF_UP)
    if plain:
        text = f"{rounded:f}"
        text = text.rstrip("0").rstrip(".") if "." in text else text
    else:
        mantissa, _, exponent = f"{rounded:.{kept - 1}e}".partition("e")
        mantissa = mantissa.rstrip("0").rstrip(".") if "." in mantissa else mantissa
        text = f"{mantissa}e{int(exponent)}"
    return text.replace("-", "−")


def value_of(t: Any, key: str) -> float:
    """The engine's number that a key of the page stands for."""
    name, *indices = key.split(":")
    if name in ("E", "eta"):
        return float(getattr(t, name))
    places = tuple(map(int, indices))
    if name in ("x", "r"):
        return float(getattr(t, name)[places])
    layer = t.layers[places[0] - 1]
    return float(getattr(layer, name)[places[1:]])


def numbers_on(page: Any) -> list[tuple[str, str, int]]:
    """Key, text and digits of every number that is displayed."""
    found: list[tuple[str, str, int]] = page.evaluate(
        "[...document.querySelectorAll('[data-q]')].map(e => "
        "[e.getAttribute('data-q'), e.textContent.replace('·10', 'e'), e.closest('svg') ? 3 : 6])"
    )
    return found


@pytest.mark.parametrize("name", NETWORKS)
def test_every_displayed_number_of_an_update_is_the_engines(name: str, tmp_path: Path, visit: Any) -> None:
    net, X, R = made(name)
    page = visit(reported(tmp_path, net, X, R))
    page.select_option("#sample", "2")
    t = net.trace(X[2], R[2], eta=ETA)
    count = int(page.inner_text("#count").split("/")[1])
    seen = set()
    for step in range(count):
        assert page.inner_text("#count") == f"{step + 1} / {count}"
        for key, text, digits in numbers_on(page):
            assert text == written(value_of(t, key), digits), (step, key)
            seen.add(key)
        page.dispatch_event("#next", "click")
    expected = {"E", "eta", *(f"x:{i}" for i in range(len(t.x))), *(f"r:{j}" for j in range(len(t.r)))}
    for k, layer in enumerate(t.layers, start=1):
        for quantity in ("a", "z", "delta", "dW", "db", "W", "b", "W_after", "b_after", "dW_penalty"):
            values = getattr(layer, quantity)
            if values is not None:
                expected |= {":".join(map(str, (quantity, k, *at))) for at in np.ndindex(values.shape)}
    assert expected <= seen


@pytest.mark.parametrize("name", NETWORKS)
def test_steps_there_and_back_are_the_same_screens(name: str, tmp_path: Path, visit: Any) -> None:
    page = visit(reported(tmp_path, *made(name)))
    look = (
        "() => [document.querySelector('main').innerHTML, document.getElementById('slider').value, "
        "document.getElementById('net-box').scrollLeft, document.getElementById('net-box').scrollTop]"
    )
    screens = [page.evaluate(look)]
    count = int(page.inner_text("#count").split("/")[1])
    for _ in range(count - 1):
        page.keyboard.press("ArrowRight")
        screens.append(page.evaluate(look))
    assert len({screen[0] for screen in screens}) == count
    for step in range(count - 2, -1, -1):
        page.keyboard.press("ArrowLeft")
        assert page.evaluate(look) == screens[step], step


def test_keys_and_buttons(tmp_path: Path, visit: Any) -> None:
    page = visit(reported(tmp_path, *made("2-2-1")))

    def place() -> str:
        return str(page.inner_text("#count"))

    page.keyboard.press("End")
    assert place() == "17 / 17"
    page.keyboard.press("ArrowRight")
    assert place() == "17 / 17"
    page.keyboard.press("Home")
    assert place() == "1 / 17"
    page.click("#phases [data-phase=backward]")
    assert page.get_attribute("#phases [data-phase=backward]", "aria-current") == "step"
    assert page.inner_text("#step h3") == "y: δ of the output"
    page.click('.unit[aria-label^="unit z1.2,"]')
    assert page.inner_text("#step h3") == "z1.2: δ from the units above"
    page.focus('.unit[aria-label^="unit z1.1,"]')
    page.keyboard.press("Enter")
    assert page.inner_text("#step h3") == "z1.1: δ from the units above"
    said = page.get_attribute(".unit[aria-current=step]", "aria-label")
    assert re.fullmatch(r"unit z1\.1, a \S+, z \S+, δ \S+", str(said))
    assert page.text_content("#said").startswith("Step 10 of 17, Backward: δ. z1.1: δ from the units above. δ = ")
    page.focus("#slider")
    page.keyboard.press("ArrowRight")
    assert place() == "11 / 17"
    page.click("#last")
    page.click("#play")  # from the start again
    assert page.get_attribute("#play", "aria-label") == "pause"
    page.locator("#count", has_text="3 / 17").wait_for()
    page.click("#play")
    assert page.get_attribute("#play", "aria-label") == "play"


def test_another_unit_takes_the_place_of_those_that_are_not_drawn(tmp_path: Path, visit: Any) -> None:
    net, X, R = made("30-16-1")
    page = visit(reported(tmp_path, net, X, R))
    spare = page.locator(".unit[data-layer='1']:not([data-j])")
    assert spare.locator(".of").text_content() == "⋮"
    page.evaluate("e => { e = document.getElementById('slider'); e.value = 18; e.dispatchEvent(new Event('input')); }")
    assert page.inner_text("#step h3") == "z1.9: the activation"
    assert spare.locator(".of").text_content() == "z₉"
    assert spare.locator(".value").text_content() == written(float(net.trace(X[0], R[0]).layers[0].z[8]), 3)


def test_recorded_updates_and_the_way_back_to_the_start(tmp_path: Path, visit: Any) -> None:
    net, X, R = made("2-2-1")
    record = Record(every=5)
    net.fit(X, R, epochs=2, eta=0.5, record=record)
    states = [(f"update {step}", record.network(step)) for step in record.steps]
    page = visit(reported(tmp_path, net, X, R, states=states))
    assert page.locator("#state option").all_inner_texts() == ["update 0", "update 5", "update 10"]
    for place, (_, other) in enumerate(states):
        page.select_option("#state", str(place))
        page.keyboard.press("End")
        t = other.trace(X[0], R[0], eta=ETA)
        for key, text, digits in numbers_on(page):
            assert text == written(value_of(t, key), digits), key
    page.click("#rewind")
    assert page.input_value("#state") == "0"
    assert page.inner_text("#count") == "1 / 17"


def test_names_are_texts(tmp_path: Path, visit: Any) -> None:
    from deltaprop.inspection.report import Named, Rows, report

    hostile = "</script><script>alert(1)</script>"
    net, X, R = made("2-2-1")
    named = Named(
        inputs=[hostile, '"><img src=x onerror=alert(1)>'],
        outputs=["{templates}<b>"],
        described=lambda rows: Rows([hostile] * len(rows), [(hostile, [hostile] * len(rows))]),
    )
    report(net, X, R, tmp_path / "r.html", title=hostile, named=named, states=[(hostile, net), ("<i>", net)])
    page = visit(tmp_path / "r.html")
    assert page.inner_text("h1") == hostile
    assert page.locator("#sample option").first.inner_text() == hostile
    assert hostile in page.inner_text("#row-tables")
    page.keyboard.press("ArrowRight")
    assert hostile in page.inner_text("#step")
    page.keyboard.press("End")
    assert "{templates}<b>" in page.inner_text("#step")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [400, 1600])
@pytest.mark.parametrize("name", ["2-2-1", "30-16-1", "4-8-5-3"])
def test_it_is_readable(name: str, width: int, scheme: str, tmp_path: Path, visit: Any) -> None:
    """No fault that axe-core calls serious or critical, no page wider than the screen; a screenshot of each phase."""
    from axe_playwright_python.sync_playwright import Axe

    net, X, R = made(name)
    history = net.fit(X, R, epochs=5, validation=0.4, eta=0.05)
    page = visit(reported(tmp_path, net, X, R, history=history), width=width, scheme=scheme)
    SCREENS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SCREENS / f"{name}-{width}-{scheme}.png", full_page=True)
    page.click("summary")
    for phase in ("sample", "forward", "loss", "backward", "gradient", "update"):
        page.click(f"#phases [data-phase={phase}]")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), phase
        if phase not in ("loss", "backward", "update"):
            continue
        page.screenshot(path=SCREENS / f"{name}-{width}-{scheme}-{phase}.png")
        faults = [
            (fault["id"], [node["html"][:200] for node in fault["nodes"][:3]])
            for fault in Axe().run(page).response["violations"]
            if fault["impact"] in ("serious", "critical")
        ]
        assert not faults, phase
