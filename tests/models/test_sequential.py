"""A Sequential as a graph: its symbols, and layers that come and go."""

import numpy as np
import pytest

import everystep as es
from everystep.errors import ShapeError, StateError

X = np.ones((2, 5, 3), "float32")


def row() -> es.Sequential:
    layers = [es.layers.Dense(4, name="first"), es.layers.LSTM(2, name="second")]
    return es.Sequential([es.Input((5, 3), name="start"), *layers], name="row")


def test_a_part_of_a_row_is_a_model_of_the_same_weights() -> None:
    model = row()
    part = es.Model(model.input, model.layers[0].output)
    np.testing.assert_array_equal(part(X), model.layers[0](X))
    every = es.Model(model.inputs, [layer.output for layer in model.layers])
    np.testing.assert_array_equal(every(X)[1], model(X))
    assert (model.input_names, model.output_names) == (["start"], ["second"])
    assert model.layers[0].input is model.input


def test_data_gives_a_row_its_symbols_too() -> None:
    model = es.Sequential([es.layers.Dense(4), es.layers.Dense(2)])
    with pytest.raises(StateError, match="no defined outputs yet"):
        _ = model.outputs
    model(X)
    assert [layer.output.shape for layer in model.layers] == [(2, 5, 4), (2, 5, 2)]


def test_layers_come_and_go_without_leaving_calls_behind() -> None:
    model = row()
    last = model.pop()
    assert last is not None
    assert not last.nodes
    model.add(es.layers.Dense(7))
    with pytest.raises(ShapeError):
        model.add(es.layers.Reshape((3,)))
    assert model.output.shape == (None, 5, 7)
    assert [len(layer.nodes) for layer in model.layers] == [1, 1]


def test_a_row_without_a_shape_takes_that_of_a_symbol() -> None:
    model = es.Sequential([es.layers.Dense(4)])
    assert model(es.Input((5, 3))).shape == (None, 5, 4)
    assert model.count_params() == 16
