"""What rules have in common: the kinds of an equation's results, and the plainest answers."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import jax
import numpy as np

from everystep.explanation.reading import bits
from everystep.explanation.reading.facts import Facts

if TYPE_CHECKING:
    from everystep.explanation.reading.interpreter import Context

Rule = Callable[[Any, list[Facts], "Context"], list[Facts]]
"""Takes an equation, what is known of its operands, and the reading; gives that of its results."""


def kind_of(variable: Any) -> tuple[tuple[int, ...], Any]:
    """Return shape and dtype of a variable; what is no array counts as one bool."""
    kind = variable.aval
    return (kind.shape, kind.dtype) if isinstance(kind, jax.core.ShapedArray) else ((), np.bool_)


def reading_all(variables: Sequence[Any], words: bits.Words) -> list[Facts]:
    """Return what is known of variables of which every element reads the same bits."""
    return [
        Facts.of(shape, dtype, words.reshape((1,) * len(shape) + (-1,)))
        for shape, dtype in map(kind_of, variables)
    ]


def doubting(rule: Rule) -> Rule:
    """Return the rule, with results that may be extreme where any operand is far from ordinary."""

    @functools.wraps(rule)
    def doubted(equation: Any, operands: list[Facts], context: Context) -> list[Facts]:
        results = rule(equation, operands, context)
        if not any(operand.unusual.any() for operand in operands):
            return results
        return [each.doubted() for each in results]

    return doubted


@doubting
def reading_together(equation: Any, operands: list[Facts], context: Context) -> list[Facts]:
    """Rule: every element of every result reads all that the equation is given."""
    return reading_all(equation.outvars, bits.everything(operand.reads for operand in operands))
