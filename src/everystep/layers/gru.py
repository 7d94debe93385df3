"""The gated recurrent unit: its cell, and the layer that loops over it."""

from __future__ import annotations

from typing import Any

from everystep import kinds
from everystep.core.settings import setting
from everystep.kernels import GRUGates, ResetBeforeGRU, product
from everystep.layers.cells import Cell, GatedSettings, plus
from everystep.layers.looping import Loop
from everystep.layers.recurrent import USE_CUDNN, CellLayer


class GRUSettings(GatedSettings):
    """What a GRU has besides.

    Args:
        reset_after: whether the reset gate scales the candidate's product with `h`, or `h` itself.
    """

    reset_after: bool = setting(kinds.BOOLEAN, default=True, after="recurrent_dropout")


class GRUCell(GRUSettings, Cell):
    """One step of a gated recurrent unit.

    Equation: with `x W + b` split into `x_z, x_r, x_g` and `h R + d` into `h_z, h_r, h_g`,
    `z = s(x_z + h_z)`, `r = s(x_r + h_r)`, `g = a(x_g + r * h_g)`, `h' = z * h + (1 - z) * g`,
    where `a` is the activation and `s` the recurrent activation. With `reset_after=False` there is
    no `d`, and `g = a(x_g + (r * h) R_g)`.

    Shapes: `(batch, features)` and the state `h` of `(batch, units)` -> output `(batch, units)` and
    `[h']`. Weights: `kernel (features, 3 * units)`, `recurrent_kernel (units, 3 * units)`, `bias
    (2, 3 * units)` that holds `b` and `d`, with `reset_after=False` `(3 * units,)`; gates in the
    order z, r, g.

    Args:
        units: the size of the output and of the state.
        activation: `a`.
        recurrent_activation: `s`.
        use_bias: whether there are `b` and `d`.
        kernel_initializer: how `W` is first drawn.
        recurrent_initializer: how `R` is first drawn.
        bias_initializer: how the bias is first drawn.
        kernel_regularizer: a function of `W` that is added to the loss.
        recurrent_regularizer: a function of `R` that is added to the loss.
        bias_regularizer: a function of the bias that is added to the loss.
        kernel_constraint: a function applied to `W` after each update.
        recurrent_constraint: a function applied to `R` after each update.
        bias_constraint: a function applied to the bias after each update.
        dropout: the share of the inputs dropped in training, the same at every step.
        recurrent_dropout: the share of `h` dropped in training, the same at every step.
        reset_after: whether the reset gate scales the candidate's product with `h`, or `h` itself.
        seed: fixes the draws of the dropout.
        implementation: taken for compatibility; there is one implementation.

    Raises:
        ShapeError: the input has not rank 2 or other features than before, or a state does not fit.

    Example:
        >>> import everystep as es, jax.numpy as jnp
        >>> output, states = es.layers.GRUCell(4)(jnp.ones((2, 3)), [jnp.zeros((2, 4))])
        >>> output.shape, len(states)
        ((2, 4), 1)

    Source: Cho et al. 2014, "Learning phrase representations using RNN encoder-decoder for
    statistical machine translation", section 2.3; `reset_after` is the variant of cuDNN.
    """

    gate_count = 3
    state_count = 1

    @property
    def equation(self) -> GRUGates | ResetBeforeGRU:
        """The equation, as the kernels take it."""
        kind = GRUGates if self.reset_after else ResetBeforeGRU
        return kind(self.activation, self.recurrent_activation)

    @property
    def bias_shape(self) -> tuple[int, ...]:
        """The shape of the bias: one row for each product that has one."""
        width = 3 * self.units
        return (2, width) if self.reset_after else (width,)

    def biases(self) -> tuple[Any, Any]:
        """Return what is added to the input's share and to the recurrent share, None for none."""
        if self.bias is None:
            return None, None
        bias = self.bias.value
        return (bias[0], bias[1]) if self.reset_after else (bias, None)

    def step(self, inputs: Any, states: Any, kept: Any) -> Any:
        """Return the new state of one step, in a tuple."""
        equation = self.equation
        if not isinstance(equation, ResetBeforeGRU):
            return super().step(inputs, states, kept)
        projected = plus(product(inputs, self.kernel.value), self.biases()[0])
        return equation(projected, states, self.recurrent_kernel.value, kept)

    def which_loop(self) -> Loop:
        """Which loop `over_steps` takes."""
        loop = super().which_loop()
        if self.reset_after or loop.kernel != "xla":
            return loop
        why = (
            "with reset_after=False the state's product waits for the reset gate, so there are two "
            "at each step, which the loop of pure JAX does not have"
        )
        return Loop("steps", f"{why}; {loop.why}" if loop.why else why)


class GRU(CellLayer, GRUSettings):
    """A gated recurrent unit over the steps of a sequence.

    Equation: `GRUCell` at every step, `h_t = cell(x_t, h_(t-1))`. At a padded step the state is
    carried over. In a packed row the state starts anew with every sequence.

    Shapes: `(batch, steps, features)` -> `(batch, steps, units)` with `return_sequences`, else
    `(batch, units)`; with `return_state` also `h`, `(batch, units)`.

    Args:
        units: the size of the output and of the state.
        activation: the function of the candidate.
        recurrent_activation: the function of the two gates.
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
        seed: fixes the draws of the dropout.
        return_sequences: whether the output has every step, or the last one alone.
        return_state: whether `h` after the last step is returned too.
        go_backwards: whether to read from the last step to the first; the output and its segments
            are in the order in which the steps were read.
        stateful: whether each call goes on from the states that the last one left.
        unroll: taken for compatibility; the compiled loop does not depend on it.
        reset_after: whether the reset gate scales the candidate's product with `h`, or `h` itself.
        use_cudnn: taken for compatibility; the kernel is chosen by what is there.
        zero_output_for_mask: whether padding gives zeros, or repeats the output before it.
        implementation: taken for compatibility; there is one implementation.

    Raises:
        ShapeError: the input has not rank 3 or other features than before, or a state does not fit.
        PackedRowsError: one state a row is asked for on rows that hold several sequences.

    Example:
        >>> import everystep as es, numpy as np
        >>> layer = es.layers.GRU(4, return_sequences=True)
        >>> layer(np.zeros((2, 5, 3), "float32")).shape, layer.count_params()
        ((2, 5, 4), 108)

    Source: see `GRUCell`.
    """

    # Keras has it here in the layer, and earlier in the cell.
    reset_after: bool = setting(kinds.BOOLEAN, default=True, after="unroll")
    use_cudnn: Any = setting(USE_CUDNN, default="auto", in_config=False)

    cell_class = GRUCell
