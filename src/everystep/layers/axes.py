"""Sums and means along axes of a layer's input, of the steps over the real ones alone."""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any

import jax.numpy as jnp

from everystep import kinds
from everystep.errors import PackedRowsError, SegmentsError, ShapeError
from everystep.kinds import Kind
from everystep.layers.spec import InputSpec
from everystep.sequences import sequence_maxima, sequence_sums

if TYPE_CHECKING:
    from everystep.layers.layer import Layer


def _axes(value: Any) -> int | tuple[int, ...]:
    axes: tuple[int, ...] = kinds.INTEGERS.parse(value)
    if 0 in axes or not axes or len(set(axes)) < len(axes):
        kinds.reject(value)
    return axes[0] if isinstance(value, int) else axes


AXES = Kind(
    "an axis or a list of axes other than the batch axis 0",
    _axes,
    lambda axes: axes if isinstance(axes, int) else list(axes),
    refused=("1", 1.5, 0, (1, 0), (2, 2), ()),
)
AXIS = Kind(
    "an axis other than the batch axis 0",
    lambda value: _axes(operator.index(value)),
    refused=("1", 0, 1.5, (1, 2), None),
)


class Axes:
    """The axes along which a layer puts values together, and how it does so.

    Where axis 1 is among them and the input has segments, each sequence is a whole of its own, and
    padding is left out.

    Args:
        layer: the layer.
        axes: its axes, which may count from the end.
        ndim: the rank of its input.
        segments: the segments of its input, or None.
        packed: whether a row may hold several sequences.

    Raises:
        ShapeError: the input does not have such an axis.
        SegmentsError: an axis is one of steps inside the steps, of which some are padding.
    """

    def __init__(
        self,
        layer: Layer,
        axes: int | tuple[int, ...],
        ndim: int,
        segments: Any = None,
        packed: bool = False,
    ) -> None:
        self.places = axes_within(layer, axes, ndim)
        self.segments = segments if 1 in self.places else None
        self.packed = packed
        masked = () if segments is None else range(2, segments.ndim)
        if any(axis in self.places for axis in masked):
            raise SegmentsError(
                f"layer '{layer.path}' ({type(layer).__name__}) works along axes {self.places} and "
                "would take in the padding inside of steps: put it into a TimeDistributed, where "
                "that axis is one of steps"
            )

    def sum(self, values: Any) -> Any:
        """Return the sums, with an axis of size 1 (or, in packed rows, of steps) for each axis."""
        if self.segments is None:
            return jnp.sum(values, self.places, keepdims=True)
        within_steps = tuple(axis for axis in self.places if axis != 1)
        sums = jnp.sum(values, within_steps, keepdims=True)
        return sequence_sums(sums, self.segments, packed=self.packed)

    def max(self, values: Any) -> Any:
        """Return the largest values, with axes like those of `sum`."""
        if self.segments is None:
            return jnp.max(values, self.places, keepdims=True)
        within_steps = tuple(axis for axis in self.places if axis != 1)
        largest = jnp.max(values, within_steps, keepdims=True)
        return sequence_maxima(largest, self.segments, packed=self.packed)

    def mean(self, values: Any) -> Any:
        """Return the means, with axes like those of `sum`; 0 where there is nothing real."""
        if self.segments is None:
            return jnp.mean(values, self.places, keepdims=True)
        return self.sum(values) / jnp.maximum(self.sum(jnp.ones_like(values)), 1)


def axes_within(layer: Layer, axes: int | tuple[int, ...], ndim: int) -> tuple[int, ...]:
    """Return the axes counted from the start, in order.

    Raises:
        ShapeError: an input of that rank does not have such an axis, or it is the batch axis.
    """
    several = (axes,) if isinstance(axes, int) else axes
    for axis in several:
        if not -ndim < axis < ndim:
            raise ShapeError(
                f"Axis {axis} is out of bounds for the input of layer '{layer.path}' "
                f"({type(layer).__name__}), which has {ndim} axes, of which the first is the batch"
            )
    return tuple(sorted(axis % ndim for axis in several))


def within_steps(axes: int | tuple[int, ...]) -> bool:
    """Whether no axis can be that of the steps, whatever the rank of an input with steps."""
    several = (axes,) if isinstance(axes, int) else axes
    return all(axis == -1 or axis > 1 for axis in several)


def spec_of(axes: int | tuple[int, ...], shape: Any = None) -> InputSpec:
    """Return what fits weights along these axes of inputs of this shape, or no weights at all."""
    several = (axes,) if isinstance(axes, int) else axes
    rank = max(axis + 1 if axis > 0 else 1 - axis for axis in several)
    sizes = {} if shape is None else {axis: shape[axis] for axis in several}
    return InputSpec(min_ndim=rank, axes=sizes)


def refuse_packed(layer: Layer, packed: bool) -> None:
    """Raise a PackedRowsError if rows are packed: the layer has a weight for each step of a row."""
    if packed:
        raise PackedRowsError(
            f"layer '{layer.path}' ({type(layer).__name__}) has weights for each step of a row "
            "and takes one sequence a row, but was given packed rows, which hold several: unpack "
            "them and pad each sequence into a row of its own"
        )
