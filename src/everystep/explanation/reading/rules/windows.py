"""Rules of primitives that look through windows: of one array, or with a kernel."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import jax
import numpy as np

from everystep.explanation.reading import bits
from everystep.explanation.reading.bits import Array
from everystep.explanation.reading.facts import Facts
from everystep.explanation.reading.folding import constants_first, value_of
from everystep.explanation.reading.results import Rule, kind_of
from everystep.explanation.reading.windows import Window, unions

if TYPE_CHECKING:
    from everystep.explanation.reading.interpreter import Context


def _windows(parameters: Mapping[str, Any]) -> list[Window]:
    """Return the window along each axis."""
    sizes = parameters["window_dimensions"]
    alike = (1,) * len(sizes)
    columns = zip(
        sizes,
        parameters["window_strides"],
        parameters["padding"],
        parameters.get("base_dilation", alike),
        parameters.get("window_dilation", alike),
        strict=True,
    )
    return [Window(size, stride, tuple(pad), *spread) for size, stride, pad, *spread in columns]


def _seen(array: Array, shape: tuple[int, ...], windows: list[Window]) -> Array:
    """Return the unions of flags or sets in windows along all axes."""
    for axis, (count, window) in enumerate(zip(shape, windows, strict=True)):
        array = unions(array, axis, count, window)
    return array


def reduce_window(equation: Any, operands: list[Facts], context: Context) -> list[Facts]:
    """Rule: a result reads its window, and the first value; it is known where all of that is."""
    windows = _windows(equation.params)
    shape = operands[0].shape
    words = bits.union(
        (
            _seen(each.reads, shape, windows)
            if each.rank
            else each.reads.reshape(_row(each, shape))
            for each in operands
        ),
        len(shape),
    )
    results = [Facts.of(*kind_of(each), words) for each in equation.outvars]
    if len(operands) > 1 or not operands[0].known.any():
        return results
    known = ~_seen(~operands[0].known, shape, windows)
    if not known.any():
        return results
    [values] = value_of(equation, [operands[0].value])
    return [Facts.of(*kind_of(equation.outvars[0]), words, known, values)]


def _row(facts: Facts, shape: tuple[int, ...]) -> tuple[int, ...]:
    return (*(1,) * len(shape), facts.reads.shape[-1])


def gather_chosen(equation: Any, operands: list[Facts], context: Context) -> list[Facts]:
    """Rule: elements of one array at the places that another one chooses in each window."""
    windows, shape = _windows(equation.params), operands[0].shape
    words = bits.union((_seen(each.reads, shape, windows) for each in operands), len(shape))
    return [Facts.of(*kind_of(equation.outvars[0]), words)]


def scatter_chosen(equation: Any, operands: list[Facts], context: Context) -> list[Facts]:
    """Rule: what each window brings goes to the place in it that another array chooses."""
    brought, choosing = operands
    windows, shape = _windows(equation.params), choosing.shape
    words = bits.union([brought.reads, _seen(choosing.reads, shape, windows)], len(shape))
    backwards = [window.backwards(size) for window, size in zip(windows, shape, strict=True)]
    words = _seen(words, brought.shape, backwards)
    return [Facts.of(*kind_of(equation.outvars[0]), words)]


def convolve(equation: Any, operands: list[Facts], context: Context) -> list[Facts]:
    """Rule: a sum of products in windows; a constant 0 in one factor leaves out the other."""
    left, right = operands
    shape, dtype = kind_of(equation.outvars[0])
    if equation.params["batch_group_count"] == 1 and right.maybe_nonzero.all():
        from_left = _through(equation, left.reads, left.shape)
        met = _through(equation, left.maybe_nonzero[..., None], left.shape)[..., 0]
    else:
        from_left = bits.packed(_counts(equation, left, right, bits.planes(left.reads), 0) > 0)
        met = _counts(equation, left, right, left.maybe_nonzero[None], 0)[0] > 0
    words = [from_left]
    if right.reads.shape[-1] and left.maybe_nonzero.all():
        words.append(_of_kernel(equation, right.reads, left.shape))
    elif right.reads.shape[-1]:
        planes = bits.planes(right.reads)
        words.append(bits.packed(_counts(equation, left, right, planes, 1) > 0))
    zeros = np.zeros((1,) * len(shape), dtype)
    return [Facts.of(shape, dtype, bits.union(words, len(shape)), ~met, zeros)]


def _through(equation: Any, array: Array, shape: tuple[int, ...]) -> Array:
    """Return what the results of a convolution read of its left side, if no weight is 0.

    Shapes: `(*left, words) -> (*out, words)`; size 1 where all is alike.

    Args:
        equation: the convolution.
        array: sets for each element of the left side.
        shape: the shape of the left side.
    """
    parameters = equation.params
    numbers, groups = parameters["dimension_numbers"], parameters["feature_group_count"]
    places = numbers.lhs_spec
    array = array.transpose(*places, array.ndim - 1)
    channels = array.shape[1]
    if channels > 1:
        split = array.reshape(len(array), groups, channels // groups, *array.shape[2:])
        array = np.bitwise_or.reduce(split, axis=2)
        if groups > 1:
            filters = equation.outvars[0].aval.shape[numbers.out_spec[1]]
            array = np.repeat(array, filters // groups, axis=1)
    for axis, window in enumerate(_kernel_windows(equation), start=2):
        array = unions(array, axis, shape[places[axis]], window)
    return np.moveaxis(array, range(len(places)), numbers.out_spec)


def _kernel_windows(equation: Any) -> list[Window]:
    """Return the window of a convolution along each axis of space."""
    parameters, kernel = equation.params, equation.invars[1].aval.shape
    columns = zip(
        parameters["dimension_numbers"].rhs_spec[2:],
        parameters["window_strides"],
        parameters["padding"],
        parameters["lhs_dilation"],
        parameters["rhs_dilation"],
        strict=True,
    )
    return [Window(kernel[axis], step, tuple(pad), *spread) for axis, step, pad, *spread in columns]


def _of_kernel(equation: Any, words: bits.Words, shape: tuple[int, ...]) -> bits.Words:
    """Return what the results of a convolution read of its kernel, if nothing on the left is 0.

    At the ends of an axis some places of the window hold nothing, and what they are multiplied by
    is not read there.

    Args:
        equation: the convolution.
        words: what the elements of the kernel read.
        shape: the shape of the left side.
    """
    numbers = equation.params["dimension_numbers"]
    array = bits.over(words.transpose(*numbers.rhs_spec, words.ndim - 1), [1])
    array = np.swapaxes(array, 0, 1)
    for axis, window in enumerate(_kernel_windows(equation), start=2):
        results = equation.outvars[0].aval.shape[numbers.out_spec[axis]]
        held = window.held(shape[numbers.lhs_spec[axis]], results)
        places = np.moveaxis(array, axis, 0)
        places = np.broadcast_to(places, (window.size, *places.shape[1:]))
        different, which = np.unique(held, axis=0, return_inverse=True)
        met = np.stack([np.bitwise_or.reduce(places[each], axis=0) for each in different])
        array = np.moveaxis(met[which], 0, axis)
    return np.moveaxis(array, range(len(shape)), numbers.out_spec)


def _counts(equation: Any, left: Facts, right: Facts, planes: Array, side: int) -> Array:
    """Return in how many places something of one side meets something of the other that is not 0.

    Shapes: `(planes, *out)`

    Args:
        equation: the convolution.
        left: its left side.
        right: its kernel.
        planes: zeros and ones for each element of one side, one array for each bit.
        side: which side that is.
    """
    ours, theirs = (left, right) if side == 0 else (right, left)
    other = np.broadcast_to(theirs.maybe_nonzero, theirs.shape).astype(np.float32)
    given = np.broadcast_to(planes, (len(planes), *ours.shape)).astype(np.float32)
    parameters = {**equation.params, "preferred_element_type": None}

    def count(plane: Any) -> Any:
        sides = (plane, other) if side == 0 else (other, plane)
        return equation.primitive.bind(*sides, **parameters)

    with jax.ensure_compile_time_eval():
        return np.asarray(jax.vmap(count)(given))


RULES: dict[str, Rule] = {
    name: constants_first(rule)
    for name, rule in {
        "reduce_window": reduce_window,
        "reduce_window_sum": reduce_window,
        "reduce_window_max": reduce_window,
        "reduce_window_min": reduce_window,
        "select_and_gather_add": gather_chosen,
        "select_and_scatter_add": scatter_chosen,
        "conv_general_dilated": convolve,
    }.items()
}
