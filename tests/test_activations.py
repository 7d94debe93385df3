"""Activations: the same numbers as Keras, exact values, names and configurations."""

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from everystep import activations
from everystep.core.registry import register_keras_serializable
from everystep.errors import SettingError
from tests.tolerances import GRADIENTS, assert_close

keras = pytest.importorskip("keras", reason="Keras is the independent source of the numbers")

# Values on both sides of every kink and far out; no value on a kink, where slopes are a choice.
POINTS = np.array([-41.0, -7.3, -3.2, -1.4, -0.6, -0.2, 0.1, 0.4, 0.7, 1.3, 2.6, 5.9, 6.4, 38.0])
X = np.stack([POINTS, POINTS[::-1] / 3, np.roll(POINTS, 5) / 7])[None].astype("float32")
FURTHER: dict[str, dict[str, Any]] = {"threshold": {"threshold": 0.3, "default_value": -2.0}}
OTHER = [
    ("relu", {"negative_slope": 0.3}),
    ("relu", {"max_value": 4.0}),
    ("relu", {"threshold": 1.1}),
    ("relu", {"negative_slope": 0.2, "max_value": 3.0, "threshold": 0.5}),
    ("leaky_relu", {"negative_slope": 0.05}),
    ("elu", {"alpha": 0.4}),
    ("celu", {"alpha": 0.4}),
    ("gelu", {"approximate": True}),
    ("soft_shrink", {"threshold": 1.0}),
    ("hard_shrink", {"threshold": 1.0}),
    ("squareplus", {"b": 2.0}),
    ("softmax", {"axis": 1}),
    ("log_softmax", {"axis": 1}),
]
# Keras's sparsemax does not sum to one where more than one value is left; see below for ours.
NAMES = sorted(activations.CATALOGUE.classes.keys() - {"sparsemax"})
ALL = [(name, FURTHER.get(name, {})) for name in NAMES]


@pytest.mark.parametrize(("name", "arguments"), [*ALL, *OTHER])
def test_values_and_gradients_are_those_of_keras(name: str, arguments: dict[str, Any]) -> None:
    ours, theirs = getattr(activations, name), getattr(keras.activations, name)
    assert_close(ours(X, **arguments), theirs(X, **arguments))
    weights = np.random.default_rng(3).normal(size=ours(X, **arguments).shape).astype("float32")
    gradients = [
        jax.grad(lambda x, f=f: jnp.sum(weights * f(x, **arguments)))(jnp.asarray(X))
        for f in (ours, theirs)
    ]
    assert np.isfinite(gradients[0]).all()
    assert_close(gradients[0], gradients[1], GRADIENTS)


ALONG_AN_AXIS = ("glu", "log_softmax", "softmax")
FAR = [-np.inf, -1e38, -1e4, -88, -1e-8, -1e-40, -0.0, 0, 1e-40, 1e-8, 88, 1e4, 1e38, np.inf]


@pytest.mark.parametrize("name", NAMES)
def test_far_out_and_on_kinks_they_are_those_of_keras_too(name: str) -> None:
    along = name in ALONG_AN_AXIS
    points = jnp.asarray(np.reshape(FAR[1:-1], (3, 4)) if along else [*FAR, np.nan])
    results = []
    for room in (activations, keras.activations):
        function = partial(getattr(room, name), **FURTHER.get(name, {}))
        # One operation after the other takes a fraction of the time of compiling them.
        with jax.disable_jit():
            values, back = jax.vjp(function, points)
            results.append((values, back(jnp.ones_like(values))[0]))
    for found, wanted in zip(*results, strict=True):
        assert_close(found, wanted, GRADIENTS)


def test_every_activation_of_keras_has_its_namesake() -> None:
    theirs = {name for name in dir(keras.activations) if name[0] != "_"}
    ours = {*activations.CATALOGUE.classes, *activations.CATALOGUE.aliases}
    assert theirs - ours == {"deserialize", "get", "serialize"}


@pytest.mark.parametrize("shape", [(5,), (2, 5), (2, 3, 5), (2, 1, 3, 5), (0, 5), (3, 1)])
def test_softmax_sums_to_one_over_the_last_axis_of_any_rank(shape: tuple[int, ...]) -> None:
    x = np.random.default_rng(1).normal(size=shape).astype("float32")
    raised = np.exp(x.astype("float64"))
    assert_close(activations.softmax(x), raised / raised.sum(-1, keepdims=True))
    assert_close(activations.sparsemax(x).sum(-1), np.ones(shape[:-1], "float32"))


@pytest.mark.parametrize("axis", [-1, 1])
def test_sparsemax_is_the_nearest_point_of_the_simplex(axis: int) -> None:
    """The nearest point has one threshold: what is above is moved down to it, the rest is 0."""
    x = np.random.default_rng(4).normal(size=(2, 6, 5))
    found = np.moveaxis(np.asarray(activations.sparsemax(x.astype("float32"), axis)), axis, -1)
    rows = np.moveaxis(x, axis, -1).reshape(-1, found.shape[-1])
    for row, point in zip(rows, found.reshape(rows.shape), strict=True):
        low, high = row.min() - 1, row.max()
        for _ in range(60):
            middle = (low + high) / 2
            low, high = (middle, high) if np.maximum(row - middle, 0).sum() > 1 else (low, middle)
        assert_close(point, np.maximum(row - low, 0).astype("float32"))


def test_names_give_functions_and_functions_give_names() -> None:
    for name, function in activations.CATALOGUE.classes.items():
        assert activations.get(name) is function
        assert activations.serialize(function) == name
    assert activations.get(None) is activations.linear
    assert activations.serialize(activations.get("swish")) == "silu"


def test_an_unknown_name_suggests_the_nearest() -> None:
    with pytest.raises(SettingError, match="did you mean 'softmax'"):
        activations.get("sofmax")


def test_a_function_of_ones_own_is_kept_and_fails_only_when_written() -> None:
    def cube(x: Any) -> Any:
        return x**3

    assert activations.ACTIVATION.parse(cube) is cube
    with pytest.raises(SettingError, match="register_keras_serializable"):
        activations.ACTIVATION.to_config(cube)


def test_a_registered_function_is_written_and_read() -> None:
    @register_keras_serializable(package="tests")
    def fifth(x: Any) -> Any:
        return x**5

    data = activations.serialize(fifth)
    assert data["config"] == "tests>fifth"
    assert activations.get(data) is fifth
