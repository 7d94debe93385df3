"""Helpers give what Keras's give, and refuse what it takes in silence."""

import random
from typing import Any

import hypothesis.strategies as st
import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis.extra import numpy as arrays

import everystep as es
from everystep import regularizers, saving, utils
from everystep.errors import DataError, SettingError
from everystep.utils import pad_sequences, set_random_seed, to_categorical


@settings(max_examples=60, deadline=None)
@given(
    ids=arrays.arrays(
        "int64", arrays.array_shapes(max_dims=3, max_side=4), elements=st.integers(0, 5)
    ),
    num_classes=st.sampled_from([None, 6, 9]),
)
def test_one_hot_rows_are_those_of_keras(ids: Any, num_classes: int | None) -> None:
    found = to_categorical(ids, num_classes)
    wanted = keras.utils.to_categorical(ids, num_classes)
    assert found.dtype == wanted.dtype
    np.testing.assert_array_equal(found, wanted)


@pytest.mark.parametrize(
    ("ids", "num_classes", "word"),
    [([0, 3], 3, "class id 3"), ([-1, 0], 3, "class id -1"), ([0.5], 3, "whole"), ([], None, "no")],
)
def test_ids_that_are_no_class_are_refused(ids: Any, num_classes: int | None, word: str) -> None:
    with pytest.raises(DataError, match=word):
        to_categorical(ids, num_classes)


SEQUENCES = st.lists(st.lists(st.integers(1, 9), max_size=5), min_size=1, max_size=4)
SIDES = st.sampled_from(["pre", "post"])


@settings(max_examples=100, deadline=None)
@given(
    sequences=SEQUENCES,
    maxlen=st.sampled_from([None, 1, 3, 7]),
    padding=SIDES,
    truncating=SIDES,
    value=st.sampled_from([0.0, -1]),
)
def test_padding_is_that_of_keras(sequences: Any, **options: Any) -> None:
    if options["maxlen"] is None and not any(sequences):
        options["maxlen"] = 2
    found, wanted = (
        function(sequences, **options) for function in (pad_sequences, keras.utils.pad_sequences)
    )
    assert found.dtype == wanted.dtype
    np.testing.assert_array_equal(found, wanted)


def test_padding_keeps_what_a_step_holds() -> None:
    sequences = [np.ones((2, 3), "float32"), np.zeros((0, 3)), np.ones((4, 3), "float32") / 2]
    found = pad_sequences(sequences, dtype="float32", padding="post", value=9)
    wanted = keras.utils.pad_sequences(sequences, dtype="float32", padding="post", value=9)
    np.testing.assert_array_equal(found, wanted)


def test_no_sequences_and_no_steps_are_defined() -> None:
    assert pad_sequences([]).shape == (0, 0)
    assert pad_sequences([[], []]).shape == (2, 0)
    assert pad_sequences([[1, 2]], maxlen=0).shape == (1, 0)


@pytest.mark.parametrize(
    ("sequences", "options", "error", "word"),
    [
        ([[1]], {"padding": "left"}, SettingError, "padding must be"),
        ([[1]], {"truncating": "left"}, SettingError, "truncating must be"),
        ([[1], 2], {}, DataError, "sequence 1"),
        ([[1], "ab"], {}, DataError, "sequence 1"),
        ([np.ones((2, 3)), np.ones((2, 4))], {}, DataError, r"sequence 1 .*\(4,\)"),
    ],
)
def test_what_cannot_be_padded_is_named(
    sequences: Any, options: Any, error: Any, word: str
) -> None:
    with pytest.raises(error, match=word):
        pad_sequences(sequences, **options)


def drawn() -> list[Any]:
    layer = es.layers.Dense(2)
    layer.build((None, 3))
    return [layer.name, layer.get_weights()[0].tolist(), np.random.rand(), random.random()]


def test_a_seed_makes_everything_repeatable() -> None:
    set_random_seed(5)
    first = drawn()
    assert drawn() != first
    set_random_seed(5)
    assert drawn() == first
    set_random_seed(6)
    assert drawn()[1:] != first[1:]


@pytest.mark.parametrize("seed", [-1, 2**32, 0.5, "5", None, True])
def test_what_is_no_seed_is_refused(seed: Any) -> None:
    with pytest.raises(SettingError, match="seed"):
        set_random_seed(seed)


def test_names_of_classes_are_kept_as_in_keras() -> None:
    @saving.register_keras_serializable(package="kept", name="Other")
    class Own(regularizers.L2):
        """A class of a user."""

    class Inner(Own):
        """One that is not registered must not go by its base's name."""

    assert saving.get_registered_name(Own) == "kept>Other"
    assert saving.get_registered_name(Inner) == "Inner"
    assert saving.get_registered_object("kept>Other") is Own
    assert saving.get_registered_object("none") is None
    assert saving.get_registered_object("none", {"none": Own}) is Own
    data = saving.serialize_keras_object(Inner(0.5))
    assert data["registered_name"] == "Inner"
    with pytest.raises(SettingError, match="which is not registered"):
        saving.deserialize_keras_object(data)
    assert type(saving.deserialize_keras_object(data, {"Inner": Inner})) is Inner
    saving.get_custom_objects()["Inner"] = Inner
    assert type(regularizers.deserialize(data)) is Inner
    del saving.get_custom_objects()["Inner"]
    with saving.CustomObjectScope({"Inner": Inner}):
        assert type(saving.deserialize_keras_object(data)) is Inner
    assert type(regularizers.deserialize("Inner", {"Inner": Inner})) is Inner


def test_arrays_and_tuples_as_in_keras() -> None:
    values = np.array([[3.0, 4.0, 0.0], [0.0, 0.0, 0.0]])
    for chosen in ({}, {"order": 1}, {"axis": 1}):
        found, wanted = (each.normalize(values, **chosen) for each in (utils, keras.utils))
        np.testing.assert_allclose(found, wanted)
    for parts in ((1,), (1, 2), (1, 2, 3)):
        wanted = keras.utils.unpack_x_y_sample_weight(parts)
        assert utils.unpack_x_y_sample_weight(parts) == wanted
        assert utils.pack_x_y_sample_weight(*parts) == keras.utils.pack_x_y_sample_weight(*parts)
    with pytest.raises(DataError, match="Data is expected to be in format"):
        utils.unpack_x_y_sample_weight((1, 2, 3, 4))
