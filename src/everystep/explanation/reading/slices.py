"""Slices of one size out of an array, one for each index vector: what gather and scatter share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np

from everystep.explanation.reading import bits
from everystep.explanation.reading.bits import Array, Words
from everystep.explanation.reading.facts import Facts
from everystep.explanation.reading.windows import Window


@dataclass(frozen=True)
class Slices:
    """Where slices lie in an array, and in an array in which they all stand together.

    Args:
        sizes: how far a slice goes along each axis of the array.
        offsets: the axes of the array of slices that run inside a slice; the others are those of
            the index vectors, in order.
        gone: the axes of the array of which the array of slices has none.
        starts: for each number of an index vector, along which axis of the array it says where
            the slice begins.
        together: pairs of an axis of the array and one of the index vectors that run together.
        dropping: whether a slice that reaches past the end counts as none; else it is moved.
    """

    sizes: tuple[int, ...]
    offsets: tuple[int, ...]
    gone: tuple[int, ...]
    starts: tuple[int, ...]
    together: tuple[tuple[int, int], ...] = ()
    dropping: bool = False

    @classmethod
    def of_gather(cls, parameters: Any) -> Slices:
        """Return the slices of a gather."""
        numbers = parameters["dimension_numbers"]
        return cls(
            tuple(parameters["slice_sizes"]),
            tuple(numbers.offset_dims),
            (*numbers.collapsed_slice_dims, *numbers.operand_batching_dims),
            tuple(numbers.start_index_map),
            tuple(
                zip(numbers.operand_batching_dims, numbers.start_indices_batching_dims, strict=True)
            ),
            drops(parameters["mode"]),
        )

    @classmethod
    def of_scatter(cls, parameters: Any, rank: int, updates: tuple[int, ...]) -> Slices:
        """Return the slices of a scatter into an array of so many axes."""
        numbers = parameters["dimension_numbers"]
        gone = (*numbers.inserted_window_dims, *numbers.operand_batching_dims)
        sizes = [1] * rank
        kept = [axis for axis in range(rank) if axis not in gone]
        for axis, offset in zip(kept, numbers.update_window_dims, strict=True):
            sizes[axis] = updates[offset]
        return cls(
            tuple(sizes),
            tuple(numbers.update_window_dims),
            gone,
            tuple(numbers.scatter_dims_to_operand_dims),
            tuple(
                zip(
                    numbers.operand_batching_dims,
                    numbers.scatter_indices_batching_dims,
                    strict=True,
                )
            ),
            drops(parameters["mode"]),
        )

    @classmethod
    def at(cls, sizes: Sequence[int]) -> Slices:
        """Return the one slice of such sizes whose place is given for each axis."""
        axes = tuple(range(len(sizes)))
        return cls(tuple(sizes), axes, (), axes)

    def settled(self, index: Facts, shape: tuple[int, ...]) -> Facts:
        """Return index vectors with 0 for numbers that change nothing, as slices fill their axis.

        Args:
            index: the index vectors, on the last axis.
            shape: the shape of the array.
        """
        room = [self.dropping or shape[axis] > self.sizes[axis] for axis in self.starts]
        if all(room):
            return index
        known = index.known | ~np.array(room)
        values = np.where(room, index.values, np.zeros((), index.values.dtype))
        return Facts.of(index.shape, index.dtype, index.reads, known, values)

    def free(self, index: Facts) -> list[int]:
        """Return the axes of the array along which the place of some slice is not known."""
        known = np.broadcast_to(index.known, index.shape)
        return [axis for number, axis in enumerate(self.starts) if not known[..., number].all()]

    def narrowed(self, shape: tuple[int, ...], free: list[int]) -> tuple[int, ...]:
        """Return the array's shape with the size of a slice along the axes that are free."""
        return tuple(self.sizes[axis] if axis in free else size for axis, size in enumerate(shape))

    def sliding(self, shape: tuple[int, ...], axis: int) -> Window:
        """Return the window of all places of the array where an element of a slice may lie."""
        return Window(shape[axis] - self.sizes[axis] + 1)

    def places(
        self, shape: tuple[int, ...], index: Facts, free: list[int]
    ) -> tuple[tuple[Array, ...], Array]:
        """Return the index along each axis of each element of each slice, and which count.

        Args:
            shape: the shape of the array, narrowed along the free axes.
            index: the index vectors, on the last axis.
            free: the axes along which their numbers are not known.
        """
        vectors = np.moveaxis(np.broadcast_to(index.values, index.shape), -1, 0).astype(np.int64)
        of_axis = dict(zip(self.starts, vectors, strict=True))
        kept = iter(self.offsets)
        rank = len(self.offsets) + index.rank - 1
        inside, found = np.ones((1,) * rank, bool), []
        for axis, (size, width) in enumerate(zip(shape, self.sizes, strict=True)):
            start = np.zeros((1,) * (index.rank - 1), np.int64)
            if axis in of_axis and axis not in free:
                start = np.clip(of_axis[axis], 0, size - width)
                if self.dropping:
                    inside = inside & self.among(start == of_axis[axis])
            for array_axis, index_axis in self.together:
                if array_axis == axis:
                    start = _along(index_axis, np.arange(size), index.rank - 1)
            start = self.among(start)
            found.append(
                start if axis in self.gone else start + _along(next(kept), np.arange(width), rank)
            )
        return tuple(found), inside

    def asked(self, index: Facts) -> Words:
        """Return what the place of each slice reads, as sets for the array of slices."""
        return self.among(bits.over(index.reads, [index.rank - 1])[..., 0, :], 1)

    def among(self, array: Array, words: int = 0) -> Array:
        """Return an array of the index vectors as one of the slices, alike along each slice.

        Args:
            array: with the axes of the index vectors, and perhaps one for words of bits.
            words: how many axes for words it has.
        """
        rank = array.ndim - words + len(self.offsets)
        return np.expand_dims(array, [offset % rank for offset in self.offsets])


def drops(mode: Any) -> bool:
    """Return whether slices that reach past the end of the array count as none."""
    return mode is jax.lax.GatherScatterMode.FILL_OR_DROP


def _along(axis: int, line: Array, rank: int) -> Array:
    shape = [1] * rank
    shape[axis] = len(line)
    return line.reshape(shape)
