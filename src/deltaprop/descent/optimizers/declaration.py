"""What is known of an optimizer."""

from __future__ import annotations

from dataclasses import dataclass

from deltaprop.functions import Entry


@dataclass(frozen=True, repr=False)
class Optimizer(Entry):
    """A rule that makes a step of a gradient; calling it gives it other parameters: ``Adam(beta1=0.8)``.

    Attributes
    ----------
    formula : str
        The step, in equations one after the other: g is the gradient, w the parameter, eta η_n, t = 1, 2, … the number
        of the step; what else stands on a left side before it is used is remembered from step to step, and begins with
        0. η is no parameter: `Network.fit` takes it.
    eta : float
        The η of a run that is given none; 0 where a step has no such number.
    word : str
        What it is called in Python.
    note : str
        Whose form it is, where there are several, and how they differ.
    full_batch : bool
        Whether a step needs E and its gradient over all samples.
    vectors : int
        How many vectors like theta it remembers, where it is full_batch; where it has a history, of each change.
    """

    eta: float = 0.0
    word: str = ""
    note: str = ""
    full_batch: bool = False
    vectors: int = 0

    @property
    def steps(self) -> list[tuple[str, str]]:
        """The equations: what is set, to what.

        Examples
        --------
        >>> from deltaprop import Momentum
        >>> Momentum.steps
        [('V', 'mu * V - eta * g'), ('w', 'w + V')]
        """
        pairs = (equation.partition(" = ") for equation in self.formula.split("; "))
        return [(name, right) for name, _, right in pairs]

    @property
    def remembered_vectors(self) -> int:
        """How many vectors like theta a full-batch optimizer remembers."""
        lengths = [int(n) for p, n in zip(self.parameters, self.numbers, strict=True) if p.name == "history"]
        return self.vectors * (lengths[0] if lengths else 1)

    def __getattr__(self, name: str) -> float:
        """Return a parameter's value: ``Adam(beta1=0.8).beta1``."""
        if name.startswith("_") or "parameters" not in self.__dict__:
            raise AttributeError(name)
        for parameter, value in zip(self.parameters, self.values, strict=True):
            if parameter.name == name and not isinstance(value, tuple):
                return value
        raise AttributeError(f"{self.word} has no parameter {name!r}.")

    def __repr__(self) -> str:
        given = ", ".join(f"{p.name}={p.written(value)}" for p, value in zip(self.parameters, self.values, strict=True))
        return f"{self.word}({given})"
