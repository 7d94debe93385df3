"""The recurrent loop for cells that are no pointwise equation: any function of one step.

JAX differentiates it, at its own speed. Masks, gaps, packed rows and the way of reading are those
of `recurrent`: both scan through `carrying.carry`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp

from everystep.errors import ShapeError
from everystep.kernels.carrying import Rows, carry
from everystep.kernels.pointwise import Activation
from everystep.kernels.resets import resets

Tree = Any
Step = Callable[[jax.Array, Tree], tuple[jax.Array, Tree]]


def run_steps(
    step: Step,
    inputs: jax.Array,
    initial: Tree,
    *,
    segments: jax.Array | None = None,
    zero_output_for_mask: bool = False,
    packed: bool = False,
    reverse: bool = False,
) -> tuple[jax.Array, jax.Array, Tree]:
    """Runs any function of one step over the steps of every row.

    At step t of a row, with the states s of the step before it:

        s'                  = initial where a packed row starts another sequence here, else s
        outputs[t], s[t]    = step(inputs[t], s') where the step is real
        outputs[t], s[t]    = outputs of the step before, s' elsewhere

    Shapes:
        inputs: (batch, steps, ...).
        initial: a tree of (batch, ...).
        segments: (batch, steps), integers.

    Args:
        step: maps inputs (batch, ...) and states to an output (batch, ...) and new states.
        inputs: the rows. What they hold at padding is never read.
        initial: the states before the first step, a tree of arrays; in a packed row every sequence
            starts from them.
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

    Example:
        >>> import jax.numpy as jnp
        >>> add = lambda x, total: (2 * (x + total), x + total)
        >>> rows, zero = jnp.ones((1, 5)), jnp.zeros(1)
        >>> ids = jnp.array([[1, 1, 2, 2, 0]])
        >>> outputs, _, total = run_steps(add, rows, zero, segments=ids, packed=True)
        >>> outputs.tolist(), total.tolist()
        ([[2.0, 4.0, 2.0, 4.0, 4.0]], [2.0])
    """
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
        fresh=(initial, first),
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


@dataclass(frozen=True)
class ResetBeforeGRU:
    """Gated recurrent unit, reset gate ahead of the product; gate order update, reset, candidate.

    With x W + b split into x_z, x_s, x_g, R the recurrent kernel's blocks, and in the products of h
    what recurrent dropout keeps of it:

        z, s = recurrent_activation(x_z + h R_z), recurrent_activation(x_s + h R_s)
        h' = z * h + (1 - z) * activation(x_g + (s * h) R_g)

    Shapes:
        inputs: (batch, features); h, dropout: (batch, units); kernel: (features, 3 * units);
        recurrent_kernel: (units, 3 * units); bias: (3 * units,).

    Args:
        activation: of the candidate; Keras's default is tanh.
        recurrent_activation: of the two gates; Keras's default is the sigmoid.

    Returns:
        h', as output and as state.

    Raises:
        TypeError: where shapes do not fit.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> step = ResetBeforeGRU(jnp.tanh, jax.nn.sigmoid)
        >>> kernel = jnp.zeros((1, 3))
        >>> output, (h,) = step(jnp.zeros((1, 1)), (jnp.ones((1, 1)),), kernel, kernel, None, None)
        >>> float(h[0, 0])
        0.5

    Source: Cho et al. 2014, section 2.3; Keras's `reset_after=False`.
    """

    activation: Activation = jnp.tanh
    recurrent_activation: Activation = jax.nn.sigmoid

    def __call__(
        self,
        inputs: jax.Array,
        states: tuple[jax.Array],
        kernel: jax.Array,
        recurrent_kernel: jax.Array,
        bias: jax.Array | None,
        dropout: jax.Array | None,
    ) -> tuple[jax.Array, tuple[jax.Array]]:
        """(h,) -> h', (h',)."""
        (hidden,) = states
        units = hidden.shape[1]
        projected = inputs @ kernel if bias is None else inputs @ kernel + bias
        kept = hidden if dropout is None else hidden * dropout
        share = projected[:, : 2 * units] + kept @ recurrent_kernel[:, : 2 * units]
        update, reset = jnp.split(share, 2, axis=1)
        reset = self.recurrent_activation(reset)
        candidate = projected[:, 2 * units :] + (reset * kept) @ recurrent_kernel[:, 2 * units :]
        update = self.recurrent_activation(update)
        new = update * hidden + (1 - update) * self.activation(candidate)
        return new, (new,)


@partial(jax.jit, static_argnames=("step", "zero_output_for_mask", "packed", "reverse"))
def run_compiled(
    step: Callable[..., tuple[jax.Array, Tree]],
    inputs: jax.Array,
    initial: Tree,
    weights: tuple[Any, ...],
    *,
    segments: jax.Array | None = None,
    zero_output_for_mask: bool = False,
    packed: bool = False,
    reverse: bool = False,
) -> tuple[jax.Array, jax.Array, Tree]:
    """Runs a step that is the same each time, such as `ResetBeforeGRU()`: compiled once.

    It takes the weights behind inputs and states; see `run_steps` for the rest.
    """
    return run_steps(
        lambda given, states: step(given, states, *weights),
        inputs,
        initial,
        segments=segments,
        zero_output_for_mask=zero_output_for_mask,
        packed=packed,
        reverse=reverse,
    )
