"""A comparison as an SVG file: networks side by side, over a table of what is known of each."""

from __future__ import annotations

from textwrap import wrap
from typing import Final

from everystep.drawing.comparison_words import (
    COLUMNS,
    SIGNS,
    ComparedWords,
    comparison_words,
    counted,
    relation_in_words,
)
from everystep.drawing.explained import Compared, Comparison
from everystep.drawing.marks import Mark, mark
from everystep.drawing.network_picture import network_picture
from everystep.drawing.places import shortened
from everystep.drawing.sheet import at, sheet, size_of, written_sheet
from everystep.drawing.words import number_of

_ROOM: Final = 1640
_LETTER: Final = 6.7
_LINE: Final = 16
_NARROWEST: Final = 212
_WIDEST: Final = 560
_BETWEEN: Final = 26
_NAMES: Final = 96
_LONGEST_NAME: Final = 46
_NOTE: Final = (
    "Input steps below, output steps above. One name and colour is one set of weights. Strong: all "
    "that one output unit reads."
)


def comparison_svg(data: Comparison) -> str:
    """Draw a comparison as one SVG file, light or dark as its reader is.

    Args:
        data: what was found out.

    Returns:
        The file's text; it needs no other file.
    """
    title = f"{number_of(len(data['models']), 'model')} over {number_of(data['steps'], 'step')}"
    rows = comparison_words(data)
    words = "; ".join(f"{row.name}: {row.parameters} parameters, {row.relation}" for row in rows)
    return written_sheet(title, f"{words}.", comparison_picture(data), _NOTE)


def comparison_picture(data: Comparison) -> Mark:
    """Draw the networks of a comparison side by side, over a table.

    Args:
        data: what was found out.

    Returns:
        An `svg` mark; its colours are those of `picture_sheet`.
    """
    entries = list(zip(data["models"], comparison_words(data), strict=True))
    widest = max(size_of(network_picture(each["explained"]))[0] for each in data["models"])
    width = min(_WIDEST, max(_NARROWEST, widest))
    row = max(1, int((_ROOM - _NAMES) // (width + _BETWEEN)))
    groups = [entries[first : first + row] for first in range(0, len(entries), row)]
    first = data["models"][0]["name"]
    return sheet([("", _columns(group, first, width)) for group in groups])


def _columns(entries: list[tuple[Compared, ComparedWords]], first: str, width: float) -> Mark:
    networks = [network_picture(each["explained"]) for each, _ in entries]
    scales = [min(1.0, width / size_of(network)[0]) for network in networks]
    starts = [_NAMES + (width + _BETWEEN) * place for place in range(len(entries))]
    letters = int(width / _LETTER)
    names = [wrap(shortened(each["name"], _LONGEST_NAME), letters) for each, _ in entries]
    top = _LINE * max(map(len, names)) + 10
    drawn = [
        mark("text", line, x=x, y=13 + _LINE * number, class_="heading")
        for x, lines in zip(starts, names, strict=True)
        for number, line in enumerate(lines)
    ]
    high = max(size_of(network)[1] * scale for network, scale in zip(networks, scales, strict=True))
    for network, scale, x in zip(networks, scales, starts, strict=True):
        middle = x + (width - size_of(network)[0] * scale) / 2
        drawn.append(at(network, middle, top, scale))
    y = top + high + 16
    right = starts[-1] + width
    for field in ComparedWords._fields[1:]:
        cells = [_cell(field, each, words, first, letters) for each, words in entries]
        drawn.append(mark("line", x1=0, x2=right, y1=y, y2=y, class_="rule"))
        drawn.append(mark("text", getattr(COLUMNS, field), x=0, y=y + 19, class_="note"))
        for x, lines in zip(starts, cells, strict=True):
            drawn += [
                mark("text", line, x=x, y=y + 19 + _LINE * number, class_=class_)
                for number, (line, class_) in enumerate(lines)
            ]
        y += _LINE * max(map(len, cells)) + 12
    return mark("svg", drawn, viewBox=f"0 0 {right:.0f} {y:.0f}", class_="picture")


def _cell(
    field: str, each: Compared, words: ComparedWords, first: str, letters: int
) -> list[tuple[str, str | None]]:
    """Return the lines of a cell, each with its class."""
    text = str(getattr(words, field))
    if field == "parameters":
        uses = counted(each["explained"]["weights"])
        return [(text, "number"), *((line, "note") for line in wrap(uses, letters))]
    if field != "relation" or each["name"] == first:
        return [(line, None) for line in wrap(text, letters)]
    told = f"{SIGNS[each['relation']]} {relation_in_words(each, first)}"
    said = [(line, "row-name") for line in wrap(told, letters)]
    return [*said, *((line, "note") for line in wrap(each["relation_reason"], letters))]
