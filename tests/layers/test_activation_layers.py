"""Softmax under masks of both kinds, against Keras; and what activation layers take and refuse."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from everystep.errors import ShapeError
from everystep.layers import LeakyReLU, PReLU, Softmax
from everystep.sequences import Steps
from tests.tolerances import assert_close

keras: Any = pytest.importorskip("keras", reason="Keras is what is compared with")

X = np.random.default_rng(0).normal(size=(2, 5, 3)).astype("float32")
STEPS = np.array([[True, False, True, True, False], [False, False, False, False, False]])


@pytest.mark.parametrize("axis", [-1, 1, [1, 2]])
@pytest.mark.parametrize("shape", [(2, 5, 3), (5, 1), (2, 1, 3), (3,)])
def test_a_mask_of_single_values_hides_them_as_in_keras(axis: Any, shape: Any) -> None:
    mask = np.random.default_rng(1).random(shape) > 0.4
    found = Softmax(axis)(X, mask=mask)
    assert_close(found, keras.layers.Softmax(axis)(X, mask=jnp.asarray(mask)))


def test_a_mask_of_numbers_counts_from_one_half_as_in_keras() -> None:
    mask = np.random.default_rng(1).random((2, 5, 3)).astype("float32")
    assert_close(Softmax()(X, mask=mask), keras.layers.Softmax()(X, mask=jnp.asarray(mask)))


def test_a_mask_of_steps_hides_padding_along_the_steps() -> None:
    found = Softmax(1)(X, mask=STEPS)
    whole = np.broadcast_to(STEPS[:, :, None], X.shape)
    assert_close(found.values, keras.layers.Softmax(1)(X, mask=jnp.asarray(whole)))
    assert_close(Softmax()(X, mask=STEPS).values, keras.layers.Softmax()(X))
    assert_close(
        Softmax()(X[:, :, 0], mask=STEPS).values,
        keras.layers.Softmax()(X[:, :, 0], mask=jnp.asarray(STEPS)),
    )


def test_what_is_hidden_gives_no_nan_however_large_it_is() -> None:
    large = np.where(STEPS[:, :, None], X, 1e38).astype("float32")

    def loss(values: Any) -> Any:
        return jnp.sum(jnp.square(Softmax(1)(values, mask=STEPS).values))

    value, slopes = jax.value_and_grad(loss)(jnp.asarray(large))
    assert_close(value, loss(jnp.asarray(X)))
    assert_close(slopes, jax.grad(loss)(jnp.asarray(X)))


def test_both_kinds_of_masks_go_together() -> None:
    steps = Steps.of(X, STEPS.astype(int), packed=False)
    counted = np.array([True, True, False])
    found = Softmax([1, 2])(steps, mask=counted)
    assert_close(found.values[0][STEPS[0]][:, :2].sum(), np.float32(1))
    assert not found.values[:, :, 2].any()


def test_a_mask_that_does_not_fit_is_refused() -> None:
    with pytest.raises(ShapeError, match="must be broadcastable to `inputs`"):
        Softmax()(X, mask=np.ones((2, 5, 4), bool))
    with pytest.raises(ShapeError, match="must be broadcastable to `inputs`"):
        Softmax()(X, mask=np.ones((1, 2, 5, 3), bool))


def test_leaky_relu_takes_its_older_name() -> None:
    layer = LeakyReLU(alpha=0.1)
    assert layer.negative_slope == 0.1
    assert layer.get_config()["negative_slope"] == 0.1
    assert "alpha" not in layer.get_config()


def test_slopes_cannot_be_shared_along_axes_that_are_not_there() -> None:
    with pytest.raises(ShapeError, match=r"along axes \[3\]"):
        PReLU(shared_axes=3)(X)
