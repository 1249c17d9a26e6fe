"""The report: one HTML file that needs nothing else, and its plots as files beside it.

`monitoring.report.page` writes it; what it tells of comes without Jinja and matplotlib.
"""

from monitoring.report.content import Content, ReportedImage, State

__all__ = ["Content", "ReportedImage", "State"]
