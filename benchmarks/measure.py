"""What the benchmarks share: the machine in words, medians in alternation, a JSON file of results."""

from __future__ import annotations

import json
import os
import platform
import statistics
import time
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"


def machine() -> dict[str, Any]:
    """The processor, the engine's build, the versions."""
    from deltaprop.model import engine_config

    name = platform.processor()
    if Path("/proc/cpuinfo").exists():
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        name = next((line.partition(": ")[2] for line in lines if line.startswith("model name")), name)
    versions = {}
    for package in ("deltaprop", "numpy", "scikit-learn"):
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            versions[package] = "not installed"
    config = engine_config()
    return {
        "processor": name,
        "cores": os.cpu_count(),
        "instruction set": config["instruction_set"],
        "compiler": config["compiler"],
        "python": platform.python_version(),
        **versions,
    }


def one_core() -> None:
    """Pin this process, ours and theirs, to one core and one thread; call it before NumPy is imported."""
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[name] = "1"
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})


def alternate(runs: dict[str, Callable[[], float]], times: int) -> dict[str, list[float]]:
    """Run each in turn, several times over, so that a slow moment of the machine meets all; seconds of each run."""
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(times):
        for name, run in runs.items():
            seconds[name].append(run())
    return seconds


def timed(function: Callable[[], object]) -> float:
    """Seconds that one call takes."""
    began = time.perf_counter()
    function()
    return time.perf_counter() - began


def spread(values: list[float]) -> str:
    """Median and range in words."""
    return f"{statistics.median(values):.4g} ({min(values):.4g} to {max(values):.4g})"


def report(name: str, results: dict[str, Any]) -> None:
    """Print the machine and write the results as JSON."""
    results = {"machine": machine(), **results}
    print("; ".join(f"{key} {value}" for key, value in results["machine"].items()))
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{name}.json").write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n")


def data_folder() -> Path | None:
    """The folder of real data, or None with a word on how to name it."""
    folder = os.environ.get("DELTAPROP_DATA")
    if not folder:
        print("skipped: DELTAPROP_DATA, the folder of real data, is not set")
        return None
    return Path(folder)
