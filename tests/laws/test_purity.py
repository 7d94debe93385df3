"""A layer is a pure function of weights, inputs and noise, under every transformation."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from everystep.layers.apply import apply, weights_of
from tests.catalogue import Entry
from tests.compiling import compiled as programs_of
from tests.laws.selection import about
from tests.tolerances import GRADIENTS
from tests.trees import assert_finite, assert_trees_close, assert_trees_same


def chosen(entry: Entry) -> bool:
    """A program is compiled for each entry: those alone for which no other stands."""
    return not entry.variant


def total(outputs: Any) -> Any:
    """A number that every output moves."""
    return sum(jnp.sum(jnp.sin(leaf)) for leaf in jax.tree.leaves(outputs) if leaf.dtype != "int32")


@about(chosen)
def test_jit_equals_eager_and_compiles_once(entry: Entry) -> None:
    layer, key, traced = entry.built(), jax.random.key(5), []

    def run(weights: Any, inputs: Any, arguments: Any) -> Any:
        traced.append(1)
        kwargs = dict(zip(["states"], arguments, strict=False))
        return apply(layer, weights, inputs, training=True, key=key, **kwargs)

    weights, inputs = weights_of(layer), entry.inputs()
    compiled = jax.jit(run)
    found = compiled(weights, inputs, entry.arguments())
    assert_trees_close(found, run(weights, inputs, entry.arguments()))
    traced.clear()
    assert_trees_same(compiled(weights, inputs, entry.arguments()), found)
    given = weights, entry.inputs(seed=1), entry.arguments()
    compiled(*given)
    assert traced == []
    with programs_of() as programs:
        run(*given)
    assert programs == []


@about(chosen)
def test_apply_leaves_the_layer_as_it_was(entry: Entry) -> None:
    layer = entry.built()
    before = layer.get_weights()
    weights = {path: value + 1 for path, value in weights_of(layer).items()}
    kwargs = dict(zip(["states"], entry.arguments(), strict=False))
    apply(layer, weights, entry.inputs(), training=True, key=jax.random.key(5), **kwargs)
    assert_trees_same(layer.get_weights(), before)


@about(chosen)
def test_a_call_is_apply_with_the_own_weights(entry: Entry) -> None:
    layer = entry.built()
    kwargs = dict(zip(["states"], entry.arguments(), strict=False))
    expected = apply(layer, weights_of(layer), entry.inputs(), **kwargs)[0]
    assert_trees_same(layer(entry.inputs(), *entry.arguments()), expected)


@about(chosen)
def test_a_layer_works_inside_jit_and_grad_of_the_user(entry: Entry) -> None:
    layer, inputs = entry.built(), entry.inputs()

    def loss(inputs: Any) -> Any:
        return total(layer(inputs, *entry.arguments()))

    both = jax.jit(loss if entry.ids else jax.value_and_grad(loss))(inputs)
    assert_trees_close(jax.tree.leaves(both)[0], loss(inputs), GRADIENTS)
    assert_finite(both)


@about(lambda entry: chosen(entry) and not entry.states)
def test_a_layer_works_inside_vmap_of_the_user(entry: Entry) -> None:
    layer, inputs = entry.built(), entry.inputs((3, *entry.shape))
    expected = jax.tree.map(lambda *rows: np.stack(rows), *map(layer, inputs))
    assert_trees_close(jax.vmap(layer)(inputs), expected)


@about(lambda entry: chosen(entry) and not entry.states)
def test_the_weights_of_a_layer_built_inside_jit_are_real(entry: Entry) -> None:
    fresh = entry.make()
    jax.jit(lambda inputs: fresh(inputs))(entry.inputs())
    assert_finite(fresh.get_weights())
    fresh(entry.inputs())
