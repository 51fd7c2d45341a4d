"""Two threads beside one, turn by turn in one process that is not pinned; and beside two processes.

Two processes that train a network each have nothing to do with each other but the machine: what they make together, of
what one makes alone, is what two threads could make at best.
"""

from __future__ import annotations

import json
import statistics
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import measure
from deltaprop.threads import ONE, SEVERAL
from side_by_side.task import PASSES, Ours, Task, several

TURNS = 9


class Told:
    """In place of deltaprop.threads.Threads, which tries what is faster: what it is told."""

    def __init__(self) -> None:
        self.which = ONE

    def choice(self) -> int:
        """Return what the next piece is to have."""
        return self.which

    def took(self, threads: int, seconds: float, samples: int) -> None:
        """Learn nothing from it."""


def two_threads(task: Task, times: int, seconds: float) -> tuple[float, float] | None:
    """How many times as fast two threads are as one, and two processes together; None where there is one core."""
    if len(measure.CORES) < 2:
        print("    2 threads: skipped, this process may use one core only")
        return None
    code = "import sys; from side_by_side.threads import print_turns; print_turns(*sys.argv[1:])"

    def turns(threads: str) -> list[list[float]]:
        words = json.dumps(task.__dict__), str(seconds), threads
        return [
            list(map(float, line.split())) for line in measure.child(code, *words, OMP_NUM_THREADS="2").splitlines()
        ]

    def both() -> float:
        with ThreadPoolExecutor(2) as pool:
            return statistics.mean(statistics.median(own[0]) for own in pool.map(turns, ("1", "1"))) / 2

    one, two, apart, alone = [], [], [], []
    for _ in range(times):
        own = turns("2")
        one += own[0]
        two += own[1]
        alone.append(statistics.median(turns("1")[0]))
        apart.append(both())
    print(
        f"    not pinned: 1 thread {measure.spread(one)}, 2 threads {measure.spread(two)}, "
        f"2 processes {measure.spread(apart)} µs a sample"
    )
    ratios = [a / b for a, b in zip(one, two, strict=True)]
    print(f"    2 threads are × {measure.spread(ratios)} of one, turn by turn")
    return statistics.median(ratios), statistics.median(alone) / statistics.median(apart)


def print_turns(task: str, seconds: str, threads: str) -> None:
    """In the child: µs a sample of some turns with one thread, and in alternation with two, a line each."""
    what = Task.parse(task)
    n = int(float(seconds) * 2e10 / what.operations / PASSES) // what.batch_size * what.batch_size
    n = min(max(n, what.batch_size), what.most_samples())
    run, told = Ours(what, *what.samples(n)), Told()
    run.net._threads.default_factory = lambda: told
    ways = (ONE, SEVERAL)[: int(threads)]
    taken: list[list[float]] = [[] for _ in ways]
    for turn in range(TURNS + 1):
        for way, own in zip(ways, taken, strict=True):
            told.which = way
            passed = 1e6 * measure.timed(partial(several, run)) / (n * PASSES)
            if turn:
                own.append(passed)
    for own in taken:
        print(*own)
