"""What of a layer's values counts: real steps of real rows."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp

from everystep.core.scope import current_scope
from everystep.errors import ShapeError


def counted(values: Any, segments: Any) -> Any:
    """Return True at values that are neither padding nor in rows that only fill up a batch.

    Args:
        values: an array, of which the first axis is the batch.
        segments: its segments, or None.

    Returns:
        Booleans of a shape that broadcasts to that of the values; None where all count.

    Raises:
        ShapeError: there are other rows than the run has.
    """
    real = None if segments is None else _spread(segments != 0, values)
    rows = real_rows(values.shape[0])
    if rows is None:
        return real
    rows = _spread(rows, values)
    return rows if real is None else rows & real


def real_rows(batch: Any) -> Any:
    """Return which of so many rows are real, or None where all are.

    Rows that a layer made of one row, by folding the axis behind it into the batch, are what that
    one is.
    """
    scope = current_scope()
    if scope is None or scope.real_rows is None:
        return None
    rows = jnp.asarray(scope.real_rows)
    if rows.shape[0] == batch:
        return rows
    times, rest = divmod(batch, rows.shape[0])
    if rest:
        raise ShapeError(
            f"{rows.shape[0]} rows came into the model, of which some only fill up the batch, but "
            f"{batch} came to a layer that must leave those out: keep the batch axis as it is"
        )
    return jnp.repeat(rows, times)


def _spread(real: Any, values: Any) -> Any:
    return real.reshape(*real.shape, *[1] * (values.ndim - real.ndim))
