"""Where to cut a long run of tokens into sequences that a model can read."""

from collections.abc import Iterable
from itertools import pairwise


def cut(total: int, starts: Iterable[int], breaks: Iterable[int], longest: int) -> list[int]:
    """Choose where sequences start, so that none is too long and few lines are torn.

    A sequence starts at every break. What lies between two breaks is cut into pieces of about the
    same length at the starts of lines. A line that is longer than `longest` is cut hard.

    Args:
        total: number of tokens.
        starts: index of the first token of each logical line, in ascending order.
        breaks: those of the starts where a sequence has to start.
        longest: most tokens of a sequence.

    Returns:
        The index of the first token of each sequence, in ascending order; empty for no tokens.

    >>> cut(12, starts=[0, 2, 4, 9], breaks=[4], longest=5)
    [0, 4, 9]
    >>> cut(7, starts=[0], breaks=[], longest=3)
    [0, 3, 6]
    """
    lines = [*starts, total]
    forced = set(breaks)
    chosen: list[int] = []
    block: list[int] = []
    for start in lines:
        if block and (start == total or start in forced):
            chosen += _cut_block([*block, start], longest)
            block = []
        block.append(start)
    return chosen


def _cut_block(edges: list[int], longest: int) -> list[int]:
    """Cut the lines between successive edges into pieces; return where the pieces start."""
    size = edges[-1] - edges[0]
    pieces = -(-size // longest)
    wanted = -(-size // pieces)
    chosen = [edges[0]]
    for start, end in pairwise(edges):
        is_full = start - chosen[-1] >= wanted
        if start > chosen[-1] and (is_full or end - chosen[-1] > longest):
            chosen.append(start)
        chosen += range(chosen[-1] + longest, end, longest)
    return chosen
