"""Recurrent layers: a cell looped over the steps. One loop serves all of them, in the kernels."""

from __future__ import annotations

from typing import Any, ClassVar

import jax.numpy as jnp

from everystep.core import kinds
from everystep.core.naming import snake_case
from everystep.core.settings import setting
from everystep.core.variables import Variable
from everystep.errors import PackedRowsError, ShapeError, StateError
from everystep.kernels import recurrent
from everystep.layers.cells import Cell, CellSettings, LSTMCell, checked_states, times
from everystep.layers.layer import Layer
from everystep.layers.spec import InputSpec


class Recurrent(Layer):
    """The base of recurrent layers: what they share whatever their cell.

    Args:
        return_sequences: whether the output has every step, or the last one alone.
        return_state: whether the last states are returned too.
        go_backwards: whether to read from the last step to the first; the output is in the order
            in which the steps were read, and so are its segments.
        stateful: whether each call goes on from the states that the last one left.
        unroll: taken for compatibility; the compiled loop does not depend on it.
        zero_output_for_mask: whether padding gives zeros, or repeats the output before it.
        use_cudnn: taken for compatibility; the kernel is chosen by what is there.
    """

    return_sequences: bool = setting(kinds.BOOLEAN, default=False, kw_only=True)
    return_state: bool = setting(kinds.BOOLEAN, default=False, kw_only=True)
    go_backwards: bool = setting(kinds.BOOLEAN, default=False, kw_only=True)
    stateful: bool = setting(kinds.BOOLEAN, default=False, kw_only=True)
    unroll: bool = setting(kinds.BOOLEAN, default=False, kw_only=True)
    zero_output_for_mask: bool = setting(kinds.BOOLEAN, default=False, kw_only=True)
    use_cudnn: Any = setting(
        kinds.one_of("auto", True, False), default="auto", kw_only=True, in_config=False
    )

    cell_class: ClassVar[type[Cell]]
    input_spec = InputSpec(ndim=3, axis_names="(batch, steps, features)")

    def after_settings(self) -> None:
        """Make the cell, which has the settings that layer and cell share."""
        shared = {
            name: getattr(self, item.attribute)
            for name, item in CellSettings.settings.items()
            if name not in ("name", "activity_regularizer")
        }
        self.cell = self.cell_class(**shared, name=snake_case(self.cell_class.__name__))
        self.states: list[Variable] | None = None

    def build(self, input_shape: Any) -> None:
        """Build the cell, and the states that last from call to call where they do."""
        batch, _, features = input_shape
        if self.stateful and batch is None:
            raise ShapeError(
                f"layer '{self.path}' ({type(self).__name__}) is stateful, so the batch size must "
                "be known: give Input(batch_shape=(batch, steps, features))"
            )
        self.cell.build((batch, features))
        if self.stateful:
            self.states = [
                self.add_weight((batch, size), "zeros", trainable=False, name=f"state_{number}")
                for number, size in enumerate(self.cell.state_size)
            ]
            for variable in self.states:
                variable.temporary = True
        self.input_spec = InputSpec(
            ndim=3,
            axes={2: features} | ({0: batch} if self.stateful else {}),
            axis_names=f"(batch, steps, {features})",
        )

    def reset_state(self, states: Any = None) -> None:
        """Set the states that last from call to call to zeros, or to given arrays.

        Raises:
            StateError: the layer is not stateful, or not built.
        """
        if self.states is None:
            raise StateError(
                f"layer '{self.path}' has no states to reset: it is not stateful, or not built yet"
            )
        for number, variable in enumerate(self.states):
            variable.assign(jnp.zeros(variable.shape) if states is None else states[number])

    reset_states = reset_state

    def call(
        self,
        sequences: Any,
        initial_state: Any = None,
        segments: Any = None,
        packed: bool = False,
        training: bool = False,
    ) -> Any:
        """Run the cell over all steps."""
        if packed:
            self._refuse_on_packed_rows(initial_state)
        initial = self._first_states(sequences, initial_state)
        cell = self.cell
        kept_inputs, kept_states = cell.noise(sequences, training)
        outputs, last = recurrent(
            cell.equation,
            times(sequences, kept_inputs),
            cell.kernel.value,
            cell.recurrent_kernel.value,
            None if cell.bias is None else cell.bias.value,
            initial,
            segments=segments,
            packed=packed,
            reverse=self.go_backwards,
            recurrent_dropout=kept_states,
            zero_output_for_mask=self.zero_output_for_mask,
        )
        for variable, state in zip(self.states or (), last, strict=False):
            variable.assign(state)
        if not self.return_sequences:
            outputs = last[0]
        elif self.go_backwards:
            outputs = jnp.flip(outputs, 1)
        return (outputs, *last) if self.return_state else outputs

    def _refuse_on_packed_rows(self, initial_state: Any) -> None:
        asked = {
            "return_sequences=False": not self.return_sequences,
            "return_state=True": self.return_state,
            "stateful=True": self.stateful,
            "initial_state": initial_state is not None,
        }
        for what, there in asked.items():
            if there:
                raise PackedRowsError(
                    f"layer '{self.path}' ({type(self).__name__}): {what} means one state a row, "
                    "but packed rows hold several sequences: unpack them and pad each sequence "
                    "into a row of its own, or ask for every step with return_sequences=True"
                )

    def _first_states(self, sequences: Any, initial_state: Any) -> tuple[Any, ...]:
        batch = sequences.shape[0]
        if initial_state is not None:
            return checked_states(self, initial_state, self.cell, batch)
        if self.states is not None:
            return tuple(variable.value for variable in self.states)
        return self.cell.zero_states(batch, sequences.dtype)

    def compute_segments(self, inputs: Any, segments: Any) -> Any:
        """Keep the segments of each step that is returned, in its order."""
        kept = segments if self.return_sequences else None
        if kept is not None and self.go_backwards:
            kept = jnp.flip(kept, 1)
        return (kept, *[None] * self.cell.state_count) if self.return_state else kept


class LSTM(CellSettings, Recurrent):
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
        zero_output_for_mask: whether padding gives zeros, or repeats the output before it.
        use_cudnn: taken for compatibility; the kernel is chosen by what is there.

    Raises:
        ShapeError: the input has not rank 3 or other features than before, or a state does not fit.
        PackedRowsError: one state a row is asked for on rows that hold several sequences.

    Example:
        >>> import everystep as es, numpy as np
        >>> layer = es.layers.LSTM(4, return_sequences=True)
        >>> layer(np.zeros((2, 5, 3), "float32")).shape, layer.count_params()
        ((2, 5, 4), 128)

    Source: see `LSTMCell`.
    """

    cell_class = LSTMCell
