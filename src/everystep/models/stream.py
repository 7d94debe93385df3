"""Stream: a model that goes on with the steps of live sequences as they come."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from everystep.core.defaults import finite_inputs
from everystep.errors import DataError, SettingError, ShapeError
from everystep.kinds import shown
from everystep.models.stream_engines import Compiled, Engine, Native
from everystep.models.stream_program import StreamProgram
from everystep.sequences import check_finite, from_mask

if TYPE_CHECKING:
    from everystep.models.model import Model

Array = np.ndarray[Any, Any]


class Stream:
    """Goes on with live sequences, one in each row, step by step or chunk by chunk.

    `model.stream(batch)` opens one. Whatever the chunks, the outputs are those that
    `model.predict` gives for all steps so far: an output with steps gives the new ones, an output
    without, such as that of `LSTM(64)`, gives what it is by now.

    Where the native extension knows every layer (a row of Embedding, recurrent layers, Dense,
    activations and dropout, in float32 on a CPU), it runs the stream without any compiling. Else
    the program is compiled when the first stream of a model and batch size is opened, for one
    step; a longer chunk runs in pieces of 1, 2, 4, 8 ... steps, each compiled when it first comes
    up. `engine` says which it is.

    Layers with `stateful=True` go on too, but when they are called one by one, Python dispatches
    each of their operations: where latency counts, open a stream.

    The weights are those of the moment when the stream was opened, or last reset as a whole. To
    train the model, or to set its weights, changes no stream that is on its way.

    Args:
        model: a model of symbols: a Sequential, or `Model(inputs, outputs)`.
        batch: how many sequences go on side by side.

    Raises:
        StateError: the model is not built.
        StreamError: chunks would not give what the whole gives: the message names the layer and
            what to take instead.
        SettingError: the batch is not 1 or more.

    Example:
        >>> import everystep as es, numpy as np
        >>> layers = [es.Input((None, 3)), es.layers.LSTM(4, return_sequences=True)]
        >>> model = es.Sequential([*layers, es.layers.Dense(2)])
        >>> steps = np.random.default_rng(0).normal(size=(1, 5, 3)).astype("float32")
        >>> stream = model.stream()
        >>> first, rest = stream.step(steps[:, 0]), stream.push(steps[:, 1:])
        >>> first.shape, rest.shape
        ((1, 2), (1, 4, 2))
        >>> bool(np.allclose(rest, model.predict(steps, verbose=0)[:, 1:], atol=1e-5))
        True
    """

    def __init__(self, model: Model, batch: int = 1) -> None:
        if not isinstance(batch, int) or batch < 1:
            raise SettingError(f"batch must be an integer of 1 or more, not {shown(batch)}")
        self.model = model
        self.batch = batch
        self._program = StreamProgram.of(model)
        self._shapes = [(batch, *spec.shape[2:]) for spec in self._program.proof.inputs]
        self.why_not_native = self._program.why_not_native
        engine = Compiled if self.why_not_native else Native
        self._engine: Engine = engine(self._program, batch)

    def step(self, inputs: Any, mask: Any = None) -> Any:
        """Take one step of each row and return the outputs for it.

        Shapes: inputs `(batch, features)`, ids `(batch,)`, mask `(batch,)` -> `(batch, units)`.

        Args:
            inputs: the step; for a model of several inputs a list, or a dict by their names.
            mask: True where the row has a step now; the others stay where they are.

        Returns:
            NumPy arrays in the container in which the model gives them.

        Raises:
            ShapeError: an array does not have the shape of a step.
            DataError: there are more or fewer arrays than inputs, or an id is not in the table.
        """
        chunk = [array[:, None] for array in self._checked(inputs, 0)]
        own = None if mask is None else self._mask(mask, 0)[:, None]
        _refuse_infinite(chunk, own)
        outputs = self._engine.run(chunk, own)
        kinds = zip(outputs, self._program.proof.of_steps, strict=True)
        return self._program.arranged(
            [array[:, 0] if of_steps else array for array, of_steps in kinds]
        )

    def push(self, inputs: Any, mask: Any = None) -> Any:
        """Take a chunk of steps of each row and return the outputs for them.

        Shapes: inputs `(batch, steps, features)`, ids and mask `(batch, steps)` ->
        `(batch, steps, units)`; an output without steps is as of the last one.

        Args:
            inputs: the chunk; for a model of several inputs a list, or a dict by their names.
            mask: True at real steps; at the others each row stays where it is.

        Returns:
            NumPy arrays in the container in which the model gives them.

        Raises:
            ShapeError: an array does not have the shape of a chunk, or chunks differ in steps.
            DataError: there is no step, there are more or fewer arrays than inputs, or an id is
                not in the table.
        """
        arrays = self._checked(inputs, 1)
        steps, *others = {array.shape[1] for array in arrays}
        if others or not steps:
            raise ShapeError(
                "a chunk has the same number of steps in all inputs, 1 or more, not "
                f"{sorted({steps, *others})}: push nothing where nothing has come"
            )
        own = None if mask is None else self._mask(mask, steps)
        _refuse_infinite(arrays, own)
        return self._program.arranged(self._engine.run(arrays, own))

    def reset(self, rows: Sequence[int] | None = None) -> None:
        """Start anew: all rows, with the model's weights of now, or some of them.

        Args:
            rows: which rows start another sequence; the others go on. All by default.

        Raises:
            DataError: there is no such row.
        """
        if rows is None:
            self._engine.restart()
            return
        chosen = np.zeros(self.batch, bool)
        numbers = np.asarray(rows, "int64")
        if numbers.size and not (-1 < numbers.min() <= numbers.max() < self.batch):
            raise DataError(
                f"reset was given the rows {numbers.tolist()}, but the stream has rows 0 to "
                f"{self.batch - 1}"
            )
        chosen[numbers] = True
        self._engine.clear(chosen)

    @property
    def states(self) -> dict[str, Array]:
        """Copies of what the layers keep, by the layer's path and a number; it may be set.

        With them a stream goes on where another stopped, in another process too.
        """
        return dict(zip(self._program.names, self._engine.states, strict=True))

    @states.setter
    def states(self, states: Mapping[str, Any]) -> None:
        own = self.states
        if states.keys() != own.keys():
            raise DataError(
                f"the stream keeps {list(own)}, but was given {sorted(states)}: take them from the "
                "states of a stream of the same model"
            )
        for name, array in own.items():
            if np.shape(states[name]) != array.shape:
                raise ShapeError(
                    f"state '{name}' has shape {array.shape}, not {np.shape(states[name])}"
                )
        self._engine.states = [states[name] for name in own]

    @property
    def engine(self) -> str:
        """What runs it: "native", or "compiled" where `why_not_native` says why."""
        return self._engine.name

    def _checked(self, inputs: Any, axes: int) -> list[Any]:
        """Return the arrays in the order of the inputs, if they have the shapes of one step.

        Args:
            inputs: what was given.
            axes: how many axes of steps stand behind the first one.
        """
        arrays = self._program.listed(inputs)
        for array, shape in zip(arrays, self._shapes, strict=True):
            if array.shape[:1] + array.shape[1 + axes :] != shape:
                words = (*shape[:1], *["steps"] * axes, *shape[1:])
                raise ShapeError(
                    f"the stream takes {'chunks' if axes else 'steps'} of shape "
                    f"({', '.join(map(str, words))}{',' * (len(words) == 1)}), not {array.shape}"
                )
        return arrays

    def _mask(self, mask: Any, steps: int) -> Any:
        array = np.asarray(mask) != 0
        shape = (self.batch, steps) if steps else (self.batch,)
        if array.shape != shape:
            raise ShapeError(f"the mask must have shape {shape}, not {array.shape}")
        return array


def _refuse_infinite(arrays: Sequence[Any], mask: Any) -> None:
    if finite_inputs():
        for number, array in enumerate(arrays):
            steps = array if mask is None else from_mask(array, mask)
            check_finite(steps, f"input {number} of the stream")
