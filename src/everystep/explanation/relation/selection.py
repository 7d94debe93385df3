"""Rules that make the weights of one program out of those of another, number by number."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from everystep.explanation.relation.layout import Layout

CONSTANT = -1
"""The source of a number that is taken from no weight."""


@dataclass(frozen=True)
class Selection:
    """A rule: each number of the target is a number of the source times a factor, or a constant.

    Args:
        source: the layout of the weights that are given.
        target: the layout of the weights that are made.
        index: which number of the source each number is, `CONSTANT` for none.
        factor: what it is multiplied by, or the constant.
    """

    source: Layout
    target: Layout
    index: np.ndarray
    factor: np.ndarray

    @property
    def selection(self) -> Selection:
        """The numbers that are selected: all."""
        return self

    @property
    def free(self) -> np.ndarray:
        """Which numbers are solved for instead, bool: none."""
        return np.zeros(self.target.size, bool)

    def inverse(self) -> Selection | None:
        """Return the way back, where each number of the source is taken just once."""
        if not np.array_equal(np.sort(self.index), np.arange(self.source.size)):
            return None
        if not np.array_equal(self.target.positive, self.source.positive[self.index]):
            return None
        factor = np.empty(self.source.size)
        factor[self.index] = 1 / self.factor
        return Selection(self.target, self.source, np.argsort(self.index), factor)

    def vectors(self, given: np.ndarray) -> np.ndarray:
        """Return the target's numbers for many settings of the source's, (settings, numbers)."""
        if not self.source.size:
            return np.repeat(self.factor[None], len(given), axis=0)
        taken = given[:, np.maximum(self.index, 0)]
        return np.where(self.index == CONSTANT, self.factor, self.factor * taken)


@dataclass(frozen=True)
class Solved:
    """A rule: some numbers of the target are selected, the others solve a least-squares problem.

    Args:
        selection: the numbers that are selected; the others are any.
        free: which numbers are solved for, bool.
        solve: takes the source's and the target's settings, and returns the target's with the free
            numbers solved for.
    """

    selection: Selection
    free: np.ndarray
    solve: Callable[[np.ndarray, np.ndarray], np.ndarray]

    def vectors(self, given: np.ndarray) -> np.ndarray:
        """Return the target's numbers for many settings of the source's, (settings, numbers)."""
        return self.solve(given, self.selection.vectors(given))


Rule = Selection | Solved
"""How the numbers of the target are made of those of the source."""


def unfilled(source: Layout, target: Layout) -> Selection:
    """Return a selection of constants that change nothing, to be filled."""
    return Selection(source, target, np.full(target.size, CONSTANT), target.neutral.copy())


FACTORS = (1.0, -1.0, 2.0, 0.5, -2.0, -0.5)
"""What a number of a fit is taken to be multiplied by."""

CONSTANTS = (0.0, 1.0, -1.0, 0.5, 2.0)
"""What a number of a fit is taken to be, where it is none of the source's."""


def read_off(
    source: Layout, target: Layout, given: np.ndarray, found: np.ndarray, tolerance: float
) -> Selection | None:
    """Return the selection that one setting of both shows, None where it shows none.

    At random weights all numbers differ, so that each number found is one of those given, up to a
    factor, for every setting; or it is a constant.
    """
    index = np.full(target.size, CONSTANT)
    factor = np.full(target.size, np.nan)
    for constant in CONSTANTS:
        near = np.isnan(factor) & (np.abs(found - constant) <= tolerance)
        factor[near] = constant
    if source.size:
        order = np.argsort(given)
        for times in FACTORS:
            sought = found / times
            place = np.clip(np.searchsorted(given[order], sought), 1, max(1, source.size - 1))
            for candidate in (order[place - 1], order[np.minimum(place, source.size - 1)]):
                near = np.isnan(factor) & (np.abs(given[candidate] - sought) <= tolerance)
                index[near], factor[near] = candidate[near], times
    if np.isnan(factor).any():
        return None
    return Selection(source, target, index, factor)
