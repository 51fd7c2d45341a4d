"""The case that findings are made from: a network on its samples, E beside chance, and the steps that were tried."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from deltaprop.arrays import Array
from deltaprop.inspection.health.chance import Comparison
from deltaprop.inspection.health.figures import LayerHealth, Passes
from deltaprop.inspection.health.prepared import Prepared
from deltaprop.inspection.health.sample import Sample
from deltaprop.inspection.health.steps import Steps
from deltaprop.model import Model

LEARNED = 0.5  # of |E| of the best constant, by which E is below that: what is found beside it is no hindrance
BARELY = 1e-3  # of |E| of the best constant: less is won by rounding and by chance
SETTLED = 10  # epochs, after which a network has won more than chance can, if it wins anything
FAINT = 0.25  # of |E| of the best constant: the most that a quarter as many parameters as rows win by heart, and more
FAR_OFF = 10.0  # times the best constant: deep networks of relu start at up to three times it


@dataclass(frozen=True)
class Case:
    """All that is known of a network on its samples.

    ``compared`` is E beside that of the best constant prediction, ``typical_E`` the median over the samples.
    """

    model: Model
    data: Prepared
    layers: tuple[LayerHealth, ...]
    passes: list[Passes]
    compared: Comparison
    typical_E: float
    steps: Steps | None

    @property
    def sample(self) -> Sample:
        """The rows that are looked at."""
        return self.data.sample

    @property
    def outputs(self) -> Sequence[str]:
        """The names of the outputs."""
        return self.data.outputs

    @property
    def E(self) -> float:
        """The mean of E, with the samples' weights."""
        return self.compared.E

    @property
    def chance(self) -> float:
        """E of the best constant prediction."""
        return self.compared.chance

    def below(self, layer: int) -> Array:
        """Return what comes into a layer: x, or z of the one below, (n, n_in)."""
        return self.sample.x if layer == 1 else self.passes[layer - 2].z

    @property
    def n(self) -> int:
        """How many samples were looked at."""
        return len(self.sample.x)

    @property
    def enough(self) -> bool:
        """Whether they are enough for words about every sample."""
        return self.data.enough

    @property
    def trained(self) -> bool:
        """Whether a step has been made since the start."""
        return is_trained(self.model)

    @property
    def learned(self) -> bool:
        """Whether E is so far below that of the best constant that nothing can stand in the way of δ."""
        return self.below_chance(LEARNED)

    def below_chance(self, share: float) -> bool:
        """Whether E is by more than a share of |E| of the best constant below that.

        What the losses of exp drop leaves their E without a zero to measure by; there any gain is enough.
        """
        share = BARELY if self.model.definition.loss_entry.canonical == "exp" else share
        return below_chance(self.compared, share)

    @property
    def far_off(self) -> bool:
        """Whether E is many times that of the best constant, and of a = 0, where networks start about."""
        beside = self.compared
        return self.enough and beside.E - beside.chance > FAR_OFF * max(beside.at_0 - beside.chance, abs(beside.chance))

    @property
    def samples(self) -> str:
        """The samples in words."""
        return f"all {self.n:,} samples" if self.sample.complete else f"all {self.n:,} samples looked at"


def below_chance(compared: Comparison, share: float) -> bool:
    """Return whether E is by more than a share of |E| of the best constant below that."""
    return compared.chance - share * abs(compared.chance) > compared.E


def is_trained(model: Model) -> bool:
    """Return whether a step has been made since the start."""
    return model.epoch > 0 or model.steps > 0
