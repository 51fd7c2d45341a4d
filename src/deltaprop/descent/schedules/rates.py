"""η_n of a run: from a number, a sequence, a function, a formula or a declared schedule, per epoch or per step."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deltaprop.descent.schedules.declaration import Schedule
from deltaprop.descent.schedules.registry import SCHEDULES
from deltaprop.functions import Entry
from deltaprop.functions.entries import find, is_declared
from deltaprop.real_numbers import real_number

_FLOAT64 = np.dtype(np.float64)

Eta = float | str | Schedule | Sequence[float] | Callable[[int], float]


class Rates:
    """η of each epoch, or of each step, of one run.

    Attributes
    ----------
    per_step : bool
        Whether η changes within an epoch.
    part : float
        How much of an epoch an η lasts.
    """

    part = 1.0

    def __init__(
        self, at: Callable[[Any], float], checked: Callable[[Any, str], float], *, per_step: bool, first: int, name: str
    ) -> None:
        self._at, self._checked, self._first, self.per_step, self._name = at, checked, first, per_step, name

    def __call__(self, n: float) -> float:
        """Return η at epoch n, counted from 1 since the network's start; fractions of one lie in it."""
        return self._checked(self._at(n), f"{self._name}({n:g})")

    def of_steps(self, n: int, steps: int) -> NDArray[np.float64]:
        """Return η of each step of epoch n; one for all where it does not change within an epoch."""
        if not self.per_step:
            return np.array([self(n)])
        self.part = 1 / steps
        return np.array([self(n + k / steps) for k in range(steps)])

    def observe(self, E: float) -> None:
        """Take note of an epoch's E, of the validation samples where there are some."""

    def state(self) -> dict[str, Any]:
        """Return what it has taken note of."""
        return {}

    def go_on(self, state: Mapping[str, Any]) -> None:
        """Go on from what `state` returned."""


class _Constant(Rates):
    """One η for all."""

    def __init__(self, value: float) -> None:
        self.value, self.per_step = value, False

    def __call__(self, n: float) -> float:
        return self.value


class _Scheduled(Rates):
    """η by a schedule, over the epochs of the run."""

    def __init__(self, schedule: Schedule, epochs: int, checked: Callable[[Any, str], float], **how: Any) -> None:
        super().__init__(lambda n: schedule.eta(n - self._first, epochs, self.part), checked, **how)


class _Plateau(Rates):
    """η falls whenever so many epochs have brought no lower E."""

    def __init__(self, schedule: Schedule, checked: Callable[[Any, str], float], **how: Any) -> None:
        self.parameters = dict(zip((p.name for p in schedule.parameters), schedule.numbers, strict=True))
        self.best, self.since, self.factor = math.inf, 0, 1.0
        super().__init__(self._now, checked, **how)
        self._schedule = schedule

    def _now(self, n: float) -> float:
        own = self._schedule.eta(n - self._first, math.inf, self.part)
        return max(own * self.factor, min(own, self.parameters["least"]))

    def state(self) -> dict[str, Any]:
        return {"best": self.best, "since": self.since, "factor": self.factor}

    def go_on(self, state: Mapping[str, Any]) -> None:
        self.best, self.since, self.factor = state["best"], state["since"], state["factor"]

    def observe(self, E: float) -> None:
        if self.best > E:
            self.best, self.since = E, 0
            return
        self.since += 1
        if self.since >= self.parameters["patience"]:
            self.since, self.factor = 0, self.factor * self.parameters["factor"]


def rates(
    eta: Eta,
    first: int,
    epochs: int,
    *,
    where: str,
    dtype: np.dtype[Any] = _FLOAT64,
    per_step: bool = False,
    name: str = "eta",
    own: float | None = None,
) -> Rates:
    """Return η_n for the epochs n = first, …, first + epochs − 1.

    Parameters
    ----------
    eta : float, sequence of float, callable, str or Schedule
        One η for all epochs; or η_1, η_2, … in order; or a function of n, called once per epoch when that begins; or
        a formula of n such as ``"0.5 / (1 + 0.01 * n)"``; or a schedule, over the epochs of this run.
    first, epochs : int
        The epochs to come; a sequence must reach their end.
    per_step : bool, default False
        Whether η changes with every step: functions, formulas and schedules take fractions of an epoch then. A
        sequence has one value per epoch, all the same.
    name : str, default "eta"
        What it is called, for messages.
    own : float, optional
        The optimizer's own, which schedules have where they do not say; without it they have to.

    Raises
    ------
    TypeError, ValueError
        If an η is no finite number ≥ 0, or the sequence is too short.
    FormulaError
        If a text is neither a schedule nor a formula of n.

    Examples
    --------
    >>> eta = rates([0.5, 0.25], 1, 2, where="fit")
    >>> eta(1), eta(2)
    (0.5, 0.25)
    >>> rates(lambda n: 1 / n, 1, 9, where="fit")(4)
    0.25
    >>> rates("0.5 / (1 + n)", 1, 9, where="fit")(4)
    0.1
    >>> rates("cosine:0.1", 1, 4, where="fit", per_step=True).of_steps(3, 2).round(4)
    array([0.05  , 0.0309])
    """

    def checked(value: Any, name: str) -> float:
        number = real_number(value, name, where=where)
        if not 0 <= number <= float(np.finfo(dtype).max):
            raise ValueError(f"{where}: {name} needs to be finite in {dtype} and at least 0; got {number!r}.")
        return number

    if isinstance(eta, str):
        eta = _from_text(eta, where, name)
        if isinstance(eta, _Formula):
            for n in eta.suspects(first, epochs):
                checked(eta(n), f"{name}({n})")
    if isinstance(eta, Entry) and not isinstance(eta, Schedule):
        raise TypeError(f"{where}: {name} needs a number, a schedule or a function of n; got {eta!r}.")
    if isinstance(eta, Schedule):
        schedule = find(eta, SCHEDULES, kind="schedule", where=where)
        if own is not None:
            schedule = schedule.of_rule(own)
        elif math.isnan(schedule.numbers[0]):
            raise ValueError(f"{where}: {name} needs a schedule with its first value: {schedule.name}:0.01.")
        if schedule.name == "plateau":
            return _Plateau(schedule, checked, per_step=per_step, first=first, name=name)
        return _Scheduled(schedule, epochs, checked, per_step=per_step, first=first, name=name)
    if callable(eta):
        return Rates(eta, checked, per_step=per_step, first=first, name=name)
    if isinstance(eta, bytes) or not (isinstance(eta, Sequence) or (isinstance(eta, np.ndarray) and eta.ndim == 1)):
        return _Constant(checked(eta, name))
    values = [checked(value, f"{name}[{k}]") for k, value in enumerate(eta)]
    if len(values) < first + epochs - 1:
        raise ValueError(
            f"{where}: {name} has {len(values)} values; epochs {first} to {first + epochs - 1} need "
            f"{first + epochs - 1} ({name}[n - 1] belongs to epoch n, counted since the network's start)."
        )
    return Rates(lambda n: values[int(n) - 1], checked, per_step=False, first=first, name=name)


def decays(decay: Eta, first: int, epochs: int, *, where: str, name: str = "decay", **more: Any) -> Rates:
    """Return λ_n of weight decay, which is given as η_n is, but for what goes by E.

    Raises
    ------
    TypeError, ValueError, FormulaError
        As `rates`; ValueError also for plateau.
    """
    found = rates(decay, first, epochs, where=where, name=name, **more)
    if isinstance(found, _Plateau):
        raise ValueError(f"{where}: plateau is of eta, which falls where E does not; {name} cannot.")
    return found


def check_decay(decay: float, eta: NDArray[np.float64], where: str) -> None:
    """Raise ValueError where steps of η would take more of a weight than there is."""
    if decay and decay * eta.max() > 1:
        raise ValueError(
            f"{where}: a step with decay takes eta times decay of each weight, which needs to be at most 1; "
            f"{eta.max():g} times {decay:g} is {decay * eta.max():g}."
        )


class _Formula:
    """η by a formula of n."""

    def __init__(self, text: str, where: str) -> None:
        from deltaprop.functions.formulas import evaluate, parse
        from deltaprop.functions.formulas.program import compiled

        self._program, self._evaluate = compiled(parse(text, ("n",), where), ("n",)), evaluate

    def __call__(self, n: float) -> float:
        return float(self._evaluate(self._program, np.array([float(n)]))[0][0])

    def suspects(self, first: int, epochs: int) -> NDArray[np.int64]:
        """Return the epochs of a run at which it is no η, so that none is trained before that is known."""
        n = np.arange(first, first + epochs)
        eta = self._evaluate(self._program, n.astype(np.float64))[0]
        return n[~((eta >= 0) & np.isfinite(eta))]


def _from_text(text: str, where: str, name: str) -> Eta:
    """Return what a text stands for: a number, a schedule, or a formula of n."""
    try:
        return float(text.replace("_", "?"))
    except ValueError:
        pass
    named = is_declared(text, SCHEDULES) or text.partition(":")[0].strip().isidentifier()
    if named and text.strip() != "n":
        return find(text, SCHEDULES, kind="schedule", where=f"{where}: {name}")
    return _Formula(text, f"{where}: {name}")
