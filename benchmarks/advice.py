"""Which optimizer, which schedule, when: curves on real data, behind docs/advice.md.

Three tasks: digits (10,000 of MNIST's, 784-128-10), house prices (california_housing, regression, 64-64 units), kinds
of forest (covertype_part, 64-64 units). For each optimizer η is chosen from a grid by E of validation samples after
the last epoch, with one seed; the curves are means over three other seeds at that η. Schedules likewise, with sgd and
adam. Then what dropout, weight decay and averages bring where a network is too large for its samples (1,000 digits).
One core, float32; E after an epoch is of samples held out, lower is better.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import measure
from deltaprop import DivergenceError, Network
from deltaprop.data import fit_encoder, fit_target, read_table
from deltaprop.data.targets import Labels
from deltaprop.training import hold_out

OPTIMIZERS = [
    "sgd",
    "momentum",
    "nesterov",
    "adagrad",
    "rmsprop",
    "adadelta",
    "adam",
    "amsgrad",
    "nadam",
    "adamw",
    "lion",
]
ETAS = {
    "sgd": [0.01, 0.03, 0.1, 0.3, 1.0],
    "momentum": [0.001, 0.003, 0.01, 0.03, 0.1],
    "nesterov": [0.001, 0.003, 0.01, 0.03, 0.1],
    "adagrad": [0.003, 0.01, 0.03, 0.1],
    "adadelta": [0.1, 0.3, 1.0, 3.0],
    "lion": [1e-5, 3e-5, 1e-4, 3e-4, 1e-3],
}
ADAPTIVE = [1e-4, 3e-4, 1e-3, 3e-3, 1e-2]
SCHEDULES = ["constant", "step:{eta},every=5", "exponential:{eta},factor=0.85", "invscaling", "linear", "cosine",
             "cosine:{eta},warmup=2", "one_cycle", "flat_cos"]  # fmt: skip
SEEDS = (1, 2, 3)
EPOCHS = 10


@dataclass
class Task:
    """Samples, those held out, and the network for them."""

    name: str
    X: Any
    R: Any
    held_out: tuple[Any, Any]
    words: dict[str, Any]
    batch_size: int = 64

    def run(self, seed: int, epochs: int = EPOCHS, **words: Any) -> tuple[list[float], float]:
        """E of the held-out samples after each epoch, inf from where it diverged; seconds an epoch."""
        own = {name: words.pop(name) for name in ("dropout", "l2") if name in words}
        net = Network(**self.words, **own, dtype="float32", seed=seed)
        try:
            history = net.fit(
                self.X, self.R, epochs=epochs, batch_size=self.batch_size, validation=self.held_out, **words
            )
        except DivergenceError:
            return [np.inf] * epochs, np.inf
        return history.E_validation, float(np.median(history.seconds))

    def mean(self, **words: Any) -> tuple[list[float], float]:
        """The same, means over the seeds."""
        runs = [self.run(seed, **words) for seed in SEEDS]
        return np.mean([E for E, _ in runs], axis=0).tolist(), float(np.median([seconds for _, seconds in runs]))


def digits(folder: Path, n: int = 10_000) -> Task:
    """MNIST."""
    data = np.load(folder / "mnist.npz")
    X = data["x_train"].reshape(-1, 784).astype(np.float32) / 255
    words = {"layers": [784, 128, 10], "h": "relu", "output": "softmax", "loss": "cross_entropy"}
    held_out = (X[55_000:], data["y_train"][55_000:])
    return Task(f"{n:,} digits", X[:n], data["y_train"][:n], held_out, words)


def table(folder: Path, name: str, target: str, task: str) -> Task:
    """A table, its columns encoded by what the training rows say."""
    rows = read_table(folder / f"{name}.parquet")
    found = fit_target(target, rows.column(target), task)
    train, test = hold_out(rows.num_rows, 0.25, 0, None)
    encoder, _ = fit_encoder(rows, [target], train)
    X, X_test = (encoder.encode(rows.take(part)).astype(np.float32) for part in (train, test))
    values = found.encode(rows.column(target))[1]
    if isinstance(found, Labels):
        n_out, words = len(found.labels), {"output": "softmax", "loss": "cross_entropy"}
    else:
        values, n_out = (values - found.mean) / found.scale, 1
        words = {"output": "identity", "loss": "squared_error"}
    words |= {"layers": [X.shape[1], 64, 64, n_out], "h": "relu"}
    return Task(name.replace("_", " "), X, values[train], (X_test, values[test]), words)


def chosen(task: Task, etas: list[float], **words: Any) -> float:
    """The η of a grid with the least E at the end."""
    return min(etas, key=lambda eta: task.run(0, eta=eta, **words)[0][-1])


def optimizers(task: Task) -> dict[str, Any]:
    """Each optimizer at its best η."""
    found = {}
    for name in OPTIMIZERS:
        eta = chosen(task, ETAS.get(name, ADAPTIVE), optimizer=name)
        E, seconds = task.mean(eta=eta, optimizer=name)
        found[name] = {"eta": eta, "E": E, "seconds": seconds}
        print(f"{task.name:<20} {name:<10} eta {eta:<8g} E {E[4]:.4f} after 5, {E[-1]:.4f} after {len(E)}", flush=True)
    return found


def schedules(task: Task, optimizer: str) -> dict[str, Any]:
    """Each schedule at its best η."""
    found = {}
    for name in SCHEDULES:

        def written(eta: float, name: str = name) -> str:
            return name.format(eta=eta) if "{" in name else f"{name}:{eta}"

        grid = ETAS.get(optimizer, ADAPTIVE)
        eta = min(grid, key=lambda eta: task.run(0, eta=written(eta), optimizer=optimizer)[0][-1])
        E, _ = task.mean(eta=written(eta), optimizer=optimizer)
        found[written(eta)] = {"E": E}
        print(f"{task.name:<20} {optimizer}, {written(eta):<32} E {E[-1]:.4f}", flush=True)
    return found


def regularizers(folder: Path) -> dict[str, Any]:
    """What holds a network back that is too large for its samples."""
    task = digits(folder, 1000)
    found = {}
    for name, words in {
        "nothing": {},
        "l2=1e-3": {"l2": 1e-3},
        "decay=0.1": {"decay": 0.1},
        "dropout=0.5": {"dropout": 0.5},
        "dropout=[0.2, 0.5]": {"dropout": [0.2, 0.5]},
        "max_norm=1.5": {"max_norm": 1.5},
        "average='ema:0.99'": {"average": "ema:0.99"},
        "patience=5": {"patience": 5},
    }.items():
        E = [task.run(seed, 60, eta=1e-3, optimizer="adam", **words)[0] for seed in SEEDS]
        at_end, best = (float(np.mean([f(own) for own in E])) for f in (lambda own: own[-1], min))
        if "patience" in words:
            at_end = best  # the best epoch is kept
        longest = max(map(len, E))
        found[name] = {"E": np.mean([own + [own[-1]] * (longest - len(own)) for own in E], axis=0).tolist()}
        found[name] |= {"end": at_end, "best": best}
        print(f"{task.name:<20} {name:<22} E {at_end:.4f} at the end, {best:.4f} at its best", flush=True)
    return found


def draw(results: dict[str, Any], path: Path) -> None:
    """The curves: optimizers in the first row, schedules in the second, what holds back in the last panel."""
    import matplotlib
    from matplotlib.figure import Figure

    matplotlib.rcParams["svg.hashsalt"] = "deltaprop"
    figure = Figure(figsize=(13, 8.5), layout="constrained")
    panels = figure.subplots(2, 3)

    def curves(panel: Any, title: str, lines: dict[str, Any], name: Callable[[str, Any], str]) -> None:
        colours = matplotlib.colormaps["tab20"].colors
        best = min(own["E"][-1] for own in lines.values())
        worst = max(own["E"][0] for own in lines.values() if np.isfinite(own["E"][0]))
        for k, (key, own) in enumerate(sorted(lines.items(), key=lambda pair: pair[1]["E"][-1])):
            panel.plot(range(1, len(own["E"]) + 1), own["E"], color=colours[k % 20], lw=1.3, label=name(key, own))
        panel.set_ylim(best - 0.05 * (min(worst, 3 * best) - best), min(worst, 3 * best))
        panel.set_title(title, fontsize=10)
        panel.set_xlabel("epoch", fontsize=8)
        panel.set_ylabel("E of samples held out", fontsize=8)
        panel.tick_params(labelsize=7)
        panel.spines[["top", "right"]].set_visible(False)
        panel.legend(fontsize=6.5, frameon=False)

    for panel, (task, lines) in zip(panels[0], results["optimizers"].items(), strict=True):
        curves(panel, f"{task}: optimizers", lines, lambda key, own: f"{key}, η {own['eta']:g}")
    for panel, (task, lines) in zip(panels[1], results["schedules"].items(), strict=False):
        curves(panel, f"{task}: schedules", lines, lambda key, _: key)
    curves(panels[1][2], "1,000 digits, adam: what holds back", results["regularizers"], lambda key, _: key)
    figure.savefig(path, metadata={"Date": None})


def main() -> int:
    """Train, print, write results/advice.json and docs/advice.svg."""
    folder = measure.data_folder()
    if folder is None:
        return 0
    measure.one_core()
    tasks = [
        digits(folder),
        table(folder, "california_housing", "median_house_value", "regression"),
        table(folder, "covertype_part", "Cover_Type", "classification"),
    ]
    results: dict[str, Any] = {"optimizers": {}, "schedules": {}}
    for task in tasks:
        results["optimizers"][task.name] = optimizers(task)
    for task, optimizer in ((tasks[0], "sgd"), (tasks[1], "adam")):
        results["schedules"][f"{task.name}, {optimizer}"] = schedules(task, optimizer)
    results["regularizers"] = regularizers(folder)
    measure.report("advice", results)
    draw(results, Path(__file__).parent.parent / "docs" / "advice.svg")
    return 0


if __name__ == "__main__":
    sys.exit(main())
