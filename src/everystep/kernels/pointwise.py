"""Tells whether a function of an array works on each element by itself."""

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import jax
import jax.numpy as jnp

Activation = Callable[[jax.Array], jax.Array]

# Primitives known to treat every element alike. Whatever is missing here counts as mixing
# elements: that costs a transposition, never a wrong number.
_NAMES = (
    "abs add add_any and atan2 broadcast_in_dim cbrt ceil clamp convert_element_type copy "
    "cos cosh div eq erf erf_inv erfc exp exp2 expm1 floor ge gt integer_pow is_finite le "
    "log log1p logistic lt max min mul ne neg nextafter not or pow rem round rsqrt "
    "select_n sign sin sinh sqrt square stop_gradient sub tan tanh "
)
_POINTWISE = frozenset(_NAMES.split())
_CALLS = frozenset({"pjit", "jit", "custom_jvp_call", "custom_vjp_call", "closed_call", "remat2"})
# Every value inside must have this shape or be a scalar; two sizes tell the axes apart.
_PROBE = (5, 7)


@lru_cache(maxsize=1024)
def is_pointwise(function: Activation) -> bool:
    """Whether each element of `function`'s result provably depends on that element alone.

    Args:
        function: maps an array to an array, such as an activation.

    Returns:
        False where it mixes elements, changes the shape, or does anything not known to be safe.

    Example:
        >>> import jax
        >>> is_pointwise(jax.numpy.tanh), is_pointwise(jax.nn.softmax)
        (True, False)
    """
    probe = jnp.zeros(_PROBE, jnp.float32)
    try:
        closed = jax.make_jaxpr(function)(probe)
    except Exception:  # a user's function; where it is called for real it says what it needs
        return False
    same = all(getattr(value, "shape", None) == _PROBE for value in closed.out_avals)
    return len(closed.out_avals) == 1 and same and _is_pointwise(closed.jaxpr)


@lru_cache(maxsize=1024)
def same_function(one: Activation, other: Activation) -> bool:
    """Whether two functions of an array are the same program, and have the same derivative.

    Example:
        >>> import jax
        >>> same_function(jax.numpy.tanh, lambda values: jax.numpy.tanh(values))
        True
        >>> same_function(jax.nn.relu, lambda values: jax.numpy.maximum(values, 0))
        False
    """
    found = _written(one)
    return found is not None and found == _written(other)


@lru_cache(maxsize=1024)
def _written(function: Activation) -> str | None:
    """A function and its derivative as text, such that functions with one text are the same."""
    probe = jnp.zeros(_PROBE, jnp.float32)
    try:
        value = jax.make_jaxpr(function)(probe)
        slope = jax.make_jaxpr(lambda x, d: jax.jvp(function, (x,), (d,)))(probe, probe)
    except Exception:  # a user's function; where it is called for real it says what it needs
        return None
    return f"{value} {slope}" if not value.consts and not slope.consts else None


def _is_pointwise(jaxpr: object) -> bool:
    for equation in jaxpr.eqns:  # type: ignore[attr-defined]
        name = equation.primitive.name
        if name in _CALLS:
            inner = _inner(equation)
            if inner is None or not _is_pointwise(inner):
                return False
            continue
        shapes = {getattr(value.aval, "shape", ()) for value in equation.invars}
        if name not in _POINTWISE or not shapes <= {(), _PROBE}:
            return False
    return True


def _inner(equation: Any) -> Any:
    """The program inside of a call."""
    called = equation.params.get("jaxpr", equation.params.get("call_jaxpr"))
    return getattr(called, "jaxpr", called)


def along_units(activation: Activation, values: jax.Array) -> jax.Array:
    """Applies `activation` to values that are stored units first.

    Keras hands an activation arrays whose last axis holds the units; in the loop it is the first
    axis. Only an activation that mixes elements (softmax) can tell, and it gets its own view.

    Shapes:
        values: (units, batch); the result has the same shape.

    Args:
        activation: any function that keeps the shape.
        values: what to activate.

    Returns:
        The activated values, units first.

    Example:
        >>> import jax
        >>> rows = along_units(jax.nn.softmax, jax.numpy.ones((4, 2)))
        >>> rows[0].tolist()
        [0.25, 0.25]
    """
    if is_pointwise(activation):
        return activation(values)
    return activation(values.T).T
