"""Counting the shapes that JAX compiles for, to warn with the cause where they multiply."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import jax

from everystep.core.warning import warn_user

Shapes = tuple[tuple[int, ...], ...]


@dataclass(frozen=True)
class Cures:
    """What somebody can do about many shapes.

    Args:
        rows: where numbers of rows differ.
        steps: where numbers of steps differ.
        allow: where so many are meant.
    """

    rows: str
    steps: str
    allow: str


class ShapeCount:
    """Counts the shapes of inputs, for each of which JAX compiles, and warns when there are many.

    Args:
        most: how many shapes are as they should be, besides that of a smaller last batch.
        cures: what to do about more.
    """

    def __init__(self, most: int, cures: Cures) -> None:
        self._most, self._cures = most, cures
        self._seen: dict[str, set[Shapes]] = {}

    def note(self, who: str, inputs: Any) -> None:
        """Note the shapes of inputs; warn once, when there are too many.

        Args:
            who: what is run on them.
            inputs: a tree of arrays.
        """
        seen = self._seen.setdefault(who, set())
        if len(seen) > self._most + 1:
            return
        shapes = tuple(leaf.shape for leaf in jax.tree.leaves(inputs))
        known = len(seen)
        seen.add(shapes)
        if known < len(seen) == self._most + 2:
            warn_user(self._advice(who, seen))

    def _advice(self, who: str, seen: set[Shapes]) -> str:
        """Say which axis has many sizes, and what to do about it."""
        # Of several inputs, that whose shapes differ most.
        shapes = max(map(set, zip(*seen, strict=False)), key=len)
        axes = range(max(map(len, shapes)))
        sizes = [sorted({each[axis] for each in shapes if axis < len(each)}) for axis in axes]
        axis = max(axes, key=lambda axis: len(sizes[axis]))
        causes = (("numbers of rows", self._cures.rows), ("numbers of steps", self._cures.steps))
        others = (f"sizes of axis {axis}", "bring the inputs to few shapes")
        what, cure = causes[axis] if axis < len(causes) else others
        return (
            f"{who} has met batches of {len(seen)} shapes, and JAX compiles for each, which takes "
            f"seconds: they have {len(sizes[axis])} different {what}, from {sizes[axis][0]} to "
            f"{sizes[axis][-1]}. To avoid it, {cure}; if so many are meant, {self._cures.allow}"
        )
