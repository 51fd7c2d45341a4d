"""The claim: training takes its data, a few times the parameters, and at most 16 MiB.

    data + (1 + states of the rule + one gradient + kept copies) θ + 16 MiB

What is measured is the greatest resident size of a process while `Network.fit` runs, less its size before it made data
and network, when a small network had been trained once. Linux alone keeps that greatest size and can set it back. Kept
is one copy, of the last good epoch; Momentum and Nesterov have one state, Adam two. Data are NumPy arrays of the
network's dtype, so that nobody needs copies of them.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

import measure

MIB = 2**20
ROOM, KEPT = 16, 1  # MiB, copies
STATES = {"SGD": 0, "Momentum": 1, "Nesterov": 1, "Adam": 2}
LAYERS = [2000, 2000, 10]
ROWS = [(rule, batch, dtype) for dtype in ("float32", "float64") for rule in STATES for batch in (1, 128)]


def resident(what: str) -> int:
    """Bytes: VmRSS, the size now, or VmHWM, the greatest."""
    found = re.search(rf"{what}:\s+(\d+) kB", Path("/proc/self/status").read_text())
    return 1024 * int(found[1]) if found else 0


def print_growth(rule: str, batch: str, dtype: str, rows: str) -> None:
    """In the child: bytes of the data, of theta, and by how much the process grew."""
    import numpy as np

    import deltaprop
    from deltaprop import Network

    how: dict[str, Any] = {"batch_size": int(batch), "eta": 0.001}
    if rule != "SGD":
        how["optimizer"] = getattr(deltaprop, rule)()
    small = Network([20, 20, 10], dtype=dtype)
    small.fit(np.zeros((300, 20)), np.zeros((300, 10)), epochs=1, **how)
    before = resident("VmRSS")
    random = np.random.default_rng(0)
    X, R = (random.random((int(rows), n), dtype=np.dtype(dtype).type) for n in (LAYERS[0], LAYERS[-1]))
    net = Network(LAYERS, dtype=dtype)
    Path("/proc/self/clear_refs").write_text("5")  # the greatest size counts from now
    net.fit(X, R, epochs=2, **how)
    growth = resident("VmHWM") - before
    print(json.dumps({"data": X.nbytes + R.nbytes, "theta": net.padded_theta.nbytes, "growth": growth}))


def compare(rule: str, batch: int, dtype: str, rows: int) -> dict[str, Any]:
    """Print one row and return all of it."""
    code = "import sys; from memory import print_growth; print_growth(*sys.argv[1:])"
    # Freed arrays go back to the system at once, so that what only the start needed does not count or hide anything.
    words = measure.child(code, rule, str(batch), dtype, str(rows), MALLOC_MMAP_THRESHOLD_="131072")
    found = {key: value / MIB for key, value in json.loads(words).items()}
    thetas = 1 + STATES[rule] + 1 + KEPT
    room = found["growth"] - found["data"] - thetas * found["theta"]
    name = f"{'-'.join(map(str, LAYERS))}, {rule}, batches of {batch}, {dtype}"
    print(
        f"{name:<48} {found['growth']:6.1f} MiB = data {found['data']:.1f} + {thetas} × theta {found['theta']:.1f} "
        f"{'+' if room >= 0 else '−'} {abs(room):.1f}   target + {ROOM} {'met' if room <= ROOM else 'NOT MET'}"
    )
    claim = {"what": "MiB beside data and theta", "target": ROOM, "measured": room, "met": room <= ROOM}
    return {"row": name, "MiB": found, "thetas": thetas, "claims": [claim]}


def main() -> int:
    """All rows; writes results/memory.json; exit 1 where the claim does not hold."""
    arguments = measure.arguments(__doc__)
    if not Path("/proc/self/clear_refs").exists():
        print("skipped: this system does not say how much memory a process took at most")
        return 0
    rows = 300 if arguments.quick else 2000
    results = [compare(*row, rows) for row in ROWS if arguments.only in ", ".join(map(str, row))]
    measure.report("memory", {"rows": results})
    return measure.missed([claim for row in results for claim in row["claims"]])


if __name__ == "__main__":
    sys.exit(main())
