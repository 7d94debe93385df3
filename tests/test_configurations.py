"""What a configuration may hold besides numbers and text: plain data, and shared objects."""

import json
from typing import Any

import ml_dtypes
import numpy as np
import pytest

import everystep as es
from everystep.core.registry import deserialize, serialize
from everystep.core.sharing import sharing
from everystep.errors import SettingError

VALUES: dict[str, Any] = {
    "array": np.arange(6, dtype="int16").reshape(2, 3),
    "half": np.array([1, -2], ml_dtypes.bfloat16),
    "truth": np.array([True, False]),
    "bytes": "é".encode(),
    "slice": slice(1, None, 2),
    "ellipsis": ...,
}


def through_json(value: Any) -> Any:
    return deserialize(json.loads(json.dumps(serialize(value))))


@pytest.mark.parametrize("case", VALUES)
def test_plain_data_comes_back(case: str) -> None:
    value, found = VALUES[case], through_json(VALUES[case])
    if isinstance(value, np.ndarray):
        assert found.dtype == value.dtype
        np.testing.assert_array_equal(found, value)
    else:
        assert found == value


@pytest.mark.parametrize("case", ["array", "bytes", "slice", "ellipsis"])
def test_plain_data_is_written_as_keras_does(case: str) -> None:
    import keras

    assert serialize(VALUES[case]) == keras.saving.serialize_keras_object(VALUES[case])


@pytest.mark.parametrize(
    ("data", "word"),
    [
        ({"class_name": "__lambda__", "config": {"value": {"code": "4wE="}}}, "code"),
        ({"class_name": "__typespec__", "config": ["/etc/passwd"]}, "nothing known"),
        ({"class_name": "__numpy__", "config": {"value": [1], "dtype": "object"}}, "object"),
        ({"class_name": "__numpy__", "config": {"value": ["a"], "dtype": "float32"}}, "numpy"),
        ({"class_name": "__numpy__", "config": {"dtype": "float32"}}, "value"),
        ({"class_name": "__slice__", "config": [1, 2]}, "slice"),
    ],
)
def test_what_is_not_plain_data_is_refused(data: Any, word: str) -> None:
    with pytest.raises(SettingError, match=word):
        deserialize(data)


def test_an_object_in_two_places_is_one_object() -> None:
    label = es.layers.Dense(2)
    with sharing():
        data = json.loads(json.dumps(serialize([label, es.layers.Dense(2), label])))
    with sharing():
        first, other, second = deserialize(data)
    assert first is second
    assert other is not first
    first, _, second = deserialize(data)
    assert first is not second


def test_objects_that_are_not_shared_carry_no_number() -> None:
    with sharing():
        data = serialize([es.layers.Dense(2), es.layers.Dense(2)])
    assert "shared_object_id" not in json.dumps(data)
