"""Whether the functions of one family are among those of another, with what shows it."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from everystep.explanation.relation import containing, excluding, solving
from everystep.explanation.relation.directions import by_directions
from everystep.explanation.relation.excluding import CounterExample
from everystep.explanation.relation.family import Family
from everystep.explanation.relation.mapping import WeightMapping
from everystep.explanation.relation.question import Doubt, Question
from everystep.explanation.relation.selection import unfilled

Finding = WeightMapping | CounterExample | Doubt | None


class Inclusion(NamedTuple):
    """Whether one program's functions are among another's.

    Args:
        holds: True, False, or None where neither could be shown.
        evidence: the weight mapping, the counter-example, or None.
        words: why, in words.
    """

    holds: bool | None
    evidence: WeightMapping | CounterExample | None
    words: str


def inclusion(first: Family, second: Family) -> Inclusion:
    """Find out whether the functions of one family are among those of another.

    What is likely and cheap comes first; the first that settles it is taken.
    """
    question = Question(first, second)
    for search in _SEARCHES:
        finding = search(question)
        if isinstance(finding, WeightMapping):
            return Inclusion(True, finding, _shown(question, finding))
        if isinstance(finding, CounterExample):
            return Inclusion(False, finding, finding.words)
        if isinstance(finding, Doubt):
            return Inclusion(None, None, f"they agree on all draws, but {finding.words}")
    words = f"whether {first.name} is always a function of {second.name} could not be shown"
    return Inclusion(None, None, words)


def reverse(shown: Inclusion, first: Family, second: Family) -> Inclusion:
    """Return the inclusion the other way round, which a mapping that can be undone shows too."""
    mapping = shown.evidence
    if isinstance(mapping, WeightMapping) and (back := mapping.inverse(second.name)):
        return Inclusion(True, back, _shown(Question(second, first), back))
    return inclusion(second, first)


def _shown(question: Question, mapping: WeightMapping) -> str:
    """Say under which weights the first is the second."""
    verified = f"(verified on {mapping.verified} draws)"
    if not question.second.size:
        return f"they agree {verified}"
    names = f"{question.first.name} is {question.second.name}"
    if mapping.alike:
        return f"{names} with the same weights {verified}"
    return f"{names} where {', '.join(mapping.lines)} {verified}"


def linear(question: Question) -> Finding:
    """Settle it by least squares, where the second is affine in all of its weights.

    What remains at a random function of the first is then a proof: no weights come nearer.
    """
    second = question.second
    if second.size > solving.LARGEST or second.layout.positive.any():
        return None
    free = np.ones(second.size, bool)
    origin = np.zeros(second.size)
    if not solving.is_affine(second.values, origin, free, question.inputs):
        return None
    empty = unfilled(question.first.layout, second.layout)
    if found := containing.solved(question, empty, free):
        return found
    if not _is_affine_everywhere(question):
        return None
    inputs = solving.inputs_for(second, second.size, question.wanted.shape[-1], seed=14)
    wanted = question.first.values(question.vectors[:1], inputs)
    residual = float(solving.solve(second, origin, free, inputs, wanted).residuals[0])
    if residual < 1e-6:
        return None
    return CounterExample(
        "least squares",
        _not_reached(question, residual, len(inputs[0])),
        question.first.layout.arrays(question.vectors[0]),
        tuple(inputs),
        residual,
    )


def _is_affine_everywhere(question: Question) -> bool:
    """Whether the second, affine on samples, is so behind each of its branches too."""
    second = question.second
    if not second.smooth.branches:
        return True
    free = np.ones(second.size, bool)
    origin = np.zeros(second.size)
    return not second.smooth.abrupt and solving.is_affine(
        second.smooth_values, origin, free, question.inputs
    )


def _not_reached(question: Question, residual: float, count: int) -> str:
    first, second = question.first.name, question.second.name
    if not question.second.size:
        return f"{first} differs from {second} by {residual:.2g} of its outputs over {count} inputs"
    return (
        f"no weights of {second} give {first} at a random setting: {residual:.2g} of its outputs "
        f"remains (least squares over {count} inputs)"
    )


_SEARCHES: tuple[Callable[[Question], Finding], ...] = (
    containing.selected,
    linear,
    containing.reordered,
    excluding.by_range,
    containing.partly_solved,
    excluding.by_steps,
    excluding.by_span,
    excluding.by_dimension,
    by_directions,
    excluding.by_bottleneck,
)
