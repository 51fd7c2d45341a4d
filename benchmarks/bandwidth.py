"""The claim: what stands between the engine and the multipliers' peak is memory; here is how fast one core has it.

Float32 arrays of several sizes, each read by a sum and copied into another of its size, by NumPy, on one core: from the
first cache, the second, the third, and memory. docs/performance.md reckons with these figures.
"""

from __future__ import annotations

import statistics
import sys

import measure

measure.one_core()

import numpy as np  # noqa: E402

SIZES = (32, 512, 1024, 4096, 16384, 262144)  # KiB
BYTES = 2**28  # that each timing goes through
TIMES = 9


def gigabytes(kib: int, quick: bool) -> dict[str, list[float]]:
    """GB/s of reading an array of so many KiB, and of copying it (its bytes read, and as many written)."""
    a = np.ones(kib * 256, np.float32)
    b = np.empty_like(a)
    turns = 1 if quick else max(1, BYTES // a.nbytes)

    def read() -> None:
        for _ in range(turns):
            np.dot(a, a)

    def copy() -> None:
        for _ in range(turns):
            np.copyto(b, a)

    runs = {"read": lambda: measure.timed(read), "copied": lambda: measure.timed(copy)}
    taken = measure.alternate(runs, 1 if quick else TIMES)
    return {name: [turns * a.nbytes / s / 1e9 for s in seconds] for name, seconds in taken.items()}


def main(quick: bool) -> int:
    """Print and write down all sizes."""
    rows = {kib: gigabytes(kib, quick) for kib in SIZES}
    for kib, row in rows.items():
        words = [f"{name} {statistics.median(v):6.1f} ({min(v):.1f} to {max(v):.1f})" for name, v in row.items()]
        print(f"{kib:8,} KiB: {', '.join(words)} GB/s")
    measure.report("bandwidth", {"GB/s": {str(kib): row for kib, row in rows.items()}})
    return 0


if __name__ == "__main__":
    sys.exit(main(measure.arguments(__doc__).quick))
