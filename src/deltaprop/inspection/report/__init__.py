"""The report: one page that steps forwards and backwards through one update of a network, with the engine's numbers."""

from deltaprop.inspection.report.report import Named, Rows, report

__all__ = ["Named", "Rows", "report"]
