"""What one run of a program does to sets, found once and used for any sets that go in."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from everystep.explanation.reading import bits
from everystep.explanation.reading.bits import Array, Words
from everystep.explanation.reading.facts import Facts

Form = tuple[int, ...]


class Groups:
    """Elements of several arrays in groups, each with a bit of its own.

    Elements of one group read the same, so the group stands for them and no answer gets wider.
    Bit 0 is no group's: it stands for the empty set.

    Args:
        forms: the shape of each array's groups, size 1 along axes on which all elements are one
            group; None for an array that reads nothing, which needs no bit.
    """

    def __init__(self, forms: Sequence[Form | None]) -> None:
        self.forms = list(forms)
        self.counts = [0 if form is None else math.prod(form) for form in self.forms]
        self.starts = np.cumsum([1, *self.counts]).tolist()

    @property
    def size(self) -> int:
        """How many bits there are."""
        return int(self.starts[-1])

    def own(self, number: int) -> Words:
        """Return the bit of each group of one array, `(groups, words)`."""
        return bits.one_each(self.counts[number], self.starts[number])

    def marked(self, number: int, facts: Facts) -> Facts:
        """Return the facts of an array, its elements reading the bits of their groups alone."""
        form = self.forms[number]
        if form is None:
            return facts
        own = self.own(number)
        return facts.reading(own.reshape(*form, own.shape[-1]))


def in_form(words: Words, form: Form) -> Words:
    """Return sets of groups: those of a group's elements united.

    Shapes: `(number of groups, words)`
    """
    joined = bits.over(words, [axis for axis, size in enumerate(form) if size == 1])
    count = words.shape[-1]
    return np.broadcast_to(joined, (*form, count)).reshape(math.prod(form), count)


def parted(rows: Words, forms: Sequence[Form]) -> list[Words]:
    """Return sets of groups as one array for each form: the way back from `in_form`.

    Shapes: `(..., groups of all, words) -> (..., *form, words)`
    """
    ends = np.cumsum([math.prod(form) for form in forms])
    parts = np.split(rows, ends[:-1], axis=-2) if len(forms) else []
    return [
        part.reshape(*part.shape[:-2], *form, rows.shape[-1])
        for part, form in zip(parts, forms, strict=True)
    ]


class Unions:
    """Unions of rows of a table: those of the bits of each set.

    Args:
        sets: sets of numbers of rows, `(sets, words)`. Row 0 of every table is the empty set.

    Example:
        >>> both = Unions(bits.one_each(2, 1) | bits.one_each(1, 1))
        >>> both(np.array([[0], [4], [8]], np.uint64)).tolist()
        [[4], [12]]
    """

    def __init__(self, sets: Words) -> None:
        different, self.which = np.unique(bits.widened(sets, 1), axis=0, return_inverse=True)
        flags = bits.planes(different).T.copy()
        flags[:, 0] = True  # So that no union is of nothing.
        row, self.members = np.nonzero(flags)
        self.starts = np.searchsorted(row, np.arange(len(different)))

    def __call__(self, table: Words) -> Words:
        """Return the unions for one table, `(sets, words)`."""
        if not len(self.starts):
            return np.zeros((0, table.shape[-1]), np.uint64)
        return np.bitwise_or.reduceat(table[self.members], self.starts, axis=0)[self.which]


def key_of(facts: Sequence[Facts]) -> tuple[bytes, ...]:
    """Return what tells apart all that is known of arrays besides what they read."""
    return tuple(
        part.tobytes() + repr(part.shape).encode() for each in facts for part in each.constants
    )


def at(array: Array, index: int) -> Array:
    """Return the entry of the first axis, of which there may be one for all."""
    entry: Array = array[index if len(array) > 1 else 0]
    return entry
