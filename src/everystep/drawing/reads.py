"""What output steps read, in words."""

from __future__ import annotations

from collections.abc import Iterable

from everystep.drawing.explained import Explained
from everystep.drawing.words import number_of


def reads_of(found: Explained) -> str:
    """Say which input steps an output step reads, of all inputs and outputs."""
    return all_in_words(each["depends"] for each in found["maps"])


def all_in_words(maps: Iterable[list[list[bool]]]) -> str:
    """Say which steps an output step reads, from several maps, what is said of several once.

    >>> all_in_words([[[True]], [[True, True]], [[True]]])
    'itself alone, every step'
    """
    return ", ".join(dict.fromkeys(map(reads_in_words, maps)))


def reads_in_words(depends: list[list[bool]]) -> str:
    """Say which input steps an output step reads, from a map.

    Args:
        depends: for each output step, which input steps it reads.

    >>> reads_in_words([[True, False], [True, True]]), reads_in_words([[True, True]])
    ('itself and earlier', 'every step')
    """
    inputs = len(depends[0]) if depends else 0
    square = len(depends) == inputs
    pairs = [(t, s) for t, row in enumerate(depends) for s, does in enumerate(row) if does]
    if square and all(t == s for t, s in pairs):
        return "itself alone" if pairs else "nothing"
    if len(pairs) == len(depends) * inputs:
        return "every step"
    most = max(map(sum, depends), default=0)
    if square and most == inputs and all(s <= t for t, s in pairs):
        return "itself and earlier"
    if square and most == inputs and all(s >= t for t, s in pairs):
        return "itself and later"
    return f"{'' if most == 1 else 'up to '}{number_of(most, 'step')}"
