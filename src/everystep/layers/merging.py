"""The layers that merge several inputs value by value: Add, Multiply and so on.

An input without a mask says nothing about padding, so the output keeps the mask of the others.
Keras takes such an input for real everywhere, which drops the others' mask.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, ClassVar

import jax.numpy as jnp

from everystep.errors import SegmentsError, ShapeError
from everystep.layers import symbolic
from everystep.layers.combining import listed, named, united
from everystep.layers.layer import Layer


class Merge(Layer):
    """The base of the layers that merge several inputs value by value.

    Inputs of a lower rank get axes of size 1 behind the batch axis, and axes of size 1 are
    repeated. A step of the output is real where a step of any input is.
    """

    count: ClassVar[int | None] = None
    """How many inputs there must be; None for any number."""

    stepwise = True

    def compute_segments(self, inputs: Any, segments: Any, packed: bool = False) -> Any:
        """Unite those of the inputs, and repeat them where the output's steps repeat an input's."""
        arrays = listed(self, inputs, self.count)
        if segments is None:
            return None
        rank = max(array.ndim for array in arrays)
        for number, (array, ids) in enumerate(zip(arrays, segments, strict=True)):
            if ids is not None and array.ndim < rank:
                raise SegmentsError(
                    f"{named(self)} would lose the mask that input {number} of shape "
                    f"{symbolic.written(array.shape)} carries: its steps are no steps of an output "
                    f"of rank {rank}. Give all inputs the same rank, or take the mask off with "
                    "`steps.values`"
                )
        found = united(named(self), segments, packed)
        steps = [array.shape[1] for array in arrays if array.ndim == rank]
        widest = next((size for size in steps if not _is_one(size)), 1)
        if _is_one(widest) or not _is_one(found.shape[1]):
            return found
        return jnp.broadcast_to(found, (found.shape[0], widest))

    def call(self, inputs: Any, mask: Any = None) -> Any:
        """Return the inputs merged."""
        arrays = _aligned(self, listed(self, inputs, self.count))
        masks = [None] * len(arrays) if mask is None else list(mask)
        return self.merge(
            arrays,
            [
                None if own is None else own.reshape(*own.shape, *[1] * (array.ndim - 2))
                for array, own in zip(arrays, masks, strict=True)
            ],
        )

    def merge(self, arrays: list[Any], masks: list[Any]) -> Any:
        """Return arrays of one rank merged; a mask, or None, comes with each."""
        raise NotImplementedError(f"{type(self).__name__} does not define merge")


def _is_one(size: Any) -> bool:
    return isinstance(size, int) and size == 1


def _aligned(layer: Layer, arrays: list[Any]) -> list[Any]:
    """Return the arrays with one rank, or raise an error if they do not go together."""
    rank = max(array.ndim for array in arrays)
    aligned = [jnp.expand_dims(array, range(1, 1 + rank - array.ndim)) for array in arrays]
    for axis, sizes in enumerate(zip(*(array.shape for array in aligned), strict=True)):
        known = {size for size in sizes if isinstance(size, int) and (axis == 0 or size != 1)}
        if len(known) > 1:
            shapes = ", ".join(symbolic.written(symbolic.shape_of(array)) for array in arrays)
            raise ShapeError(
                f"Inputs have incompatible shapes: {named(layer)} was given inputs of shapes "
                f"{shapes}. Sizes must be the same, or 1, which is repeated"
            )
    return aligned


class Add(Merge):
    """The sum of several inputs.

    Equation: `y = x_1 + x_2 + ...`.

    Shapes: the inputs' shape; of different shapes, the one that all are repeated to.

    Raises:
        ShapeError: the shapes do not go together.
        SegmentsError: packed rows that do not hold the same sequences.

    Example:
        >>> import everystep as es, numpy as np
        >>> es.layers.Add()([np.array([[1.0, 2.0]]), np.array([[3.0, 4.0]])]).tolist()
        [[4.0, 6.0]]
    """

    def merge(self, arrays: list[Any], masks: list[Any]) -> Any:
        """Return the sum."""
        return functools.reduce(jnp.add, arrays)


class Subtract(Merge):
    """The first input less the second.

    Equation: `y = x_1 - x_2`.

    Shapes: as in `Add`.

    Raises:
        DataError: there are not two inputs.
        ShapeError: the shapes do not go together.
        SegmentsError: packed rows that do not hold the same sequences.

    Example:
        >>> import everystep as es, numpy as np
        >>> es.layers.Subtract()([np.array([[1.0, 2.0]]), np.array([[3.0, 5.0]])]).tolist()
        [[-2.0, -3.0]]
    """

    count = 2

    def merge(self, arrays: list[Any], masks: list[Any]) -> Any:
        """Return the difference."""
        return arrays[0] - arrays[1]


class Multiply(Merge):
    """The product of several inputs, value by value.

    Equation: `y = x_1 * x_2 * ...`, where padding of an input counts as 1; 0 where the steps of all
    inputs are padding.

    Shapes: as in `Add`.

    Raises:
        ShapeError: the shapes do not go together.
        SegmentsError: packed rows that do not hold the same sequences.

    Example:
        >>> import everystep as es, numpy as np
        >>> es.layers.Multiply()([np.array([[1.0, 2.0]]), np.array([[3.0, 4.0]])]).tolist()
        [[3.0, 8.0]]
    """

    def merge(self, arrays: list[Any], masks: list[Any]) -> Any:
        """Return the product of what is real."""
        pairs = zip(arrays, masks, strict=True)
        factors = [array if real is None else jnp.where(real, array, 1) for array, real in pairs]
        product = functools.reduce(jnp.multiply, factors)
        if any(real is None for real in masks):
            return product
        return jnp.where(functools.reduce(jnp.logical_or, masks), product, 0)


class Average(Merge):
    """The mean of several inputs, value by value.

    Equation: `y = (x_1 + ... + x_n) / n`.

    Shapes: as in `Add`.

    Raises:
        ShapeError: the shapes do not go together.
        SegmentsError: packed rows that do not hold the same sequences.

    Example:
        >>> import everystep as es, numpy as np
        >>> es.layers.Average()([np.array([[1.0, 2.0]]), np.array([[3.0, 4.0]])]).tolist()
        [[2.0, 3.0]]
    """

    def merge(self, arrays: list[Any], masks: list[Any]) -> Any:
        """Return the mean."""
        return functools.reduce(jnp.add, arrays) / len(arrays)


class Maximum(Merge):
    """The largest of several inputs, value by value.

    Equation: `y = max(x_1, x_2, ...)` over those inputs of which the step is real.

    Shapes: as in `Add`.

    Raises:
        ShapeError: the shapes do not go together.
        SegmentsError: packed rows that do not hold the same sequences.

    Example:
        >>> import everystep as es, numpy as np
        >>> es.layers.Maximum()([np.array([[1.0, 5.0]]), np.array([[3.0, 4.0]])]).tolist()
        [[3.0, 5.0]]
    """

    def merge(self, arrays: list[Any], masks: list[Any]) -> Any:
        """Return the largest of what is real."""
        return _extreme(jnp.maximum, arrays, masks)


class Minimum(Merge):
    """The smallest of several inputs, value by value.

    Equation: `y = min(x_1, x_2, ...)` over those inputs of which the step is real.

    Shapes: as in `Add`.

    Raises:
        ShapeError: the shapes do not go together.
        SegmentsError: packed rows that do not hold the same sequences.

    Example:
        >>> import everystep as es, numpy as np
        >>> es.layers.Minimum()([np.array([[1.0, 5.0]]), np.array([[3.0, 4.0]])]).tolist()
        [[1.0, 4.0]]
    """

    def merge(self, arrays: list[Any], masks: list[Any]) -> Any:
        """Return the smallest of what is real."""
        return _extreme(jnp.minimum, arrays, masks)


def _extreme(function: Callable[[Any, Any], Any], arrays: list[Any], masks: list[Any]) -> Any:
    found, real = arrays[0], masks[0]
    for array, own in zip(arrays[1:], masks[1:], strict=True):
        # Where one of the two is padding, the other stands for both.
        other = array if own is None else jnp.where(own, array, found)
        found = function(found if real is None else jnp.where(real, found, other), other)
        real = None if real is None or own is None else real | own
    return found


def add(inputs: Any, **kwargs: Any) -> Any:
    """Return the sum of a list of inputs; settings of `Add` come by name."""
    return Add(**kwargs)(inputs)


def subtract(inputs: Any, **kwargs: Any) -> Any:
    """Return the first of two inputs less the second; settings of `Subtract` come by name."""
    return Subtract(**kwargs)(inputs)


def multiply(inputs: Any, **kwargs: Any) -> Any:
    """Return the product of a list of inputs; settings of `Multiply` come by name."""
    return Multiply(**kwargs)(inputs)


def average(inputs: Any, **kwargs: Any) -> Any:
    """Return the mean of a list of inputs; settings of `Average` come by name."""
    return Average(**kwargs)(inputs)


def maximum(inputs: Any, **kwargs: Any) -> Any:
    """Return the largest of a list of inputs; settings of `Maximum` come by name."""
    return Maximum(**kwargs)(inputs)


def minimum(inputs: Any, **kwargs: Any) -> Any:
    """Return the smallest of a list of inputs; settings of `Minimum` come by name."""
    return Minimum(**kwargs)(inputs)
