"""Selections of weights in words."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from everystep.explanation.relation.layout import Layout, Slot
from everystep.explanation.relation.selection import CONSTANT, Selection


def lines_of(selection: Selection, free: np.ndarray, owner: str) -> tuple[str, ...]:
    """Return in lines where the numbers of each weight of the target come from.

    Args:
        selection: where they come from.
        free: which numbers are solved for instead, bool.
        owner: whose the weights of the source are.
    """
    target = selection.target
    lines, solved = [], []
    for slot in target.slots:
        if free[slot.start : slot.stop].any():
            solved.append(target.short(slot))
        else:
            lines.append(f"{target.short(slot)} {_of_slot(selection, slot, owner)}")
    if solved:
        verb = "solves" if len(solved) == 1 else "solve"
        names = " and ".join([", ".join(solved[:-1]), solved[-1]] if solved[1:] else solved)
        lines.append(f"{names} {verb} a least-squares problem over many inputs")
    return tuple(lines)


def _of_slot(selection: Selection, slot: Slot, owner: str) -> str:
    """Say where the numbers of one weight come from, by the first form that they have."""
    index, factor = slot.of(selection.index), slot.of(selection.factor)
    if (index == CONSTANT).all():
        return _constant(factor)
    sources = _sources(selection.source, index)
    names = {s.path: f"{owner}'s {selection.source.short(s)}" for s in sources}
    factors = set(factor[index != CONSTANT].tolist())
    if len(sources) == 1 and len(factors) == 1:
        [source], [times] = sources, factors
        places = np.where(index == CONSTANT, CONSTANT, index - source.start)
        name = names[source.path] if times == 1 else f"{times:g} times {names[source.path]}"
        for form in _FORMS:
            if words := form(places, factor, source):
                return "is " + words.format(name)
    return _counted(sources, names, index, factor)


def _constant(factor: np.ndarray) -> str:
    if (factor == factor.flat[0]).all():
        return f"is {factor.flat[0]:g} everywhere"
    if factor.ndim == 2:
        rows, columns = factor.shape
        if (factor == np.eye(rows, columns)).all():
            return "is the identity matrix"
        if (
            rows > columns
            and rows % columns == 0
            and (factor == np.tile(np.eye(columns), (rows // columns, 1))).all()
        ):
            return f"is {rows // columns} identity matrices, one below the other"
        if (
            columns > rows
            and columns % rows == 0
            and (factor == np.tile(np.eye(rows), (1, columns // rows))).all()
        ):
            return f"is {columns // rows} identity matrices, side by side"
    return "is constant: " + np.array2string(factor, threshold=20)


def _numbers(source: Slot) -> np.ndarray:
    return np.arange(source.stop - source.start).reshape(source.shape)


def _whole(places: np.ndarray, _: np.ndarray, source: Slot) -> str:
    own = _numbers(source)
    if places.size != own.size:
        return ""
    if (places.ravel() == own.ravel()).all():
        return "{}" if places.shape == own.shape else "{}, reshaped"
    turned = np.swapaxes(own, -1, -2) if own.ndim > 1 else own
    return "{}, transposed" if (places.ravel() == turned.ravel()).all() else ""


def _blocks(places: np.ndarray, factor: np.ndarray, source: Slot) -> str:
    """Blocks on the diagonal of a matrix, zeros elsewhere: equal ones, or one after another."""
    if places.ndim != 2 or not 1 < len(source.shape) < 4 or not _is_zero(places, factor):
        return ""
    own = _numbers(source)
    if own.shape[0] == 1 and own.ndim == 3:
        own = own[0]
    rows, columns = own.shape[-2:]
    count = places.shape[0] // rows
    if count < 2 or places.shape != (count * rows, count * columns):
        return ""
    diagonal = np.full(places.shape, CONSTANT)
    for block in range(count):
        part = own if own.ndim == 2 else own[block % len(own)]
        at = slice(block * rows, (block + 1) * rows), slice(block * columns, (block + 1) * columns)
        diagonal[at] = part
    if not (places == diagonal).all():
        return ""
    if own.ndim == 2:
        return f"block-diagonal with {count} equal blocks, each {{}}"
    return f"block-diagonal with {count} blocks, those of {{}} in turn"


def _copies(places: np.ndarray, _: np.ndarray, source: Slot) -> str:
    """The whole weight several times over, one copy behind the other along the first axis."""
    own = _numbers(source).ravel()
    count, rest = divmod(places.size, own.size)
    if rest or count < 2 or not (places.ravel() == np.tile(own, count)).all():
        return ""
    return f"{count} copies of {{}}, one behind the other"


def _corner(places: np.ndarray, factor: np.ndarray, source: Slot) -> str:
    """The weight at some places along each axis of a larger one, zeros elsewhere."""
    taken = np.argwhere(places != CONSTANT)
    axes = [np.unique(along) for along in taken.T]
    box = places[np.ix_(*axes)]
    if box.size == places.size or not _is_zero(places, factor):
        return ""
    own = _numbers(source)
    if box.size != own.size or not (box.ravel() == own.ravel()).all():
        return ""
    where = ", ".join(_written(along) for along in axes)
    return f"{{}} at [{where}], zeros elsewhere"


def _written(places: np.ndarray) -> str:
    """Return places along an axis as Python writes them: as a slice where there is no gap."""
    first, last = int(places[0]), int(places[-1])
    return f"{first}:{last + 1}" if last - first + 1 == len(places) else str(places.tolist())


def _permuted(places: np.ndarray, _: np.ndarray, source: Slot) -> str:
    """The weight with the places along some axes in another order."""
    own = _numbers(source)
    if places.shape != own.shape or (places == CONSTANT).any():
        return ""
    at = np.unravel_index(places, own.shape)
    orders = []
    for axis, coordinates in enumerate(at):
        order = np.moveaxis(coordinates, axis, 0).reshape(own.shape[axis], -1)
        if not (order == order[:, :1]).all():
            return ""
        if not (order[:, 0] == np.arange(own.shape[axis])).all():
            orders.append(f"axis {axis} in the order {_order(order[:, 0])}")
    return f"{{}}, {' and '.join(orders)}"


def _part(places: np.ndarray, _: np.ndarray, source: Slot) -> str:
    """A part of the weight: some of its places along each axis."""
    if (places == CONSTANT).any():
        return ""
    axes = [np.unique(along) for along in np.unravel_index(places.ravel(), source.shape)]
    part = _numbers(source)[np.ix_(*axes)]
    if part.size != places.size or not (part.ravel() == places.ravel()).all():
        return ""
    return f"{{}}[{', '.join(map(_written, axes))}]"


def _order(order: np.ndarray) -> str:
    """Write an order of places, that of a block where all blocks have the same."""
    for size in range(2, len(order)):
        count, rest = divmod(len(order), size)
        starts = np.arange(count)[:, None] * size
        if not rest and (order.reshape(count, size) == order[:size] + starts).all():
            return f"{order[:size].tolist()} in each of {count} blocks"
    return str(order.tolist())


_FORMS: tuple[Callable[[np.ndarray, np.ndarray, Slot], str], ...] = (
    _whole,
    _blocks,
    _copies,
    _corner,
    _permuted,
    _part,
)
"""The forms that a weight may have that comes from one other, the simplest first."""


def _is_zero(places: np.ndarray, factor: np.ndarray) -> bool:
    return bool((factor[places == CONSTANT] == 0).all())


def _sources(layout: Layout, index: np.ndarray) -> list[Slot]:
    taken = index[index != CONSTANT]
    return [s for s in layout.slots if ((taken >= s.start) & (taken < s.stop)).any()]


def _counted(
    sources: list[Slot], names: dict[str, str], index: np.ndarray, factor: np.ndarray
) -> str:
    """Say of any other selection how many numbers come from where."""
    parts = []
    for slot in sources:
        here = (index >= slot.start) & (index < slot.stop)
        for times in np.unique(factor[here]):
            count = int((here & (factor == times)).sum())
            scaled = "" if times == 1 else f" times {times:g}"
            parts.append(f"{count} numbers of {names[slot.path]}{scaled}")
    parts += [
        f"{int(((index == CONSTANT) & (factor == constant)).sum())} times {constant:g}"
        for constant in np.unique(factor[index == CONSTANT])
    ]
    return "consists of " + ", ".join(parts)
