import contextlib

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import everystep as es
from everystep.kernels.pointwise import (
    Activation,
    _with_slope,
    along_units,
    is_pointwise,
    same_function,
)

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


SAME: list[tuple[Activation, Activation]] = [
    (jnp.tanh, lambda values: jnp.tanh(values)),
    (jax.nn.relu, es.activations.relu),
    (jax.nn.hard_sigmoid, es.activations.hard_sigmoid),
    (lambda values: values, es.activations.linear),
]
OTHER: list[tuple[Activation, Activation]] = [
    (jnp.tanh, jnp.sinh),
    (lambda values: 2 * values, lambda values: 3 * values),
    (lambda values: values - 1, lambda values: 1 - values),
    # The same values with another slope at zero, and without any.
    (jax.nn.relu, lambda values: jnp.maximum(values, 0)),
    (jnp.tanh, lambda values: jax.lax.stop_gradient(jnp.tanh(values))),
    # Arrays that a function holds may change.
    (lambda values: values * SLOPES, lambda values: values * SLOPES),
]


@pytest.mark.parametrize("inside_a_mesh", [False, True])
def test_functions_that_compute_the_same_are_known(inside_a_mesh: bool) -> None:
    one = jax.make_mesh((1,), ("batch",), axis_types=(jax.sharding.AxisType.Auto,))
    for first, second in SAME:
        with jax.set_mesh(one) if inside_a_mesh else contextlib.nullcontext():
            assert same_function(first, second)
        _with_slope.cache_clear()
        known = _with_slope(first)
        _with_slope.cache_clear()
        with jax.set_mesh(one) if inside_a_mesh else contextlib.nullcontext():
            assert _with_slope(second) == known


@pytest.mark.parametrize(("one", "other"), OTHER)
def test_functions_that_differ_are_told_apart(one: Activation, other: Activation) -> None:
    assert not same_function(one, other)
