"""Constants: the value of an equation whose operands are known."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jax
import numpy as np

from everystep.explanation.reading.bits import Array
from everystep.explanation.reading.facts import Facts, is_float, storage
from everystep.explanation.reading.results import Rule, kind_of

Evaluate = Callable[..., Array]


def _divided(left: Array, right: Array) -> Array:
    """Return the quotient, of integers towards 0, and -1 for division by 0."""
    if not np.issubdtype(left.dtype, np.integer):
        return np.asarray(left / right)
    safe = np.where(right == 0, np.ones((), right.dtype), right)
    quotient = (left - np.fmod(left, safe)) // safe
    return np.where(right == 0, np.array(-1).astype(left.dtype), quotient)


def _remainder(left: Array, right: Array) -> Array:
    """Return the remainder, which has the sign of what is divided; all of it for integers by 0."""
    if not np.issubdtype(left.dtype, np.integer):
        return np.asarray(np.fmod(left, right))
    safe = np.where(right == 0, np.ones((), right.dtype), right)
    return np.where(right == 0, left, np.fmod(left, safe))


def _converted(value: Array, new_dtype: Any) -> Array:
    """Return the values in another dtype: integers hold the nearest number that they can."""
    held = storage(new_dtype)
    if is_float(value.dtype) and np.issubdtype(held, np.integer):
        limits = np.iinfo(held)
        wide = np.trunc(value.astype(np.float64))
        inside = np.clip(np.nan_to_num(wide, nan=0), limits.min, limits.max).astype(held)
        return np.where(wide >= limits.max, np.array(limits.max, held), inside)
    return value.astype(held)


def _bitcast(value: Array, new_dtype: Any) -> Array:
    """Return the same bits as another dtype; a last axis holds the parts of an element."""
    held, size = storage(new_dtype), value.dtype.itemsize
    contiguous = np.ascontiguousarray(value)
    if held.itemsize < size:
        parts: Array = contiguous.reshape(*value.shape, 1).view(held)
        return parts
    seen: Array = contiguous.view(held)
    return seen if held.itemsize == size else seen[..., 0]


def _rounded(value: Array, method: Any) -> Array:
    """Return the nearest whole numbers: of two, the even one, or that away from 0."""
    if method == jax.lax.RoundingMethod.TO_NEAREST_EVEN:
        return np.asarray(np.rint(value))
    return np.asarray(np.copysign(np.floor(np.abs(value) + np.asarray(0.5, value.dtype)), value))


def _shifted_logically(left: Array, right: Array) -> Array:
    unsigned = np.dtype(f"u{left.dtype.itemsize}")
    shifted: Array = left.view(unsigned) >> right.astype(unsigned)
    return shifted.view(left.dtype)


def _selected(which: Array, *cases: Array) -> Array:
    return np.choose(which.astype(np.intp), cases)


def _plain(function: Callable[..., Any]) -> Evaluate:
    """Return the function of the operands alone, without the equation's parameters."""
    return lambda parameters, *values: function(*values)


def _with(function: Callable[..., Any], *names: str) -> Evaluate:
    """Return the function of the operands, then of those parameters."""
    return lambda parameters, *values: function(*values, *(parameters[name] for name in names))


def _along(function: Callable[..., Any]) -> Evaluate:
    return lambda parameters, value: function(value, axis=tuple(parameters["axes"]))


def _extreme(function: Callable[..., Any], sign: int) -> Evaluate:
    """Return the maximum or minimum, which of nothing is infinite, or as large as can be."""

    def evaluate(parameters: Mapping[str, Any], value: Array) -> Array:
        infinite = np.array(sign * np.inf)
        first = infinite > 0 if value.dtype == bool else _converted(infinite, value.dtype)
        return np.asarray(function(value, axis=tuple(parameters["axes"]), initial=first))

    return evaluate


def _cumulative(ufunc: Any) -> Evaluate:
    def evaluate(parameters: Mapping[str, Any], value: Array) -> Array:
        axis, reverse = parameters["axis"], parameters["reverse"]
        turned = np.flip(value, axis) if reverse else value
        total = ufunc.accumulate(turned, axis=axis, dtype=value.dtype)
        return np.flip(total, axis) if reverse else total

    return evaluate


def _product(parameters: Mapping[str, Any], left: Array, right: Array) -> Array:
    (left_axes, right_axes), (left_batch, right_batch) = parameters["dimension_numbers"]
    letters = iter(range(left.ndim + right.ndim))
    left_names = [next(letters) for _ in range(left.ndim)]
    right_names = [next(letters) for _ in range(right.ndim)]
    for ours, theirs in zip((*left_axes, *left_batch), (*right_axes, *right_batch), strict=True):
        right_names[theirs] = left_names[ours]
    kept = [
        *(left_names[axis] for axis in left_batch),
        *(left_names[axis] for axis in range(left.ndim) if axis not in (*left_axes, *left_batch)),
        *(
            right_names[axis]
            for axis in range(right.ndim)
            if axis not in (*right_axes, *right_batch)
        ),
    ]
    # NumPy's own numbers only, not those of JAX such as bfloat16.
    einsum: Callable[..., Any] = np.einsum
    wide = [each.astype(np.float32) if each.dtype.kind == "V" else each for each in (left, right)]
    result: Array = einsum(wide[0], left_names, wide[1], right_names, kept)
    return result


SAME_NAME = [
    *("abs", "cbrt", "ceil", "conj", "cos", "cosh", "exp", "exp2", "expm1", "floor", "imag", "log"),
    *("log1p", "nextafter", "real", "sign", "sin", "sinh", "sqrt", "square", "tan", "tanh"),
]

EVALUATED: dict[str, Evaluate] = {
    **{name: _plain(getattr(np, name)) for name in SAME_NAME},
    "acos": _plain(np.arccos),
    "acosh": _plain(np.arccosh),
    "asin": _plain(np.arcsin),
    "asinh": _plain(np.arcsinh),
    "atan": _plain(np.arctan),
    "atan2": _plain(np.arctan2),
    "atanh": _plain(np.arctanh),
    "add": _plain(np.add),
    "add_any": _plain(np.add),
    "sub": _plain(np.subtract),
    "mul": _plain(np.multiply),
    "div": _plain(_divided),
    "rem": _plain(_remainder),
    "pow": _plain(np.power),
    "integer_pow": _with(lambda value, power: value**power, "y"),
    "max": _plain(np.maximum),
    "min": _plain(np.minimum),
    "neg": _plain(np.negative),
    "not": _plain(np.invert),
    "and": _plain(np.bitwise_and),
    "or": _plain(np.bitwise_or),
    "xor": _plain(np.bitwise_xor),
    "eq": _plain(np.equal),
    "ne": _plain(np.not_equal),
    "lt": _plain(np.less),
    "le": _plain(np.less_equal),
    "gt": _plain(np.greater),
    "ge": _plain(np.greater_equal),
    "round": _with(_rounded, "rounding_method"),
    "bitcast_convert_type": _with(_bitcast, "new_dtype"),
    "select_n": _plain(_selected),
    "is_finite": _plain(np.isfinite),
    "logistic": _plain(lambda value: 1 / (1 + np.exp(-value))),
    "rsqrt": _plain(lambda value: 1 / np.sqrt(value)),
    "clamp": _plain(lambda low, value, high: np.minimum(np.maximum(value, low), high)),
    "shift_left": _plain(np.left_shift),
    "shift_right_arithmetic": _plain(np.right_shift),
    "shift_right_logical": _plain(_shifted_logically),
    "convert_element_type": _with(_converted, "new_dtype"),
    **dict.fromkeys(("copy", "stop_gradient", "name"), _plain(lambda value: value)),
    "reduce_sum": _along(np.sum),
    "reduce_prod": _along(np.prod),
    "reduce_max": _extreme(np.max, -1),
    "reduce_min": _extreme(np.min, 1),
    "reduce_and": _along(np.bitwise_and.reduce),
    "reduce_or": _along(np.bitwise_or.reduce),
    "reduce_xor": _along(np.bitwise_xor.reduce),
    "argmax": lambda parameters, value: np.argmax(value, axis=parameters["axes"][0]),
    "argmin": lambda parameters, value: np.argmin(value, axis=parameters["axes"][0]),
    "cumsum": _cumulative(np.add),
    "cumprod": _cumulative(np.multiply),
    "cummax": _cumulative(np.maximum),
    "cummin": _cumulative(np.minimum),
    "dot_general": _product,
}
"""The value of a primitive's one result, of its parameters and its operands' values, by NumPy."""


def value_of(equation: Any, values: Sequence[Array]) -> list[Array]:
    """Return the results of an equation for known operands.

    NumPy makes them where it has such a function, since running a primitive alone for the first
    time takes JAX as long as a compilation.
    """
    evaluate = EVALUATED.get(equation.primitive.name)
    if evaluate is None:
        with jax.ensure_compile_time_eval():
            given = equation.primitive.bind(*map(jax.numpy.asarray, values), **equation.params)
        results = given if equation.primitive.multiple_results else [given]
        return [np.asarray(result) for result in results]
    with np.errstate(all="ignore"):
        result = np.asarray(evaluate(equation.params, *values))
    return [result.astype(storage(equation.outvars[0].aval.dtype), copy=False)]


def constants_first(rule: Rule) -> Rule:
    """Return the rule, which now is asked only where an operand is not wholly known."""

    @functools.wraps(rule)
    def asked(equation: Any, operands: list[Facts], context: Any) -> list[Facts]:
        kinds = [kind_of(each) for each in equation.outvars]
        if not all(operand.wholly_known for operand in operands) or any(
            storage(dtype) != dtype for _, dtype in kinds
        ):
            return rule(equation, operands, context)
        values = value_of(equation, [operand.value for operand in operands])
        return [Facts.known_array(each) for each in values]

    return asked
