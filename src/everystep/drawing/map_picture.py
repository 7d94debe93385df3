"""The dependency map as a matrix: a row for each output step, a column for each input step.

A pair that has been shown is a full square, one that can only not be ruled out is hatched, and one
that is ruled out is empty, so that the three differ without colour too.
"""

from __future__ import annotations

from itertools import groupby
from typing import Final

from everystep.drawing.explained import Map
from everystep.drawing.marks import Mark, mark
from everystep.drawing.places import shortened

_LARGEST: Final = 380
_CELL: Final = (1.0, 30.0)
_LEFT, _TOP, _RIGHT, _BOTTOM = 62, 46, 16, 12
_LEGEND: Final = 20
_SINGLE_CELLS: Final = 40
_DESCRIBED: Final = 24
_NARROWEST: Final = 330
_LETTER: Final = 6.6
_TICK: Final = 22
_LONGEST_NAME: Final = 26

STATES: Final = (
    ("seen", "reads it: seen by changing it"),
    ("may", "may read it: not ruled out, not seen"),
    ("never", "cannot read it"),
)
"""The states of a pair and what they say."""


def state(each: Map, output: int, input_: int) -> str:
    """Return what is known of an output step and an input step: "seen", "may" or "never"."""
    if each["witnessed"][output][input_]:
        return "seen"
    return "may" if each["depends"][output][input_] else "never"


def map_picture(each: Map) -> Mark:
    """Draw a map.

    Cells are `path` marks of the class `cell`, with `data-output`, the row, and `data-input` and
    `data-last`, the first and the last column: neighbours of a row in one state are one mark where
    the map is large.

    Args:
        each: the map.

    Returns:
        An `svg` mark; its colours are those of `picture_sheet`, its hatching is in `definitions`.
    """
    rows, columns = len(each["depends"]), len(each["depends"][0]) if each["depends"] else 0
    size = min(_CELL[1], max(_CELL[0], _LARGEST / max(rows, columns, 1)))
    legend = _legend(each)
    width = max(_LEFT + size * columns + _RIGHT, _NARROWEST)
    bottom = _TOP + size * rows
    over = f"step of {shortened(each['input'], _LONGEST_NAME)} \N{RIGHTWARDS ARROW}"
    beside = f"\N{LEFTWARDS ARROW} step of {shortened(each['output'], _LONGEST_NAME)}"
    height = max(bottom + _BOTTOM + _LEGEND * len(legend), _TOP + _LETTER * len(beside))
    return mark(
        "svg",
        mark("title", f"Which steps of {each['output']} read which steps of {each['input']}"),
        mark("desc", _described(each)),
        mark("rect", x=_LEFT, y=_TOP, width=size * columns, height=size * rows, class_="ground"),
        [_row(each, row, size) for row in range(rows)],
        _grid(rows, columns, size),
        _axes(rows, columns, size, over, beside),
        [
            _legend_line(name, words, bottom + _BOTTOM + _LEGEND * place)
            for place, (name, words) in enumerate(legend)
        ],
        viewBox=f"0 0 {width:.0f} {height:.0f}",
        role="img",
        class_="picture map",
    )


def _legend(each: Map) -> list[tuple[str, str]]:
    found = {state(each, t, s) for t, row in enumerate(each["depends"]) for s in range(len(row))}
    return [line for line in STATES if line[0] in found]


def _described(each: Map) -> str:
    lines = []
    for output, row in enumerate(each["depends"][:_DESCRIBED]):
        read = [str(step) for step, does in enumerate(row) if does]
        lines.append(f"step {output} reads {_ranges(read)}")
    more = len(each["depends"]) - len(lines)
    return "; ".join(lines) + (f"; and {more} more." if more else ".")


def _ranges(steps: list[str]) -> str:
    """Write steps, runs of them shortened.

    >>> _ranges(["0", "1", "2", "7"]), _ranges([])
    ('0 to 2, 7', 'none')
    """
    runs: list[list[int]] = []
    for step in map(int, steps):
        if runs and runs[-1][-1] == step - 1:
            runs[-1].append(step)
        else:
            runs.append([step])
    written = (f"{run[0]} to {run[-1]}" if len(run) > 1 else f"{run[0]}" for run in runs)
    return ", ".join(written) or "none"


def _row(each: Map, row: int, size: float) -> Mark:
    columns = range(len(each["depends"][row]))
    if max(len(columns), len(each["depends"])) <= _SINGLE_CELLS:
        runs = [(state(each, row, column), [column]) for column in columns]
    else:
        runs = [(key, list(run)) for key, run in groupby(columns, lambda at: state(each, row, at))]
    cells = (_cell(name, row, run[0], run[-1], size) for name, run in runs)
    return mark("g", cells, class_="row", data_output=row)


def _cell(name: str, row: int, first: int, last: int, size: float) -> Mark:
    x, y, width = _LEFT + size * first, _TOP + size * row, size * (last - first + 1)
    inset = 1.5 if size > 12 else 0
    path = (
        f"M{x + inset:.2f},{y + inset:.2f}h{width - 2 * inset:.2f}v{size - 2 * inset:.2f}"
        f"h{2 * inset - width:.2f}z"
    )
    return mark(
        "path",
        d=path,
        class_=f"cell {name}" if inset else f"cell {name} close",
        data_output=row,
        data_input=first,
        data_last=last,
    )


def _grid(rows: int, columns: int, size: float) -> Mark:
    every = 1 if size > 6 else _every(size)
    right, bottom = _LEFT + size * columns, _TOP + size * rows
    lines = [f"M{_LEFT + size * at:.2f},{_TOP}V{bottom:.2f}" for at in range(0, columns, every)]
    lines += [f"M{_LEFT},{_TOP + size * at:.2f}H{right:.2f}" for at in range(0, rows, every)]
    frame = f"M{_LEFT},{_TOP}H{right:.2f}V{bottom:.2f}H{_LEFT}z"
    return mark("path", d="".join([*lines, frame]), class_="grid")


def _axes(rows: int, columns: int, size: float, over: str, beside: str) -> Mark:
    ticks = [
        mark("text", str(at), x=_LEFT + size * (at + 0.5), y=_TOP - 7, text_anchor="middle")
        for at in _ticks(columns, size)
    ]
    ticks += [
        mark("text", str(at), x=_LEFT - 7, y=_TOP + size * (at + 0.5) + 4, text_anchor="end")
        for at in _ticks(rows, size)
    ]
    turned = f"translate(16,{_TOP}) rotate(-90)"
    names = [
        mark("text", over, x=_LEFT, y=16, class_="axis"),
        mark("text", beside, transform=turned, text_anchor="end", class_="axis"),
    ]
    return mark("g", ticks, names, class_="axes")


def _ticks(count: int, size: float) -> range:
    """Return the steps that are named: as many as there is room for.

    >>> list(_ticks(4, 30.0)), list(_ticks(100, 3.8))
    ([0, 1, 2, 3], [0, 10, 20, 30, 40, 50, 60, 70, 80, 90])
    """
    return range(0, count, _every(size))


def _every(size: float) -> int:
    """Return how many steps are from one that is named to the next."""
    return next(every for every in (1, 2, 5, 10, 20, 50, 100) if every * size >= _TICK)


def _legend_line(name: str, words: str, y: float) -> Mark:
    return mark(
        "g",
        mark("rect", x=_LEFT, y=y, width=13, height=13, class_=f"sample {name}"),
        mark("text", words, x=_LEFT + 20, y=y + 11, class_="note"),
        class_="legend",
    )
