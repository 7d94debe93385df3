from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from everystep.explanation.relation import relation
from everystep.explanation.relation.smoothing import smoothed
from everystep.explanation.witnesses import widened
from everystep.explanation.witnesses.compiling import double_precision

SHAPE = (1, 4, 3)


def smooth(function: Callable[[Any], Any], x: Any) -> Any:
    """Return what the smooth twin of a function gives."""
    with double_precision():
        run = widened(jax.make_jaxpr(lambda x: [function(x)])(x))
        found = smoothed(run, [], [x])
        assert found.run is not None
        assert found.branches
        return np.asarray(found.run(x)[0])


def test_what_is_far_away_is_seen_from_anywhere() -> None:
    x = np.linspace(-2, 2, 5)[None]
    plain, far = (smooth(f, x) for f in (jnp.abs, lambda x: jnp.where(x > 1e8, 0, jnp.abs(x))))
    assert (np.abs(plain - far) > 1e-4 * np.abs(plain))[np.abs(x) > 0].all()


def test_the_largest_of_many_does_not_mind_what_is_not_there() -> None:
    x = np.random.default_rng(0).standard_normal((1, 5))
    with_nothing = smooth(lambda x: jnp.max(x, -1, initial=-jnp.inf), x)
    np.testing.assert_allclose(with_nothing, smooth(lambda x: jnp.max(x, -1), x))


def none_below_zero_before(x: Any) -> Any:
    """For each of the first steps, whether all numbers before it were above zero; by a loop."""

    def step(so_far: Any, at: Any) -> Any:
        return so_far & (at > 0), so_far

    _, found = jax.lax.scan(step, x[:, 0] == x[:, 0], jnp.swapaxes(x, 0, 1)[:3])
    return jnp.swapaxes(found, 0, 1)


Function = Callable[[Any], Any]

PAIRS_OF_ONE: dict[str, tuple[Function, Function]] = {
    "two ways to a maximum": (lambda x: jnp.maximum(x, 0.5), lambda x: -jnp.minimum(-x, -0.5)),
    "softmax": (
        lambda x: jax.nn.softmax(x, -1),
        lambda x: jnp.exp(x) / jnp.exp(x).sum(-1, keepdims=True),
    ),
    "two ways to choose": (
        lambda x: jnp.where(x > 0, x, 2 * x),
        lambda x: jax.lax.cond(True, lambda x: jnp.where(x > 0, x, x + x), jnp.negative, x),
    ),
    "a loop that counts": (
        lambda x: jax.lax.fori_loop(0, 3, lambda _, y: jnp.maximum(y, 1) * 2, x),
        lambda x: 2 * jnp.maximum(2 * jnp.maximum(2 * jnp.maximum(x, 1), 1), 1),
    ),
    "truth in a loop": (
        none_below_zero_before,
        lambda x: jnp.stack([x[:, 0] == x[:, 0], x[:, 0] > 0, (x[:, 0] > 0) & (x[:, 1] > 0)], 1),
    ),
    "windows": (
        lambda x: jax.lax.reduce_window(
            x, -jnp.inf, jax.lax.max, (1, 2, 1), (1, 1, 1), ((0, 0), (0, 1), (0, 0))
        ),
        lambda x: jnp.concatenate([jnp.maximum(x[:, :-1], x[:, 1:]), x[:, -1:]], 1),
    ),
    "what jumps, twice the same": (lambda x: jnp.argmax(x, -1), lambda x: jnp.argmax(x, -1)),
}


@pytest.mark.parametrize(("one", "other"), PAIRS_OF_ONE.values(), ids=PAIRS_OF_ONE.keys())
def test_two_ways_to_write_a_function_are_the_same(one: Function, other: Function) -> None:
    r = relation(one, other, SHAPE)
    assert r.verdict == "same", r.reason


NOT_SHOWN: dict[str, tuple[Function, Function]] = {
    "nested conditions": (
        lambda x: x,
        lambda x: jnp.where(x > 0.5, jnp.where(x < 0.50001, 0.0, x), x),
    ),
    "conditions that meet": (
        lambda x: x,
        lambda x: x + (jnp.abs(x).sum() < 1e-5),
    ),
    "what jumps": (lambda x: jnp.argmax(x, -1), lambda x: jnp.argmax(2 * x, -1)),
    "a rare window": (
        lambda x: x,
        lambda x: x + jnp.maximum(jax.lax.cummax(x, 1) - 1e5, 0),
    ),
}


@pytest.mark.parametrize(("one", "other"), NOT_SHOWN.values(), ids=NOT_SHOWN.keys())
def test_what_no_sample_tells_apart_is_not_called_the_same(one: Function, other: Function) -> None:
    r = relation(one, other, SHAPE)
    assert r.verdict == "unknown"
    assert "agree on all draws" in r.reason
