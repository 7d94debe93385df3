"""Explanations and comparisons as pieces of a notebook, which have neither a script nor an id."""

from __future__ import annotations

import re
from typing import Final

from everystep.drawing.comparison_cards import cards_sheet, comparison_cards
from everystep.drawing.comparison_page import comparison_table
from everystep.drawing.explained import Comparison, Explained
from everystep.drawing.explanation_panel import (
    calls_figure,
    facts_list,
    read_figures,
    summary,
)
from everystep.drawing.facts import facts_of
from everystep.drawing.marks import Mark, mark, write
from everystep.drawing.palette import DARK, LIGHT, declared
from everystep.drawing.picture_style import picture_sheet

_CLASS: Final = "everystep-fragment"

_SHEET: Final = """
*{box-sizing:border-box}
p{margin:.2rem 0 .8rem;max-width:76ch}
figure{margin:0;flex:0 1 var(--wide);min-width:0}
figcaption{margin:0 0 .3rem;font-size:.86rem}
svg{display:block;width:100%;height:auto}
.pictures{display:flex;flex-wrap:wrap;gap:1.2rem 2rem;align-items:flex-start}
.scroll{overflow-x:auto}
summary{cursor:pointer;font-weight:600;margin-top:.8rem}
.facts{display:grid;gap:0 2rem;margin:.4rem 0;
  grid-template-columns:repeat(auto-fill,minmax(min(100%,15rem),1fr))}
.facts dt{color:var(--soft);font-size:.8rem}
.facts dd{margin:0 0 .4rem;font-weight:600}
small{display:block;color:var(--soft);font-weight:400}
table{border-collapse:collapse;color:inherit;background:none;margin:0 0 1rem}
th,td{text-align:left;padding:.3rem .9rem .3rem 0;border-bottom:1px solid var(--line);
  color:inherit;background:none}
.figure{text-align:right}
.cell.may,.sample.may{fill:none;stroke-dasharray:3 2}
"""

_DARK_HOSTS: Final = ('[data-jp-theme-light="false"]', ".vscode-dark")
"""What notebooks say of themselves, which count before what the machine prefers."""
_LIGHT_HOSTS: Final = ('[data-jp-theme-light="true"]', ".vscode-light")


def explanation_fragment(data: Explained) -> str:
    """Draw an explanation for a notebook.

    Args:
        data: what was found out.

    Returns:
        HTML, whose style holds inside of it alone.
    """
    figures = [*read_figures(data), *([calls_figure(data)] if data["layers"] else [])]
    return _fragment(
        mark("p", mark("b", f"{data['name']}: "), summary(data)),
        mark("div", figures, class_="pictures"),
        mark("details", mark("summary", "What is known"), facts_list(facts_of(data))),
    )


def comparison_fragment(data: Comparison) -> str:
    """Draw a comparison for a notebook.

    Args:
        data: what was found out of each model.

    Returns:
        HTML, whose style holds inside of it alone.
    """
    return _fragment(comparison_table(data), comparison_cards(data))


def _fragment(*inside: Mark) -> str:
    return write(mark("div", mark("style", _style()), *inside, class_=_CLASS))


def _style() -> str:
    ground = (
        "background:var(--paper);color:var(--ink);padding:1rem;border-radius:8px;"
        "font:14px/1.5 system-ui,-apple-system,'Segoe UI',Roboto,sans-serif"
    )
    dark = f"{{{declared(DARK)}}}"
    light = f"{{{declared(LIGHT)}}}"
    return "".join(
        (
            f".{_CLASS}{light}@media (prefers-color-scheme:dark){{.{_CLASS}{dark}}}",
            *(f"{host} .{_CLASS}{dark}" for host in _DARK_HOSTS),
            *(f"{host} .{_CLASS}{light}" for host in _LIGHT_HOSTS),
            f".{_CLASS}{{{ground}}}",
            scoped(picture_sheet() + cards_sheet() + _SHEET, f".{_CLASS}"),
        )
    )


def scoped(sheet: str, place: str) -> str:
    """Let the rules of a style sheet hold inside of some marks alone.

    Args:
        sheet: the rules, whose selectors have no commas in brackets.
        place: the selector of those marks.

    >>> scoped("a,b{x:y}@media print{c{x:z}}", ".here")
    '.here a,.here b{x:y}@media print{.here c{x:z}}'
    """

    def inside(found: re.Match[str]) -> str:
        selectors = found[1].strip()
        if selectors.startswith("@"):
            return found[0]
        return ",".join(f"{place} {each.strip()}" for each in selectors.split(",")) + "{"

    return re.sub(r"([^{}]+)\{", inside, sheet)
