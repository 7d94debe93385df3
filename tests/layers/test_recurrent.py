"""Cells of people's own in everystep's loop, cells beyond Keras's, and models that pass states."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from everystep import layers
from everystep.errors import SettingError, ShapeError, StateError
from everystep.layers.apply import apply, weights_of
from everystep.models import Model
from everystep.sequences import Steps
from tests.tolerances import assert_close
from tests.trees import assert_trees_close, assert_trees_same

BATCH, STEPS, FEATURES, UNITS = 2, 5, 3, 4
X = np.random.default_rng(0).normal(size=(BATCH, STEPS, FEATURES)).astype("float32")
PACKED = Steps.of(X, [[1, 1, 2, 2, 2], [3, 0, 4, 5, 0]])


class Learned(layers.Layer):
    """A cell whose first state is a weight."""

    state_size = FEATURES

    def build(self, input_shape: Any) -> None:
        """Create the first state."""
        self.first = self.add_weight((FEATURES,), "ones", name="first")

    def get_initial_state(self, batch_size: Any = None) -> Any:
        """Start from the weight."""
        return jnp.broadcast_to(self.first.value, (batch_size, FEATURES))

    def call(self, inputs: Any, states: Any) -> Any:
        """Add up."""
        total = states[0] + inputs
        return total, total


def test_every_sequence_of_a_packed_row_starts_from_the_cells_own_state() -> None:
    layer = layers.RNN(Learned(), return_sequences=True)
    found = layer(PACKED).values
    assert_close(found[0, :2], 1 + np.cumsum(X[0, :2], 0))
    assert_close(found[0, 2:], 1 + np.cumsum(X[0, 2:], 0))
    assert_close(found[1, 2], 1 + X[1, 2])
    weights = weights_of(layer)
    slopes = jax.grad(lambda given: apply(layer, given, PACKED)[0].values.sum())(weights)
    (slope,) = slopes.values()
    # Each of the ten steps holds the start of its sequence once, padding that of the one before.
    assert_close(slope, np.full(FEATURES, 10, "float32"))


def test_a_cell_that_changes_one_of_ours_is_not_run_in_its_loop() -> None:
    class Louder(layers.LSTMCell):
        def call(self, inputs: Any, states: Any, training: bool = False) -> Any:
            return super().call(2 * inputs, states, training)

    layer = layers.RNN(Louder(UNITS), return_sequences=True)
    plain = layers.LSTM(UNITS, return_sequences=True)
    layer(X)
    plain(X)
    plain.set_weights(layer.get_weights())
    assert_close(layer(X), plain(2 * X))


def test_stacked_cells_are_layers_one_after_another() -> None:
    stack = layers.RNN([layers.GRUCell(UNITS), layers.SimpleRNNCell(6)], return_sequences=True)
    found = stack(PACKED)
    first = layers.GRU(UNITS, return_sequences=True)
    second = layers.SimpleRNN(6, return_sequences=True)
    second(first(PACKED))
    first.set_weights(stack.get_weights()[:3])
    second.set_weights(stack.get_weights()[3:])
    assert_trees_same(second(first(PACKED)).values, found.values)


def test_what_a_cell_draws_is_the_same_at_every_step() -> None:
    class Noisy(layers.Layer):
        state_size = 30

        def call(self, inputs: Any, states: Any) -> Any:
            output = layers.Dropout(0.5, name="drop")(inputs)
            return output, [output]

    ones = np.ones((2, 5, 30), "float32")
    layer = layers.RNN(Noisy(), return_sequences=True)
    first, second = (np.asarray(layer(ones, training=True)) for _ in range(2))
    assert set(np.unique(first)) == {0.0, 2.0}
    np.testing.assert_array_equal(first, np.repeat(first[:, :1], 5, axis=1))
    assert not np.array_equal(first, second)
    np.testing.assert_array_equal(layer(ones), ones)


class Restless(layers.Layer):
    """A cell that changes a weight or adds a loss at each step."""

    state_size = FEATURES

    def __init__(self, how: str) -> None:
        super().__init__(name="restless")
        self.how = how

    def build(self, input_shape: Any) -> None:
        """Create a count."""
        self.count = self.add_weight((), "zeros", trainable=False, name="count")

    def call(self, inputs: Any, states: Any) -> Any:
        """Leave a trace."""
        if self.how == "adds a loss":
            self.add_loss(inputs.sum())
        else:
            self.count.assign(self.count + 1)
        return inputs, [inputs]


@pytest.mark.parametrize("how", ["adds a loss", "changes a weight"])
def test_what_a_step_would_leave_behind_is_an_error(how: str) -> None:
    with pytest.raises(StateError, match=f"cell 'rnn.*restless' .Restless. {how}"):
        layers.RNN(Restless(how))(X)


def test_a_cell_is_built_by_its_call_where_it_has_no_build() -> None:
    class Composed(layers.Layer):
        state_size = UNITS

        def __init__(self) -> None:
            super().__init__()
            self.inner = layers.GRUCell(UNITS)

        def call(self, inputs: Any, states: Any) -> Any:
            return self.inner(inputs, states)

    layer = layers.RNN(Composed())
    layer.build((None, None, FEATURES))
    assert [weight.shape for weight in layer.weights] == [(3, 12), (4, 12), (2, 12)]
    plain = layers.GRU(UNITS)
    plain(X)
    plain.set_weights(layer.get_weights())
    assert_close(layer(X), plain(X))


def test_bidirectional_takes_cells_and_layers_that_no_table_has() -> None:
    class Running(layers.Layer):
        """A layer that reads in a direction, but has no cell."""

        def __init__(self, go_backwards: bool = False, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.go_backwards = go_backwards
            self.return_sequences, self.return_state, self.stateful = True, False, False

        def call(self, inputs: Any) -> Any:
            return jnp.cumsum(jnp.flip(inputs, 1) if self.go_backwards else inputs, 1)

    forward, backward = np.cumsum(X, 1), np.cumsum(X[:, ::-1], 1)[:, ::-1]
    assert_close(layers.Bidirectional(Running(), "sum")(X), forward + backward)
    both = layers.Bidirectional(layers.RNN(Learned(), return_sequences=True), "sum")
    assert_close(both(X), 2 + forward + backward)


def test_a_decoder_starts_from_the_states_of_an_encoder() -> None:
    source, target = layers.Input((None, FEATURES)), layers.Input((None, 2))
    _, *states = layers.LSTM(UNITS, return_state=True, name="encoder")(source)
    decoder = layers.LSTM(UNITS, return_sequences=True, name="decoder")
    model = Model([source, target], decoder(target, initial_state=states))
    given = np.random.default_rng(1).normal(size=(BATCH, 7, 2)).astype("float32")
    encoder = model.get_layer("encoder")
    _, *last = encoder(X)
    assert_close(model([X, given]), decoder(given, initial_state=last))
    assert float(jnp.abs(model([X, given]) - model([2 * X, given])).max()) > 1e-3


@pytest.mark.parametrize("cell", [layers.Dense(3), len, [], [layers.Dense(3)]])
def test_what_is_no_cell_is_refused(cell: Any) -> None:
    with pytest.raises(SettingError, match=r"state_size|list of cells"):
        layers.RNN(cell)


def test_cells_beyond_those_of_keras_become_an_lstm_where_what_they_add_is_taken_away() -> None:
    plain = layers.LSTM(UNITS, return_sequences=True)
    layer = layers.RNN(
        layers.PeepholeLSTMCell(UNITS, peephole_initializer="zeros"), return_sequences=True
    )
    plain(X)
    layer(X)
    layer.set_weights([*plain.get_weights(), np.zeros((3, UNITS))])
    assert_trees_close(layer(PACKED).values, plain(PACKED).values)


@pytest.mark.parametrize("cell", [layers.LayerNormLSTMCell, layers.LayerNormGRUCell])
def test_normalised_cells_do_not_see_the_scale_of_their_kernels(cell: Any) -> None:
    layer = layers.RNN(cell(UNITS, norm_epsilon=1e-12), return_sequences=True)
    layer(X)
    kernel, recurrent_kernel, *rest = layer.get_weights()
    before = np.asarray(layer(X))
    layer.set_weights([3 * kernel, recurrent_kernel, *rest])
    assert_close(layer(X), before)
    layer.set_weights([kernel, recurrent_kernel, 3 * rest[0] + 1, *rest[1:]])
    assert np.abs(np.asarray(layer(X)) - before).max() > 1e-3


def test_states_are_of_the_type_that_a_cell_computes_in() -> None:
    layer = layers.RNN(Learned(dtype="bfloat16"), return_state=True, dtype="bfloat16")
    assert [array.dtype for array in layer(X)] == [jnp.bfloat16] * 2


STATES: dict[str, tuple[Any, str]] = {
    "too few": ([jnp.zeros((BATCH, UNITS))] * 2, "3 states, but initial_state holds 2"),
    "of another shape": (
        [[jnp.zeros((BATCH, UNITS))] * 2, [jnp.zeros((BATCH, UNITS))]],
        r"initial_state\[2\] must have shape .batch, units. = .2, 6., not .2, 4.",
    ),
}


@pytest.mark.parametrize("name", STATES)
def test_states_that_do_not_fit_a_stack_are_named(name: str) -> None:
    states, message = STATES[name]
    layer = layers.RNN([layers.LSTMCell(UNITS), layers.GRUCell(6)], name="deep")
    with pytest.raises(ShapeError, match=f"layer 'deep' .RNN.*{message}"):
        layer(X, initial_state=states)


def test_cells_without_bias_have_none() -> None:
    for cell, count in ((layers.LayerNormLSTMCell, 5), (layers.LayerNormGRUCell, 4)):
        layer = layers.RNN(cell(UNITS, use_bias=False))
        layer(X)
        assert len(layer.weights) == count
