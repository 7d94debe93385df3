"""Selections that the shapes and paths of weights suggest: as they are, in a corner, reordered."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Callable, Iterator

import numpy as np

from everystep.explanation.relation.layout import Layout, Slot
from everystep.explanation.relation.selection import CONSTANT, Selection, unfilled

Assignment = dict[int, int]
"""For each slot of the target that is matched, the slot of the source that it is matched to."""

Places = np.ndarray
"""Numbers of a source slot, in the shape of a target slot; `CONSTANT` where there is none."""

_MANY = 64
"""How many assignments are tried at most."""

_MOST_NUMBERS = 2_000_000
"""How many numbers all selections have together at most, once there are some."""


def matches(source: Layout, target: Layout) -> Iterator[Selection]:
    """Yield selections in which every weight of the source stands whole in one of the target.

    The simplest come first: in order, by path, by shape; then inside of larger ones.
    """
    met: set[int] = set()
    for assignment in _assignments(source, target):
        for way, neutral in itertools.product(_WAYS, _NEUTRAL):
            for found in _selection(source, target, assignment, way, neutral):
                number = hash((found.index.tobytes(), found.factor.tobytes()))
                if number not in met:
                    met.add(number)
                    yield found
                if len(met) * target.size > _MOST_NUMBERS:
                    return


def _assignments(source: Layout, target: Layout) -> Iterator[Assignment]:
    """Yield ways to give each weight of the source a weight of the target that can hold it."""
    yield from itertools.islice(_in_order(source, target, _equal_size), _MANY)
    yield from _by_likeness(source, target)
    yield from _by_path(source, target)
    yield from _by_shape(source, target)
    yield from itertools.islice(_in_order(source, target, _holds), _MANY)


def _in_order(
    source: Layout, target: Layout, fits: Callable[[Slot, Slot], bool]
) -> Iterator[Assignment]:
    """Yield assignments that keep the order."""
    count = len(source.slots)

    def rest(taken: int, place: int) -> Iterator[Assignment]:
        if taken == count:
            yield {}
            return
        for at in range(place, len(target.slots) - (count - taken) + 1):
            if fits(source.slots[taken], target.slots[at]):
                for others in rest(taken + 1, at + 1):
                    yield {at: taken, **others}

    return rest(0, 0)


def _by_likeness(source: Layout, target: Layout) -> Iterator[Assignment]:
    """Yield the assignment in order whose weights are most alike, by paths and shapes."""
    # For each count of weights of the source, how alike they are to what has been passed.
    best: list[tuple[float, Assignment]] = [(0.0, {})]
    best += [(-math.inf, {})] * len(source.slots)
    for at, other in enumerate(target.slots):
        for count in range(min(at + 1, len(source.slots)), 0, -1):
            slot = source.slots[count - 1]
            if not _holds(slot, other):
                continue
            score, before = best[count - 1]
            score += _common_end(_unnumbered(slot.path), _unnumbered(other.path))
            score += 0.5 * (slot.shape == other.shape)
            if score > best[count][0]:
                best[count] = score, {**before, at: count - 1}
    if best[-1][0] > -math.inf:
        yield best[-1][1]


def _unnumbered(path: str) -> str:
    """Return a path without the numbers that names get where there are several."""
    return re.sub(r"_\d+(?=/|$)", "", path)


def _by_path(source: Layout, target: Layout) -> Iterator[Assignment]:
    """Yield the assignment of weights whose paths end alike, where there is just one for each."""
    assignment: Assignment = {}
    for number, slot in enumerate(source.slots):
        alike = [_common_end(slot.path, other.path) for other in target.slots]
        best = [at for at, length in enumerate(alike) if length == max(alike) > 0]
        fitting = [at for at in best if _holds(slot, target.slots[at])]
        if len(fitting) != 1 or fitting[0] in assignment:
            return
        assignment[fitting[0]] = number
    yield assignment


def _common_end(one: str, other: str) -> int:
    pairs = zip(reversed(one.split("/")), reversed(other.split("/")), strict=False)
    return len(list(itertools.takewhile(lambda pair: pair[0] == pair[1], pairs)))


def _by_shape(source: Layout, target: Layout) -> Iterator[Assignment]:
    """Yield assignments of weights of one shape to each other in any order, while they are few."""
    if sorted(s.shape for s in source.slots) != sorted(s.shape for s in target.slots):
        return
    shapes = sorted({slot.shape for slot in source.slots})
    groups = [
        [[n for n, s in enumerate(layout.slots) if s.shape == shape] for layout in (source, target)]
        for shape in shapes
    ]
    if math.prod(math.factorial(len(own)) for own, _ in groups) > _MANY:
        return
    orders = [itertools.permutations(own) for own, _ in groups]
    for order in itertools.product(*orders):
        yield {
            at: number
            for numbers, (_, places) in zip(order, groups, strict=True)
            for at, number in zip(places, numbers, strict=True)
        }


def _equal_size(one: Slot, other: Slot) -> bool:
    return math.prod(one.shape) == math.prod(other.shape)


def _holds(one: Slot, other: Slot) -> bool:
    return (
        _equal_size(one, other)
        or _holds_shape(one.shape, other.shape)
        or _along_diagonal(one.shape, other.shape)
    )


def _along_diagonal(one: tuple[int, ...], other: tuple[int, ...]) -> bool:
    """Whether a matrix for each step can stand in one matrix, along its diagonal."""
    return len(one) == 3 and other == (one[0] * one[1], one[0] * one[2])


def _holds_shape(one: tuple[int, ...], other: tuple[int, ...]) -> bool:
    missing = len(other) - len(one)
    return missing >= 0 and all(map(int.__le__, (*[1] * missing, *one), other))


Way = Callable[[Places, Slot, dict[tuple[int, int], int]], Places | None]
"""How the numbers of a slot are placed in another, given the blocks of each axis that grows."""


def _reshaped(numbers: Places, slot: Slot, _: object) -> Places | None:
    return numbers.reshape(slot.shape) if numbers.size == math.prod(slot.shape) else None


def _transposed(numbers: Places, slot: Slot, _: object) -> Places | None:
    if numbers.ndim < 2:
        return _reshaped(numbers, slot, _)
    turned = np.swapaxes(numbers, -1, -2)
    return turned.reshape(slot.shape) if numbers.size == math.prod(slot.shape) else None


def _cornered(*, at_end: bool, blocks: bool) -> Way:
    """Numbers in a corner of a larger weight, of each block of an axis if it has blocks."""

    def place(numbers: Places, slot: Slot, grown: dict[tuple[int, int], int]) -> Places | None:
        if not _holds_shape(numbers.shape, slot.shape):
            return _reshaped(numbers, slot, grown)
        # Further axes stand in front, as those of the two biases of a GRU.
        numbers = numbers.reshape(*[1] * (len(slot.shape) - numbers.ndim), *numbers.shape)
        axes = []
        for axis, (small, large) in enumerate(zip(numbers.shape, slot.shape, strict=True)):
            count = grown.get((small, large), 1) if blocks else 1
            own = np.arange(small).reshape(count, -1)
            starts = np.arange(count)[:, None] * (large // count)
            within = np.arange(own.shape[1])[None]
            if at_end and axis == 0 and numbers.ndim > 2:
                within = within + (large - small)
            axes.append((starts + within).ravel())
        places = np.full(slot.shape, CONSTANT)
        places[np.ix_(*axes)] = numbers
        return places

    return place


def _repeated(numbers: Places, slot: Slot, _: object) -> Places | None:
    """One weight for each of several steps: stacked, one behind the other, or along a diagonal."""
    if slot.shape[1:] == numbers.shape:
        return np.broadcast_to(numbers, slot.shape)
    if numbers.ndim == len(slot.shape) == 1 and slot.shape[0] % len(numbers) == 0:
        return np.tile(numbers, slot.shape[0] // len(numbers))
    if len(slot.shape) != 2 or not 1 < numbers.ndim < 4:
        return _reshaped(numbers, slot, _)
    rows, columns = numbers.shape[-2:]
    count, rest = divmod(slot.shape[0], rows)
    if rest or slot.shape[1] != count * columns:
        return _reshaped(numbers, slot, _)
    blocks = np.resize(numbers, (count, rows, columns))
    places = np.full((count, rows, count, columns), CONSTANT)
    places[np.arange(count), :, np.arange(count), :] = blocks
    return places.reshape(slot.shape)


_WAYS: tuple[Way, ...] = (
    _reshaped,
    _transposed,
    _repeated,
    _cornered(at_end=False, blocks=False),
    _cornered(at_end=True, blocks=False),
    _cornered(at_end=False, blocks=True),
)


def zeros(shape: tuple[int, ...]) -> np.ndarray:
    """Return zeros, for a weight that adds."""
    return np.zeros(shape)


def passing(shape: tuple[int, ...]) -> np.ndarray:
    """Return a matrix that hands its input on, or zeros for what is no matrix."""
    return np.eye(*shape) if len(shape) == 2 else np.zeros(shape)


def scaling(shape: tuple[int, ...]) -> np.ndarray:
    """Return ones, for a weight that multiplies."""
    return np.ones(shape)


_NEUTRAL = (zeros, passing, scaling)


def _selection(
    source: Layout,
    target: Layout,
    assignment: Assignment,
    way: Way,
    neutral: Callable[[tuple[int, ...]], np.ndarray],
) -> list[Selection]:
    """Return the selection of an assignment, none where a weight cannot be placed in this way."""
    selection = unfilled(source, target)
    grown = _grown(source, target, assignment)
    for at, slot in enumerate(target.slots):
        part = slice(slot.start, slot.stop)
        if at not in assignment:
            selection.factor[part] = slot.neutral or neutral(slot.shape).ravel()
            continue
        given = source.slots[assignment[at]]
        places = way(np.arange(given.start, given.stop).reshape(given.shape), slot, grown)
        if places is None:
            return []
        selection.index[part] = places.ravel()
        selection.factor[part] = np.where(places.ravel() == CONSTANT, slot.neutral, 1.0)
    return [selection]


def _grown(source: Layout, target: Layout, assignment: Assignment) -> dict[tuple[int, int], int]:
    """Return how many blocks an axis has that grows from one size to another.

    The gates of a recurrent kernel, for one, lie side by side: from 3 to 5 units an axis grows
    from 12 to 20, in four blocks. Blocks have the sizes of an axis that grows itself.
    """
    pairs = {
        pair
        for at, number in assignment.items()
        for pair in zip(source.slots[number].shape, target.slots[at].shape, strict=False)
        if pair[0] < pair[1]
    }
    return {
        (small, large): max(
            count
            for count in range(1, small + 1)
            if small % count == large % count == 0 and ((small // count, large // count) in pairs)
        )
        for small, large in pairs
    }


def reordered(selection: Selection, order: np.ndarray) -> Iterator[Selection]:
    """Yield selections in which the units of a model stand in another order.

    An axis of as many places as there are units, or of several blocks of so many, may be one of
    units; every choice of such axes is tried while they are few.

    Args:
        selection: the selection before.
        order: which unit stands at each place.
    """
    count = len(order)
    axes = [
        (slot, axis)
        for slot in selection.target.slots
        for axis, size in enumerate(slot.shape)
        if size % count == 0
    ]
    choices = [tuple(axes)] if len(axes) > 6 else _choices(axes)
    for chosen in choices:
        for forward in (order, np.argsort(order)):
            numbers = np.arange(selection.target.size)
            for slot, axis in chosen:
                part = numbers[slot.start : slot.stop].reshape(slot.shape)
                blocks = np.arange(0, slot.shape[axis], count)[:, None] + forward[None]
                numbers[slot.start : slot.stop] = np.take(part, blocks.ravel(), axis).ravel()
            yield Selection(
                selection.source,
                selection.target,
                selection.index[numbers],
                selection.factor[numbers],
            )


def _choices(axes: list[tuple[Slot, int]]) -> list[tuple[tuple[Slot, int], ...]]:
    """Return every choice of some axes, the largest first."""
    sizes = range(len(axes), 0, -1)
    return [choice for size in sizes for choice in itertools.combinations(axes, size)]
