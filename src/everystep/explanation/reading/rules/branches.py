"""The rule of a choice between programs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from everystep.explanation.reading import bits
from everystep.explanation.reading.bits import Words
from everystep.explanation.reading.facts import Facts
from everystep.explanation.reading.results import Rule, kind_of

if TYPE_CHECKING:
    from everystep.explanation.reading.interpreter import Context


def joined(one: Facts, other: Facts, chooser: Words) -> Facts:
    """Return what is known of an array that is one or the other, as something with these bits says.

    What is the same array, or the same constant in both, does not depend on which it is.
    """
    if one is other:
        return one
    same = one.known & other.known & np.equal(one.values, other.values)
    reads = bits.union([one.reads, other.reads, chooser], one.rank)
    low, extreme = one.below & other.below, one.unusual | other.unusual
    shifted = one.shifted | other.shifted
    return Facts.of(one.shape, one.dtype, reads, same, one.values, low, extreme, shifted)


def all_joined(ones: list[Facts], others: list[Facts], chooser: Words) -> list[Facts]:
    """Return the same of several arrays, which are all these or all those."""
    return [joined(one, other, chooser) for one, other in zip(ones, others, strict=True)]


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
        first = all_joined(first, results, chooser)
    return first


def platform(equation: Any, operands: list[Facts], context: Context) -> list[Facts]:
    """Rule: which kind of device it will be is not known, and no data."""
    return [Facts.unread(*kind_of(each)) for each in equation.outvars]


RULES: dict[str, Rule] = {"cond": branch, "platform_index": platform}
