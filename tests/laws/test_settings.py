"""Settings: what is refused, what goes into a configuration, and what comes back from it."""

import copy
import inspect
import json
import pickle
from collections.abc import Iterator
from typing import Any

import pytest

from everystep.core import deserialize, serialize
from everystep.errors import SettingError
from everystep.kinds import shown
from everystep.layers import CATALOGUE
from tests.catalogue import Entry
from tests.laws.selection import about
from tests.trees import assert_trees_same

# What a layer needs besides the setting that is tried.
REQUIRED: dict[str, Any] = {
    "units": 3,
    "rate": 0.5,
    "stddev": 0.5,
    "input_dim": 7,
    "output_dim": 3,
    "activation": "tanh",
    "target_shape": (3,),
    "batch_shape": (None, 3),
    "equation": "abc,cd->abd",
    "output_shape": 3,
    "function": abs,
    "axes": 1,
    "filters": 4,
    "kernel_size": 2,
    "pool_size": 2,
    "num_heads": 2,
    "key_dim": 3,
    "head_dim": 3,
    "num_query_heads": 4,
    "num_key_value_heads": 2,
    "dims": (2, 1),
    "n": 3,
    "labels": 3,
}


def valid(cls: Any) -> dict[str, Any]:
    layer = CATALOGUE.find("LSTM")(3, return_sequences=True)
    known = REQUIRED | {"layer": layer, "cell": layer.cell, "cells": [layer.cell]}
    return {name: known[name] for name in cls.settings if name in known}


def refused() -> Iterator[Any]:
    for cls in CATALOGUE.classes.values():
        for name, item in cls.settings.items():
            # Numbered: some of what is refused reads differently in each process.
            for number, value in enumerate(item.kind.refused):
                yield pytest.param(cls, name, value, id=f"{cls.__name__}-{name}-{number}")


@pytest.mark.parametrize(("cls", "name", "value"), list(refused()))
def test_a_wrong_value_names_class_setting_and_value(cls: Any, name: str, value: Any) -> None:
    with pytest.raises(cls.settings[name].kind.error) as caught:
        cls(**(valid(cls) | {name: value}))
    message = str(caught.value)
    assert message.startswith(f"{cls.__name__}: {name}")
    named = isinstance(value, dict) and "class_name" in value
    assert (value["class_name"] if named else shown(value)) in message


@pytest.mark.parametrize("cls", list(CATALOGUE.classes.values()), ids=lambda cls: cls.__name__)
def test_an_unknown_setting_names_the_nearest(cls: Any) -> None:
    with pytest.raises(
        SettingError, match=rf"{cls.__name__} has no setting 'trainible'.*trainable"
    ):
        cls(**valid(cls), trainible=True)


def test_a_configuration_is_plain_json_and_gives_an_equal_layer(entry: Entry) -> None:
    layer = entry.make()
    config = layer.get_config()
    assert json.loads(json.dumps(config)) == config
    assert type(layer).from_config(config).get_config() == config
    written = json.loads(json.dumps(serialize(layer)))
    assert serialize(deserialize(written)) == written


@about(lambda entry: "stateful" not in entry.name)
def test_a_layer_from_its_configuration_with_its_weights_gives_equal_outputs(entry: Entry) -> None:
    layer = entry.built()
    other = type(layer).from_config(layer.get_config())
    other(entry.inputs(), *entry.arguments())
    other.set_weights(layer.get_weights())
    call = (entry.inputs(), *entry.arguments())
    assert_trees_same(other(*call), layer(*call))


@about(lambda entry: "stateful" not in entry.name)
@pytest.mark.parametrize("copied", [copy.deepcopy, lambda layer: pickle.loads(pickle.dumps(layer))])
def test_a_copy_gives_equal_outputs_and_has_weights_of_its_own(entry: Entry, copied: Any) -> None:
    layer = entry.built()
    other = copied(layer)
    call = (entry.inputs(), *entry.arguments())
    before = layer(*call)
    assert_trees_same(other(*call), before)
    other.set_weights([2 * weight + 1 for weight in other.get_weights()])
    assert_trees_same(layer(*call), before)


def test_repr_reads_like_the_call_that_makes_the_layer(entry: Entry) -> None:
    layer = entry.make()
    text = repr(layer)
    assert text.startswith(f"{type(layer).__name__}(")
    assert f"name='{layer.name}'" in text
    assert "object at 0x" not in text
    assert "class_name" not in text


@pytest.mark.parametrize("name", CATALOGUE.classes)
def test_settings_come_by_place_in_the_order_of_keras(name: str) -> None:
    keras = pytest.importorskip("keras", reason="Keras is what is compared with")
    if not hasattr(keras.layers, name):
        pytest.skip("Keras has no such layer")

    def by_place(cls: Any) -> list[str]:
        parameters = inspect.signature(cls).parameters.values()
        return [item.name for item in parameters if item.kind is item.POSITIONAL_OR_KEYWORD]

    ours, theirs = by_place(CATALOGUE.find(name)), by_place(getattr(keras.layers, name))
    assert [setting for setting in ours if setting in theirs] == [
        setting for setting in theirs if setting in ours
    ]
