"""A table in, a model out: the encoder of the columns, a Network, and the target's labels or unit, joined."""

from deltaprop.table_model.evaluation import Evaluation, Metric
from deltaprop.table_model.model import TableModel
from deltaprop.table_model.trace import TableTrace

__all__ = ["Evaluation", "Metric", "TableModel", "TableTrace"]
