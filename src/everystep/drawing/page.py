"""The demonstration's page: one file, without a network, a script or a font from elsewhere."""

from __future__ import annotations

from everystep.drawing.comparison_cards import cards_sheet
from everystep.drawing.marks import Mark, mark
from everystep.drawing.page_designs import designs_section
from everystep.drawing.page_frame import framed_page
from everystep.drawing.page_parenthesis import parenthesis_section
from everystep.drawing.page_scores import (
    corpus_section,
    headline,
    labels_section,
    learning_section,
    models_section,
)
from everystep.drawing.page_source import source_section
from everystep.drawing.page_style import page_style
from everystep.drawing.picture_style import definitions
from everystep.drawing.report import Report


def demonstration_page(report: Report) -> str:
    """Draw the page that shows what a demonstration found.

    Args:
        report: what `metrics.json` holds.

    Returns:
        HTML, which is XML too.
    """
    return framed_page(
        "everystep demo",
        page_style() + cards_sheet(),
        _fillings(),
        _header(report),
        mark(
            "main",
            source_section(report["samples"]),
            parenthesis_section(report["parenthesis"], report["models"]),
            designs_section(report["designs"]),
            labels_section(report["labels"]),
            learning_section(report["models"]),
            corpus_section(report["corpus"]),
            models_section(report["models"]),
        ),
        _footer(report),
    )


def _fillings() -> Mark:
    """Define what bars and squares are filled with, so that they differ without colour too."""
    stripes = mark(
        "pattern",
        mark("rect", width=4, height=4, class_="under"),
        mark("path", d="M-1,1 l2,-2 M0,4 l4,-4 M3,5 l2,-2"),
        id="stripes",
        width=4,
        height=4,
        patternUnits="userSpaceOnUse",
    )
    return mark("svg", mark("defs", stripes), definitions(), class_="defined", aria_hidden="true")


def _header(report: Report) -> Mark:
    parts = {part["name"]: part for part in report["corpus"]["parts"]}
    train, test = parts["train"], parts["test"]
    return mark(
        "header",
        mark("p", "everystep demo", class_="brand"),
        mark("h1", "Which role does each token of Python play?"),
        mark(
            "p",
            f"Two models read source token by token and give each of them one of "
            f"{report['corpus']['labels']} labels: Embedding, LSTM, Dense, at every step. They "
            f"learned from {train['steps']:,} tokens of the {report['corpus']['name']} and are "
            f"tested on {test['steps']:,} tokens of {test['files']} other files.",
            class_="lead",
        ),
        headline(report),
    )


def _footer(report: Report) -> Mark:
    versions = ", ".join(f"{name} {version}" for name, version in report["versions"].items())
    settings = ", ".join(
        f"{name.replace('_', ' ')} {value}" for name, value in report["settings"].items()
    )
    seconds = ", ".join(f"{name} {value:.0f} s" for name, value in report["seconds"].items())
    return mark(
        "footer",
        mark("p", mark("b", "Made with "), versions),
        mark("p", mark("b", "Settings "), settings),
        mark("p", mark("b", "Times "), seconds) if seconds else None,
        mark("p", "All figures of this page are in metrics.json beside it."),
    )
