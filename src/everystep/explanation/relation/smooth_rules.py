"""What each primitive becomes in a smooth program.

A value is fixed, where neither weights nor inputs reach it, or loose. Loose truth values, and
integers made of them, are numbers between: float64 in place of their own dtype.
"""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer
from jax.extend.core import JaxprEqn

WIDTH = 0.7390851332151607
"""The width c of all branches; any number would do."""


class Abrupt(Exception):  # noqa: N818
    """A primitive has no smooth twin; its name is the message. Never leaves this room."""


@dataclass(frozen=True)
class Value:
    """One value of a smooth program.

    Args:
        array: its array.
        loose: whether it hangs on weights or inputs.
        soft: whether it stands for truth values or integers that lie between.
        nonnegative: whether its numbers are known to be whole and not negative, of any dtype.
    """

    array: Any
    loose: bool
    soft: bool = False
    nonnegative: bool = False

    def like(self, array: Any) -> Value:
        """Return another array as a value of this kind."""
        return replace(self, array=array)

    @property
    def kind(self) -> tuple[bool, bool, bool]:
        """What is known of it besides its array."""
        return self.loose, self.soft, self.nonnegative

    def joined(self, other: Value) -> Value:
        """Return this value in a kind that holds both."""
        soft = self.soft or other.soft
        return Value(
            self.array.astype(float) if soft else self.array,
            self.loose or other.loose,
            soft,
            self.nonnegative and other.nonnegative,
        )

    def matched(self, other: Value) -> Any:
        """Return the array as one of the other's kind."""
        return self.array.astype(other.array.dtype)


def fixed(array: Any) -> Value:
    """Return a constant; where it is known while tracing, it stays an array of NumPy."""
    if isinstance(array, Tracer) or jnp.issubdtype(array.dtype, jax.dtypes.prng_key):
        return Value(array, loose=False)
    known = np.asarray(array)
    return Value(known, False, nonnegative=known.dtype.kind in "iu" and bool((known >= 0).all()))


def unchanged(equation: JaxprEqn, operands: list[Value]) -> list[Value]:
    """Return the results of a primitive on values that hang on no data."""
    kept = equation.primitive.name in _KEEPING_SIGN and all(o.nonnegative for o in operands)
    return [Value(array, False, nonnegative=kept) for array in bound(equation, operands)]


def given(array: Any) -> Value:
    """Return a weight or an input; what is true or false lies between."""
    array = jnp.asarray(array)
    if array.dtype == bool:
        return Value(0.2 + 0.6 * array.astype(float), loose=True, soft=True)
    return Value(array, loose=True, nonnegative=jnp.issubdtype(array.dtype, jnp.integer))


def bound(equation: JaxprEqn, operands: list[Value]) -> list[Any]:
    """Return the results of a primitive as it is; soft operands make all of them numbers."""
    arrays = [operand.array for operand in operands]
    params = dict(equation.params)
    if any(operand.soft for operand in operands):
        arrays = [
            array if is_index(equation, place) else array.astype(float)
            for place, array in enumerate(arrays)
        ]
        if params.get("preferred_element_type") is not None:
            params["preferred_element_type"] = np.dtype(float)
    primitive: Any = equation.primitive
    results = primitive.bind(*arrays, **params)
    return list(results) if primitive.multiple_results else [results]


# Which operand of a primitive is an index into the others, by its place.
_INDICES = {"gather": 1, "scatter": 1, "scatter-add": 1, "dynamic_slice": 1}


def is_index(equation: JaxprEqn, place: int) -> bool:
    """Whether an operand is an index into the others."""
    name = equation.primitive.name
    if name == "dynamic_slice":
        return place >= 1
    if name == "dynamic_update_slice":
        return place >= 2
    return _INDICES.get(name) == place


Rule = Callable[[JaxprEqn, list[Value]], list[Value]]


def _kept(equation: JaxprEqn, operands: list[Value]) -> list[Value]:
    """What is analytic, or moves numbers only: the primitive itself."""
    for place, operand in enumerate(operands):
        if is_index(equation, place) and operand.soft:
            raise Abrupt(equation.primitive.name)
    soft = any(operand.soft for operand in operands)
    nonnegative = all(operand.nonnegative for operand in operands)
    kept = nonnegative and equation.primitive.name in _KEEPING_SIGN
    return [Value(array, True, soft, kept) for array in bound(equation, operands)]


def _integers_refused(equation: JaxprEqn, operands: list[Value]) -> list[Value]:
    """What is analytic for real numbers only."""
    if not jnp.issubdtype(dtype_of(equation.outvars[0]), jnp.inexact):
        raise Abrupt(equation.primitive.name)
    return _kept(equation, operands)


def dtype_of(variable: Any) -> Any:
    """Return the dtype of a variable of a jaxpr."""
    return variable.aval.dtype


def _number(value: Value) -> Any:
    real = jnp.issubdtype(value.array.dtype, jnp.inexact)
    return value.array if real else value.array.astype(float)


def sign(x: Any) -> Any:
    """Return the smooth sign, which comes so slowly to -1 and 1 that it is seen from anywhere."""
    far = jnp.arcsinh(x / WIDTH)
    return far / jnp.sqrt(1 + far * far)


def magnitude(x: Any) -> Any:
    """Return the smooth absolute value."""
    if jnp.issubdtype(x.dtype, jnp.complexfloating):
        return jnp.sqrt(x.real**2 + x.imag**2 + WIDTH**2)
    return x * sign(x)


def above(x: Any) -> Any:
    """Return the smooth truth of x > 0."""
    return (1 + sign(x)) / 2


def equal(x: Any) -> Any:
    """Return the smooth truth of x = 0."""
    return 1 - sign(x) ** 2


def larger(x: Any, y: Any) -> Any:
    """Return the smooth maximum; it is the other one where one is minus infinity."""
    x, y = jnp.broadcast_arrays(jnp.asarray(x), jnp.asarray(y))
    x_none, y_none = jnp.isneginf(x), jnp.isneginf(y)
    left, right = jnp.where(x_none, y, x), jnp.where(y_none, x, y)
    apart = jnp.where(x_none & y_none, 0.0, left - right)
    both = (left + right + magnitude(apart)) / 2
    return jnp.where(x_none, y, jnp.where(y_none, x, both))


def smaller(x: Any, y: Any) -> Any:
    """Return the smooth minimum."""
    return -larger(-x, -y)


def chosen(index: Value, cases: list[Value]) -> Value:
    """Return one of several values by a fixed index, or a mixture of two by a loose one."""
    soft = any(case.soft for case in cases)
    loose = index.loose or any(case.loose for case in cases)
    nonnegative = all(case.nonnegative for case in cases)
    if not index.loose:
        arrays = [case.array.astype(float) if soft else case.array for case in cases]
        picked = jnp.broadcast_to(index.array.astype("int32"), arrays[0].shape)
        array = jnp.select([picked == place for place in range(len(cases))], arrays)
        return Value(array, loose, soft, nonnegative)
    low, high = map(_number, cases)
    integers = soft or not jnp.issubdtype(cases[0].array.dtype, jnp.inexact)
    return Value(low + (high - low) * _number(index), True, integers)


def _selected(_: JaxprEqn, operands: list[Value]) -> list[Value]:
    index, *cases = operands
    if index.loose and len(cases) > 2:
        raise Abrupt("select_n")
    return [chosen(index, cases)]


def _compared(strict: float, truth: Callable[[Any, Any, float], Any]) -> Rule:
    """A comparison; `strict` is where it turns between two integers that differ by one."""

    def rule(equation: JaxprEqn, operands: list[Value]) -> list[Value]:
        x, y = operands
        if x.nonnegative and equation.primitive.name in ("lt", "ge") and _is_zero(y):
            never = equation.primitive.name == "lt"
            return [Value(jnp.full(x.array.shape, not never), loose=False)]
        whole = not jnp.issubdtype(dtype_of(equation.invars[0]), jnp.inexact)
        return [Value(truth(_number(x), _number(y), strict if whole else 0.0), True, True)]

    return rule


def _is_zero(value: Value) -> bool:
    """Whether a value is a fixed zero that is known while tracing."""
    array = value.array
    return (
        not value.loose and not isinstance(array, Tracer) and bool((np.asarray(array) == 0).all())
    )


def _pointwise(function: Callable[..., Any], *, soft: bool = False) -> Rule:
    """A smooth twin that takes the numbers of all operands."""

    def rule(equation: JaxprEqn, operands: list[Value]) -> list[Value]:
        whole = not jnp.issubdtype(dtype_of(equation.outvars[0]), jnp.inexact)
        return [Value(function(*map(_number, operands)), True, soft or whole)]

    return rule


def _logical(function: Callable[..., Any]) -> Rule:
    """A connection of truth values."""

    def rule(equation: JaxprEqn, operands: list[Value]) -> list[Value]:
        if not jnp.issubdtype(dtype_of(equation.outvars[0]), jnp.bool_):
            raise Abrupt(equation.primitive.name)
        return [Value(function(*map(_number, operands)), True, True)]

    return rule


def _folded(function: Callable[[Any, Any], Any]) -> Rule:
    """A reduction along axes by a function of two."""

    def rule(equation: JaxprEqn, operands: list[Value]) -> list[Value]:
        x = _number(operands[0])
        for axis in sorted(equation.params["axes"], reverse=True):
            parts = [jnp.take(x, place, axis) for place in range(x.shape[axis])]
            x = parts[0]
            for part in parts[1:]:
                x = function(x, part)
        whole = not jnp.issubdtype(dtype_of(equation.outvars[0]), jnp.inexact)
        return [Value(x, True, whole)]

    return rule


def _windowed(function: Callable[[Any, Any], Any], empty: float) -> Rule:
    """A reduction over windows by a function of two: the windows' places, one after another."""

    def rule(equation: JaxprEqn, operands: list[Value]) -> list[Value]:
        params = equation.params
        if any(dilation != 1 for dilation in params["base_dilation"]):
            raise Abrupt(equation.primitive.name)
        x = jnp.pad(_number(operands[0]), params["padding"], constant_values=empty)
        sizes = equation.outvars[0].aval.shape  # type: ignore[attr-defined]
        axes = list(zip(sizes, params["window_strides"], params["window_dilation"], strict=True))
        parts = [
            x[
                tuple(
                    slice(at * dilation, at * dilation + (size - 1) * stride + 1, stride)
                    for at, (size, stride, dilation) in zip(place, axes, strict=True)
                )
            ]
            for place in itertools.product(*map(range, params["window_dimensions"]))
        ]
        return [Value(functools.reduce(function, parts), True)]

    return rule


def _multiplied(equation: JaxprEqn, operands: list[Value]) -> list[Value]:
    return [Value(jnp.prod(_number(operands[0]), equation.params["axes"]), True, True)]


def _any(equation: JaxprEqn, operands: list[Value]) -> list[Value]:
    none = jnp.prod(1 - _number(operands[0]), equation.params["axes"])
    return [Value(1 - none, True, True)]


def _converted(equation: JaxprEqn, operands: list[Value]) -> list[Value]:
    """Another dtype: truth values and integers that lie between go on as they are."""
    [value] = operands
    to, came = equation.params["new_dtype"], dtype_of(equation.invars[0])
    real = jnp.issubdtype(to, jnp.inexact)
    if value.soft:
        return [Value(value.array, True, not real)]
    if jnp.issubdtype(to, jnp.bool_):
        return [Value(1 - equal(_number(value)), True, True)]
    if jnp.issubdtype(came, jnp.inexact) and not real and not value.nonnegative:
        raise Abrupt("convert_element_type")
    return [Value(value.array.astype(to), True, nonnegative=value.nonnegative)]


def _finite(_: JaxprEqn, operands: list[Value]) -> list[Value]:
    return [Value(jnp.ones(operands[0].array.shape, bool), loose=False)]


def _abrupt(equation: JaxprEqn, _: list[Value]) -> list[Value]:
    raise Abrupt(equation.primitive.name)


_MOVING_NAMES = (
    "broadcast_in_dim concatenate copy dynamic_slice dynamic_update_slice expand_dims gather "
    "optimization_barrier pad reshape rev scatter slice split squeeze stack tile transpose unstack "
)
_POLYNOMIAL_NAMES = (
    "add add_any conv_general_dilated cumsum dot_general integer_pow mul neg reduce_sum "
    "reduce_window_sum scatter-add square sub "
)
_ANALYTIC_NAMES = (
    "acos acosh asin asinh atan atan2 atanh cbrt cholesky complex conj cos cosh cumlogsumexp "
    "cumprod digamma div erf erf_inv erfc exp exp2 expm1 fft imag lgamma log log1p logistic "
    "polygamma pow real reduce_prod rsqrt sin sinh sqrt tan tanh triangular_solve "
)
_KEEPING_SIGN = frozenset(f"{_MOVING_NAMES} add mul cumsum reduce_sum convert_element_type".split())

BRANCHING: dict[str, Rule] = {
    "abs": _pointwise(magnitude),
    "sign": _pointwise(sign),
    "max": _pointwise(larger),
    "min": _pointwise(smaller),
    "clamp": _pointwise(lambda low, x, high: larger(low, smaller(x, high))),
    "reduce_max": _folded(larger),
    "reduce_min": _folded(smaller),
    "reduce_window_max": _windowed(larger, -math.inf),
    "reduce_window_min": _windowed(smaller, math.inf),
    "gt": _compared(0.5, lambda x, y, shift: above(x - y - shift)),
    "ge": _compared(0.5, lambda x, y, shift: above(x - y + shift)),
    "lt": _compared(0.5, lambda x, y, shift: above(y - x - shift)),
    "le": _compared(0.5, lambda x, y, shift: above(y - x + shift)),
    "eq": _compared(0.5, lambda x, y, _: equal(x - y)),
    "ne": _compared(0.5, lambda x, y, _: 1 - equal(x - y)),
    "and": _logical(lambda p, q: p * q),
    "or": _logical(lambda p, q: p + q - p * q),
    "xor": _logical(lambda p, q: p + q - 2 * p * q),
    "not": _logical(lambda p: 1 - p),
    "reduce_and": _multiplied,
    "reduce_or": _any,
    "select_n": _selected,
}
"""The primitives that branch, with their smooth twins."""

_RULES: dict[str, Rule] = {
    **BRANCHING,
    **dict.fromkeys((_MOVING_NAMES + _POLYNOMIAL_NAMES).split(), _kept),
    **dict.fromkeys(_ANALYTIC_NAMES.split(), _integers_refused),
    "convert_element_type": _converted,
    "is_finite": _finite,
}


def is_branch(name: str, operands: list[Value], results: list[Value]) -> bool:
    """Whether a primitive decides by weights or inputs."""
    decides = operands[:1] if name == "select_n" else results
    return name in BRANCHING and any(value.loose for value in decides)


def rule_of(name: str) -> Rule:
    """Return what becomes of a primitive; one without a smooth twin raises `Abrupt`."""
    return _RULES.get(name, _abrupt)
