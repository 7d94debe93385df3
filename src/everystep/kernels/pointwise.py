"""Tells whether a function of an array works on each element by itself."""

import itertools
from collections.abc import Callable, Hashable, Iterable
from functools import lru_cache
from typing import Any, NamedTuple

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
_PROBE = jax.ShapeDtypeStruct((5, 7), jnp.float32)  # type: ignore[no-untyped-call]
_NO_MESH = jax.sharding.AbstractMesh((), ())


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
    program = _program(function, 1)
    return (
        program is not None
        and program.shapes == (_PROBE.shape,)
        and all(
            each.name in _POINTWISE and each.shapes <= {(), _PROBE.shape}
            for each in program.equations
        )
    )


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
    if one is other:
        return True
    programs = _with_slope(one)
    return None not in programs and programs == _with_slope(other)


@lru_cache(maxsize=1024)
def _with_slope(function: Activation) -> tuple["_Program | None", "_Program | None"]:
    slope = _program(lambda x, d: jax.jvp(function, (x,), (d,))[1], 2)
    return _program(function, 1), slope


class _Equation(NamedTuple):
    name: str
    # The number of a value, or a constant with its type.
    operands: tuple[Hashable, ...]
    shapes: frozenset[tuple[int, ...]]
    settings: tuple[tuple[str, Hashable], ...]


class _Program(NamedTuple):
    """What a function computes, every call replaced by what is called.

    No name and no function is in it: programs that are equal compute the same.
    """

    equations: tuple[_Equation, ...]
    results: tuple[Hashable, ...]
    shapes: tuple[tuple[int, ...], ...]


def _program(function: Callable[..., Any], arguments: int) -> _Program | None:
    """The program of a function of arrays; None where it cannot be told."""
    try:
        with jax.sharding.use_abstract_mesh(_NO_MESH):  # what is around has no say
            closed = jax.make_jaxpr(function)(*[_PROBE] * arguments)
    except Exception:  # a user's function; where it is called for real it says what it needs
        return None
    equations: list[_Equation] = []
    numbers = itertools.count()

    def walk(closed: Any, arguments: Iterable[Hashable]) -> list[Hashable]:
        jaxpr = getattr(closed, "jaxpr", closed)
        # An array that a function holds is like no other: it may be changed behind its back.
        values = dict(zip(jaxpr.constvars, (object() for _ in jaxpr.constvars), strict=True))
        values |= dict(zip(jaxpr.invars, arguments, strict=True))

        def read(atom: Any) -> Hashable:
            return (repr(atom.val), str(atom.aval)) if hasattr(atom, "val") else values[atom]

        for equation in jaxpr.eqns:
            operands = tuple(map(read, equation.invars))
            inner = equation.params.get("jaxpr", equation.params.get("call_jaxpr"))
            if equation.primitive.name in _CALLS and inner is not None:
                results = walk(inner, operands)
            else:
                shapes = frozenset(getattr(each.aval, "shape", ()) for each in equation.invars)
                settings = tuple(
                    (name, repr(value)) for name, value in sorted(equation.params.items())
                )
                equations.append(_Equation(equation.primitive.name, operands, shapes, settings))
                results = [next(numbers) for _ in equation.outvars]
            values |= dict(zip(equation.outvars, results, strict=True))
        return [read(each) for each in jaxpr.outvars]

    results = walk(closed, [next(numbers) for _ in range(arguments)])
    return _Program(
        tuple(equations), tuple(results), tuple(each.shape for each in closed.out_avals)
    )


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
