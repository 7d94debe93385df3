import jax
import jax.numpy as jnp
import numpy as np
import pytest

from everystep.kernels.pointwise import Activation, along_units, is_pointwise

SLOPES = np.arange(7.0)
POINTWISE: list[Activation] = [
    jnp.tanh,
    jax.nn.sigmoid,
    jax.nn.relu,
    jax.nn.gelu,
    jax.nn.silu,
    jax.nn.softplus,
    jax.nn.elu,
    jax.nn.selu,
    jax.nn.hard_sigmoid,
    jax.nn.leaky_relu,
    lambda values: values,
    lambda values: 2 * values + 1,
]
MIXING: list[Activation] = [
    jax.nn.softmax,
    jax.nn.log_softmax,
    lambda values: values - values.mean(),
    lambda values: values[..., ::-1],
    lambda values: jnp.cumsum(values, axis=-1),
    lambda values: values * SLOPES,
    jax.nn.glu,
    lambda values: values.sum(),
]


@pytest.mark.parametrize("function", POINTWISE)
def test_elementwise_functions_are_known(function: Activation) -> None:
    assert is_pointwise(function)


@pytest.mark.parametrize("function", MIXING)
def test_whatever_mixes_elements_is_told_apart(function: Activation) -> None:
    assert not is_pointwise(function)


@pytest.mark.parametrize("function", [jnp.tanh, jax.nn.softmax, lambda v: jnp.cumsum(v, axis=-1)])
def test_activations_see_the_units_last(function: Activation) -> None:
    values = jnp.asarray(np.random.default_rng(0).normal(size=(4, 3)))
    np.testing.assert_allclose(along_units(function, values), function(values.T).T)
