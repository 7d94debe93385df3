"""Rules of primitives that read or write at places that indices say.

Where an index is a known constant, elements go where it says. Where it is not, an element of a
slice may come from wherever the slice may lie along that axis, and along no other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from everystep.explanation.reading import bits
from everystep.explanation.reading.bits import Array, Words
from everystep.explanation.reading.facts import Facts, moved
from everystep.explanation.reading.folding import constants_first
from everystep.explanation.reading.results import Rule, kind_of
from everystep.explanation.reading.slices import Slices
from everystep.explanation.reading.windows import unions

if TYPE_CHECKING:
    from everystep.explanation.reading.interpreter import Context


def gather(equation: Any, operands: list[Facts], context: Context) -> list[Facts]:
    """Rule: slices of an array from where index vectors say."""
    array, index = operands
    filler = None
    slices = Slices.of_gather(equation.params)
    if slices.dropping:
        filler = _filler(array.dtype, equation.params["fill_value"])
    return [_taken(equation, array, index, slices, filler)]


def dynamic_slice(equation: Any, operands: list[Facts], context: Context) -> list[Facts]:
    """Rule: one slice of an array from where numbers say, one for each axis."""
    array, *starts = operands
    slices = Slices.at(equation.params["slice_sizes"])
    return [_taken(equation, array, _vector(starts), slices, None)]


def _vector(starts: list[Facts]) -> Facts:
    """Return single numbers as one index vector."""
    if not starts:
        return Facts.known_array(np.zeros(0, np.int32))
    return moved(starts, np.stack, np.dtype(np.int64))


def _filler(dtype: Any, value: Any) -> Facts:
    """Return the number that stands where a slice would reach past the end."""
    if value is None:
        value = _usual_filler(np.dtype(dtype))
    return Facts.known_array(np.full((), value, dtype))


def _usual_filler(dtype: Any) -> Any:
    if dtype.kind not in "iu":
        return True if dtype.kind == "b" else np.nan
    limits = np.iinfo(dtype)
    return limits.max if limits.min == 0 else limits.min


def _taken(
    equation: Any, array: Facts, index: Facts, slices: Slices, filler: Facts | None
) -> Facts:
    """Return what is known of slices of an array.

    Args:
        equation: the equation that takes them.
        array: the array.
        index: index vectors, on the last axis.
        slices: how the slices lie.
        filler: what stands for slices that reach past the end, if they are not moved.
    """
    shape, dtype = kind_of(equation.outvars[0])
    index = slices.settled(index, array.shape)
    asked = slices.asked(index)
    if array.nothing or 0 in shape:
        return Facts.of(shape, dtype, asked)
    free = slices.free(index)
    source = _narrowed(array, slices, free) if free else array
    places, inside = slices.places(source.shape, index, free)

    def take(numbers: list[Array]) -> Array:
        taken = np.broadcast_to(numbers[0][places], shape)
        return taken if filler is None else np.where(inside, taken, numbers[1])

    sources = [source] if filler is None else [source, filler]
    return moved(sources, take, dtype).with_reads(asked)


def _narrowed(array: Facts, slices: Slices, free: list[int]) -> Facts:
    """Return an array that holds all that a slice may meet, whose place along some axes is free."""
    reads = array.reads
    for axis in free:
        reads = unions(reads, axis, array.shape[axis], slices.sliding(array.shape, axis))
    doubt = np.array(array.unusual.any())
    return Facts.of(slices.narrowed(array.shape, free), array.dtype, reads, extreme=doubt)


def scatter(equation: Any, operands: list[Facts], context: Context) -> list[Facts]:
    """Rule: slices are put into an array, or added to it, where index vectors say."""
    array, index, updates = operands
    slices = Slices.of_scatter(equation.params, array.rank, updates.shape)
    overwriting = equation.primitive.name == "scatter" and _gives_second(equation)
    return [_put(array, index, updates, slices, overwriting=overwriting)]


def _gives_second(equation: Any) -> bool:
    """Return whether a scatter puts its updates as they are in place of what was there."""
    combine = equation.params["update_jaxpr"]
    return combine is None or combine.outvars[0] is combine.invars[1]


def dynamic_update_slice(equation: Any, operands: list[Facts], context: Context) -> list[Facts]:
    """Rule: one slice is put into an array where numbers say."""
    array, update, *starts = operands
    slices = Slices.at(update.shape)
    return [_put(array, _vector(starts), update, slices, overwriting=True)]


def _put(array: Facts, index: Facts, updates: Facts, slices: Slices, *, overwriting: bool) -> Facts:
    """Return what is known of an array into which slices have been put.

    Args:
        array: the array.
        index: index vectors, on the last axis.
        updates: the slices.
        slices: how the slices lie.
        overwriting: whether they take the place of what was there.
    """
    if 0 in updates.shape:
        return array
    index = slices.settled(index, array.shape)
    free = slices.free(index)
    narrow = slices.narrowed(array.shape, free)
    places, inside = slices.places(narrow, index, free)
    inside = np.broadcast_to(inside, updates.shape)
    numbers = np.ravel_multi_index(_together(places), narrow)
    targets = np.broadcast_to(numbers, updates.shape)[inside]
    if overwriting and not free and len(np.unique(targets)) == len(targets):
        return _replaced(array, updates, targets, inside)
    brought = bits.union([updates.reads, slices.asked(index)], updates.rank)
    brought = np.broadcast_to(brought, (*updates.shape, brought.shape[-1]))[inside]
    words, covered = _landed(brought, targets, narrow)
    for axis in free:
        window = slices.sliding(array.shape, axis).backwards(array.shape[axis])
        words = unions(words, axis, slices.sizes[axis], window)
        covered = unions(covered, axis, slices.sizes[axis], window)
    kept = bits.where(~covered, array.reads) if overwriting and not free else array.reads
    return Facts.of(
        array.shape,
        array.dtype,
        bits.union([kept, words], array.rank),
        array.known & ~covered,
        array.values,
        array.low & ~covered,
        np.array(array.unusual.any() or updates.unusual.any()),
    )


def _replaced(array: Facts, updates: Facts, targets: Array, inside: Array) -> Facts:
    """Return an array of which some elements are others now.

    Args:
        array: the array.
        updates: what may take the place of its elements.
        targets: the numbers of the elements that are replaced, each once.
        inside: which elements of the updates take their places, in order.
    """

    def put(numbers: list[Array]) -> Array:
        result = numbers[0].copy().reshape(-1)
        result[targets] = numbers[1][inside]
        return result.reshape(array.shape)

    return moved([array, updates], put, array.dtype)


def _together(arrays: tuple[Array, ...]) -> list[Array]:
    return list(np.broadcast_arrays(*arrays))


def _landed(brought: Words, targets: Array, shape: tuple[int, ...]) -> tuple[Words, Array]:
    """Return the union of the sets that land at each place, and where any has.

    Args:
        brought: the sets, `(elements, words)`.
        targets: the place of each, as the number of an element.
        shape: the shape of the array in which they land.
    """
    order = np.argsort(targets, kind="stable")
    found, first = np.unique(targets[order], return_index=True)
    words = np.zeros((int(np.prod(shape)), brought.shape[-1]), np.uint64)
    covered = np.zeros(len(words), bool)
    if len(found):
        words[found] = np.bitwise_or.reduceat(brought[order], first, axis=0)
        covered[found] = True
    return words.reshape(*shape, brought.shape[-1]), covered.reshape(shape)


SCATTERS = ("scatter", "scatter-add", "scatter-sub", "scatter-mul", "scatter-min", "scatter-max")

RULES: dict[str, Rule] = {
    "gather": gather,
    "dynamic_slice": dynamic_slice,
    "dynamic_update_slice": dynamic_update_slice,
    **dict.fromkeys(SCATTERS, constants_first(scatter)),
}
