"""The recurrent loop for cells that are no pointwise equation: any function of one step.

JAX differentiates it, at its own speed. Masks, gaps, packed rows and the way of reading are those
of `recurrent`: both scan through `carrying.carry`.
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from everystep.errors import ShapeError
from everystep.kernels.carrying import Rows, carry
from everystep.kernels.resets import resets
from everystep.sequences import numbers

Tree = Any
Step = Callable[[jax.Array, Tree], tuple[jax.Array, Tree]]


def run_steps(
    step: Step,
    inputs: jax.Array,
    initial: Tree,
    *,
    fresh: Tree | None = None,
    segments: jax.Array | None = None,
    zero_output_for_mask: bool = False,
    packed: bool = False,
    reverse: bool = False,
) -> tuple[jax.Array, jax.Array, Tree]:
    """Runs any function of one step over the steps of every row.

    At step t of a row, with the states s of the step before it:

        s'                  = fresh where a packed row starts another sequence here, else s
        outputs[t], s[t]    = step(inputs[t], s') where the step is real
        outputs[t], s[t]    = outputs of the step before, s' elsewhere

    Shapes:
        inputs: (batch, steps, ...).
        initial: a tree of (batch, ...).
        segments: (batch, steps), integers.

    Args:
        step: maps inputs (batch, ...) and states to an output (batch, ...) and new states.
        inputs: the rows. What they hold at padding is never read.
        initial: the states before the first step, a tree of arrays.
        fresh: those that further sequences of a packed row start from; None: those of the first.
        segments: the sequence that each step belongs to, 0 for padding; None: all steps are real.
            Padding carries the states, and its output repeats the one before: ahead of the first
            real step the first state, as in Keras, if it is shaped like an output, else zeros.
        zero_output_for_mask: give zeros at padding instead.
        packed: rows may hold several sequences.
        reverse: run from the last step to the first, "before" meaning after; outputs stay with
            their steps.

    Returns:
        The outputs (batch, steps, ...), the output after the last processed step, and the states
        then, in the types and the tree of `initial`.

    Raises:
        ShapeError: the new states are not shaped like the old ones.
        DataError: inputs or segments hold no numbers.

    Example:
        >>> import jax.numpy as jnp
        >>> add = lambda x, total: (2 * (x + total), x + total)
        >>> rows, zero = jnp.ones((1, 5)), jnp.zeros(1)
        >>> ids = jnp.array([[1, 1, 2, 2, 0]])
        >>> outputs, _, total = run_steps(add, rows, zero, segments=ids, packed=True)
        >>> outputs.tolist(), total.tolist()
        ([[2.0, 4.0, 2.0, 4.0, 4.0]], [2.0])
    """
    inputs = numbers("inputs", inputs)
    segments = None if segments is None else numbers("segments", segments)
    leaves, tree = jax.tree.flatten(initial)
    initial = [jnp.asarray(leaf) for leaf in leaves]
    real = None if segments is None else segments != 0
    if real is not None:
        inputs = jnp.where(_widened(real, inputs.ndim), inputs, 0)

    def flat(states: tuple[list[jax.Array], Any], given: jax.Array) -> Tree:
        output, new = step(given, jax.tree.unflatten(tree, states[0]))
        return (_like(states[0], new), output.astype(states[1].dtype)), None

    at_a_step: Any = jax.ShapeDtypeStruct((inputs.shape[0], *inputs.shape[2:]), inputs.dtype)  # type: ignore[no-untyped-call]
    output = jax.eval_shape(
        lambda x, s: step(x, jax.tree.unflatten(tree, s))[0], at_a_step, initial
    )
    first = _first_output(output, initial)
    starts = resets(segments, reverse=reverse).T if packed and segments is not None else None
    outputs, (states, last), _ = carry(
        flat,
        (initial, first),
        jnp.swapaxes(inputs, 0, 1),
        Rows(None if real is None else real.T, starts),
        fresh=(initial if fresh is None else jax.tree.leaves(fresh), first),
        read=lambda states: states[1],
        reverse=reverse,
    )
    outputs = jnp.swapaxes(outputs, 0, 1)
    if zero_output_for_mask and real is not None:
        outputs = jnp.where(_widened(real, outputs.ndim), outputs, 0)
    return outputs, last, jax.tree.unflatten(tree, states)


def _widened(real: jax.Array, rank: int) -> jax.Array:
    return real.reshape(*real.shape, *(1,) * (rank - 2))


def _like(old: list[jax.Array], new: Tree) -> list[jax.Array]:
    """The new states as a list, in the types of the old ones, if they fit them."""
    leaves = [jnp.asarray(leaf) for leaf in jax.tree.leaves(new)]
    shapes, wanted = ([tuple(leaf.shape) for leaf in tree] for tree in (leaves, old))
    if shapes != wanted:
        raise ShapeError(
            f"a step must give states of the shapes that it was given, {wanted}, not {shapes}"
        )
    return [leaf.astype(before.dtype) for leaf, before in zip(leaves, old, strict=True)]


def _first_output(output: Any, initial: list[jax.Array]) -> jax.Array:
    """What stands for an output where there was none yet."""
    if initial and initial[0].shape == output.shape:
        return initial[0].astype(output.dtype)
    return jnp.zeros(output.shape, output.dtype)
