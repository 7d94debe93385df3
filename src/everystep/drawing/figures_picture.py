"""Scores as pictures in files of their own: learning curves and the confusion matrix."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Final

from everystep.drawing.charts import Curve, curves_chart
from everystep.drawing.figures import ConfusionMatrix
from everystep.drawing.marks import Mark, mark
from everystep.drawing.palette import WEIGHT_COLOURS
from everystep.drawing.places import shortened
from everystep.drawing.sheet import sheet, written_sheet
from everystep.drawing.words import number_of
from everystep.errors import DataError

_CELL: Final = 40
_LETTER: Final = 9.0
_LONGEST: Final = 24
_DARK: Final = 0.55
_NOTE: Final = "Rows: the right label, columns: the predicted one. Colour: share of the row."


def learning_svg(
    scores: Mapping[str, Sequence[float]],
    losses: Mapping[str, Sequence[float]] | None = None,
    title: str = "Learning curve",
) -> str:
    """Draw how scores and losses went, as one SVG file, light or dark as its reader is.

    A name has the same colour and the same mark in both charts.

    Args:
        scores: shares from 0 to 1, one an epoch, by what they are of, such as "dev".
        losses: losses, one an epoch, by what they are of.
        title: what stands above.

    Returns:
        The file's text; it needs no other file.

    Raises:
        DataError: there is no value, or one is not finite.

    >>> learning_svg({"dev": [0.5, 0.75]}, {"dev": [2.0, 1.0]}).count("<polyline")
    2
    """
    for name, values in [*scores.items(), *(losses or {}).items()]:
        if not values or not all(map(math.isfinite, values)):
            raise DataError(f"{name}: expected one finite value an epoch, got {list(values)}")
    if not scores and not losses:
        raise DataError("expected scores or losses to draw, got none")
    losses = losses or {}
    numbers = {name: number for number, name in enumerate(dict.fromkeys([*scores, *losses]))}
    panels = [(words, each) for words, each in (("Score", scores), ("Loss", losses)) if each]
    charts = []
    for words, each in panels:
        curves = [
            Curve(
                name, values, f"w{numbers[name] % WEIGHT_COLOURS}", numbers[name] // WEIGHT_COLOURS
            )
            for name, values in each.items()
        ]
        charts.append((words, curves_chart(words, curves, as_percent=words == "Score")))
    told = [
        f"{words}, {name}: {', '.join(f'{value:.4g}' for value in values)}."
        for words, each in panels
        for name, values in each.items()
    ]
    return written_sheet(title, " ".join(told), sheet(charts))


def confusion_svg(matrix: ConfusionMatrix, title: str = "Confusion matrix") -> str:
    """Draw how often each label was taken for each, as one SVG file, light or dark as its reader.

    Args:
        matrix: the counts.
        title: what stands above.

    Returns:
        The file's text; it needs no other file.

    >>> svg = confusion_svg({"labels": ["NOUN", "VERB"], "counts": [[3, 1], [0, 2]]})
    >>> "<title>NOUN, predicted VERB: 1 of 4</title>" in svg
    True
    """
    count = sum(map(sum, matrix["counts"]))
    right = sum(row[n] for n, row in enumerate(matrix["counts"]))
    words = f"{right:,} of {number_of(count, 'step')} have the right label."
    return written_sheet(title, words, confusion_picture(matrix), f"{words} {_NOTE}")


def confusion_picture(matrix: ConfusionMatrix) -> Mark:
    """Draw how often each label was taken for each.

    Args:
        matrix: the counts.

    Returns:
        An `svg` mark; its colours are those of `picture_sheet`.
    """
    labels, counts = matrix["labels"], matrix["counts"]
    names = [shortened(label, _LONGEST) for label in labels]
    room = _LETTER * max(map(len, names), default=0) + 12
    drawn = []
    for place, label in enumerate(names):
        middle = room + _CELL * (place + 0.5)
        drawn.append(mark("text", label, x=room - 8, y=middle + 4, text_anchor="end"))
        turned = f"translate({middle + 4:g} {room - 8:g}) rotate(-90)"
        drawn.append(mark("text", label, transform=turned))
    for row, times in enumerate(counts):
        for column, count in enumerate(times):
            told = f"{labels[row]}, predicted {labels[column]}: {count:,} of {sum(times):,}"
            drawn.append(_cell(row, column, count, sum(times), told, room))
    size = room + _CELL * len(labels) + 1
    return mark("svg", drawn, viewBox=f"0 0 {size:.0f} {size:.0f}", class_="picture")


def _cell(row: int, column: int, count: int, of: int, told: str, room: float) -> Mark:
    x, y = room + _CELL * column, room + _CELL * row
    share = count / of if count else 0.0
    kind = "right" if row == column else "wrong"
    box = {"x": x, "y": y, "width": _CELL, "height": _CELL}
    number = mark(
        "text",
        _short(count),
        x=x + _CELL / 2,
        y=y + _CELL / 2 + 4,
        text_anchor="middle",
        class_=f"share-number{' over' if share > _DARK else ''}",
    )
    return mark(
        "g",
        mark("title", told),
        mark("rect", **box, class_="grid"),
        mark("rect", **box, class_=f"share {kind}", fill_opacity=f"{share:.3f}") if count else None,
        number if count else None,
    )


def _short(count: int) -> str:
    """Write a count in the few characters that a cell has room for.

    >>> _short(9999), _short(25_094), _short(1_250_000)
    ('9999', '25k', '1.2M')
    """
    if count < 10_000:
        return str(count)
    return f"{count / 1000:.0f}k" if count < 1_000_000 else f"{count / 1e6:.1f}M"
