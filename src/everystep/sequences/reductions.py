"""Sums and maxima over the real steps of each sequence, handed back to each of its steps."""

from typing import Any

import jax
import jax.numpy as jnp

from everystep.sequences.arraylike import Array
from everystep.sequences.segments import boundaries


def first_steps(segments: Array) -> jax.Array:
    """Tell for each step at which step its sequence starts; padding starts itself. Traceable.

    Shapes:
        segments (batch, steps) -> (batch, steps)

    Example:
        >>> first_steps(jnp.array([[0, 3, 0, 3, 5, 5]])).tolist()
        [[0, 1, 2, 1, 4, 4]]
    """
    real, starts = boundaries(segments)
    positions = jax.lax.broadcasted_iota(jnp.int32, real.shape, 1)
    # A row's first real step starts a sequence too, though nothing starts afresh there.
    starts |= real & (jnp.cumsum(real, axis=1) == 1)
    first = jax.lax.cummax(jnp.where(starts, positions, 0), axis=1)
    return jnp.where(real, first, positions)


def sequence_sums(values: Any, segments: Array, *, packed: bool) -> Any:
    """Sum over the real steps of each sequence.

    Shapes:
        values (batch, steps, ...), segments (batch, steps) -> (batch, steps, ...) where rows are
        packed, else (batch, 1, ...)

    Args:
        values: What each step holds, or one value for all steps, (batch, 1, ...).
        segments: The sequence of each step; 0 is padding.
        packed: Whether a row may hold several sequences.

    Returns:
        At each real step the sum over its sequence; 0 at padding, where rows are packed.

    Example:
        >>> segments = jnp.array([[1, 2, 0, 2]])
        >>> sequence_sums(jnp.array([[4, 5, 6, 7]]), segments, packed=True).tolist()
        [[4, 12, 0, 12]]
    """
    real = _like(segments != 0, values)
    values = jnp.where(real, values, 0)
    if not packed:
        return jnp.sum(values, axis=1, keepdims=True)
    rows, first = _places(segments)
    return jnp.zeros_like(values).at[rows, first].add(values)[rows, first]


def sequence_maxima(values: Any, segments: Array, *, packed: bool) -> Any:
    """Return the largest value of the real steps of each sequence.

    Shapes:
        values (batch, steps, ...), segments (batch, steps) -> (batch, steps, ...) where rows are
        packed, else (batch, 1, ...)

    Args:
        values: What each step holds.
        segments: The sequence of each step; 0 is padding.
        packed: Whether a row may hold several sequences.

    Returns:
        At each real step the largest value of its sequence; minus infinity where there is none.

    Example:
        >>> values, segments = jnp.array([[4.0, 5.0, 9.0, 7.0]]), jnp.array([[1, 2, 0, 2]])
        >>> sequence_maxima(values, segments, packed=False).tolist()
        [[7.0]]
    """
    values = jnp.where(_like(segments != 0, values), values, -jnp.inf)
    if not packed:
        return jnp.max(values, axis=1, keepdims=True, initial=-jnp.inf)
    rows, first = _places(segments)
    return jnp.full_like(values, -jnp.inf).at[rows, first].max(values)[rows, first]


def _like(real: Any, values: Any) -> Any:
    return real.reshape(*real.shape, *[1] * (values.ndim - real.ndim))


def _places(segments: Any) -> tuple[Any, Any]:
    """Row and first step of each step's sequence, as indices."""
    return jax.lax.broadcasted_iota(jnp.int32, segments.shape, 0), first_steps(segments)
