"""What is known of a schedule: η over the course of a training run."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from deltaprop.functions import Entry

At = Callable[[Mapping[str, float], float, float], float]


@dataclass(frozen=True, repr=False)
class Schedule(Entry):
    """What η is, m epochs after the warm-up, of M; calling it gives it other parameters: ``cosine(1e-3, warmup=5)``.

    The first parameter of each is eta; where it is not given it is the optimizer's own. With ``warmup=k`` η rises in
    equal parts to its first value in the first k epochs, at the last of which (or the last step of which) it is there,
    and the schedule takes the rest.

    Attributes
    ----------
    at : callable
        (parameters by name, m, M) ↦ η.
    """

    at: At = lambda p, m, M: p["eta"]

    def of_rule(self, eta: float) -> Schedule:
        """Return the schedule with an optimizer's own eta, where none is given."""
        return self(eta) if math.isnan(self.numbers[0]) else self

    def eta(self, m: float, M: float, part: float = 1.0) -> float:
        """Return η at m of M epochs, m from 0, in fractions of an epoch where it changes with every step.

        ``part`` is how much of an epoch η lasts: that of a step, where it changes with each.

        Examples
        --------
        >>> from deltaprop.descent.schedules import SCHEDULES
        >>> [SCHEDULES["cosine"](1.0, warmup=2).eta(m, 6) for m in range(6)]
        [0.5, 1.0, 1.0, 0.8535533905932737, 0.5, 0.14644660940672627]
        """
        p = dict(zip((p.name for p in self.parameters), self.numbers, strict=True))
        warm = p["warmup"]
        if m < warm:
            return self.at(p, 0.0, max(M - warm, 1.0)) * min(1.0, (m + part) / warm)
        return self.at(p, m - warm, max(M - warm, 1.0))
