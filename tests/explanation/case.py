"""What a case of the table says: something to explain, what goes in, and the map that is true."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from everystep.explanation.explaining import explain
from everystep.explanation.program import Program
from everystep.sequences import Steps

STEPS, FEATURES, VOCABULARY = 6, 3, 11
SHAPE = (1, STEPS, FEATURES)

Grid = npt.NDArray[np.bool_]

OUT, IN = np.ogrid[:STEPS, :STEPS]
OWN: Grid = OUT == IN
BEFORE: Grid = IN <= OUT
AFTER: Grid = IN >= OUT
ALL: Grid = np.ones((STEPS, STEPS), bool)
NONE: Grid = np.zeros((STEPS, STEPS), bool)
FIRST: Grid = np.broadcast_to(IN == 0, (STEPS, STEPS))
ONE: Grid = np.ones((1, STEPS), bool)
"""The map of a single output that reads every step."""


def band(before: int, after: int) -> Grid:
    """Each step reads its own, so many steps before it, and so many behind it."""
    return np.asarray((OUT - before <= IN) & (OUT + after >= IN))


def windows(outputs: int, stride: int, width: int, dilation: int = 1) -> Grid:
    """Output step t reads `width` steps from step `stride * t` on, each `dilation` further."""
    place = np.arange(STEPS) - stride * np.arange(outputs)[:, None]
    return np.asarray((place >= 0) & (place < width * dilation) & (place % dilation == 0))


def taking(*steps: int) -> Grid:
    """Each output step reads the one input step that is named at its place; -1 names none."""
    return np.asarray(np.arange(STEPS) == np.array(steps)[:, None])


def drawn(picture: str) -> Grid:
    """The map that is drawn: a word for each output step, an x for each step that it reads."""
    return np.array([[mark == "x" for mark in row] for row in picture.split()])


@dataclass(frozen=True)
class Looser:
    """What the upper bound says where it cannot say the truth, and why it cannot."""

    maps: Grid
    why: str


@dataclass(frozen=True)
class Case:
    """One thing to explain, with its true map found by thought.

    Args:
        name: what it is.
        make: gives the layer, model or function, new.
        maps: which output step reads which input step; for several inputs or outputs a list for
            each output of the maps of each input.
        shapes: the shape of each input, the batch axis first; axis 1 is time.
        ids: whether the inputs hold ids of a vocabulary.
        looser: the upper bound, where it is not the truth.
        output_axis: which axis of the outputs is time, None where they have none.
        segments: the segments of the input, which are part of the program.
    """

    name: str
    make: Callable[[], Any]
    maps: Grid | list[list[Grid]]
    shapes: tuple[tuple[int, ...], ...] = (SHAPE,)
    ids: bool = False
    looser: Looser | None = None
    output_axis: int | None = 1
    segments: tuple[int, ...] | None = None

    @property
    def expected(self) -> list[list[Grid]]:
        """The true maps."""
        return self.maps if isinstance(self.maps, list) else [[self.maps]]

    @property
    def upper(self) -> list[list[Grid]]:
        """The maps that the upper bound gives."""
        return [[self.looser.maps]] if self.looser else self.expected

    def program(self) -> Program:
        """The case as a traced program."""
        examples = [self._example(shape) for shape in self.shapes]
        return explain(self.make(), *examples, output_axis=self.output_axis).program

    def _example(self, shape: tuple[int, ...]) -> Any:
        if self.ids:
            return np.full(shape, VOCABULARY - 1, np.int32)
        values = np.zeros(shape, np.float32)
        return values if self.segments is None else Steps.of(values, [self.segments])


def of_function(name: str, function: Any, *rest: Any, **options: Any) -> Case:
    """A case of a function, which needs no making."""
    return Case(name, lambda: function, *rest, **options)
