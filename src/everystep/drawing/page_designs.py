"""The part of the page that shows the five designs."""

from __future__ import annotations

from everystep.drawing.comparison_cards import comparison_cards
from everystep.drawing.explained import Comparison
from everystep.drawing.marks import Mark, mark


def designs_section(found: Comparison) -> Mark:
    """Draw the five designs side by side, each with what was found out about it."""
    first = found["models"][0]["explained"]
    return mark(
        "section",
        mark("h2", "One output for every step, five ways"),
        mark(
            "p",
            f"{found['steps']} steps of {first['inputs'][0]['units']} features below, "
            f"{first['outputs'][0]['units']} outputs for each step above. One colour is one set of "
            "weights; the strong lines are all that one output unit reads. Nothing here is written "
            "down: all of it is found out from the layers.",
        ),
        comparison_cards(found),
        id="designs",
    )
