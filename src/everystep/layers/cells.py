"""Recurrent cells: the weights and the equation of one step; the loop over steps is the kernels'.

A cell says how many gates and states it has and names its equation; everything else, the weights,
their initial values and a single step, is written here once for all cells.
"""

from __future__ import annotations

from typing import Any, ClassVar

import jax.numpy as jnp
import numpy as np

from everystep.activations import ACTIVATION
from everystep.constraints import CONSTRAINT
from everystep.core import kinds
from everystep.core.settings import setting
from everystep.errors import ShapeError
from everystep.initializers import INITIALIZER
from everystep.kernels import LSTMGates
from everystep.layers.core import dropout_multiplier
from everystep.layers.layer import Layer
from everystep.layers.spec import InputSpec
from everystep.layers.weights import first_value
from everystep.regularizers import REGULARIZER


class CellSettings(Layer):
    """The settings that a cell and the layer that loops over it share, in Keras's order."""

    units: int = setting(kinds.POSITIVE)
    activation: Any = setting(ACTIVATION, default="tanh")
    recurrent_activation: Any = setting(ACTIVATION, default="sigmoid")
    use_bias: bool = setting(kinds.BOOLEAN, default=True)
    kernel_initializer: Any = setting(INITIALIZER, default="glorot_uniform")
    recurrent_initializer: Any = setting(INITIALIZER, default="orthogonal")
    bias_initializer: Any = setting(INITIALIZER, default="zeros")
    unit_forget_bias: bool = setting(kinds.BOOLEAN, default=True)
    kernel_regularizer: Any = setting(REGULARIZER, default=None)
    recurrent_regularizer: Any = setting(REGULARIZER, default=None)
    bias_regularizer: Any = setting(REGULARIZER, default=None)
    activity_regularizer: Any = setting(REGULARIZER, default=None)
    kernel_constraint: Any = setting(CONSTRAINT, default=None)
    recurrent_constraint: Any = setting(CONSTRAINT, default=None)
    bias_constraint: Any = setting(CONSTRAINT, default=None)
    dropout: float = setting(kinds.FRACTION, default=0.0)
    recurrent_dropout: float = setting(kinds.FRACTION, default=0.0)
    seed: int | None = setting(kinds.SEED, default=None)


class Cell(CellSettings):
    """The base of cells: one step from input and states to new states; state 0 is the output.

    Shapes: inputs `(batch, features)` and states `(batch, units)` each -> output `(batch, units)`
    and new states. The kernels hold all gates side by side: `(features, gates * units)` and
    `(units, gates * units)`.
    """

    gate_count: ClassVar[int]
    state_count: ClassVar[int]

    @property
    def equation(self) -> Any:
        """The pointwise equation, as the kernels take it."""
        raise NotImplementedError

    @property
    def state_size(self) -> list[int]:
        """The size of each state."""
        return [self.units] * self.state_count

    def first_bias(self, draw: Any) -> Any:
        """Return the first values of the bias; `draw` gives those for a number of units."""
        return draw(self.gate_count * self.units)

    def build(self, input_shape: Any) -> None:
        """Create `kernel`, `recurrent_kernel` and `bias`."""
        width = self.gate_count * self.units
        self.kernel = self.add_weight(
            (input_shape[-1], width),
            self.kernel_initializer,
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
            name="kernel",
        )
        self.recurrent_kernel = self.add_weight(
            (self.units, width),
            self.recurrent_initializer,
            regularizer=self.recurrent_regularizer,
            constraint=self.recurrent_constraint,
            name="recurrent_kernel",
        )
        self.bias = None
        if self.use_bias:
            self.bias = self.add_weight(
                (width,),
                self._bias_values,
                regularizer=self.bias_regularizer,
                constraint=self.bias_constraint,
                name="bias",
            )

    def _bias_values(self, shape: Any, dtype: Any) -> Any:
        path = f"{self.path}/bias"

        def draw(size: int) -> Any:
            return np.asarray(first_value(self.bias_initializer, path, (size,), dtype))

        return self.first_bias(draw)

    def zero_states(self, batch: Any, dtype: Any) -> tuple[Any, ...]:
        """Return the states before the first step."""
        return tuple(jnp.zeros((batch, size), dtype) for size in self.state_size)

    def noise(self, inputs: Any, training: bool) -> tuple[Any, Any]:
        """Return what dropout multiplies inputs and `h` by, None for nothing.

        Drawn once a row for all of its steps.

        Shapes: inputs `(batch, features)` or `(batch, steps, features)` -> the same with 1 for the
        steps, and `(batch, units)`.
        """

        def multiplier(rate: float, *shape: Any) -> Any:
            if not training or not rate:
                return None
            return dropout_multiplier(self, rate, shape, inputs.dtype)

        batch, *steps, features = inputs.shape
        return (
            multiplier(self.dropout, batch, *[1 for _ in steps], features),
            multiplier(self.recurrent_dropout, batch, self.units),
        )

    def call(self, inputs: Any, states: Any, training: bool = False) -> tuple[Any, list[Any]]:
        """Return the output and the new states of one step."""
        states = checked_states(self, states, self, inputs.shape[0])
        kept_inputs, kept_states = self.noise(inputs, training)
        projected = jnp.matmul(times(inputs, kept_inputs), self.kernel)
        if self.bias is not None:
            projected = projected + self.bias
        recurrent = jnp.matmul(times(states[0], kept_states), self.recurrent_kernel)
        # The kernels' equations want units first.
        states = self.equation(projected.T, recurrent.T, tuple(state.T for state in states))
        states = tuple(state.T for state in states)
        return states[0], list(states)


class LSTMCell(Cell):
    """One step of a long short-term memory.

    Equation: with `z = x W + h R + b` split into `z_i, z_f, z_c, z_o`,
    `i = s(z_i)`, `f = s(z_f)`, `o = s(z_o)`, `c' = f * c + i * a(z_c)`, `h' = o * a(c')`, where `a`
    is the activation and `s` the recurrent activation.

    Shapes: `(batch, features)` and states `h`, `c` of `(batch, units)` -> output `(batch, units)`
    and `[h', c']`. Weights: `kernel (features, 4 * units)`, `recurrent_kernel (units, 4 * units)`,
    `bias (4 * units,)`, gates in the order i, f, c, o.

    Args:
        units: the size of the output and of each state.
        activation: `a`.
        recurrent_activation: `s`.
        use_bias: whether there is a `b`.
        kernel_initializer: how `W` is first drawn.
        recurrent_initializer: how `R` is first drawn.
        bias_initializer: how `b` is first drawn.
        unit_forget_bias: whether the forget gate's bias starts at 1.
        kernel_regularizer: a function of `W` that is added to the loss.
        recurrent_regularizer: a function of `R` that is added to the loss.
        bias_regularizer: a function of `b` that is added to the loss.
        activity_regularizer: a function of the output that is added to the loss.
        kernel_constraint: a function applied to `W` after each update.
        recurrent_constraint: a function applied to `R` after each update.
        bias_constraint: a function applied to `b` after each update.
        dropout: the share of the inputs dropped in training, the same at every step.
        recurrent_dropout: the share of `h` dropped in training, the same at every step.
        seed: fixes the draws of the dropout.

    Example:
        >>> import everystep as es, jax.numpy as jnp
        >>> states = [jnp.zeros((2, 4)), jnp.zeros((2, 4))]
        >>> output, states = es.layers.LSTMCell(4)(jnp.ones((2, 3)), states)
        >>> output.shape, len(states)
        ((2, 4), 2)

    Source: Hochreiter and Schmidhuber 1997, "Long short-term memory", with the forget gate of Gers
    et al. 2000; without peepholes. Forget bias of 1: Jozefowicz et al. 2015.
    """

    gate_count = 4
    state_count = 2
    input_spec = InputSpec(ndim=2, axis_names="(batch, features)")

    @property
    def equation(self) -> LSTMGates:
        """The pointwise equation, as the kernels take it."""
        return LSTMGates(self.activation, self.recurrent_activation)

    def first_bias(self, draw: Any) -> Any:
        """Return the first bias, with 1 for the forget gate where that is asked for."""
        if not self.unit_forget_bias:
            return draw(4 * self.units)
        return np.concatenate([draw(self.units), np.ones(self.units), draw(2 * self.units)])


def times(values: Any, multiplier: Any) -> Any:
    """Return the product, or the values where there is no multiplier."""
    return values if multiplier is None else values * multiplier


def checked_states(layer: Layer, states: Any, cell: Cell, batch: Any) -> tuple[Any, ...]:
    """Return initial states as a tuple, or raise the error that says which one does not fit."""
    given = tuple(states) if isinstance(states, list | tuple) else (states,)
    if len(given) != cell.state_count:
        raise ShapeError(
            f"layer '{layer.path}' ({type(layer).__name__}) has {cell.state_count} states, but "
            f"initial_state holds {len(given)}"
        )
    for number, state in enumerate(given):
        if tuple(state.shape) != (batch, cell.units):
            raise ShapeError(
                f"layer '{layer.path}' ({type(layer).__name__}): initial_state[{number}] must have "
                f"shape (batch, units) = {(batch, cell.units)}, not {tuple(state.shape)}"
            )
    return given
