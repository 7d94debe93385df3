"""Recurrent layers against Keras where cells are people's own, states a tree, or calls go on.

The settings of LSTM, GRU and SimpleRNN are drawn at random in `tests/differential`.
"""

import inspect
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from everystep import layers
from everystep.sequences import Steps
from tests.layers.test_against_keras import (
    BATCH,
    FEATURES,
    STEPS,
    UNITS,
    assert_equal_calls,
    assert_equal_gradients,
    mask_named,
    numbers,
    relative_paths,
    twins,
)
from tests.tolerances import assert_close
from tests.trees import assert_trees_close, outputs_of

keras: Any = pytest.importorskip("keras", reason="Keras is what is compared with")

Make = Callable[[Any], Any]
CLASSES = ["SimpleRNN", "GRU", "LSTM", "RNN", "Bidirectional", "StackedRNNCells"]
CLASSES += ["SimpleRNNCell", "GRUCell", "LSTMCell"]


def decaying(room: Any, units: int) -> Any:
    """A cell of one state whose size is a number, and which starts from zeros."""

    class Decaying(room.Layer):  # type: ignore[misc]
        def __init__(self, units: int, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.units = units
            self.state_size = units

        def build(self, input_shape: Any) -> None:
            shape = (input_shape[-1], self.units)
            self.kernel = self.add_weight(shape=shape, initializer="uniform", name="kernel")
            self.built = True

        def call(self, inputs: Any, states: Any, training: bool = False) -> Any:
            output = jnp.tanh(0.5 * states[0] + inputs @ self.kernel)
            return output, [output]

        def get_config(self) -> Any:
            return {**super().get_config(), "units": self.units}

    return Decaying(units)


def counting(room: Any, units: int) -> Any:
    """A cell of two states of different ranks, in a tuple, that do not start from zeros."""

    class Counting(room.Layer):  # type: ignore[misc]
        state_size = (units, units)
        output_size = units

        def get_initial_state(self, batch_size: Any = None) -> Any:
            return [jnp.full((batch_size, units), 0.5), jnp.ones((batch_size, 2, units))]

        def call(self, inputs: Any, states: Any) -> Any:
            seen, table = states
            table = 0.9 * table + inputs.sum(-1)[:, None, None]
            seen = jnp.tanh(seen + table.sum(1))
            return seen, [seen, table]

    return Counting()


CELLS: dict[str, tuple[Make, list[Any]]] = {
    "decaying": (lambda room: decaying(room, UNITS), [(UNITS,)]),
    "stacked": (
        lambda room: [room.LSTMCell(UNITS), decaying(room, 3), room.GRUCell(4, reset_after=False)],
        [[(UNITS,), (UNITS,)], (3,), [(4,)]],
    ),
    "stacked by hand": (
        lambda room: room.StackedRNNCells([room.SimpleRNNCell(3), room.LSTMCell(UNITS)]),
        [[(3,)], [(UNITS,), (UNITS,)]],
    ),
}
OPTIONS: list[tuple[dict[str, Any], str]] = [
    ({"return_sequences": True, "return_state": True}, "gaps"),
    ({"return_state": True, "go_backwards": True}, "left"),
    ({"return_sequences": True, "go_backwards": True, "zero_output_for_mask": True}, "right"),
]


def states_of(shapes: Any) -> Any:
    if isinstance(shapes, list):
        return [states_of(one) for one in shapes]
    return numbers(BATCH, *shapes, seed=shapes[0])


def assert_equal_arrays(found: Any, wanted: Any) -> None:
    """Outputs and all states, in one tree or another, are the same."""
    arrays = [leaf.values if isinstance(leaf, Steps) else leaf for leaf in outputs_of(found)]
    assert_trees_close(arrays, jax.tree.leaves(wanted))


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize(("options", "mask"), OPTIONS)
def test_any_cell(cell: str, options: dict[str, Any], mask: str) -> None:
    make, shapes = CELLS[cell]
    inputs = numbers(BATCH, STEPS, FEATURES)
    ours, theirs = twins(lambda room: room.RNN(make(room), **options), inputs)
    for states in (None, states_of(shapes)):
        given = {"mask": mask_named(mask), "initial_state": states}
        assert_equal_arrays(ours(inputs, **given), theirs(inputs, **given))
    assert relative_paths(ours) == relative_paths(theirs)


def test_states_of_any_rank_and_the_tree_in_which_they_return() -> None:
    inputs = numbers(BATCH, STEPS, FEATURES)
    found, wanted = (
        room.RNN(counting(room, UNITS), return_sequences=True, return_state=True)(inputs)
        for room in (layers, keras.layers)
    )
    assert_trees_close(found, wanted)
    make, _ = CELLS["stacked"]
    found, wanted = (
        room.RNN(make(room), return_state=True)(inputs) for room in (layers, keras.layers)
    )
    shapes = [jax.tree.map(np.shape, list(outputs)) for outputs in (found, wanted)]
    assert shapes[0] == shapes[1]


@pytest.mark.parametrize("mask", ["none", "gaps"])
def test_frames_go_to_a_cell_as_they_are(mask: str) -> None:
    inputs = numbers(BATCH, STEPS, 2, 3, 4)

    def make(room: Any) -> Any:
        class Blurring(room.Layer):  # type: ignore[misc]
            state_size = 4

            def get_initial_state(self, batch_size: Any = None) -> Any:
                return jnp.zeros((batch_size, 2, 3, 4))

            def call(self, inputs: Any, states: Any) -> Any:
                output = 0.5 * states[0] + inputs
                return output, output

        return room.RNN(Blurring(), return_sequences=True)

    found, wanted = (make(room)(inputs, mask=mask_named(mask)) for room in (layers, keras.layers))
    if mask == "none":
        assert_close(found, wanted)
    else:
        real = np.array(mask_named(mask))
        assert_close(found.values[:, -1], _blurred(inputs, real))


def _blurred(inputs: Any, real: Any) -> Any:
    """The last output; Keras's mask does not fit states of such a rank."""
    state = np.zeros_like(inputs[:, 0])
    for step in range(STEPS):
        here = real[:, step, None, None, None]
        state = np.where(here, 0.5 * state + inputs[:, step], state)
    return state


BOTH: dict[str, tuple[Make, str | None]] = {
    "own cell": (lambda room: room.RNN(decaying(room, UNITS), return_sequences=True), "sum"),
    "stack": (lambda room: room.RNN([room.GRUCell(3), room.LSTMCell(UNITS)]), None),
    "GRU": (lambda room: room.GRU(UNITS, return_sequences=True, return_state=True), "concat"),
    "SimpleRNN": (lambda room: room.SimpleRNN(UNITS, return_state=True), "mul"),
}


@pytest.mark.parametrize("name", BOTH)
@pytest.mark.parametrize("mask", ["none", "gaps"])
def test_bidirectional(name: str, mask: str) -> None:
    make, mode = BOTH[name]
    inputs = numbers(BATCH, STEPS, FEATURES)
    scope = keras.saving.custom_object_scope({"Decaying": type(decaying(keras.layers, UNITS))})
    with scope:
        ours, theirs = twins(lambda room: room.Bidirectional(make(room), mode), inputs)
    assert_equal_calls(ours, theirs, inputs, mask_named(mask))
    assert relative_paths(ours) == relative_paths(theirs)


GRADIENT_CASES: dict[str, tuple[Make, str]] = {
    "GRU reset before": (lambda room: room.GRU(UNITS, reset_after=False), "gaps"),
    "own cell": (lambda room: room.RNN(decaying(room, UNITS), return_sequences=True), "left"),
    "stack": (lambda room: room.RNN([room.GRUCell(3), room.SimpleRNNCell(UNITS)]), "right"),
}


@pytest.mark.parametrize("name", GRADIENT_CASES)
def test_gradients(name: str) -> None:
    make, mask = GRADIENT_CASES[name]
    inputs = numbers(BATCH, STEPS, FEATURES)
    ours, theirs = twins(make, inputs)
    assert_equal_gradients(ours, theirs, inputs, mask_named(mask))


STATEFUL: dict[str, Make] = {
    "GRU": lambda room: room.GRU(UNITS, stateful=True, return_state=True),
    "SimpleRNN": lambda room: room.SimpleRNN(UNITS, stateful=True, return_sequences=True),
    "stack": lambda room: room.RNN([room.LSTMCell(3), room.GRUCell(UNITS)], stateful=True),
}


@pytest.mark.parametrize("name", STATEFUL)
def test_stateful_layers_go_on_until_they_are_reset(name: str) -> None:
    inputs = numbers(BATCH, STEPS, FEATURES)
    ours, theirs = twins(STATEFUL[name], inputs)
    for _ in range(2):
        ours.reset_state()
        for variable in jax.tree.leaves(theirs.states):  # Keras resets no states that are a tree.
            variable.assign(np.zeros(variable.shape))
        for mask in ("none", "gaps", "right"):
            given = {"mask": mask_named(mask)}
            assert_equal_arrays(ours(inputs, **given), theirs(inputs, **given))


@pytest.mark.parametrize("name", CLASSES)
def test_arguments_come_by_place_in_the_order_of_keras(name: str) -> None:
    ours = inspect.signature(getattr(layers, name)).parameters
    theirs = inspect.signature(getattr(keras.layers, name).__init__).parameters
    plain = [p for p in theirs.values() if p.name != "self" and p.kind is not p.VAR_KEYWORD]
    for one, other in zip(ours.values(), plain, strict=False):
        assert (one.name, one.default, one.kind) == (other.name, other.default, other.kind)


@pytest.mark.parametrize("name", ["SimpleRNN", "GRU", "LSTM"])
def test_a_layer_shows_what_its_cell_has(name: str) -> None:
    ours, theirs = (
        getattr(room, name)(UNITS, activation="relu", dropout=0.25, recurrent_dropout=0.5)
        for room in (layers, keras.layers)
    )
    their_config = theirs.get_config()
    assert ours.get_config().keys() - their_config.keys() <= {"seed"}
    assert their_config.keys() <= ours.get_config().keys()
    for attribute in ("units", "use_bias", "dropout", "recurrent_dropout", "state_size"):
        assert getattr(ours, attribute) == getattr(theirs, attribute)
    assert ours.cell.name == theirs.cell.name
    assert (ours.cell.state_size, ours.cell.output_size) == (
        theirs.cell.state_size,
        theirs.cell.output_size,
    )
    states = [layer.get_initial_state(batch_size=2) for layer in (ours, theirs)]
    assert_trees_close(*states)
