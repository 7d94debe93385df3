"""Which steps attention may read from which: within one sequence, real ones, and no later ones."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from everystep.errors import SegmentsError
from everystep.layers import symbolic
from everystep.sequences.segments import boundaries


@dataclass(frozen=True)
class Side:
    """One of the two sides of attention, the steps that read or the steps that are read.

    Args:
        steps: how many there are in a row.
        segments: the sequence of each, int32 (batch, steps); None where all are real.
        packed: whether a row may hold several sequences.
    """

    steps: Any
    segments: Any = None
    packed: bool = False


def ids_of(segments: Any, mask: Any) -> Any:
    """Return the segments that a side has of its own and by a mask besides, or None."""
    if segments is None or mask is None:
        return segments if mask is None else (mask != 0).astype("int32")
    return jnp.where(mask, segments, 0)


def common_ids(first: Any, second: Any) -> Any:
    """Return the segments of values and keys, where a step must be real in both."""
    if first is None or second is None:
        return second if first is None else first
    return first if first is second else jnp.where(second != 0, first, 0)


def without_padding(value: Any, segments: Any) -> Any:
    """Return steps that are read, with zeros for padding: a share of 0 times NaN would be NaN."""
    if segments is None:
        return value
    mask = jnp.expand_dims(segments != 0, tuple(range(segments.ndim, value.ndim)))
    return jnp.where(mask, value, 0)


def reach(
    who: str, query: Side, value: Side, *, causal: bool = False, window: int | None = None
) -> Any:
    """Return True where a step of `query` may read a step of `value`, or None where all may.

    Padding reads nothing and is read by nothing. In packed rows a step reads its own sequence.

    Shapes: `(batch, query steps, value steps)`; the batch axis is 1 where all rows are alike.

    Args:
        who: the layer, for error messages.
        query: the steps that read.
        value: the steps that are read.
        causal: whether a step reads no later one, by its place in the row, or in its sequence.
        window: a step reads those less than so many places away.

    Raises:
        SegmentsError: one side is packed and the other does not say which sequences it holds, or a
            sequence stands in different rows of the two.

    Example:
        >>> same = Side(3, jnp.array([[1, 1, 2]]), packed=True)
        >>> reach("layer", same, same, causal=True).astype(int).tolist()
        [[[1, 0, 0], [1, 1, 0], [0, 0, 1]]]
    """
    conditions = []
    if query.packed or value.packed:
        _check_packed(who, query, value)
        together = query.segments[:, :, None] == value.segments[:, None, :]
        conditions.append(together & (query.segments != 0)[:, :, None])
    else:
        if query.segments is not None:
            conditions.append((query.segments != 0)[:, :, None])
        if value.segments is not None:
            conditions.append((value.segments != 0)[:, None, :])
    if causal or window is not None:
        distance = _places(query)[:, :, None] - _places(value)[:, None, :]
        conditions += [distance >= 0] if causal else []
        conditions += [jnp.abs(distance) < window] if window is not None else []
    return functools.reduce(jnp.logical_and, conditions) if conditions else None


def _places(side: Side) -> Any:
    """Return where each step stands: in its row, or in packed rows in its sequence."""
    if not side.packed:
        return jnp.arange(side.steps)[None]
    real, starts = boundaries(side.segments)
    counted = jnp.cumsum(real, 1)
    before = jax.lax.cummax(jnp.where(starts, counted - 1, 0), axis=1)
    return counted - 1 - before


def _check_packed(who: str, query: Side, value: Side) -> None:
    if not (query.packed and value.packed):
        packed, other = ("query", "value") if query.packed else ("value", "query")
        raise SegmentsError(
            f"{who}: the {packed} has packed rows, which hold several sequences, and the {other} "
            f"does not say which steps belong to which of them: pack it too, into the same rows"
        )
    if symbolic.is_traced((query.segments, value.segments)):
        return
    rows = [_rows_by_sequence(side.segments) for side in (query, value)]
    for sequence in rows[0].keys() & rows[1].keys():
        if rows[0][sequence] != rows[1][sequence]:
            raise SegmentsError(
                f"{who}: sequence {sequence} stands in row {rows[0][sequence]} of the query and in "
                f"row {rows[1][sequence]} of the value, where its steps cannot read it: pack both "
                "into the same rows"
            )


def _rows_by_sequence(segments: Any) -> dict[int, int]:
    ids = np.asarray(segments)
    rows = np.nonzero(ids)[0]
    return dict(zip(ids[ids != 0].tolist(), rows.tolist(), strict=True))


# Below any score, and finite, so that a step that may read nothing has no NaN in its gradient.
_LOWEST = -1e30


def shares(scores: Any, allowed: Any, axes: int = 1) -> Any:
    """Return how much each step reads of the others: the softmax of the scores of those allowed.

    A step that may read nothing reads nothing: its shares are 0.

    Args:
        scores: one for each pair of steps; those that are read stand on the last axes.
        allowed: which pairs there are, as `reach` says, or None for all.
        axes: on how many axes they stand.
    """
    last = tuple(range(-axes, 0))
    if allowed is None:
        return jax.nn.softmax(scores, last)
    return jnp.where(allowed, jax.nn.softmax(jnp.where(allowed, scores, _LOWEST), last), 0)
