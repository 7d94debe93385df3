"""Constants are folded by NumPy to what JAX makes of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax
from jax.extend.core import Literal

from everystep.explanation.reading.folding import EVALUATED, value_of

NUMBERS = [[-1.5, 0.0, 0.5, 300.0], [2.0, -0.5, 0.0, 3.0], [0.3, 0.5, 0.9, 0.25], range(12)]
INTEGERS = [[5, 0, 7, 100], [2, 3, 0, 33]]
BOOLS = [[True, False, True], [True, True, False]]


def of_numbers(x: Any, y: Any, p: Any, more: Any) -> list[Any]:
    square = more.reshape(1, 4, 3)
    one: list[Any] = [lax.abs, lax.acos, lax.asin, lax.asinh, lax.atan, lax.atanh, lax.cbrt]
    one += [lax.ceil, lax.cos, lax.cosh, lax.exp, lax.exp2, lax.expm1, lax.floor]
    one += [lax.is_finite, lax.log, lax.log1p, lax.logistic]
    one += [lax.neg, lax.rsqrt, lax.sign, lax.sin, lax.sinh, lax.sqrt]
    one += [lax.square, lax.tan, lax.tanh, lax.round, jnp.round, lambda a: a.astype(bool)]
    one += [lambda a: a.astype(int), lambda a: a.astype(jnp.uint8), lambda a: a**3]
    one += [lambda a: lax.acosh(a + 1)]
    two: list[Any] = [lax.add, lax.atan2, lax.div, lax.eq, lax.ge, lax.gt, lax.le, lax.lt]
    two += [lax.max, lax.min, lax.mul, lax.ne, lax.rem, lax.sub]
    along: list[Any] = [jnp.sum, jnp.prod, jnp.max, jnp.min, jnp.argmax, jnp.argmin]
    along += [jnp.cumsum, jnp.cumprod, lax.cummax, lax.cummin]
    along += [lambda a, axis: lax.cumsum(a, axis, reverse=True)]
    return [
        *(function(p) for function in one),
        *(function(x, y) for function in two),
        *(function(square, axis=1) for function in along),
        *(lax.floor(x), lax.sign(x), x.astype(int), lax.clamp(0 * x, x, p), lax.neg(x)),
        *(lax.pow(p, x), lax.select(x > y, x, y), jnp.round(x + 1), lax.round(x + 1)),
        *(jnp.einsum("bij,bkj->bik", square, square), jnp.einsum("bij,bik->jk", square, square)),
    ]


def of_integers(x: Any, y: Any) -> list[Any]:
    two: list[Any] = [lax.add, lax.bitwise_and, lax.bitwise_or, lax.bitwise_xor, lax.div, lax.eq]
    two += [lax.max, lax.min, lax.mul, lax.rem, lax.sub, lax.shift_left, lax.shift_right_logical]
    two += [lax.shift_right_arithmetic]
    return [
        *(function(x, y) for function in two),
        *(lax.bitwise_not(x), lax.neg(x), lax.sign(x), x.astype(jnp.float32), jnp.sum(x)),
        *(lax.div(lax.neg(x), y + 2), lax.rem(lax.neg(x), y + 2)),
        *(lax.reduce_and(x, (0,)), lax.reduce_or(x, (0,)), lax.reduce_xor(x, (0,))),
        lax.bitcast_convert_type(x, jnp.uint8),
        lax.bitcast_convert_type(lax.bitcast_convert_type(x, jnp.uint8), x.dtype),
    ]


def of_bools(x: Any, y: Any) -> list[Any]:
    return [
        *(x & y, x | y, x ^ y, ~x, x.any(), x.all(), lax.max(x, y), x.astype(int)),
        *(lax.select(x, y, x), lax.reduce_xor(x, (0,))),
    ]


CASES: dict[str, tuple[Callable[..., list[Any]], list[Any]]] = {
    "float32": (of_numbers, NUMBERS),
    "bfloat16": (of_numbers, NUMBERS),
    "int32": (of_integers, INTEGERS),
    "uint32": (of_integers, INTEGERS),
    "bool": (of_bools, BOOLS),
}


def folded(program: Any, values: list[Any]) -> tuple[list[Any], set[str]]:
    """Run a program equation by equation, and say which primitives it had."""
    known = dict(zip(program.jaxpr.constvars, program.consts, strict=True))
    known.update(zip(program.jaxpr.invars, values, strict=True))
    names = set()

    def look_up(variable: Any) -> Any:
        return np.asarray(variable.val if isinstance(variable, Literal) else known[variable])

    for equation in program.eqns:
        given = [look_up(each) for each in equation.invars]
        inner = equation.params.get("jaxpr")
        if inner is None:
            names.add(equation.primitive.name)
            results = value_of(equation, given)
        else:
            results, more = folded(inner, given)
            names |= more
        known.update(zip(equation.outvars, results, strict=True))
    return [look_up(each) for each in program.jaxpr.outvars], names


@pytest.mark.parametrize("name", CASES)
def test_numpy_folds_constants_to_what_jax_makes_of_them(name: str) -> None:
    make, rows = CASES[name]
    values = [np.array(row, jnp.dtype(name)) for row in rows]
    program = jax.make_jaxpr(make)(*values)
    expected = jax.jit(make)(*values)
    results, names = folded(program, values)
    assert names - EVALUATED.keys() <= {"broadcast_in_dim", "reshape", "iota", "cond"}
    tolerance = 2e-2 if name == "bfloat16" else 1e-5
    for result, truth in zip(results, expected, strict=True):
        assert result.dtype == truth.dtype
        assert result.shape == truth.shape
        np.testing.assert_allclose(
            np.asarray(result, np.float64), np.asarray(truth, np.float64), rtol=tolerance, atol=1e-6
        )
