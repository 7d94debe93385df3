"""A layer that somebody wrote for Keras with jax.numpy runs here unchanged, with equal numbers."""

import copy
import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import everystep as es
from tests.tolerances import assert_close
from tests.written_for_keras.layers import LAYERS, counting, positions, reading, residual

keras = pytest.importorskip("keras", reason="Keras is the independent source of the behaviour")

VALUES = np.random.default_rng(5).normal(size=(2, 5, 3)).astype("float32")
IDS = np.array([[3, 1, 2, 0, 0], [7, 10, 4, 2, 5]], "int32")
Style = Callable[[Any], Callable[[], Any]]


def inputs(style: Style) -> Any:
    return IDS if style is positions else VALUES


def built(style: Style) -> tuple[Any, Any]:
    """The layer in both libraries, called once, with the weights of Keras."""
    ours, theirs = style(es)(), style(keras)()
    ours(inputs(style))
    theirs(inputs(style))
    ours.set_weights(theirs.get_weights())
    return ours, theirs


def names(variables: Any) -> list[str]:
    """Their names; numbers of those that have none of their own differ, and where noise is from."""
    found = [v.name for v in variables if v.name != "seed_generator_state"]
    return ["variable" if name.startswith("variable") else name for name in found]


@pytest.mark.parametrize("style", LAYERS)
def test_outputs_weights_and_losses_are_those_of_keras(style: Style) -> None:
    ours, theirs = built(style)
    x = inputs(style)
    assert_close(ours(x), theirs(x))
    assert [v.shape for v in ours.weights] == [tuple(v.shape) for v in theirs.weights]
    for kind in ("trainable_variables", "non_trainable_variables", "trainable_weights"):
        found, wanted = (names(getattr(layer, kind)) for layer in (ours, theirs))
        assert found == wanted
    assert [np.shape(loss) for loss in ours.losses] == [()] * len(theirs.losses)
    for found, wanted in zip(ours.losses, theirs.losses, strict=True):
        assert_close(found, wanted)
    for name in ("built", "trainable", "dtype", "compute_dtype", "variable_dtype"):
        assert getattr(ours, name) == getattr(theirs, name), name
    assert ours.supports_masking or not theirs.supports_masking
    assert ours.count_params() == theirs.count_params()
    if style is not positions:
        shape = (None, *x.shape[1:])
        wanted = theirs.compute_output_spec(keras.KerasTensor(shape)).shape
        assert tuple(ours.compute_output_shape(shape)) == wanted


@pytest.mark.parametrize("style", LAYERS)
def test_a_configuration_comes_back(style: Style) -> None:
    ours, theirs = built(style)
    config = ours.get_config()
    assert json.loads(json.dumps(config)) == config
    again = type(ours).from_config(copy.deepcopy(config))
    again(inputs(style))
    again.set_weights(ours.get_weights())
    assert_close(again(inputs(style)), ours(inputs(style)))
    wanted = theirs.get_config()
    for name in wanted.keys() - {"name", "layer", "activation", "activity_regularizer"}:
        assert config[name] == wanted[name], name


@pytest.mark.parametrize("style", LAYERS)
def test_it_becomes_part_of_a_graph(style: Style) -> None:
    x = inputs(style)
    symbol, layer = es.Input(x.shape[1:], dtype=x.dtype.name), style(es)()
    model = es.Model(symbol, layer(symbol))
    outputs = model(x)
    assert layer.output.shape == (None, *np.shape(outputs)[1:])
    if style is not counting:  # It gives something else each time.
        assert_close(outputs, layer(x))


def test_the_mode_reaches_the_layers_inside() -> None:
    ours, theirs = built(residual)
    assert_close(ours(VALUES, training=False), theirs(VALUES, training=False))
    assert not np.allclose(ours(VALUES, training=True), ours(VALUES, training=False))


def test_masks_of_a_users_own_go_on_as_they_say() -> None:
    for library in (es, keras):
        layer = positions(library)()
        layer(IDS)
        assert np.asarray(layer.compute_mask(IDS)).tolist() == (IDS != 0).tolist()
    steps = positions(es)()(IDS)
    assert np.asarray(steps.segments != 0).tolist() == (IDS != 0).tolist()


def test_a_layer_inside_sees_the_mask() -> None:
    pairs = [
        (k.layers.Embedding(11, 3, mask_zero=True, name="words"), reading(k)()) for k in (es, keras)
    ]
    (words, ours), (their_words, theirs) = pairs
    ours(words(IDS))
    wanted = theirs(their_words(IDS))
    words.set_weights(their_words.get_weights())
    ours.set_weights(theirs.get_weights())
    found = ours(words(IDS))
    assert_close(found, wanted)
    assert np.asarray(found.segments != 0).tolist() == (IDS != 0).tolist()
    assert not np.allclose(ours(words(IDS).values), found)
