"""Rules of primitives that put elements elsewhere and change none."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from everystep.explanation.reading.bits import Array
from everystep.explanation.reading.facts import Facts, moved
from everystep.explanation.reading.results import Rule, kind_of

if TYPE_CHECKING:
    from everystep.explanation.reading.interpreter import Context

Parameters = Mapping[str, Any]
Move = Callable[[Parameters, list[Array]], Array]


def _reshaped(parameters: Parameters, arrays: list[Array]) -> Array:
    order = parameters["dimensions"]
    source = arrays[0] if order is None else arrays[0].transpose(order)
    return source.reshape(parameters["new_sizes"])


def _broadcast(parameters: Parameters, arrays: list[Array]) -> Array:
    shape, axes = parameters["shape"], parameters["broadcast_dimensions"]
    placed = [1] * len(shape)
    for axis, size in zip(axes, arrays[0].shape, strict=True):
        placed[axis] = size
    return np.broadcast_to(_axes_added(arrays[0], placed, axes), shape)


def _axes_added(array: Array, shape: list[int], axes: tuple[int, ...]) -> Array:
    """Return a view of that shape, which keeps axes of one element for all as they are."""
    return np.expand_dims(array, [axis for axis in range(len(shape)) if axis not in axes])


def _sliced(parameters: Parameters, arrays: list[Array]) -> Array:
    strides = parameters["strides"] or (1,) * arrays[0].ndim
    starts, ends = parameters["start_indices"], parameters["limit_indices"]
    return arrays[0][tuple(map(slice, starts, ends, strides))]


def _padded(parameters: Parameters, arrays: list[Array]) -> Array:
    array, filler = arrays
    for axis, (before, after, between) in enumerate(parameters["padding_config"]):
        array = _padded_along(array, filler, axis, (before, after, between))
    return array


def _padded_along(array: Array, filler: Array, axis: int, width: tuple[int, int, int]) -> Array:
    before, after, between = width
    if not (before or after or between):
        return array
    front = np.moveaxis(array, axis, 0)
    size = len(front)
    inner = np.full((max(0, size + (size - 1) * between), *front.shape[1:]), filler)
    inner[:: between + 1] = front
    ends = [
        np.full((max(0, count), *inner.shape[1:]), filler, inner.dtype) for count in (before, after)
    ]
    cut = inner[max(0, -before) : len(inner) - max(0, -after)]
    return np.moveaxis(np.concatenate([ends[0], cut, ends[1]]), 0, axis)


MOVES: dict[str, Move] = {
    "reshape": _reshaped,
    "broadcast_in_dim": _broadcast,
    "slice": _sliced,
    "pad": _padded,
    "transpose": lambda parameters, arrays: arrays[0].transpose(parameters["permutation"]),
    "squeeze": lambda parameters, arrays: arrays[0].squeeze(tuple(parameters["dimensions"])),
    "rev": lambda parameters, arrays: np.flip(arrays[0], parameters["dimensions"]),
    "concatenate": lambda parameters, arrays: np.concatenate(arrays, parameters["dimension"]),
    "stack": lambda parameters, arrays: np.stack(arrays, parameters["axis"]),
    "tile": lambda parameters, arrays: np.tile(arrays[0], parameters["reps"]),
}
"""What primitives do to the numbers of elements, one array for each operand."""


def move(equation: Any, operands: list[Facts], context: Context) -> list[Facts]:
    """Rule: elements go elsewhere, with all that is known of them."""
    shape, dtype = kind_of(equation.outvars[0])
    if all(operand.nothing for operand in operands):
        return [Facts.unread(shape, dtype)]
    change = MOVES[equation.primitive.name]
    return [moved(operands, lambda numbers: change(equation.params, numbers), dtype)]


def split(equation: Any, operands: list[Facts], context: Context) -> list[Facts]:
    """Rule: one array in several parts along an axis."""
    [operand] = operands
    axis = equation.params["axis"]
    ends = np.cumsum(equation.params["sizes"])
    starts = ends - equation.params["sizes"]
    before = (slice(None),) * axis
    parts = [(*before, slice(start, end)) for start, end in zip(starts, ends, strict=True)]
    return [_taken(operand, part) for part in parts]


def unstack(equation: Any, operands: list[Facts], context: Context) -> list[Facts]:
    """Rule: one array for each index of an axis."""
    [operand] = operands
    axis = equation.params["axis"]
    before = (slice(None),) * axis
    return [_taken(operand, (*before, index)) for index in range(operand.shape[axis])]


def _taken(operand: Facts, part: tuple[Any, ...]) -> Facts:
    return moved([operand], lambda numbers: numbers[0][part], operand.dtype)


def unchanged(equation: Any, operands: list[Facts], context: Context) -> list[Facts]:
    """Rule: each result is the operand of the same place."""
    return list(operands)


def iota(equation: Any, operands: list[Facts], context: Context) -> list[Facts]:
    """Rule: the numbers of places along an axis."""
    shape, dtype = kind_of(equation.outvars[0])
    form = [1] * len(shape)
    axis = equation.params["dimension"]
    form[axis] = shape[axis]
    count = Facts.known_array(np.arange(shape[axis]).astype(dtype).reshape(form))
    return [Facts.of(shape, dtype, count.reads, count.known, count.values)]


UNCHANGED = [
    *("device_put", "layout_constraint", "optimization_barrier", "pvary", "reshard"),
    *("sharding_constraint", "with_memory_space_constraint"),
]
"""Primitives that say where arrays are, or when they are made, and change nothing in them."""

RULES: dict[str, Rule] = {
    **dict.fromkeys(MOVES, move),
    **dict.fromkeys(UNCHANGED, unchanged),
    "split": split,
    "unstack": unstack,
    "iota": iota,
}
