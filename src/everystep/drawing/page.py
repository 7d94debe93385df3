"""The demonstration's page."""

from everystep.drawing.report import Report


def demonstration_page(report: Report) -> str:
    """Draw."""
    return ""
