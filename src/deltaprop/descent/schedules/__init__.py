"""How long the steps are: η_n, and the schedules there are."""

from deltaprop.descent.schedules.declaration import Schedule
from deltaprop.descent.schedules.rates import Eta, Rates, check_decay, decays, rates
from deltaprop.descent.schedules.registry import SCHEDULES

__all__ = ["SCHEDULES", "Eta", "Rates", "Schedule", "check_decay", "decays", "rates"]


def __getattr__(name: str) -> Schedule:
    """Return a schedule by its name."""
    if name in SCHEDULES:
        return SCHEDULES[name]
    raise AttributeError(name)
