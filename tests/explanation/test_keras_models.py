"""Live models of Keras are explained as the same models of everystep are."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest

import everystep as es

STEPS = 4
OWN = np.eye(STEPS, dtype=bool)
BEFORE = np.tri(STEPS, dtype=bool)


def tagger(room: Any) -> Any:
    layers = room.layers
    model = room.Sequential(
        [
            layers.Embedding(9, 3, mask_zero=True),
            layers.Bidirectional(layers.LSTM(2, return_sequences=True)),
            layers.TimeDistributed(layers.Dense(2)),
        ]
    )
    model.build((None, None))
    return model


def attended(room: Any) -> Any:
    x = room.Input((None, 4))
    again = room.layers.Dense(4, name="again")
    mixed = room.layers.MultiHeadAttention(2, 2, name="mixed")(x, x, use_causal_mask=True)
    return room.Model(x, again(again(x + mixed)))


def two_by_two(room: Any) -> Any:
    words, tags = room.Input((STEPS, 3), name="words"), room.Input((STEPS, 2), name="tags")
    joined = room.layers.Concatenate()([words, tags])
    read = room.layers.GRU(2, return_sequences=True)(joined)
    return room.Model([words, tags], [room.layers.Dense(2)(tags), room.layers.Flatten()(read)])


@pytest.mark.parametrize("make", [tagger, attended, two_by_two])
def test_the_explanation_is_that_of_the_same_model_of_everystep(
    make: Callable[[Any], Any],
) -> None:
    theirs, ours = es.explain(make(keras)), es.explain(make(es))
    for one, other in zip(theirs.upper_maps, ours.upper_maps, strict=True):
        for found, expected in zip(one, other, strict=True):
            np.testing.assert_array_equal(found, expected)
    assert theirs.exact
    assert theirs.parameters == ours.parameters
    assert theirs.any_length == ours.any_length
    kinds = [[call.call.kind for call in r.layers] for r in (theirs, ours)]
    assert sorted(kinds[0]) == sorted(kinds[1])


def test_each_call_of_a_model_of_keras_reads_what_stands_before_it() -> None:
    calls = es.explain(attended(keras)).layers
    assert [call.sources for call in calls] == [[-1], [0, -1], [1]]
    for call, depends in zip(calls, [[BEFORE], [OWN, OWN], [OWN]], strict=True):
        np.testing.assert_array_equal(call.depends, depends)
    assert calls[1].call.weights == calls[2].call.weights == ("again/kernel", "again/bias")


def test_a_mask_of_keras_goes_from_call_to_call() -> None:
    calls = es.explain(tagger(keras)).layers
    assert [call.call.kind for call in calls] == ["Embedding", "Bidirectional", "TimeDistributed"]
    assert [call.sources[0] for call in calls] == [-1, 0, 1]
    np.testing.assert_array_equal(calls[2].depends[0], OWN)


def test_the_state_of_a_random_generator_is_not_told() -> None:
    data = es.explain(keras.layers.LSTM(2), (None, STEPS, 3)).data()
    names = ["kernel", "recurrent_kernel", "bias"]
    assert [weight["path"].split("/")[-1] for weight in data["weights"]] == names
    assert data["layers"][0]["weights"] == [weight["path"] for weight in data["weights"]]


def test_a_layer_of_keras_is_one_call() -> None:
    (call,) = es.explain(keras.layers.LSTM(2, return_sequences=True), (None, STEPS, 3)).layers
    np.testing.assert_array_equal(call.depends, [BEFORE])
