"""Tables as plain text, without colours, for whatever prints them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from io import StringIO
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.table import Table


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
        rows: the cells of each row; a cell that is too long goes on in the next line.
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
    from rich.console import Console

    table = _table(heads, rows, right, whole)
    written = StringIO()
    Console(file=written, width=width, color_system=None, legacy_windows=False).print(table)
    return [line.rstrip() for line in written.getvalue().splitlines() if line.strip()]


def _table(
    heads: Sequence[str], rows: Iterable[Sequence[str]], right: Sequence[str], whole: Sequence[str]
) -> Table:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, show_edge=False)
    for head in heads:
        table.add_column(
            Text(head),
            justify="right" if head in right else "left",
            no_wrap=head in whole,
            min_width=max(map(len, head.split())),
            overflow="fold",
        )
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    return table
