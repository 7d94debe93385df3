"""The gated recurrent unit whose reset gate comes ahead of the product: two products at each step.

So it is no equation of two shares, as the others are, and the loop of pure JAX steps through it.
"""

from dataclasses import dataclass
from typing import Any, ClassVar

import jax
import jax.numpy as jnp

from everystep.kernels.gates import States
from everystep.kernels.loop import dot
from everystep.kernels.pointwise import Activation
from everystep.kernels.stepping import run_steps


@dataclass(frozen=True)
class ResetBeforeGRU:
    """Gated recurrent unit, reset gate ahead of the product; gate order update, reset, candidate.

    With x W + b split into x_z, x_s, x_g, R the recurrent kernel's blocks, and in the products of h
    what recurrent dropout keeps of it:

        z, s = recurrent_activation(x_z + h R_z), recurrent_activation(x_s + h R_s)
        h' = z * h + (1 - z) * activation(x_g + (s * h) R_g)

    Shapes:
        projected: x W + b, (batch, 3 * units); h, dropout: (batch, units);
        recurrent_kernel: (units, 3 * units).

    Args:
        activation: of the candidate; Keras's default is tanh.
        recurrent_activation: of the two gates; Keras's default is the sigmoid.

    Returns:
        (h',).

    Raises:
        TypeError: where shapes do not fit.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> step = ResetBeforeGRU(jnp.tanh, jax.nn.sigmoid)
        >>> (h,) = step(jnp.zeros((1, 3)), (jnp.ones((1, 1)),), jnp.zeros((1, 3)), None)
        >>> float(h[0, 0])
        0.5

    Source: Cho et al. 2014, section 2.3; Keras's `reset_after=False`.
    """

    activation: Activation = jnp.tanh
    recurrent_activation: Activation = jax.nn.sigmoid

    blocks: ClassVar[int] = 3
    state_count: ClassVar[int] = 1
    parameter_blocks: ClassVar[tuple[int, ...]] = ()

    def __call__(
        self,
        projected: jax.Array,
        states: States,
        recurrent_kernel: jax.Array,
        dropout: jax.Array | None,
    ) -> States:
        """(h,) -> (h',)."""
        (hidden,) = states
        units = hidden.shape[1]
        kept = hidden if dropout is None else hidden * dropout
        ahead, behind = recurrent_kernel[:, : 2 * units], recurrent_kernel[:, 2 * units :]
        gates = projected[:, : 2 * units] + dot(kept, ahead, (1, 0), hidden.dtype)
        update, reset = jnp.split(gates, 2, axis=1)
        reset = self.recurrent_activation(reset)
        shared = dot(reset * kept, behind, (1, 0), hidden.dtype)
        update = self.recurrent_activation(update)
        candidate = self.activation(projected[:, 2 * units :] + shared)
        return (update * hidden + (1 - update) * candidate,)


def run_reset_before(
    gates: ResetBeforeGRU, arrays: dict[str, Any], rows: dict[str, bool], dtype: Any
) -> tuple[jax.Array, States]:
    """Runs the cell over the steps of every row, as `recurrent` promises it.

    Args:
        gates: the cell.
        arrays: those of `recurrent`, by their names there.
        rows: how the rows are read: `packed`, `reverse` and `zero_output_for_mask`.
        dtype: the type that products are of.

    Returns:
        The outputs and the last states, in the type that sums are of.
    """
    wide = jnp.promote_types(dtype, jnp.float32)
    segments, dropout = arrays["segments"], arrays["recurrent_dropout"]
    inputs = arrays["inputs"].astype(dtype)
    if segments is not None:
        # Zeros at padding, not a mask on the gradient: a NaN there would survive times zero.
        inputs = jnp.where((segments != 0)[:, :, None], inputs, 0)
    projected = dot(inputs, arrays["kernel"].astype(dtype), (2, 0), wide)
    for bias in (arrays["bias"], arrays["recurrent_bias"]):
        projected = projected if bias is None else projected + bias.astype(wide)
    recurrent_kernel = arrays["recurrent_kernel"].astype(dtype)
    dropout = None if dropout is None else dropout.astype(wide)
    initial = tuple(state.astype(wide) for state in arrays["initial"])

    def step(share: jax.Array, states: States) -> tuple[jax.Array, States]:
        new = gates(share, states, recurrent_kernel, dropout)
        return new[0], new

    fresh = jax.tree.map(jnp.zeros_like, initial)
    outputs, _, last = run_steps(step, projected, initial, fresh=fresh, segments=segments, **rows)
    return outputs, last
