"""Programs of any precision, evaluated in double precision.

A traced program fixes the dtype of each value. Here its equations are made again, one by one, with
float64 for every float and complex128 for every complex number; integers stay as they are, since
programs count on where they overflow. What JAX's caller traced as a call (`jit`, a rule of one's
own for derivatives, rematerialization) is opened, so that what comes out can be differentiated in
either direction and mapped over any axis.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import count
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.extend.core import ClosedJaxpr, Jaxpr, JaxprEqn, Literal, Primitive

from everystep.errors import StateError
from everystep.explanation.reading.layouts import Scan, While
from everystep.explanation.witnesses import convolving

Values = list[Any]
Evaluate = Callable[..., Values]

# How wrong elements are: few enough to stand in a program, a prime that no axis repeats.
_PARTS = np.random.default_rng(0).uniform(-1, 1, 1021)
# Primitives that JAX shows among its own; they take floats of any width.
_OF_JAX = frozenset(
    value
    for room in (lax, lax.linalg)
    for value in vars(room).values()
    if isinstance(value, Primitive)
)
# Those whose result hangs on how many bits a value has.
_FIXED = frozenset({"bitcast_convert_type", "nextafter", "reduce_precision"})
# Those that only move, choose or count: nothing is rounded in them.
_EXACT_NAMES = (
    "abs argmax argmin broadcast_in_dim ceil clamp concatenate copy cummax cummin device_put "
    "dynamic_slice dynamic_update_slice floor gather imag iota max min neg optimization_barrier "
    "pad real reduce_max reduce_min reduce_window_max reduce_window_min reshape rev round scatter "
    "select_n sign slice sort split squeeze stack tile top_k transpose unstack "
)
_EXACT = frozenset(_EXACT_NAMES.split())


def widened(jaxpr: ClosedJaxpr, floats: Any = np.float64) -> Callable[..., Values]:
    """Return a function that evaluates a traced program with float64 in place of every float.

    Shapes:
        As the program's own, for what it takes and for what it gives.

    Args:
        jaxpr: the program, such as `Program.jaxpr` or what `jax.make_jaxpr` gives.
        floats: what every float becomes, if not float64.

    Returns:
        A pure function `run(*values, error=None)`, which gives the list of the program's outputs.
        It can be compiled, mapped and differentiated in either mode. Each `value` becomes float64
        where the program takes a float. A primitive that is not JAX's own, or whose result hangs on
        the number of bits, is run in its own dtype, and has no derivative. With `error`, a number
        that need not be known when the program is compiled, each element of what an operation
        rounds is wrong by up to that part of itself, each by another part, and by the opposite for
        `-error`. Where an error far above that of rounding changes little, rounding changes
        nothing.

    Raises:
        StateError: the function is called where double precision is off.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> jaxpr = jax.make_jaxpr(lambda x: (x + 1.0) - x)(jnp.float32(0))
        >>> with jax.enable_x64():
        ...     [result] = widened(jaxpr)(1e9)
        >>> result.dtype, float(result)
        (dtype('float64'), 1.0)
    """

    def run(*values: Any, error: Any = None) -> Values:
        if jnp.result_type(float) != jnp.float64:
            raise StateError(
                "a widened program was called where double precision is off. Call it inside of "
                "`with jax.enable_x64():`"
            )
        return _Evaluation(floats, error).run(jaxpr.jaxpr, jaxpr.consts, values)

    return run


class _Evaluation:
    """One evaluation: what each equation becomes."""

    def __init__(self, floats: Any, error: Any) -> None:
        self._floats = np.dtype(floats)
        self._error = error
        self._operations = count(1)

    def run(self, jaxpr: Jaxpr, consts: Sequence[Any], values: Sequence[Any]) -> Values:
        """Evaluate the equations in turn."""
        known: dict[Any, Any] = {}

        def read(variable: Any) -> Any:
            if isinstance(variable, Literal):
                return _cast(variable.val, self._dtype(variable))
            return known[variable]

        for variable, value in zip(
            (*jaxpr.constvars, *jaxpr.invars), (*consts, *values), strict=True
        ):
            known[variable] = _cast(value, self._dtype(variable))
        for equation in jaxpr.eqns:
            operands = [read(variable) for variable in equation.invars]
            rule = _RULES.get(equation.primitive.name, _Evaluation._bound)
            known.update(zip(equation.outvars, rule(self, equation, operands), strict=True))
        return [read(variable) for variable in jaxpr.outvars]

    def _dtype(self, variable: Any) -> Any:
        return wide_dtype(variable.aval.dtype, self._floats)

    def closed(self, jaxpr: ClosedJaxpr) -> Evaluate:
        """Return an inner program as a function of its values."""
        return lambda *values: self.run(jaxpr.jaxpr, jaxpr.consts, values)

    def called(self, equation: JaxprEqn, operands: Values) -> Values:
        """A call: its equations, as if they stood here."""
        params: dict[str, Any] = equation.params
        inner = params["jaxpr"] if "jaxpr" in params else params["call_jaxpr"]
        if isinstance(inner, ClosedJaxpr):
            return self.run(inner.jaxpr, inner.consts, operands)
        return self.run(inner, (), operands)

    def scanned(self, equation: JaxprEqn, operands: Values) -> Values:
        """A loop over steps."""
        loop = Scan.of(equation)
        constants, carried, along = loop.parts(operands)
        body = self.closed(loop.body)

        def step(carry: Values, at: Values) -> tuple[Values, Values]:
            new = body(*constants, *carry, *at)
            return new[: len(carry)], new[len(carry) :]

        last, outputs = lax.scan(step, carried, along, length=loop.length, reverse=loop.reverse)
        return [*last, *outputs]

    def looped(self, equation: JaxprEqn, operands: Values) -> Values:
        """A loop while a condition holds."""
        loop = While.of(equation)
        asked_with, constants, carried = loop.parts(operands)
        asked, body = self.closed(loop.condition), self.closed(loop.body)
        result: Values = lax.while_loop(
            lambda carry: asked(*asked_with, *carry)[0],
            lambda carry: body(*constants, *carry),
            carried,
        )
        return result

    def branched(self, equation: JaxprEqn, operands: Values) -> Values:
        """A choice among branches, by the first operand."""
        branches = [self.closed(branch) for branch in equation.params["branches"]]
        result: Values = lax.switch(operands[0].astype(np.int32), branches, *operands[1:])
        return result

    def convolved(self, equation: JaxprEqn, operands: Values) -> Values:
        """A convolution."""
        if not convolving.fits(equation):
            return self._bound(equation, operands)
        return [self._wrong(convolving.convolved(equation, *operands))]

    def _bound(self, equation: JaxprEqn, operands: Values) -> Values:
        """Any other primitive: bound to wide values, or to its own where it must be."""
        name = equation.primitive.name
        wide = [self._dtype(variable) for variable in equation.outvars]
        if name not in _FIXED and equation.primitive in _OF_JAX:
            results = _bind(equation, operands, _wide_params(equation.params, self._floats))
            if [result.dtype for result in results] == wide:
                return results if name in _EXACT else [self._wrong(value) for value in results]
        narrow = [
            lax.stop_gradient(_cast(operand, _dtype_of(variable)))
            for operand, variable in zip(operands, equation.invars, strict=True)
        ]
        results = _bind(equation, narrow, equation.params)
        return [_cast(result, dtype) for result, dtype in zip(results, wide, strict=True)]

    def _wrong(self, value: Any) -> Any:
        """Make each element of a result wrong by a part of itself, by up to `error`."""
        if self._error is None or not jnp.issubdtype(value.dtype, jnp.inexact):
            return value
        factor = 1 + self._error * _parts(value.shape, next(self._operations))
        return value * factor.astype(value.real.dtype)


_RULES: dict[str, Callable[[_Evaluation, JaxprEqn, Values], Values]] = {
    **dict.fromkeys(
        ("jit", "pjit", "closed_call", "core_call", "checkpoint", "remat", "remat2"),
        _Evaluation.called,
    ),
    # The derivative that is asked for is that of the function, whatever a rule says instead.
    "stop_gradient": lambda _, __, operands: operands,
    "custom_jvp_call": _Evaluation.called,
    "custom_vjp_call": _Evaluation.called,
    "scan": _Evaluation.scanned,
    "while": _Evaluation.looped,
    "cond": _Evaluation.branched,
    "conv_general_dilated": _Evaluation.convolved,
}


def _parts(shape: tuple[int, ...], operation: int) -> Any:
    """Return numbers between -1 and 1 without a pattern, other ones for each operation."""
    size, parts = math.prod(shape), np.roll(_PARTS, operation * 7)
    if size <= parts.size:
        return parts[:size].reshape(shape)
    repeated = lax.broadcast(parts, (-(-size // parts.size),))
    return repeated.reshape(-1)[:size].reshape(shape)


def _dtype_of(variable: Any) -> Any:
    return variable.aval.dtype


def _bind(equation: JaxprEqn, operands: Values, params: dict[str, Any]) -> Values:
    primitive: Any = equation.primitive
    results = primitive.bind(*operands, **params)
    return list(results) if primitive.multiple_results else [results]


def _wide_params(params: dict[str, Any], floats: Any) -> dict[str, Any]:
    """Return an equation's parameters for wide values: dtypes, and what is done to two values."""
    wide: dict[str, Any] = jax.tree.map(lambda value: _wide_param(value, floats), params)
    return {**wide, "precision": None} if "precision" in params else wide


def _wide_param(value: Any, floats: Any) -> Any:
    if isinstance(value, np.dtype):
        return wide_dtype(value, floats)
    if isinstance(value, ClosedJaxpr):
        return _traced(value, floats)
    if isinstance(value, Jaxpr):
        return _traced(ClosedJaxpr(value, ()), floats).jaxpr
    return value


def _traced(jaxpr: ClosedJaxpr, floats: Any) -> ClosedJaxpr:
    taken: Any = jax.ShapeDtypeStruct
    arguments = [taken(aval.shape, wide_dtype(aval.dtype, floats)) for aval in jaxpr.in_avals]
    return jax.make_jaxpr(widened(jaxpr, floats))(*arguments)


def wide_dtype(dtype: Any, floats: Any = np.float64) -> Any:
    """Return `floats`, or complex numbers of such; integers, booleans and keys are kept."""
    if jnp.issubdtype(dtype, jnp.floating):
        return np.dtype(floats)
    if jnp.issubdtype(dtype, jnp.complexfloating):
        return np.result_type(floats, np.complex64)
    return dtype


def _cast(value: Any, dtype: Any) -> Any:
    """Return a value in a dtype; random keys and what already has it stay as they are."""
    if getattr(value, "dtype", None) == dtype:
        return value
    return jnp.asarray(value, dtype)
