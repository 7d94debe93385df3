"""One question: whether one family's functions are among another's, and draws to ask it on."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable
from functools import cached_property
from typing import NamedTuple

import numpy as np

from everystep.explanation.relation import draws
from everystep.explanation.relation.draws import Inputs
from everystep.explanation.relation.family import INPUTS_AT_ONCE, WEIGHTS_AT_ONCE, Family
from everystep.explanation.relation.identity import same_program
from everystep.explanation.relation.layout import is_number
from everystep.explanation.relation.mapping import WeightMapping
from everystep.explanation.relation.selection import Rule, Selection

EXACT = 1e-9
"""By how much outputs may differ, in parts of the largest, where weights are taken as they are."""

SOLVED = 1e-7
"""The same where weights solve a least-squares problem."""


class Doubt(NamedTuple):
    """Two programs agree on all draws, but that is no proof.

    Args:
        words: what may hide a difference.
    """

    words: str


Evaluate = Callable[[np.ndarray, Inputs], np.ndarray]


class Question:
    """Whether the functions of `first` are among those of `second`.

    Args:
        first: a family.
        second: another, on the same inputs, with outputs of the same shapes.
    """

    def __init__(self, first: Family, second: Family) -> None:
        self.first = first
        self.second = second

    @cached_property
    def vectors(self) -> np.ndarray:
        """Settings of the first family's weights to look for a mapping on; the first is plain."""
        return draws.weights(self.first.layout, WEIGHTS_AT_ONCE, seed=1)

    @cached_property
    def inputs(self) -> Inputs:
        """Inputs to look for a mapping on."""
        return draws.inputs(self.first.program.inputs, INPUTS_AT_ONCE, seed=2)

    @cached_property
    def wanted(self) -> np.ndarray:
        """What the second family should give for them."""
        return self.first.values(self.vectors, self.inputs)

    def suits(self, rule: Rule) -> bool:
        """Whether a rule makes both agree on the draws above."""
        found = self.second.values(rule.vectors(self.vectors), self.inputs)
        return difference(self.wanted, found) <= _tolerance(rule)

    def suiting(self, rules: Iterable[Selection]) -> Selection | None:
        """Return the first of many selections that makes both agree on the draws above.

        One draw sorts out most of them, many at once.
        """
        rest = iter(rules)
        while some := list(itertools.islice(rest, WEIGHTS_AT_ONCE)):
            vectors = np.concatenate([rule.vectors(self.vectors[:1]) for rule in some])
            found = self.second.values(vectors, self.inputs)
            for rule, values in zip(some, found, strict=True):
                if difference(self.wanted[:1], values[None]) <= EXACT and self.suits(rule):
                    return rule
        return None

    def verdict(self, rule: Rule) -> WeightMapping | Doubt | None:
        """Check a rule on fresh weights and inputs, and where both branch on smooth twins.

        Returns:
            The mapping; a doubt where both agree on all draws but may still differ between them;
            None where they differ.
        """
        vectors = draws.weights(self.first.layout, WEIGHTS_AT_ONCE, seed=3)
        made = rule.vectors(vectors)
        if (made[:, self.second.layout.positive] <= 0).any():
            return None
        errors = []
        for seed in (4, 5):
            inputs = draws.inputs(self.first.program.inputs, INPUTS_AT_ONCE, seed)
            pair = self.first.values(vectors, inputs), self.second.values(made, inputs)
            errors.append(difference(*pair))
        if max(errors) > _tolerance(rule):
            return None
        if words := self._doubt(vectors, made, inputs, _tolerance(rule)):
            return Doubt(words)
        return WeightMapping(
            self.first.layout,
            self.second.layout,
            rule,
            self.first.name,
            len(vectors),
            max(errors),
        )

    def _doubt(
        self, vectors: np.ndarray, made: np.ndarray, inputs: Inputs, tolerance: float
    ) -> str:
        """Say what may hide a difference of two families that agree on draws; "" if nothing."""
        both = self.first, self.second
        if not any(family.smooth.branches for family in both):
            return ""
        if _is_one(self.first, self.second) and (vectors == made).all():
            return ""
        for family in both:
            if family.smooth.abrupt:
                return f"'{family.smooth.abrupt}' in {family.name} may jump between them"
        pair = self.first.smooth_values(vectors, inputs), self.second.smooth_values(made, inputs)
        finite = all(np.isfinite(values).all() for values in pair)
        if finite and difference(*pair) <= tolerance:
            return ""
        return "their branches are not the same, so that a rare region may tell them apart"


def difference(wanted: np.ndarray, found: np.ndarray) -> float:
    """Return the largest difference of outputs, in parts of the largest of that number's values.

    Args:
        wanted: outputs, (weights, inputs, numbers).
        found: others.
    """
    alike = (wanted == found) | (np.isnan(wanted) & np.isnan(found))
    with np.errstate(invalid="ignore"):
        apart = np.where(alike, 0.0, np.abs(wanted - found))
    apart = np.where(np.isnan(apart), np.inf, apart)
    sizes = np.where(np.isfinite(wanted), np.abs(wanted), 0.0).max(axis=1, keepdims=True)
    # What is hardly there, or is not where all weights are zero, is measured by the whole.
    largest = sizes.max(axis=2, keepdims=True, initial=0.0)
    floor = 1e-6 * (largest + largest.max(initial=0.0)) + 1e-300
    return float((apart / (sizes + floor)).max(initial=0.0))


def _is_one(first: Family, second: Family) -> bool:
    """Whether two families are of one program, with the same weights that are no real numbers."""
    if first.layout.shapes != second.layout.shapes:
        return False
    others = [
        [np.asarray(w.value) for w in family.program.weights if not is_number(w)]
        for family in (first, second)
    ]
    alike = all(map(np.array_equal, *others)) and len(others[0]) == len(others[1])
    return alike and same_program(first.program.jaxpr, second.program.jaxpr)


def _tolerance(rule: Rule) -> float:
    return EXACT if isinstance(rule, Selection) else SOLVED
