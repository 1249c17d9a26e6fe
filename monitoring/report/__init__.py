"""The report: one HTML file that needs nothing else, and its plots as files beside it."""

from monitoring.report.content import Content, ReportedImage, State
from monitoring.report.page import Written, write

__all__ = ["Content", "ReportedImage", "State", "Written", "write"]
