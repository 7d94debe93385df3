"""The operators of a thing that stands for an array: those of the array, on either side."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import jax.numpy as jnp

Operator = Callable[..., Any]


def _alone(function: Operator) -> Operator:
    def method(self: Any, *arguments: Any) -> Any:
        return function(self.value, *arguments)

    return method


def _left(function: Operator) -> Operator:
    def method(self: Any, other: Any) -> Any:
        return function(self.value, other)

    return method


def _right(function: Operator) -> Operator:
    def method(self: Any, other: Any) -> Any:
        return function(other, self.value)

    return method


class ArrayOperators:
    """The operators of an array for a class whose `value` is one."""

    __add__, __radd__ = _left(jnp.add), _right(jnp.add)
    __sub__, __rsub__ = _left(jnp.subtract), _right(jnp.subtract)
    __mul__, __rmul__ = _left(jnp.multiply), _right(jnp.multiply)
    __truediv__, __rtruediv__ = _left(jnp.true_divide), _right(jnp.true_divide)
    __floordiv__, __rfloordiv__ = _left(jnp.floor_divide), _right(jnp.floor_divide)
    __mod__, __rmod__ = _left(jnp.mod), _right(jnp.mod)
    __pow__, __rpow__ = _left(operator.pow), _right(operator.pow)
    __matmul__, __rmatmul__ = _left(jnp.matmul), _right(jnp.matmul)
    # Keras's reading: of truth values, not of bits.
    __and__, __rand__ = _left(jnp.logical_and), _right(jnp.logical_and)
    __or__, __ror__ = _left(jnp.logical_or), _right(jnp.logical_or)
    __xor__, __rxor__ = _left(jnp.logical_xor), _right(jnp.logical_xor)

    __eq__, __ne__ = _left(operator.eq), _left(operator.ne)
    __lt__, __le__ = _left(operator.lt), _left(operator.le)
    __gt__, __ge__ = _left(operator.gt), _left(operator.ge)
    # Told apart by what they are, not by their values, wherever they are keys.
    __hash__ = object.__hash__

    __neg__, __pos__, __abs__ = _alone(operator.neg), _alone(operator.pos), _alone(abs)
    __invert__, __round__ = _alone(operator.invert), _alone(jnp.round)
    __int__, __float__, __bool__ = _alone(int), _alone(float), _alone(bool)
    __index__ = _alone(operator.index)

    __getitem__ = _left(operator.getitem)
    __iter__, __len__ = _alone(iter), _alone(len)
