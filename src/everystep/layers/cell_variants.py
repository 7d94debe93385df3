"""Cells beyond Keras's: an LSTM with peepholes, and cells whose gates are normalised.

They have no layers of their own: `RNN(PeepholeLSTMCell(64))` runs one, as fast as `LSTM(64)`.
"""

from __future__ import annotations

from typing import Any

from everystep import kinds
from everystep.core.settings import setting
from everystep.initializers import INITIALIZER
from everystep.kernels import LayerNormGRUGates, LayerNormLSTMGates, PeepholeLSTMGates
from everystep.kinds import Kind
from everystep.layers.cells import Cell, GatedSettings
from everystep.layers.lstm import FourGateCell


def _epsilon(value: Any) -> float:
    number = kinds.NOT_NEGATIVE.parse(value)
    if number == 0:  # A state of zeros has no variance: what it is divided by must not be 0.
        kinds.reject(value)
    return float(number)


EPSILON = Kind("a number above 0", _epsilon, refused=(0, 0.0, -0.5, "1"))


class PeepholeLSTMCell(FourGateCell):
    """One step of a long short-term memory whose gates see the cell state.

    Equation: with `z = x W + h R + b` split into `z_i, z_f, z_c, z_o` and the peepholes
    `p_i, p_f, p_o`, `i = s(z_i + p_i * c)`, `f = s(z_f + p_f * c)`, `c' = f * c + i * a(z_c)`,
    `o = s(z_o + p_o * c')`, `h' = o * a(c')`, where `a` is the activation and `s` the recurrent
    activation.

    Shapes: as `LSTMCell`, with the weight `peepholes (3, units)` besides, in the order i, f, o.

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
        peephole_initializer: how `p` is first drawn.
        implementation: taken for compatibility; there is one implementation.

    Raises:
        ShapeError: the input has not rank 2 or other features than before, or a state does not fit.

    Example:
        >>> import everystep as es, numpy as np
        >>> layer = es.layers.RNN(es.layers.PeepholeLSTMCell(4), return_sequences=True)
        >>> layer(np.zeros((2, 5, 3), "float32")).shape, layer.count_params()
        ((2, 5, 4), 140)

    Source: Gers, Schraudolph and Schmidhuber 2002, "Learning precise timing with LSTM recurrent
    networks", section 2: the output gate sees the new cell state, the other two the old one.
    """

    peephole_initializer: Any = setting(INITIALIZER, default="glorot_uniform")

    def build(self, input_shape: Any) -> None:
        """Create `peepholes` besides the weights of an LSTM."""
        super().build(input_shape)
        self.peepholes = self.add_weight(
            (3, self.units), self.peephole_initializer, name="peepholes"
        )

    @property
    def equation(self) -> PeepholeLSTMGates:
        """The equation, as the kernels take it."""
        return PeepholeLSTMGates(self.activation, self.recurrent_activation)

    @property
    def parameters(self) -> tuple[Any, ...]:
        """The peepholes, one behind the other."""
        return (self.peepholes.value.reshape(-1),)


class NormalizedSettings(GatedSettings):
    """What cells with normalised gates have besides.

    Args:
        norm_epsilon: added to the variance.
        norm_gamma_initializer: how the gains are first drawn.
    """

    norm_epsilon: float = setting(EPSILON, default=1e-3)
    norm_gamma_initializer: Any = setting(INITIALIZER, default="ones")


class LayerNormLSTMCell(FourGateCell, NormalizedSettings):
    """One step of a long short-term memory with layer normalisation.

    Equation: with `n(v) = (v - mean(v)) / sqrt(var(v) + epsilon)` over all `4 * units` entries of a
    row, `z = gain_x * n(x W) + gain_h * n(h R) + b` split into `z_i, z_f, z_c, z_o`; then
    `i = s(z_i)`, `f = s(z_f)`, `o = s(z_o)`, `c' = f * c + i * a(z_c)` and
    `h' = o * a(gain_c * n(c') + bias_c)` with `n` over `units`, where `a` is the activation and `s`
    the recurrent activation. The cell state is carried as it is, and normalised where it is read.

    Shapes: as `LSTMCell`, with the weights `kernel_gamma (4 * units,)`,
    `recurrent_gamma (4 * units,)`, `state_gamma (units,)` and, with `use_bias`, `state_beta
    (units,)` besides.

    Args:
        units: the size of the output and of each state.
        activation: `a`.
        recurrent_activation: `s`.
        use_bias: whether there are `b` and `bias_c`.
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
        norm_epsilon: `epsilon`.
        norm_gamma_initializer: how the gains are first drawn.
        implementation: taken for compatibility; there is one implementation.

    Raises:
        ShapeError: the input has not rank 2 or other features than before, or a state does not fit.

    Example:
        >>> import everystep as es, numpy as np
        >>> layer = es.layers.RNN(es.layers.LayerNormLSTMCell(4), return_sequences=True)
        >>> layer(np.zeros((2, 5, 3), "float32")).shape, layer.count_params()
        ((2, 5, 4), 168)

    Source: Ba, Kiros and Hinton 2016, "Layer normalization", equations 20 to 22, whose two biases
    of the shares are the one `b` here.
    """

    def build(self, input_shape: Any) -> None:
        """Create the gains, and the bias of the cell state, besides the weights of an LSTM."""
        super().build(input_shape)
        initializer, width = self.norm_gamma_initializer, 4 * self.units
        self.kernel_gamma = self.add_weight((width,), initializer, name="kernel_gamma")
        self.recurrent_gamma = self.add_weight((width,), initializer, name="recurrent_gamma")
        self.state_gamma = self.add_weight((self.units,), initializer, name="state_gamma")
        self.state_beta = None
        if self.use_bias:
            self.state_beta = self.add_weight((self.units,), "zeros", name="state_beta")

    @property
    def equation(self) -> LayerNormLSTMGates:
        """The equation, as the kernels take it."""
        return LayerNormLSTMGates(self.activation, self.recurrent_activation, self.norm_epsilon)

    def biases(self) -> tuple[Any, Any]:
        """Return None: the bias is added behind the normalisation."""
        return None, None

    @property
    def parameters(self) -> tuple[Any, ...]:
        """The gains and biases of the normalisations."""
        gains = self.kernel_gamma.value, self.recurrent_gamma.value
        state = self.state_gamma.value
        if self.bias is None or self.state_beta is None:
            return *gains, 0 * gains[0], state, 0 * state
        return *gains, self.bias.value, state, self.state_beta.value


class LayerNormGRUCell(NormalizedSettings, Cell):
    """One step of a gated recurrent unit with layer normalisation.

    Equation: with `n(v) = (v - mean(v)) / sqrt(var(v) + epsilon)`, over the blocks z and r of a row
    together and over its block g alone, `gain_x * n(x W) + b` split into `x_z, x_r, x_g` and
    `gain_h * n(h R) + d` into `h_z, h_r, h_g`; then `z = s(x_z + h_z)`, `r = s(x_r + h_r)`,
    `g = a(x_g + r * h_g)`, `h' = z * h + (1 - z) * g`, where `a` is the activation and `s` the
    recurrent activation.

    Shapes: as `GRUCell`, with the weights `kernel_gamma (3 * units,)` and
    `recurrent_gamma (3 * units,)` besides.

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
        seed: fixes the draws of the dropout.
        norm_epsilon: `epsilon`.
        norm_gamma_initializer: how the gains are first drawn.
        implementation: taken for compatibility; there is one implementation.

    Raises:
        ShapeError: the input has not rank 2 or other features than before, or a state does not fit.

    Example:
        >>> import everystep as es, numpy as np
        >>> layer = es.layers.RNN(es.layers.LayerNormGRUCell(4), return_sequences=True)
        >>> layer(np.zeros((2, 5, 3), "float32")).shape, layer.count_params()
        ((2, 5, 4), 132)

    Source: Ba, Kiros and Hinton 2016, "Layer normalization", supplementary equations of the GRU,
    with `z` and `1 - z` as Keras's GRU has them.
    """

    gate_count = 3
    state_count = 1

    @property
    def bias_shape(self) -> tuple[int, ...]:
        """The shape of the bias: one row for each product."""
        return (2, 3 * self.units)

    def build(self, input_shape: Any) -> None:
        """Create the gains besides the weights of a GRU."""
        super().build(input_shape)
        initializer, width = self.norm_gamma_initializer, 3 * self.units
        self.kernel_gamma = self.add_weight((width,), initializer, name="kernel_gamma")
        self.recurrent_gamma = self.add_weight((width,), initializer, name="recurrent_gamma")

    @property
    def equation(self) -> LayerNormGRUGates:
        """The equation, as the kernels take it."""
        return LayerNormGRUGates(self.activation, self.recurrent_activation, self.norm_epsilon)

    def biases(self) -> tuple[Any, Any]:
        """Return None: the biases are added behind the normalisation."""
        return None, None

    @property
    def parameters(self) -> tuple[Any, ...]:
        """The gains and biases of the normalisations."""
        gains = self.kernel_gamma.value, self.recurrent_gamma.value
        bias = (0 * gains[0], 0 * gains[1]) if self.bias is None else self.bias.value
        return *gains, bias[0], bias[1]
