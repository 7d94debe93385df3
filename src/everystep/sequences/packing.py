"""Pack a list of sequences of different lengths into rows of one length."""

from typing import Any

import numpy as np

from everystep.sequences.layout import Layout
from everystep.sequences.planning import check_positive, plan_rows
from everystep.sequences.ragged import Ragged
from everystep.sequences.steps import Steps


def pack(sequences: Any, length: int | None = None) -> Steps:
    """Pack sequences of different lengths into rows of one length, with almost no padding.

    Shapes:
        sequences: a list of (steps, ...), steps differing -> values (rows, length, ...)

    Args:
        sequences: A list of arrays (or lists of numbers) of one dtype and trailing shape.
        length: The length of a row; by default that of the longest sequence.

    Returns:
        Packed `Steps`: the sequence at index i has the id i + 1, and `unpack` gives the list back,
        sequences without steps included. There is at least one row.

    Raises:
        DataError: No list, an empty one, a sequence longer than `length`, or an element that is a
            scalar, not numeric, or of another trailing shape or dtype than the first.
        SettingError: `length` is less than 1.

    Example:
        >>> steps = pack([np.array([1, 2, 3]), np.array([4]), np.array([5, 6])], length=4)
        >>> steps.values.tolist(), steps.segments.tolist()
        ([[1, 2, 3, 4], [5, 6, 0, 0]], [[1, 1, 1, 2], [3, 3, 0, 0]])
    """
    ragged = Ragged.of(sequences, name="sequences")
    lengths = ragged.lengths
    if length is None:
        length = max(1, int(lengths.max()))
    check_positive("length", length)
    plan = plan_rows(lengths, length)
    layout = Layout.of_plan(plan, lengths, first_row=0, rows=max(1, len(plan)))
    used = int(np.flatnonzero(lengths).max(initial=-1)) + 1
    return Steps(
        layout.place(ragged),
        layout.segments(),
        packed=True,
        empty_tail=len(lengths) - used,
    )
