"""Sets of bits, one for each element of an array: packed in words of 64 on a last axis.

An axis along which all elements are alike has size 1, as in broadcasting, so that features cost
nothing. Sets of different numbers of words go together: missing words are 0.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Words = npt.NDArray[np.uint64]

WORD = 64

MOST_WORDS = 1 << 27
"""How many words the sets of one array may have: those of attention over 2,000 steps."""


class TooManyWordsError(Exception):
    """The sets of an array would take more memory than one array may: they cannot be told apart."""


def check_size(form: Sequence[int], words: int) -> None:
    """Raise an error where sets in this form would take too much memory."""
    if math.prod(form) * words > MOST_WORDS:
        raise TooManyWordsError


def none(rank: int) -> Words:
    """Return empty sets for an array of so many axes.

    Example:
        >>> none(2).shape
        (1, 1, 0)
    """
    return np.zeros((1,) * rank + (0,), np.uint64)


def one_each(count: int, first: int) -> Words:
    """Return `count` sets of one bit each: first, first + 1 and so on.

    Shapes: `(count, words)`

    Example:
        >>> one_each(3, 62).tolist()
        [[4611686018427387904, 0], [9223372036854775808, 0], [0, 1]]
    """
    numbers = np.arange(first, first + count, dtype=np.uint64)
    words = np.zeros((count, -(-(first + count) // WORD)), np.uint64)
    words[np.arange(count), (numbers // WORD).astype(np.intp)] = np.uint64(1) << (numbers % WORD)
    return words


def widened(words: Words, count: int) -> Words:
    """Return the same sets in `count` words."""
    missing = count - words.shape[-1]
    if missing <= 0:
        return words
    return np.concatenate([words, np.zeros((*words.shape[:-1], missing), np.uint64)], axis=-1)


def alongside(sets: Iterable[Words]) -> list[Words]:
    """Return the same sets, all in as many words as the largest has."""
    sets = list(sets)
    count = max((words.shape[-1] for words in sets), default=0)
    return [widened(words, count) for words in sets]


def union(sets: Iterable[Words], rank: int) -> Words:
    """Return the union of sets that broadcast against each other, for an array of so many axes."""
    present = alongside(words for words in sets if words.shape[-1])
    if not present:
        return none(rank)
    form = np.broadcast_shapes(*(words.shape for words in present))
    check_size(form, 1)
    total = present[0]
    for words in present[1:]:
        total = total | words
    return total.reshape((1,) * (rank + 1 - total.ndim) + total.shape)


def where(kept: Array, words: Words) -> Words:
    """Return the sets where `kept` stands, and empty ones elsewhere."""
    if not words.shape[-1] or kept.all():
        return words
    check_size(np.broadcast_shapes(kept.shape, words.shape[:-1]), words.shape[-1])
    return np.where(kept[..., None], words, np.uint64(0))


def over(words: Words, axes: Sequence[int]) -> Words:
    """Return the union over some axes, which stay with size 1."""
    if all(words.shape[axis] == 1 for axis in axes):
        return words
    return np.bitwise_or.reduce(words, axis=tuple(axes), keepdims=True)


def differ(one: Words, other: Words) -> bool:
    """Return whether any set differs from its counterpart."""
    return one is not other and bool((one != other).any())


def everything(sets: Iterable[Words]) -> Words:
    """Return the union of all sets of all arrays.

    Shapes: `(words,)`
    """
    return union((over(words, range(words.ndim - 1)).reshape(-1) for words in sets), 0)


def planes(words: Words) -> npt.NDArray[np.bool_]:
    """Return the sets as zeros and ones, one array for each bit.

    Shapes: `(..., words) -> (64 * words, ...)`

    Example:
        >>> planes(one_each(2, 1))[:3].astype(int).tolist()
        [[0, 0], [1, 0], [0, 1]]
    """
    contiguous = np.ascontiguousarray(words).astype("<u8", copy=False)
    unpacked = np.unpackbits(contiguous.view(np.uint8), axis=-1, bitorder="little")
    return np.moveaxis(unpacked.view(np.bool_), -1, 0)


def packed(flags: Array) -> Words:
    """Return zeros and ones, one array for each bit, as sets: the way back from `planes`.

    Shapes: `(bits, ...) -> (..., words)`
    """
    last = np.ascontiguousarray(np.moveaxis(flags, 0, -1))
    missing = -last.shape[-1] % WORD
    last = np.pad(last, [(0, 0)] * (last.ndim - 1) + [(0, missing)])
    return np.packbits(last, axis=-1, bitorder="little").view("<u8").astype(np.uint64, copy=False)


def shrunk(array: Array, axes: Iterable[int]) -> Array:
    """Return the array with size 1 on those of the axes along which all is alike.

    Example:
        >>> shrunk(np.array([[1, 2, 3], [1, 2, 3]]), (0, 1)).tolist()
        [[1, 2, 3]]
    """
    for axis in axes:
        size = array.shape[axis]
        if size < 2:
            continue
        start = (slice(None),) * axis
        first = array[(*start, slice(0, 1))]
        second = array[(*start, slice(1, 2))]
        if array.strides[axis] == 0 or (
            (first == second).all() and (size == 2 or (array == first).all())
        ):
            array = first
    return array
