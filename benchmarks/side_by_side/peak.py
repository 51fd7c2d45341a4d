"""What one core can do at most: multiply-adds in independent chains that stay in registers, two operations each."""

from __future__ import annotations

from deltaprop import _engine


def peak(dtype: str, seconds: float) -> float:
    """FLOP/s of this core in this process: twelve chains on the vectors that the engine uses, the best of a while."""
    return float(_engine.peak(dtype == "float64", seconds))
