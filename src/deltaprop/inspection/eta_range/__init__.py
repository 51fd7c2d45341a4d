"""The learning-rate range test: E while η rises from step to step, and which η to train with."""

from deltaprop.inspection.eta_range.find import find_eta
from deltaprop.inspection.eta_range.result import EtaRange

__all__ = ["EtaRange", "find_eta"]
