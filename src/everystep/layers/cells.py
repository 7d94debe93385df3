"""Recurrent cells: the weights and the equation of one step; the loop over steps is the kernels'.

A cell says how many gates and states it has and names its equation; everything else, the weights,
their initial values and a single step, is written here once for all cells.
"""

from __future__ import annotations

from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import numpy as np

from everystep import kinds
from everystep.activations import ACTIVATION
from everystep.constraints import CONSTRAINT
from everystep.core.settings import setting
from everystep.initializers import INITIALIZER
from everystep.kernels import Asked, Fixed, choose, product, recurrent, stepper
from everystep.kernels.asked import Equation
from everystep.kernels.stepper import Operation
from everystep.kernels.twins import default_platform
from everystep.kinds import checked
from everystep.layers import symbolic
from everystep.layers.core import dropout_multiplier
from everystep.layers.layer import Layer
from everystep.layers.looping import Loop, LoopedCell, Reading, Run, checked_states, like
from everystep.layers.spec import InputSpec
from everystep.layers.weights import first_value
from everystep.regularizers import REGULARIZER


class CellSettings(Layer):
    """The settings that all cells and the layers that loop over them share, in Keras's order."""

    units: int = setting(kinds.POSITIVE)
    activation: Any = setting(ACTIVATION, default="tanh")
    use_bias: bool = setting(kinds.BOOLEAN, default=True)
    kernel_initializer: Any = setting(INITIALIZER, default="glorot_uniform")
    recurrent_initializer: Any = setting(INITIALIZER, default="orthogonal")
    bias_initializer: Any = setting(INITIALIZER, default="zeros")
    kernel_regularizer: Any = setting(REGULARIZER, default=None)
    recurrent_regularizer: Any = setting(REGULARIZER, default=None)
    bias_regularizer: Any = setting(REGULARIZER, default=None)
    kernel_constraint: Any = setting(CONSTRAINT, default=None)
    recurrent_constraint: Any = setting(CONSTRAINT, default=None)
    bias_constraint: Any = setting(CONSTRAINT, default=None)
    dropout: float = setting(kinds.FRACTION, default=0.0)
    recurrent_dropout: float = setting(kinds.FRACTION, default=0.0)
    seed: int | None = setting(kinds.SEED, default=None)


class GatedSettings(CellSettings):
    """What cells with gates have besides.

    Args:
        recurrent_activation: the function of the gates.
        implementation: taken for compatibility; there is one implementation.
    """

    recurrent_activation: Any = setting(ACTIVATION, default="sigmoid", after="activation")
    implementation: int = setting(kinds.one_of(1, 2), default=2, kw_only=True, in_config=False)


class Cell(CellSettings, LoopedCell):
    """The base of cells: one step from input and states to new states; state 0 is the output.

    Shapes: inputs `(batch, features)` and states `(batch, units)` each -> output `(batch, units)`
    and new states. The kernels hold all gates side by side: `(features, gates * units)` and
    `(units, gates * units)`.
    """

    gate_count: ClassVar[int]
    state_count: ClassVar[int]
    input_spec = InputSpec(ndim=2, axis_names="(batch, features)")

    @property
    def equation(self) -> Equation:
        """The equation, as the kernels take it."""
        raise NotImplementedError

    @property
    def parameters(self) -> tuple[Any, ...]:
        """The weights of the equation's own, besides kernels and biases."""
        return ()

    @property
    def state_size(self) -> Any:
        """The size of each state; of a single one the bare number, as in Keras."""
        return self.units if self.state_count == 1 else [self.units] * self.state_count

    @property
    def output_size(self) -> int:
        """The size of the output."""
        return self.units

    @property
    def bias_shape(self) -> tuple[int, ...]:
        """The shape of the bias."""
        return (self.gate_count * self.units,)

    def first_bias(self, draw: Any) -> Any:
        """Return the first values of the bias; `draw` gives those for a shape."""
        return draw(self.bias_shape)

    def build(self, input_shape: Any) -> None:
        """Create `kernel`, `recurrent_kernel` and `bias`."""
        width = self.gate_count * self.units
        self.input_spec = InputSpec(
            ndim=2, axes={-1: input_shape[-1]}, axis_names=f"(batch, {input_shape[-1]})"
        )
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
                self.bias_shape,
                self._bias_values,
                regularizer=self.bias_regularizer,
                constraint=self.bias_constraint,
                name="bias",
            )

    def _bias_values(self, shape: Any, dtype: Any) -> Any:
        path = f"{self.path}/bias"

        def draw(part: tuple[int, ...]) -> Any:
            return np.asarray(first_value(self.bias_initializer, path, part, dtype))

        return self.first_bias(draw)

    def biases(self) -> tuple[Any, Any]:
        """Return what is added to the input's share and to the recurrent share, None for none."""
        return (None if self.bias is None else self.bias.value), None

    @checked(batch_size=symbolic.SIZE)
    def get_initial_state(self, batch_size: Any = None) -> list[Any]:
        """Return the states before the first step: zeros."""
        zeros = jnp.zeros((batch_size, self.units), self.compute_dtype)
        return [zeros] * self.state_count

    def noise(self, inputs: Any, training: bool) -> tuple[Any, Any]:
        """Return what dropout multiplies inputs and `h` by, None for nothing.

        Drawn once a row for all of its steps and gates.

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

    def call(self, inputs: Any, states: Any, training: bool = False) -> tuple[Any, Any]:
        """Return the output and the new states of one step."""
        before = checked_states(self, states, self, inputs.shape[0])
        kept_inputs, kept_states = self.noise(inputs, training)
        new = self.step(times(inputs, kept_inputs), before, kept_states)
        return new[0], like(states, new)

    def step(self, inputs: Any, states: Any, kept: Any) -> Any:
        """Return the new states of one step; `kept` is what dropout multiplies `h` by."""
        bias, recurrent_bias = self.biases()
        projected = plus(product(inputs, self.kernel.value), bias)
        hidden = product(times(states[0], kept), self.recurrent_kernel.value)
        recurrent = plus(hidden, recurrent_bias)
        # The equations want units first; each row alone is a batch of one, so nothing is turned.
        own = tuple(vector[:, None] for vector in self.parameters)
        equation = jax.vmap(self.equation, (0, 0, 0, *[None] * len(own)))
        rows = jax.tree.map(lambda row: row[:, :, None], (projected, recurrent, tuple(states)))
        return tuple(new[:, :, 0] for new in equation(*rows, *own))

    def over_steps(self, sequences: Any, states: Any, reading: Reading, training: bool) -> Run:
        """Run the cell over all steps of the rows."""
        kept_inputs, kept_states = self.noise(sequences, training)
        bias, recurrent_bias = self.biases()
        outputs, last = recurrent(
            self.equation,
            times(sequences, kept_inputs),
            self.kernel.value,
            self.recurrent_kernel.value,
            bias,
            tuple(states),
            recurrent_bias=recurrent_bias,
            parameters=self.parameters,
            segments=reading.segments,
            packed=reading.packed,
            reverse=reading.reverse,
            recurrent_dropout=kept_states,
            zero_output_for_mask=reading.zero_output_for_mask,
        )
        return Run(outputs, last[0], list(last))

    def step_operations(self) -> list[Operation] | None:
        """Return the loop of the cell, if no subclass computes otherwise."""
        if not self.knows_loop:
            return None
        kernels = self.kernel.value, self.recurrent_kernel.value
        parameters = tuple(map(jnp.asarray, self.parameters))
        return [stepper.Loop(Fixed(self.equation), *kernels, *self.biases(), parameters)]

    def which_loop(self) -> Loop:
        """Which loop `over_steps` takes, as far as it does not hang on the size of the input."""
        asked = Asked(
            Fixed(self.equation),
            batch=None,
            steps=None,
            features=None,
            units=self.units,
            dtype=self.compute_dtype,
            platform=default_platform(),
        )
        choice = choose(asked)
        why = "; ".join(f"{name}: {reason}" for name, reason in choice.why)
        return Loop(choice.twin.name, why)


def times(values: Any, multiplier: Any) -> Any:
    """Return the product, or the values where there is no multiplier."""
    return values if multiplier is None else values * multiplier


def plus(values: Any, summand: Any) -> Any:
    """Return the sum, or the values where there is no summand."""
    return values if summand is None else values + summand
