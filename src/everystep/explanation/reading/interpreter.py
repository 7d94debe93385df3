"""The interpreter: runs a traced program on what is known of its arrays instead of on numbers."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from jax.extend.core import ClosedJaxpr, Jaxpr, Literal
from jax.ref import AbstractRef

from everystep.explanation.reading import bits
from everystep.explanation.reading.facts import Facts
from everystep.explanation.reading.results import reading_all, reading_together
from everystep.explanation.reading.rules import RULES


@dataclass(frozen=True)
class Reading:
    """What reading a program gave.

    Args:
        outputs: what is known of each output.
        unknown: the primitives that were not understood; what they make reads all they were given.
            And where the answer may be wider than need be, for want of time or memory.
        assumptions: what the answer rests on besides the program, in words.
    """

    outputs: list[Facts]
    unknown: list[str]
    assumptions: list[str]


@dataclass
class Context:
    """One reading: what it met on its way, and the way into programs inside the program."""

    unknown: dict[str, None] = field(default_factory=dict)
    assumptions: dict[str, None] = field(default_factory=dict)
    _ends: dict[Jaxpr, list[list[Any]]] = field(default_factory=dict)

    def assume(self, words: str) -> None:
        """Note what the answer rests on."""
        self.assumptions[words] = None

    def loosen(self, words: str) -> None:
        """Note where the answer may be wider than the program, for want of time or memory."""
        self.unknown[words] = None

    def read(self, program: ClosedJaxpr | Jaxpr, arguments: Sequence[Facts]) -> list[Facts]:
        """Return what is known of each output of a program.

        Args:
            program: a jaxpr, closed or without constants.
            arguments: what is known of what it takes.
        """
        if isinstance(program, ClosedJaxpr):
            jaxpr, consts = program.jaxpr, [Facts.known_array(each) for each in program.consts]
        else:
            jaxpr, consts = program, []
        if any(map(_is_reference, _variables(jaxpr))):
            self.loosen("arrays that are written to in place")
            return reading_all(jaxpr.outvars, bits.everything(each.reads for each in arguments))
        known = dict(zip(jaxpr.constvars, consts, strict=True))
        known.update(zip(jaxpr.invars, arguments, strict=True))

        def look_up(variable: Any) -> Facts:
            literal = isinstance(variable, Literal)
            return Facts.known_array(variable.val) if literal else known[variable]

        for equation, done in zip(jaxpr.eqns, self._ends_of(jaxpr), strict=True):
            results = self._follow(equation, [look_up(each) for each in equation.invars])
            known.update(zip(equation.outvars, results, strict=True))
            for variable in done:
                del known[variable]
        return [look_up(each) for each in jaxpr.outvars]

    def _ends_of(self, jaxpr: Jaxpr) -> list[list[Any]]:
        """Return the variables that nothing reads behind each equation, so as not to keep them."""
        if jaxpr not in self._ends:
            met = {each for each in jaxpr.outvars if not isinstance(each, Literal)}
            ends = []
            for equation in reversed(jaxpr.eqns):
                named = {each for each in equation.invars if not isinstance(each, Literal)}
                named.update(equation.outvars)
                ends.append([each for each in named if each not in met])
                met |= named
            self._ends[jaxpr] = ends[::-1]
        return self._ends[jaxpr]

    def _follow(self, equation: Any, operands: list[Facts]) -> list[Facts]:
        """Return what is known of the results of one equation."""
        rule = RULES.get(equation.primitive.name, _safe)
        try:
            return rule(equation, operands, self)
        except bits.TooManyWordsError:
            self.loosen(f"{name_of(equation)}: more than {bits.MOST_WORDS} words of bits")
            return reading_together(equation, operands, self)

    def everything(self, equation: Any, operands: list[Facts]) -> list[Facts]:
        """Return the safe answer for an equation: each result reads all that it is given."""
        if equation.outvars and not all(operand.nothing for operand in operands):
            self.unknown[name_of(equation)] = None
        return reading_together(equation, operands, self)


def _safe(equation: Any, operands: list[Facts], context: Context) -> list[Facts]:
    """Rule of primitives without a rule."""
    return context.everything(equation, operands)


def _variables(jaxpr: Jaxpr) -> Iterator[Any]:
    """Return what a program takes and makes, without what programs inside it do."""
    return itertools.chain(jaxpr.invars, *(equation.outvars for equation in jaxpr.eqns))


def _is_reference(variable: Any) -> bool:
    return isinstance(variable.aval, AbstractRef)


def name_of(equation: Any) -> str:
    """Return what a primitive is called in reports, a native kernel by the name of its target."""
    name = str(equation.primitive.name)
    target = equation.params.get("target_name")
    return f"{name}: {target}" if target else name


def reads_of(program: ClosedJaxpr, arguments: Sequence[Facts]) -> Reading:
    """Return which bits each output of a program may depend on.

    Args:
        program: a traced function.
        arguments: what is known of each argument.

    Example:
        >>> import jax
        >>> import numpy as np
        >>> steps = np.zeros((1, 3, 2), np.float32)
        >>> program = jax.make_jaxpr(lambda x: x[:, ::-1])(steps)
        >>> reading = reads_of(program, [Facts.with_bits(steps.shape, steps.dtype, 1, 0)])
        >>> reading.outputs[0].reads_along(1, 3).astype(int).tolist()
        [[0, 0, 1], [0, 1, 0], [1, 0, 0]]
    """
    context = Context()
    # Facts of their own, since those that are one and the same stand for one and the same array.
    outputs = context.read(program, [dataclasses.replace(each) for each in arguments])
    return Reading(outputs, list(context.unknown), list(context.assumptions))
