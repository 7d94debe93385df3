"""StackedRNNCells: several cells, one behind the other, as one cell."""

from __future__ import annotations

from typing import Any

from everystep.core.settings import setting
from everystep.kinds import checked
from everystep.layers import symbolic
from everystep.layers.looping import (
    CELLS,
    Loop,
    LoopedCell,
    Reading,
    Run,
    build_cell,
    chosen_loop,
    like,
    listed,
    output_size,
    over_steps,
    own_states,
)


class StackedRNNCells(LoopedCell):
    """Several cells as one: each reads the output of the one before it.

    Equation: `y_0 = x`, and `y_k, s_k' = cell_k(y_(k-1), s_k)` for each cell; the output is the
    last `y_k`. Over the steps of a row the cells run one after another, each in its own fast loop.

    Shapes: inputs `(batch, features)` and a list with the states of each cell -> the last cell's
    output and the new states, in a list like the one that came in.

    Args:
        cells: the cells, the first one first.

    Raises:
        SettingError: there is no cell, or one is not a layer with a `state_size`.

    Example:
        >>> import everystep as es, numpy as np
        >>> cells = es.layers.StackedRNNCells([es.layers.LSTMCell(4), es.layers.GRUCell(6)])
        >>> layer = es.layers.RNN(cells, return_state=True)
        >>> output, lstm, gru = layer(np.zeros((2, 5, 3), "float32"))
        >>> output.shape, [state.shape for state in lstm], [state.shape for state in gru]
        ((2, 6), [(2, 4), (2, 4)], [(2, 6)])
    """

    cells: list[Any] = setting(CELLS)

    @property
    def state_size(self) -> list[Any]:
        """The sizes of the states of each cell."""
        return [cell.state_size for cell in self.cells]

    @property
    def output_size(self) -> Any:
        """The size of the last cell's output."""
        return output_size(self.cells[-1])

    @checked(batch_size=symbolic.SIZE)
    def get_initial_state(self, batch_size: Any = None) -> list[Any]:
        """Return the states of each cell before the first step."""
        return [own_states(cell, batch_size) for cell in self.cells]

    def build(self, input_shape: Any) -> None:
        """Build each cell for the output of the one before it."""
        shape = input_shape
        for cell in self.cells:
            build_cell(cell, shape)
            shape = (shape[0], output_size(cell))

    def call(self, inputs: Any, states: Any, training: bool = False) -> tuple[Any, list[Any]]:
        """Return the last cell's output and the new states of all."""
        new_states = []
        for cell, own in zip(self.cells, states, strict=True):
            inputs, new = cell(inputs, listed(own), training=training)
            new_states.append(like(own, new))
        return inputs, new_states

    def which_loop(self) -> Loop:
        """Which loop `over_steps` takes: that of all cells, or the slowest of theirs."""
        loops = [chosen_loop(cell) for cell in self.cells]
        return next((loop for loop in loops if loop.why), loops[-1])

    def over_steps(self, sequences: Any, states: Any, reading: Reading, training: bool) -> Run:
        """Run the cells over all steps, one cell after another."""
        new_states = []
        outputs, last = sequences, None
        for cell, own in zip(self.cells, states, strict=True):
            outputs, last, new = over_steps(cell, outputs, listed(own), reading, training)
            new_states.append(like(own, new))
        return Run(outputs, last, new_states)
