"""What `Network.fit` takes beside samples, epochs, eta and batches, by name, for those that hand it on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypedDict

from deltaprop.descent.schedules import Eta
from deltaprop.storage import PathLike


class Control(TypedDict, total=False):
    """The keywords, as `Network.fit` documents them."""

    eta_per: str
    decay: Eta
    eta_factors: Sequence[Any] | None
    clip_norm: float | None
    clip_value: float | None
    max_norm: float | None
    average: str | None
    metrics: str | Sequence[str]
    monitor: str
    patience: int | None
    min_gain: float
    keep: str | None
    goal: float | None
    time_budget: float | None
    callbacks: Sequence[Any] | None
    checkpoint: PathLike | None
    checkpoint_every: int | str | None
    resume: bool
