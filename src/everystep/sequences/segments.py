"""Segments, the one notion of time: which sequence each step of a row belongs to."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import numpy.typing as npt

from everystep.errors import DataError
from everystep.sequences.arraylike import Array


def boundaries(segments: Array) -> tuple[jax.Array, jax.Array]:
    """Tell which steps are real and at which of them a recurrent state starts afresh.

    A step of id 0 (padding on either side, or a gap) carries the state over. The very first real
    step of a row is no start: the state there is the initial one already. Traceable, also over
    symbolic dimensions.

    Shapes:
        segments (batch, steps) -> real (batch, steps), starts (batch, steps)

    Args:
        segments: Integer ids; 0 is padding, k > 0 names a sequence.

    Returns:
        Two boolean arrays: `real`, where the id is not 0, and `starts`, where a real step's id
        differs from the last id other than 0 before it in its row.

    Example:
        >>> real, starts = boundaries(jnp.array([[0, 3, 0, 3, 5, 5, 0]]))
        >>> real.astype(int).tolist(), starts.astype(int).tolist()
        ([[0, 1, 0, 1, 1, 1, 0]], [[0, 0, 0, 0, 1, 0, 0]])
    """
    segments = jnp.asarray(segments)
    real = segments != 0
    positions = jax.lax.broadcasted_iota(jnp.int32, segments.shape, 1)
    last_real = jax.lax.cummax(jnp.where(real, positions, -1), axis=1)
    none_yet = jnp.full_like(last_real[:, :1], -1)
    before = jnp.concatenate([none_yet, last_real[:, :-1]], axis=1)
    id_before = jnp.take_along_axis(segments, jnp.maximum(before, 0), axis=1)
    return real, real & (before >= 0) & (segments != id_before)


def check_segments(segments: npt.NDArray[Any], *, packed: bool) -> None:
    """Refuse segments that do not name sequences properly.

    Shapes:
        segments (batch, steps)

    Args:
        segments: A NumPy array of ids.
        packed: Whether a row may hold several sequences.

    Raises:
        DataError: Wrong rank or dtype, a negative or too large id, a sequence that is torn apart or
            stands in two rows, or (not packed) a row of two sequences.

    Example:
        >>> check_segments(np.array([[1, 1, 2], [3, 0, 3]]), packed=True)
    """
    if segments.ndim != 2 or segments.dtype.kind not in "iu":
        raise DataError(
            f"segments must be integers of shape (batch, steps), but came as {segments.dtype} of "
            f"shape {segments.shape}; for a boolean mask use from_mask"
        )
    if segments.size and (segments.min() < 0 or segments.max() > np.iinfo(np.int32).max):
        raise DataError(
            f"segment ids must be from 0 to 2**31 - 1, but go from {segments.min()} to "
            f"{segments.max()}; use 0 for padding and number the sequences from 1"
        )
    rows, ids = _runs(segments)
    _check_once(rows, ids, packed=packed)


def _runs(segments: npt.NDArray[Any]) -> tuple[npt.NDArray[np.intp], npt.NDArray[Any]]:
    """Row and id of each unbroken run of one id, in reading order; a gap does not break a run."""
    rows = np.nonzero(segments)[0]
    ids = segments[segments != 0]
    new = np.ones(ids.size, dtype=bool)
    new[1:] = (ids[1:] != ids[:-1]) | (rows[1:] != rows[:-1])
    return rows[new], ids[new]


def _check_once(rows: npt.NDArray[np.intp], ids: npt.NDArray[Any], *, packed: bool) -> None:
    """Each id has one run (packed), or each row has one run (not packed)."""
    keys = ids if packed else rows
    order = np.argsort(keys, kind="stable")
    twice = np.flatnonzero(keys[order][1:] == keys[order][:-1])
    if not twice.size:
        return
    first, second = order[twice[0]], order[twice[0] + 1]
    if not packed:
        raise DataError(
            f"row {rows[first]} holds the sequences {ids[first]} and {ids[second]}, but "
            f"packed=False allows one sequence a row; pass packed=True"
        )
    raise DataError(
        f"sequence {ids[first]} starts in row {rows[first]} and again in row {rows[second]}; "
        f"give each sequence of the batch an id of its own and keep its steps together"
    )
