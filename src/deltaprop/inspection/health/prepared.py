"""What is known of the samples whatever the parameters are: found once, it serves look after look."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import overload

from numpy.typing import ArrayLike

from deltaprop.inspection.health.data import of_inputs, of_targets, of_unchanging_columns
from deltaprop.inspection.health.findings import Finding
from deltaprop.inspection.health.outliers import Outlier, of_outliers, outlying_inputs, outlying_targets
from deltaprop.inspection.health.sample import FEWEST_ROWS, Rows, Sample, most_compared, most_samples
from deltaprop.inspection.trace import output_names
from deltaprop.model import Model
from deltaprop.targets import ClassWeight


class Prepared:
    """Samples, prepared for looks at one network, or at others of its definition.

    Parameters
    ----------
    model, X, R, sample_weight, class_weight, inputs, outputs
        As of `health`.

    Attributes
    ----------
    rows : Rows
    sample : Sample
        Those that are looked at.
    inputs, outputs : sequence of str
        The names of the columns and of the outputs.

    Raises
    ------
    TypeError, ValueError
        If a shape, a number, a target or a weight does not fit, or there are no rows.
    """

    def __init__(
        self,
        model: Model,
        X: ArrayLike,
        R: ArrayLike | None,
        sample_weight: ArrayLike | None = None,
        *,
        class_weight: ClassWeight | None = None,
        inputs: Sequence[str] | None = None,
        outputs: Sequence[str] | None = None,
    ) -> None:
        where = f"{type(model).__name__}.health"
        self.definition = model.definition
        self.rows = Rows(model, X, R, sample_weight, class_weight, where)
        self.sample = self.rows.drawn(most_samples(model))
        self._most_compared = most_compared(model)
        self.inputs: Sequence[str] = _Numbered("x", model.layers[0]) if inputs is None else tuple(inputs)
        self.outputs: Sequence[str] = output_names(model.layers[-1]) if outputs is None else tuple(outputs)

    def serves(self, model: Model) -> bool:
        """Whether a network reads its samples as the one does that they were prepared for."""
        own, other = self.definition, model.definition
        return own is other or all(
            getattr(own, name) == getattr(other, name) for name in ("layers", "bias", "output", "loss", "dtype")
        )

    @property
    def enough(self) -> bool:
        """Whether they are enough for words about every sample."""
        return len(self.sample.x) >= FEWEST_ROWS

    @cached_property
    def further(self) -> Sample:
        """More rows, for where those that are looked at leave open whether E is below that of a constant."""
        return self.rows.drawn(self._most_compared)

    @cached_property
    def outlying_inputs(self) -> list[Outlier]:
        """The outliers of X."""
        return outlying_inputs(self.sample)

    @cached_property
    def outlying_targets(self) -> list[Outlier]:
        """The outliers of R."""
        return outlying_targets(self.sample)

    @cached_property
    def findings(self) -> tuple[Finding, ...]:
        """What is found in the samples alone."""
        return tuple(
            finding for look in (of_inputs, of_targets, of_outliers, of_unchanging_columns) for finding in look(self)
        )


class _Numbered(Sequence[str]):
    """The names x1, x2, … of many columns, of which few are ever said."""

    def __init__(self, letter: str, n: int) -> None:
        self._letter, self._n = letter, n

    def __len__(self) -> int:
        return self._n

    @overload
    def __getitem__(self, place: int) -> str: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[str]: ...
    def __getitem__(self, place: int | slice) -> str | Sequence[str]:
        found = range(1, self._n + 1)[place]
        return f"{self._letter}{found}" if isinstance(found, int) else [f"{self._letter}{k}" for k in found]
