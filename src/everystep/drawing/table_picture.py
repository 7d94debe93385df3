"""Tables as pictures, for files that hold no HTML."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import wrap
from typing import Final

from everystep.drawing.marks import Mark, mark

_LETTER: Final = 6.7
_BOLD: Final = 7.6
_LINE: Final = 16
_ROW: Final = 9
_BETWEEN: Final = 22
_FIRST: Final = 14


def table_picture(
    title: str,
    heads: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    right: Sequence[str] = (),
    longest: int = 44,
) -> Mark:
    """Draw a table whose first column names its rows.

    Args:
        title: what the table shows, for those who cannot see it.
        heads: the heads of the columns, or none.
        rows: the cells of each row.
        right: the heads of the columns that stand to the right.
        longest: how many characters a line of a cell has at most; longer cells have several lines.

    Returns:
        An `svg` mark; its colours are those of `picture_sheet`.
    """
    cells = [[wrap(cell, longest) or [""] for cell in row] for row in rows]
    named = [[[head] for head in heads], *cells] if heads else cells
    places, width = _columns(named, [head in right for head in heads])
    drawn: list[Mark] = []
    y = 0.0
    for number, row in enumerate(named):
        drawn.append(_row(row, y, places, width, is_head=bool(heads) and number == 0))
        y += _LINE * max(map(len, row)) + _ROW
    return mark(
        "svg",
        mark("title", title),
        mark("desc", "; ".join(": ".join(filter(None, row)) for row in rows)),
        drawn,
        viewBox=f"0 0 {width:.0f} {y:.0f}",
        role="img",
        class_="picture table",
    )


def _columns(
    rows: list[list[list[str]]], right: list[bool]
) -> tuple[list[tuple[float, str]], float]:
    """Return where the text of each column is anchored, and how wide all of them are."""
    places: list[tuple[float, str]] = []
    start = end = 0.0
    for column in range(len(rows[0])):
        letter = _LETTER if column else _BOLD
        end = start + letter * max(len(line) for row in rows for line in row[column])
        places.append((end, "end") if right and right[column] else (start, "start"))
        start = end + _BETWEEN
    return places, end


def _row(
    row: list[list[str]], y: float, places: list[tuple[float, str]], width: float, *, is_head: bool
) -> Mark:
    kinds = [
        "note" if is_head else "row-name" if column == 0 else None for column in range(len(row))
    ]
    texts = [
        mark("text", line, x=x, y=y + _FIRST + _LINE * number, text_anchor=anchor, class_=kind)
        for lines, (x, anchor), kind in zip(row, places, kinds, strict=True)
        for number, line in enumerate(lines)
    ]
    below = y + _LINE * max(map(len, row)) + _ROW - 2
    return mark("g", texts, mark("line", x1=0, x2=width, y1=below, y2=below, class_="rule"))
