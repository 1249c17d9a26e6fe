"""The plots: each function returns a Plot, which knows its title, its files, and its words for who cannot see it."""

from monitoring.plots.quality import confusion_matrix, reliability, scatter, threshold_curve
from monitoring.plots.style import Plot
from monitoring.plots.time import confidence_over_time, drift_signals

__all__ = [
    "Plot",
    "confidence_over_time",
    "confusion_matrix",
    "drift_signals",
    "reliability",
    "scatter",
    "threshold_curve",
]
