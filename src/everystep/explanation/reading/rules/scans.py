"""The rule of a loop over steps.

What is known of constants is followed step by step, but the body is read once for each different
set of them, with a bit of its own for each group of elements that goes in. What the steps read is
then unions of sets along the loop, and no program is read again.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from everystep.explanation.reading import bits
from everystep.explanation.reading.bits import Words
from everystep.explanation.reading.facts import Facts
from everystep.explanation.reading.layouts import Scan
from everystep.explanation.reading.results import Rule, kind_of
from everystep.explanation.reading.transfer import Form, Groups, Unions, at, in_form, key_of, parted

if TYPE_CHECKING:
    from everystep.explanation.reading.interpreter import Context

MOST_BODIES = 1000
"""How often a body is read for different constants; then those that change are forgotten."""

FEW_BODIES = 4
"""After so many it is asked whether what is read depends on the constants that change."""

MOST_GROUPS = 1 << 14
"""How many groups of elements are told apart; elements of larger arrays are taken together."""


@dataclass(frozen=True, eq=False)
class Turn:
    """What the body makes of one set of constants; what it reads are bits of groups.

    Args:
        carried: what is known of what is carried on.
        out: what is known of what comes out.
        key: what tells apart the constants that are carried on.
    """

    carried: list[Facts]
    out: list[Facts]
    key: tuple[bytes, ...]


class Loop:
    """One loop over steps, as it is read.

    Args:
        layout: the loop.
        operands: what is known of its operands.
        context: the reading.
    """

    def __init__(self, layout: Scan, operands: list[Facts], context: Context) -> None:
        self.layout, self.context = layout, context
        self.constants, self.first, self.along = layout.parts(operands)
        steps = range(layout.length)
        self.order = steps[::-1] if layout.reverse else steps
        self.forms: list[Form] = [facts.reads.shape[:-1] for facts in self.first]
        self.groups = Groups([])
        self.forgotten: set[int] = set()
        self.read: dict[Any, Turn] = {}
        self.turns: list[Turn] = []

    def follow(self) -> None:
        """Find the turn of each step, in the order of the loop."""
        while not self._followed():
            pass

    def _followed(self) -> bool:
        """Follow constants along the loop; False where it has to be done again in another way."""
        self.groups = Groups(
            [
                *(_form_of(facts, 0) for facts in self.constants),
                *self.forms,
                *(_form_of(facts, 1) for facts in self.along),
            ]
        )
        self.read, self.turns = {}, []
        carried, key = self.first, key_of(self.first)
        still = {k: _at(facts, 0) for k, facts in enumerate(self.along) if not _varies(facts)}
        for step in self.order:
            here = [still.get(k) or _at(facts, step) for k, facts in enumerate(self.along)]
            whole_key = (key, key_of([facts for k, facts in enumerate(here) if k not in still]))
            turn = self.read.get(whole_key)
            if turn is None:
                turn = self.read[whole_key] = self._turn(carried, here)
                if self._grown(turn) or self._dropped(carried, here, turn):
                    return False
            self.turns.append(turn)
            carried, key = turn.carried, turn.key
        return True

    def _turn(self, carried: list[Facts], here: list[Facts]) -> Turn:
        """Read the body."""
        given = [*self.constants, *carried, *here]
        marked = [self.groups.marked(number, facts) for number, facts in enumerate(given)]
        results = self.context.read(self.layout.body, marked)
        on = [
            facts.forgotten() if number in self.forgotten else facts
            for number, facts in enumerate(results[: len(carried)])
        ]
        return Turn(on, results[len(carried) :], key_of(on))

    def _grown(self, turn: Turn) -> bool:
        """Tell elements apart that are carried on and do not read the same; False if none are."""
        wanted: list[Form] = [
            np.broadcast_shapes(form, facts.reads.shape[:-1])
            for form, facts in zip(self.forms, turn.carried, strict=True)
        ]
        if wanted == self.forms:
            return False
        if sum(map(math.prod, wanted)) > MOST_GROUPS:
            self.context.loosen(f"scan: more than {MOST_GROUPS} elements that are carried")
            return False
        self.forms = wanted
        return True

    def _dropped(self, carried: list[Facts], here: list[Facts], turn: Turn) -> bool:
        """Forget constants that change from step to step, as counters do; False if none are.

        They go where nothing else reads them, or else where the body was read too often.
        """
        if len(self.read) not in (FEW_BODIES, MOST_BODIES):
            return False
        changing = {
            number
            for number, (before, after) in enumerate(zip(carried, turn.carried, strict=True))
            if before.known.any() and after.known.any() and key_of([before]) != key_of([after])
        }
        moving = {number for number, facts in enumerate(self.along) if _varies(facts)}
        if len(self.read) == FEW_BODIES and self._matters(carried, here, changing, moving):
            return False
        if len(self.read) == MOST_BODIES:
            self.context.loosen(f"scan: constants that change at more than {MOST_BODIES} steps")
        self.forgotten |= changing
        self.first = _forgetting(self.first, changing)
        self.along = _forgetting(self.along, moving)
        return True

    def _matters(
        self, carried: list[Facts], here: list[Facts], changing: set[int], moving: set[int]
    ) -> bool:
        """Return whether anything else reads what is carried or stands at the step there."""
        turn = self._turn(_forgetting(carried, changing), _forgetting(here, moving))
        first = len(self.constants)
        last = first + len(carried)
        own = [self.groups.own(first + number) for number in changing]
        own += [self.groups.own(last + number) for number in moving]
        others = [facts for k, facts in enumerate(turn.carried) if k not in changing]
        read = bits.everything(facts.reads for facts in [*others, *turn.out])
        common, mine = bits.alongside([read, bits.everything(own)])
        return bool((common & mine).any())

    def results(self, equation: Any) -> list[Facts]:
        """Return what is known of what is carried out of the loop, and of what came out of it."""
        forms: list[Form] = [
            np.broadcast_shapes(*(turn.out[number].reads.shape[:-1] for turn in self.read.values()))
            for number in range(len(self.turns[-1].out))
        ]
        last, came_out = self._sets(forms)
        carried = [
            facts.reading(words)
            for facts, words in zip(self.turns[-1].carried, parted(last, self.forms), strict=True)
        ]
        kinds = map(kind_of, equation.outvars[len(carried) :])
        out = [
            self._stacked(number, *kind, words)
            for number, (kind, words) in enumerate(zip(kinds, parted(came_out, forms), strict=True))
        ]
        return [*carried, *out]

    def _sets(self, out_forms: list[Form]) -> tuple[Words, Words]:
        """Return what groups read: what is carried out, and what came out at each step."""
        unions = {id(turn): self._unions(turn, out_forms) for turn in self.read.values()}
        table, along = self._table()
        first = self.groups.starts[len(self.constants)]
        last = first + sum(map(math.prod, self.forms))
        size = (self.layout.length, sum(map(math.prod, out_forms)), table.shape[-1])
        out = np.zeros(size, np.uint64)
        given: tuple[int, bytes] | None = None
        for step, turn in zip(self.order, self.turns, strict=True):
            table[last:] = along[step]
            # The sets of weights are soon the same at each step, and so are their unions.
            if given != (given := (id(turn), table.tobytes())):
                rows = unions[id(turn)](table)
            table[first:last], out[step] = rows[: last - first], rows[last - first :]
        return table[first:last], out

    def _unions(self, turn: Turn, out_forms: list[Form]) -> Unions:
        made = zip([*turn.carried, *turn.out], [*self.forms, *out_forms], strict=True)
        return Unions(np.concatenate(bits.alongside(in_form(f.reads, form) for f, form in made)))

    def _table(self) -> tuple[Words, Words]:
        """Return a table of the groups' sets, and those at each step, which stand at its end."""
        still, moving = [*self.constants, *self.first], self.along
        forms = self.groups.forms
        rows = [
            in_form(facts.reads, form)
            for facts, form in zip(still, forms, strict=False)
            if form is not None
        ]
        entries = [
            in_form(facts.reads, (self.layout.length, *form)).reshape(
                self.layout.length, math.prod(form), facts.reads.shape[-1]
            )
            for facts, form in zip(moving, forms[len(still) :], strict=True)
            if form is not None
        ]
        empty = np.zeros((1, 0), np.uint64)
        sets = bits.alongside([empty, *rows, *entries, np.zeros((self.layout.length, 0, 0), "u8")])
        along = np.concatenate(sets[1 + len(rows) :], axis=1)
        return np.concatenate([*sets[: 1 + len(rows)], along[0]]), along

    def _stacked(self, number: int, shape: Form, dtype: Any, words: Words) -> Facts:
        """Return what is known of an array that came out, step by step."""
        made = list(self.read.values())
        place = {id(turn): index for index, turn in enumerate(made)}
        which = np.zeros(self.layout.length, np.intp)
        which[list(self.order)] = [place[id(turn)] for turn in self.turns]
        out = [turn.out[number] for turn in made]
        constants = (
            np.stack(np.broadcast_arrays(*arrays))[which]
            for arrays in zip(*(each.constants for each in out), strict=True)
        )
        return Facts.of(shape, dtype, words, *constants)


def _form_of(facts: Facts, first: int) -> Form | None:
    """Return the form of an array's groups behind its first axes; None where it needs none."""
    if not facts.reads.shape[-1] and not (first and _varies(facts)):
        return None
    return facts.reads.shape[first:-1]


def _at(facts: Facts, step: int) -> Facts:
    """Return what is known of an array's entry at a step, besides what it reads."""
    shape = facts.shape[1:]
    constants = (at(each, step) for each in facts.constants)
    return Facts.of(shape, facts.dtype, bits.none(len(shape)), *constants)


def _varies(facts: Facts) -> bool:
    """Return whether what is known of an array besides what it reads changes along its steps."""
    return any(len(each) > 1 for each in facts.constants)


def _forgetting(facts: list[Facts], numbers: set[int]) -> list[Facts]:
    return [each.forgotten() if k in numbers else each for k, each in enumerate(facts)]


def scan(equation: Any, operands: list[Facts], context: Context) -> list[Facts]:
    """Rule: a loop over steps."""
    layout = Scan.of(equation)
    if not layout.length:
        _, carried, _ = layout.parts(operands)
        out = [kind_of(each) for each in equation.outvars[len(carried) :]]
        return [*carried, *(Facts.unread(*kind) for kind in out)]
    loop = Loop(layout, operands, context)
    loop.follow()
    return loop.results(equation)


RULES: dict[str, Rule] = {"scan": scan}
