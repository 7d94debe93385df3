"""Constants decide what is read: masks, zeros, conditions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from everystep.explanation.reading import bits
from tests.explanation.reading.maps import abstract, map_of, reading_of, rows

STEPS = (1, 4, 3)
TRIANGLE = ["x...", "xx..", "xxx.", "xxxx"]
OWN = ["x...", ".x..", "..x.", "...x"]
NOTHING = ["...."] * 4
ALL = ["xxxx"] * 4
CAUSAL = np.tril(np.ones((4, 4), bool))
BARRED = 1 - CAUSAL.astype(np.float32)

EXACT_MASKS: dict[str, Callable[[Any], Any]] = {
    "infinite": lambda scores: jax.nn.softmax(jnp.where(CAUSAL, scores, -jnp.inf)),
    "where": lambda scores: jax.nn.softmax(scores, where=CAUSAL),
    "after": lambda scores: jnp.where(jnp.tril(jnp.ones((4, 4), bool)), scores, 0),
    "sums": lambda scores: scores * CAUSAL,
}
FAR_MASKS: dict[str, Callable[[Any], Any]] = {
    "chosen": lambda scores: jax.nn.softmax(jnp.where(CAUSAL, scores, -1e9)),
    "computed": lambda scores: jax.nn.softmax(
        jnp.where(jnp.tril(jnp.ones((4, 4), bool)), scores, -1e9)
    ),
    "added": lambda scores: jax.nn.softmax(scores + -1e9 * BARRED),
    "subtracted": lambda scores: jax.nn.softmax(scores - 1e9 * BARRED),
    "scaled": lambda scores: jax.nn.softmax((scores + -1e9 * BARRED) / np.sqrt(512.0)),
    "weak": lambda scores: jax.nn.softmax(jnp.where(CAUSAL, scores, -1e4)),
    "logarithm": lambda scores: jnp.exp(jax.nn.log_softmax(jnp.where(CAUSAL, scores, -1e9))),
    "sigmoid": lambda scores: jax.nn.sigmoid(jnp.where(CAUSAL, scores, -1e9)),
}


def attention(shares: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda x: shares(jnp.einsum("bqd,bkd->bqk", x, x)) @ x


@pytest.mark.parametrize("name", EXACT_MASKS)
def test_causal_attention_is_a_triangle(name: str) -> None:
    reading = reading_of(attention(EXACT_MASKS[name]), STEPS)
    assert rows(reading, 4) == TRIANGLE
    assert reading.assumptions == []


@pytest.mark.parametrize("name", FAR_MASKS)
def test_masks_far_below_the_scores_are_an_assumption(name: str) -> None:
    reading = reading_of(attention(FAR_MASKS[name]), STEPS)
    assert rows(reading, 4) == TRIANGLE
    assert len(reading.assumptions) == (name != "sigmoid")


def test_a_mask_near_the_scores_hides_nothing() -> None:
    near = attention(lambda scores: jax.nn.softmax(jnp.where(CAUSAL, scores, -50.0)))
    assert map_of(near, STEPS) == ALL


def test_a_row_that_is_masked_throughout_reads_all_it_may() -> None:
    masked = CAUSAL & (np.arange(4)[:, None] > 0)
    added = attention(lambda scores: jax.nn.softmax(scores + -1e9 * ~masked))
    assert map_of(added, STEPS) == ["xxxx", *TRIANGLE[1:]]


def test_attention_of_jax_is_a_triangle() -> None:
    def attend(x: Any) -> Any:
        heads = x[:, :, None]
        return jax.nn.dot_product_attention(heads, heads, heads, is_causal=True)

    assert map_of(attend, STEPS) == TRIANGLE


CUT: dict[str, tuple[Callable[[Any], Any], list[str]]] = {
    "zero": (lambda x: x * 0, NOTHING),
    "zeros": (
        lambda x: x * np.array([1, 0, 1, 0], np.float32)[:, None],
        ["x...", "....", "..x.", "...."],
    ),
    "condition": (
        lambda x: jnp.where(np.arange(4)[:, None] > 1, x, 0),
        ["....", "....", "..x.", "...x"],
    ),
    "either": (
        lambda x: jnp.where(np.arange(4)[:, None] > 1, x, x[:, ::-1]),
        ["...x", "..x.", "..x.", "...x"],
    ),
    "same": (lambda x: jnp.where(x > 0, 1.0, 1.0), NOTHING),
    "gate": (lambda x: (x > 0) * x[:, ::-1], ["x..x", ".xx.", ".xx.", "x..x"]),
    "false": (
        lambda x: (x > 0) & np.array([True, False, True, True])[:, None],
        ["x...", "....", "..x.", "...x"],
    ),
    "kernel": (
        lambda x: jnp.einsum("bsf,st->btf", x, CAUSAL.astype(np.float32)),
        ["xxxx", ".xxx", "..xx", "...x"],
    ),
    "all": (
        lambda x: (
            jnp.all((x > 0) & np.array([True, True, False, True])[:, None], 1, keepdims=True) * x
        ),
        NOTHING,
    ),
}


@pytest.mark.parametrize("name", CUT)
def test_a_constant_cuts(name: str) -> None:
    function, expected = CUT[name]
    assert map_of(function, STEPS) == expected


def test_weights_are_no_constants() -> None:
    assert map_of(lambda kernel, x: x @ kernel, (3, 5), STEPS) == OWN
    mixed = map_of(lambda kernel, x: (x.reshape(1, 12) @ kernel).reshape(1, 4, 5), (12, 20), STEPS)
    assert mixed == ALL


def test_ids_and_masks_made_of_ids_are_data() -> None:
    def masked(table: Any, ids: Any) -> Any:
        vectors = jax.nn.one_hot(ids, 7) @ table
        real = (ids != 0)[..., None]
        return (vectors * real).sum(1, keepdims=True) / real.sum(1, keepdims=True) + vectors

    assert map_of(masked, (7, 2), (1, 4), dtype=np.int32) == ALL
    assert map_of(lambda ids: ids != 0, (1, 4), dtype=np.int32) == OWN


def test_a_primitive_without_a_rule_reads_all_and_is_named() -> None:
    def called(x: Any) -> Any:
        kind = abstract(x.shape, x.dtype)
        kernel: Any = jax.ffi.ffi_call("no_such_kernel", kind)
        return kernel(x)

    reading = reading_of(called, STEPS)
    assert rows(reading, 4) == ALL
    assert reading.unknown == ["ffi_call: no_such_kernel"]


def test_sets_that_take_too_much_memory_are_joined_and_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(bits, "MOST_WORDS", 10)
    reading = reading_of(lambda x: jnp.einsum("bqd,bkd->bqk", x, x) * CAUSAL, STEPS)
    assert rows(reading, 4) == ALL
    wide = "more than 10 words of bits"
    assert reading.unknown == [f"dot_general: {wide}", f"mul: {wide}"]


def masked_by_data(mask: Callable[[Any, Any], Any]) -> Callable[[Any], Any]:
    """Attention to steps that are causal, and whose first feature is positive."""

    def attend(x: Any) -> Any:
        shares = mask(jnp.einsum("bqd,bkd->bqk", x, x), CAUSAL & (x[:, None, :, 0] > 0))
        return shares @ x

    return attend


MASKS_OF_DATA: dict[str, tuple[Callable[[Any, Any], Any], list[str]]] = {
    # Where data may mask all that is not masked by a constant, nothing lies above the constant.
    "chosen": (lambda scores, allowed: jax.nn.softmax(jnp.where(allowed, scores, -1e9)), ALL),
    "added": (lambda scores, allowed: jax.nn.softmax(scores - 1e9 * (1.0 - allowed)), ALL),
    "of integers": (lambda scores, allowed: jax.nn.softmax(scores - 99999 * (1 - allowed)), ALL),
    "and then left out": (
        lambda scores, allowed: jnp.where(
            allowed, jax.nn.softmax(jnp.where(allowed, scores, -1e9)), 0
        ),
        TRIANGLE,
    ),
}


@pytest.mark.parametrize("name", MASKS_OF_DATA)
def test_masks_of_data_may_hide_all_steps(name: str) -> None:
    mask, expected = MASKS_OF_DATA[name]
    assert map_of(masked_by_data(mask), STEPS) == expected


def test_a_shift_of_all_numbers_is_no_mask() -> None:
    reading = reading_of(lambda x: jax.nn.relu(x - 20000.0) + jnp.tanh(x + -1e6), STEPS)
    assert rows(reading, 4) == OWN
    assert reading.assumptions == []


def test_a_shift_that_only_some_take_is_a_mask() -> None:
    shifted = attention(lambda scores: jax.nn.softmax(jnp.where(CAUSAL, scores, scores - 1e9)))
    assert map_of(shifted, STEPS) == TRIANGLE


def test_blocks_that_are_masked_throughout_are_left_out() -> None:
    def in_blocks(x: Any) -> Any:
        scores = jnp.where(CAUSAL[:2], jnp.einsum("bqd,bkd->bqk", x[:, :2], x), -1e9)
        left, right = scores[..., :2], scores[..., 2:]
        so_far = left.max(-1, keepdims=True)
        largest = jnp.maximum(so_far, right.max(-1, keepdims=True))
        return jnp.exp(left - largest) @ x[:, :2] + jnp.exp(right - largest) @ x[:, 2:]

    assert map_of(in_blocks, STEPS) == TRIANGLE[:2]


def test_what_is_made_of_low_numbers_may_be_high() -> None:
    def cancelled(scores: Any) -> Any:
        low = jnp.where(CAUSAL, scores, scores - 1e9)
        return jnp.exp(low + jnp.abs(low[..., :1, :]))

    assert map_of(attention(cancelled), STEPS)[0] == "xxxx"


def test_attention_after_attention_is_a_triangle() -> None:
    def shares(scores: Any) -> Any:
        return jax.nn.softmax(jnp.where(CAUSAL, scores, -1e9))

    once = attention(shares)
    assert map_of(lambda x: once(jnp.tanh(once(x)) + x), STEPS) == TRIANGLE
