"""The claim: y of a batch at least as fast as onnxruntime on one thread, and of one row much faster.

ReLU hidden units, softmax or sigmoid outputs, float32; both on one core and one thread, in alternation. First it is
shown that both give the same y. A call is `Network.predict(X)` and `InferenceSession.run(None, {"x": X})`, with what
each checks.
"""

from __future__ import annotations

import statistics
import sys
from functools import partial
from typing import Any

import measure

measure.one_core()

import numpy as np  # noqa: E402

import peers  # noqa: E402
from side_by_side.picture import bars  # noqa: E402
from side_by_side.task import Task  # noqa: E402

AGREE = 1e-5
WIDE = Task((784, 128, 10), "relu", "softmax", "cross_entropy")
SMALL = Task((30, 16, 1), "relu")
ROWS = [(WIDE, 1000, 1.0), (WIDE, 32, 1.15), (SMALL, 1000, 1.5), (WIDE, 1, 2.2), (SMALL, 1, 4.0)]


def compare(task: Task, batch: int, target: float, found: list[Any], quick: bool) -> dict[str, Any]:
    """Print one row and return all of it."""
    name = f"{task.shape}, batches of {batch}" if batch > 1 else f"{task.shape}, one row"
    print(f"\n{name}: {task.h}, {task.output}, {task.dtype}")
    net = task.network()
    X, _ = task.samples(batch)
    calls = {"deltaprop": net.predict, **{peer.NAME: peer.predictor(task) for peer in found}}
    differences = {who: float(np.abs(predict(X) - net.predict(X)).max()) for who, predict in calls.items()}
    seconds = 0.01 if quick else 0.2
    repeats = {who: max(1, round(seconds / measure.timed(partial(p, X)))) for who, p in calls.items()}

    def run(who: str) -> float:
        predict = calls[who]

        def again() -> None:
            for _ in range(repeats[who]):
                predict(X)

        return measure.timed(again)

    taken = measure.alternate({who: partial(run, who) for who in calls}, 1 if quick else 7)
    micro = {who: [1e6 * s / repeats[who] / batch for s in values] for who, values in taken.items()}
    own = statistics.median(micro["deltaprop"])
    for who, values in micro.items():
        ratio = statistics.median(values) / own
        print(f"    {who:<13} {measure.spread(values):<32} µs a row {ratio:6.2f}  y agrees to {differences[who]:.1e}")
    ratios = {who: statistics.median(values) / own for who, values in micro.items()}
    claims = measure.judge({"onnxruntime": target}, ratios)
    claims += [
        {"what": f"same y as {who}", "target": AGREE, "measured": d, "met": d < AGREE}
        for who, d in differences.items()
        if who != "deltaprop"
    ]
    return {"row": name, "task": task.__dict__, "µs per row": micro, "ratio": ratios, "claims": claims}


def main() -> int:
    """All rows; writes results/inference.json and .png; exit 1 where a claim does not hold."""
    arguments = measure.arguments(__doc__)
    found, missing = peers.load("onnx_runtime")
    results = [compare(*row, found, arguments.quick) for row in ROWS if arguments.only in row[0].shape]
    versions = {peer.NAME: peer.VERSION for peer in found}
    measure.report("inference", {"peers": versions, "skipped": missing, "rows": results})
    rows = {row["row"]: row["µs per row"] for row in results}
    bars("inference", "Inference, float32, one core", rows, "µs per row")
    return measure.missed([claim for row in results for claim in row["claims"]])


if __name__ == "__main__":
    sys.exit(main())
