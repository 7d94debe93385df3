"""The penalty on a layer's outputs: what is real of them, in the mean over rows or sequences."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from everystep.layers.counted import counted, real_rows
from everystep.sequences import Steps, boundaries


def activity_losses(regularizer: Callable[[Any], Any], outputs: Any) -> list[Any]:
    """Return the penalty on each output, divided by how many rows there are.

    Padding, and rows that only fill up a batch, count nothing: they are 0 to the regularizer, and
    no rows. In packed rows it is the sequences that are counted, so that a list costs the same
    however it is packed.

    Args:
        regularizer: a function of an array.
        outputs: a tree of arrays and `Steps`.
    """
    leaves = jax.tree.leaves(outputs, is_leaf=lambda leaf: isinstance(leaf, Steps))
    return [_loss(regularizer, leaf) for leaf in leaves]


def _loss(regularizer: Callable[[Any], Any], output: Any) -> Any:
    if output.ndim == 0:
        return regularizer(output)
    steps = output if isinstance(output, Steps) else None
    values = output if steps is None else steps.values
    real = counted(values, None if steps is None else steps.segments)
    rows = real_rows(values.shape[0])
    if steps is not None and steps.packed:
        count = _sequences(steps.segments)
    else:
        count = values.shape[0] if rows is None else jnp.sum(rows)
    loss = regularizer(values if real is None else jnp.where(real, values, 0))
    return loss / jnp.maximum(count, 1).astype(loss.dtype)


def _sequences(segments: Any) -> Any:
    """Return how many sequences the rows hold."""
    real, starts = boundaries(segments)
    return jnp.sum(starts) + jnp.sum(jnp.any(real, axis=1))
