"""Gradients are those of finite differences, in double precision."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from everystep.core import deserialize, serialize, set_random_seed
from everystep.layers.apply import apply, weights_of
from tests.catalogue import Entry
from tests.laws.selection import about
from tests.tolerances import DIFFERENCES, assert_close

STRIDE = 1e-5


def in_double_precision(config: Any) -> Any:
    """A configuration in which every layer, inside others too, computes in float64."""
    if isinstance(config, dict):
        wide = {name: in_double_precision(value) for name, value in config.items()}
        return wide | {"dtype": "float64"} if config.get("dtype") else wide
    return [in_double_precision(one) for one in config] if isinstance(config, list) else config


@about(lambda entry: not entry.variant and "Input" not in entry.name)
def test_gradients_equal_finite_differences(entry: Entry) -> None:
    with jax.enable_x64(True):
        set_random_seed(7)
        layer = deserialize(in_double_precision(serialize(entry.make())))
        inputs = entry.inputs() if entry.ids else entry.inputs().astype("float64")
        arguments = jax.tree.map(lambda state: state.astype("float64"), entry.arguments())
        jax.eval_shape(lambda: layer(inputs, *arguments))  # Builds it, and compiles nothing.
        kwargs = dict(zip(["states"], arguments, strict=False))

        def loss(point: Any) -> Any:
            weights, values = point
            given = inputs if entry.ids else values
            leaves = jax.tree.leaves(apply(layer, weights, given, **kwargs)[0])
            return sum(jnp.sum(jnp.sin(leaf)) for leaf in leaves if leaf.dtype == "float64")

        # One program for all points; that it gives what single operations give is a law of its own.
        both = jax.jit(jax.value_and_grad(loss))
        point = jax.tree.map(np.asarray, (weights_of(layer), [] if entry.ids else inputs))
        random = np.random.default_rng(0)
        direction = jax.tree.map(lambda one: random.normal(size=one.shape), point)
        value, slopes = both(point)
        assert value.dtype == "float64"
        pairs = zip(jax.tree.leaves(slopes), jax.tree.leaves(direction), strict=True)
        found = sum(np.vdot(slope, along) for slope, along in pairs)

        def at(distance: float) -> Any:
            moved = jax.tree.map(lambda one, along: one + distance * along, point, direction)
            return both(moved)[0]

        assert_close(found, (at(STRIDE) - at(-STRIDE)) / (2 * STRIDE), DIFFERENCES)
