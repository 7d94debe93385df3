"""A dependency map in characters: a row for each output step, two of them for each input step."""

from __future__ import annotations

from typing import Final

from everystep.drawing.explained import Map
from everystep.drawing.map_picture import state
from everystep.drawing.places import shortened

_MOST: Final = 40
_BLOCKS: Final = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)
_FORMS: Final = {
    "seen": ("██", "reads it: seen by changing it"),
    "mixed": ("▓▓", "reads some of them"),
    "may": ("▒▒", "may read it: not ruled out, not seen"),
    "never": ("· ", "cannot read it"),
}
_NAME: Final = 16
_TIMES: Final = "\N{MULTIPLICATION SIGN}"


def map_text(each: Map) -> list[str]:
    """Draw a map in block characters.

    Args:
        each: the map. Of a large one, a block stands for as many steps as are needed.

    Returns:
        Its lines, axes and legend included.

    >>> found = {"output": "y", "input": "x", "depends": [[True, False], [True, True]]}
    >>> for line in map_text(found | {"witnessed": [[True, False], [False, True]]}):
    ...     print(line)
          x →
    y ↓   0 1
        0 ██·
        1 ▒▒██
          ██ reads it: seen by changing it
          ▒▒ may read it: not ruled out, not seen
          ·  cannot read it
    """
    rows, columns = len(each["depends"]), len(each["depends"][0])
    wide = next(by for by in _BLOCKS if max(rows, columns) <= _MOST * by)
    blocks = [
        [_block(each, t, s, wide) for s in range(0, columns, wide)] for t in range(0, rows, wide)
    ]
    beside = f"{shortened(each['output'], _NAME)} ↓"
    margin = max(len(beside) + 2, 5)
    lines = [f"{'':{margin + 1}}{shortened(each['input'], _NAME)} →"]
    lines += [f"{beside:{margin + 1}}{_numbers(columns, wide)}"]
    for place, row in enumerate(blocks):
        number = str(place * wide) if _numbered(place, len(blocks)) else ""
        lines.append(f"{number:>{margin}} {''.join(_FORMS[block][0] for block in row)}")
    found = {block for row in blocks for block in row}
    lines += [
        f"{'':{margin + 1}}{form} {words}"
        for name, (form, words) in _FORMS.items()
        if name in found
    ]
    if wide > 1:
        lines.append(f"{'':{margin + 1}}one block is {wide} {_TIMES} {wide} steps")
    return [line.rstrip() for line in lines]


def _block(each: Map, output: int, input_: int, wide: int) -> str:
    """Return the state of some steps: what all pairs are, or the most that is known of some."""
    states = {
        state(each, t, s)
        for t in range(output, min(output + wide, len(each["depends"])))
        for s in range(input_, min(input_ + wide, len(each["depends"][0])))
    }
    if len(states) == 1:
        return states.pop()
    return "mixed" if "seen" in states else "may"


def _numbered(place: int, count: int) -> bool:
    return place % (1 if count <= 10 else 5) == 0


def _numbers(columns: int, wide: int) -> str:
    """Write step numbers over the blocks that have room for them.

    >>> _numbers(3, 1), _numbers(800, 50)
    ('0 1 2', '0         250       500       750')
    """
    count = -(-columns // wide)
    written = ""
    for place in range(count):
        if _numbered(place, count):
            written = written.ljust(2 * place) + str(place * wide)
    return written
