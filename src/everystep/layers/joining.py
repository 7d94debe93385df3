"""The layers that join two inputs or more along an axis: Concatenate and Dot."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import jax.numpy as jnp

from everystep import kinds
from everystep.core.settings import setting
from everystep.errors import PackedRowsError, ShapeError
from everystep.kernels import contract
from everystep.kinds import Kind
from everystep.layers import symbolic
from everystep.layers.combining import listed, named, united
from everystep.layers.layer import Layer, Masking


class Concatenate(Layer):
    """Several inputs one behind the other along an axis.

    Equation: `y = [x_1, x_2, ...]`.

    Shapes: equal but for the axis, of which the sizes add up: `(batch, steps, a)` and
    `(batch, steps, b)` -> `(batch, steps, a + b)`.

    Along the features a step is real where a step of any input is. Along the steps the masks stand
    behind each other like the values, and an input without one is real everywhere.

    Args:
        axis: the axis.

    Raises:
        ShapeError: the shapes do not go together.
        SegmentsError: packed rows along the axis of steps, or that do not hold the same sequences.

    Example:
        >>> import everystep as es, numpy as np
        >>> es.layers.Concatenate()([np.array([[1.0, 2.0]]), np.array([[3.0]])]).tolist()
        [[1.0, 2.0, 3.0]]
    """

    axis: int = setting(kinds.INTEGER, default=-1)

    declared_masking: ClassVar[Masking | None] = "packed"

    def after_settings(self) -> None:
        """Say whether steps stay apart, in sequences of features."""
        self.stepwise = self.axis not in (0, 1, -2, -3)

    def compute_segments(self, inputs: Any, segments: Any, packed: bool = False) -> Any:
        """Unite those of the inputs, or put them behind each other."""
        arrays = listed(self, inputs, None)
        if segments is None:
            return None
        axis = self.axis % arrays[0].ndim
        if axis > 1:
            return united(named(self), segments, packed)
        if packed:
            raise PackedRowsError(
                f"{named(self)} takes one sequence a row along axis {axis}, but was given packed "
                "rows, which hold several: unpack them and pad each sequence into a row of its own"
            )
        pairs = zip(arrays, segments, strict=True)
        masks = [jnp.ones(x.shape[:2], bool) if ids is None else ids != 0 for x, ids in pairs]
        return jnp.concatenate(masks, axis).astype("int32")

    def call(self, inputs: Any) -> Any:
        """Return the inputs one behind the other."""
        arrays = listed(self, inputs, None)
        shapes = [symbolic.shape_of(array) for array in arrays]
        ranks = {len(shape) for shape in shapes}
        fits = len(ranks) == 1 and -arrays[0].ndim <= self.axis < arrays[0].ndim
        others = [_without(shape, self.axis) for shape in shapes] if fits else []
        if not fits or any(len(set(sizes) - {None}) > 1 for sizes in zip(*others, strict=True)):
            raise ShapeError(
                "A `Concatenate` layer requires inputs with matching shapes except for the "
                f"concatenation axis: {named(self)} was given, for axis {self.axis}, inputs of "
                f"shapes {', '.join(map(symbolic.written, shapes))}"
            )
        return jnp.concatenate(arrays, self.axis)


def _without(shape: Sequence[Any], axis: int) -> list[Any]:
    place = axis % len(shape)
    return [*shape[:place], *shape[place + 1 :]]


def _axes(value: Any) -> Any:
    if isinstance(value, list | tuple):
        first, second = value
        return (kinds.INTEGER.parse(first), kinds.INTEGER.parse(second))
    return kinds.INTEGER.parse(value)


AXES = Kind(
    "an integer or two",
    _axes,
    lambda axes: list(axes) if isinstance(axes, tuple) else axes,
    refused=(2.5, "3", (1,), (1, 2, 3), ("1", 2)),
)
EPSILON = 1e-7


class Dot(Layer):
    """Dot products of the vectors that two inputs hold along an axis.

    Equation: `y[b, ..., ...] = sum_k x_1[b, ..., k, ...] x_2[b, ..., k, ...]`, for each row `b`.

    Shapes: the axes of the first input without its own, then those of the second without the batch
    axis and its own: `(batch, a, features)` and `(batch, b, features)` with `axes=2` ->
    `(batch, a, b)`. Two vectors give `(batch, 1)`.

    Args:
        axes: the axis of both inputs, or one for each; not the batch axis.
        normalize: whether vectors are brought to length 1 first, which gives their cosine.

    Raises:
        SettingError: `axes` names the batch axis.
        ShapeError: the two axes are not of the same size.
        SegmentsError: an input carries a mask, which would be lost.

    Example:
        >>> import everystep as es, numpy as np
        >>> es.layers.Dot(1)([np.array([[1.0, 2.0]]), np.array([[3.0, 4.0]])]).tolist()
        [[11.0]]
    """

    axes: Any = setting(AXES)
    normalize: bool = setting(kinds.BOOLEAN, default=False)

    def call(self, inputs: Any) -> Any:
        """Return the dot products."""
        arrays = listed(self, inputs, 2)
        axes = self._own_axes(arrays)
        if self.normalize:
            arrays = [_of_length_one(x, axis) for x, axis in zip(arrays, axes, strict=True)]
        names = [list(range(1, 1 + arrays[0].ndim)), [0] * arrays[1].ndim]
        names[0][0], names[0][axes[0]] = 0, 1 + arrays[0].ndim
        names[1] = [1 + arrays[0].ndim + axis for axis in range(arrays[1].ndim)]
        names[1][0], names[1][axes[1]] = 0, 1 + arrays[0].ndim
        left = [*_without(names[0], axes[0]), *_without(names[1], axes[1])[1:]]
        outputs = contract(arrays[0], names[0], arrays[1], names[1], left)
        return outputs[:, None] if outputs.ndim == 1 else outputs

    def _own_axes(self, arrays: list[Any]) -> list[int]:
        given = self.axes if isinstance(self.axes, tuple) else (self.axes, self.axes)
        shapes = [symbolic.written(symbolic.shape_of(array)) for array in arrays]
        for array, axis in zip(arrays, given, strict=True):
            if not -array.ndim <= axis < array.ndim or axis % array.ndim == 0:
                raise ShapeError(
                    f"{named(self)} cannot take the dot product over axes {self.axes} of inputs of "
                    f"shapes {shapes[0]} and {shapes[1]}: choose an axis behind the batch axis"
                )
        axes = [axis % array.ndim for array, axis in zip(arrays, given, strict=True)]
        sizes = [array.shape[axis] for array, axis in zip(arrays, axes, strict=True)]
        if all(isinstance(size, int) for size in sizes) and sizes[0] != sizes[1]:
            raise ShapeError(
                f"Incompatible input shapes: {named(self)} was given {shapes[0]} and {shapes[1]}, "
                f"of which axes {axes[0]} and {axes[1]} have {sizes[0]} and {sizes[1]} values"
            )
        return axes


def _of_length_one(array: Any, axis: int) -> Any:
    square = jnp.sum(array * array, axis, keepdims=True)
    # No less than half precision holds, so that zeros stay zeros.
    lowest = EPSILON**2 if array.dtype.itemsize > 2 else EPSILON
    return array * jnp.sqrt(1 / jnp.maximum(square, lowest))


def concatenate(inputs: Any, axis: int = -1, **kwargs: Any) -> Any:
    """Return a list of inputs one behind the other; settings of `Concatenate` come by name."""
    return Concatenate(axis, **kwargs)(inputs)


def dot(inputs: Any, axes: Any = -1, **kwargs: Any) -> Any:
    """Return the dot products of two inputs; settings of `Dot` come by name."""
    return Dot(axes, **kwargs)(inputs)
