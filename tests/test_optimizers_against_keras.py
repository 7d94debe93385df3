"""Optimizers against Keras: every number of weights and state, step by step, to the last bit."""

import inspect
import json
from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest

from everystep import optimizers
from everystep.core import Variable

keras = pytest.importorskip("keras", reason="Keras is the independent source of the numbers")

CASES: list[tuple[str, dict[str, Any]]] = [
    ("SGD", {"learning_rate": 0.3, "loss_scale_factor": 8.0}),
    ("SGD", {"momentum": 0.8, "weight_decay": 0.1, "global_clipnorm": 1.0}),
    ("SGD", {"momentum": 0.9, "nesterov": True, "gradient_accumulation_steps": 2, "use_ema": True}),
    ("Adam", {"clipnorm": 0.5, "epsilon": 1e-2}),
    ("Adam", {"amsgrad": True, "gradient_accumulation_steps": 3, "clipvalue": 0.3}),
    ("AdamW", {"use_ema": True, "ema_momentum": 0.5, "ema_overwrite_frequency": 2}),
    ("RMSprop", {"momentum": 0.8, "rho": 0.7}),
    ("RMSprop", {"centered": True, "epsilon": 1e-2}),
    ("Adagrad", {"initial_accumulator_value": 0.7}),
    ("Adadelta", {"learning_rate": 1.0, "rho": 0.8}),
    ("Adamax", {"weight_decay": 0.1}),
    ("Nadam", {"gradient_accumulation_steps": 2}),
    ("Lion", {"weight_decay": 0.02}),
    ("Ftrl", {"l1_regularization_strength": 0.05, "l2_shrinkage_regularization_strength": 0.1}),
    ("Ftrl", {"learning_rate_power": -0.6, "l2_regularization_strength": 0.2, "beta": 0.3}),
    ("Lamb", {}),
    ("ScheduleFreeAdamW", {"warmup_steps": 3}),
    ("Adafactor", {"learning_rate": 0.5, "clip_threshold": 0.5}),
    ("Muon", {}),
    ("Muon", {"nesterov": False, "rms_rate": None, "exclude_layers": ["tall"], "momentum": 0.5}),
]
SHAPES = {"kernel": (3, 5), "bias": (5,), "embeddings": (4, 2), "tall": (5, 2), "deep": (2, 3, 2)}
NAMED = [name for name in sorted(optimizers.CATALOGUE.classes) if name != "LossScaleOptimizer"]


def drawn(draw: np.random.Generator) -> list[Any]:
    return [jnp.asarray(draw.normal(size=s).astype("float32")) for s in SHAPES.values()]


def twins(values: list[Any]) -> tuple[list[Variable], list[Any]]:
    """Returns the same weights twice, under the same names and paths: ours and Keras's."""
    ours = [
        Variable(np.asarray(value), name=name, path=f"model/{name}")
        for name, value in zip(SHAPES, values, strict=True)
    ]
    with keras.name_scope("model"):
        theirs = [keras.Variable(each.numpy(), name=each.name) for each in ours]
    return ours, theirs


def assert_same(ours: list[Variable], theirs: list[Any]) -> None:
    described = [
        # Keras numbers the one variable to which it gives no name.
        [("variable" if v.name.startswith("variable_") else v.name, v.dtype) for v in variables]
        for variables in (ours, theirs)
    ]
    assert described[0] == described[1]
    for own, their in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(own.numpy(), np.asarray(their.value), err_msg=own.path)


@pytest.mark.parametrize(("name", "settings"), CASES)
def test_weights_and_state_are_those_of_keras(name: str, settings: dict[str, Any]) -> None:
    draw = np.random.default_rng(9)
    ours, theirs = (getattr(module, name)(**settings) for module in (optimizers, keras.optimizers))
    weights, variables = twins(drawn(draw))
    for step in range(4):
        gradients = [each * 2.0**-step for each in drawn(draw)]
        ours.apply(gradients, weights)
        theirs.apply(gradients, variables)
        assert_same(weights + ours.variables, variables + theirs.variables)
        assert int(ours.iterations) == int(theirs.iterations)
    ours.finalize_variable_values(weights)
    theirs.finalize_variable_values(variables)
    assert_same(weights, variables)


def test_every_optimizer_is_compared() -> None:
    assert {case[0] for case in CASES} == set(NAMED)


def test_gradients_that_are_missing_leave_their_weights_alone() -> None:
    draw = np.random.default_rng(9)
    ours, theirs = (
        module.Adam(weight_decay=0.1, global_clipnorm=1.0)
        for module in (optimizers, keras.optimizers)
    )
    weights, variables = twins(drawn(draw))
    ours.build(weights)
    theirs.build(variables)
    some = [each if number % 2 else None for number, each in enumerate(drawn(draw))]
    with pytest.warns(UserWarning, match="Gradients do not exist for variables"):
        ours.apply_gradients(zip(some, weights, strict=True))
    with pytest.warns(UserWarning, match="Gradients do not exist for variables"):
        theirs.apply_gradients(zip(some, variables, strict=True))
    few = drawn(draw)[:2]
    ours.apply(few, weights[:2])
    theirs.apply(few, variables[:2])
    assert_same(weights + ours.variables, variables + theirs.variables)


def test_the_scale_of_the_loss_is_that_of_keras() -> None:
    draw = np.random.default_rng(9)
    ours, theirs = (
        module.LossScaleOptimizer(module.SGD(momentum=0.5), 4.0, dynamic_growth_steps=2)
        for module in (optimizers, keras.optimizers)
    )
    weights, variables = twins(drawn(draw))
    theirs.build(variables)
    for step in range(5):
        gradients = [each * (np.inf if step == 2 else 1) for each in drawn(draw)]
        ours.apply(gradients, weights)
        # Keras's `apply` fails here outside of a trainer, so its pure form is asked.
        values = [[each.value for each in part] for part in (theirs.variables, variables)]
        moved, state = theirs.stateless_apply(values[0], gradients, values[1])
        for variable, value in zip(variables + theirs.variables, moved + state, strict=True):
            variable.assign(value)
        assert_same(weights + ours.variables, variables + theirs.variables)
        assert float(ours.scale_loss(1.0)) == float(theirs.scale_loss(1.0))
    assert keras.optimizers.deserialize(optimizers.serialize(ours)).get_config()
    assert optimizers.get(keras.optimizers.serialize(theirs)).initial_scale == 4.0


def test_a_constraint_comes_after_the_update() -> None:
    weight = Variable(np.array([1.0, 2.0]), constraint=lambda value: jnp.maximum(value, 0))
    optimizers.SGD(1.0).apply([jnp.array([3.0, 0.5])], [weight])
    assert weight.numpy().tolist() == [0.0, 1.5]


@pytest.mark.parametrize("name", NAMED)
def test_arguments_defaults_and_configurations_are_those_of_keras(name: str) -> None:
    ours, theirs = getattr(optimizers, name), getattr(keras.optimizers, name)
    mine, wanted = (inspect.signature(cls).parameters for cls in (ours, theirs))
    own = [key for key, parameter in mine.items() if parameter.kind != parameter.KEYWORD_ONLY]
    assert own == list(wanted)[: len(own)]
    assert set(mine) == set(wanted) - {"kwargs"}
    for key in set(mine) - {"name"}:
        assert mine[key].default == wanted[key].default, key
    written = json.loads(json.dumps(optimizers.serialize(ours(learning_rate=0.25))))
    again = keras.saving.deserialize_keras_object(written)
    assert type(again) is theirs
    assert again.get_config() == written["config"]
    assert type(optimizers.get(keras.optimizers.serialize(theirs()))) is ours


def test_state_goes_both_ways() -> None:
    draw = np.random.default_rng(9)
    ours, theirs = optimizers.Adam(0.2, amsgrad=True), keras.optimizers.Adam(0.1, amsgrad=True)
    weights, variables = twins(drawn(draw))
    theirs.apply(drawn(draw), variables)
    for weight, variable in zip(weights, variables, strict=True):
        weight.assign(variable.value)
    kept: dict[str, Any] = {}
    theirs.save_own_variables(kept)
    ours.build(weights)
    ours.load_own_variables(kept)
    gradients = drawn(draw)
    ours.apply(gradients, weights)
    theirs.apply(gradients, variables)
    assert_same(weights + ours.variables, variables + theirs.variables)
    ours.save_own_variables(kept)
    theirs.load_own_variables(kept)
    assert_same(ours.variables, theirs.variables)


SCHEDULES: list[tuple[str, dict[str, Any]]] = [
    ("ExponentialDecay", {"initial_learning_rate": 0.1, "decay_steps": 4, "decay_rate": 0.7}),
    (
        "ExponentialDecay",
        {"initial_learning_rate": 0.1, "decay_steps": 4, "decay_rate": 0.7, "staircase": True},
    ),
    ("InverseTimeDecay", {"initial_learning_rate": 0.1, "decay_steps": 3, "decay_rate": 0.7}),
    ("PolynomialDecay", {"initial_learning_rate": 0.1, "decay_steps": 5, "power": 1.5}),
    ("PolynomialDecay", {"initial_learning_rate": 0.1, "decay_steps": 5, "cycle": True}),
    ("PiecewiseConstantDecay", {"boundaries": [2, 5], "values": [1.0, 0.5, 0.1]}),
    ("CosineDecay", {"initial_learning_rate": 0.1, "decay_steps": 6, "alpha": 0.2}),
    (
        "CosineDecay",
        {
            "initial_learning_rate": 0.1,
            "decay_steps": 6,
            "warmup_target": 0.4,
            "warmup_steps": 4,
        },
    ),
    ("CosineDecayRestarts", {"initial_learning_rate": 0.1, "first_decay_steps": 3, "m_mul": 0.8}),
    ("CosineDecayRestarts", {"initial_learning_rate": 0.1, "first_decay_steps": 3, "t_mul": 1.0}),
]


@pytest.mark.parametrize(("name", "settings"), SCHEDULES)
def test_schedules_are_those_of_keras(name: str, settings: dict[str, Any]) -> None:
    ours = getattr(optimizers.schedules, name)(**settings)
    theirs = getattr(keras.optimizers.schedules, name)(**settings)
    for step in (0, 1, 2, 3, 4, 5, 7, 11):
        found, wanted = ours(jnp.int32(step)), theirs(jnp.int32(step))
        assert found.dtype == wanted.dtype
        np.testing.assert_allclose(found, wanted, rtol=3e-7)
    written = json.loads(json.dumps(optimizers.schedules.serialize(ours)))
    again = keras.optimizers.schedules.deserialize(json.loads(json.dumps(written)))
    assert json.loads(json.dumps(again.get_config())) == written["config"]
    assert type(optimizers.schedules.deserialize(written)) is type(ours)
    signatures = [list(inspect.signature(type(each)).parameters) for each in (ours, theirs)]
    assert signatures[0] == signatures[1]


def test_an_optimizer_reads_a_schedule_as_keras_does() -> None:
    draw = np.random.default_rng(9)
    ours, theirs = (
        module.SGD(module.schedules.ExponentialDecay(0.1, 2, 0.5), gradient_accumulation_steps=2)
        for module in (optimizers, keras.optimizers)
    )
    weights, variables = twins(drawn(draw))
    for _ in range(4):
        gradients = drawn(draw)
        ours.apply(gradients, weights)
        theirs.apply(gradients, variables)
        assert float(ours.learning_rate) == float(theirs.learning_rate)
        assert_same(weights + ours.variables, variables + theirs.variables)
    again = optimizers.get(json.loads(json.dumps(keras.optimizers.serialize(theirs))))
    assert again.get_config() == ours.get_config() | {"name": again.name}
