"""Rules of primitives that sum products: a factor that is 0 for certain cuts what the other reads.

Such a function of two arrays is linear in each. So an element of its result reads what stands in
the left one wherever it meets something in the right one that may be other than 0, and the reverse.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from everystep.explanation.reading import bits
from everystep.explanation.reading.bits import Array, Words
from everystep.explanation.reading.facts import Facts
from everystep.explanation.reading.folding import constants_first
from everystep.explanation.reading.results import Rule, kind_of

if TYPE_CHECKING:
    from everystep.explanation.reading.interpreter import Context


class Side(NamedTuple):
    """The axes of one operand of a matrix product: of the batch, its own, and summed over."""

    batch: tuple[int, ...]
    own: tuple[int, ...]
    summed: tuple[int, ...]

    @property
    def order(self) -> tuple[int, ...]:
        """Its axes, those of the batch first and those that are summed over last."""
        return (*self.batch, *self.own, *self.summed)

    def sizes(self, array: Array) -> Side:
        """Return the sizes of an array's axes in place of the axes."""
        return Side(*(tuple(array.shape[axis] for axis in axes) for axes in self))


def dot_general(equation: Any, operands: list[Facts], context: Context) -> list[Facts]:
    """Rule: the matrix product."""
    left, right = operands
    shape, dtype = kind_of(equation.outvars[0])
    if left.nothing and right.nothing:
        return [Facts.unread(shape, dtype)]
    (left_summed, right_summed), (left_batch, right_batch) = equation.params["dimension_numbers"]
    sides = (
        Side(left_batch, _rest(left.rank, left_batch, left_summed), left_summed),
        Side(right_batch, _rest(right.rank, right_batch, right_summed), right_summed),
    )
    reads = bits.union(
        [
            _read(sides, left.reads, right.maybe_nonzero),
            _turned(
                _read(sides[::-1], right.reads, left.maybe_nonzero),
                len(left_batch),
                len(sides[1].own),
            ),
        ],
        len(shape),
    )
    known = _zeros(sides, left.maybe_nonzero, right.maybe_nonzero)
    return [Facts.of(shape, dtype, reads, known, np.zeros((1,) * len(shape), dtype))]


def _rest(rank: int, batch: tuple[int, ...], summed: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(axis for axis in range(rank) if axis not in (*batch, *summed))


def _turned(words: Words, batch: int, first: int) -> Words:
    """Return the sets with the first axes behind the batch put last."""
    axes = list(range(words.ndim - 1))
    own = axes[batch:]
    return words.transpose(*axes[:batch], *own[first:], *own[:first], words.ndim - 1)


def _read(sides: tuple[Side, Side], words: Words, nonzero: Array) -> Words:
    """Return what the product reads of the operand with these sets.

    Shapes: `(batch, own axes of the first side, own axes of the second, words)`; size 1 where all
    is alike.
    """
    ours, theirs = sides
    behind = len(theirs.own)
    ordered = words.transpose(*ours.order, words.ndim - 1)
    places = range(len(ours.batch) + len(ours.own), ordered.ndim - 1)
    if nonzero.all() or not words.shape[-1]:
        return bits.over(ordered, places).reshape(
            *ordered.shape[: places.start], *(1,) * behind, words.shape[-1]
        )
    planes = bits.planes(ordered)
    batch = ours.sizes(words).batch
    count = _counts(sides, planes.astype(np.float32), nonzero, batch)
    return bits.packed(count > 0)


def _counts(
    sides: tuple[Side, Side], planes: Array, nonzero: Array, batch: tuple[int, ...]
) -> Array:
    """Return in how many places something of ours meets something of theirs that is not 0.

    Shapes: `(planes, batch, own axes, own axes of the other side)`

    Args:
        sides: our side and theirs.
        planes: what ours has, its axes in order, one array for each bit.
        nonzero: where theirs may be other than 0.
        batch: the sizes of our axes of the batch.
    """
    ours, theirs = sides
    other = nonzero.transpose(theirs.order).astype(np.float32)
    other_batch, other_own, other_summed = theirs.sizes(nonzero)
    start = 1 + len(ours.batch)
    own, summed = planes.shape[start : start + len(ours.own)], planes.shape[start + len(ours.own) :]
    common = np.broadcast_shapes(summed, other_summed)
    ours_flat = np.broadcast_to(planes, (*planes.shape[:1], *batch, *own, *common)).reshape(
        -1, *batch, int(np.prod(own)), int(np.prod(common))
    )
    theirs_flat = np.broadcast_to(other, (*other_batch, *other_own, *common)).reshape(
        *other_batch, int(np.prod(other_own)), int(np.prod(common))
    )
    count = ours_flat @ np.swapaxes(theirs_flat, -1, -2)
    return count.reshape(*count.shape[:-2], *own, *other_own)


def _zeros(sides: tuple[Side, Side], left: Array, right: Array) -> Array | None:
    """Return where the product is 0, since each of its terms has a factor that is."""
    if left.all() and right.all():
        return None
    ordered = left.transpose(sides[0].order)[None].astype(np.float32)
    zeros: Array = np.equal(_counts(sides, ordered, right, sides[0].sizes(left).batch)[0], 0)
    return zeros


RULES: dict[str, Rule] = {"dot_general": constants_first(dot_general)}
