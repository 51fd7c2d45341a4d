"""Tables into numbers: reading CSV, Parquet and frames; encoding columns as inputs; labels and targets as r."""

from deltaprop.data.encoder import TableEncoder, fit_encoder
from deltaprop.data.tables import TableLike, read_table
from deltaprop.data.targets import Target, fit_target

__all__ = ["TableEncoder", "TableLike", "Target", "fit_encoder", "fit_target", "read_table"]
