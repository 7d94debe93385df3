"""Put what a model gave for batches of rows back in the order of the data set."""

from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

from everystep.errors import DataError
from everystep.sequences.planning import Integers
from everystep.sequences.ragged import Ragged


def gather_back(outputs: Iterable[Any], segments: Iterable[Any], lengths: Integers) -> Ragged:
    """Put outputs that have one value for each step back as one sequence each, in the first order.

    Serves packed and padded batches alike, and takes them one at a time.

    Shapes:
        outputs: blocks of (rows, steps, ...); segments: blocks of (rows, steps);
        lengths (sequences,)

    Args:
        outputs: The outputs of each batch, one step out for each step in.
        segments: The segments of each batch, ids being index + 1 over the whole data set.
        lengths: The number of steps of every sequence of the data set.

    Returns:
        The outputs of all sequences; `.split()` makes a list of it.

    Raises:
        DataError: No batch, an output without the rows and steps of its segments, or batches that
            do not hold each step of each sequence once.

    Example:
        >>> blocks, ids = [np.array([[7, 8, 0, 9]])], [np.array([[2, 2, 0, 1]])]
        >>> gather_back(blocks, ids, np.array([1, 2, 0])).split()
        [array([9]), array([7, 8]), array([], dtype=int64)]
    """
    whole = Ragged.from_lengths(np.empty(0), lengths)
    found = np.zeros(len(whole), dtype=np.int64)
    values: npt.NDArray[Any] | None = None
    for output, ids in zip(outputs, segments, strict=True):
        block, ids = np.asarray(output), np.asarray(ids)
        _check_block(block, ids, len(whole))
        real = ids != 0
        if values is None:
            values = np.empty((int(whole.offsets[-1]), *block.shape[2:]), dtype=block.dtype)
        numbers = ids[real].astype(np.int64) - 1
        found += np.bincount(numbers, minlength=len(whole))
        values[_destinations(numbers, whole.offsets)] = block[real]
    if values is None:
        raise DataError("gather_back needs the outputs of at least one batch, but none came")
    _check_complete(found, lengths)
    return Ragged(values, whole.offsets)


def gather_rows(
    outputs: Iterable[Any], sequences: Iterable[npt.NDArray[np.integer[Any]]], count: int
) -> npt.NDArray[Any]:
    """Put outputs that have one value for each row of padded batches back in the first order.

    Shapes:
        outputs: blocks of (rows, ...); sequences: blocks of (rows,) -> (count, ...)

    Args:
        outputs: The outputs of each batch.
        sequences: Which sequence stands in each row, -1 for none: `Batch.sequences`.
        count: The number of sequences of the data set.

    Returns:
        The outputs, one for each sequence.

    Raises:
        DataError: No batch, or batches that do not hold each sequence once.

    Example:
        >>> gather_rows([np.array([0.5, 0.2]), np.array([0.1, 0.0])], [[2, 0], [1, -1]], count=3)
        array([0.2, 0.1, 0.5])
    """
    blocks = [np.asarray(output) for output in outputs]
    rows = [np.asarray(indices) for indices in sequences]
    if not blocks or [len(block) for block in blocks] != [len(indices) for indices in rows]:
        raise DataError(
            f"gather_rows needs one output for each row of one batch or more, but outputs have "
            f"{[len(block) for block in blocks]} rows and batches {[len(row) for row in rows]}"
        )
    indices = np.concatenate(rows)
    real = indices >= 0
    _check_complete(np.bincount(indices[real], minlength=count), np.ones(count, dtype=np.int64))
    ordered = np.empty((count, *blocks[0].shape[1:]), dtype=blocks[0].dtype)
    ordered[indices[real]] = np.concatenate(blocks)[real]
    return ordered


def _destinations(numbers: npt.NDArray[np.int64], offsets: Integers) -> npt.NDArray[np.int64]:
    """Where each step belongs in the flat array: the steps of a sequence come in one run."""
    starts = np.flatnonzero(np.diff(numbers, prepend=-1))
    run_start = np.repeat(starts, np.diff(starts, append=numbers.size))
    destinations: npt.NDArray[np.int64] = offsets[numbers] + np.arange(numbers.size) - run_start
    return destinations


def _check_block(block: npt.NDArray[Any], ids: npt.NDArray[Any], count: int) -> None:
    if block.shape[:2] != ids.shape:
        raise DataError(
            f"outputs must have the rows and steps of their batch, {ids.shape}, but have shape "
            f"{block.shape}; an output of another number of steps cannot be put back step by step"
        )
    if ids.size and not 0 <= ids.min() <= ids.max() <= count:
        raise DataError(
            f"segment ids of {count} sequences must be from 0 to {count}, but go from {ids.min()} "
            f"to {ids.max()}; give the segments and lengths of the same data set"
        )


def _check_complete(found: npt.NDArray[np.int64], wanted: Integers) -> None:
    wrong = np.flatnonzero(found != wanted)
    if wrong.size:
        index = wrong[0]
        raise DataError(
            f"the batches hold {found[index]} outputs of sequence {index}, which should have "
            f"{wanted[index]}; give every batch of one pass over the data, each once"
        )
