"""Write docs/functions.md and its picture from the declarations; with --check, say whether the page is as they are."""

from __future__ import annotations

import sys
from pathlib import Path

from deltaprop.functions import ACTIVATIONS, LOSSES, Activation

DOCS = Path(__file__).parent.parent / "docs"

HEAD = """# Functions

The activations h and the losses E, from their declarations (`src/deltaprop/functions/`); this page is made by
`tools/make_functions.py`. `deltaprop list activations` and `deltaprop list losses` print them.

A function with a parameter is written `leaky_relu:slope=0.1`, in Python also `deltaprop.leaky_relu(slope=0.1)`.

## Activations

![Every h and its derivative](activations.svg)

h is within 4 ulp of the exact value (gelu 5) wherever it is a normal number, h′ within 4 eps of its largest value, in
float32 and float64, on every instruction set (tests/contracts/test_activations.py). NaN stays NaN. sine is the engine's
own for |a| ≤ 10,000 and the C library's beyond, and within 4 ulp for |a| ≤ 20.

Weights start uniform in (−c, c): glorot c = √(6 / (n_in + n_out)), he √(6 / n_in), lecun √(3 / n_in).

"""

ADD = """
## To add an activation

1. A struct with `value` and `derivative` in one of `engine/activations*.hpp`.
2. Its name in `Activation` (engine/plan.hpp) and `kActivations` (engine/plan.cpp), in one order, and its line in
   `with_activation` (engine/activate.hpp).
3. Its declaration in `src/deltaprop/functions/activations.py`. `import deltaprop` fails where the two sets of names
   differ.
4. `python tools/make_functions.py`. The contract tests try every declaration; what they cannot know, h at ±∞, goes into
   `AT_ENDS` in tests/contracts/test_activations.py, and PyTorch's name for it into tests/conformance/test_pytorch.py.
"""


def row(*cells: str) -> str:
    """Return a line of a table."""
    return "| " + " | ".join(cells) + " |"


def code(text: str) -> str:
    """Return a formula as code; softmax's is no formula of one unit."""
    return f"`{text}`"


def bound(value: float) -> str:
    """Return an end of a range."""
    return f"{value:.5g}".replace("inf", "∞").replace("-", "−")


def range_of(entry: Activation) -> str:
    """Return the range of h."""
    if entry.name in ("elu", "celu"):
        return "above −alpha"
    return f"{bound(entry.low)} … {bound(entry.high)}"


def page() -> str:
    """Return the page."""
    lines = [row("name", "h(a)", "h′(a), z = h(a)", "range", "parameters", "start", "source"), row(*["---"] * 7)]
    for entry in ACTIVATIONS.values():
        names = ", ".join([f"**{entry.name}**", *entry.aliases])
        parameters = "; ".join(f"{p.name} = {p.default:g}, {p.bounds}" for p in entry.parameters)
        formulas = code(entry.formula), code(entry.derivative)
        lines.append(row(names, *formulas, range_of(entry), parameters, entry.start, entry.source))
    losses = [row("name", "E of a sample", "∂E/∂y of an output", "y and r in", "goes with"), row(*["---"] * 5)]
    for loss in LOSSES.values():
        domain = f"[{bound(loss.low)}, {bound(loss.high)}]" + (", r summing to 1" if loss.distribution else "")
        losses.append(row(f"**{loss.name}**", code(loss.formula), code(loss.derivative), domain, loss.canonical))
    return HEAD + "\n".join(lines) + "\n" + ADD + "\n## Losses\n\n" + "\n".join(losses) + "\n"


def draw(path: Path) -> None:
    """Draw every h and h′, from the engine."""
    import matplotlib
    import numpy as np
    from matplotlib.figure import Figure

    from deltaprop import Network

    matplotlib.rcParams["svg.hashsalt"] = "deltaprop"
    entries = [entry for entry in ACTIVATIONS.values() if not entry.output_only]
    a = np.linspace(-5, 5, 401)
    columns = 5
    rows = -(-len(entries) // columns)
    figure = Figure(figsize=(2.3 * columns, 1.9 * rows), layout="constrained")
    for panel, entry in zip(figure.subplots(rows, columns).ravel(), entries, strict=True):
        net = Network([1, 1], output=entry, loss="squared_error")
        net.theta = [1, 0]
        trace = net.trace(a[:, None], np.zeros((len(a), 1)))
        panel.axhline(0, color="0.8", linewidth=0.6)
        panel.axvline(0, color="0.8", linewidth=0.6)
        panel.plot(a, trace.y[:, 0], color="tab:blue", linewidth=1.4, label="h")
        panel.plot(a, trace.layers[0].dh[:, 0], color="tab:orange", linewidth=1.1, linestyle="--", label="h′")
        panel.set_title(entry.name, fontsize=9)
        panel.set_ylim(-2, 3)
        panel.tick_params(labelsize=6)
        panel.spines[["top", "right"]].set_visible(False)
    figure.axes[0].legend(fontsize=7, frameon=False)
    figure.savefig(path, metadata={"Date": None})


if __name__ == "__main__":
    if sys.argv[1:] == ["--check"]:
        sys.exit((DOCS / "functions.md").read_text() != page() and "docs/functions.md: run tools/make_functions.py")
    (DOCS / "functions.md").write_text(page())
    draw(DOCS / "activations.svg")
