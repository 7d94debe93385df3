"""The summary: a line for each layer, the shape of each of its calls, and where its inputs are."""

from typing import Any

import pytest

import everystep as es
from everystep.errors import StateError
from everystep.models.summary import lines


def model_of_graph() -> Any:
    """Two inputs, a shared layer, an operation, states, and models inside."""
    layers = es.layers
    one, other = es.Input((5, 3), name="one"), es.Input((None, 3), name="other")
    shared = layers.Dense(4, name="shared")
    read = layers.LSTM(4, return_sequences=True, return_state=True, name="read")
    values, *states = read(shared(one))
    row = es.Sequential([es.Input((5, 4)), layers.Dense(2, name="inside")], name="row")
    last = layers.LSTM(4, name="last")(shared(other), initial_state=states)
    return es.Model([one, other], [row(values)[:, -1], last], name="whole")


def test_a_line_says_where_a_layer_stands_and_what_each_call_gives() -> None:
    found = {line.name: line for line in lines(model_of_graph(), expand_nested=True)}
    assert found["shared"].output_shapes == [(None, 5, 4), (None, None, 4)]
    assert found["shared"].sources == ["one[0][0]", "other[0][0]"]
    assert found["read"].output_shapes == [((None, 5, 4), (None, 4), (None, 4))]
    assert found["last"].sources == ["shared[1][0]", "read[0][1]", "read[0][2]"]
    assert (found["inside"].depth, found["inside"].output_shapes) == (1, [(None, 5, 2)])
    item = next(line for line in found.values() if line.kind == "GetItem")
    assert (item.parameters, item.trainable, item.output_shapes) == (0, None, [(None, 2)])


def test_the_table_has_keras_columns(capsys: pytest.CaptureFixture[str]) -> None:
    found: list[str] = []
    model_of_graph().summary(140, expand_nested=True, show_trainable=True, print_fn=found.append)
    (text,) = found
    for word in (
        'Model: "whole"',
        "Connected to",
        "(None, 5, 4); (None, None, 4)",
        "shared[1][0], read[0][1], read[0][2]",
        "   └ inside (Dense)",
        "0 (0.00 B)",
    ):
        assert word in text
    es.Sequential([es.Input((3,)), es.layers.Dense(2)]).summary()
    assert "Connected to" not in capsys.readouterr().out


def test_a_range_of_layers_is_given_by_patterns() -> None:
    found: list[str] = []
    model = model_of_graph()
    model.summary(140, print_fn=found.append, layer_range=["shared", "read$"])
    assert "shared (Dense)" in found[0]
    assert "read (LSTM)" in found[0]
    assert "last (LSTM)" not in found[0]
    with pytest.raises(StateError, match="layer_range names"):
        model.summary(print_fn=found.append, layer_range=["nothing", "read"])


def test_a_model_that_is_not_built_says_so() -> None:
    found: list[str] = []
    es.Sequential([es.layers.Dense(2)]).summary(print_fn=found.append)
    assert "0 (unbuilt)" in found[0]
