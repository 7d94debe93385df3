"""Rules of primitives that choose between programs, or repeat one while a condition holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from everystep.explanation.reading import bits
from everystep.explanation.reading.bits import Words
from everystep.explanation.reading.facts import Facts
from everystep.explanation.reading.layouts import While
from everystep.explanation.reading.results import Rule, kind_of
from everystep.explanation.reading.transfer import key_of

if TYPE_CHECKING:
    from everystep.explanation.reading.interpreter import Context

MOST_TURNS = 1000
"""How many turns of a loop are followed one by one."""


def joined(one: Facts, other: Facts, chooser: Words) -> Facts:
    """Return what is known of an array that is one or the other, as something with these bits says.

    What is the same array, or the same constant in both, does not depend on which it is.
    """
    if one is other:
        return one
    same = one.known & other.known & np.equal(one.values, other.values)
    reads = bits.union([one.reads, other.reads, chooser], one.rank)
    low = one.far_below & other.far_below
    return Facts.of(one.shape, one.dtype, reads, same, one.values, low)


def branch(equation: Any, operands: list[Facts], context: Context) -> list[Facts]:
    """Rule: a known index takes one branch, another one reads all branches and itself."""
    index, *given = operands
    branches = equation.params["branches"]
    if index.wholly_known:
        chosen = min(max(int(index.value), 0), len(branches) - 1)
        return context.read(branches[chosen], given)
    chooser = bits.everything([index.reads])
    first, *rest = (context.read(each, given) for each in branches)
    for results in rest:
        first = [joined(one, other, chooser) for one, other in zip(first, results, strict=True)]
    return first


def repeat(equation: Any, operands: list[Facts], context: Context) -> list[Facts]:
    """Rule: turns are followed one by one while the condition is known; else all that may be."""
    loop = While.of(equation)
    asked, given, carried = loop.parts(operands)
    for _ in range(MOST_TURNS):
        [goes_on] = context.read(loop.condition, [*asked, *carried])
        if not goes_on.wholly_known:
            break
        if not goes_on.value.all():
            return carried
        carried = context.read(loop.body, [*given, *carried])
    else:
        context.loosen(f"while: more than {MOST_TURNS} turns")
    return _any_number_of_turns(loop, asked, given, carried, context)


def _any_number_of_turns(
    loop: While, asked: list[Facts], given: list[Facts], carried: list[Facts], context: Context
) -> list[Facts]:
    """Return what is known of what is carried after any number of turns, as data may decide."""
    body = loop.body.jaxpr
    still = [
        one is other for one, other in zip(body.invars[len(given) :], body.outvars, strict=True)
    ]
    while True:
        [goes_on] = context.read(loop.condition, [*asked, *carried])
        chooser = bits.everything([goes_on.reads])
        after = context.read(loop.body, [*given, *carried])
        wider = [
            before if stays else joined(before, once_more, chooser)
            for stays, before, once_more in zip(still, carried, after, strict=True)
        ]
        if _key(wider) == _key(carried):
            return carried
        carried = wider


def _key(facts: list[Facts]) -> tuple[Any, ...]:
    reads = tuple((each.reads.shape, each.reads.tobytes()) for each in facts)
    return (*key_of(facts), *reads)


def platform(equation: Any, operands: list[Facts], context: Context) -> list[Facts]:
    """Rule: which kind of device it will be is not known, and no data."""
    return [Facts.unread(*kind_of(each)) for each in equation.outvars]


RULES: dict[str, Rule] = {"cond": branch, "while": repeat, "platform_index": platform}
