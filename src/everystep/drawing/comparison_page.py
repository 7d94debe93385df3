"""The page of a comparison: a table of the models, and what each reads, side by side."""

from __future__ import annotations

from typing import Final

from everystep.drawing.comparison_cards import cards_sheet, comparison_cards
from everystep.drawing.comparison_words import COLUMNS, ComparedWords, comparison_words
from everystep.drawing.explained import Comparison, Explained
from everystep.drawing.explanation_panel import footer, part_mark, read_figures, said
from everystep.drawing.explanation_parts import parts_of
from everystep.drawing.explanation_script import explanation_script
from everystep.drawing.explanation_style import explanation_style
from everystep.drawing.marks import Mark, mark
from everystep.drawing.network_picture import network_picture
from everystep.drawing.page_frame import framed_page
from everystep.drawing.page_scores import table
from everystep.drawing.page_style import page_style
from everystep.drawing.picture_style import definitions
from everystep.drawing.sheet import size_of

_ON_A_CARD: Final = 0.78
"""How much smaller a picture may be on a card than by itself."""


def comparison_page(data: Comparison) -> str:
    """Draw the page of a comparison.

    Args:
        data: what was found out of each model.

    Returns:
        HTML, which is XML too, in one file that asks for nothing.
    """
    steps = "1 step" if data["steps"] == 1 else f"{data['steps']} steps"
    return framed_page(
        f"{len(data['models'])} models, compared",
        page_style() + cards_sheet() + explanation_style(),
        mark("svg", definitions(), class_="defined", aria_hidden="true"),
        mark(
            "header",
            mark("p", "everystep compare", class_="brand"),
            mark("h1", f"{len(data['models'])} models over {steps}"),
            mark(
                "p",
                "Which of them are one function, what their steps read, and what they share.",
                class_="lead",
            ),
        ),
        mark(
            "main",
            comparison_table(data),
            mark("h2", "What reads what"),
            mark(
                "p",
                "Input steps below, output steps above. One name and colour is one set of weights. "
                "The strong lines are all that one output unit reads; what you point at in one "
                "model is lit in all of them.",
            ),
            _cards(data),
        ),
        footer(),
        script=explanation_script(),
    )


def comparison_table(data: Comparison) -> Mark:
    """Draw a comparison as a table.

    Args:
        data: what was found out of each model.
    """
    reasons = [each["relation_reason"] for each in data["models"]]
    rows = [_row(*each) for each in zip(comparison_words(data), reasons, strict=True)]
    return mark("div", table(COLUMNS, rows, "The models"), class_="models")


def _row(words: ComparedWords, reason: str) -> Mark:
    name, parameters, *others, relation = words
    return mark(
        "tr",
        mark("th", name, scope="row"),
        mark("td", parameters, class_="figure"),
        [mark("td", each) for each in others],
        mark("td", relation, mark("small", reason) if reason else None),
    )


def _cards(data: Comparison) -> Mark:
    """Draw a card for each model, as wide as the widest picture needs."""
    widest = max(size_of(network_picture(each["explained"]))[0] for each in data["models"])
    cards = comparison_cards(data, _pictures)
    return mark("div", cards, class_="compared", style=f"--card:{_ON_A_CARD * widest:.0f}px")


def _pictures(found: Explained) -> Mark:
    """Draw the pictures of one model, which can be pointed at."""
    whole = parts_of(found)[0]
    panel = mark("div", read_figures(found), part_mark(found, whole), class_="panel")
    return mark(
        "div", said("Point at a step."), mark("div", panel, class_="pictures"), class_="explanation"
    )
