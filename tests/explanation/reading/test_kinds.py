"""Arrays of every kind: of no or one element, flags, keys, bits, and what is no plain array."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from everystep.explanation.reading import Facts, reads_of
from tests.explanation.reading.maps import map_of, reading_of, rows

STEPS = (1, 4, 3)
OWN = ["x...", ".x..", "..x.", "...x"]
ALL = ["xxxx"] * 4
TRIANGLE = ["x...", "xx..", "xxx.", "xxxx"]


def attention(x: Any) -> Any:
    scores = jnp.where(np.tri(x.shape[1], dtype=bool), jnp.einsum("bqd,bkd->bqk", x, x), -1e9)
    return jax.nn.softmax(scores) @ x


@pytest.mark.parametrize("shape", [(1, 0, 3), (1, 4, 0), (0, 4, 3)])
def test_arrays_without_elements(shape: tuple[int, ...]) -> None:
    assert map_of(attention, shape) == ["." * shape[1]] * shape[1]
    assert map_of(lambda x: x.sum(-1) @ jnp.ones((shape[1], 2)), shape) == ["." * shape[1]] * 2


def test_an_empty_sum_is_a_known_zero() -> None:
    assert map_of(lambda x: x * x[..., :0].sum(-1, keepdims=True), STEPS) == ["...."] * 4


def test_one_step_and_single_numbers() -> None:
    assert map_of(attention, (1, 1, 3)) == ["x"]
    reading = reading_of(lambda x: x.sum(), STEPS)
    assert rows(reading, 4, axis=None) == ["xxxx"]


FLAGS: dict[str, tuple[Callable[[Any], Any], list[str]]] = {
    "and": (lambda x: x & np.array([True, False, True, False]), ["x...", "....", "..x.", "...."]),
    "or": (lambda x: x | np.array([True, False, True, False]), ["....", ".x..", "....", "...x"]),
    "any": (lambda x: x.any(1, keepdims=True) & x, ALL),
    "settled": (lambda x: (x | (np.arange(4) == 3)).any(1, keepdims=True), ["...."]),
    "not": (lambda x: ~x[:, ::-1], ["...x", "..x.", ".x..", "x..."]),
}


@pytest.mark.parametrize("name", FLAGS)
def test_flags(name: str) -> None:
    function, expected = FLAGS[name]
    assert map_of(function, (1, 4), dtype=np.bool_) == expected


def test_random_numbers_are_no_data_and_keys_are() -> None:
    def drop(key: Any, x: Any) -> Any:
        return jnp.where(jax.random.bernoulli(key, 0.5, x.shape), x, 0)

    assert map_of(lambda x: drop(jax.random.key(0), x), STEPS) == OWN
    from_data = reading_of(
        lambda ids: drop(jax.random.key(ids[0, 2]), jnp.ones(STEPS)), (1, 4), dtype=np.uint32
    )
    assert rows(from_data, 4) == ["..x."] * 4
    key = jax.random.key(0)
    program = jax.make_jaxpr(lambda keys: jax.vmap(jax.random.bits)(keys))(jnp.stack([key, key]))
    [outputs] = reads_of(program, [Facts.with_bits((2,), key.dtype, 0, 0)]).outputs
    assert outputs.reads_along(0, 2).tolist() == [[True, False], [False, True]]


def test_bits_stay_with_their_elements() -> None:
    def taken_apart(x: Any) -> Any:
        return jax.lax.bitcast_convert_type(x, jnp.uint8)

    def put_together(x: Any) -> Any:
        return jax.lax.bitcast_convert_type(taken_apart(x), jnp.float32)

    assert map_of(taken_apart, STEPS) == OWN
    assert map_of(put_together, STEPS) == OWN


def test_arrays_written_in_place_read_all_that_comes_in() -> None:
    def written(x: Any) -> Any:
        held = jax.new_ref(jnp.zeros_like(x))
        held[...] = x
        return held[...]

    reading = reading_of(written, STEPS)
    assert rows(reading, 4) == ALL
    assert reading.unknown == ["arrays that are written to in place"]


def test_printing_changes_no_map() -> None:
    def told(x: Any) -> Any:
        jax.debug.print("{}", x)
        return x

    reading = reading_of(told, STEPS)
    assert rows(reading, 4) == OWN
    assert reading.unknown == []


def test_the_same_array_whichever_is_chosen() -> None:
    def branched(x: Any) -> Any:
        return jax.lax.cond(x[0, 0, 0] > 0, lambda y: y, lambda y: y, x)

    assert map_of(lambda x: jnp.where(x[:, :1] > 0, x, x), STEPS) == OWN
    assert map_of(branched, STEPS) == OWN


def test_facts_given_twice_are_two_arrays() -> None:
    kinds = [jnp.zeros(4), jnp.zeros(4), jnp.zeros(4)]
    program = jax.make_jaxpr(lambda one, other, x: jnp.where(x > 0, one, other))(*kinds)
    weight = Facts.unread((4,), np.float32)
    reading = reads_of(program, [weight, weight, Facts.with_bits((4,), np.float32, 0, 0)])
    assert rows(reading, 4, axis=0) == OWN
