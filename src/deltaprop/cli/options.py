"""The options of the commands that train, by the panels of their help; a new one goes into its panel here."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer


def option(panel: str, help: str, *names: str, **more: Any) -> Any:
    """Return an option in a panel of the help."""
    return typer.Option(*names, help=help, rich_help_panel=panel, **more)


# ---- the table -----------------------------------------------------------------------------------------------------

_table = partial(option, "The table")

Table = Annotated[Path | None, typer.Argument(metavar="TABLE", help="A CSV or Parquet file.", show_default=False)]
Target = Annotated[str | None, _table("The column to predict.", metavar="COLUMN")]
Task = Annotated[
    str | None,
    _table(
        "classification or regression. By default text, Booleans, categories and two distinct values are "
        "classification.",
        metavar="TASK",
    ),
]
Drop = Annotated[list[str] | None, _table("A column to leave out; may be repeated.", metavar="COLUMN")]
ClassWeight = Annotated[str | None, _table("balanced, or how much each label counts: yes=5,no=1.", metavar="WEIGHTS")]
Validation = Annotated[
    float | None,
    _table("Share of the rows to hold out, by default 0.2; the best epoch on them is kept.", metavar="SHARE"),
]
NoValidation = Annotated[bool, _table("Train on all rows.", "--no-validation")]
Seed = Annotated[int, _table("Same seed, same model.", min=0, metavar="N")]

# ---- the network ---------------------------------------------------------------------------------------------------

_network = partial(option, "The network, and its loss")

Hidden = Annotated[str, _network("Units of the hidden layers; 0 for none.", metavar="UNITS")]
H = Annotated[str, _network("Activation of the hidden layers (`deltaprop list activations`).", "--h", metavar="H")]
Loss = Annotated[
    str | None,
    _network(
        "The loss, where it should be another than the usual: huber:delta=1, … (`deltaprop list losses`).",
        metavar="LOSS",
    ),
]
Init = Annotated[str | None, _network("How the first weights are drawn; by default as h needs.", metavar="INIT")]
L2 = Annotated[float, _network("Penalty l2/2 Σ w² on the weights.", min=0, metavar="X")]
L1 = Annotated[float, _network("Penalty l1 Σ |w| on the weights.", min=0, metavar="X")]
Dropout = Annotated[
    str,
    _network(
        "Share of the hidden units that training drops; of the inputs and of these: .2,.5; or of each layer: .2,.5,.5",
        metavar="SHARES",
    ),
]
InputNoise = Annotated[float, _network("Standard deviation of noise on inputs in training.", min=0, metavar="X")]

# ---- the descent ---------------------------------------------------------------------------------------------------

_descent = partial(option, "The descent")

OptimizerName = Annotated[
    str,
    _descent("The rule of a step: adam, adam:beta1=0.8, … (`deltaprop list optimizers`).", metavar="RULE"),
]
EtaText = Annotated[
    str | None,
    _descent(
        "Learning rate: a number, a formula of the epoch n, or a schedule such as cosine:0.1,warmup=5 "
        "(`deltaprop list schedules`); by default the rule's own, or less where training diverges.",
        metavar="ETA",
    ),
]
EtaPer = Annotated[str, _descent("Whether eta changes with every epoch, or with every step.", metavar="epoch|step")]
BatchSize = Annotated[int | None, _descent("Rows per step, by default 32; 1 is the lecture's.", min=1, metavar="N")]
Decay = Annotated[
    str | None, _descent("Weight decay beside the rule, as in AdamW; a number or what --eta takes.", metavar="DECAY")
]
ClipNorm = Annotated[float | None, _descent("The most that the norm of a gradient may be.", metavar="X")]
ClipValue = Annotated[float | None, _descent("The most that each number of a gradient may be.", metavar="X")]
MaxNorm = Annotated[float | None, _descent("The most that the norm of the weights into a unit may be.", metavar="X")]
AverageText = Annotated[
    str | None,
    _descent(
        "End with an average of the parameters: ema:0.999, last:5 (`deltaprop list averages`).", metavar="AVERAGE"
    ),
]

# ---- the course of a run -------------------------------------------------------------------------------------------

_course = partial(option, "How long it trains, and what is kept")

Epochs = Annotated[
    int | None,
    _course("At most so many; by default about 40,000 steps, but 20 to 300 epochs.", min=0, metavar="N"),
]
TimeBudget = Annotated[
    str | None, _course("The training takes no longer than that: seconds, or 5m, 2h.", metavar="TIME")
]
Goal = Annotated[float | None, _course("Stop where the monitored metric is as good.", metavar="X")]
Patience = Annotated[
    int | None,
    _course(
        "Stop after so many epochs without a better value; by default 30 where rows are held out.",
        min=1,
        metavar="N",
    ),
]
MinGain = Annotated[float | None, _course("By how much a value has to be better to count.", min=0, metavar="X")]
Monitor = Annotated[
    str | None,
    _course(
        "The metric that patience, keep and goal go by, of the rows held out; by default E (`deltaprop list metrics`).",
        metavar="METRIC",
    ),
]
Metrics = Annotated[
    str | None, _course("What else to look at after each epoch, with commas between.", metavar="METRICS")
]
Keep = Annotated[
    str | None,
    _course(
        "Whose epoch's weights: best (the first of equals), last-best or last; by default the best where there is "
        "patience.",
        metavar="WHICH",
    ),
]

# ---- files ---------------------------------------------------------------------------------------------------------

_files = partial(option, "Files, and a run that goes on")

Out = Annotated[Path, _files("Where the model file goes.", metavar="FILE")]
Plot = Annotated[Path | None, _files("Draw the loss curves into this file (png, svg or pdf).", metavar="FILE")]
Report = Annotated[
    Path | None,
    _files("Write a page (html) to step through updates on the way, as `deltaprop report` of the end.", metavar="FILE"),
]
CheckpointFile = Annotated[
    Path | None,
    _files("Write the run here now and then: --resume goes on with it, whatever killed it.", metavar="FILE"),
]
CheckpointEvery = Annotated[
    str | None,
    _files("Every so many epochs, as 5, or every so often, as 30s or 5m; by default every minute.", metavar="OFTEN"),
]
Resume = Annotated[
    Path | None,
    _files(
        "Go on with the run in this file, to the same model as if it had never been killed. Table and options need "
        "not be given again.",
        metavar="FILE",
    ),
]
