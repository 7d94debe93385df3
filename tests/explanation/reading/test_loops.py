"""Loops and branches: read once, followed along their steps."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

from everystep.explanation.reading.rules import scans
from tests.explanation.reading.maps import map_of, reading_of, rows

STEPS = (1, 4, 3)
TRIANGLE = ["x...", "xx..", "xxx.", "xxxx"]
MIRRORED = ["xxxx", ".xxx", "..xx", "...x"]
OWN = ["x...", ".x..", "..x.", "...x"]
BACKWARDS = ["...x", "..x.", ".x..", "x..."]


def along(body: Callable[..., Any], first: Any, x: Any, *more: Any, reverse: bool = False) -> Any:
    """Scan over axis 1."""
    turned = jax.tree.map(lambda each: jnp.swapaxes(each, 0, 1), (x, *more))
    return jnp.swapaxes(lax.scan(body, first, turned, reverse=reverse)[1], 0, 1)


def lstm(x: Any, kernel: Any = None, reverse: bool = False) -> Any:
    """The recurrence of an LSTM with weights of ones, as they are not looked at."""

    def body(states: Any, at: Any) -> Any:
        hidden, cell = states
        [given] = at
        sums = given @ jnp.ones((given.shape[-1], 8)) + hidden @ jnp.ones((2, 8))
        enter, forget, new, leave = jnp.split(sums, 4, -1)
        cell = jax.nn.sigmoid(forget) * cell + jax.nn.sigmoid(enter) * jnp.tanh(new)
        hidden = jax.nn.sigmoid(leave) * jnp.tanh(cell)
        return (hidden, cell), hidden

    zeros = jnp.zeros((x.shape[0], 2))
    return along(body, (zeros, zeros), x, reverse=reverse)


def packed(x: Any) -> Any:
    """A recurrence that starts afresh at step 2, as segments that are constant say."""
    starts = np.array([[False, False, True, False]])

    def body(hidden: Any, at: Any) -> Any:
        given, afresh = at
        hidden = jnp.tanh(jnp.where(afresh[:, None], 0.0, hidden) + given)
        return hidden, hidden

    return along(body, jnp.zeros((1, 3)), x, starts)


def shift_register(x: Any) -> Any:
    """Step t gives the sum of the two inputs before it."""

    def body(held: Any, at: Any) -> Any:
        return jnp.concatenate([held[1:], at[0][None]]), held.sum(0)

    return along(body, jnp.zeros((2, 1, 3)), x)


def nested(x: Any) -> Any:
    """A loop over steps around a loop over features."""

    def inner(total: Any, number: Any) -> Any:
        return jnp.tanh(total + number), None

    def outer(total: Any, at: Any) -> Any:
        total, _ = lax.scan(inner, total, at[0].T)
        return total, total

    return along(outer, jnp.zeros(1), x)[..., None]


def counted(x: Any) -> Any:
    """A loop whose counter decides what the turn does."""

    def body(turn: Any, total: Any) -> Any:
        return total * jnp.where(turn > 2, 0.0, 1.0) + jnp.where(turn == 3, x[:, ::-1], x)

    return lax.fori_loop(0, 4, body, x * 0)


LOOPS: dict[str, tuple[Callable[..., Any], list[str]]] = {
    "lstm": (lstm, TRIANGLE),
    "go backwards": (lambda x: lstm(x[:, ::-1]), ["...x", "..xx", ".xxx", "xxxx"]),
    "reverse": (lambda x: lstm(x, reverse=True), MIRRORED),
    "both ways": (lambda x: lstm(x) + lstm(x, reverse=True), ["xxxx"] * 4),
    "last state": (lambda x: lstm(x)[:, -1:], ["xxxx"]),
    "packed": (packed, ["x...", "xx..", "..x.", "..xx"]),
    "shift register": (shift_register, ["....", "x...", "xx..", ".xx."]),
    "nested": (nested, TRIANGLE),
    "turns": (
        lambda x: lax.fori_loop(0, 2, lambda _, y: jnp.roll(y, 1, 1), x),
        ["..x.", "...x", "x...", ".x.."],
    ),
    "last turn": (counted, BACKWARDS),
    "while": (
        lambda x: lax.while_loop(lambda s: s[0] < 2, lambda s: (s[0] + 1, s[1][:, ::-1]), (0, x))[
            1
        ],
        OWN,
    ),
    "until data": (
        lambda x: lax.while_loop(lambda y: y[0, 2, 0] < 2, lambda y: 2 * y, x),
        ["x.x.", ".xx.", "..x.", "..xx"],
    ),
    "until data, rolled": (
        lambda x: lax.while_loop(lambda y: y[0, 0, 0] < 2, lambda y: jnp.roll(y, 1, 1), x),
        ["xxxx"] * 4,
    ),
    "until data, at most 2 turns": (
        lambda x: lax.while_loop(
            lambda s: (s[0] < 2) & (s[1][0, 3, 0] > 0),
            lambda s: (s[0] + 1, jnp.concatenate([s[1][:, :1], s[1][:, :-1]], 1)),
            (0, x),
        )[1],
        ["x.xx", "xxxx", "xxxx", ".xxx"],
    ),
    "untouched": (
        lambda x: lax.while_loop(lambda s: s[0][0, 0, 0] < 2, lambda s: (2 * s[0], s[1]), (x, x))[
            1
        ],
        OWN,
    ),
    "branch": (
        lambda x: lax.cond(x[0, 0, 0] > 0, lambda y: y, lambda y: y[:, ::-1], x),
        ["x..x", "xxx.", "xxx.", "x..x"],
    ),
    "known branch": (
        lambda x: lax.switch(np.arange(3)[1], [lambda y: y, lambda y: y[:, ::-1], jnp.sin], x),
        BACKWARDS,
    ),
    "same in both branches": (
        lambda x: lax.cond(x[0, 0, 0] > 0, lambda y: (y * 0, y), lambda y: (y * 0, 2 * y), x)[0],
        ["...."] * 4,
    ),
    "platform": (lambda x: lax.platform_dependent(x, cpu=jnp.sin, default=jnp.cos), OWN),
    "again": (jax.checkpoint(lambda x: jnp.sin(x) * x[:, ::-1]), ["x..x", ".xx.", ".xx.", "x..x"]),
}


@pytest.mark.parametrize("name", LOOPS)
def test_loops_and_branches(name: str) -> None:
    function, expected = LOOPS[name]
    reading = reading_of(function, STEPS)
    assert rows(reading, 4) == expected
    assert reading.unknown == []


def test_no_steps() -> None:
    assert map_of(lstm, (1, 0, 3)) == []


def test_many_steps_take_little_time() -> None:
    start = time.perf_counter()
    reading = reading_of(lstm, (1, 5000, 3))
    assert time.perf_counter() - start < 5
    flags = reading.outputs[0].reads_along(1, 5000)
    assert np.array_equal(flags, np.tri(5000, dtype=bool))


def test_a_counter_that_nothing_reads_is_not_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scans, "MOST_BODIES", 6)
    reading = reading_of(lambda x: lax.fori_loop(0, 50, lambda _, y: jnp.tanh(y + x), x * 0), STEPS)
    assert rows(reading, 4) == OWN
    assert reading.unknown == []


def test_too_many_different_turns_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scans, "MOST_BODIES", 6)

    def late(x: Any) -> Any:
        return lax.fori_loop(0, 50, lambda turn, y: y + jnp.where(turn > 2, x, 0), x * 0)

    reading = reading_of(late, STEPS)
    assert rows(reading, 4) == OWN
    assert reading.unknown == ["scan: constants that change at more than 6 steps"]


def test_too_many_elements_are_taken_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scans, "MOST_GROUPS", 1)
    reading = reading_of(shift_register, STEPS)
    assert rows(reading, 4) == ["....", "x...", "xx..", "xxx."]
    assert reading.unknown == ["scan: more than 1 elements that are carried"]
