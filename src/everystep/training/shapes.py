"""The shapes of batches: kept few, because JAX compiles a program for each."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field
from typing import Any

import jax
import numpy as np

from everystep.errors import SettingError
from everystep.sequences import bucket_lengths

Lengths = np.ndarray[Any, np.dtype[np.int64]]


@dataclass
class Shapes:
    """What the rows of a model's batches have been like, so that further data take the same shapes.

    Args:
        row_length: the longest sequence that stood in packed rows.
        rows: the most packed rows that were one batch because it came as one.
        lengths: the lengths that sequences were last padded to.
    """

    row_length: int = 1
    rows: int = 1
    lengths: Lengths = field(default_factory=lambda: np.zeros(0, np.int64))

    def padded(self, lengths: Lengths, most: int) -> Lengths:
        """Return the lengths to pad sequences of these lengths to.

        Those of the data before, if there are not more than `most` and the cells not a quarter
        more than with the best ones.

        Args:
            lengths: the number of steps of each sequence.
            most: how many lengths there may be.
        """
        best, known = bucket_lengths(lengths, most), self.lengths
        fits = 0 < len(known) <= most and lengths.max(initial=0) <= known[-1]
        if not fits or _cells(lengths, known) > 1.25 * _cells(lengths, best):
            self.lengths = best
        return self.lengths


def _cells(lengths: Lengths, shapes: Lengths) -> int:
    return int(shapes[np.searchsorted(shapes, lengths)].sum())


def few_rows(count: int, most: int) -> int:
    """Return how many rows a batch of prediction has: enough for all rows there are, up to `most`.

    A power of two, so that lists of any size take few shapes and a short one not the largest.

    Args:
        count: the number of rows there are.
        most: how many rows a batch may have.
    """
    return min(most, 1 << (max(count, 1) - 1).bit_length())


def counted(most: Any) -> int:
    """Return how many shapes there may be, after checking it.

    Raises:
        SettingError: it is no integer of 1 or more.
    """
    if isinstance(most, bool) or not isinstance(most, int) or most < 1:
        raise SettingError(f"max_shapes must be an integer of 1 or more, not {most!r}")
    return most


class ShapeCount:
    """Counts the shapes of batches that each program of a model has been compiled for, and warns.

    Args:
        most: how many shapes are as they should be, besides that of a smaller last batch.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._seen: dict[str, set[tuple[tuple[int, ...], ...]]] = {}

    def note(self, program: str, inputs: Any) -> None:
        """Note the shapes of a batch; warn once, when a program has too many.

        Args:
            program: the method that runs it.
            inputs: the inputs of the batch.
        """
        shapes = tuple(leaf.shape for leaf in jax.tree.leaves(inputs))
        seen = self._seen.setdefault(program, set())
        if shapes in seen:
            return
        seen.add(shapes)
        if len(seen) == self._most + 2:
            warnings.warn(_advice(program, seen), stacklevel=2)


def _advice(program: str, seen: set[tuple[tuple[int, ...], ...]]) -> str:
    """Say which axis has many sizes, and what to do about it."""
    firsts = [shapes[0] for shapes in seen]
    rank = min(map(len, firsts))
    sizes = [sorted({shape[axis] for shape in firsts}) for axis in range(rank)]
    axis = max(range(rank), key=lambda axis: len(sizes[axis]))
    what, cure = _CAUSES.get(axis, ("sizes of an axis", "bring the inputs to few shapes"))
    return (
        f"{program} has met batches of {len(seen)} shapes, and JAX compiles a program for each, "
        f"which takes seconds: they have {len(sizes[axis])} different {what}, from "
        f"{sizes[axis][0]} to {sizes[axis][-1]}. To avoid it, {cure}; if so many are meant, set "
        f"max_shapes in compile"
    )


_CAUSES = {
    0: (
        "numbers of rows",
        "give fit, evaluate or predict the whole data at once, or batches of one size",
    ),
    1: (
        "numbers of steps",
        "give all sequences as one list, which is packed into rows of one shape, or pad batches "
        "to a few lengths",
    ),
}
