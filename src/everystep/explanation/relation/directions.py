"""Proof by directions: at a function that both families have, one can go where the other cannot.

Two recurrent layers, for one, may be the same function as long as no unit reads another. Around
such a function each family is a smooth surface, if the derivatives by its weights have the rank
that they have elsewhere; where a direction of the first is none of the second, the first leaves it.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np

from everystep.explanation.relation import draws, matching, solving
from everystep.explanation.relation.excluding import (
    MOST_WEIGHTS,
    CounterExample,
    ranks,
    usual_weights,
)
from everystep.explanation.relation.layout import Layout
from everystep.explanation.relation.question import EXACT, Question, difference
from everystep.explanation.relation.selection import Selection

_CLEAR = 1e-4
"""How much of a direction must remain outside, in parts of it."""

_SETTINGS = 3
"""At how many functions that both have the directions must agree."""


def by_directions(question: Question) -> CounterExample | None:
    """Show that the first family leaves the second at functions that both have."""
    first, second = question.first, question.second
    if not first.size or max(first.size, second.size) > MOST_WEIGHTS:
        return None
    if first.smooth.branches or second.smooth.branches:
        return None
    vectors = draws.weights(first.layout, _SETTINGS, seed=12, plain=True)
    selections = list(itertools.islice(matching.matches(first.layout, second.layout), 4))
    for selection, special in itertools.product(selections, _specials(first.layout)):
        given = vectors * special
        made = selection.vectors(given)
        pair = first.values(given, question.inputs), second.values(made, question.inputs)
        if difference(*pair) > EXACT or np.ptp(pair[0], axis=1).max() == 0:
            continue
        if found := _leaving(question, given, selection):
            return found
    return None


def _specials(layout: Layout) -> Iterator[np.ndarray]:
    """Yield which weights are kept, as 1, and which become zero, as 0."""
    square = [s for s in layout.slots if len(s.shape) == 2 and 1 < s.shape[0] <= s.shape[1]]
    square = [slot for slot in square if slot.shape[1] % slot.shape[0] == 0]
    for slots in dict.fromkeys([tuple(square), *((slot,) for slot in square)]):
        kept = np.ones(layout.size)
        for slot in slots:
            rows, columns = slot.shape
            kept[slot.start : slot.stop] = np.tile(np.eye(rows), (1, columns // rows)).ravel()
        yield kept
    for slot in layout.slots:
        kept = np.ones(layout.size)
        kept[slot.start : slot.stop] = float(slot.positive)
        yield kept


def _leaving(question: Question, given: np.ndarray, selection: Selection) -> CounterExample | None:
    """Compare the directions of both families at functions that both have."""
    first, second = question.first, question.second
    outputs = question.wanted.shape[-1]
    inputs = solving.inputs_for(first, second.size, outputs, seed=14, plain=True)
    slopes = second.linearized(selection.vectors(given), inputs)[1]
    usual, most = ranks(second.linearized(usual_weights(second, seed=13), inputs)[1])
    if usual != most or any(ranks(one[None]) != (usual, usual) for one in slopes):
        return None
    own = first.linearized(given, inputs)[1]
    if not np.isfinite(own).all():
        return None
    counts, parts = zip(*map(_outside, own, slopes), strict=True)
    if min(counts) == 0:
        return None
    return CounterExample(
        "directions",
        f"at functions that both have, {min(counts)} directions in which the weights of "
        f"{first.name} change its function are none of the {usual} of "
        f"{second.name} ({min(parts):.2g} of them remains outside)",
        first.layout.arrays(given[0]),
        tuple(inputs),
    )


def _outside(own: np.ndarray, others: np.ndarray) -> tuple[int, float]:
    """Return how many directions leave the space of others, and how much of them does."""
    mine, theirs = (part.reshape(-1, part.shape[-1]) for part in (own, others))
    left, sizes, _ = np.linalg.svd(theirs, full_matrices=False)
    space = left[:, sizes > 1e-10 * sizes[0]]
    rest = np.linalg.norm(mine - space @ (space.T @ mine), axis=0)
    part = rest / np.maximum(np.linalg.norm(mine, axis=0), 1e-300)
    leaving = part[part > _CLEAR]
    return len(leaving), float(leaving.max(initial=0.0))
