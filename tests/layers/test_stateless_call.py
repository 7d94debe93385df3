"""stateless_call: outputs, new state and losses as Keras gives them, and the layer left alone."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import everystep as es
from tests.tolerances import assert_close

keras = pytest.importorskip("keras", reason="Keras is the independent source of the numbers")

INPUTS = np.random.default_rng(1).normal(size=(4, 3)).astype("float32")


def model_of(library: Any) -> Any:
    return library.Sequential(
        [
            library.layers.Input((3,)),
            library.layers.Dense(2, kernel_regularizer="l2", activity_regularizer="l1"),
            library.layers.BatchNormalization(),
        ]
    )


def test_it_gives_what_keras_gives() -> None:
    ours, theirs = model_of(es), model_of(keras)
    found = []
    for model in (ours, theirs):
        trained = [jnp.full(v.shape, 0.3) for v in model.trainable_variables]
        rest = [jnp.full(v.shape, 0.7) for v in model.non_trainable_variables]
        before = [np.array(v) for v in model.get_weights()]
        found.append(model.stateless_call(trained, rest, INPUTS, training=True, return_losses=True))
        for old, new in zip(before, model.get_weights(), strict=True):
            np.testing.assert_array_equal(old, new)
    (outputs, state, losses), (wanted, wanted_state, wanted_losses) = found
    assert_close(outputs, wanted)
    for own, their in zip(state, wanted_state, strict=True):
        assert_close(own, their)
    assert_close(np.sort(np.float32(losses)), np.sort(np.float32(wanted_losses)))


def test_noise_needs_a_key_where_jax_traces() -> None:
    layer = es.layers.Dropout(0.5)
    assert layer(INPUTS).shape == (4, 3)
    outputs, _ = layer.stateless_call([], [], INPUTS, training=True)
    assert (np.asarray(outputs) == 0).any()
    with pytest.raises(es.errors.StateError, match="give `apply` a key"):
        jax.jit(lambda x: layer.stateless_call([], [], x, training=True)[0])(INPUTS)


def test_what_does_not_fit_is_refused() -> None:
    layer = es.layers.Dense(2)
    with pytest.raises(es.errors.StateError, match="must be built"):
        layer.stateless_call([], [], INPUTS)
    layer(INPUTS)
    with pytest.raises(es.errors.DataError, match="received 1, but expected 2"):
        layer.stateless_call([jnp.ones((3, 2))], [], INPUTS)
