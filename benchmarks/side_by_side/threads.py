"""Two threads beside one: each measured in processes of its own that are not pinned."""

from __future__ import annotations

import json
import statistics
from functools import partial

import measure
from side_by_side.task import PASSES, Ours, Task, several


def two_threads(task: Task, times: int, seconds: float) -> float | None:
    """How many times as fast two threads are as one; None where there is one core."""
    if len(measure.CORES) < 2:
        print("    2 threads: skipped, this process may use one core only")
        return None
    code = "import sys; from side_by_side.threads import print_seconds; print_seconds(*sys.argv[1:])"

    def passing(threads: str) -> float:
        return float(measure.child(code, json.dumps(task.__dict__), str(seconds), OMP_NUM_THREADS=threads))

    taken = measure.alternate({n: partial(passing, n) for n in ("1", "2")}, times)
    one, two = (statistics.median(values) for values in taken.values())
    print(f"    not pinned: 1 thread {measure.spread(taken['1'])}, 2 threads {measure.spread(taken['2'])} µs a sample")
    return one / two


def print_seconds(task: str, seconds: str) -> None:
    """In the child: the median µs per sample of five runs of about so long."""
    what = Task.parse(task)
    n = int(float(seconds) * 2e10 / what.operations / PASSES) // what.batch_size * what.batch_size
    n = min(max(n, what.batch_size), what.most_samples())
    run = Ours(what, *what.samples(n))
    run.run()
    print(statistics.median(1e6 * measure.timed(partial(several, run)) / (n * PASSES) for _ in range(5)))
