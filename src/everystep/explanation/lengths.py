"""Which numbers of steps a subject takes, and how far its steps read where there are many."""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import cache, partial
from typing import Any

import jax.export
import numpy as np

from everystep.errors import EverystepError
from everystep.explanation.maps import Grid, reach, upper_bound
from everystep.explanation.subjects import Subject
from everystep.explanation.subjects.subject import shapes_of

MANY_STEPS = 64
"""How many steps there are, at least, where it is seen whether more steps mean a longer reach."""

Reach = tuple[int | None, int | None]
"""How many steps before and behind its place an output step reads at most; None: no bound."""


@dataclass(frozen=True)
class Lengths:
    """Whether a subject takes any number of steps; why not, or how far that was tried, or ""."""

    any_length: bool
    reason: str


def lengths_of(subject: Subject, steps: int) -> Lengths:
    """Find out whether a subject takes any number of steps.

    It is run on shapes with names for the numbers of steps. Where JAX cannot decide something
    without a number, as of a function that takes at least three, other numbers are tried.

    Args:
        subject: the subject, with weights.
        steps: the number of steps of inputs that say none.
    """
    if all(example.axis is None for example in subject.inputs.examples):
        return Lengths(False, "no input has a time axis")
    named = _failure(subject.resized(_names(), steps))
    # A layer for a fixed number of steps may take a name for that number.
    others = [partial(operator.add, 1)]
    if named is not None:
        times = _many_times(steps)
        others += [partial(operator.add, 2)]
        others += [partial(operator.mul, times), partial(operator.mul, 2 * times)]
    for other in others:
        failure = _failure(subject.resized(other, steps))
        if failure is not None:
            cause = named if isinstance(named, EverystepError) else failure
            return Lengths(False, str(cause).strip().split("\n")[0])
    if named is None:
        return Lengths(True, "")
    tried = ", ".join(str(other(steps)) for other in others)
    return Lengths(True, f"as far as was tried, with {tried} steps: JAX could not say it of all")


def _many_times(steps: int) -> int:
    """Return how many times as many steps show whether more steps mean a longer reach."""
    return max(2, -(-MANY_STEPS // steps))


def _names() -> Callable[[int], Any]:
    """Return a function that gives a name for a number of steps, the same one for the same."""
    scope = jax.export.SymbolicScope()

    @cache
    def name_of(steps: int) -> Any:
        (name,) = jax.export.symbolic_shape(f"steps_{steps}", scope=scope)
        return name

    return name_of


def _failure(subject: Subject) -> Exception | None:
    """Return why a subject does not take inputs of its sizes, or None if it does."""
    examples = subject.examples_for(None)
    found = shapes_of(subject.function(examples), subject.specs_of(examples))
    return found if isinstance(found, Exception) else None


def reaches(subject: Subject, steps: int, maps: list[Grid]) -> list[Reach]:
    """Return how far the output steps of each map read, however many steps there are.

    A reach that covers all the steps that there are when they are many, or that goes on growing,
    has no bound. Where there are many steps already, they are compared with half of them.

    Args:
        subject: the subject, which takes any number of steps.
        steps: the number of steps of inputs that say none.
        maps: its maps for that number.
    """
    many = _many_times(steps)
    times = [Fraction(each) for each in ((0.5, 1) if steps > MANY_STEPS else (1, many, 2 * many))]

    @cache
    def maps_at(which: int) -> list[Grid]:
        if times[which] == 1:
            return maps
        other = subject.resized(lambda size: int(size * times[which]), steps)
        return [each for row in upper_bound(other.program(None)).maps for each in row]

    def bound(number: int, side: int) -> int | None:
        few, more = (reach(maps_at(which)[number])[side] for which in (0, 1))
        if few == more:
            return few
        most = reach(np.ones_like(maps_at(1)[number]))[side]
        if len(times) < 3 or more == most or more != reach(maps_at(2)[number])[side]:
            return None
        return more

    return [(bound(number, 0), bound(number, 1)) for number in range(len(maps))]
