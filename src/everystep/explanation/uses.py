"""Which output steps use which weight, and whether one value of it makes several of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jax.extend.core import ClosedJaxpr, Jaxpr, Literal

from everystep.explanation.maps import Grid, Source, read
from everystep.explanation.program import Program
from everystep.explanation.reading.layouts import Scan
from everystep.explanation.reading.rules.calls import PROGRAM
from everystep.explanation.sharing import Tie, ties_of

# An axis of a weight is looked at index by index up to this size. In a loop that takes longer, as
# what a step reads is joined to what all steps before it have read.
_MOST_INDICES = 4096
_MOST_IN_LOOPS = 64

# Primitives that give all that they are given, in another form.
_SAME = frozenset(
    {"broadcast_in_dim", "convert_element_type", "copy", "reshape", "squeeze", "transpose"}
)


@dataclass(frozen=True)
class WeightUse:
    """How the output steps use one weight.

    Args:
        path: where the weight stands.
        shape: its sizes.
        steps: for each output, bool (steps of the output,): which may use the weight.
        used_by: how many output steps one value of the weight makes, at most.
        tie: what has been seen of it, if anybody has looked, and could.
    """

    path: str
    shape: tuple[int, ...]
    steps: list[Any]
    used_by: int
    tie: Tie | None = None

    @property
    def shared(self) -> bool:
        """Whether one value of the weight makes several output steps."""
        return self.used_by > 1 if self.tie is None else self.tie.shared


def uses_of(program: Program, look: bool = False) -> list[WeightUse]:
    """Return how the output steps use each weight, by the program.

    A value of a weight makes no more steps than the row that it stands in, nor than the column: so
    each axis is looked at alone.

    Args:
        program: the program.
        look: whether to run the program too, and see which weights have a value that makes several
            steps. Where one makes all that the weight is used by, axes need not be looked at.
    """
    whole = _read_by(program, [None] * len(program.weights))
    ties = ties_of(program, [grid[:, 0] for grid in whole]) if look else [None] * len(whole)
    settled = {number for number, tie in enumerate(ties) if tie is not None and tie.whole}
    most = [int(grid.sum()) for grid in whole]
    for axes in _axes(program, settled):
        most = [
            min(few, int(grid.sum(0).max(initial=0)))
            for few, grid in zip(most, _read_by(program, axes), strict=True)
        ]
    ends = np.cumsum([port.steps for port in program.outputs])[:-1]
    return [
        WeightUse(weight.path, weight.value.shape, np.split(grid[:, 0], ends), count, tie)
        for weight, grid, count, tie in zip(program.weights, whole, most, ties, strict=True)
    ]


def _axes(program: Program, settled: set[int]) -> Iterator[list[int | None]]:
    """Give an axis of each weight to look at, in turn; None where it is settled, or too large."""
    looped = _looped(program)
    limits = [
        _MOST_IN_LOOPS if number in looped else _MOST_INDICES
        for number in range(len(program.weights))
    ]
    shapes = [
        () if number in settled else weight.value.shape
        for number, weight in enumerate(program.weights)
    ]
    for axis in range(max(map(len, shapes), default=0)):
        yield [
            axis if len(shape) > axis and shape[axis] <= limit else None
            for shape, limit in zip(shapes, limits, strict=True)
        ]


def _read_by(program: Program, axes: Sequence[int | None]) -> list[Grid]:
    """Return for each weight which step of all outputs reads which index of an axis of it."""
    sizes = [
        1 if axis is None else weight.value.shape[axis]
        for weight, axis in zip(program.weights, axes, strict=True)
    ]
    firsts = np.cumsum([0, *sizes]).tolist()
    sources = [Source(axis, first) for axis, first in zip(axes, firsts, strict=False)]
    reading = read(program.jaxpr, sources + [Source()] * len(program.inputs))
    along = [
        facts.reads_along(port.axis, firsts[-1])
        for port, facts in zip(program.outputs, reading.outputs, strict=True)
    ]
    return np.split(np.concatenate(along), firsts[1:-1], axis=1) if sizes else []


def _looped(program: Program) -> set[int]:
    """Return the numbers of the weights that a loop takes as they are, the same at every step."""
    found: set[int] = set()
    jaxpr = program.jaxpr.jaxpr
    _follow(jaxpr, list(range(len(program.weights))), found)
    return found


def _follow(jaxpr: Jaxpr, given: Sequence[int | None], found: set[int]) -> None:
    """Follow weights through a program: `given` is the number of each argument that is one."""
    numbers = {
        variable: number
        for variable, number in zip(jaxpr.invars, given, strict=False)
        if number is not None
    }
    for equation in jaxpr.eqns:
        operands = [
            None if isinstance(each, Literal) else numbers.get(each) for each in equation.invars
        ]
        name = equation.primitive.name
        if name == "scan":
            constants = Scan.of(equation).parts(operands)[0]
            found.update(number for number in constants if number is not None)
        elif name in PROGRAM:
            inside = equation.params[PROGRAM[name]]
            program = inside.jaxpr if isinstance(inside, ClosedJaxpr) else inside
            _follow(program, operands, found)
        elif name in _SAME and operands[0] is not None:
            numbers[equation.outvars[0]] = operands[0]
