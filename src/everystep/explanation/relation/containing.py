"""Search for weights of one family that make it each function of another."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np

from everystep.explanation.relation import matching, solving
from everystep.explanation.relation.draws import Inputs
from everystep.explanation.relation.layout import Layout
from everystep.explanation.relation.mapping import WeightMapping
from everystep.explanation.relation.question import Doubt, Question
from everystep.explanation.relation.selection import (
    CONSTANT,
    Selection,
    Solved,
    read_off,
    unfilled,
)

_PARTS = 128
"""How many choices of weights to solve for are tried at most."""

_MOST_FREE = 3
"""How many weights are solved for at once."""

_MOST_UNITS = 256
"""Among how many units another order of them is looked for."""

_LARGEST_WHOLE = 5000
"""How many numbers the weights may have together where some are solved for."""


def selected(question: Question) -> WeightMapping | Doubt | None:
    """Try the weights as they are, and placed in others."""
    source, target = question.first.layout, question.second.layout
    found = question.suiting(matching.matches(source, target))
    return question.verdict(found) if found else None


def reordered(question: Question) -> WeightMapping | Doubt | None:
    """Try the units of the model in another order: that in which they come out."""
    source, target = question.first.layout, question.second.layout
    for selection in itertools.islice(matching.matches(source, target), 2):
        if (selection.index == CONSTANT).any():
            return None
        order = _order_of_units(question, selection)
        if order is None:
            continue
        found = question.suiting(matching.reordered(selection, order))
        if found:
            return question.verdict(found)
    return None


def _order_of_units(question: Question, selection: Selection) -> np.ndarray | None:
    """Return at which unit of the second family each unit of the first comes out, if one does."""
    shapes = [port.shape for port in question.first.program.outputs]
    units = shapes[0][-1] if len(shapes) == 1 and shapes[0] else 0
    if not 1 < units <= _MOST_UNITS:
        return None
    [made] = question.second.values(selection.vectors(question.vectors[:1]), question.inputs)
    # The last place of each input will do: an order is verified afterwards.
    one, other = (values[:, -units:] for values in (question.wanted[0], made))
    apart = np.abs(one[:, :, None] - other[:, None, :]).max(axis=0)
    alike = apart <= 1e-9 * (1 + np.abs(one).max())
    if not (alike.sum(0) == 1).all() or not (alike.sum(1) == 1).all():
        return None
    return np.asarray(np.argmax(alike, axis=1))


def partly_solved(question: Question) -> WeightMapping | Doubt | None:
    """Match some weights or make them neutral, and solve for the others."""
    source, target = question.first.layout, question.second.layout
    if target.size > _LARGEST_WHOLE:
        return None
    left = solving.LARGEST
    for selection, free in _parts(source, target):
        [base] = selection.vectors(question.vectors[:1])
        if left > 0 and solving.is_affine(question.second.values, base, free, question.inputs):
            left -= int(free.sum())
            if found := solved(question, selection, free):
                return found
    return None


def solved(
    question: Question, selection: Selection, free: np.ndarray
) -> WeightMapping | Doubt | None:
    """Solve for the free weights, in which the second family is affine, and read them off."""
    second = question.second
    [base] = selection.vectors(question.vectors[:1])
    inputs = solving.inputs_for(second, int(free.sum()), question.wanted.shape[-1], seed=7)
    wanted = question.first.values(question.vectors[:1], inputs)
    found = solving.solve(second, base, free, inputs, wanted)
    if found.residuals[0] > 1e-8:
        return None
    [vector] = found.vectors
    tolerance = 1e-8 * (1 + np.abs(vector).max(initial=0.0))
    taken = read_off(question.first.layout, second.layout, question.vectors[0], vector, tolerance)
    if taken and question.suits(taken) and (verdict := question.verdict(taken)):
        return verdict
    rule = solving_rule(question, selection, free, inputs)
    return question.verdict(rule) if question.suits(rule) else None


def solving_rule(
    question: Question, selection: Selection, free: np.ndarray, inputs: Inputs
) -> Solved:
    """Return the rule that selects some weights and solves for the others."""

    def solve(given: np.ndarray, bases: np.ndarray) -> np.ndarray:
        wanted = question.first.values(given, inputs)
        fixed = bases[:, ~free]
        if (fixed == fixed[:1]).all():
            return solving.solve(question.second, bases[0], free, inputs, wanted).vectors
        made = [
            solving.solve(question.second, base, free, inputs, one[None]).vectors
            for base, one in zip(bases, wanted, strict=True)
        ]
        return np.concatenate(made)

    return Solved(selection, free, solve)


def _parts(source: Layout, target: Layout) -> Iterator[tuple[Selection, np.ndarray]]:
    """Yield weights to match or make neutral, and which to solve for; as few as can be first."""
    slots = range(len(target.slots))
    choices: list[tuple[int, int, tuple[int, ...], dict[int, int]]] = []
    for count in range(1, min(len(target.slots), _MOST_FREE + 1)):
        for free in itertools.combinations(slots, count):
            kept = [at for at in slots if at not in free]
            choices += [
                (count, len(kept) - len(assigned), free, assigned)
                for assigned in (_greedy(source, target, kept), {})
            ]
    choices.sort(key=lambda choice: choice[:2])
    for _, _, free, assigned in choices[:_PARTS]:
        mask = np.zeros(target.size, bool)
        for at in free:
            mask[target.slots[at].start : target.slots[at].stop] = True
        if not (mask & target.positive).any() and mask.sum() <= solving.LARGEST:
            yield _partial(source, target, assigned), mask


def _greedy(source: Layout, target: Layout, kept: list[int]) -> dict[int, int]:
    """Match weights of one shape in order, as far as it goes."""
    assigned: dict[int, int] = {}
    place = 0
    for at in kept:
        shape = target.slots[at].shape
        fitting = [n for n in range(place, len(source.slots)) if source.slots[n].shape == shape]
        if fitting:
            assigned[at] = fitting[0]
            place = fitting[0] + 1
    return assigned


def _partial(source: Layout, target: Layout, assigned: dict[int, int]) -> Selection:
    """Return a selection in which some weights are matched, and the others neutral."""
    selection = unfilled(source, target)
    for at, slot in enumerate(target.slots):
        part = slice(slot.start, slot.stop)
        if at in assigned:
            given = source.slots[assigned[at]]
            selection.index[part] = np.arange(given.start, given.stop)
            selection.factor[part] = 1.0
        elif not slot.neutral:
            selection.factor[part] = matching.passing(slot.shape).ravel()
    return selection
