"""Plain data to text, tables, SVG and HTML; nothing here knows layers, models or arrays.

A picture is first a tree of marks, and becomes text in the last step, which escapes.
"""

from everystep.drawing.comparison_page import comparison_page
from everystep.drawing.comparison_svg import comparison_svg
from everystep.drawing.explanation_fragment import comparison_fragment, explanation_fragment
from everystep.drawing.explanation_page import explanation_page
from everystep.drawing.explanation_svg import explanation_svg
from everystep.drawing.explanation_text import comparison_text, explanation_text
from everystep.drawing.figures_picture import confusion_svg, learning_svg
from everystep.drawing.figures_text import (
    differences_text,
    figures_text,
    signals_text,
    spread_text,
)
from everystep.drawing.health_text import health_text
from everystep.drawing.marks import Mark, mark, write
from everystep.drawing.page import demonstration_page
from everystep.drawing.report import Report

__all__ = [
    "Mark",
    "Report",
    "comparison_fragment",
    "comparison_page",
    "comparison_svg",
    "comparison_text",
    "confusion_svg",
    "demonstration_page",
    "differences_text",
    "explanation_fragment",
    "explanation_page",
    "explanation_svg",
    "explanation_text",
    "figures_text",
    "health_text",
    "learning_svg",
    "mark",
    "signals_text",
    "spread_text",
    "write",
]
