"""Put the steps of sequences into the cells of rows: one gather and one scatter for a block."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, final

import numpy as np
import numpy.typing as npt

from everystep.sequences.planning import Integers, RowPlan
from everystep.sequences.ragged import Ragged


@final
@dataclass(frozen=True, eq=False)
class Layout:
    """Where each of some sequences starts in a block of rows.

    Shapes:
        sequences (placed,), rows (placed,), columns (placed,), lengths (placed,)

    Args:
        sequences: The indices of the sequences.
        rows: The row of each.
        columns: The column of each one's first step.
        lengths: The number of steps of each.
        shape: Rows and steps of the block.

    Example:
        >>> sequences, rows, columns = np.array([1, 0]), np.array([0, 0]), np.array([0, 1])
        >>> layout = Layout(sequences, rows, columns, np.array([1, 2]), (1, 4))
        >>> layout.place(Ragged.of([[7, 8], [9]]))
        array([[9, 7, 8, 0]])
    """

    sequences: npt.NDArray[np.int64]
    rows: npt.NDArray[np.int64]
    columns: npt.NDArray[np.int64]
    lengths: Integers
    shape: tuple[int, int]

    @classmethod
    def of_plan(cls, plan: RowPlan, lengths: Integers, first_row: int, rows: int) -> "Layout":
        """Lay out some rows of a plan, completed by empty rows.

        Shapes:
            lengths (sequences,)

        Args:
            plan: The plan.
            lengths: The number of steps of every sequence of the data set.
            first_row: Which row of the plan comes first.
            rows: The number of rows of the block.

        Example:
            >>> from everystep.sequences.planning import plan_rows
            >>> lengths = np.array([3, 2, 4])
            >>> Layout.of_plan(plan_rows(lengths, row_length=5), lengths, 0, rows=3).columns
            array([0, 3, 0])
        """
        offsets = plan.offsets[first_row : first_row + rows + 1]
        sequences = plan.sequences[offsets[0] : offsets[-1]]
        row_of = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))
        placed = lengths[sequences]
        starts = np.cumsum(placed) - placed
        row_starts = starts[offsets[:-1] - offsets[0]] if len(sequences) else starts
        return cls(sequences, row_of, starts - row_starts[row_of], placed, (rows, plan.row_length))

    @cached_property
    def _within(self) -> npt.NDArray[np.int64]:
        """The number of each step in its sequence, sequence by sequence."""
        before = np.cumsum(self.lengths) - self.lengths
        return np.arange(int(self.lengths.sum())) - np.repeat(before, self.lengths)

    @cached_property
    def _cells(self) -> npt.NDArray[np.int64]:
        """The cell of each step, sequence by sequence."""
        return self._from(self.rows * self.shape[1] + self.columns)

    def _from(self, starts: Integers) -> npt.NDArray[np.int64]:
        """Count up from each sequence's start, as far as it is long."""
        places: npt.NDArray[np.int64] = np.repeat(starts, self.lengths) + self._within
        return places

    def segments(self) -> npt.NDArray[np.int32]:
        """Name each cell's sequence: its index in the data set, plus 1.

        Shapes:
            (rows, steps)
        """
        return self._scatter(np.repeat((self.sequences + 1).astype(np.int32), self.lengths))

    def place(self, ragged: Ragged) -> npt.NDArray[Any]:
        """Put every step of the sequences in its cell, and zeros elsewhere.

        Shapes:
            ragged: sequences of (steps, ...) -> (rows, steps, ...)
        """
        return self._scatter(ragged.values[self._from(ragged.offsets[self.sequences])])

    def spread(self, per_sequence: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Put each sequence's one value in the cells of all its steps, and zeros elsewhere.

        Shapes:
            per_sequence (sequences, ...) -> (rows, steps, ...)
        """
        return self._scatter(np.repeat(per_sequence[self.sequences], self.lengths, axis=0))

    def _scatter(self, steps: npt.NDArray[Any]) -> npt.NDArray[Any]:
        rows, row_length = self.shape
        block = np.zeros((rows * row_length, *steps.shape[1:]), dtype=steps.dtype)
        block[self._cells] = steps
        return block.reshape(rows, row_length, *steps.shape[1:])
