"""Tables as plain text, without colours, for whatever prints them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from io import StringIO
from typing import Final, Literal

_BETWEEN: Final = 2
_FEWEST: Final = 8


def plain_table(
    heads: Sequence[str],
    rows: Iterable[Sequence[str]],
    width: int,
    right: Sequence[str] = (),
    whole: Sequence[str] = (),
) -> list[str]:
    r"""Write a table.

    Args:
        heads: the heads of the columns.
        rows: the cells of each row; what is too long goes on in the next line.
        width: how many characters a line may have.
        right: the heads of the columns that stand to the right.
        whole: the heads of the columns whose cells are not broken.

    Returns:
        Its lines.

    >>> print("\n".join(plain_table(["a", "n"], [["x", "10"], ["y", "9"]], 20, right=["n"])))
    a   n
    ─────
    x  10
    y   9
    """
    # Only who asks for text needs rich, which takes a while to import.
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, show_edge=False)
    lines = list(rows)
    rooms = _rooms(list(zip(heads, *lines, strict=True)), width, whole)
    for head, room in zip(heads, rooms, strict=True):
        justify: Literal["left", "right"] = "right" if head in right else "left"
        table.add_column(Text(head), justify=justify, width=room, overflow="fold")
    for line in lines:
        table.add_row(*map(Text, line))
    written = StringIO()
    # Room is divided already; where there is too little, lines are longer rather than cut.
    Console(file=written, width=10_000, color_system=None, legacy_windows=False).print(table)
    return [each.rstrip() for each in written.getvalue().splitlines() if each.strip()]


def _rooms(columns: list[tuple[str, ...]], width: int, whole: Sequence[str]) -> list[int]:
    """Give each column what it needs; where that is too much, the widest columns have less.

    Names in the first column are broken last, and words when nothing else helps.
    """
    from rich.cells import cell_len

    rooms, words, fewest = [], [], []
    for column in columns:
        room = max(cell_len(line) for cell in column for line in cell.split("\n"))
        word = max(cell_len(word) for word in " ".join(column).split())
        rooms.append(room)
        words.append(room if column[0] in whole else word)
        fewest.append(room if column[0] in whole else min(word, _FEWEST))
    for least in ([rooms[0], *words[1:]], words, fewest):
        while sum(rooms) + _BETWEEN * (len(rooms) - 1) > width:
            wider = [place for place, room in enumerate(rooms) if room > least[place]]
            if not wider:
                break
            rooms[max(wider, key=lambda place: rooms[place])] -= 1
    return rooms
