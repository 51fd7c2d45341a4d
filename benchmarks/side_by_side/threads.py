"""Two threads beside one, and beside two processes: each measured in processes of its own that are not pinned.

Two processes that train a network each have nothing to do with each other but the machine: what they make together, of
what one makes alone, is what two threads could make at best.
"""

from __future__ import annotations

import json
import statistics
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import measure
from side_by_side.task import PASSES, Ours, Task, several


def two_threads(task: Task, times: int, seconds: float) -> tuple[float, float] | None:
    """How many times as fast two threads are as one, and two processes together; None where there is one core."""
    if len(measure.CORES) < 2:
        print("    2 threads: skipped, this process may use one core only")
        return None
    code = "import sys; from side_by_side.threads import print_seconds; print_seconds(*sys.argv[1:])"

    def passing(threads: str) -> float:
        return float(measure.child(code, json.dumps(task.__dict__), str(seconds), OMP_NUM_THREADS=threads))

    def both() -> float:
        with ThreadPoolExecutor(2) as pool:
            return statistics.mean(pool.map(passing, ("1", "1"))) / 2

    runs = {"1 thread": partial(passing, "1"), "2 threads": partial(passing, "2"), "2 processes": both}
    taken = measure.alternate(runs, times)
    one, two, apart = (statistics.median(values) for values in taken.values())
    print(
        "    not pinned: " + ", ".join(f"{name} {measure.spread(own)}" for name, own in taken.items()) + " µs a sample"
    )
    return one / two, one / apart


def print_seconds(task: str, seconds: str) -> None:
    """In the child: the median µs per sample of five runs of about so long."""
    what = Task.parse(task)
    n = int(float(seconds) * 2e10 / what.operations / PASSES) // what.batch_size * what.batch_size
    n = min(max(n, what.batch_size), what.most_samples())
    run = Ours(what, *what.samples(n))
    run.run()
    print(statistics.median(1e6 * measure.timed(partial(several, run)) / (n * PASSES) for _ in range(5)))
