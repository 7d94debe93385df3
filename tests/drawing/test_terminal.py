"""Tables and source as text."""

import io
import re
from typing import Literal

import pytest
from rich.console import Console

from everystep.drawing import terminal
from everystep.drawing.looks import look_of
from everystep.drawing.terminal_source import sample_text
from tests.drawing.reports import sample, small_report

REPORT = small_report()


def text_of(parts: object, *, colours: bool = False) -> str:
    file = io.StringIO()
    system: Literal["standard"] | None = "standard" if colours else None
    console = Console(file=file, width=110, force_terminal=colours, color_system=system)
    for part in parts:  # type: ignore[attr-defined]
        console.print(part, highlight=False)
    return file.getvalue()


def test_source_stands_as_it_is_written_with_what_is_wrong_below() -> None:
    assert text_of(sample_text(sample())[2:]).splitlines()[:7] == [
        "    7 def f(x):",
        "            ^ both ways says variable written, is parameter",
        "            ~ forward says variable read, is parameter",
        "    8     return g('''<script>alert('&\"')</script>",
        "                 ~ forward says variable read, is function called",
        "    9 second  line''')",
        "",
    ]


def test_a_terminal_shows_labels_in_colours_and_underlines_what_is_wrong() -> None:
    shown = text_of(sample_text(sample()), colours=True)
    assert "\x1b[4;31mx" in shown
    assert "\x1b[35mdef" in shown


def test_a_pipe_gets_no_escape_codes() -> None:
    everything = [
        *terminal.designs_text(REPORT["designs"], 110),
        *terminal.corpus_table(REPORT["corpus"]),
        *terminal.summary_table("title", REPORT["models"][0]["layers"]),
        *terminal.score_tables(REPORT["models"], REPORT["labels"], REPORT["corpus"]),
        *terminal.parenthesis_text(REPORT["parenthesis"], REPORT["models"]),
        *sample_text(sample()),
    ]
    assert "\x1b" not in text_of(everything)


def test_tables_hold_the_figures() -> None:
    designs = text_of(terminal.designs_text(REPORT["designs"], 110)).splitlines()
    assert any(line.startswith("Flatten, Dense") and " 260 " in line for line in designs)
    scores = text_of(terminal.score_tables(REPORT["models"], REPORT["labels"], REPORT["corpus"]))
    assert "function called (+50.0)" in scores
    assert "type (" not in scores


def test_the_maps_of_both_models_stand_side_by_side() -> None:
    shown = text_of(terminal.parenthesis_text(REPORT["parenthesis"], REPORT["models"]))
    assert re.search(r"2 ██████· · +2 ██████████ *$", shown, flags=re.MULTILINE)
    assert "the forward one: a step reads itself and earlier" in shown


@pytest.mark.parametrize("role", ["", "no such role"])
def test_a_role_that_is_not_known_has_a_look(role: str) -> None:
    assert look_of(role).terminal
