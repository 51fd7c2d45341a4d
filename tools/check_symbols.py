"""Check that an instruction set's object defines no weak symbol outside its own namespace.

A weak symbol that two objects define, such as an inline function of a header, is merged by the linker, which keeps one
of the two: compiled for AVX2 it could then run on a machine without. What stands in a set's own namespace is safe.
"""

import re
import subprocess
import sys
from pathlib import Path

SET = re.compile(r"kernels_([a-z0-9]+)")  # kernels_avx2_f32.dir
WEAK = re.compile(r"^[0-9a-f]* +[VWu] (\S+)$", re.MULTILINE)


def foreign_weak_symbols(obj: Path, instruction_set: str) -> list[str]:
    """Return the weak symbols that an object defines outside ``deltaprop::<instruction set>``."""
    listing = subprocess.run(["nm", "--defined-only", obj], check=True, capture_output=True, text=True).stdout
    own = f"9deltaprop{len(instruction_set)}{instruction_set}"  # as names are mangled
    return [name for name in WEAK.findall(listing) if own not in name and name != "DW.ref.__gxx_personality_v0"]


def main(build: str) -> int:
    """Check every object of kernels under a build folder."""
    objects = {path: SET.match(path.parts[-3])[1] for path in Path(build).rglob("kernels.cpp.o")}
    if len(objects) < 1:
        print(f"{build}: no object of kernels found")
        return 1
    failed = 0
    for path, instruction_set in sorted(objects.items()):
        names = foreign_weak_symbols(path, instruction_set)
        failed += bool(names)
        print(f"{instruction_set}: " + (", ".join(names) if names else "no weak symbol outside its own namespace"))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
