"""What is known of one array of a program before anything runs: which bits it reads, and more."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from everystep.explanation.reading import bits
from everystep.explanation.reading.bits import Array, Words

LOW = -1e4
"""Constants at or below this, such as masks hold, are taken to lie far below ordinary numbers."""


def storage(dtype: Any) -> Any:
    """Return the dtype that NumPy holds such elements in; keys of random numbers are never held."""
    return np.uint8 if jnp.issubdtype(dtype, jax.dtypes.extended) else np.dtype(dtype)


def is_float(dtype: Any) -> bool:
    """Return whether elements of such a dtype are real numbers."""
    return bool(jnp.issubdtype(dtype, np.floating))


@dataclass(frozen=True, eq=False)
class Facts:
    """What is known of each element of one array.

    Make one by `Facts.of`, which sees to what holds of all: a known element reads nothing; `values`
    is 0 where nothing is known; an axis along which an array of facts is alike has size 1 in it,
    and may have size 1 in one and not in another. All of them broadcast to `shape`.

    Args:
        shape: the array's shape.
        dtype: its dtype.
        reads: the bits that each element may depend on, `(*shape, words)`.
        known: where an element is the same constant whatever weights and inputs are.
        values: the constants.
        low: where an element is not known, but lies far below ordinary numbers whatever it reads.
        extreme: where it is neither, but may lie as far from ordinary numbers, as data decide.
        shifted: where it is low as all others are, so that it may be a shift that makes it so, and
            not a mask.
    """

    shape: tuple[int, ...]
    dtype: Any
    reads: Words
    known: Array
    values: Array
    low: Array
    extreme: Array
    shifted: Array

    @classmethod
    def of(
        cls,
        shape: Sequence[int],
        dtype: Any,
        reads: Words,
        known: Array | None = None,
        values: Array | None = None,
        low: Array | None = None,
        extreme: Array | None = None,
        shifted: Array | None = None,
    ) -> Facts:
        """Return facts in their one form; None stands for nothing known, low or extreme."""
        rank, alike = len(shape), (1,) * len(shape)
        if 0 in shape and storage(dtype) == dtype:  # All of its elements are known: it has none.
            known, values = np.ones(alike, bool), np.zeros(alike, dtype)
        if known is None or values is None or not known.any():
            known, values = np.zeros(alike, bool), np.zeros(alike, storage(dtype))
        else:
            reads = bits.where(~known, reads)
            values = np.where(known, values, np.zeros((), values.dtype))
        low = np.zeros(alike, bool) if low is None else low & ~known
        if extreme is None or dtype == np.bool_:
            extreme = np.zeros(alike, bool)
        extreme = extreme & ~known & ~low
        if shifted is None or not low.all():
            shifted = np.zeros(alike, bool)
        axes = range(rank)
        return cls(
            tuple(shape),
            dtype,
            bits.shrunk(reads, axes) if reads.any() else bits.none(rank),
            bits.shrunk(known, axes),
            bits.shrunk(values, axes),
            bits.shrunk(low, axes),
            bits.shrunk(extreme, axes),
            bits.shrunk(shifted, axes),
        )

    @classmethod
    def known_array(cls, value: Any) -> Facts:
        """Return the facts of a constant.

        Example:
            >>> Facts.known_array(np.ones((2, 3))).values.tolist()
            [[1.0]]
        """
        kind = jax.typeof(value)
        shape, dtype = kind.shape, kind.dtype
        if storage(dtype) != dtype:
            return cls.unread(shape, dtype)
        held = np.asarray(value, dtype)
        return cls.of(shape, dtype, bits.none(len(shape)), np.ones((1,) * len(shape), bool), held)

    @classmethod
    def unread(cls, shape: Sequence[int], dtype: Any) -> Facts:
        """Return the facts of an array that reads nothing and may hold anything, as weights do."""
        return cls.of(shape, dtype, bits.none(len(shape)))

    @classmethod
    def with_bits(cls, shape: Sequence[int], dtype: Any, axis: int | None, first: int) -> Facts:
        """Return the facts of an input: index i of `axis` reads bit `first + i`.

        Where `axis` is None, all elements read bit `first`.

        Example:
            >>> Facts.with_bits((1, 4, 3), np.float32, axis=1, first=0).reads.ravel().tolist()
            [1, 2, 4, 8]
        """
        sizes = [1] * len(shape)
        if axis is not None:
            sizes[axis] = shape[axis]
        words = bits.one_each(1 if axis is None else shape[axis], first)
        return cls.of(shape, dtype, words.reshape(*sizes, words.shape[-1]))

    @property
    def form(self) -> tuple[int, ...]:
        """The shape with size 1 where all that is known is alike along an axis."""
        return np.broadcast_shapes(
            self.reads.shape[:-1], *(array.shape for array in self.constants)
        )

    @property
    def constants(self) -> tuple[Array, Array, Array, Array, Array]:
        """What is known of the elements besides what they read."""
        return self.known, self.values, self.low, self.extreme, self.shifted

    @property
    def rank(self) -> int:
        """How many axes the array has."""
        return len(self.shape)

    @property
    def wholly_known(self) -> bool:
        """Whether every element is a known constant."""
        return bool(self.known.all())

    @property
    def nothing(self) -> bool:
        """Whether there is nothing to say: it reads nothing, and nothing else is known."""
        return not (self.reads.shape[-1] or any(map(np.any, self.constants)))

    @property
    def value(self) -> Array:
        """The constants in full shape."""
        return np.broadcast_to(self.values, self.shape)

    @property
    def maybe_nonzero(self) -> Array:
        """Where an element may be other than 0."""
        nonzero: Array = self.values != 0
        return ~self.known | nonzero

    @property
    def below(self) -> Array:
        """Where an element lies far below ordinary numbers, known or not, or is shifted there."""
        if not is_float(self.dtype):
            return np.zeros((1,) * self.rank, bool)
        below: Array = self.low | (self.known & (self.values <= LOW))
        return below

    @property
    def far_below(self) -> Array:
        """Where an element lies far below ordinary numbers, known or not, and is not shifted."""
        return self.below & ~self.shifted

    @property
    def unusual(self) -> Array:
        """Where an element is, or may be, far from ordinary numbers."""
        if self.dtype == np.bool_ or not self.known.any():
            return self.low | self.extreme
        huge: Array = self.known & (np.abs(self.values) >= -LOW)
        return huge | self.low | self.extreme

    def reads_along(self, axis: int | None, count: int) -> Array:
        """Return which of the first bits are read at each index of an axis, by any element there.

        Shapes: `(size of axis, bits)`; size 1 where `axis` is None.

        Example:
            >>> Facts.with_bits((1, 2, 3), np.float32, axis=1, first=1).reads_along(1, 3)
            array([[False,  True, False],
                   [False, False,  True]])
        """
        size = 1 if axis is None else self.shape[axis]
        flags = np.zeros((size, count), bool)
        if self.reads.shape[-1]:
            others = [each for each in range(self.rank) if each != axis]
            words = bits.over(self.reads, others).reshape(-1, self.reads.shape[-1])
            found = bits.planes(words)[:count].T
            flags[:, : found.shape[1]] = found
        return flags

    def reading(self, words: Words) -> Facts:
        """Return the same facts where every element that is not known reads these bits instead."""
        return Facts.of(self.shape, self.dtype, words, *self.constants)

    def with_reads(self, more: Words) -> Facts:
        """Return the same facts where every element that is not known reads these bits too."""
        return self.reading(bits.union([self.reads, more], self.rank))

    def forgotten(self) -> Facts:
        """Return the same facts without constants."""
        return Facts.of(self.shape, self.dtype, self.reads, extreme=self.unusual)

    def doubted(self) -> Facts:
        """Return the same facts where elements that are not known or low may be extreme."""
        known, values, low, _, shifted = self.constants
        doubt = np.array(True)
        return Facts.of(self.shape, self.dtype, self.reads, known, values, low, doubt, shifted)


def moved(
    operands: Sequence[Facts],
    move: Callable[[list[Array]], Array],
    dtype: Any,
) -> Facts:
    """Return the facts of an array whose elements are elements of the operands.

    Args:
        operands: the arrays that elements come from.
        move: given the number of each element, one array for each operand in its shape, returns
            the numbers of the elements that come out.
        dtype: the dtype of what comes out.

    Example:
        >>> steps = Facts.with_bits((3,), np.float32, axis=0, first=0)
        >>> moved([steps], lambda numbers: numbers[0][::-1], steps.dtype).reads.ravel().tolist()
        [4, 2, 1]
    """
    forms = [operand.form for operand in operands]
    starts = [0, *itertools.accumulate(math.prod(form) for form in forms)]
    numbers = [
        np.broadcast_to(np.arange(*ends).reshape(form), operand.shape)
        for operand, form, ends in zip(operands, forms, itertools.pairwise(starts), strict=True)
    ]
    chosen = move(numbers)
    shape = chosen.shape
    if 0 in shape or all(operand.nothing for operand in operands):
        return Facts.unread(shape, dtype)
    chosen = bits.shrunk(chosen, range(chosen.ndim))
    sets = bits.alongside(operand.reads for operand in operands)
    bits.check_size(chosen.shape, sets[0].shape[-1])
    constants = (
        _in_a_row(arrays, forms)[chosen]
        for arrays in zip(*(operand.constants for operand in operands), strict=True)
    )
    words = _in_a_row(sets, [(*form, sets[0].shape[-1]) for form in forms], 1)
    return Facts.of(shape, dtype, words[chosen], *constants)


def _in_a_row(arrays: Sequence[Array], forms: Sequence[tuple[int, ...]], kept: int = 0) -> Array:
    """Return the elements of all arrays, each in its form, on one axis before the axes kept."""
    rows = [
        np.broadcast_to(array, form).reshape(
            math.prod(form[: len(form) - kept]), *form[len(form) - kept :]
        )
        for array, form in zip(arrays, forms, strict=True)
    ]
    return np.concatenate(rows)
