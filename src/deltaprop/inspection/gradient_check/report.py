"""What the gradient check says."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class GroupCheck:
    """The verdict on the weights or the biases of one layer, or on the penalty on its weights.

    Attributes
    ----------
    layer : int
        Counted from 1.
    group : str
        "weights", "biases" or "penalty".
    checked, size : int
        How many parameters were compared, out of how many.
    kinks : int
        How many of those stand at a kink of h (relu's at a = 0), where E has two slopes and backpropagation's lies
        between them: agreement, but no part of ``worst``.
    worst : float
        The error |a − n| / max(|a|, |n|), 0 of 0 and 0, that is largest beside what is allowed.
    allowed : float
        What is allowed there: the tolerance, and what rounding can make of the two sides.
    name : str
        The parameter with that error, such as ``W[0][1, 2]``.
    analytic, numeric : float
        Its two values: backpropagation's and the central difference's.
    directions : int
        Along how many random directions, all parameters of the group at once, they were compared besides.
    """

    layer: int
    group: str
    checked: int
    size: int
    kinks: int
    worst: float
    allowed: float
    name: str
    analytic: float
    numeric: float
    directions: int = 0

    @property
    def ok(self) -> bool:
        """Whether the two sides agree."""
        return self.worst <= self.allowed

    def __str__(self) -> str:
        part = f"layer {self.layer} {self.group:<7}  {self.checked:>6,} checked"
        if self.kinks == self.checked:
            return f"{part}, all at a kink of h: between two slopes"
        if self.checked < self.size:
            part += f" (a sample of {self.size:,}, and {self.directions} directions of all)"
        part += f" ({self.kinks:,} at a kink of h)" if self.kinks else ""
        return (
            f"{part}, {'agree' if self.ok else 'DISAGREE'}: {self.worst:.1e} at {self.name} "
            f"({min(self.allowed, 1.0):.1e} is allowed), backpropagation {self.analytic:.9g}, central difference "
            f"{self.numeric:.9g}"
        )


@dataclass(frozen=True)
class GradientReport:
    """What the gradient check found.

    Attributes
    ----------
    ok : bool
        True where every error is within what is allowed.
    worst : float
        The error that is largest beside what is allowed there.
    groups : tuple of GroupCheck
        Per layer, weights and biases apart.
    tolerance : float
        What is allowed anywhere; more is where rounding can make more of the two sides.
    """

    ok: bool
    worst: float
    groups: tuple[GroupCheck, ...]
    tolerance: float

    def __str__(self) -> str:
        lines = [str(group) for group in self.groups]
        worst = worst_of(self.groups)
        if self.ok:
            lines.append(
                f"The gradient agrees with central differences: relative error {worst.worst:.1e} at worst, "
                f"{min(worst.allowed, 1.0):.1e} is allowed there."
            )
        else:
            lines.append(
                f"The gradient DISAGREES with central differences: relative error {worst.worst:.1e} at {worst.name}, "
                f"where {min(worst.allowed, 1.0):.1e} is allowed."
            )
        return "\n".join(lines)

    __repr__ = __str__


def worst_of(groups: tuple[GroupCheck, ...]) -> GroupCheck:
    """Return the group with the error that is largest beside what is allowed."""
    return max(groups, key=lambda group: group.worst / group.allowed)
