"""What padding, gaps and packed rows do to states: once, for every loop over steps."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from everystep.kernels.eager import scan

Tree = Any


class Rows(NamedTuple):
    """What the steps of the rows are: two arrays of booleans, time first, or None for none.

    Their further axes stand for the rows, and fit onto the first axes of a state behind its time.
    """

    real: jax.Array | None
    """Where a step is real; elsewhere the states are carried over. None: everywhere."""

    resets: jax.Array | None
    """Where a packed row starts another sequence, so that the states start afresh. None: never."""


def carry(
    step: Callable[[Tree, Tree], tuple[Tree, Tree]],
    first: Tree,
    along: Tree,
    rows: Rows,
    *,
    fresh: Tree,
    read: Callable[[Tree], jax.Array],
    reverse: bool,
) -> tuple[jax.Array, Tree, Tree]:
    """Scans a step over time.

        s'   = fresh where a packed row starts another sequence here, else s
        s[t] = step(s', along[t]) where the step is real, else s'

    Args:
        step: takes the states and what stands at this step; gives new states, and more to keep.
        first: the states before the first step.
        along: a tree of arrays, time first.
        rows: which steps are real, and which start another sequence.
        fresh: the states that a sequence of a packed row starts from.
        read: gives the output that belongs to states.
        reverse: from the last step to the first; what comes out stays with its step.

    Returns:
        The outputs of all steps, the last states, and what the step gave to keep, of all steps.
    """

    def body(states: Tree, at: Tree) -> tuple[Tree, Tree]:
        given, (real, reset) = at
        if reset is not None:
            states = _chosen(reset, fresh, states)
        new, kept = step(states, given)
        if real is not None:
            new = _chosen(real, new, states)
        return new, (read(new), kept)

    last, (outputs, kept) = scan(body, first, (along, rows), reverse=reverse)
    return outputs, last, kept


def _chosen(flags: jax.Array, these: Tree, others: Tree) -> Tree:
    """For each row, these states where its flag stands, else the others."""

    def choose(this: Any, other: jax.Array) -> jax.Array:
        behind = (1,) * (other.ndim - flags.ndim)
        return jnp.where(flags.reshape(*flags.shape, *behind), this, other)

    return jax.tree.map(choose, these, others)
