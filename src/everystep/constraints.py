"""Constraints by Keras's names: what a weight's values are projected onto after each update."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp

from everystep.core import Catalogue, Configurable, serialize, setting
from everystep.core.registry import deserializer
from everystep.kinds import ARRAY, INTEGERS, NUMBER, Kind, checked

# Added to a norm before dividing by it, as Keras does.
EPSILON = 1e-7


class Constraint(Configurable):
    """Base of all constraints; a subclass of your own defines `__call__(w)`, the new values."""

    def __call__(self, w: Any) -> Any:
        """Return the values to keep."""
        return w


def _axes_to_config(axes: tuple[int, ...]) -> Any:
    return axes[0] if len(axes) == 1 else list(axes)


AXES = Kind(INTEGERS.wanted, INTEGERS.parse, _axes_to_config, INTEGERS.refused)


def _norms(w: Any, axis: tuple[int, ...]) -> Any:
    return jnp.sqrt(jnp.sum(jnp.square(w), axis=axis, keepdims=True))


class NonNeg(Constraint):
    """Keep values of 0 or more: `max(w, 0)`.

    Example:
        >>> NonNeg()(jnp.array([-1.0, 2.0])).tolist()
        [0.0, 2.0]
    """

    @checked(w=ARRAY)
    def __call__(self, w: Any) -> Any:
        """Return `max(w, 0)`."""
        return jnp.maximum(jnp.asarray(w), 0)


class MaxNorm(Constraint):
    """Keep the norm along an axis below a limit: `w * min(norm, max_value) / norm`.

    Args:
        max_value: the limit.
        axis: the axis, or axes, along which the norm is taken; 0 for the inputs of a dense kernel.

    Example:
        >>> [round(float(value), 3) for value in MaxNorm(5.0)(jnp.array([6.0, 8.0]))]
        [3.0, 4.0]
    """

    max_value: float = setting(NUMBER, default=2)
    axis: Any = setting(AXES, default=0)

    @checked(w=ARRAY)
    def __call__(self, w: Any) -> Any:
        """Return the values with norms of at most `max_value`."""
        norms = _norms(w, self.axis)
        return jnp.asarray(w) * (jnp.clip(norms, 0, self.max_value) / (EPSILON + norms))


class UnitNorm(Constraint):
    """Keep the norm along an axis at 1: `w / norm`.

    Args:
        axis: the axis, or axes, along which the norm is taken; 0 for the inputs of a dense kernel.
    """

    axis: Any = setting(AXES, default=0)

    @checked(w=ARRAY)
    def __call__(self, w: Any) -> Any:
        """Return the values with norms of 1."""
        return jnp.asarray(w) / (EPSILON + _norms(w, self.axis))


class MinMaxNorm(Constraint):
    """Move the norm along an axis into an interval.

    `w * ((1 - rate) * norm + rate * clip(norm, min_value, max_value)) / norm`

    Args:
        min_value: the lower end.
        max_value: the upper end.
        rate: how far to move at each update; 1 for all the way.
        axis: the axis, or axes, along which the norm is taken; 0 for the inputs of a dense kernel.
    """

    min_value: float = setting(NUMBER, default=0.0)
    max_value: float = setting(NUMBER, default=1.0)
    rate: float = setting(NUMBER, default=1.0)
    axis: Any = setting(AXES, default=0)

    @checked(w=ARRAY)
    def __call__(self, w: Any) -> Any:
        """Return the values with norms nearer to the interval."""
        norms = _norms(w, self.axis)
        inside = jnp.clip(norms, self.min_value, self.max_value)
        wanted = self.rate * inside + (1 - self.rate) * norms
        return jnp.asarray(w) * (wanted / (EPSILON + norms))


max_norm, non_neg, unit_norm, min_max_norm = MaxNorm, NonNeg, UnitNorm, MinMaxNorm
CATALOGUE = Catalogue("constraint", "keras.constraints", (MaxNorm, MinMaxNorm, NonNeg, UnitNorm))


def get(identifier: Any) -> Any:
    """Return the constraint for a name, a class, a configuration, a callable or None.

    Raises:
        SettingError: no constraint has that name.
        IdentifierError: it is none of these.

    Example:
        >>> get("non_neg"), get(None)
        (NonNeg(), None)
    """
    return None if identifier is None else CATALOGUE.get(identifier)


deserialize = deserializer(get)
CONSTRAINT = Kind(
    "the name of a constraint, such as 'max_norm', or a constraint, or None",
    get,
    serialize,
    refused=("no_such_constraint", 3, {"class_name": "NoSuchConstraint", "config": {}}),
)

__all__ = [
    "Constraint",
    "MaxNorm",
    "MinMaxNorm",
    "NonNeg",
    "UnitNorm",
    "get",
]
