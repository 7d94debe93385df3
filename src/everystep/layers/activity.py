"""The penalty on a layer's outputs: what is real of them, in the mean over rows or sequences."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from everystep.core.scope import current_scope
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
    scope = current_scope()
    rows = None if scope is None else scope.real_rows
    count = output.shape[0] if rows is None else jnp.sum(rows)
    values = output
    if isinstance(output, Steps):
        values = _where(output.segments != 0, output.values)
        if output.packed:
            count = _sequences(output.segments)
    if rows is not None:
        values = _where(rows, values)
    loss = regularizer(values)
    return loss / jnp.maximum(count, 1).astype(loss.dtype)


def _where(real: Any, values: Any) -> Any:
    return jnp.where(real.reshape(*real.shape, *[1] * (values.ndim - real.ndim)), values, 0)


def _sequences(segments: Any) -> Any:
    """Return how many sequences the rows hold."""
    real, starts = boundaries(segments)
    return jnp.sum(starts) + jnp.sum(jnp.any(real, axis=1))
