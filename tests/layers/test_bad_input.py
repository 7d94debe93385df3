"""What cannot work is one clear error: the layer, what it expects, what came, and the cure."""

import re
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from everystep import layers
from everystep.errors import (
    DataError,
    EverystepError,
    SegmentsError,
    SettingError,
    ShapeError,
    StateError,
)
from everystep.models import Sequential
from everystep.sequences import Steps

X = np.ones((2, 4, 3), "float32")
IDS = np.ones((2, 4), "int32")


def built(layer: Any, inputs: Any = X) -> Any:
    layer(inputs)
    return layer


def flat_model() -> Sequential:
    return Sequential([layers.Input((None, 3)), layers.Flatten(), layers.Dense(5, name="wide")])


def embedding(**options: Any) -> Any:
    return layers.Embedding(7, 3, name="words", **options)


Case = tuple[Callable[[], Any], type[EverystepError], list[str]]
CASES: dict[str, Case] = {
    "rank": (
        lambda: built(layers.Dense(5, name="label"))(np.ones(3, "float32")),
        ShapeError,
        ["layer 'label' (Dense)", "expected min_ndim=2, found ndim=1", "(3,)", "(batch, ..., 3)"],
    ),
    "rank of a first call": (
        lambda: layers.LSTM(5, name="read")(np.ones((2, 3), "float32")),
        ShapeError,
        ["layer 'read' (LSTM)", "expected ndim=3, found ndim=2", "(batch, steps, features)"],
    ),
    "rank of a first dense call": (
        lambda: layers.Dense(5, name="label")(np.float32(3)),
        ShapeError,
        ["layer 'label' (Dense)", "min_ndim=2"],
    ),
    "features": (
        lambda: built(layers.Dense(5, name="label"))(np.ones((2, 4, 6), "float32")),
        ShapeError,
        ["layer 'label' (Dense)", "axis -1", "value 3, found 6", "(2, 4, 6)"],
    ),
    "features of an LSTM": (
        lambda: built(layers.LSTM(5, name="read"))(np.ones((2, 4, 6), "float32")),
        ShapeError,
        ["layer 'read' (LSTM)", "value 3, found 6"],
    ),
    "features inside": (
        lambda: built(Sequential([layers.Dense(5, name="label")], name="tagger"))(X[..., :2]),
        ShapeError,
        ["layer 'tagger/label' (Dense)", "value 3, found 2"],
    ),
    "steps of own layers": (
        lambda: built(layers.PerStep(layers.Dense(5), name="own"))(X[:, :3]),
        ShapeError,
        ["layer 'own' (PerStep)", "axis 1", "value 4, found 3"],
    ),
    "no time axis": (
        lambda: layers.TimeDistributed(layers.Dense(5), name="each")(np.ones(3, "float32")),
        ShapeError,
        ["layer 'each' (TimeDistributed)", "min_ndim=2", "(batch, steps, ...)"],
    ),
    "reshape": (
        lambda: layers.Reshape((5, -1), name="fold")(X),
        ShapeError,
        ["layer 'fold' (Reshape)", "(5, -1)", "(2, 4, 3)", "12 values"],
    ),
    "id too large": (
        lambda: embedding()(np.array([[1, 2], [3, 7]])),
        DataError,
        ["layer 'words' (Embedding)", "id 7 at position (1, 1)", "0 to 6", "input_dim"],
    ),
    "negative id": (
        lambda: embedding()(np.array([[1, -2]])),
        DataError,
        ["layer 'words' (Embedding)", "id -2 at position (0, 1)", "0 to 6"],
    ),
    "float ids": (
        lambda: embedding()(np.array([[1.0, 2.0]])),
        DataError,
        ["layer 'words' (Embedding)", "integer ids", "float", "astype('int32')"],
    ),
    "ids of bool": (lambda: embedding()(IDS > 0), DataError, ["layer 'words'", "integer", "bool"]),
    "wide id": (
        lambda: embedding()(np.array([[2**40 + 1]])),
        DataError,
        ["layer 'words'", "32 bits"],
    ),
    "id inside a model": (
        lambda: Sequential([embedding()], name="tagger")(np.array([[9]])),
        DataError,
        ["layer 'tagger/words' (Embedding)", "id 9"],
    ),
    "id behind a first layer": (
        lambda: Sequential([layers.Flatten(), embedding()], name="tagger")(np.array([[9]])),
        DataError,
        ["layer 'tagger/words' (Embedding)", "id 9"],
    ),
    "strings": (
        lambda: layers.Dense(5, name="label")(np.array([["a", "b"]])),
        DataError,
        ["layer 'label' (Dense)", "takes numbers", "<U1", "vocabulary"],
    ),
    "objects": (
        lambda: layers.Dense(5, name="label")(np.array([[None, 2]], object)),
        DataError,
        ["layer 'label' (Dense)", "object"],
    ),
    "a list": (
        lambda: layers.Dense(5, name="label")("words"),
        DataError,
        ["layer 'label' (Dense)", "takes arrays, not str"],
    ),
    "nothing": (lambda: layers.Dense(5, name="label")([]), DataError, ["layer 'label'", "[]"]),
    "mask of another shape": (
        lambda: layers.LSTM(5, name="read")(X, mask=np.ones((2, 3), bool)),
        ShapeError,
        ["layer 'read'", "(batch, steps) = (2, 4)", "(2, 4, 3)", "not (2, 3)"],
    ),
    "mask of rank 1": (
        lambda: layers.LSTM(5, name="read")(X, mask=np.ones(2, bool)),
        ShapeError,
        ["layer 'read'", "not (2,)"],
    ),
    "a sum over the steps": (
        lambda: layers.Dense(5, name="label")(X[..., 0], mask=np.ones((2, 4), bool)),
        SegmentsError,
        ["layer 'label' (Dense)", "(2, 4)", "would mix steps", "(batch, steps, 1)"],
    ),
    "a softmax over the steps": (
        lambda: layers.Activation("softmax", name="soft")(X[..., 0], mask=np.ones((2, 4), bool)),
        SegmentsError,
        ["layer 'soft' (Activation)", "would mix steps"],
    ),
    "mask lost": (
        lambda: layers.Flatten(name="flat")(X, mask=np.ones((2, 4), bool)),
        SegmentsError,
        ["layer 'flat' (Flatten)", "would lose the mask", "steps.values"],
    ),
    "mask lost inside": (
        lambda: Sequential([embedding(mask_zero=True), layers.Flatten(name="flat")], name="tagger")(
            IDS
        ),
        SegmentsError,
        ["layer 'tagger/flat' (Flatten)", "mask_zero=False"],
    ),
    "flatten of unknown steps": (
        flat_model,
        ShapeError,
        ["wide' (Dense)", "'kernel'", "3*steps", "fixed number", "Input(shape=(steps, features))"],
    ),
    "own layers for unknown steps": (
        lambda: Sequential([layers.Input((None, 3)), layers.PerStep(layers.Dense(5), name="own")]),
        ShapeError,
        ["own' (PerStep)", "number of steps must be known", "TimeDistributed"],
    ),
    "stateful with unknown batch": (
        lambda: Sequential([layers.Input((4, 3)), layers.LSTM(5, stateful=True, name="read")]),
        ShapeError,
        ["read' (LSTM)", "batch size must be known", "batch_shape"],
    ),
    "states too few": (
        lambda: layers.LSTM(5, name="read")(X, initial_state=[jnp.zeros((2, 5))]),
        ShapeError,
        ["layer 'read' (LSTM)", "2 states", "holds 1"],
    ),
    "state of another shape": (
        lambda: layers.LSTM(5, name="read")(X, initial_state=[jnp.zeros((2, 4))] * 2),
        ShapeError,
        ["layer 'read' (LSTM)", "initial_state[0]", "(2, 5)", "not (2, 4)"],
    ),
    "states of a cell": (
        lambda: layers.LSTMCell(5, name="cell")(X[:, 0], [jnp.zeros((2, 4))] * 2),
        ShapeError,
        ["layer 'cell' (LSTMCell)", "(2, 5)", "not (2, 4)"],
    ),
    "an odd number of states": (
        lambda: layers.Bidirectional(layers.LSTM(5), name="both")(
            X, initial_state=[jnp.zeros((2, 5))] * 3
        ),
        ShapeError,
        ["layer 'both' (Bidirectional)", "3"],
    ),
    "a layer that is not recurrent": (
        lambda: layers.Bidirectional(layers.Dense(5)),
        SettingError,
        ["Bidirectional", "recurrent", "Dense("],
    ),
    "two layers that read forward": (
        lambda: layers.Bidirectional(layers.LSTM(5), backward_layer=layers.LSTM(5)),
        SettingError,
        ["Bidirectional", "go_backwards=True"],
    ),
    "a noise shape of another rank": (
        lambda: layers.Dropout(0.5, noise_shape=(None, 1), name="drop")(X, training=True),
        SettingError,
        ["layer 'drop' (Dropout)", "noise_shape", "(2, 4, 3)"],
    ),
    "an unknown activation": (
        lambda: layers.Dense(5, activation="tahn"),
        SettingError,
        ["Dense: activation", "tahn", "did you mean 'tanh'"],
    ),
    "an unknown initializer": (
        lambda: layers.Dense(5, kernel_initializer="glorot"),
        SettingError,
        ["Dense: kernel_initializer", "glorot"],
    ),
    "a missing setting": (lambda: layers.Dense(), SettingError, ["Dense", "units"]),
    "weights of another shape": (
        lambda: built(layers.Dense(5, name="label")).set_weights([np.ones((3, 4)), np.ones(5)]),
        ShapeError,
        ["'label/kernel'", "(3, 5)", "(3, 4)"],
    ),
    "too few weights": (
        lambda: built(layers.Dense(5, name="label")).set_weights([np.ones((3, 5))]),
        ShapeError,
        ["layer 'label'", "2 weights", "given 1", "(3, 5)"],
    ),
    "weights before build": (
        lambda: layers.Dense(5, name="label").set_weights([np.ones((3, 5))]),
        StateError,
        ["layer 'label'", "no weights yet"],
    ),
    "build without a shape": (
        lambda: layers.Dense(5, name="label").build(None),
        StateError,
        ["layer 'label' (Dense)", "input shape is not known"],
    ),
    "build for another shape": (
        lambda: built(layers.Dense(5, name="label")).build((None, 7)),
        StateError,
        ["layer 'label' (Dense)", "built already", "make a new layer"],
    ),
    "segments of two kinds": (
        lambda: layers.TimeDistributed(layers.Dense(5), name="each")(
            [Steps.of(X, IDS, packed=False), Steps.of(X, IDS, packed=False)]
        ),
        SegmentsError,
        ["layer 'each' (TimeDistributed)", "different segments"],
    ),
    "a mask inside": (
        lambda: layers.LSTM(2, name="words")(X, mask=np.ones(X.shape, bool)),
        SegmentsError,
        ["layer 'words' (LSTM)", "goes on inside of steps", str(X.shape), "TimeDistributed"],
    ),
    "noise without a key": (
        lambda: layers.apply.apply(built(layers.Dropout(0.5, name="drop")), {}, X, training=True),
        StateError,
        ["layer 'drop'", "key=jax.random.key(0)"],
    ),
    "weights of another layer": (
        lambda: layers.apply.apply(built(layers.Dense(5, name="label")), {"label/kernel": 1}, X),
        DataError,
        ["layer 'label'", "missing ['label/bias']", "weights_of"],
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_an_error_names_the_layer_what_it_expects_what_came_and_the_cure(name: str) -> None:
    act, error, words = CASES[name]
    with pytest.raises(error) as caught:
        act()
    message = str(caught.value)
    for word in words:
        assert word in message, message
    assert not re.search(r"0x[0-9a-f]{6}|\bTracer|<function", message), message


def test_an_id_that_no_table_has_gives_nan_where_it_is_not_known_before() -> None:
    layer = built(embedding(), IDS)
    outputs = jax.jit(lambda ids: layer(ids))(np.array([[1, 7], [-1, 6]]))
    np.testing.assert_array_equal(np.isnan(outputs).all(-1), [[False, True], [True, False]])


@pytest.mark.parametrize("number", [np.nan, np.inf])
def test_a_failed_call_leaves_a_layer_that_can_be_built_for_another_input(number: float) -> None:
    layer = layers.Dense(5)
    with pytest.raises(ShapeError):
        layer(np.full(3, number))
    assert layer(X).shape == (2, 4, 5)
    assert len(layer.weights) == 2


def test_a_list_that_jax_could_read_as_one_array_is_not_taken_apart() -> None:
    with pytest.raises(DataError, match="takes arrays"):
        layers.Dense(5)([["1", "2"], ["3", "4"]])
