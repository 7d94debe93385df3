"""Many sequences of different lengths, stored end to end in one array."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any, final

import numpy as np
import numpy.typing as npt

from everystep.errors import DataError
from everystep.sequences.arraylike import native, why_no_numbers


@final
@dataclass(frozen=True, eq=False, repr=False)
class Ragged:
    """A list of arrays that differ in length only, stored once.

    Shapes:
        values (steps of all sequences, ...), offsets (sequences + 1,)

    Args:
        values: The sequences, end to end.
        offsets: Where each sequence starts in `values`, and last where all end.

    Example:
        >>> ragged = Ragged.of([np.array([1, 2]), np.array([], int), np.array([3])])
        >>> ragged.values, ragged.lengths
        (array([1, 2, 3]), array([2, 0, 1]))
    """

    values: npt.NDArray[Any]
    offsets: npt.NDArray[np.int64]

    @classmethod
    def of(cls, sequences: Any, name: str = "inputs") -> "Ragged":
        """Store a list of arrays, after checking that they belong together.

        Shapes:
            sequences: a list of (steps, ...), steps differing, the rest equal

        Args:
            sequences: A list or tuple of arrays, or of lists of numbers. An empty Python list takes
                dtype and trailing shape of the others. A `Ragged` is given back as it is.
            name: What messages call it.

        Raises:
            DataError: No list, an empty one, or an element that is a scalar, not numeric, or of
                another trailing shape or dtype than the first.

        Example:
            >>> Ragged.of([[1, 2], [], [3]], name="labels")
            Ragged(3 sequences of int64[0..2])
        """
        if isinstance(sequences, cls):
            return sequences
        if not isinstance(sequences, list | tuple):
            raise DataError(
                f"{name} must be a list of arrays, one a sequence, but came as "
                f"{type(sequences).__name__}; pass list(...) of it if its elements are sequences"
            )
        if not sequences:
            raise DataError(f"{name} must hold at least one sequence, but the list is empty")
        arrays = _as_arrays(sequences, name)
        return cls.from_lengths(np.concatenate(arrays), np.array([len(array) for array in arrays]))

    @classmethod
    def from_lengths(cls, values: npt.NDArray[Any], lengths: npt.NDArray[np.integer]) -> "Ragged":
        """Cut one array into sequences of the given lengths.

        Shapes:
            values (sum of lengths, ...), lengths (sequences,)

        Example:
            >>> Ragged.from_lengths(np.arange(3), np.array([1, 2])).split()
            [array([0]), array([1, 2])]
        """
        offsets = np.zeros(len(lengths) + 1, dtype=np.int64)
        np.cumsum(lengths, out=offsets[1:])
        return cls(values, offsets)

    @cached_property
    def lengths(self) -> npt.NDArray[np.int64]:
        """The number of steps of each sequence, (sequences,)."""
        return np.diff(self.offsets)

    def split(self) -> list[npt.NDArray[Any]]:
        """Give the sequences as a list of views, in order.

        Example:
            >>> Ragged.of([[1, 2], [3]]).split()
            [array([1, 2]), array([3])]
        """
        ends = self.offsets.tolist()
        return [self.values[start:end] for start, end in pairwise(ends)]

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __repr__(self) -> str:
        low, high = (int(self.lengths.min()), int(self.lengths.max())) if len(self) else (0, 0)
        trailing = "".join(f",{size}" for size in self.values.shape[1:])
        return f"Ragged({len(self)} sequences of {self.values.dtype}[{low}..{high}{trailing}])"


def _as_arrays(sequences: Sequence[Any], name: str) -> list[npt.NDArray[Any]]:
    """One array a sequence, all of one dtype and trailing shape."""
    arrays = [
        as_array(sequence, f"sequence {index} of {name}")
        for index, sequence in enumerate(sequences)
    ]
    # NumPy makes float64 of an empty Python list; it says nothing of what its steps would be.
    untyped = [isinstance(sequence, list | tuple) and not sequence for sequence in sequences]
    first = next((index for index, unknown in enumerate(untyped) if not unknown), 0)
    pattern = arrays[first]
    nothing = pattern[:0]
    for index, array in enumerate(arrays):
        if untyped[index]:
            arrays[index] = nothing
        elif array.shape[1:] != pattern.shape[1:]:
            raise DataError(
                f"all sequences of {name} must agree in every axis but the first, but a step of "
                f"sequence {index} has shape {array.shape[1:]} and a step of sequence {first} has "
                f"{pattern.shape[1:]}; bring the steps to one shape"
            )
        elif array.dtype != pattern.dtype:
            raise DataError(
                f"all sequences of {name} must have one dtype, but sequence {index} is "
                f"{array.dtype} and sequence {first} is {pattern.dtype}; convert them with "
                f".astype before"
            )
    return arrays


def as_array(thing: Any, name: str) -> npt.NDArray[Any]:
    """Take an array, or nested lists of numbers, as a numeric array of rank 1 or more.

    Args:
        thing: What to take.
        name: What messages call it.

    Raises:
        DataError: It is ragged within, holds no numbers, or is a single value.

    Example:
        >>> as_array([1, 2], "labels")
        array([1, 2])
    """
    try:
        array = native(thing if isinstance(thing, np.ma.MaskedArray) else np.asarray(thing))
    except ValueError as error:
        raise DataError(
            f"{name} is no array: its steps differ in shape ({error}); bring them to one shape"
        ) from error
    if problem := why_no_numbers(array):
        raise DataError(f"{name} must hold numbers, but came as {type(thing).__name__} {problem}")
    if array.ndim == 0:
        raise DataError(
            f"{name} must be an array of steps, but is the single value {array}; give one step as "
            f"[value]"
        )
    return array
