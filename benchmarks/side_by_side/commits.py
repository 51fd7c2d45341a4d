"""What a change costs: epochs of this working tree beside those of an older commit, one core, in alternation.

    make compare COMMIT=09f2ee8

Both are built into build/compare and run in processes of their own, in turn; of each process the least time of
many epochs counts, as the one that the machine disturbed least, and of all processes the median.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILT = ROOT / "build" / "compare"
# Layers, output and loss, batch, optimizer, samples of an epoch.
ROWS = [
    ([2, 4, 1], "sigmoid", "log", 1, "sgd", 20_000),
    ([30, 16, 1], "sigmoid", "log", 1, "sgd", 20_000),
    ([13, 50, 3], "softmax", "cross_entropy", 1, "sgd", 10_000),
    ([784, 30, 10], "sigmoid", "log", 1, "sgd", 6_000),
    ([784, 128, 10], "sigmoid", "log", 1, "sgd", 4_000),
    ([784, 128, 10], "softmax", "cross_entropy", 32, "sgd", 6_400),
    ([784, 128, 10], "softmax", "cross_entropy", 128, "adam", 6_400),
    ([100, 64, 64, 1], "sigmoid", "log", 64, "sgd", 25_600),
    ([100, 64, 64, 1], "sigmoid", "log", 64, "adam", 25_600),
    ([30, 16, 1], "sigmoid", "log", 16, "sgd", 40_000),
]
# One process: the least µs a sample of the epochs of a second, five at least. Only what Network has had from the start.
RUN = """
import json, os, sys
os.environ["OMP_NUM_THREADS"] = "1"
if hasattr(os, "sched_setaffinity"):
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
import numpy as np
from deltaprop import Network
layers, output, loss, batch, optimizer, n = json.loads(sys.argv[1])
h = "sigmoid" if batch == 1 else "relu"
net = Network(layers, h=h, output=output, loss=loss, dtype="float32", seed=0)
random = np.random.default_rng(0)
X = random.normal(size=(n, layers[0])).astype("float32")
k = random.integers(0, max(2, layers[-1]), n)
R = np.eye(layers[-1], dtype="float32")[k] if layers[-1] > 1 else k.astype("float32")
words = {} if optimizer == "sgd" else {"optimizer": optimizer}
seconds = []
while len(seconds) < 6 or sum(seconds) < 1:
    seconds += net.fit(X, R, epochs=1, eta=1e-3, batch_size=batch, **words).seconds
print(1e6 * min(seconds[1:]) / n)
"""


def built(source: Path, name: str) -> Path:
    """Install the source into a folder of its own, unless an older commit is there already."""
    site = BUILT / name
    if name == "now" or not site.exists():
        words = ["--quiet", "--disable-pip-version-check", "--no-deps", "--upgrade", "--target", str(site), str(source)]
        build = f"build-dir={BUILT / (name + '-build')}"
        subprocess.run([sys.executable, "-m", "pip", "install", *words, "-C", build], check=True)
    return site


def of_commit(commit: str) -> Path:
    """Build a commit from a copy of its tree."""
    git = ["git", "-C", str(ROOT)]
    name = subprocess.run([*git, "rev-parse", "--short", commit], check=True, capture_output=True, text=True).stdout
    tree = BUILT / f"{name.strip()}-source"
    if not tree.exists():
        tree.mkdir(parents=True)
        archive = subprocess.run([*git, "archive", commit], check=True, capture_output=True).stdout
        subprocess.run(["tar", "-x", "-C", str(tree)], input=archive, check=True)
    return built(tree, name.strip())


def micro(site: Path, row: list[object]) -> float:
    """µs a sample in a fresh process."""
    words = [sys.executable, "-c", RUN, json.dumps(row)]
    done = subprocess.run(words, env={"PYTHONPATH": str(site)}, cwd=BUILT, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(done.stderr)
    return float(done.stdout)


def main() -> None:
    """Print a line for each row."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("commit", help="what to compare with, as git names it")
    parser.add_argument("--rounds", type=int, default=9, help="processes of each, in alternation")
    parser.add_argument("--only", default="", metavar="TEXT", help="only rows that have TEXT in their name")
    arguments = parser.parse_args()
    sites = {"then": of_commit(arguments.commit), "now": built(ROOT, "now")}
    print(f"{'row':<34} {'then':>9} {'now':>9}   now / then, medians (least)")
    for layers, output, loss, batch, optimizer, n in ROWS:
        name = f"{'-'.join(map(str, layers))}, {optimizer}, batches of {batch}"
        if arguments.only not in name:
            continue
        taken: dict[str, list[float]] = {"then": [], "now": []}
        for turn in range(arguments.rounds):
            for which in list(sites)[:: 1 if turn % 2 else -1]:
                taken[which].append(micro(sites[which], [layers, output, loss, batch, optimizer, n]))
        then, now = (statistics.median(values) for values in taken.values())
        least = min(taken["now"]) / min(taken["then"])
        print(f"{name:<34} {then:9.4f} {now:9.4f}   {now / then:.2f} ({least:.2f})", flush=True)


if __name__ == "__main__":
    main()
