"""Examples: what the inputs look like, given as shapes, arrays, symbols or `Steps`."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from everystep.errors import DataError, ShapeError
from everystep.kinds import Kind, reject, shown
from everystep.layers import symbolic
from everystep.layers.symbols import KerasTensor
from everystep.sequences import Steps

AXES = Kind(
    "an integer, None, or a list of these",
    lambda value: reject(value) if isinstance(value, np.ndarray) else value,
)


@dataclass(frozen=True)
class Example:
    """What one input looks like.

    Args:
        shape: its shape, None where any size will do.
        dtype: its dtype, or None for the one that is expected.
        axis: which axis is time, or None.
        values: how many different values it may hold, if it holds ids.
        segments: the sequence of each step, where they were given: a constant of what is explained.
        packed: whether its rows may hold several sequences.
        carries: whether it comes as `Steps`; without `segments` all of them are real.
    """

    shape: tuple[Any, ...]
    dtype: Any = None
    axis: int | None = None
    values: int | None = None
    segments: Any = None
    packed: bool = False
    carries: bool = False

    @property
    def steps(self) -> int | None:
        """The number of steps that it has; None where it may be any, or where there is no time."""
        return None if self.axis is None else self.shape[self.axis]

    @property
    def whole_numbers(self) -> bool:
        """Whether it is known to hold integers."""
        return self.dtype is not None and bool(jnp.issubdtype(jnp.dtype(self.dtype), jnp.integer))

    def sized(self, steps: Any, batch: Any) -> Example:
        """Return the example with a number of steps, and with a batch size where it has none."""
        sizes: list[Any] = list(self.shape)
        if self.axis is not None:
            sizes[self.axis] = steps
        if self.axis != 0 and sizes and sizes[0] is None:
            sizes[0] = batch
        return replace(self, shape=tuple(sizes))

    def resized(self, steps: Any) -> Example:
        """Return the example with another number of steps, all of them real; of no time as it is.

        The number may be one that JAX knows by name alone.
        """
        if self.axis is None:
            return self
        return replace(self.sized(steps, None), segments=None)

    def wrapped(self, array: Any) -> Any:
        """Return an array that is like the example, as `Steps` if the example is."""
        if not self.carries:
            return array
        if self.segments is None:
            ids = jnp.ones(array.shape[:2], jnp.int32)
        else:
            ids = jnp.asarray(self.segments, jnp.int32)
        return Steps(array, ids, packed=self.packed)


def is_example(value: Any) -> bool:
    """Whether a value says what one input looks like, and is no tree of such."""
    return isinstance(value, _KINDS) or symbolic.is_shape(value)


_KINDS = (
    Example,
    Steps,
    KerasTensor,
    jax.ShapeDtypeStruct,
    jax.Array,
    np.ndarray,
    np.generic,
    int,
    float,
    str,
)


def example_of(value: Any, which: str) -> Example:
    """Return what an input looks like.

    Args:
        value: a shape with its batch axis, an array, `Steps`, or a symbol.
        which: what to call it in errors.

    Raises:
        DataError: it is none of these, or an array of something other than numbers.
        ShapeError: a size of a shape is negative.
    """
    if isinstance(value, Example):
        return value
    if isinstance(value, Steps):
        inner = example_of(value.values, which)
        ids = np.asarray(value.segments)
        return replace(inner, segments=ids, packed=value.packed, carries=True)
    if symbolic.is_shape(value):
        if any(size is not None and size < 0 for size in value):
            raise ShapeError(f"{which} has a negative size: {tuple(value)}")
        return Example(tuple(value))
    if isinstance(value, KerasTensor | jax.ShapeDtypeStruct):
        return Example(symbolic.known(tuple(value.shape)), jnp.dtype(value.dtype))
    if isinstance(value, jax.Array | np.ndarray | np.generic | int | float):
        return _example_of_array(np.asarray(value), which)
    raise DataError(
        f"{which} is {shown(value)} of type {type(value).__name__}: give a shape with its batch "
        "axis, such as (None, 4, 3), an array, Steps, or a jax.ShapeDtypeStruct"
    )


def _example_of_array(array: Any, which: str) -> Example:
    if array.dtype.kind in "OSU":
        raise DataError(
            f"{which} is an array of dtype {array.dtype}, which holds no numbers: turn words into "
            "ids with a vocabulary, and objects into numbers"
        )
    dtype = jax.dtypes.canonicalize_dtype(array.dtype)
    ids = array.dtype.kind in "iu" and array.size and array.min() >= 0
    # One value alone could not be swapped for another.
    return Example(array.shape, dtype, values=max(2, int(array.max()) + 1) if ids else None)
