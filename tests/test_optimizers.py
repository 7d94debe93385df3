"""Optimizers: a rate that changes, weights left out of decay, optax's taken as they are."""

import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from everystep import optimizers
from everystep.core import Variable
from everystep.errors import SettingError, StateError
from tests.tolerances import assert_close

NAMED = [name for name in sorted(optimizers.CATALOGUE.classes) if name != "LossScaleOptimizer"]


def test_an_optax_chain_makes_the_same_steps() -> None:
    weights, gradients = {"kernel": jnp.ones(3)}, {"kernel": jnp.array([1.0, -2.0, 0.5])}
    variable, optimizer = Variable(np.ones(3)), optimizers.Adam(0.25)
    chain = optax.chain(optax.clip(1.0), optimizer.transform())
    state = chain.init(weights)
    for _ in range(3):
        updates, state = chain.update(gradients, state, weights)
        weights = optax.apply_updates(weights, updates)
        optimizer.apply([jnp.clip(gradients["kernel"], -1, 1)], [variable])
    assert_close(weights["kernel"], variable.numpy())


def test_a_bowl_is_descended() -> None:
    for name in NAMED:
        optimizer = getattr(optimizers, name)(learning_rate=10.0 if name == "Adadelta" else 0.05)
        weight = Variable([1.0, -2.0])
        for _ in range(30):
            optimizer.apply([weight.value], [weight])
        assert float(jnp.abs(weight.value).max()) < 1.95, name


def test_the_rate_changes_between_steps_without_compiling_again() -> None:
    optimizer, weight, compiled = optimizers.SGD(1.0), Variable(np.zeros(())), 0
    optimizer.build([weight])

    @jax.jit
    def step(state: Any, value: Any) -> Any:
        nonlocal compiled
        compiled += 1
        return optimizer.stateless_apply(state, [jnp.ones(())], [value])

    steps, state = [], None
    for rate in (None, 0.25, None, 0.5):
        if rate is not None:
            optimizer.learning_rate = rate
        (value,), state = step([each.value for each in optimizer.variables], weight.value)
        steps.append(float(value - weight.value))
        optimizer.set_weights(state)
    assert steps == [-1.0, -0.25, -0.25, -0.5]
    assert compiled == 1
    assert float(optimizer.learning_rate) == 0.5
    assert optimizer.get_config()["learning_rate"] == 0.5
    assert int(optimizer.iterations) == 4


def test_a_schedule_is_a_function_of_the_step_or_of_nothing() -> None:
    weight, steps = Variable(np.zeros(())), []
    optimizer = optimizers.SGD(optax.linear_schedule(1.0, 0.0, 4))
    for _ in range(4):
        before = float(weight)
        optimizer.apply([jnp.ones(())], [weight])
        steps.append(float(weight) - before)
    assert steps == [-1.0, -0.75, -0.5, -0.25]
    assert [variable.name for variable in optimizer.variables] == ["iteration"]
    with pytest.raises(SettingError, match="cannot replace each other"):
        optimizer.learning_rate = 0.1
    with pytest.raises(SettingError, match="register_keras_serializable"):
        optimizer.get_config()
    assert optimizers.SGD(lambda: 0.5).learning_rate == 0.5


@pytest.mark.parametrize("bad", [-1.0, "fast", None, math.nan])
def test_a_bad_rate_is_refused_later_too(bad: Any) -> None:
    optimizer = optimizers.Adam()
    with pytest.raises(SettingError, match="Adam: learning_rate"):
        optimizer.learning_rate = bad


def test_weights_can_be_left_out_of_decay() -> None:
    paths = ("dense/kernel", "dense/bias", "out/kernel")
    weights = [Variable(np.ones(2), name=path.split("/")[1], path=path) for path in paths]
    optimizer = optimizers.SGD(0.1, weight_decay=0.5)
    optimizer.exclude_from_weight_decay(var_list=weights[2:], var_names=["bias"])
    optimizer.apply([jnp.zeros(2)] * 3, weights)
    assert_close(weights[0].numpy(), np.full(2, 0.95, "float32"))
    assert weights[1].numpy().tolist() == weights[2].numpy().tolist() == [1.0, 1.0]


def test_two_ways_of_clipping_are_refused() -> None:
    with pytest.raises(SettingError, match=r"Only one of `clipnorm`, `clipvalue`"):
        optimizers.Adam(clipnorm=1.0, clipvalue=1.0)


def test_a_gradient_of_zero_is_clipped_to_zero() -> None:
    for settings in ({"clipnorm": 1.0}, {"global_clipnorm": 1.0}, {"clipvalue": 1.0}):
        weight = Variable(np.ones(3))
        optimizers.SGD(**settings).apply([jnp.zeros(3)], [weight])
        assert weight.numpy().tolist() == [1.0, 1.0, 1.0]


def test_what_stays_keeps_its_state_where_the_weights_change() -> None:
    first, second, third = (Variable(np.ones(2), path=f"{name}") for name in "abc")
    optimizer = optimizers.SGD(momentum=0.5)
    optimizer.apply([jnp.ones(2)], [first])
    kept = optimizer.variables[2].numpy()
    optimizer.build([second, first])
    assert [each.name for each in optimizer.variables[2:]] == ["b_momentum", "a_momentum"]
    assert optimizer.variables[3].numpy().tolist() == kept.tolist()
    assert not optimizer.variables[2].numpy().any()
    with pytest.raises(StateError, match="Unknown variable: c"):
        optimizer.build([third])
    with pytest.raises(StateError, match="Unknown variable: c"):
        optimizer.apply([jnp.ones(2)], [third])


def test_gradients_and_weights_must_go_together() -> None:
    weight, optimizer = Variable(np.ones(2)), optimizers.Adam()
    with pytest.raises(StateError, match="1 gradients for 0 weights"):
        optimizer.apply([jnp.ones(2)])
    with pytest.raises(StateError, match="must be built before"):
        optimizer.stateless_apply([], [], [])
    with pytest.raises(StateError, match="No gradients provided for any variable"):
        optimizer.apply([None], [weight])
    with pytest.raises(StateError, match="has 4 variables and was given 1 values"):
        optimizer.set_weights([0])
    with pytest.raises(SettingError, match="needs the weights"):
        optimizer.update(jnp.ones(2), optimizer.init(jnp.ones(2)))


def test_transformations_of_optax_are_taken_as_they_are() -> None:
    transformation = optax.chain(optax.clip(1.0), optax.adam(1e-2))
    optimizer = optimizers.get(transformation)
    assert optimizer.transform() is transformation
    with pytest.raises(SettingError, match="hidden"):
        _ = optimizer.learning_rate
    with pytest.raises(SettingError, match="cannot be written"):
        optimizers.serialize(optimizer)
    weights = [Variable(np.ones(2), path="same"), Variable(np.ones(3), path="same")]
    values = {"same": jnp.ones(2), "same_1": jnp.ones(3)}
    state = transformation.init(values)
    for _ in range(2):
        gradients = {path: 3 * value for path, value in values.items()}
        optimizer.apply([3 * weight.value for weight in weights], weights)
        updates, state = transformation.update(gradients, state, values)
        values = optax.apply_updates(values, updates)
    assert_close(weights[1].numpy(), values["same_1"])
    assert int(optimizer.iterations) == 2
    with pytest.raises(SettingError, match="inject_hyperparams"):
        optimizer.learning_rate = 0.5


def test_a_rate_that_optax_injects_can_be_set() -> None:
    optimizer = optimizers.get(optax.inject_hyperparams(optax.sgd)(learning_rate=1.0))
    weight = Variable(np.zeros(()))
    optimizer.learning_rate = 0.25
    optimizer.apply([jnp.ones(())], [weight])
    optimizer.learning_rate = 0.5
    optimizer.apply([jnp.ones(())], [weight])
    assert optimizer.learning_rate == 0.5
    assert float(weight) == -0.75


def test_names_and_what_is_none() -> None:
    assert isinstance(optimizers.get("rmsprop"), optimizers.RMSprop)
    assert isinstance(optimizers.get(optimizers.Lion), optimizers.Lion)
    with pytest.raises(SettingError, match="did you mean 'adamax'"):
        optimizers.get("adamx")
    for wrong in (None, 3, lambda gradient: gradient):
        with pytest.raises(SettingError, match="an optimizer must be a name"):
            optimizers.get(wrong)
