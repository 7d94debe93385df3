"""From the weights of one program to those of another that make both the same function."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from everystep.explanation.relation.layout import Layout
from everystep.explanation.relation.selection import Rule, Selection
from everystep.explanation.relation.wording import lines_of


@dataclass(frozen=True)
class WeightMapping:
    """The weights of one program, made of those of another such that both are the same function.

    It is called with the value of each weight by path, and returns the others by path. Weights that
    are no real numbers, such as the state of random numbers, play no part.

    Args:
        source: the layout of the weights that it takes.
        target: the layout of the weights that it gives.
        rule: how their numbers are made.
        owner: whose the weights are that it takes.
        verified: on how many draws of weights both programs were compared.
        error: by how much they differed at most, in parts of the largest output.
    """

    source: Layout
    target: Layout
    rule: Rule
    owner: str
    verified: int
    error: float

    def __call__(self, weights: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Return the other program's weights by path, float64.

        Raises:
            DataError: the weights given are not those of the first program.
        """
        return self.target.arrays(self.rule.vectors(self.source.vector(weights)[None])[0])

    def inverse(self, owner: str) -> WeightMapping | None:
        """Return the way back, which the same draws have shown, if there is one.

        Args:
            owner: whose the weights are that it then takes.
        """
        back = self.rule.inverse() if isinstance(self.rule, Selection) else None
        if back is None:
            return None
        return replace(self, source=self.target, target=self.source, rule=back, owner=owner)

    @cached_property
    def lines(self) -> tuple[str, ...]:
        """Where each weight comes from, in words."""
        return lines_of(self.rule.selection, self.rule.free, self.owner)

    @property
    def exact(self) -> bool:
        """Whether each number is one of the others, or a constant: none is solved for."""
        return isinstance(self.rule, Selection)

    @property
    def alike(self) -> bool:
        """Whether the weights are the same numbers in the same order."""
        rule = self.rule
        return isinstance(rule, Selection) and bool(
            np.array_equal(rule.index, np.arange(self.source.size)) and (rule.factor == 1).all()
        )
