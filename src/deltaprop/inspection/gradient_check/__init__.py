"""The gradient check: slopes of E by steps of many lengths, what rounding may make of a gradient → a verdict."""

from deltaprop.inspection.gradient_check.check import check_gradient, compare_gradient
from deltaprop.inspection.gradient_check.report import GradientReport, GroupCheck

__all__ = ["GradientReport", "GroupCheck", "check_gradient", "compare_gradient"]
