"""What one core can do at most: multiply-adds in independent chains that stay in registers, two operations each."""

from __future__ import annotations

import ctypes
import functools
import subprocess
import tempfile
from pathlib import Path

import measure
from deltaprop import _engine

CHAINS, TURNS = 12, 1_000_000
_EACH = 'c{k} = c{k} * f + f; asm volatile("" : "+x"(c{k}));'
_SOURCE = f"""
typedef T V __attribute__((vector_size(BYTES)));
extern "C" double chains(T factor) {{
    V f = factor - V{{}}, {", ".join(f"c{k} = f" for k in range(CHAINS))};
    for (long n = 0; n < {TURNS}; ++n) {{ {" ".join(_EACH.format(k=k) for k in range(CHAINS))} }}
    return {" + ".join(f"c{k}[0]" for k in range(CHAINS))};
}}
"""


@functools.cache
def _compiled(real: str, size: int) -> ctypes.CDLL:
    with tempfile.TemporaryDirectory() as folder:
        source, library = Path(folder, "chains.cpp"), Path(folder, "chains.so")
        source.write_text(_SOURCE)
        switches = ["-O3", "-march=native", "-ffp-contract=fast", "-shared", "-fPIC", f"-DT={real}", f"-DBYTES={size}"]
        subprocess.run(["g++", *switches, str(source), "-o", str(library)], check=True)
        return ctypes.CDLL(str(library))


def peak(dtype: str, seconds: float) -> float:
    """FLOP/s of this core in this process: the engine's own measurement, or that of a program compiled for it."""
    native = getattr(_engine, {"float32": "peak_f32", "float64": "peak_f64"}[dtype], None)
    if native is not None:
        return max(float(native()) for _ in range(5))
    real, width, argument = {
        "float32": ("float", 8, ctypes.c_float(0.5)),
        "float64": ("double", 4, ctypes.c_double(0.5)),
    }[dtype]
    run = _compiled(real, 32).chains
    run.restype = ctypes.c_double
    turns = max(1, round(seconds / measure.timed(lambda: run(argument))))
    return 2 * width * CHAINS * TURNS / min(measure.timed(lambda: run(argument)) for _ in range(turns))
