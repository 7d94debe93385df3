"""The layers against loops in NumPy that say the equation once more."""

from typing import Any

import numpy as np

from everystep.layers import LSTM, Dense, Embedding, LSTMCell, PerStep
from tests.tolerances import assert_close

BATCH, STEPS, FEATURES, UNITS = 2, 5, 3, 4
X = np.random.default_rng(0).normal(size=(BATCH, STEPS, FEATURES)).astype("float32")
STATES = [np.full((BATCH, UNITS), value, "float32") for value in (0.3, -0.2)]


def sigmoid(x: Any) -> Any:
    return 1 / (1 + np.exp(-x))


def lstm_step(x: Any, h: Any, c: Any, kernel: Any, recurrent: Any, bias: Any) -> tuple[Any, Any]:
    i, f, g, o = np.split(x @ kernel + h @ recurrent + bias, 4, axis=-1)
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
    return sigmoid(o) * np.tanh(c), c


def test_a_cell_is_one_step_of_the_equation() -> None:
    cell = LSTMCell(UNITS)
    output, (h, c) = cell(X[:, 0], STATES)
    wanted = lstm_step(X[:, 0], *STATES, *cell.get_weights())
    for found, expected in zip((output, h, c), (wanted[0], *wanted), strict=True):
        assert_close(found, expected)


def test_an_lstm_is_the_cell_step_after_step() -> None:
    layer = LSTM(UNITS, return_sequences=True, return_state=True)
    outputs, last_h, last_c = layer(X, initial_state=STATES)
    h, c = STATES
    for step in range(STEPS):
        h, c = lstm_step(X[:, step], h, c, *layer.get_weights())
        assert_close(outputs[:, step], h)
    assert_close(last_h, h)
    assert_close(last_c, c)


def test_the_forget_bias_starts_at_one() -> None:
    layer = LSTM(UNITS)
    layer(X)
    np.testing.assert_array_equal(layer.get_weights()[2].reshape(4, UNITS)[:, 0], [0, 1, 0, 0])


def test_dense_is_a_dot_product_at_every_step() -> None:
    layer = Dense(UNITS, activation="tanh", bias_initializer="ones")
    found = layer(X)
    kernel, bias = layer.get_weights()
    for row, step, unit in np.ndindex(BATCH, STEPS, UNITS):
        assert_close(
            found[row, step, unit], np.tanh(np.dot(X[row, step], kernel[:, unit]) + bias[unit])
        )


def test_embedding_looks_up_each_id() -> None:
    ids = np.array([[4, 0, 6], [1, 1, 5]])
    layer = Embedding(7, UNITS)
    found = layer(ids)
    (table,) = layer.get_weights()
    for row, step in np.ndindex(*ids.shape):
        np.testing.assert_array_equal(found[row, step], table[ids[row, step]])


def test_per_step_applies_the_layer_of_each_step() -> None:
    layer = PerStep(Dense(UNITS))
    found = layer(X)
    kernels, biases = layer.get_weights()
    assert not np.array_equal(kernels[0], kernels[1])
    for step in range(STEPS):
        assert_close(found[:, step], X[:, step] @ kernels[step] + biases[step])
