"""Rules of primitives that make one number of all along some axes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from everystep.explanation.reading import bits
from everystep.explanation.reading.bits import Array
from everystep.explanation.reading.facts import Facts
from everystep.explanation.reading.folding import constants_first, value_of
from everystep.explanation.reading.results import Rule, doubting, kind_of
from everystep.explanation.reading.rules.pointwise import ABSORBING, FAR_BELOW

if TYPE_CHECKING:
    from everystep.explanation.reading.interpreter import Context

OF_TWO = {
    "reduce_sum": "add",
    "reduce_prod": "mul",
    "reduce_max": "max",
    "reduce_min": "min",
    "reduce_and": "and",
    "reduce_or": "or",
    "reduce_xor": "xor",
}
"""The primitive of two operands that a reduction repeats."""


def reduce(equation: Any, operands: list[Facts], context: Context) -> list[Facts]:
    """Rule: a result reads all elements that it is made of, unless a constant settles it."""
    [operand] = operands
    shape, dtype = kind_of(equation.outvars[0])
    if operand.nothing:
        return [Facts.unread(shape, dtype)]
    axes = tuple(equation.params["axes"])
    reads, low = operand.reads, None
    extreme = np.logical_or.reduce(operand.unusual, axes)
    if equation.primitive.name == "reduce_max" and operand.far_below.any():
        reads, low = _of_the_largest(operand, axes, context)
        extreme = np.logical_or.reduce(operand.unusual & ~operand.far_below, axes)
    known, values = _constants(equation, operand, axes)
    reads = np.squeeze(bits.over(reads, axes), axes)
    return [Facts.of(shape, dtype, reads, known, values, low, extreme)]


def _of_the_largest(
    operand: Facts, axes: tuple[int, ...], context: Context
) -> tuple[bits.Words, Array]:
    """Return what elements read that may be the largest, and where all elements are low."""
    any_ordinary = (~operand.unusual).any(axes, keepdims=True)
    heard = bits.where(~operand.far_below | ~any_ordinary, operand.reads)
    if bits.differ(heard, operand.reads):
        context.assume(FAR_BELOW)
    return heard, np.logical_and.reduce(operand.far_below, axes)


def _constants(equation: Any, operand: Facts, axes: tuple[int, ...]) -> tuple[Array, Array]:
    """Return where the result is the same whatever the unknown elements are, and its value."""
    rank = operand.rank - len(axes)
    if not operand.known.any():
        return np.zeros((1,) * rank, bool), np.zeros((1,) * rank, bool)
    # As many elements along the axes as there are, however few are told apart.
    form = tuple(size if axis in axes else 1 for axis, size in enumerate(operand.shape))
    form = np.broadcast_shapes(form, operand.known.shape, operand.values.shape)
    known, values = np.broadcast_to(operand.known, form), np.broadcast_to(operand.values, form)
    [total] = value_of(equation, [values])
    all_known = np.logical_and.reduce(known, axes)
    settling = ABSORBING.get(OF_TWO[equation.primitive.name], (None,))[0]
    if settling is None:
        return all_known, total
    settled = known & settling(values)
    # An unknown element has the value 0, so the one that settles it has to be looked up.
    order = np.moveaxis(settled, axes, range(len(axes))).reshape(-1, *total.shape)
    numbers = np.moveaxis(values, axes, range(len(axes))).reshape(order.shape)
    first = np.take_along_axis(numbers, order.argmax(0)[None], 0)[0]
    any_settled = order.any(0)
    return all_known | any_settled, np.where(any_settled, first, total)


def reduce_by(equation: Any, operands: list[Facts], context: Context) -> list[Facts]:
    """Rule: a reduction by any function: it reads all along the axes and the first values."""
    axes = tuple(equation.params["dimensions"])
    rank = operands[0].rank
    words = bits.union(
        (each.reads.reshape((1,) * (rank - each.rank) + each.reads.shape) for each in operands),
        rank,
    )
    reads = np.squeeze(bits.over(words, axes), axes)
    return [Facts.of(*kind_of(each), reads) for each in equation.outvars]


RULES: dict[str, Rule] = {
    name: constants_first(rule)
    for name, rule in {**dict.fromkeys(OF_TWO, reduce), "reduce": doubting(reduce_by)}.items()
}
