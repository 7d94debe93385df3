"""What is done again with other numbers compiles little, or says why it compiles so much."""

import re
import warnings
from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest

import everystep as es
from everystep import layers
from tests.compiling import compiled

Again = Callable[[int], Any]
X, Y = np.ones((4, 5, 3), "float32"), np.ones((4, 5), "int32")


def model(*inner: Any) -> Any:
    made = es.Sequential([*inner, layers.Dense(2)])
    made.compile("adam", es.losses.SparseCategoricalCrossentropy(from_logits=True))
    return made


def learning_rate() -> Again:
    trained = model()

    def again(number: int) -> None:
        trained.optimizer.learning_rate = 0.1 / number
        trained.train_on_batch(X, Y)

    return again


def dtypes_of_ids() -> Again:
    read = model(layers.Embedding(9, 2))
    return lambda number: read.predict_on_batch(Y.astype(("int64", "int32")[number % 2]))


def lists_of_all_kinds() -> Again:
    read, random = model(layers.SimpleRNN(2, return_sequences=True)), np.random.default_rng(0)

    def again(number: int) -> None:
        lengths = [40, *random.integers(1, 40, 4 * number)]
        read.predict([np.ones((length, 3), "float32") for length in lengths], verbose=0)

    return again


def chunks_of_a_stream() -> Again:
    inner = layers.Conv1D(2, 3, padding="causal")
    stream = es.Sequential([es.Input((None, 3)), inner]).stream(4)
    return lambda number: stream.push(np.ones((4, number, 3), "float32"))


def a_layer_made_anew() -> Again:
    return lambda number: layers.LSTM(2)(X * number)


class Cell(layers.Layer):
    """A cell of a user."""

    state_size = 3

    def call(self, inputs: Any, states: Any) -> Any:
        new = jnp.tanh(inputs + states[0])
        return new, [new]


def a_cell_of_a_user() -> Again:
    return lambda number: layers.Bidirectional(layers.RNN(Cell()))(X * number)


def an_explanation() -> Again:
    return lambda number: es.explain(es.Sequential([layers.LSTM(2)]), (None, number % 3 + 2, 3))


FEW: dict[Callable[[], Again], int] = {
    learning_rate: 0,
    dtypes_of_ids: 0,
    lists_of_all_kinds: 4,
    chunks_of_a_stream: 3,
    a_layer_made_anew: 0,
    a_cell_of_a_user: 0,
    an_explanation: 0,
}
"""How many programs are compiled when it is done ten times more, each time with other numbers."""


@pytest.mark.parametrize("made", FEW, ids=lambda made: made.__name__)
def test_what_is_done_again_compiles_little(made: Callable[[], Again]) -> None:
    again = made()
    again(1)
    again(2)
    with compiled() as programs:
        for number in range(3, 13):
            again(number)
    assert len(programs) <= FEW[made], programs


def test_a_layer_that_is_called_on_many_shapes_says_so() -> None:
    dense = layers.Dense(2, name="scores")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for steps in range(1, 20):
            dense(np.ones((2, steps, 3), "float32"))
    (warning,) = caught
    assert warning.filename == __file__
    assert str(warning.message) == (
        "layer 'scores' (Dense), called outside of jax.jit, has met batches of 10 shapes, and JAX "
        "compiles for each, which takes seconds: they have 10 different numbers of steps, from 1 "
        "to 10. To avoid it, pad the sequences to a few lengths, or give them as one list to the "
        "predict of a model; if so many are meant, filter this warning"
    )


def compile_again(trained: Any, number: int) -> None:
    trained.compile("sgd", "mse", max_shapes=2)


def freeze(trained: Any, number: int) -> None:
    trained.layers[0].trainable = number % 2 == 0


@pytest.mark.parametrize(
    ("change", "words"),
    [(compile_again, "compile is called again.*call compile once"), (freeze, "trainable is cha")],
)
def test_programs_that_are_made_again_and_again_say_why(change: Any, words: str) -> None:
    trained = es.Sequential([layers.Dense(2)], name="judge")
    trained.compile("sgd", "mse", max_shapes=2)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for number in range(6):
            trained.predict_on_batch(X)
            change(trained, number)
    (warning,) = caught
    assert warning.filename == __file__
    assert re.match(
        f"model 'judge' makes its programs for the 4th time.*{words}", f"{warning.message}"
    )
