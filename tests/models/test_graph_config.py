"""Configurations of graphs: those that are wrong say what is wrong, and nothing recurses."""

import copy
import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import everystep as es
from everystep.errors import FormatError, SettingError

X = np.ones((2, 4, 3), "float32")


def config() -> Any:
    """The configuration of two layers in a row, as a file holds it."""
    start = es.Input((4, 3), name="start")
    middle = es.layers.Dense(3, name="middle")(start)
    model = es.Model(start, es.layers.Dense(2, name="last")(middle)[:, 1:])
    return json.loads(json.dumps(model.get_config()))


def history(node: Any) -> Any:
    return node["inbound_nodes"][0]["args"][0]["config"]["keras_history"]


def loop(data: Any) -> None:
    history(data["layers"][1])[:] = ["last", 0, 0]


def set_layer(number: int, key: str, value: Any) -> Callable[[Any], None]:
    def change(data: Any) -> None:
        data["layers"][number][key] = value

    return change


def set_history(*value: Any) -> Callable[[Any], None]:
    def change(data: Any) -> None:
        history(data["layers"][2])[:] = value

    return change


WRONG: dict[str, tuple[Callable[[Any], Any], str]] = {
    "a loop": (loop, "the graph has a loop through layer"),
    "no such layer": (set_history("lost", 0, 0), "has no layer 'lost', but needs it"),
    "no such call": (set_history("middle", 7, 0), "has no call 7 of layer 'middle'"),
    "a call below the first": (set_history("middle", -1, 0), "no call -1 of layer 'middle'"),
    "no such output": (set_history("middle", 0, 4), "takes output 4 of layer 'middle', which"),
    "an output below": (set_history("middle", 0, -1), "takes output -1 of layer 'middle'"),
    "no place": (set_history("middle", "0"), "must name a layer, its call and its output"),
    "two of one name": (set_layer(1, "name", "last"), "two layers named 'last'"),
    "no name": (set_layer(1, "name", 3), "each with its name and its inbound_nodes"),
    "calls of Keras 2": (
        set_layer(1, "inbound_nodes", [[["start", 0, 0, {}]]]),
        "must hold args and kwargs, as Keras 3 writes it",
    ),
    "no layer": (
        lambda data: data["layers"][1].update(
            module="keras.initializers", class_name="Zeros", config={}
        ),
        "has 'middle', which is no layer but Zeros",
    ),
    "an unknown operation": (set_layer(3, "class_name", "Exec"), "no operation named 'Exec'"),
    "no symbol": (
        lambda data: data.update(output_layers=7),
        "has 7 where a symbol must stand",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_configuration_says_what_is_wrong(name: str) -> None:
    change, words = WRONG[name]
    data = copy.deepcopy(config())
    change(data)
    with pytest.raises(SettingError, match=words):
        es.models.Functional.from_config(data)


def test_a_deep_graph_is_read_without_recursion() -> None:
    start = es.Input((3,))
    symbol = start
    for _ in range(300):
        symbol = symbol + 1
    text = es.Model(start, symbol).to_json()
    assert es.models.model_from_json(text)(np.zeros((1, 3))).tolist() == [[300.0] * 3]


def test_a_configuration_in_any_order_gives_the_model() -> None:
    data = config()
    data["layers"].reverse()
    model = es.models.Functional.from_config(data)
    assert [layer.name for layer in model.layers] == ["last", "middle", "start"]
    assert model(X).shape == (2, 3, 2)


def test_json_that_holds_no_model_says_so() -> None:
    layer = json.dumps(es.saving.serialize_keras_object(es.layers.Dense(2)))
    with pytest.raises(SettingError, match="must be that of a model"):
        es.models.model_from_json(layer)
    with pytest.raises(FormatError):
        es.models.model_from_json("{")


@es.saving.register_keras_serializable("tests")
class Halved(es.Model):
    """A model with a call of its own, for use inside a graph."""

    def __init__(self, units: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.label = es.layers.Dense(units)

    def call(self, inputs: Any) -> Any:
        return self.label(inputs) / 2


def test_models_of_every_kind_stand_in_a_graph_and_come_back() -> None:
    start = es.Input((4, 3))
    row = es.Sequential([es.layers.Dense(3)], name="row")
    inner_start = es.Input((4, 3))
    inner = es.Model(inner_start, inner_start + row(inner_start), name="inner")
    model = es.Model(start, inner(Halved(3)(inner(row(start)))))
    again = es.models.model_from_json(model.to_json())
    # The row stands in the graph and in the model inside: it is one layer in both.
    assert len(again.weights) == len(model.weights) == 4
    again.set_weights(model.get_weights())
    np.testing.assert_array_equal(again(X), model(X))
