"""The report: one self-contained HTML file, and its plots as files next to it.

`monitoring.report.page` writes it; the content classes here need neither Jinja nor matplotlib.
"""

from monitoring.report.content import Content, ReportedImage, State

__all__ = ["Content", "ReportedImage", "State"]
