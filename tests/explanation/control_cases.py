"""Loops, branches and calls with their true maps."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from tests.explanation.case import (
    AFTER,
    ALL,
    BEFORE,
    FIRST,
    IN,
    OUT,
    OWN,
    STEPS,
    Case,
    of_function,
    taking,
)


def over_steps(body: Any, start: Any, x: Any, **options: Any) -> Any:
    """Scan over axis 1."""
    steps = jnp.moveaxis(x, 1, 0)
    return jnp.moveaxis(lax.scan(body, start, steps, **options)[1], 0, 1)


def zeros(x: Any) -> Any:
    return jnp.zeros_like(x[:, 0])


def running_sum(x: Any, **options: Any) -> Any:
    def body(total: Any, step: Any) -> Any:
        return total + step, total + step

    return over_steps(body, zeros(x), x, **options)


def restarting_sum(x: Any) -> Any:
    """A sum that starts anew at step 3, which constants among the scanned say."""

    def body(total: Any, scanned: Any) -> Any:
        step, starts = scanned
        total = jnp.where(starts, 0.0, total) + step
        return total, total

    return jnp.moveaxis(
        lax.scan(body, zeros(x), (jnp.moveaxis(x, 1, 0), np.arange(STEPS) == 3))[1], 0, 1
    )


def delayed(x: Any) -> Any:
    """What came two steps ago."""

    def body(line: Any, step: Any) -> Any:
        return (line[1], step), line[0]

    return over_steps(body, (zeros(x), zeros(x)), x)


def swapping(x: Any) -> Any:
    """Two sums that change places at each step: only every second step meets the same one."""

    def body(pair: Any, step: Any) -> Any:
        return (pair[1], pair[0] + step), pair[1]

    return over_steps(body, (zeros(x), zeros(x)), x)


def counted(x: Any) -> Any:
    """A loop whose index picks what is written."""
    return lax.fori_loop(1, STEPS, lambda i, y: y.at[:, i].add(y[:, i - 1]), x)


def shifting(x: Any) -> Any:
    """A loop of three turns, each of which shifts by one."""
    return lax.while_loop(lambda c: c[0] < 3, lambda c: (c[0] + 1, jnp.roll(c[1], 1, 1)), (0, x))[1]


def until_small(x: Any) -> Any:
    """A loop that runs until the sum of all steps is small enough."""
    return lax.while_loop(lambda y: jnp.sum(y) > 0, lambda y: y - 1, x)


@jax.custom_jvp
def own_derivative(x: Any) -> Any:
    return jnp.cumsum(x, axis=1)


own_derivative.defjvps(lambda tangent, _, x: tangent)


@jax.custom_vjp
def own_gradient(x: Any) -> Any:
    return jnp.cumsum(x, axis=1)


own_gradient.defvjp(lambda x: (own_gradient(x), None), lambda _, gradient: (gradient,))


CONTROL: list[Case] = [
    of_function("scan", running_sum, BEFORE),
    of_function("scan backwards", lambda x: running_sum(x, reverse=True), AFTER),
    of_function("scan unrolled by two", lambda x: running_sum(x, unroll=2), BEFORE),
    of_function("scan that starts anew", restarting_sum, BEFORE & ((IN >= 3) | (OUT < 3))),
    of_function("scan of a delay line", delayed, taking(-1, -1, 0, 1, 2, 3)),
    of_function("scan that swaps its carries", swapping, ((OUT - IN) % 2 == 1) & (IN < OUT)),
    of_function(
        "cond, known", lambda x: lax.cond(STEPS > 3, jnp.negative, lambda x: jnp.flip(x, 1), x), OWN
    ),
    of_function(
        "cond by the first step",
        lambda x: lax.cond(x[0, 0, 0] > 0, jnp.negative, lambda x: jnp.flip(x, 1), x),
        OWN | OWN[::-1] | FIRST,
    ),
    of_function(
        "switch, known",
        lambda x: lax.switch(1, [jnp.negative, lambda x: jnp.cumsum(x, 1)], x),
        BEFORE,
    ),
    of_function("while, known", shifting, taking(3, 4, 5, 0, 1, 2)),
    of_function("while by all steps", until_small, ALL),
    of_function("fori_loop that writes", counted, BEFORE),
    of_function("jit inside", lambda x: jax.jit(lambda y: jnp.flip(y, 1))(x), OWN[::-1]),
    of_function("vmap over features", lambda x: jax.vmap(jnp.cumsum, -1, -1)(x[0])[None], BEFORE),
    of_function("remat", lambda x: jax.checkpoint(lambda y: jnp.cumsum(y, 1))(x), BEFORE),
    of_function("custom_jvp", own_derivative, BEFORE),
    of_function("custom_vjp", own_gradient, BEFORE),
    of_function("relu", jax.nn.relu, OWN),
    of_function("stop_gradient", lambda x: lax.stop_gradient(jnp.cumsum(x, 1)), BEFORE),
    of_function("the gradient of a sum of squares", jax.grad(lambda x: (x**2).sum()), OWN),
]
