"""Functional models against Keras's, made of the same calls and holding the same weights."""

from typing import Any

import numpy as np
import pytest
from hypothesis import Phase, given, settings

import everystep as es
from tests.models.graphs import OPERATORS, SEVERAL, Plan, plans
from tests.trees import assert_trees_close, outputs_of

keras: Any = pytest.importorskip("keras", reason="Keras is what is compared with")

# Keras warns where an operator, or a model inside, loses a mask.
pytestmark = pytest.mark.filterwarnings("ignore:.*was passed an input with a mask:UserWarning")
few = settings(deadline=None, phases=[Phase.explicit, Phase.reuse, Phase.generate])
CHEAP = ("dense", "nested", "row", *SEVERAL, *OPERATORS)


def listed(outputs: Any) -> list[Any]:
    return list(outputs) if isinstance(outputs, list | tuple) else [outputs]


def place_of(weight: Any) -> str:
    """Which weight it is, whatever the model around was called."""
    return "/".join(weight.path.split("/")[-2:])


def stem(name: str) -> str:
    """A name without the number that an operation was given."""
    return name.rstrip("_0123456789")


def fill(*models: Any) -> None:
    """Give models the same weights."""
    random = np.random.default_rng(0)
    shapes = [weight.shape for weight in models[0].weights]
    values = [0.5 * random.normal(size=shape).astype("float32") for shape in shapes]
    for model in models:
        model.set_weights(values)


@settings(few, max_examples=40)
@given(plans((*CHEAP, "lstm", "mask"), most=10))
def test_layers_and_weights_stand_in_the_order_of_keras(plan: Plan) -> None:
    ours, theirs = plan.make(es), plan.make(keras)
    assert [layer.name for layer in ours.layers] == [layer.name for layer in theirs.layers]
    assert [place_of(one) for one in ours.weights] == [place_of(one) for one in theirs.weights]
    assert list(map(stem, ours.output_names)) == list(map(stem, theirs.output_names))
    assert ours.input_shape == theirs.input_shape
    assert ours.output_shape == theirs.output_shape


def test_the_arithmetic_of_masks_counts_in_the_order_though_segments_need_none() -> None:
    def make(room: Any) -> Any:
        layers = room.layers
        start = room.Input((4, 3), name="start")
        masked = layers.Masking(name="mask")(layers.Dense(3, name="deep")(start))
        read = layers.LSTM(3, name="read")(masked)
        short = layers.Dense(3, name="near")(layers.Dense(3, name="next")(start))
        return room.Model(start, [layers.Dense(3, name="last")(short), read])

    names = [layer.name for layer in make(keras).layers]
    assert names.index("deep") < names.index("next")
    assert [layer.name for layer in make(es).layers] == names


@settings(few, max_examples=10)
@given(plans((*CHEAP, "lstm"), most=6))
def test_the_same_weights_give_the_same_outputs_by_way_of_files_too(plan: Plan) -> None:
    ours, theirs = plan.make(es), plan.make(keras)
    read_from_keras = es.models.model_from_json(theirs.to_json())
    read_by_keras = keras.models.model_from_json(ours.to_json())
    fill(ours, theirs, read_from_keras, read_by_keras)
    wanted = listed(theirs(plan.data()))
    for model in (ours, read_from_keras, read_by_keras):
        assert_trees_close(outputs_of(model(plan.data())), wanted)
        assert [layer.name for layer in model.layers] == [layer.name for layer in theirs.layers]


def test_symbols_by_place_and_by_name_stand_in_the_order_of_keras() -> None:
    def make(room: Any) -> Any:
        layers = room.layers
        query, value, key = (room.Input((4, 6), name=name) for name in "qvk")
        start = room.Input((6,), name="start")
        inner = room.Model(start, layers.Dense(5, name="inside")(start), name="inner")
        one = layers.MultiHeadAttention(2, 3, name="one")(query, value, key)
        sides = {"value": layers.Dense(6, name="v1")(value), "key": layers.Dense(6, name="k1")(key)}
        two = layers.MultiHeadAttention(2, 3, name="two")(query, **sides)
        each = layers.TimeDistributed(inner, name="each")(two)
        return room.Model([query, value, key], [one - two, each], name="whole")

    random = np.random.default_rng(0)
    data = [random.normal(size=(2, 4, 6)).astype("float32") for _ in range(3)]
    ours, theirs = make(es), make(keras)
    assert [layer.name for layer in ours.layers] == [layer.name for layer in theirs.layers]
    fill(ours, theirs)
    assert_trees_close(outputs_of(ours(data)), theirs(data))


def test_masks_that_follow_by_themselves_are_read_as_such_and_the_others_as_they_are() -> None:
    ids = np.array([[3, 1, 0, 0], [2, 5, 4, 0]])
    explicit = np.array([[1, 0, 1, 1], [1, 1, 1, 0]], bool)
    layers = keras.layers
    start, given = keras.Input((4,), dtype="int32"), keras.Input((4,), dtype="bool")
    words = layers.Embedding(9, 3, mask_zero=True)(start)
    read = layers.Bidirectional(layers.LSTM(2, return_sequences=True))(words)
    # In Keras an operator loses the mask.
    last = layers.LSTM(2)(read + read)
    other = layers.LSTM(2)(layers.Dense(3)(words), mask=given)
    theirs = keras.Model([start, given], [read, last, other])
    ours = es.models.model_from_json(theirs.to_json())
    fill(ours, theirs)
    found = outputs_of(ours([ids, explicit]))
    assert_trees_close([np.asarray(one) for one in found], theirs([ids, explicit]))
    np.testing.assert_array_equal(found[0].mask, ids != 0)
    again = keras.models.model_from_json(ours.to_json())
    fill(again, ours)
    assert_trees_close(again([ids, explicit])[0], theirs([ids, explicit])[0])


def test_training_that_a_call_was_given_holds_until_the_run_says_otherwise() -> None:
    ones = np.ones((2, 3, 4), "float32")

    def drops(room: Any, given: bool, **kwargs: Any) -> bool:
        start = room.Input((3, 4))
        model = room.Model(start, room.layers.Dropout(0.5)(start, training=given))
        return bool((np.asarray(model(ones, **kwargs)) != 1).any())

    for given_mode in (True, False):
        for kwargs in ({}, {"training": True}, {"training": False}):
            assert drops(es, given_mode, **kwargs) == drops(keras, given_mode, **kwargs)
