"""Equations beyond Keras's: gates that see the cell state, and gates that are normalised.

They have vectors of weights of their own, the `parameters` of the loop.
"""

from dataclasses import dataclass
from typing import ClassVar

import jax
import jax.numpy as jnp
from jax import lax

from everystep.kernels.gates import GRUGates, States
from everystep.kernels.pointwise import Activation, along_units


@dataclass(frozen=True)
class PeepholeLSTMGates:
    """Long short-term memory whose gates see the cell state; gate order i, f, g, o.

    With x the projected and r the recurrent share of each block, and p the peepholes:

        i = recurrent_activation(x_i + r_i + p_i * c)
        f = recurrent_activation(x_f + r_f + p_f * c)
        c' = f * c + i * activation(x_g + r_g)
        o = recurrent_activation(x_o + r_o + p_o * c')
        h' = o * activation(c')

    Shapes:
        projected, recurrent: (4 * units, batch); states: h and c, each (units, batch);
        peepholes: (3 * units, 1), in the order i, f, o.

    Args:
        activation: of the candidate and of the cell state.
        recurrent_activation: of the three gates.

    Returns:
        (h', c').

    Raises:
        TypeError: where the rows do not split into blocks of the states' size.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> gates = PeepholeLSTMGates(jnp.tanh, jax.nn.sigmoid)
        >>> zero, peepholes = jnp.zeros((1, 1)), jnp.array([[0.0], [99.0], [0.0]])
        >>> h, c = gates(jnp.zeros((4, 1)), jnp.zeros((4, 1)), (zero, zero + 1), peepholes)
        >>> float(c[0, 0])
        1.0

    Source: Gers, Schraudolph and Schmidhuber 2002, "Learning precise timing with LSTM recurrent
        networks", section 2: the output gate sees the new cell state, the other two the old one.
    """

    activation: Activation = jnp.tanh
    recurrent_activation: Activation = jax.nn.sigmoid

    blocks: ClassVar[int] = 4
    state_count: ClassVar[int] = 2
    parameter_blocks: ClassVar[tuple[int, ...]] = (3,)

    def __call__(
        self, projected: jax.Array, recurrent: jax.Array, states: States, *parameters: jax.Array
    ) -> States:
        """(h, c) -> (h', c')."""
        _, cell = states
        to_input, to_forget, to_output = jnp.split(parameters[0], 3)
        input_gate, forget_gate, candidate, output_gate = jnp.split(projected + recurrent, 4)
        kept = along_units(self.recurrent_activation, forget_gate + to_forget * cell) * cell
        written = along_units(self.recurrent_activation, input_gate + to_input * cell)
        cell = kept + written * along_units(self.activation, candidate)
        read = along_units(self.recurrent_activation, output_gate + to_output * cell)
        return read * along_units(self.activation, cell), cell


@dataclass(frozen=True)
class LayerNormLSTMGates:
    """Long short-term memory whose shares and cell state are normalised over the units of a row.

    With n(v) = (v - mean(v)) / sqrt(var(v) + epsilon), over all four blocks of a share together:

        z = gain_x * n(x) + gain_r * n(r) + bias, split into z_i, z_f, z_g, z_o
        i, f, o = recurrent_activation(z_i), ... ;  g = activation(z_g)
        c' = f * c + i * g
        h' = o * activation(gain_c * n(c') + bias_c)

    Shapes:
        projected, recurrent: (4 * units, batch), without bias; states: h and c, each (units,
        batch); gain_x, gain_r, bias: (4 * units, 1); gain_c, bias_c: (units, 1).

    Args:
        activation: of the candidate and of the cell state.
        recurrent_activation: of the three gates.
        epsilon: added to the variance.

    Returns:
        (h', c'): the cell state is carried as it is, and normalised where it is read.

    Raises:
        TypeError: where the rows do not split into blocks of the states' size.

    Example:
        >>> import jax.numpy as jnp
        >>> gates, one = LayerNormLSTMGates(epsilon=1e-6), jnp.ones((4, 1))
        >>> share, zero = jnp.array([[-2.0], [2.0], [-2.0], [2.0]]), jnp.zeros((1, 1))
        >>> h, c = gates(share, share, (zero, zero), one, one, 0 * one, one[:1], zero)
        >>> round(float(c[0, 0]), 4)  # sigmoid(-2) * tanh(-2)
        -0.1149

    Source: Ba, Kiros and Hinton 2016, "Layer normalization", equations 20 to 22, whose two biases
        of the shares are the one bias here.
    """

    activation: Activation = jnp.tanh
    recurrent_activation: Activation = jax.nn.sigmoid
    epsilon: float = 1e-3

    blocks: ClassVar[int] = 4
    state_count: ClassVar[int] = 2
    parameter_blocks: ClassVar[tuple[int, ...]] = (4, 4, 4, 1, 1)

    def __call__(
        self, projected: jax.Array, recurrent: jax.Array, states: States, *parameters: jax.Array
    ) -> States:
        """(h, c) -> (h', c')."""
        _, cell = states
        gain_x, gain_r, bias, gain_c, bias_c = parameters
        shares = gain_x * normalized(projected, self.epsilon) + bias
        shares = shares + gain_r * normalized(recurrent, self.epsilon)
        input_gate, forget_gate, candidate, output_gate = jnp.split(shares, 4)
        kept = along_units(self.recurrent_activation, forget_gate) * cell
        written = along_units(self.recurrent_activation, input_gate)
        cell = kept + written * along_units(self.activation, candidate)
        read = along_units(self.recurrent_activation, output_gate)
        shown = gain_c * normalized(cell, self.epsilon) + bias_c
        return read * along_units(self.activation, shown), cell


@dataclass(frozen=True)
class LayerNormGRUGates:
    """Gated recurrent unit whose shares are normalised over the units of a row; order z, s, g.

    With n(v) = (v - mean(v)) / sqrt(var(v) + epsilon), over the blocks z and s of a share together
    and over its block g alone, then times gain and plus bias, x and r being the results:

        z, s = recurrent_activation(x_z + r_z), recurrent_activation(x_s + r_s)
        g = activation(x_g + s * r_g)
        h' = z * h + (1 - z) * g

    Shapes:
        projected, recurrent: (3 * units, batch), without bias; states: h alone, (units, batch);
        gain_x, gain_r, bias_x, bias_r: (3 * units, 1).

    Args:
        activation: of the candidate.
        recurrent_activation: of the two gates.
        epsilon: added to the variance.

    Returns:
        (h',).

    Raises:
        TypeError: where the rows do not split into three blocks of the state's size.

    Example:
        >>> import jax.numpy as jnp
        >>> gates, one = LayerNormGRUGates(), jnp.ones((3, 1))
        >>> (h,) = gates(one, one, (one[:1],), one, one, 0 * one, 0 * one)
        >>> float(h[0, 0])
        0.5

    Source: Ba, Kiros and Hinton 2016, "Layer normalization", supplementary equations of the GRU,
        with z and 1 - z as Keras's GRU has them.
    """

    activation: Activation = jnp.tanh
    recurrent_activation: Activation = jax.nn.sigmoid
    epsilon: float = 1e-3

    blocks: ClassVar[int] = 3
    state_count: ClassVar[int] = 1
    parameter_blocks: ClassVar[tuple[int, ...]] = (3, 3, 3, 3)

    def __call__(
        self, projected: jax.Array, recurrent: jax.Array, states: States, *parameters: jax.Array
    ) -> States:
        """(h,) -> (h',)."""
        gain_x, gain_r, bias_x, bias_r = parameters
        normal_x, normal_r = (self._normalized_blocks(share) for share in (projected, recurrent))
        gates = GRUGates(self.activation, self.recurrent_activation)
        return gates(gain_x * normal_x + bias_x, gain_r * normal_r + bias_r, states)

    def _normalized_blocks(self, share: jax.Array) -> jax.Array:
        units = share.shape[0] // 3
        blocks = share[: 2 * units], share[2 * units :]
        return jnp.concatenate([normalized(block, self.epsilon) for block in blocks])


def normalized(values: jax.Array, epsilon: float) -> jax.Array:
    """Values with mean 0 and variance 1 over the rows, which are the units.

    Shapes:
        values: (units, batch); the result has the same shape.
    """
    centered = values - values.mean(0, keepdims=True)
    return centered * lax.rsqrt(jnp.square(centered).mean(0, keepdims=True) + epsilon)
