"""Maps: which steps of an output read which steps of an input, and what follows from that."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
import numpy.typing as npt
from jax.extend.core import ClosedJaxpr

from everystep.explanation.program import Port, Program
from everystep.explanation.reading import Facts, Reading, reads_of

Grid = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Source:
    """What an argument of a program is read by.

    Args:
        axis: which of its axes is time; None where the whole counts as one step.
        first: the bit of its first step; None where nobody asks who reads it.
    """

    axis: int | None = None
    first: int | None = None


@dataclass(frozen=True)
class UpperBound:
    """What reading a program says.

    Args:
        maps: for each output, the map of each input: bool (steps of the output, of the input).
        unknown: the primitives that were not understood.
        assumptions: what the maps rest on besides the program.
    """

    maps: list[list[Grid]]
    unknown: list[str]
    assumptions: list[str]


def upper_bound(program: Program) -> UpperBound:
    """Read a program: what a map says False of, the output step cannot depend on.

    Args:
        program: the program.
    """
    firsts = np.cumsum([0, *(port.steps for port in program.inputs)]).tolist()
    sources = [Source()] * len(program.weights)
    sources += [
        Source(port.axis, first) for port, first in zip(program.inputs, firsts, strict=False)
    ]
    reading = read(program.jaxpr, sources)
    maps = []
    for port, facts in zip(program.outputs, reading.outputs, strict=True):
        along = facts.reads_along(port.axis, firsts[-1])
        maps.append(np.split(along, firsts[1:-1], axis=1))
    return UpperBound(maps, reading.unknown, reading.assumptions)


def read(jaxpr: ClosedJaxpr, sources: Sequence[Source]) -> Reading:
    """Read a jaxpr whose arguments have bits at their steps."""
    arguments = [
        Facts.unread(kind.shape, kind.dtype)
        if source.first is None
        else Facts.with_bits(kind.shape, kind.dtype, source.axis, source.first)
        for kind, source in zip(jaxpr.in_avals, sources, strict=True)
    ]
    return reads_of(jaxpr, arguments)


def places(steps_out: int, steps_in: int) -> npt.NDArray[np.int64]:
    """Return the input step at whose place each output step stands.

    Fewer output steps are aligned at the end, so that the last one stands at the last step; more
    are spread over the input.

    >>> places(3, 3).tolist(), places(2, 4).tolist(), places(4, 2).tolist(), places(1, 4).tolist()
    ([0, 1, 2], [1, 3], [0, 0, 1, 1], [3])
    """
    steps = np.arange(steps_out)
    if steps_out <= steps_in:
        return steps_in - 1 - (steps_out - 1 - steps) * (steps_in // max(1, steps_out))
    return steps * steps_in // steps_out


def reach(depends: Grid) -> tuple[int, int]:
    """Return how many steps before and behind its place an output step reads at most.

    >>> reach(np.tri(4, dtype=bool)), reach(np.eye(3, dtype=bool)), reach(np.ones((1, 4), bool))
    ((3, 0), (0, 0), (3, 0))
    """
    out, inn = np.nonzero(depends)
    distance = places(*depends.shape)[out] - inn
    return int(max(distance.max(initial=0), 0)), int(max(-distance.min(initial=0), 0))


@dataclass(frozen=True)
class StepMap:
    """Which steps of one output read which steps of one input.

    Shapes: depends and witnessed: bool (steps of the output, steps of the input).

    Args:
        output: the output's name.
        input: the input's name.
        depends: upper bound: False where the program shows that the step cannot be read.
        witnessed: lower bound: True where changing the step has been seen to change the output.
        lookback: how many steps before its place an output step reads at most; None: the more
            steps there are, the more.
        lookahead: the same behind its place.
    """

    output: str
    input: str
    depends: Grid
    witnessed: Grid
    lookback: int | None
    lookahead: int | None

    @property
    def exact(self) -> bool:
        """Whether the two bounds agree everywhere."""
        return bool(np.array_equal(self.depends, self.witnessed))

    @property
    def stepwise(self) -> bool:
        """Whether each output step reads the input step of its own place alone."""
        return is_stepwise(self.depends)

    @property
    def causal(self) -> bool:
        """Whether no output step reads an input step behind its place."""
        return is_causal(self.depends)


def is_stepwise(depends: Grid) -> bool:
    """Whether each output step reads the input step of its own place alone, by the upper bound."""
    steps_out, steps_in = depends.shape
    return steps_out == steps_in and not (depends & ~np.eye(steps_out, dtype=bool)).any()


def is_causal(depends: Grid) -> bool:
    """Whether no output step reads an input step behind its place, by the upper bound."""
    return reach(depends)[1] == 0


def pairs_of(outputs: Sequence[Port], inputs: Sequence[Port]) -> list[tuple[Any, Any]]:
    """Return each output with each input, outputs outermost."""
    return list(product(outputs, inputs))
