"""Put the steps of sequences into the cells of rows: one gather and one scatter for a block."""

from dataclasses import dataclass
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
        sequences (placed,), rows (placed,), columns (placed,)

    Args:
        sequences: The indices of the sequences.
        rows: The row of each.
        columns: The column of each one's first step.
        shape: Rows and steps of the block.

    Example:
        >>> layout = Layout(np.array([1, 0]), np.array([0, 0]), np.array([0, 1]), (1, 4))
        >>> layout.place(Ragged.of([[7, 8], [9]]))
        array([[9, 7, 8, 0]])
    """

    sequences: npt.NDArray[np.int64]
    rows: npt.NDArray[np.int64]
    columns: npt.NDArray[np.int64]
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
        starts = np.cumsum(lengths[sequences]) - lengths[sequences]
        row_starts = starts[offsets[:-1] - offsets[0]] if len(sequences) else starts
        return cls(sequences, row_of, starts - row_starts[row_of], (rows, plan.row_length))

    def segments(self, lengths: Integers) -> npt.NDArray[np.int32]:
        """Name each cell's sequence: its index in the data set, plus 1.

        Shapes:
            lengths (sequences,) -> (rows, steps)
        """
        placed = lengths[self.sequences]
        return self._scatter(np.repeat((self.sequences + 1).astype(np.int32), placed), placed)

    def place(self, ragged: Ragged) -> npt.NDArray[Any]:
        """Put every step of the sequences in its cell, and zeros elsewhere.

        Shapes:
            ragged: sequences of (steps, ...) -> (rows, steps, ...)
        """
        lengths = ragged.lengths[self.sequences]
        steps = ragged.values[ranges(ragged.offsets[self.sequences], lengths)]
        return self._scatter(steps, lengths)

    def spread(self, per_sequence: npt.NDArray[Any], lengths: Integers) -> npt.NDArray[Any]:
        """Put each sequence's one value in the cells of all its steps, and zeros elsewhere.

        Shapes:
            per_sequence (sequences, ...), lengths (sequences,) -> (rows, steps, ...)
        """
        placed = lengths[self.sequences]
        return self._scatter(np.repeat(per_sequence[self.sequences], placed, axis=0), placed)

    def _scatter(self, steps: npt.NDArray[Any], lengths: Integers) -> npt.NDArray[Any]:
        rows, row_length = self.shape
        block = np.zeros((rows * row_length, *steps.shape[1:]), dtype=steps.dtype)
        block[ranges(self.rows * row_length + self.columns, lengths)] = steps
        return block.reshape(rows, row_length, *steps.shape[1:])


def ranges(starts: Integers, lengths: Integers) -> npt.NDArray[np.int64]:
    """Count up from each start, as far as each length says, end to end.

    Shapes:
        starts (n,), lengths (n,) -> (sum of lengths,)

    Example:
        >>> ranges(np.array([5, 0]), np.array([2, 3]))
        array([5, 6, 0, 1, 2])
    """
    before = np.cumsum(lengths) - lengths
    return np.repeat(starts - before, lengths) + np.arange(int(np.sum(lengths)))
