"""Where in a row one sequence ends and the next begins."""

import jax
import jax.numpy as jnp
from jax import lax


def resets(segments: jax.Array, *, reverse: bool = False) -> jax.Array:
    """Marks the steps at which a packed row starts another sequence.

        reset[t] = id[t] > 0, some step before t is real, and the last such step has another id

    Shapes:
        segments: (batch, steps), 0 for padding; the result has the same shape.

    Args:
        segments: the sequence ids.
        reverse: look from the end: "before" then means after.

    Returns:
        Booleans. A row's first real step is never marked: it starts from the initial state.

    Example:
        >>> resets(jnp.array([[0, 1, 1, 0, 1, 2]])).astype(int).tolist()
        [[0, 0, 0, 0, 0, 1]]
        >>> resets(jnp.array([[0, 1, 1, 0, 1, 2]]), reverse=True).astype(int).tolist()
        [[0, 0, 0, 0, 1, 0]]
    """
    if segments.shape[1] == 0:
        return jnp.zeros(segments.shape, bool)
    if reverse:
        return jnp.flip(resets(jnp.flip(segments, 1)), 1)
    real = segments != 0
    places = lax.broadcasted_iota(jnp.int32, segments.shape, 1)
    latest = lax.cummax(jnp.where(real, places, -1), axis=1)
    before = jnp.concatenate([jnp.full_like(latest[:, :1], -1), latest[:, :-1]], axis=1)
    last = jnp.take_along_axis(segments, jnp.maximum(before, 0), axis=1)
    return real & (before >= 0) & (last != segments)
