"""One row: that all make the same updates, then the times in alternation, and what follows from them."""

from __future__ import annotations

import statistics
from argparse import Namespace
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import measure
from deltaprop import _engine
from side_by_side.task import PASSES, Array, Ours, Task, several
from side_by_side.threads import two_threads

AGREE = 1e-4  # of the largest parameter
FURTHER = 20  # how many times as far as they differ the parameters must have moved, at least
# What is compared: the more of both, but of wide networks less. Sooner or later the input of some ReLU comes so close
# to 0 that rounding says on which side it is, and from there on descents part that are the same.
SAME_STEPS, SAME_SAMPLES = 8, 256
HIDDEN_INPUTS = 300_000  # about one in a million does
FEW_INPUTS = 16
EPSILON = 1e-4  # of Adam in that comparison: with 1e-8 even a gradient that is mere rounding makes a step of η
OURS = "deltaprop"


@dataclass(frozen=True)
class Row:
    """A task and what is claimed of it: at least so many times, or such a share."""

    name: str
    task: Task
    targets: dict[str, float] = field(default_factory=dict)


def _largest(parts: Any) -> float:
    return max(float(abs(part).max()) for part in parts)


def same_updates(peer: Any, task: Task) -> tuple[float, float]:
    """How much the parameters differ after the same samples, and how far they moved, of the largest parameter."""
    task = replace(task, epsilon=EPSILON)
    most = HIDDEN_INPUTS // max(1, sum(task.layers[1:-1]) * task.batch_size)
    n = max(2, min(most, max(SAME_STEPS, -(-SAME_SAMPLES // task.batch_size)))) * task.batch_size
    X, R = task.samples(n)
    ours, theirs = Ours(task, X, R), peer.prepare(task, X, R)
    ours.run()
    theirs.run()
    own, other, start = ([*W, *b] for W, b in (ours.parameters(), theirs.parameters(), task.start()))
    size = _largest(own)
    difference, moved = (_largest(a - b for a, b in zip(own, there, strict=True)) for there in (other, start))
    return difference / size, moved / size


def calibrated(prepare: Callable[[Array, Array], Any], task: Task, seconds: float) -> tuple[Any, int]:
    """A run whose passes take about so long, in whole batches, warm; and its samples."""
    n = min(max(4 * task.batch_size, 64), task.most_samples())
    while True:
        run = prepare(*task.samples(n))
        run.run()
        took = min(measure.timed(partial(several, run)) for _ in range(2))
        if took > seconds / 2 or n == task.most_samples():
            return run, n
        grown = int(n * min(50, max(2, seconds / took))) // task.batch_size * task.batch_size
        n = min(grown, task.most_samples())


def agreements(row: Row, peers: list[Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The peers that can do the row, and how well their parameters agree with ours."""
    able, found = {}, {}
    for peer in peers:
        task = peer.nearest(row.task)
        if task is None:
            print(f"    {peer.NAME}: cannot do this")
            continue
        able[peer.NAME] = peer
        difference, moved = same_updates(peer, task)
        same = difference < AGREE and moved > FURTHER * difference
        words = "same updates" if same else "NOT THE SAME UPDATES"
        loss = "" if task.loss == row.task.loss else f" (with {task.loss})"
        print(f"    {words} as {peer.NAME}{loss}: parameters moved by {moved:.1e} and agree to {difference:.1e}")
        found[peer.NAME] = {"difference": difference, "moved": moved, "loss": task.loss, "same": same}
    return able, found


def measured_of(row: Row, micro: dict[str, list[float]], share: float, times: int, seconds: float) -> dict[str, float]:
    """What the targets speak of, by their words; what cannot be had here is left out."""
    own = statistics.median(micro[OURS])
    ratios = {name: statistics.median(values) / own for name, values in micro.items() if name != OURS}
    measured = {**ratios, "share of peak": share}
    peers = {name: ratio for name, ratio in ratios.items() if name != "float64"}
    if peers:
        measured["best peer"] = min(peers.values())
    if "float64" in ratios:
        measured["float64, its rate of float32's"] = 1 / measured.pop("float64")
    if "2 threads, of 1" in row.targets:
        ratios_of_two = two_threads(row.task, times, seconds)
        if ratios_of_two is not None:
            measured["2 threads, of 1"], measured["2 processes, of 1"] = ratios_of_two
            print(f"    2 processes together are × {ratios_of_two[1]:.2f} of one")
    return measured


def limit_of(task: Task, top: float, seconds: float, times: int) -> float:
    """The µs a sample that this core cannot go below, with ``top`` operations a second.

    Of online descent only the first layer can go at the peak: what goes sample by sample takes what it takes, which is
    measured on the same network with few inputs.
    """
    if task.batch_size > 1 or task.layers[0] <= FEW_INPUTS:
        return task.operations / top * 1e6
    few = replace(task, layers=(FEW_INPUTS, *task.layers[1:]))
    run, n = calibrated(lambda X, R: Ours(few, X, R), few, seconds)
    taken = statistics.median(measure.timed(partial(several, run)) for _ in range(times))
    return 1e6 * taken / (n * PASSES) + (task.operations - few.operations) / top * 1e6


def _seconds_at_peak(double: bool, seconds: float) -> float:
    """Seconds that one operation takes at the peak of this core."""
    return 1 / _engine.peak(double, seconds)


def compare(row: Row, peers: list[Any], quick: bool) -> dict[str, Any]:
    """Print the row and return all of it."""
    times, seconds = (1, 0.02) if quick else (7, 0.3)
    task = row.task
    print(f"\n{row.name}: {task.h}, {task.output}, {task.loss} loss, batches of {task.batch_size}, {task.dtype}")
    able, same = agreements(row, peers)
    prepares: dict[str, tuple[Task, Any]] = {OURS: (task, lambda X, R: Ours(task, X, R))}
    for name, peer in able.items():
        prepares[name] = task, lambda X, R, peer=peer: peer.prepare(task, X, R)
    if "float64" in " ".join(row.targets):
        wide = replace(task, dtype="float64")
        prepares["float64"] = wide, lambda X, R: Ours(wide, X, R)
    runs = {name: calibrated(prepare, of, seconds) for name, (of, prepare) in prepares.items()}
    # The core's peak, too, takes its turn: a core that others slow down for a while is not blamed on the engine.
    timed = {"peak": partial(_seconds_at_peak, task.dtype == "float64", 0.01 if quick else 0.05)} | {
        name: partial(measure.timed, partial(several, run)) for name, (run, _) in runs.items()
    }
    taken = measure.alternate(timed, times)
    peaks = [1 / seconds for seconds in taken.pop("peak")]  # FLOP/s
    micro = {name: [1e6 * s / (PASSES * runs[name][1]) for s in values] for name, values in taken.items()}
    own, top = statistics.median(micro[OURS]), statistics.median(peaks)
    rate = task.operations / own * 1e6
    share = statistics.median(task.operations / us * 1e6 / peak for us, peak in zip(micro[OURS], peaks, strict=True))
    for name, values in micro.items():
        beside = f"{rate / 1e9:.1f} GFLOP/s, {share:.0%} of {top / 1e9:.0f}" if name == OURS else ""
        ratio = statistics.median(values) / own
        print(f"    {name:<13} {measure.spread(values):<32} µs a sample {ratio:8.2f}  {beside}")
    measured = measured_of(row, micro, share, times, seconds)
    claims = measure.judge(row.targets, measured)
    limit = limit_of(task, top, seconds, times)
    for claim in claims:
        if claim["met"] is False and claim["what"] in ("best peer", *able):
            claim["µs needed"] = needed = own * claim["measured"] / claim["target"]
            print(f"    {claim['what']} × {claim['target']:g} would be {needed:.3g} µs; the limit is {limit:.3g} µs")
    claims += [
        {"what": f"same updates as {name}", "target": AGREE, "measured": found["difference"], "met": found["same"]}
        for name, found in same.items()
    ]
    return {
        "row": row.name,
        "task": task.__dict__,
        "samples": {name: n for name, (_, n) in runs.items()},
        "µs per sample": micro,
        "operations per sample": task.operations,
        "GFLOP/s": rate / 1e9,
        "peak GFLOP/s": top / 1e9,
        "limit, µs": limit,
        "same updates": same,
        "measured": measured,
        "claims": claims,
    }


def main(name: str, words: str, rows: list[Row], peers: tuple[Namespace, list[Any], dict[str, str]]) -> int:
    """All rows; writes NAME.json and NAME.png; the exit status."""
    arguments, found, missing = peers
    results = [compare(row, found, arguments.quick) for row in rows if arguments.only in row.name]
    measure.report(name, {"peers": {p.NAME: p.VERSION for p in found}, "skipped": missing, "rows": results})
    from side_by_side.picture import bars

    bars(name, words, {row["row"]: row["µs per sample"] for row in results})
    return measure.missed([claim for row in results for claim in row["claims"]])
