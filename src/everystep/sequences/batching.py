"""Batches of one shape, or of few shapes, from sequences of many lengths."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias, final

import numpy as np
import numpy.typing as npt

from everystep.errors import DataError
from everystep.sequences.buckets import bucket_lengths, bucketed_groups
from everystep.sequences.layout import Layout
from everystep.sequences.planning import Integers, RowPlan, check_fits, check_positive
from everystep.sequences.ragged import Ragged
from everystep.sequences.steps import Steps

Aligned: TypeAlias = Mapping[str, "Ragged | npt.NDArray[Any]"]


@final
@dataclass(frozen=True, eq=False)
class Batch:
    """Some rows of steps, and what goes with them.

    Shapes:
        aligned: each (rows, steps, ...), or (rows, ...) for one value a sequence in padded rows;
        sequences (placed,) in packed rows, (rows,) in padded rows

    Args:
        steps: The inputs; the id of the sequence at index i of the data set is i + 1.
        aligned: Labels, weights or further inputs by name, zero where there is no step.
        sequences: The indices of the sequences in the batch; in padded rows one for each row, with
            -1 for a row that only completes the batch.
    """

    steps: Steps
    aligned: dict[str, npt.NDArray[Any]]
    sequences: npt.NDArray[np.int64]


@final
class Batches:
    """A pass over a data set, laid out batch by batch when asked for: `packed_batches` makes it.

    Has a length, and an index gives one batch without laying out those before it, so that a pass
    can be resumed in its middle.

    Example:
        >>> batches = padded_batches(Ragged.of([[5, 6], [7], []]), rows=2)
        >>> len(batches), batches.shapes, batches.fill
        (2, [(2, 1), (2, 2)], 0.5)
        >>> batches[0].steps.values.tolist(), batches[0].sequences.tolist()
        ([[7], [0]], [1, 2])
    """

    def __init__(
        self,
        inputs: Ragged,
        aligned: Aligned,
        layout: Callable[[int], Layout],
        shapes: list[tuple[int, int]],
        steps: int,
        *,
        packed: bool,
    ) -> None:
        check_aligned(inputs, aligned)
        self._inputs = inputs
        self._aligned = dict(aligned)
        self._layout = layout
        self._shapes = shapes
        self._steps = steps
        self._packed = packed

    @property
    def shapes(self) -> list[tuple[int, int]]:
        """Rows and steps of each batch."""
        return list(self._shapes)

    @property
    def fill(self) -> float:
        """The share of cells that hold a step, over all batches."""
        return self._steps / sum(rows * steps for rows, steps in self._shapes)

    def __len__(self) -> int:
        return len(self._shapes)

    def __iter__(self) -> Iterator[Batch]:
        return (self[index] for index in range(len(self)))

    def __getitem__(self, index: int) -> Batch:
        if not 0 <= index < len(self):
            raise IndexError(f"batch {index} of {len(self)} batches")
        layout = self._layout(index)
        steps = Steps(layout.place(self._inputs), layout.segments(), self._packed)
        aligned = {name: self._lay_out(layout, data) for name, data in self._aligned.items()}
        if self._packed:
            return Batch(steps, aligned, layout.sequences)
        sequences = np.full(layout.shape[0], -1, dtype=np.int64)
        sequences[layout.rows] = layout.sequences
        return Batch(steps, aligned, sequences)

    def _lay_out(self, layout: Layout, data: "Ragged | npt.NDArray[Any]") -> npt.NDArray[Any]:
        if isinstance(data, Ragged):
            return layout.place(data)
        if self._packed:
            return layout.spread(data)
        rows = np.zeros((layout.shape[0], *data.shape[1:]), dtype=data.dtype)
        rows[layout.rows] = data[layout.sequences]
        return rows


def packed_batches(
    inputs: Ragged, plan: RowPlan, rows: int, aligned: Aligned | None = None
) -> Batches:
    """Lay the rows of a plan out in batches that all have one shape.

    Shapes:
        every batch: steps (rows, plan.row_length, ...)

    Args:
        inputs: The sequences.
        plan: Which sequences share a row.
        rows: Rows in a batch; the last batch is completed by empty rows.
        aligned: By name, what goes with the inputs: a `Ragged` of the same lengths, or an array
            with one value a sequence, which is put at each of the sequence's steps.

    Returns:
        The batches, at least one.

    Raises:
        DataError: The plan is not for these lengths, or something aligned does not have the
            sequences or lengths of the inputs.
        SettingError: `rows` is less than 1.

    Example:
        >>> from everystep.sequences.planning import plan_rows
        >>> inputs = Ragged.of([[1, 2, 3], [4], [5, 6]])
        >>> batches = packed_batches(inputs, plan_rows(inputs.lengths, row_length=4), rows=3)
        >>> len(batches), batches[0].steps.values.tolist(), batches.fill
        (1, [[1, 2, 3, 4], [5, 6, 0, 0], [0, 0, 0, 0]], 0.5)
    """
    check_positive("rows", rows)
    steps = int(inputs.lengths[plan.sequences].sum())
    if steps != plan.steps:
        raise DataError(
            f"the plan is for {plan.steps} steps, but its sequences have {steps} steps in these "
            f"inputs; make the plan from the lengths of the same inputs"
        )

    def layout(number: int) -> Layout:
        return Layout.of_plan(plan, inputs.lengths, number * rows, rows)

    shapes = [(rows, plan.row_length)] * max(1, -(-len(plan) // rows))
    return Batches(inputs, aligned or {}, layout, shapes, steps, packed=True)


def padded_batches(
    inputs: Ragged,
    rows: int,
    order: Integers | None = None,
    shapes: Integers | None = None,
    aligned: Aligned | None = None,
) -> Batches:
    """Lay sequences out one a row, in batches of like lengths with few different shapes.

    For models that cannot take several sequences in a row. Sequences of like length come together
    in the order given; what is left of each length fills up a batch of the next longer one.

    Shapes:
        every batch: steps (rows, one of shapes, ...)

    Args:
        inputs: The sequences.
        rows: Rows in a batch; the last batch is completed by empty rows.
        order: The indices of the sequences, in the order in which they come; by default the list's.
        shapes: The lengths that batches may have, ascending; by default `bucket_lengths`.
        aligned: By name, what goes with the inputs: a `Ragged` of the same lengths, or an array
            with one value a sequence, which stays one value a row.

    Returns:
        The batches, at least one.

    Raises:
        DataError: A sequence is longer than all shapes, or something aligned does not have the
            sequences or lengths of the inputs.
        SettingError: `rows` is less than 1.

    Example:
        >>> inputs = Ragged.of([[1, 2, 3], [4], [5, 6]])
        >>> batches = padded_batches(inputs, rows=2, aligned={"label": np.array([7, 8, 9])})
        >>> [(batch.steps.shape, batch.aligned["label"].tolist()) for batch in batches]
        [((2, 2), [8, 9]), ((2, 3), [7, 0])]
    """
    check_positive("rows", rows)
    lengths = inputs.lengths
    shapes = bucket_lengths(lengths) if shapes is None else np.asarray(shapes)
    check_fits(lengths, int(shapes[-1]))
    order = np.arange(len(lengths)) if order is None else np.asarray(order)
    groups = bucketed_groups(lengths, order, rows, shapes)

    def layout(number: int) -> Layout:
        members, steps = groups[number]
        row_of, columns = np.arange(len(members)), np.zeros_like(members)
        return Layout(members, row_of, columns, lengths[members], (rows, steps))

    of_all = [(rows, steps) for _, steps in groups]
    placed = int(lengths[order].sum())
    return Batches(inputs, aligned or {}, layout, of_all, placed, packed=False)


def check_aligned(inputs: Ragged, aligned: Aligned) -> None:
    """Refuse what does not go with the inputs, sequence by sequence and step by step.

    Args:
        inputs: The sequences.
        aligned: By name, what goes with them.

    Raises:
        DataError: With the name, the first sequence that differs, and both lengths.

    Example:
        >>> check_aligned(Ragged.of([[1, 2], [3]]), {"y": Ragged.of([[0, 1], [1]])})
    """
    for name, data in aligned.items():
        if len(data) != len(inputs):
            raise DataError(
                f"{name} must have one entry for each sequence of the inputs, {len(inputs)}, but "
                f"has {len(data)}; give both lists in the same order and of the same length"
            )
        if not isinstance(data, Ragged):
            continue
        wrong = np.flatnonzero(data.lengths != inputs.lengths)
        if wrong.size:
            index = wrong[0]
            raise DataError(
                f"{name} of sequence {index} have {data.lengths[index]} steps, but its inputs have "
                f"{inputs.lengths[index]}; give one entry for each step"
            )
