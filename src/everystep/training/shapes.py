"""The shapes of batches: kept few, because JAX compiles a program for each."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from everystep.core.shape_count import Cures
from everystep.errors import SettingError
from everystep.kinds import shown
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
        raise SettingError(f"max_shapes must be an integer of 1 or more, not {shown(most)}")
    return most


CURES = Cures(
    rows="give fit, evaluate or predict the whole data at once, or batches of one size",
    steps="give all sequences as one list, which is packed into rows of one shape, or pad batches "
    "to a few lengths",
    allow="set max_shapes in compile",
)
"""What to do where the batches of `fit`, `evaluate` and `predict` have many shapes."""
