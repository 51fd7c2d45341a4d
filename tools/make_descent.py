"""Write docs/descent.md and its picture from the declarations; with --check, say whether the page is as they are."""

from __future__ import annotations

import sys
from pathlib import Path

from deltaprop.descent.optimizers import OPTIMIZERS
from deltaprop.descent.penalties import PENALTIES
from deltaprop.descent.schedules import SCHEDULES
from deltaprop.descent.terms import CONSTRAINTS
from deltaprop.functions import Entry
from deltaprop.training.averages import AVERAGES
from deltaprop.training.metrics import METRICS

DOCS = Path(__file__).parent.parent / "docs"

HEAD = """# Descent

Line 9 of the lecture's algorithm, w ← w − η_n ∂E/∂w, and its relatives: the rules of a step, the schedules of η, the
penalties, from their declarations (`src/deltaprop/descent/`); this page is made by `tools/make_descent.py`. `deltaprop
list optimizers`, `schedules` and `penalties` print them.

Parameters are written `adam:beta1=0.8`, or in order, `cosine:0.001,warmup=5`; in Python also
`deltaprop.Adam(beta1=0.8)`, `deltaprop.cosine(0.001, warmup=5)`.

## Optimizers

`Network.fit(optimizer=...)`, `descend`, `trace`. g is the gradient, w the parameter, t = 1, 2, … the number of the
step since the rule began; what else stands on a left side before it is used is remembered, and begins with 0. η is
`eta` of `fit`; in the table stands what it is where it is not given. The engine has one function for each
(engine/rules.hpp, adaptive_rules.hpp); the contract tests hold it to these equations, 50 steps in both precisions on
every instruction set (tests/contracts/test_optimizers.py), and `make conformance` holds those that PyTorch has to
PyTorch's, 50 steps to 1e-6.

rprop, lbfgs and levenberg_marquardt take all samples at once: an epoch is one of their steps, however often E is
looked at for it; E in the history is that before the step, and eta, batch_size and clipping have no use. An
interruption leaves the parameters of the last whole step; a time budget waits for its end. They are written and
resumed like the others (tests/unit/test_full_batch.py). lbfgs and levenberg_marquardt end a run where they find nothing
more to gain: `history.stopped` is "converged", and `history.reason` says what they saw. l1 is refused for both, since
their steps need a gradient that does not jump; so are dropout and input noise, since E would differ from look to look.
They work in float64 in a network of either precision; in float32 E and its gradient have no more digits than float32
has, and near a minimum E is right to some 1e-6 of itself.

levenberg_marquardt comes to the certified parameters of those of NIST's reference problems that are networks, from
both of their starts (tests/golden/test_nist.py); lbfgs to the minima that SciPy finds of objectives written in NumPy.

sgd, momentum and nesterov are linear: with a batch_size of 1 they go through the first layer in blocks, and a sparse
row costs by its numbers that are not zero. The others go in the naive order then.

"""

SCHEDULE_WORDS = """
## Schedules

`Network.fit(eta=...)`: a number; a sequence, η_n of epoch n = 1, 2, … counted since the network's start; a function or
a formula of n, as `"0.5 / (1 + 0.01 * n)"`; or a schedule by its name, over the epochs of one call of `fit`. In the
table M is how many those are, less the warm-up, and m = 0, 1, … which of them. With `eta_per="step"` η changes with
every step, and m and n have fractions of an epoch. With `warmup=k` η rises in equal parts to its first value in k
epochs before. A schedule's η is the optimizer's own where it is not given: `"cosine"` begins at 0.001 with adam.
coslog4 begins at 0, where an epoch long nothing would be learnt: it is made for `eta_per="step"`.
plateau looks at E of the validation samples, where there are some, or else at E. The η used is in the history.

`net.find_eta(X, R, batch_size=..., optimizer=...)` looks for an η to begin with, the range test of Smith
(arXiv:1506.01186): a copy of the network makes steps whose η rises exponentially until E does. It suggests where E
falls most steeply over log η, or a tenth of the η where E is least, whichever is larger, and `.draw()` shows why. On
the command line `deltaprop find-eta table.csv --target y --plot eta.png`.

![The schedules, over 20 epochs](schedules.svg)

"""

PENALTY_WORDS = """
## Penalties and weight decay

`Network(l2=..., l1=...)`: E of a set has Ω(θ), of the weights and not of the biases, beside the mean over its samples;
so have its gradient, every step, and `net.E`. What `fit` writes into its history is the mean alone; Ω after each epoch
stands beside it, as `history.penalty`. scikit-learn's alpha is l2 times the number of samples.

`fit(decay=...)` is decoupled weight decay: before each step w ← (1 − η_n λ_n) w, which the rule does not see; λ_n is
given as η_n is, but one for each epoch, and not by plateau; η_n λ_n is at most 1. With adam it is adamw, whose own
decay, as lion's, adds to it. Under sgd it does what l2 does.

"""

NOISE_WORDS = """
## Dropout and noise

`Network(dropout=0.5)` drops half of each hidden layer's units in training, anew for every sample; `dropout=[0.2,
0.5]` has a share for the inputs and one for all hidden layers, a longer list one for each. What is kept is divided by
1 − p, so that predictions, which drop nothing, need no factor (Srivastava and others, JMLR 15, 2014).
`Network(input_noise=0.1)` adds normal numbers of that standard deviation to inputs. Both change E in training, so
they are the network's and in its file; `predict`, `E` and `gradient` are without, or with `training=True` with what
the samples would meet if they were presented next, and so are `trace` and `check_gradient`.

What a unit meets depends on (seed; number of the sample among all presented, layer, unit) alone, by Philox: the same
for any batch size, any number of threads, blocks or not, and however often a run was interrupted
(tests/unit/test_dropout.py).
"""

TERMS_WORDS = """
## Around the rule

`fit(clip_norm=..., clip_value=..., max_norm=...)`, and `descend`. Clipping is of the gradient that the samples have, by
its norm first and then by value; penalties come after. Biases are clipped with the weights, and no max_norm holds them.
`eta_factors=[1, 0.1, (0.1, 0)]` multiplies η in each layer, or in its weights and its biases: 0 leaves them as they
are. With any of these, or a running average, a step keeps the whole gradient before the rule takes it, and a batch_size
of 1 goes in the naive order: the updates are those of the tiles to the bit (tests/unit/test_terms.py), at the cost of
writing the gradient and reading it again.
"""

AVERAGE_WORDS = """
`fit(average="ema:0.999")` or `"last:5"` ends with an average of the parameters, by which validation and `keep` go, too:
"""

CONTROL_WORDS = """
## What ends a run, and what is kept

`fit(validation=0.2)` holds a share of the rows out, of each class alike; or samples of your own, (X, R) or (X, R,
weights), where class_weight has no part in the weights. E of them is in the history after every epoch, and what
`metrics=` names beside it. `monitor=` is what `patience=`, `min_gain=`, `goal=` and `keep=` go by: E, or one of the
metrics; of the validation samples, or the training's own E where there are none (of rprop, lbfgs and
levenberg_marquardt that after the step, where the history has that before it). With patience the parameters kept are
those of the best epoch (`keep="last"`, `"best"`, `"last best"`). `time_budget=` is in seconds, and ends an epoch in
its middle where it has to, after a whole step. `callbacks=` are functions that are told where the run stands after
each epoch, or objects with `on_epoch` and `on_step`, and may return True to stop (those of a TableModel are told of E
and metrics in the network's numbers); `deltaprop.HealthCheck(X, R)` is one, which looks for what keeps the network
from learning and takes 2 % of the time. `history.stopped` says what ended the run.

"""

RESUME_WORDS = """
## Back to any update

`fit(record=Record(every=100, samples=[0, 3]))` remembers how a run went: `record.network(1234)` is the network as it
was after update 1234, with what its optimizer remembered, to the bit, and `record.trace(1234)` every number of
backpropagation for the chosen samples. States are kept at least 4,096 samples apart, and the run goes on from the
nearest one; that takes a descent at most a twentieth longer (docs/performance.md).
`net.replay(record, X, R, step=1234)` does the same with the samples given anew, as of a record that was pickled;
`net.report(X, R, path, record=record)` is a page that goes from update to update. `TableModel.fit` takes a record, too,
whose samples are rows of the table, and `deltaprop fit --report page.html` keeps one for its page.
tests/unit/test_record.py

## A run on disk

`fit(checkpoint="run.deltaprop", resume=True)` writes the run into a model file, every minute or as
`checkpoint_every=` says (epochs, or `"30s"`), within an epoch too, and goes on with what is there: the same call
again, with the same samples, ends with the bits of a run that was never interrupted, however it was killed
(tests/unit/test_resume.py). Time budgets are apart. Without resume a file that holds a run which has not come to its
end is refused, and so is one that is no run. The file before stays until the new one is safe; a disk that is full ends
no training, but warns. Functions are compared by their name alone. `deltaprop.load` reads the file as the network that
it holds.

"""


def row(*cells: str) -> str:
    """Return a line of a table."""
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def parameters_of(entry: Entry, *left_out: str) -> str:
    """Return the parameters with their defaults and bounds."""
    return "; ".join(p.described for p in entry.parameters if p.name not in left_out)


def page() -> str:
    """Return the page."""
    rules = [row("name", "in Python", "a step", "parameters", "η", "whose form", "source"), row(*["---"] * 7)]
    for rule in OPTIMIZERS.values():
        step = "<br>".join(f"`{name} = {right}`" for name, right in rule.steps)
        eta = "" if rule.full_batch else f"{rule.eta:g}"
        rules.append(row(f"**{rule.name}**", rule.word, step, parameters_of(rule), eta, rule.note, rule.source))
    schedules = [row("name", "η", "parameters beside eta and warmup", "source"), row(*["---"] * 4)]
    for schedule in SCHEDULES.values():
        own = parameters_of(schedule, "eta", "warmup")
        schedules.append(row(f"**{schedule.name}**", f"`{schedule.formula}`", own, schedule.source))
    penalties = [row("name", "Ω", "source"), row(*["---"] * 3)]
    penalties += [row(f"**{entry.name}**", f"`{entry.formula}`", entry.source) for entry in PENALTIES.values()]
    constraints = [row("name", "of a step", "source"), row(*["---"] * 3)]
    constraints += [row(f"**{entry.name}**", f"`{entry.formula}`", entry.source) for entry in CONSTRAINTS.values()]
    averages = [row("average", "of w", "parameters", "source"), row(*["---"] * 4)]
    averages += [row(f"**{e.name}**", f"`{e.formula}`", parameters_of(e), e.source) for e in AVERAGES.values()]
    metrics = [row("metric", "its value", "better"), row(*["---"] * 3)]
    for metric in METRICS.values():
        metrics.append(row(f"**{metric.name}**", metric.formula, "more" if metric.more_is_better else "less"))
    blocks = [HEAD, "\n".join(rules), SCHEDULE_WORDS, "\n".join(schedules), PENALTY_WORDS, "\n".join(penalties)]
    blocks += [NOISE_WORDS, TERMS_WORDS, "\n".join(constraints), AVERAGE_WORDS, "\n".join(averages)]
    blocks += [CONTROL_WORDS, "\n".join(metrics), RESUME_WORDS]
    return "\n\n".join(block.strip("\n") for block in blocks) + "\n"


def draw(path: Path) -> None:
    """Draw every schedule over 20 epochs, with the η of each step."""
    import matplotlib
    import numpy as np
    from matplotlib.figure import Figure

    matplotlib.rcParams["svg.hashsalt"] = "deltaprop"
    shown = [entry for entry in SCHEDULES.values() if entry.name != "plateau"]  # goes by E
    figure = Figure(figsize=(11, 5), layout="constrained")
    panels = figure.subplots(3, 4).ravel()
    m = np.linspace(0, 20, 801)[:-1]
    for panel, entry in zip(panels, shown, strict=False):
        arguments = {"period": 4} if entry.name == "cosine_restarts" else {"every": 5} if entry.name == "step" else {}
        for warmup, style in ((0, "-"), (3, ":")):
            own = entry(1.0, warmup=warmup, **arguments)
            panel.plot(m, [own.eta(float(x), 20) for x in m], style, color="tab:blue", linewidth=1.2)
        panel.set_title(entry.name, fontsize=9)
        panel.set_ylim(-0.05, 1.1)
        panel.tick_params(labelsize=6)
        panel.spines[["top", "right"]].set_visible(False)
    panels[-1].set_visible(False)
    panels[0].legend(["warmup=0", "warmup=3"], fontsize=7, frameon=False, loc="lower right")
    figure.savefig(path, metadata={"Date": None})


if __name__ == "__main__":
    if sys.argv[1:] == ["--check"]:
        sys.exit((DOCS / "descent.md").read_text() != page() and "docs/descent.md: run tools/make_descent.py")
    (DOCS / "descent.md").write_text(page())
    draw(DOCS / "schedules.svg")
