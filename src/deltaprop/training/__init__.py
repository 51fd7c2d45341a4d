"""The loop over epochs: order, η_n, validation, history, progress."""

from deltaprop.training.callbacks import Now
from deltaprop.training.checkpoint import Around, run_in
from deltaprop.training.history import History
from deltaprop.training.holdout import hold_out
from deltaprop.training.loop import descend, train
from deltaprop.training.record import Record
from deltaprop.training.replay import replay

__all__ = ["Around", "History", "Now", "Record", "descend", "hold_out", "replay", "run_in", "train"]
