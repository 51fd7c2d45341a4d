"""What the benchmarks share: the machine in words, one core, medians in alternation, a JSON file of results."""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"
CORES: set[int] = set(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else set()  # before one_core()


def arguments(words: str | None) -> argparse.Namespace:
    """The switches that the scripts share: --quick and --only."""
    parser = argparse.ArgumentParser(description=words, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="few samples, one repeat: whether it runs, not how fast")
    parser.add_argument("--only", default="", metavar="TEXT", help="only rows that have TEXT in their name")
    return parser.parse_args()


def machine() -> dict[str, Any]:
    """The processor, the engine's build, the versions."""
    from deltaprop.plan import engine_config

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
    os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false"
    os.environ["JAX_PLATFORMS"] = "cpu"
    if CORES:
        os.sched_setaffinity(0, {min(CORES)})


def alternate(runs: Mapping[str, Callable[[], float]], times: int) -> dict[str, list[float]]:
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


def child(code: str, *words: str, **environment: str) -> str:
    """What a fresh Python that stands in this folder prints; it may use every core."""
    everywhere = f"os.sched_setaffinity(0, {CORES})" if CORES else ""
    done = subprocess.run(
        [sys.executable, "-c", f"import os; {everywhere}; {code}", *words],
        cwd=Path(__file__).parent,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise RuntimeError(done.stderr)
    return done.stdout


def short(value: float) -> str:
    """Three digits, or all before the point."""
    return f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"


def spread(values: list[float]) -> str:
    """Median and range in words."""
    return f"{statistics.median(values):.4g} ({min(values):.4g} to {max(values):.4g})"


def judge(targets: dict[str, float], measured: dict[str, float]) -> list[dict[str, Any]]:
    """Print each target beside what was measured; None for what could not be measured here."""
    claims = []
    for what, target in targets.items():
        value = measured.get(what)
        met = None if value is None else value >= target
        words = {None: "NOT MEASURED", True: "met", False: "NOT MET"}[met]
        print(f"    {what:<34} {'–' if value is None else short(value):>8}   target {target:<7g} {words}")
        claims.append({"what": what, "target": target, "measured": value, "met": met})
    return claims


def missed(claims: list[dict[str, Any]]) -> int:
    """Print how many targets there were and how they came out; the exit status, 1 where one is not met."""
    count = [sum(claim["met"] is value for claim in claims) for value in (True, False, None)]
    print(f"targets: {count[0]} met, {count[1]} not met, {count[2]} not measured")
    return int(count[1] > 0)


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
