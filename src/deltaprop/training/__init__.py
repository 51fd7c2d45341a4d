"""The loop over epochs: order, η_n, validation, history, progress."""

from deltaprop.training.history import History
from deltaprop.training.loop import train

__all__ = ["History", "train"]
