"""The simple recurrent network: its cell, and the layer that loops over it."""

from __future__ import annotations

from everystep import kinds
from everystep.core.settings import setting
from everystep.kernels import SimpleRNNGates
from everystep.layers.cells import Cell, CellSettings
from everystep.layers.recurrent import CellLayer


class SimpleRNNCell(Cell):
    """One step of a simple recurrent network.

    Equation: `h' = a(x W + h R + b)`, where `a` is the activation.

    Shapes: `(batch, features)` and the state `h` of `(batch, units)` -> output `(batch, units)` and
    `[h']`. Weights: `kernel (features, units)`, `recurrent_kernel (units, units)`, `bias (units,)`.

    Args:
        units: the size of the output and of the state.
        activation: `a`.
        use_bias: whether there is a `b`.
        kernel_initializer: how `W` is first drawn.
        recurrent_initializer: how `R` is first drawn.
        bias_initializer: how `b` is first drawn.
        kernel_regularizer: a function of `W` that is added to the loss.
        recurrent_regularizer: a function of `R` that is added to the loss.
        bias_regularizer: a function of `b` that is added to the loss.
        kernel_constraint: a function applied to `W` after each update.
        recurrent_constraint: a function applied to `R` after each update.
        bias_constraint: a function applied to `b` after each update.
        dropout: the share of the inputs dropped in training, the same at every step.
        recurrent_dropout: the share of `h` dropped in training, the same at every step.
        seed: fixes the draws of the dropout.

    Raises:
        ShapeError: the input has not rank 2 or other features than before, or a state does not fit.

    Example:
        >>> import everystep as es, jax.numpy as jnp
        >>> output, states = es.layers.SimpleRNNCell(4)(jnp.ones((2, 3)), [jnp.zeros((2, 4))])
        >>> output.shape, len(states)
        ((2, 4), 1)

    Source: Elman 1990, "Finding structure in time".
    """

    gate_count = 1
    state_count = 1

    @property
    def equation(self) -> SimpleRNNGates:
        """The equation, as the kernels take it."""
        return SimpleRNNGates(self.activation)


class SimpleRNN(CellLayer, CellSettings):
    """A simple recurrent network over the steps of a sequence.

    Equation: `SimpleRNNCell` at every step, `h_t = cell(x_t, h_(t-1))`. At a padded step the state
    is carried over. In a packed row the state starts anew with every sequence.

    Shapes: `(batch, steps, features)` -> `(batch, steps, units)` with `return_sequences`, else
    `(batch, units)`; with `return_state` also `h`, `(batch, units)`.

    Args:
        units: the size of the output and of the state.
        activation: the function of the sum.
        use_bias: whether there is a bias.
        kernel_initializer: how the input's weights are first drawn.
        recurrent_initializer: how the state's weights are first drawn.
        bias_initializer: how the bias is first drawn.
        kernel_regularizer: a function of the input's weights that is added to the loss.
        recurrent_regularizer: a function of the state's weights that is added to the loss.
        bias_regularizer: a function of the bias that is added to the loss.
        activity_regularizer: a function of the output that is added to the loss.
        kernel_constraint: a function applied to the input's weights after each update.
        recurrent_constraint: a function applied to the state's weights after each update.
        bias_constraint: a function applied to the bias after each update.
        dropout: the share of the inputs dropped in training, the same at every step.
        recurrent_dropout: the share of `h` dropped in training, the same at every step.
        return_sequences: whether the output has every step, or the last one alone.
        return_state: whether `h` after the last step is returned too.
        go_backwards: whether to read from the last step to the first; the output and its segments
            are in the order in which the steps were read.
        stateful: whether each call goes on from the states that the last one left.
        unroll: taken for compatibility; the compiled loop does not depend on it.
        seed: fixes the draws of the dropout.
        zero_output_for_mask: whether padding gives zeros, or repeats the output before it.

    Raises:
        ShapeError: the input has not rank 3 or other features than before, or a state does not fit.
        PackedRowsError: one state a row is asked for on rows that hold several sequences.

    Example:
        >>> import everystep as es, numpy as np
        >>> layer = es.layers.SimpleRNN(4, return_sequences=True)
        >>> layer(np.zeros((2, 5, 3), "float32")).shape, layer.count_params()
        ((2, 5, 4), 32)

    Source: see `SimpleRNNCell`.
    """

    # Keras has it here in the layer, and earlier in the cell.
    seed: int | None = setting(kinds.SEED, default=None, after="unroll")

    cell_class = SimpleRNNCell
