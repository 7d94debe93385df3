"""Functions of arrays with their true maps: one for each way in which a program can read a step.

What a function closes over, such as `KERNEL`, is constant in its program.
"""

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
    FEATURES,
    FIRST,
    IN,
    NONE,
    ONE,
    OUT,
    OWN,
    SHAPE,
    STEPS,
    VOCABULARY,
    Case,
    Looser,
    band,
    drawn,
    of_function,
    taking,
    windows,
)

ROW = (1, STEPS)
KERNEL = np.random.default_rng(0).normal(size=(FEATURES, 4))
EARLIER = np.tril(np.ones((STEPS, STEPS), bool))
NEAR = np.abs(np.subtract.outer(np.arange(STEPS), np.arange(STEPS))) <= 1
PLACES = np.arange(STEPS)
ORDER = [3, 1, 0, 5, 2, 4]


def scores(x: Any) -> Any:
    """How much each step minds each other one."""
    return jnp.einsum("btf,bsf->bts", x, x)


def attention(probabilities: Any, x: Any) -> Any:
    """Read the steps in these shares."""
    return jnp.einsum("bts,bsf->btf", probabilities, x)


def by_hand(x: Any) -> Any:
    """Causal attention whose softmax is written out, without taking the largest score off."""
    powers = jnp.exp(jnp.where(EARLIER, scores(x), -jnp.inf))
    return attention(powers / powers.sum(-1, keepdims=True), x)


def last_window(x: Any, start: Any) -> Any:
    """Three steps from one on that is known only when the program runs."""
    return lax.dynamic_slice_in_dim(x, start, 3, axis=1)


def factored(x: Any) -> Any:
    """The Cholesky factor of a matrix over the steps."""
    return jnp.linalg.cholesky(scores(x) + 9 * jnp.eye(STEPS), symmetrize_input=False)


def solved(x: Any) -> Any:
    """What a lower triangular matrix over the steps was multiplied with."""
    matrix = jnp.broadcast_to(EARLIER * 0.3 + np.eye(STEPS), (1, STEPS, STEPS))
    return lax.linalg.triangular_solve(matrix, x, left_side=True, lower=True)


def solved_scores(x: Any) -> Any:
    """The same of a matrix of which only the lower triangle counts."""
    matrix = scores(x) + 9 * jnp.eye(STEPS)
    return lax.linalg.triangular_solve(matrix, x, left_side=True, lower=True)


def matrices(x: Any) -> Any:
    """A matrix of 3 by 3 for each step, which can be inverted."""
    return x[..., None] * x[..., None, :] + 4 * jnp.eye(FEATURES)


def windows_of_some(x: Any) -> Any:
    """Steps times sums over two steps each, of which the first three count as zeros."""
    some = jnp.where((PLACES >= 3)[:, None], x, 0.0)
    sums = lax.reduce_window(some, 0.0, lax.add, (1, 2, 1), (1, 1, 1), "VALID")
    return x[:, :-1] * sums


def moving_mean(x: Any) -> Any:
    """Means over three steps as the difference of two running sums."""
    sums = jnp.cumsum(jnp.pad(x, ((0, 0), (3, 0), (0, 0))), axis=1)
    return sums[:, 3:] - sums[:, :-3]


def places(y: Any) -> Any:
    """The place, one of two, that each step names with its first number."""
    return (90 * y[..., 0]).astype("int32") % 2


def chosen(x: Any, y: Any) -> Any:
    """The steps that another input names."""
    return jnp.take_along_axis(x, places(y)[..., None], axis=1)


def spread(x: Any, y: Any) -> Any:
    """Each step added where another input says."""
    return jnp.zeros((1, 2, FEATURES)).at[0, places(y)[0]].add(x[0])


def largest_feature(x: Any) -> Any:
    return jnp.take_along_axis(x, jnp.argmax(x, -1, keepdims=True), axis=2)


def cumulative(operation: Any, **options: Any) -> Any:
    return lambda x: operation(x, axis=1, **options)


POINTWISE = [
    of_function("a sum with itself", lambda x: x + x, OWN),
    of_function(
        "a difference from itself",
        lambda x: x - x,
        NONE,
        looser=Looser(OWN, "x - x counts as any two numbers"),
    ),
    of_function("zeros", jnp.zeros_like, NONE),
    of_function("times zero", lambda x: x * 0.0, NONE),
    of_function("times a constant mask", lambda x: x * (PLACES < 3)[:, None], OWN & (OUT < 3)),
    of_function("and a constant mask", lambda x: (x > 0) & (PLACES < 2)[:, None], OWN & (OUT < 2)),
    of_function("or a constant mask", lambda x: (x > 0) | (PLACES < 2)[:, None], OWN & (OUT >= 2)),
    of_function("itself and zero times another", lambda x: x + 0.0 * jnp.flip(x, 1), OWN),
    of_function("a gate", lambda x: jnp.where(x > 0, 1.0, -1.0), OWN),
    of_function("a gate by the first step", lambda x: jnp.where(x[:, :1] > 0, x, -x), OWN | FIRST),
    of_function(
        "where by a constant",
        lambda x: jnp.where((PLACES % 2 == 0)[:, None], x, jnp.roll(x, 1, 1)),
        taking(0, 0, 2, 2, 4, 4),
    ),
    of_function("rounding", jnp.round, OWN),
    of_function("integer arithmetic", lambda ids: (ids * 2 + ids // 3) % 5, OWN, (ROW,), ids=True),
    of_function(
        "bits of neighbours",
        lambda ids: ids ^ jnp.roll(ids, 1, 1),
        OWN | taking(5, 0, 1, 2, 3, 4),
        (ROW,),
        ids=True,
    ),
    of_function("ids that are not padding", lambda ids: ids != 0, OWN, (ROW,), ids=True),
    of_function("one_hot", lambda ids: jax.nn.one_hot(ids, VOCABULARY), OWN, (ROW,), ids=True),
    of_function("searching constants", lambda x: jnp.searchsorted(np.linspace(-1, 1, 5), x), OWN),
    of_function(
        "searching the steps",
        lambda x: jnp.searchsorted(jnp.sort(x[0, :, 0]), np.linspace(-1, 1, 4))[None],
        ALL[:4],
    ),
    of_function("noise", lambda x: x + jax.random.normal(jax.random.key(0), x.shape), OWN),
    of_function(
        "a sample of each step", lambda x: jax.random.categorical(jax.random.key(0), 9 * x), OWN
    ),
    of_function("two outputs", lambda x: (x, jnp.cumsum(x, 1)), [[OWN], [BEFORE]]),
]

MOVING = [
    of_function(
        "folded into the batch",
        lambda x: (x.reshape(-1, FEATURES) @ KERNEL).reshape(1, STEPS, 4),
        OWN,
    ),
    of_function(
        "a reshape that mixes steps",
        lambda x: x.reshape(1, FEATURES, STEPS).mT,
        drawn("x.x.x. x.x.x. x.x.x. .x.x.x .x.x.x .x.x.x"),
    ),
    of_function("rolled", lambda x: jnp.roll(x, 1, axis=1), taking(5, 0, 1, 2, 3, 4)),
    of_function(
        "shifted", lambda x: jnp.pad(x, ((0, 0), (1, 0), (0, 0)))[:, :-1], taking(-1, 0, 1, 2, 3, 4)
    ),
    of_function("flipped", lambda x: jnp.flip(x, 1), taking(5, 4, 3, 2, 1, 0)),
    of_function("every second step", lambda x: x[:, ::2], taking(0, 2, 4)),
    of_function("the first step everywhere", lambda x: jnp.broadcast_to(x[:, :1], x.shape), FIRST),
    of_function("in a constant order", lambda x: x[:, np.array(ORDER)], taking(*ORDER)),
    of_function(
        "written in a constant order",
        lambda x: jnp.zeros_like(x).at[:, np.array(ORDER)].set(x),
        taking(*np.argsort(ORDER)),
    ),
    of_function("one step overwritten", lambda x: x.at[:, 2].set(0.0), OWN & (OUT != 2)),
    of_function("one step changed in place", lambda x: x.at[:, 2].apply(jnp.sin), OWN),
    of_function(
        "two steps put at one place",
        lambda x: x.at[:, np.array([4, 4])].set(x[:, :2]),
        drawn("x..... .x.... ..x... ...x.. .x.... .....x"),
        looser=Looser(
            drawn("x..... .x.... ..x... ...x.. xx.... .....x"),
            "which of two that are put at one place stays is not promised",
        ),
    ),
    of_function(
        "one step added to another", lambda x: x.at[:, 2].add(x[:, 5]), OWN | (OUT == 2) & (IN == 5)
    ),
    of_function("a slice from a constant on", lambda x: last_window(x, 2), taking(2, 3, 4)),
    of_function("a slice from past the end", lambda x: last_window(x, 9), taking(3, 4, 5)),
    of_function(
        "a slice from what the steps say",
        lambda x: last_window(x, jnp.argmax(x[0, :4, 0])),
        windows(3, 1, 4) | (IN < 4),
    ),
    of_function("steps that others name", chosen, [[ALL[:, :2], OWN]], ((1, 2, 3), SHAPE)),
    of_function("steps to where others say", spread, [[ALL[:2], ALL[:2]]], (SHAPE, SHAPE)),
    of_function("the largest feature", largest_feature, OWN),
    of_function(
        "a stack of two orders", lambda x: jnp.stack([x, jnp.flip(x, 1)], -1), OWN | OWN[::-1]
    ),
    of_function("differences", lambda x: jnp.diff(x, axis=1), windows(5, 1, 2)),
    of_function(
        "the edge repeated",
        lambda x: jnp.pad(x, ((0, 0), (1, 1), (0, 0)), "edge"),
        taking(0, 0, 1, 2, 3, 4, 5, 5),
    ),
]

REDUCING = [
    of_function("less the mean over steps", lambda x: x - x.mean(1, keepdims=True), ALL),
    of_function(
        "by the norm of its features", lambda x: x / jnp.linalg.norm(x, axis=-1, keepdims=True), OWN
    ),
    of_function("the largest over steps", lambda x: x.max(1), ONE, output_axis=None),
    of_function("argmax over steps", lambda x: jnp.argmax(x, axis=1, keepdims=True), ONE),
    of_function("argmax over features", lambda x: jnp.argmax(x, axis=-1), OWN),
    of_function(
        "how many steps are positive", lambda x: (x[..., 0] > 0).sum(1), ONE, output_axis=None
    ),
    of_function("median over steps", lambda x: jnp.median(x, axis=1, keepdims=True), ONE),
    of_function("cumsum", cumulative(jnp.cumsum), BEFORE),
    of_function("cumsum backwards", cumulative(lax.cumsum, reverse=True), AFTER),
    of_function("cummax", cumulative(lax.cummax), BEFORE),
    of_function("cummin backwards", cumulative(lax.cummin, reverse=True), AFTER),
    of_function("cumprod", cumulative(jnp.cumprod), BEFORE),
    of_function("cumlogsumexp", cumulative(lax.cumlogsumexp), BEFORE),
    of_function("cumsum over features", lambda x: jnp.cumsum(x, -1), OWN),
    of_function("associative_scan", lambda x: lax.associative_scan(jnp.add, x, axis=1), BEFORE),
    of_function(
        "associative_scan backwards",
        lambda x: lax.associative_scan(jnp.maximum, x, axis=1, reverse=True),
        AFTER,
    ),
    of_function(
        "moving mean from sums",
        moving_mean,
        band(2, 0),
        looser=Looser(BEFORE, "that two sums cancel is arithmetic"),
    ),
    of_function("sort", lambda x: jnp.sort(x, axis=1), ALL),
    of_function("sort of features", lambda x: jnp.sort(x, axis=-1), OWN),
    of_function("argsort", lambda x: jnp.argsort(x, axis=1), ALL),
    of_function("top_k", lambda x: lax.top_k(x[..., 0], 2)[0], ALL[:2]),
    of_function("top_k of features", lambda x: lax.top_k(x, 2)[1], OWN),
    of_function("fft", lambda x: jnp.fft.fft(x, axis=1).real, ALL),
    of_function("fft of features", lambda x: jnp.abs(jnp.fft.fft(x, axis=-1)), OWN),
    of_function(
        "a convolution of NumPy's",
        lambda x: jnp.convolve(x[0], np.ones(2))[None, :STEPS],
        band(1, 0),
        (ROW,),
    ),
    of_function(
        "a window with gaps",
        lambda x: lax.reduce_window(
            x, -np.inf, lax.max, (1, 2, 1), (1, 1, 1), "VALID", window_dilation=(1, 2, 1)
        ),
        windows(4, 1, 2, 2),
    ),
    of_function(
        "windows of some steps", windows_of_some, drawn("...... ...... ..xx.. ...xx. ....xx")
    ),
    of_function(
        "a product with a triangle",
        lambda x: jnp.einsum("btf,st->bsf", x, EARLIER.astype("float32")),
        BEFORE,
    ),
    of_function(
        "a product with a band", lambda x: jnp.matmul(NEAR.astype("float32"), x), band(1, 1)
    ),
    of_function("scores", scores, ALL),
    of_function(
        "Cholesky factor over steps",
        factored,
        BEFORE,
        looser=Looser(
            ALL, "a matrix without a factor, whichever step is to blame, gives no numbers"
        ),
    ),
    of_function("triangular system over steps", solved, BEFORE),
    of_function("triangular system of scores", solved_scores, BEFORE),
    of_function("a matrix of each step inverted", lambda x: jnp.linalg.inv(matrices(x)), OWN),
    of_function("eigenvalues of each step", lambda x: jnp.linalg.eigvalsh(matrices(x)), OWN),
    of_function("QR over steps", lambda x: jnp.linalg.qr(scores(x))[0], ALL),
]

ATTENTION = [
    of_function("attention", lambda x: attention(jax.nn.softmax(scores(x)), x), ALL),
    of_function(
        "causal by -1e9",
        lambda x: attention(jax.nn.softmax(jnp.where(EARLIER, scores(x), -1e9)), x),
        BEFORE,
    ),
    of_function(
        "causal by -inf",
        lambda x: attention(jax.nn.softmax(jnp.where(EARLIER, scores(x), -jnp.inf)), x),
        BEFORE,
    ),
    of_function(
        "causal by where=", lambda x: attention(jax.nn.softmax(scores(x), where=EARLIER), x), BEFORE
    ),
    of_function(
        "causal by an added -1e9",
        lambda x: attention(jax.nn.softmax(scores(x) + np.where(EARLIER, 0.0, -1e9)), x),
        BEFORE,
    ),
    of_function("causal by hand", by_hand, BEFORE),
    of_function("causal by zeros afterwards", lambda x: attention(jnp.tril(scores(x)), x), BEFORE),
    of_function(
        "local",
        lambda x: attention(jax.nn.softmax(jnp.where(NEAR, scores(x), -1e9)), x),
        band(1, 1),
    ),
    of_function(
        "JAX's own, causal",
        lambda x: jax.nn.dot_product_attention(
            x[:, :, None], x[:, :, None], x[:, :, None], is_causal=True
        ),
        BEFORE,
    ),
]

FUNCTIONS: list[Case] = [*POINTWISE, *MOVING, *REDUCING, *ATTENTION]
