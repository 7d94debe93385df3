"""The rule of a loop that goes on while a condition holds.

Its turns are followed one by one as long as the condition is known, or counts turns besides what it
asks of data. Each turn at which data may end the loop is one of the ways out, and the result is
chosen among them. What may go on for ever is read until nothing changes any more.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from everystep.explanation.reading import bits
from everystep.explanation.reading.bits import Words
from everystep.explanation.reading.facts import Facts
from everystep.explanation.reading.layouts import While
from everystep.explanation.reading.results import Rule
from everystep.explanation.reading.rules.branches import all_joined, joined
from everystep.explanation.reading.transfer import key_of

if TYPE_CHECKING:
    from everystep.explanation.reading.interpreter import Context

MOST_TURNS = 1000
"""How many turns of a loop are followed one by one."""


class Turns:
    """The turns of one loop, as they are read.

    Args:
        loop: the loop.
        operands: what is known of its operands.
        context: the reading.
    """

    def __init__(self, loop: While, operands: list[Facts], context: Context) -> None:
        self.loop, self.context = loop, context
        self.asked, self.given, self.first = loop.parts(operands)

    def goes_on(self, carried: list[Facts]) -> Facts:
        """Return what is known of the condition."""
        [condition] = self.context.read(self.loop.condition, [*self.asked, *carried])
        return condition

    def after(self, carried: list[Facts]) -> list[Facts]:
        """Return what is known of what is carried after one more turn."""
        return self.context.read(self.loop.body, [*self.given, *carried])

    def results(self) -> list[Facts]:
        """Return what is known of what the loop ends with."""
        carried, exits = self.first, []
        for _ in range(MOST_TURNS):
            condition = self.goes_on(carried)
            if condition.wholly_known and not condition.value.all():
                break
            after = self.after(carried)
            if not condition.wholly_known:
                if not self._counts(carried, after):
                    carried = self._after_any_number(carried)
                    break
                exits.append((carried, bits.everything([condition.reads])))
            carried = after
        else:
            self.context.loosen(f"while: more than {MOST_TURNS} turns")
            carried = self._after_any_number(carried)
        return _one_of(exits, carried)

    def _counts(self, carried: list[Facts], after: list[Facts]) -> bool:
        """Return whether the condition asks for constants that change with the turns."""
        mark = bits.one_each(1, 0)
        probe = [
            Facts.of(now.shape, now.dtype, mark.reshape((1,) * now.rank + (1,)))
            if _changes(now, then)
            else Facts.unread(now.shape, now.dtype)
            for now, then in zip(carried, after, strict=True)
        ]
        still = [facts.reading(bits.none(facts.rank)) for facts in self.asked]
        [condition] = self.context.read(self.loop.condition, [*still, *probe])
        return bool(condition.reads.any())

    def _after_any_number(self, carried: list[Facts]) -> list[Facts]:
        """Return what is known after any number of turns, as data may decide."""
        jaxpr = self.loop.body.jaxpr
        went_in = jaxpr.invars[len(self.given) :]
        still = [one is other for one, other in zip(went_in, jaxpr.outvars, strict=True)]
        while True:
            chooser = bits.everything([self.goes_on(carried).reads])
            wider = [
                now if stays else joined(now, then, chooser)
                for stays, now, then in zip(still, carried, self.after(carried), strict=True)
            ]
            if _key(wider) == _key(carried):
                return carried
            carried = wider


def _changes(now: Facts, then: Facts) -> bool:
    return bool(now.known.any() and then.known.any()) and key_of([now]) != key_of([then])


def _one_of(exits: list[tuple[list[Facts], Words]], last: list[Facts]) -> list[Facts]:
    """Return what is known of arrays that are those of the first way out that is taken."""
    for carried, chooser in reversed(exits):
        last = all_joined(carried, last, chooser)
    return last


def _key(facts: list[Facts]) -> tuple[Any, ...]:
    reads = tuple((each.reads.shape, each.reads.tobytes()) for each in facts)
    return (*key_of(facts), *reads)


def repeat(equation: Any, operands: list[Facts], context: Context) -> list[Facts]:
    """Rule: a loop that goes on while a condition holds."""
    return Turns(While.of(equation), operands, context).results()


RULES: dict[str, Rule] = {"while": repeat}
