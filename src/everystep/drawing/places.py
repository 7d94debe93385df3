"""Which of many steps or units a picture shows, and where they stand."""

from __future__ import annotations

from itertools import pairwise

_SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")


def shown_places(count: int, limit: int) -> list[range]:
    """Choose what is shown of many: all, or the first and the last, and one place for the rest.

    Args:
        count: how many there are.
        limit: how many places there are, at least 3.

    Returns:
        For each place what it stands for: one of them, or several that are left out.

    >>> shown_places(2, 5)
    [range(0, 1), range(1, 2)]
    >>> [list(place) for place in shown_places(9, 5)]
    [[0], [1], [2, 3, 4, 5, 6], [7], [8]]
    """
    if count <= limit:
        return [range(each, each + 1) for each in range(count)]
    head = limit // 2
    tail = count - (limit - head - 1)
    ends = [range(each, each + 1) for each in (*range(head), *range(tail, count))]
    return [*ends[:head], range(head, tail), *ends[head:]]


def alone(place: range) -> int | None:
    """Return the one that a place stands for, or None if it stands for several.

    >>> alone(range(3, 4)), alone(range(3, 9))
    (3, None)
    """
    return place.start if len(place) == 1 else None


def numbered(letter: str, number: int) -> str:
    """Write a letter with a number below it.

    >>> numbered("x", 12)
    'x₁₂'
    """
    return letter + str(number).translate(_SUBSCRIPTS)


def over_what_is_read(depends: list[list[bool]]) -> list[float] | None:
    """Place each output step over the middle of the input steps that it reads, if that looks well.

    Args:
        depends: for each output step, which input steps it reads.

    Returns:
        Places counted in input steps; None where two would come closer than one step apart.

    >>> over_what_is_read([[True, True, False, False], [False, False, True, True]])
    [0.5, 2.5]
    >>> over_what_is_read([[True, True], [True, True]]) is None
    True
    """
    read = [[step for step, does in enumerate(row) if does] for row in depends]
    if not all(read):
        return None
    middles = [(steps[0] + steps[-1]) / 2 for steps in read]
    return middles if all(b - a >= 1 for a, b in pairwise(middles)) else None


def spread(count: int, width: float) -> list[float]:
    """Place things evenly on a line.

    >>> spread(2, 8.0)
    [2.0, 6.0]
    """
    return [width * (place + 0.5) / count for place in range(count)]


def shortened(text: str, length: int) -> str:
    """Leave out the middle of a text that is too long.

    >>> shortened("time_distributed", 9)
    'time…uted'
    """
    if len(text) <= length:
        return text
    head = length // 2
    return f"{text[:head]}\N{HORIZONTAL ELLIPSIS}{text[len(text) - (length - head - 1) :]}"
