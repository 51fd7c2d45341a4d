"""Health: sample → figures of the layers, chance, steps on a copy → findings → report."""

from deltaprop.inspection.health.callback import HealthCheck
from deltaprop.inspection.health.figures import LayerHealth
from deltaprop.inspection.health.findings import Finding
from deltaprop.inspection.health.report import HealthReport, health
from deltaprop.inspection.health.steps import Steps

__all__ = ["Finding", "HealthCheck", "HealthReport", "LayerHealth", "Steps", "health"]
