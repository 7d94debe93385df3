"""The long short-term memory: its cell, and the layer that loops over it."""

from __future__ import annotations

from typing import Any

import numpy as np

from everystep import kinds
from everystep.core.settings import setting
from everystep.kernels import LSTMGates
from everystep.layers.cells import Cell, GatedSettings
from everystep.layers.recurrent import USE_CUDNN, CellLayer


class LSTMSettings(GatedSettings):
    """What an LSTM has besides.

    Args:
        unit_forget_bias: whether the forget gate's bias starts at 1.
    """

    unit_forget_bias: bool = setting(kinds.BOOLEAN, default=True, after="bias_initializer")


class FourGateCell(LSTMSettings, Cell):
    """The base of cells with the gates i, f, c, o and the states h, c."""

    gate_count = 4
    state_count = 2

    def first_bias(self, draw: Any) -> Any:
        """Return the first bias, with 1 for the forget gate where that is asked for."""
        if not self.unit_forget_bias:
            return draw(self.bias_shape)
        units = self.units
        return np.concatenate([draw((units,)), np.ones(units), draw((2 * units,))])


class LSTMCell(FourGateCell):
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
        kernel_constraint: a function applied to `W` after each update.
        recurrent_constraint: a function applied to `R` after each update.
        bias_constraint: a function applied to `b` after each update.
        dropout: the share of the inputs dropped in training, the same at every step.
        recurrent_dropout: the share of `h` dropped in training, the same at every step.
        seed: fixes the draws of the dropout.
        implementation: taken for compatibility; there is one implementation.

    Raises:
        ShapeError: the input has not rank 2 or other features than before, or a state does not fit.

    Example:
        >>> import everystep as es, jax.numpy as jnp
        >>> states = [jnp.zeros((2, 4)), jnp.zeros((2, 4))]
        >>> output, states = es.layers.LSTMCell(4)(jnp.ones((2, 3)), states)
        >>> output.shape, len(states)
        ((2, 4), 2)

    Source: Hochreiter and Schmidhuber 1997, "Long short-term memory", with the forget gate of Gers
    et al. 2000; without peepholes. Forget bias of 1: Jozefowicz et al. 2015.
    """

    @property
    def equation(self) -> LSTMGates:
        """The equation, as the kernels take it."""
        return LSTMGates(self.activation, self.recurrent_activation)


class LSTM(CellLayer, LSTMSettings):
    """A long short-term memory over the steps of a sequence.

    Equation: `LSTMCell` at every step, `h_t, c_t = cell(x_t, h_(t-1), c_(t-1))`. At a padded step
    the states are carried over. In a packed row the states start anew with every sequence.

    Shapes: `(batch, steps, features)` -> `(batch, steps, units)` with `return_sequences`, else
    `(batch, units)`; with `return_state` also `h` and `c`, each `(batch, units)`.

    Args:
        units: the size of the output and of each state.
        activation: the function on cell input and cell state.
        recurrent_activation: the function of the gates.
        use_bias: whether there is a bias.
        kernel_initializer: how the input's weights are first drawn.
        recurrent_initializer: how the state's weights are first drawn.
        bias_initializer: how the bias is first drawn.
        unit_forget_bias: whether the forget gate's bias starts at 1.
        kernel_regularizer: a function of the input's weights that is added to the loss.
        recurrent_regularizer: a function of the state's weights that is added to the loss.
        bias_regularizer: a function of the bias that is added to the loss.
        activity_regularizer: a function of the output that is added to the loss.
        kernel_constraint: a function applied to the input's weights after each update.
        recurrent_constraint: a function applied to the state's weights after each update.
        bias_constraint: a function applied to the bias after each update.
        dropout: the share of the inputs dropped in training, the same at every step.
        recurrent_dropout: the share of `h` dropped in training, the same at every step.
        seed: fixes the draws of the dropout.
        return_sequences: whether the output has every step, or the last one alone.
        return_state: whether `h` and `c` after the last step are returned too.
        go_backwards: whether to read from the last step to the first; the output and its segments
            are in the order in which the steps were read.
        stateful: whether each call goes on from the states that the last one left.
        unroll: taken for compatibility; the compiled loop does not depend on it.
        use_cudnn: taken for compatibility; the kernel is chosen by what is there.
        zero_output_for_mask: whether padding gives zeros, or repeats the output before it.
        implementation: taken for compatibility; there is one implementation.

    Raises:
        ShapeError: the input has not rank 3 or other features than before, or a state does not fit.
        PackedRowsError: one state a row is asked for on rows that hold several sequences.

    Example:
        >>> import everystep as es, numpy as np
        >>> layer = es.layers.LSTM(4, return_sequences=True)
        >>> layer(np.zeros((2, 5, 3), "float32")).shape, layer.count_params()
        ((2, 5, 4), 128)

        An encoder hands its last states to a decoder:

        >>> x = np.ones((2, 5, 3), "float32")
        >>> _, *states = es.layers.LSTM(4, return_state=True)(x)
        >>> layer(x[:, :2], initial_state=states).shape
        (2, 2, 4)

    Source: see `LSTMCell`.
    """

    use_cudnn: Any = setting(USE_CUDNN, default="auto", in_config=False)

    cell_class = LSTMCell
