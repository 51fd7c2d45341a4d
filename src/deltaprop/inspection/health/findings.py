"""A finding, and the case that findings are made from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from deltaprop.arrays import Array
from deltaprop.inspection.health.chance import Comparison
from deltaprop.inspection.health.figures import LayerHealth, Passes
from deltaprop.inspection.health.sample import Sample
from deltaprop.inspection.health.steps import Steps
from deltaprop.model import Model

if TYPE_CHECKING:
    from deltaprop.inspection.health.outliers import Outlier

LEARNED = 0.5  # of |E| of the best constant, by which E is below that: what is found beside it is no hindrance
BARELY = 1e-3  # of |E| of the best constant: less is won by rounding and by chance
FAR_OFF = 10.0  # times the best constant: deep networks of relu start at up to three times it
FEWEST_ROWS = 4  # for a word about "every sample": of one sample half of relu's units are off, of XOR's four a quarter


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


@dataclass(frozen=True)
class Case:
    """All that is known of a network on its samples.

    ``compared`` is E beside that of the best constant prediction, ``typical_E`` the median over the samples;
    ``inputs`` and ``outputs`` are names.
    """

    model: Model
    sample: Sample
    layers: tuple[LayerHealth, ...]
    passes: list[Passes]
    compared: Comparison
    typical_E: float
    outlying_inputs: list[Outlier]
    outlying_targets: list[Outlier]
    steps: Steps | None
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]

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
        return self.n >= FEWEST_ROWS

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
    return model.epoch > 0 or model.state().steps > 0


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
