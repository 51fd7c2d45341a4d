"""Write docs/functions.md and its picture from the declarations; with --check, say whether the page is as they are."""

from __future__ import annotations

import sys
from pathlib import Path

from deltaprop.descent.initializers import INITIALIZERS
from deltaprop.functions import ACTIVATIONS, LOSSES, Activation, Entry, Loss
from deltaprop.functions.formulas.vocabulary import FUNCTIONS

DOCS = Path(__file__).parent.parent / "docs"

HEAD = """# Functions

The activations h, the losses E and the initializers, from their declarations (`src/deltaprop/functions/`,
`src/deltaprop/descent/initializers.py`); this page is made by `tools/make_functions.py`. `deltaprop list activations`,
`losses` and `initializers` print them.

A function with a parameter is written `leaky_relu:slope=0.1`, in Python also `deltaprop.leaky_relu(slope=0.1)`. In
place of a name a formula may stand; see Formulas of your own.

## Activations

![Every h and its derivative](activations.svg)

h is within 4 ulp of the exact value (mish 5, gelu 6) as long as all its factors are normal numbers, which in float32
they are for a ≥ −87 (gelu −12.9, gelu_tanh −10), in float64 for a ≥ −708 (−37.5, −20.8); below, h itself is all but 0.
h′ is within 4 eps of its largest value. Both hold in float32 and float64, on every instruction set
(tests/contracts/test_activations.py). NaN stays NaN. sine is the engine's own for |a| ≤ 10,000 and the C library's
beyond, and within 4 ulp for |a| ≤ 20.

start: by whom the weights below it are drawn where `init` is not given; see Initializers.

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

LOSS_WORDS = """
## Losses

E of a sample is the sum over its outputs. Where several outputs have an r in [0, 1], class numbers do as well. Where
`label_smoothing` is not 0, r is drawn towards equal shares first: r ← (1 − s) r + s / 2 for log, + s / n_out for
cross_entropy. Of quantile several q make several outputs: `quantile:q=0.1,0.5,0.9`. What is left out depends on r
alone, so that no gradient changes.

A loss goes with every output whose range lies in that of y, and that does not come, but by rounding, to a y where E is
infinite. log and focal go with sigmoid and softmax, cross_entropy and kl with gaussian besides. With the output named
last E and δ are computed from a, so that they stay right where y has rounded to 0 or 1 (those of poisson, gamma and
tweedie until e^a overflows); with any other from y, and a y that has rounded to 0 counts as the least normal number.
At y = r the derivative of absolute_error and quantile is 0. E and δ are within 20 ulp of the exact values, or of the
larger of two terms that δ is the difference of; of powers, in tweedie and focal, the error grows with |log y|
(tests/contracts/test_losses.py).

"""

FORMULA_WORDS = """
## Formulas of your own

Where a name may stand, a formula may: `h="a * sigmoid(1.702 * a)"`, `output="where(a > 0, a, 0.1 * a)"`,
`loss="(y - r)**4 / 4"`, `--h "a / sqrt(1 + a**2)"`. h and output are formulas of a, a loss is one of y and r for each
output. They are written as in Python, with

- numbers, `pi`, `e`; `+ - * / **` (a constant exponent is at most 64);
- @FUNCTIONS@; `min` and `max` take two or more;
- `where(condition, x, y)` or `x if condition else y`; conditions compare by `< <= > >=`, also in chains, with `and`,
  `or`, `not`.

Anything else is refused with the place: formulas are parsed by a parser of their own, and never evaluated as Python.
x**y is NaN for x < 0 unless y is a whole constant. h′ and δ come by differentiation (SymPy:
`pip install 'deltaprop[derive]'`; a saved network predicts without it). Where a formula bends, h′ is a value between
those on both sides, 0 for abs and relu, or else that on the left; where both sides agree, as of softplus written
`max(a, 0) + log(1 + exp(-abs(a)))`, it is that. Jumps are ignored.

Formulas and derivatives are rewritten so that nothing overflows or cancels without need: `1 / (1 + exp(-a))` is
sigmoid(a), `log(1 + exp(a))` softplus(a), `1 - tanh(a)**2` 4 sigmoid(2a) sigmoid(-2a); a loss is composed with the
output's formula first, so that `-r * log(y) - (1 - r) * log(1 - y)` under a sigmoid has δ = y − r and is finite at a =
±800. Under softmax a loss is composed only where it is a declared one in other words; of any other E and δ come from y,
as it is rounded, and a y that has rounded to 0 counts as the least normal number. Under losses that are infinite at an
end of the output's range, formulas among the two, so does what is too small for the dtype; what a sum has lost, as
1 − y has where y rounds to 1, counts as a quarter of epsilon. E and δ stay finite then, and are not exact there.

A formula that is a declared activation in other words goes by that one's kernel. Any other is a program of a few
instructions that the engine runs on blocks of numbers in cache, so no Python runs inside an epoch. The arithmetic is
that of the instructions, one after the other in the network's dtype: what the formula cancels is lost, as in
`sin(a) - a` near 0. A value of h, h′, E or δ that is not finite stops the training with its point: `h of layer 1,
'log(a)', is nan at a = -0.25`.

"""


def row(*cells: str) -> str:
    """Return a line of a table."""
    return "| " + " | ".join(cells) + " |"


def code(text: str) -> str:
    """Return a formula as code."""
    return f"`{text}`"


def bound(value: float) -> str:
    """Return an end of a range."""
    return f"{value:.5g}".replace("inf", "∞").replace("-", "−")


def range_of(entry: Activation | Loss) -> str:
    """Return the range of h, or where a loss needs y to be."""
    if entry.name in ("elu", "celu"):
        return "above −alpha"
    return f"{bound(entry.low)} … {bound(entry.high)}"


def parameters_of(entry: Entry) -> str:
    """Return the parameters with their defaults and bounds."""
    return "; ".join(p.described for p in entry.parameters)


def names_of(entry: Entry) -> str:
    """Return the name and the aliases."""
    return ", ".join([f"**{entry.name}**", *entry.aliases])


INITIALIZER_WORDS = """
## Initializers

`Network(init=...)` and `reset`; `init` may also be arrays, a W or a tuple (W, b) for each layer. Biases start at 0 but
for nguyen_widrow's. Every number follows from (seed, layer, place); the normal ones and orthogonal's come by NumPy's
log, cos and qr, whose last bits may differ between versions of NumPy. A start that leaves all units of a hidden layer
alike, as zeros do, is warned about.

"""


def page() -> str:
    """Return the page."""
    lines = [row("name", "h(a)", "h′(a), z = h(a)", "range", "parameters", "start", "source"), row(*["---"] * 7)]
    for entry in ACTIVATIONS.values():
        formulas = code(entry.formula), code(entry.derivative)
        cells = (*formulas, range_of(entry), parameters_of(entry), entry.start, entry.source)
        lines.append(row(names_of(entry), *cells))
    head = row("name", "E of one output y", "∂E/∂y", "y", "r", "parameters", "left out", "goes with", "source")
    losses = [head, row(*["---"] * 9)]
    for loss in LOSSES.values():
        formulas = code(loss.formula), code(loss.derivative)
        dropped = code(loss.dropped) if loss.dropped else ""
        cells = (*formulas, range_of(loss), loss.targets_in_words, parameters_of(loss), dropped, loss.canonical)
        losses.append(row(names_of(loss), *cells, loss.source))
    starts = [row("name", "weights of a layer", "parameters", "source"), row(*["---"] * 4)]
    for start in INITIALIZERS.values():
        starts.append(row(names_of(start), start.formula, parameters_of(start), start.source))
    language = ", ".join(f"`{name}`" for name in FUNCTIONS if name not in ("where", "min", "max"))
    formulas = FORMULA_WORDS.replace("@FUNCTIONS@", language)
    blocks = [HEAD, "\n".join(lines), formulas, ADD, LOSS_WORDS, "\n".join(losses)]
    blocks += [INITIALIZER_WORDS, "\n".join(starts)]
    return "\n\n".join(block.strip("\n") for block in blocks) + "\n"


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
    panels = figure.subplots(rows, columns).ravel()
    for panel in panels[len(entries) :]:
        panel.set_visible(False)
    for panel, entry in zip(panels, entries, strict=False):
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
