"""The equations of the recurrent cells: all that one cell has and another has not.

In every equation the arrays are stored units first, (units, batch): a gate is then a block of
whole rows, which the compiler turns into vector code, and the product with the recurrent weights
runs at the rate of a large matrix product.
"""

from dataclasses import dataclass
from typing import Any, ClassVar, Protocol, runtime_checkable

import jax
import jax.numpy as jnp

from everystep.kernels.pointwise import Activation, along_units

States = tuple[jax.Array, ...]


@runtime_checkable
class Gates(Protocol):
    """What the loop wants of a cell: its sizes and one equation. Hashable, because it is static."""

    blocks: ClassVar[int]
    """Rows of the two shares, in multiples of the units: 4 for an LSTM."""

    state_count: ClassVar[int]
    """How many states the cell carries from step to step."""

    parameter_blocks: ClassVar[tuple[int, ...]]
    """Entries of each vector of weights of the cell's own, in multiples of the units."""

    # Written so that a type checker takes equations with parameters and without.
    def __call__(self, *args: Any, **kwargs: Any) -> States:
        """One step: projected, recurrent, states and any parameters -> the new states.

        Shapes:
            projected, recurrent: the input's share and the recurrent one, (blocks * units, batch).
            states: each (units, batch); the first one is the cell's output.
            parameters: each (parameter_blocks * units, 1).
        """
        ...


@dataclass(frozen=True)
class LSTMGates:
    """Long short-term memory with forget gate; gate order input, forget, cell, output.

    With x the projected and r the recurrent share of each block:

        i, f, o = recurrent_activation(x_i + r_i), ... ;  g = activation(x_g + r_g)
        c' = f * c + i * g
        h' = o * activation(c')

    Shapes:
        projected, recurrent: (4 * units, batch); states: h and c, each (units, batch).

    Args:
        activation: of the candidate and of the cell state; Keras's default is tanh.
        recurrent_activation: of the three gates; Keras's default is the sigmoid.

    Returns:
        (h', c').

    Raises:
        TypeError: where the rows do not split into four blocks of the states' size.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> gates = LSTMGates(jnp.tanh, jax.nn.sigmoid)
        >>> zero = jnp.zeros((1, 1))
        >>> h, c = gates(jnp.zeros((4, 1)), jnp.zeros((4, 1)), (zero, zero + 1))
        >>> float(c[0, 0])
        0.5

    Source: Hochreiter and Schmidhuber 1997; forget gate of Gers, Schmidhuber and Cummins 2000,
        section 3; no peepholes.
    """

    activation: Activation = jnp.tanh
    recurrent_activation: Activation = jax.nn.sigmoid

    blocks: ClassVar[int] = 4
    state_count: ClassVar[int] = 2
    parameter_blocks: ClassVar[tuple[int, ...]] = ()

    def __call__(self, projected: jax.Array, recurrent: jax.Array, states: States) -> States:
        """(h, c) -> (h', c')."""
        _, cell = states
        input_gate, forget_gate, candidate, output_gate = jnp.split(projected + recurrent, 4)
        kept = along_units(self.recurrent_activation, forget_gate) * cell
        written = along_units(self.recurrent_activation, input_gate)
        cell = kept + written * along_units(self.activation, candidate)
        read = along_units(self.recurrent_activation, output_gate)
        return read * along_units(self.activation, cell), cell


@dataclass(frozen=True)
class GRUGates:
    """Gated recurrent unit, reset gate after the product; gate order update, reset, candidate.

    With x the projected and r the recurrent share of each block, biases included:

        z, s = recurrent_activation(x_z + r_z), recurrent_activation(x_s + r_s)
        g = activation(x_g + s * r_g)
        h' = z * h + (1 - z) * g

    Shapes:
        projected, recurrent: (3 * units, batch); states: h alone, (units, batch).

    Args:
        activation: of the candidate; Keras's default is tanh.
        recurrent_activation: of the two gates; Keras's default is the sigmoid.

    Returns:
        (h',).

    Raises:
        TypeError: where the rows do not split into three blocks of the state's size.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> gates = GRUGates(jnp.tanh, jax.nn.sigmoid)
        >>> (h,) = gates(jnp.zeros((3, 1)), jnp.zeros((3, 1)), (jnp.ones((1, 1)),))
        >>> float(h[0, 0])
        0.5

    Source: Cho et al. 2014, section 2.3, in the variant of cuDNN and of Keras's
        `reset_after=True`, where the reset gate scales the candidate's recurrent share. The other
        variant needs a second product inside the step, so it is no pointwise equation.
    """

    activation: Activation = jnp.tanh
    recurrent_activation: Activation = jax.nn.sigmoid

    blocks: ClassVar[int] = 3
    state_count: ClassVar[int] = 1
    parameter_blocks: ClassVar[tuple[int, ...]] = ()

    def __call__(self, projected: jax.Array, recurrent: jax.Array, states: States) -> States:
        """(h,) -> (h',)."""
        (hidden,) = states
        to_update, to_reset, to_candidate = jnp.split(projected, 3)
        from_update, from_reset, from_candidate = jnp.split(recurrent, 3)
        update = along_units(self.recurrent_activation, to_update + from_update)
        reset = along_units(self.recurrent_activation, to_reset + from_reset)
        candidate = along_units(self.activation, to_candidate + reset * from_candidate)
        return (update * hidden + (1 - update) * candidate,)


@dataclass(frozen=True)
class SimpleRNNGates:
    """The simple recurrent cell: h' = activation(x + r).

    Shapes:
        projected, recurrent: (units, batch); states: h alone, (units, batch).

    Args:
        activation: Keras's default is tanh.

    Returns:
        (h',).

    Raises:
        TypeError: where the two shares do not fit each other.

    Example:
        >>> import jax.numpy as jnp
        >>> (h,) = SimpleRNNGates(jnp.tanh)(jnp.zeros((1, 1)), jnp.zeros((1, 1)), ())
        >>> float(h[0, 0])
        0.0

    Source: Elman 1990.
    """

    activation: Activation = jnp.tanh

    blocks: ClassVar[int] = 1
    state_count: ClassVar[int] = 1
    parameter_blocks: ClassVar[tuple[int, ...]] = ()

    def __call__(self, projected: jax.Array, recurrent: jax.Array, states: States) -> States:
        """(h,) -> (h',)."""
        return (along_units(self.activation, projected + recurrent),)
