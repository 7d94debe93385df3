"""Widened programs against NumPy's double precision, and what an error does to them."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

from everystep.errors import StateError
from everystep.explanation.witnesses import widened

ROWS = np.random.default_rng(0).normal(size=(4, 3)).astype(np.float32)


def in_double(function: Callable[..., Any], *values: Any, error: float | None = None) -> Any:
    jaxpr = jax.make_jaxpr(function)(*values)
    with jax.enable_x64():
        [result] = widened(jaxpr)(*values, error=error)
        return np.asarray(result)


@jax.custom_jvp
def bent(x: jax.Array) -> jax.Array:
    return x * x


bent.defjvp(lambda primals, tangents: (bent(*primals), 7 * tangents[0]))


def running(x: jax.Array) -> jax.Array:
    return lax.scan(lambda total, row: (total * 0.5 + row, total), x[0], x, reverse=True)[1]


def running_in_numpy(x: np.ndarray) -> np.ndarray:
    total, before = x[0], []
    for row in x[::-1]:
        before.append(total)
        total = total * 0.5 + row
    return np.stack(before[::-1])


CASES: dict[str, tuple[Callable[..., Any], Callable[..., Any]]] = {
    "softmax": (jax.nn.softmax, lambda x: np.exp(x) / np.exp(x).sum(-1, keepdims=True)),
    "scan": (running, running_in_numpy),
    "while": (
        lambda x: lax.while_loop(lambda at: at[0] < 3, lambda at: (at[0] + 1, at[1] / 3), (0, x))[
            1
        ],
        lambda x: x / 27,
    ),
    "cond": (
        lambda x: lax.cond(x[0, 0] > 0, lambda y: y / 3, lambda y: y / 7, x),
        lambda x: x / (3 if x[0, 0] > 0 else 7),
    ),
    "own derivative": (bent, lambda x: x * x),
    "rematerialized": (jax.checkpoint(jnp.sin), np.sin),
    "half precision": (lambda x: x.astype(jnp.bfloat16) / 3, lambda x: x / 3),
    "product": (lambda x: x @ x.T, lambda x: x @ x.T),
    "added at places": (
        lambda x: jnp.zeros((2, 3)).at[jnp.array([1, 1, 0, 1])].add(x / 3),
        lambda x: np.stack([x[2], x[0] + x[1] + x[3]]) / 3,
    ),
    "windows": (
        lambda x: lax.reduce_window(x, 0.0, lambda a, b: a + b / 3, (4, 1), (1, 1), "VALID"),
        lambda x: x.sum(0, keepdims=True) / 3,
    ),
    "complex": (lambda x: jnp.fft.fft(x, axis=0), lambda x: np.fft.fft(x, axis=0)),
}


@pytest.mark.parametrize("case", CASES)
def test_programs_in_single_precision_come_out_in_double(case: str) -> None:
    ours, numpys = CASES[case]
    result, expected = in_double(ours, ROWS), numpys(ROWS.astype(np.float64))
    assert result.dtype in (np.float64, np.complex128)
    np.testing.assert_allclose(result, expected, rtol=1e-12, atol=1e-12)


def test_integers_overflow_where_the_program_has_them_overflow() -> None:
    result = in_double(lambda x: x * 2, np.int32(2**30))
    assert result.dtype == np.int32
    assert result == -(2**31)


def test_what_hangs_on_the_bits_of_a_value_is_left_in_its_dtype() -> None:
    bits = in_double(lambda x: lax.bitcast_convert_type(x, jnp.int32), np.float32(1))
    assert bits == 0x3F800000


def test_derivatives_are_those_of_the_function_in_both_modes() -> None:
    """Rules of one's own, and a gradient that is stopped, say how to train, not what is read."""
    jaxpr = jax.make_jaxpr(lambda x: bent(x) - lax.stop_gradient(x))(np.float32(3))
    with jax.enable_x64():
        run = lambda x: widened(jaxpr)(x)[0]  # noqa: E731
        assert float(jax.grad(run)(3.0)) == 5
        assert float(jax.jvp(run, (3.0,), (1.0,))[1]) == 5


def test_results_are_as_wrong_as_asked_and_what_only_moves_is_right() -> None:
    third, more, less = (in_double(lambda x: x / 3, ROWS, error=e) for e in (0.0, 1e-6, -1e-6))
    np.testing.assert_allclose(third, ROWS.astype(np.float64) / 3, rtol=1e-15)
    parts = (more / third - 1) / 1e-6
    assert np.unique(parts).size == parts.size
    assert 0.5 < np.abs(parts).max() <= 1
    np.testing.assert_allclose(third - less, more - third, rtol=1e-8)
    moved = in_double(lambda x: x[::-1], ROWS, error=1e-6)
    np.testing.assert_array_equal(moved, ROWS[::-1])


def test_double_precision_must_be_on() -> None:
    jaxpr = jax.make_jaxpr(jnp.sin)(np.float32(1))
    with pytest.raises(StateError, match="enable_x64"):
        widened(jaxpr)(1.0)
