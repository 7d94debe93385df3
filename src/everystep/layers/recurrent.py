"""Recurrent layers: a cell looped over the steps. One loop serves all of them, in the kernels."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, ClassVar

import jax
import jax.numpy as jnp

from everystep import kinds
from everystep.core.naming import snake_case
from everystep.core.settings import setting
from everystep.core.variables import Variable
from everystep.errors import PackedRowsError, SegmentsError, ShapeError, StateError
from everystep.kernels.stepper import Operation
from everystep.kinds import checked
from everystep.layers import symbolic
from everystep.layers.cells import Cell
from everystep.layers.layer import Layer
from everystep.layers.looping import (
    CELL,
    Reading,
    build_cell,
    checked_states,
    first_states,
    knows_loop,
    over_steps,
    state_sizes,
)
from everystep.layers.spec import InputSpec
from everystep.layers.stacked_cells import StackedRNNCells
from everystep.regularizers import REGULARIZER

USE_CUDNN = kinds.one_of("auto", True, False)


def _one_or_several(value: Any) -> Any:
    return StackedRNNCells(value) if isinstance(value, list | tuple) else CELL.parse(value)


CELL_OR_CELLS = replace(CELL, parse=_one_or_several)


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
    """

    return_sequences: bool = setting(kinds.BOOLEAN, default=False)
    return_state: bool = setting(kinds.BOOLEAN, default=False)
    go_backwards: bool = setting(kinds.BOOLEAN, default=False)
    stateful: bool = setting(kinds.BOOLEAN, default=False)
    unroll: bool = setting(kinds.BOOLEAN, default=False)
    zero_output_for_mask: bool = setting(kinds.BOOLEAN, default=False, kw_only=True)

    cell: Any
    states: Any = None
    """The states that last from call to call, in the tree of the cell's states, or None."""

    @property
    def state_size(self) -> list[Any]:
        """The size of each state."""
        return state_sizes(self.cell)

    @checked(batch_size=symbolic.SIZE)
    def get_initial_state(self, batch_size: Any) -> list[Any]:
        """Return the states before the first step."""
        return first_states(self.cell, batch_size)

    def build(self, input_shape: Any) -> None:
        """Build the cell, and the states that last from call to call where they do."""
        batch, _, *features = input_shape
        if self.stateful and batch is None:
            raise ShapeError(
                f"layer '{self.path}' ({type(self).__name__}) is stateful, so the batch size must "
                "be known: give Input(batch_shape=(batch, steps, features))"
            )
        build_cell(self.cell, (batch, *features))
        if self.stateful:
            with jax.ensure_compile_time_eval():
                first, tree = jax.tree.flatten(self.get_initial_state(batch))
            self.states = jax.tree.unflatten(tree, map(self._lasting, range(len(first)), first))
        self.input_spec = InputSpec(
            ndim=2 + len(features),
            axes=dict(enumerate(features, 2)) | ({0: batch} if self.stateful else {}),
            axis_names=f"(batch, steps, {', '.join(map(str, features))})",
        )

    def _lasting(self, number: int, first: Any) -> Variable:
        variable: Variable = self.add_weight(
            first.shape, lambda shape, dtype: first, trainable=False, name=f"state_{number}"
        )
        variable.temporary = True
        return variable

    def reset_state(self, states: Any = None) -> None:
        """Set the states that last from call to call to those of the start, or to given arrays.

        Raises:
            StateError: the layer is not stateful, or not built.
        """
        if self.states is None:
            raise StateError(
                f"layer '{self.path}' has no states to reset: it is not stateful, or not built yet"
            )
        variables = _variables(self.states)
        if states is None:
            states = self.get_initial_state(variables[0].shape[0])
        given = jax.tree.leaves(states)
        if len(given) != len(variables):
            raise ShapeError(
                f"layer '{self.path}' keeps {len(variables)} states, but was given {len(given)}"
            )
        for variable, state in zip(variables, given, strict=True):
            variable.assign(state)

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
        first = self._first_states(sequences, initial_state)
        reading = Reading(segments, packed, self.go_backwards, self.zero_output_for_mask)
        outputs, states = self._read(sequences, first, reading, training)
        if self.states is not None:
            for variable, state in zip(
                _variables(self.states), jax.tree.leaves(states), strict=True
            ):
                variable.assign(state)
        return outputs

    def _read(
        self, sequences: Any, first: Any, reading: Reading, training: bool
    ) -> tuple[Any, list[Any]]:
        """Return what the layer gives, and the last states."""
        outputs, last, states = over_steps(self.cell, sequences, first, reading, training)
        if not self.return_sequences:
            outputs = last
        elif self.go_backwards:
            outputs = jnp.flip(outputs, 1)
        return (outputs, *states) if self.return_state else outputs, states

    def why_not_stream(self, *args: Any, **kwargs: Any) -> str:
        """Why the layer does not stream: it does forward, from states of its own."""
        if self.go_backwards:
            return (
                "reads from the last step to the first, and in a stream the last step is never "
                "there: give it go_backwards=False"
            )
        if len(args) > 1 or kwargs.get("initial_state") is not None:
            return (
                "is called with an initial_state, but a stream goes on from the state before: "
                "leave it out, or set it through the stream's states"
            )
        return ""

    def first_memory(self, inputs: Any) -> Any:
        """Return the states before the first step, in single precision at least."""

        def wide(state: Any) -> Any:
            return state.astype(jnp.promote_types(state.dtype, "float32"))

        return jax.tree.map(wide, self.get_initial_state(inputs.shape[0]))

    def call_on(
        self,
        memory: Any,
        sequences: Any,
        initial_state: Any = None,
        segments: Any = None,
        packed: bool = False,
        training: bool = False,
    ) -> tuple[Any, Any]:
        """Run the cell over the next steps, from the states that it has kept."""
        if segments is not None and not (self.return_sequences or _shows_state(self.cell)):
            raise SegmentsError(
                f"layer '{self.path}' ({type(self).__name__}) gives the last output alone, which "
                f"its cell {type(self.cell).__name__} does not keep in its states, so a chunk "
                "that is padding has none: leave padding out, or give it return_sequences=True"
            )
        reading = Reading(segments, packed, zero_output_for_mask=self.zero_output_for_mask)
        outputs, states = self._read(sequences, memory, reading, training)
        return outputs, jax.tree.unflatten(jax.tree.structure(memory), jax.tree.leaves(states))

    def step_operations(self) -> list[Operation] | None:
        """Return the loops of the cell or of the stacked cells."""
        cells = self.cell.cells if isinstance(self.cell, StackedRNNCells) else [self.cell]
        found = [cell.step_operations() for cell in cells]
        if self.return_state or None in found:
            return None
        loops: list[Any] = [loop for own in found for loop in own]
        fixed = [
            replace(each.fixed, zero_output_for_mask=self.zero_output_for_mask) for each in loops
        ]
        loops = [replace(each, fixed=own) for each, own in zip(loops, fixed, strict=True)]
        return [*loops[:-1], replace(loops[-1], last=not self.return_sequences)]

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

    def _first_states(self, sequences: Any, initial_state: Any) -> Any:
        batch = sequences.shape[0]
        if initial_state is not None:
            return checked_states(self, initial_state, self.cell, batch)
        if self.states is not None:
            return jax.tree.map(lambda variable: variable.value, self.states, is_leaf=_is_variable)
        return self.get_initial_state(batch)

    def compute_segments(self, inputs: Any, segments: Any) -> Any:
        """Keep the segments of each step that is returned, in its order."""
        kept = segments if self.return_sequences else None
        if kept is not None and self.go_backwards:
            kept = jnp.flip(kept, 1)
        return (kept, *[None] * len(self.state_size)) if self.return_state else kept


def _shows_state(cell: Any) -> bool:
    """Whether the output of a cell is its first state."""
    return knows_loop(cell.cells[-1] if isinstance(cell, StackedRNNCells) else cell)


def _is_variable(leaf: Any) -> bool:
    return isinstance(leaf, Variable)


def _variables(states: Any) -> list[Variable]:
    return jax.tree.leaves(states, is_leaf=_is_variable)


class RNN(Recurrent):
    """Any cell over the steps of a sequence: one of ours, several stacked, or one of your own.

    Equation: `y_t, s_t = cell(x_t, s_(t-1))` at every step. At a padded step the states are carried
    over. In a packed row each sequence starts from the cell's initial states.

    A cell of your own is a layer with a `state_size`, an integer or a list of them, and a
    `call(inputs, states)` that returns the output and the new states. It may have a
    `get_initial_state(batch_size)`; without one it starts from zeros. The states may be a tree of
    arrays of any rank. What the cell draws at random is the same at every step.

    Shapes: `(batch, steps, ...)` -> `(batch, steps, units)` with `return_sequences`, else
    `(batch, units)`, where the cell gives `(batch, units)`; with `return_state` also each state.

    Args:
        cell: the cell, or a list of cells to stack.
        return_sequences: whether the output has every step, or the last one alone.
        return_state: whether the states after the last step are returned too.
        go_backwards: whether to read from the last step to the first; the output and its segments
            are in the order in which the steps were read.
        stateful: whether each call goes on from the states that the last one left.
        unroll: taken for compatibility; the compiled loop does not depend on it.
        zero_output_for_mask: whether padding gives zeros, or repeats the output before it.

    Raises:
        ShapeError: the input has other features than before, or a state does not fit.
        PackedRowsError: one state a row is asked for on rows that hold several sequences.
        StateError: the cell changes a weight or adds a loss at each step.

    Example:
        >>> import everystep as es, jax.numpy as jnp
        >>> class Sums(es.layers.Layer):
        ...     state_size = 3
        ...     def call(self, inputs, states):
        ...         total = states[0] + inputs
        ...         return total, [total]
        >>> es.layers.RNN(Sums(), return_sequences=True)(jnp.ones((1, 4, 3)))[0, :, 0].tolist()
        [1.0, 2.0, 3.0, 4.0]

        Chunk after chunk gives what the whole gives:

        >>> layer = es.layers.RNN(Sums(), stateful=True)
        >>> [layer(jnp.ones((1, 2, 3)))[0, 0].item() for _ in range(2)]
        [2.0, 4.0]
    """

    cell: Any = setting(CELL_OR_CELLS)
    zero_output_for_mask: bool = setting(kinds.BOOLEAN, default=False)

    input_spec = InputSpec(min_ndim=3, axis_names="(batch, steps, ...)")


class CellLayer(Recurrent):
    """The base of recurrent layers that make their cell themselves, from settings like its own.

    Args:
        activity_regularizer: a function of the output that is added to the loss.
    """

    activity_regularizer: Any = setting(REGULARIZER, default=None, after="bias_regularizer")

    cell_class: ClassVar[type[Cell]]
    input_spec = InputSpec(ndim=3, axis_names="(batch, steps, features)")

    def after_settings(self) -> None:
        """Make the cell, which has the settings that layer and cell share."""
        own = ("name", "activity_regularizer", "input_shape", "batch_input_shape")
        shared = {
            name: getattr(self, item.attribute)
            for name, item in self.cell_class.settings.items()
            if name not in own
        }
        self.cell = self.cell_class(**shared, name=snake_case(self.cell_class.__name__))
