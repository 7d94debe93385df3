"""Optimizers: Keras's updates step by step, a rate that changes, optax's taken as they are."""

import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from everystep import optimizers
from everystep.core import Variable
from everystep.errors import SettingError
from tests.tolerances import assert_close

keras = pytest.importorskip("keras", reason="Keras is the independent source of the numbers")

CASES: list[tuple[str, dict[str, Any]]] = [
    ("SGD", {}),
    ("SGD", {"learning_rate": 0.3, "momentum": 0.8}),
    ("SGD", {"momentum": 0.9, "nesterov": True, "weight_decay": 0.1}),
    ("Adam", {}),
    ("AdamW", {}),
    ("Adam", {"beta_1": 0.7, "beta_2": 0.9, "clipnorm": 0.5}),
    ("AdamW", {"weight_decay": 0.3, "global_clipnorm": 1.0}),
    ("RMSprop", {}),
    ("RMSprop", {"momentum": 0.8, "rho": 0.7}),
    ("RMSprop", {"momentum": 0.8, "centered": True, "epsilon": 1e-2}),
    ("Adagrad", {}),
    ("Adagrad", {"initial_accumulator_value": 0.7, "learning_rate": 0.2}),
    ("Adadelta", {"learning_rate": 1.0, "rho": 0.8}),
    ("Adamax", {}),
    ("Lion", {"clipvalue": 0.3, "weight_decay": 0.02}),
]
# Where optax differs from Keras on purpose, optax's own optimizer is the source.
OPTAX: dict[str, tuple[str, dict[str, Any], Any]] = {
    "epsilon": (
        "Adam",
        {"beta_1": 0.7, "beta_2": 0.9, "epsilon": 1e-3},
        optax.adam(1e-3, 0.7, 0.9, 1e-3),
    ),
    "amsgrad": ("Adam", {"amsgrad": True}, optax.amsgrad(1e-3, eps=1e-7)),
    "Nadam": ("Nadam", {"beta_1": 0.5}, optax.nadam(1e-3, 0.5, eps=1e-7)),
}
SHAPES: dict[str, tuple[int, ...]] = {"kernel": (3, 5), "bias": (5,), "scale": (), "none": (0, 2)}


def random_tree(draw: np.random.Generator) -> dict[str, Any]:
    return {name: draw.normal(size=shape).astype("float32") for name, shape in SHAPES.items()}


@pytest.mark.parametrize(("name", "settings"), CASES)
def test_updates_are_those_of_keras(name: str, settings: dict[str, Any]) -> None:
    draw = np.random.default_rng(9)
    ours, theirs = (
        getattr(optimizers, name)(**settings),
        getattr(keras.optimizers, name)(**settings),
    )
    weights = {key: jnp.asarray(value) for key, value in random_tree(draw).items()}
    variables = {key: keras.Variable(value) for key, value in weights.items()}
    transform = ours.transform()
    update, state = jax.jit(transform.update), transform.init(weights)
    for step in range(6):
        gradients = {key: g * 2.0**-step for key, g in random_tree(draw).items()}
        theirs.apply([jnp.asarray(g) for g in gradients.values()], list(variables.values()))
        updates, state = update(gradients, state, weights)
        weights = optax.apply_updates(weights, updates)
        for key, variable in variables.items():
            assert_close(weights[key], variable.value)


@pytest.mark.parametrize("case", OPTAX)
def test_updates_are_those_of_optax(case: str) -> None:
    name, settings, theirs = OPTAX[case]
    draw = np.random.default_rng(9)
    weights = random_tree(draw)
    ours = getattr(optimizers, name)(**settings).transform()
    states = ours.init(weights), theirs.init(weights)
    for step in range(6):
        gradients = {key: g * 10.0**-step for key, g in random_tree(draw).items()}
        found, first = ours.update(gradients, states[0], weights)
        wanted, second = theirs.update(gradients, states[1], weights)
        states = first, second
        for key in weights:
            assert_close(found[key], wanted[key])


def test_every_optimizer_is_compared() -> None:
    assert {case[0] for case in CASES} | {case[0] for case in OPTAX.values()} == set(
        optimizers.CATALOGUE.classes
    )


@pytest.mark.parametrize("name", sorted(optimizers.CATALOGUE.classes))
def test_arguments_defaults_and_configurations_are_those_of_keras(name: str) -> None:
    import inspect

    ours, theirs = getattr(optimizers, name), getattr(keras.optimizers, name)
    mine, wanted = (inspect.signature(cls).parameters for cls in (ours, theirs))
    own = [key for key, parameter in mine.items() if parameter.kind != parameter.KEYWORD_ONLY]
    assert own == list(wanted)[: len(own)]
    assert set(mine) == set(wanted) - {"kwargs"}
    for key in set(mine) - {"name"}:
        assert mine[key].default == wanted[key].default, key
    written = optimizers.serialize(ours(learning_rate=0.25))
    again = keras.optimizers.deserialize(written)
    assert type(again) is theirs
    assert again.get_config() == written["config"]
    assert type(optimizers.get(keras.optimizers.serialize(theirs()))) is ours


@pytest.mark.parametrize("name", sorted(optimizers.CATALOGUE.classes))
def test_a_bowl_is_descended(name: str) -> None:
    optimizer = getattr(optimizers, name)(learning_rate=10.0 if name == "Adadelta" else 0.05)
    weights = jnp.array([1.0, -2.0])
    state = optimizer.init(weights)
    update = jax.jit(optimizer.update)
    for _ in range(200):
        updates, state = update(weights, state, weights)
        weights = weights + updates
    assert float(jnp.abs(weights).max()) < 0.9


def test_the_rate_changes_between_steps_without_compiling_again() -> None:
    optimizer = optimizers.SGD(1.0)
    compiled = 0

    @jax.jit
    def step(gradient: Any, state: Any) -> Any:
        nonlocal compiled
        compiled += 1
        return optimizer.update(gradient, state)

    state, steps = optimizer.init(jnp.zeros(())), []
    for rate in (None, 0.25, None, 0.5):
        if rate is not None:
            optimizer.learning_rate = rate
        state = optimizer.refreshed(state)
        update, state = step(jnp.ones(()), state)
        steps.append(float(update))
    assert steps == [-1.0, -0.25, -0.25, -0.5]
    assert compiled == 1
    assert optimizer.learning_rate == 0.5
    assert optimizer.get_config()["learning_rate"] == 0.5
    assert int(state.count) == 4


def test_a_schedule_is_a_function_of_the_step() -> None:
    optimizer = optimizers.SGD(optax.linear_schedule(1.0, 0.0, 4))
    state, steps = optimizer.init(jnp.zeros(())), []
    for _ in range(4):
        update, state = jax.jit(optimizer.update)(jnp.ones(()), optimizer.refreshed(state))
        steps.append(float(update))
    assert steps == [-1.0, -0.75, -0.5, -0.25]
    with pytest.raises(SettingError, match="cannot replace each other"):
        optimizer.learning_rate = 0.1
    with pytest.raises(SettingError, match="register_keras_serializable"):
        optimizer.get_config()


@pytest.mark.parametrize("bad", [-1.0, "fast", None, math.nan])
def test_a_bad_rate_is_refused_later_too(bad: Any) -> None:
    optimizer = optimizers.Adam()
    with pytest.raises(SettingError, match="Adam: learning_rate"):
        optimizer.learning_rate = bad


def test_weights_can_be_left_out_of_decay() -> None:
    weights = {
        "dense": {"kernel": jnp.ones(2), "bias": jnp.ones(2)},
        "out": {"kernel": jnp.ones(1)},
    }
    optimizer = optimizers.SGD(0.1, weight_decay=0.5)
    variable = Variable(np.ones(1), name="kernel", path="out/kernel")
    optimizer.exclude_from_weight_decay(var_list=[variable], var_names=["bias"])
    updates, _ = optimizer.update(
        jax.tree.map(jnp.zeros_like, weights), optimizer.init(weights), weights
    )
    assert_close(updates["dense"]["kernel"], np.full(2, -0.05, "float32"))
    assert not updates["dense"]["bias"].any()
    assert not updates["out"]["kernel"].any()
    with pytest.raises(SettingError, match="needs the weights"):
        optimizer.update(weights, optimizer.init(weights))


def test_two_ways_of_clipping_are_refused() -> None:
    with pytest.raises(SettingError, match="at most one of clipnorm, clipvalue"):
        optimizers.Adam(clipnorm=1.0, clipvalue=1.0)


def test_a_gradient_of_zero_is_clipped_to_zero() -> None:
    for settings in ({"clipnorm": 1.0}, {"global_clipnorm": 1.0}, {"clipvalue": 1.0}):
        optimizer = optimizers.SGD(**settings)
        update, _ = optimizer.update(jnp.zeros(3), optimizer.init(jnp.zeros(3)))
        assert not np.asarray(update).any()


def test_transformations_of_optax_are_taken_as_they_are() -> None:
    transformation = optax.chain(optax.clip(1.0), optax.adam(1e-2))
    optimizer = optimizers.get(transformation)
    assert optimizer.transform() is transformation
    state = transformation.init(jnp.zeros(2))
    assert optimizer.refreshed(state) is state
    with pytest.raises(SettingError, match="hidden"):
        _ = optimizer.learning_rate
    with pytest.raises(SettingError, match="cannot be written"):
        optimizers.serialize(optimizer)
    optimizer.learning_rate = 0.5
    with pytest.raises(SettingError, match="inject_hyperparams"):
        optimizer.refreshed(state)


def test_a_rate_that_optax_injects_can_be_set() -> None:
    optimizer = optimizers.get(optax.inject_hyperparams(optax.sgd)(learning_rate=1.0))
    transform = optimizer.transform()
    state = transform.init(jnp.zeros(()))
    optimizer.learning_rate = 0.25
    update, _ = transform.update(jnp.ones(()), optimizer.refreshed(state))
    assert optimizer.learning_rate == 0.25
    assert float(update) == -0.25


def test_names_and_what_is_none() -> None:
    assert isinstance(optimizers.get("rmsprop"), optimizers.RMSprop)
    assert isinstance(optimizers.get(optimizers.Lion), optimizers.Lion)
    with pytest.raises(SettingError, match="did you mean 'adamax'"):
        optimizers.get("adamx")
    for wrong in (None, 3, lambda gradient: gradient):
        with pytest.raises(SettingError, match="an optimizer must be a name"):
            optimizers.get(wrong)
