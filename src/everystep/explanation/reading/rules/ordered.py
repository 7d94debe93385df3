"""Rules of primitives that go along an axis: cumulative ones, sorting, and finding the largest."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from everystep.explanation.reading import bits
from everystep.explanation.reading.bits import Array
from everystep.explanation.reading.facts import Facts
from everystep.explanation.reading.folding import constants_first, value_of
from everystep.explanation.reading.results import Rule, kind_of
from everystep.explanation.reading.rules.pointwise import ABSORBING

if TYPE_CHECKING:
    from everystep.explanation.reading.interpreter import Context

OF_TWO = {"cumsum": "add", "cumprod": "mul", "cummax": "max", "cummin": "min"}
"""The primitive of two operands that a cumulative one repeats."""


def accumulated(ufunc: Any, array: Array, axis: int, *, reverse: bool) -> Array:
    """Return what a NumPy function of two operands makes of all elements up to each one.

    Example:
        >>> accumulated(np.bitwise_or, np.array([1, 2, 4]), 0, reverse=True).tolist()
        [7, 6, 4]
    """
    turned = np.flip(array, axis) if reverse else array
    total = ufunc.accumulate(turned, axis=axis)
    return np.flip(total, axis) if reverse else total


def cumulative(equation: Any, operands: list[Facts], context: Context) -> list[Facts]:
    """Rule: an element reads all up to its own place, unless a constant settles it."""
    [operand] = operands
    axis, reverse = equation.params["axis"], equation.params["reverse"]
    reads = accumulated(np.bitwise_or, operand.reads, axis, reverse=reverse)
    if not operand.known.any():
        return [Facts.of(operand.shape, operand.dtype, reads)]
    form = list(np.broadcast_shapes(operand.known.shape, operand.values.shape))
    form[axis] = operand.shape[axis]
    given, values = (np.broadcast_to(each, form) for each in (operand.known, operand.values))
    known = accumulated(np.logical_and, given, axis, reverse=reverse)
    settling = ABSORBING.get(OF_TWO.get(equation.primitive.name, ""), (None,))[0]
    if settling is not None:
        settled = given & settling(values)
        known = known | accumulated(np.logical_or, settled, axis, reverse=reverse)
    [totals] = value_of(equation, [values])
    return [Facts.of(operand.shape, operand.dtype, reads, known, totals)]


def sort(equation: Any, operands: list[Facts], context: Context) -> list[Facts]:
    """Rule: along its axis, what is sorted reads all keys and all that goes along with them."""
    axis, keys = equation.params["dimension"], operands[: equation.params["num_keys"]]
    order = bits.over(bits.union((key.reads for key in keys), operands[0].rank), [axis])
    return [
        Facts.of(
            each.shape,
            each.dtype,
            bits.union([order, bits.over(each.reads, [axis])], each.rank),
        )
        for each in operands
    ]


def largest(equation: Any, operands: list[Facts], context: Context) -> list[Facts]:
    """Rule: the largest along an axis, and their places, read all along it."""
    [operand] = operands
    axis = equation.params.get("axis", equation.params.get("reduction_dimension"))
    words = bits.over(operand.reads, [axis % operand.rank])
    return [Facts.of(*kind_of(each), words) for each in equation.outvars]


def place_of_largest(equation: Any, operands: list[Facts], context: Context) -> list[Facts]:
    """Rule: the place of the largest or smallest reads all along the axis, which goes."""
    axes = tuple(equation.params["axes"])
    words = np.squeeze(bits.over(operands[0].reads, axes), axes)
    return [Facts.of(*kind_of(equation.outvars[0]), words)]


RULES: dict[str, Rule] = {
    name: constants_first(rule)
    for name, rule in {
        **dict.fromkeys((*OF_TWO, "cumlogsumexp"), cumulative),
        "sort": sort,
        "top_k": largest,
        "approx_top_k": largest,
        "argmax": place_of_largest,
        "argmin": place_of_largest,
    }.items()
}
