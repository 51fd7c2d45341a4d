"""A finding: one thing that keeps a network from learning, in words, with its figures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """One thing that keeps a network from learning.

    Attributes
    ----------
    kind : str
        "inputs", "targets", "not finite", "identical units", "dead units", "saturated units", "exploding", "vanishing",
        "collapsed weights", "unchanging parameters", "eta too large", "eta too small" or "chance".
    layer : int or None
        Where: 0 is the input, 1 the first layer of units; None is the network as a whole.
    message : str
        What was found, with its figures, and what to do about it.
    figures : mapping of str to float
        The figures by name.
    """

    kind: str
    layer: int | None
    message: str
    figures: Mapping[str, float]

    def __str__(self) -> str:
        place = "" if self.layer is None else f" in layer {self.layer}" if self.layer else " at the input"
        return f"{self.kind}{place}: {self.message}"


def listed(names: list[str], most: int = 3) -> str:
    """Return names in words, the first few of many.

    Examples
    --------
    >>> listed(["x1"]), listed(["x1", "x2", "x3", "x4", "x5"])
    ('x1', 'x1, x2, x3 and 2 more')
    """
    if len(names) > most:
        return f"{', '.join(names[:most])} and {len(names) - most:,} more"
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
