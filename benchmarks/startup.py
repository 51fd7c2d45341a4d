"""The claims: importing deltaprop adds ≤ 60 ms to its own numpy and scipy; `deltaprop --help` answers within 0.4 s.

`import deltaprop` alone loads next to nothing; what is timed is `from deltaprop import Network`, with the engine.
"""

from __future__ import annotations

import statistics
import subprocess
import sys

import measure

TIMES = 15
COMMANDS = {
    "import numpy, scipy": "import numpy, scipy",
    "… from deltaprop import Network": "import numpy, scipy; from deltaprop import Network",
    "deltaprop --help": "import sys; sys.argv = ['deltaprop', '--help']; from deltaprop.cli import main; main()",
}


def main() -> int:
    """Time fresh processes, print, write results/startup.json; exit 1 where a claim does not hold."""

    def process(code: str) -> float:
        arguments = [sys.executable, "-c", code]
        return measure.timed(lambda: subprocess.run(arguments, check=True, capture_output=True))

    runs = {name: lambda code=code: process(code) for name, code in COMMANDS.items()}
    seconds = measure.alternate(runs, TIMES)
    for name, values in seconds.items():
        print(f"{name:<31} {measure.spread(values)} s")
    both, with_ours, help_ = (statistics.median(values) for values in seconds.values())
    print(f"deltaprop adds {1000 * (with_ours - both):.0f} ms")
    measure.report("startup", {"seconds": seconds})
    return 0 if with_ours - both <= 0.06 and help_ <= 0.4 else 1


if __name__ == "__main__":
    sys.exit(main())
