"""The page of an explanation: pictures for several numbers of steps, whole and by layer."""

from __future__ import annotations

from typing import Final

from everystep.drawing.explained import Explained
from everystep.drawing.explanation_controls import controls
from everystep.drawing.explanation_panel import calls_panel, footer, part_panel, said, summary
from everystep.drawing.explanation_parts import parts_of
from everystep.drawing.explanation_script import explanation_script
from everystep.drawing.explanation_style import explanation_style
from everystep.drawing.marks import Mark, mark
from everystep.drawing.page_frame import framed_page
from everystep.drawing.page_style import page_style
from everystep.drawing.picture_style import definitions
from everystep.errors import DataError

_MOST_LAYERS: Final = 120
"""How many pictures of layers a page holds; of more, those for one number of steps alone."""


def explanation_page(explained_by_steps: list[Explained], shown: int) -> str:
    """Draw the page of an explanation.

    Args:
        explained_by_steps: the same model for one number of steps or for several.
        shown: for which number of steps it is seen first, and without a script.

    Returns:
        HTML, which is XML too, in one file that asks for nothing.

    Raises:
        DataError: nothing is known for that number of steps.
    """
    by_steps = {data["steps"]: data for data in explained_by_steps}
    if shown not in by_steps:
        raise DataError(f"the page is to show {shown} steps, but is given {sorted(by_steps)}")
    data = by_steps[shown]
    return framed_page(
        f"{data['name']}, explained",
        page_style() + explanation_style(),
        mark("svg", definitions(), class_="defined", aria_hidden="true"),
        _header(data),
        mark("main", explanation(by_steps, shown)),
        footer(),
        script=explanation_script(),
    )


def explanation(by_steps: dict[int, Explained], shown: int) -> Mark:
    """Draw what can be pointed at: controls, a line of text, and the pictures.

    Args:
        by_steps: what was found out for each number of steps.
        shown: the one that is seen first.
    """
    layers = len(by_steps[shown]["layers"])
    panels = {
        f"{steps}/{number}": part_panel(data, part)
        for steps, data in sorted(by_steps.items())
        for number, part in enumerate(parts_of(data))
        if part.layer is None or steps == shown or layers * len(by_steps) <= _MOST_LAYERS
    }
    panels |= {
        f"{steps}/calls": calls_panel(data) for steps, data in by_steps.items() if data["layers"]
    }
    first = [key for key in (f"{shown}/0", f"{shown}/calls") if key in panels]
    return mark(
        "section",
        controls(by_steps, shown),
        said("Point at a step, or go there with the tab and arrow keys, to see what it reads."),
        mark(
            "div",
            [mark("div", panels[key], class_="panel", data_panel=key) for key in first],
            class_="pictures",
        ),
        [
            mark("template", inside, data_panel=key)
            for key, inside in panels.items()
            if key not in first
        ],
        class_="explanation",
    )


def _header(data: Explained) -> Mark:
    return mark(
        "header",
        mark("p", "everystep explain", class_="brand"),
        mark("h1", data["name"]),
        mark("p", summary(data), class_="lead"),
    )
