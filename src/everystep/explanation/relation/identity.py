"""Whether two traced programs are the same, equation by equation."""

from __future__ import annotations

from typing import Any

import numpy as np
from jax.extend.core import ClosedJaxpr, Jaxpr, Literal


def same_program(one: ClosedJaxpr, other: ClosedJaxpr) -> bool:
    """Whether two programs consist of the same equations on the same constants.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> one, two = (jax.make_jaxpr(lambda x: jnp.sin(x) + 1)(1.0) for _ in range(2))
        >>> same_program(one, two), same_program(one, jax.make_jaxpr(jnp.sin)(1.0))
        (True, False)
    """
    return _same_constants(one.consts, other.consts) and _same(one.jaxpr, other.jaxpr)


def _same(one: Jaxpr, other: Jaxpr) -> bool:
    if len(one.eqns) != len(other.eqns):
        return False
    numbers: tuple[dict[Any, int], dict[Any, int]] = ({}, {})

    def numbered(variables: Any, side: int) -> list[Any]:
        """Return what each variable is: a number in the order of first use, or a constant."""
        return [
            (np.asarray(v.val).tolist(), str(v.aval))
            if isinstance(v, Literal)
            else (numbers[side].setdefault(v, len(numbers[side])), str(v.aval))
            for v in variables
        ]

    if numbered([*one.constvars, *one.invars], 0) != numbered([*other.constvars, *other.invars], 1):
        return False
    for left, right in zip(one.eqns, other.eqns, strict=True):
        if left.primitive.name != right.primitive.name:
            return False
        if numbered(left.invars, 0) != numbered(right.invars, 1):
            return False
        if not _same_params(left.params, right.params):
            return False
        numbered(left.outvars, 0), numbered(right.outvars, 1)
    return numbered(one.outvars, 0) == numbered(other.outvars, 1)


def _same_params(one: Any, other: Any) -> bool:
    """Whether two parameters of an equation are the same; functions of Python do not count."""
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(_same_params(one[k], other[k]) for k in one)
    if isinstance(one, ClosedJaxpr):
        return isinstance(other, ClosedJaxpr) and same_program(one, other)
    if isinstance(one, Jaxpr):
        return isinstance(other, Jaxpr) and _same(one, other)
    if isinstance(one, tuple | list):
        return len(one) == len(other) and all(map(_same_params, one, other))
    if isinstance(one, np.ndarray):
        return _same_constants([one], [other])
    # How a derivative is made, which says nothing about the function itself.
    return callable(one) or bool(one == other)


def _same_constants(one: Any, other: Any) -> bool:
    return len(one) == len(other) and all(
        np.shape(a) == np.shape(b) and bool((np.asarray(a) == np.asarray(b)).all())
        for a, b in zip(one, other, strict=True)
    )
