"""Several pictures on one sheet, written as one file that needs nothing else."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from everystep.drawing.marks import Mark, mark, write
from everystep.drawing.picture_style import definitions, standalone_sheet

_MARGIN: Final = 24
_WIDTH: Final = 1400
_GAP: Final = 36
_BESIDE: Final = 52
_TITLE: Final = 32
_NOTE: Final = 24
_HEADING: Final = 26
_LETTER: Final = 9.2


def size_of(picture: Mark) -> tuple[float, float]:
    """Return a picture's width and height, from its box.

    >>> size_of(mark("svg", viewBox="0 0 30 20"))
    (30.0, 20.0)
    """
    _, _, width, height = str(dict(picture.attributes)["viewBox"]).split()
    return float(width), float(height)


def at(picture: Mark, x: float, y: float, scale: float = 1.0) -> Mark:
    """Put a picture into another one.

    Args:
        picture: an `svg` mark.
        x: where its left edge comes to stand.
        y: where its upper edge does.
        scale: how large it is drawn.
    """
    width, height = size_of(picture)
    place = (("x", x), ("y", y), ("width", width * scale), ("height", height * scale))
    return replace(picture, attributes=(*picture.attributes, *place))


def heading(words: str, x: float, y: float, class_: str = "heading") -> Mark:
    """Write a heading whose line is at a place."""
    return mark("text", words, x=x, y=y, class_=class_)


def sheet(parts: Iterable[tuple[str, Mark]], width: float = _WIDTH) -> Mark:
    """Put pictures beside each other as long as there is room, then below.

    Args:
        parts: the headings, "" for none, and the pictures.
        width: how wide the sheet may become, unless a picture is wider.

    Returns:
        An `svg` mark.
    """
    placed: list[Mark] = []
    x, y, bottom, right = 0.0, 0.0, 0.0, 0.0
    for words, picture in parts:
        wide, high = size_of(picture)
        wide = max(wide, _LETTER * len(words))
        if x and x + wide > width:
            x, y = 0.0, bottom + _GAP
        placed += [heading(words, x, y + 15)] if words else []
        top = y + (_HEADING if words else 0)
        placed.append(at(picture, x, top))
        bottom, right = max(bottom, top + high), max(right, x + wide)
        x += wide + _BESIDE
    return mark("svg", placed, viewBox=f"0 0 {right:.0f} {bottom:.0f}", class_="picture")


def written_sheet(title: str, words: str, content: Mark, note: str = "") -> str:
    """Write a picture as a file of its own, with its style inside.

    Args:
        title: what it is called; "" if its own title is enough.
        words: what it shows, in words.
        content: the picture.
        note: what helps to read it, below the title.

    Returns:
        SVG.
    """
    width, height = size_of(content)
    top = _MARGIN + (_TITLE if title else 0) + (_NOTE if note else 0)
    width = max(width, 11.5 * len(title), 6.6 * len(note)) + 2 * _MARGIN
    height += top + _MARGIN
    file = mark(
        "svg",
        mark("title", title) if title else None,
        mark("desc", words) if words else None,
        mark("style", standalone_sheet()),
        definitions(),
        mark("rect", width="100%", height="100%", class_="ground"),
        heading(title, _MARGIN, _MARGIN + 14, "name") if title else None,
        heading(note, _MARGIN, _MARGIN + 36, "note") if note else None,
        at(content, _MARGIN, top),
        xmlns="http://www.w3.org/2000/svg",
        viewBox=f"0 0 {width:.0f} {height:.0f}",
        width=f"{width:.0f}",
        height=f"{height:.0f}",
        role="group" if title else None,
        class_="picture",
    )
    return f"{write(file)}\n"
