"""The plots: each function returns a Plot with its title, file name and alternative text."""

import os

# A notebook kernel sets a backend that is not installed here, which matplotlib refuses at its import. None is used.
os.environ.pop("MPLBACKEND", None)

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
