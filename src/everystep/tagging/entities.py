"""Entities in the labels of steps, found and counted as conlleval does."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Final, NamedTuple

from everystep.drawing.figures import CountedRates
from everystep.errors import DataError
from everystep.tagging.rates import counted_rates

_LABEL: Final = re.compile("(?P<tag>[BIESLU])(-(?P<type>.*))?|O", re.DOTALL)
_OPEN: Final = frozenset("BI")
_CONTINUING: Final = frozenset("IEL")


class Entity(NamedTuple):
    """A run of steps that is one entity.

    Args:
        type: what its labels say after the dash; "" where they say nothing.
        start: its first step.
        end: the step after its last.
    """

    type: str
    start: int
    end: int


class EntityMatches(NamedTuple):
    """How many entities of a sentence are there, were predicted, and were predicted rightly."""

    correct: int
    predicted: int
    support: int


@lru_cache(maxsize=4096)
def _taken_apart(label: object) -> tuple[str, str] | None:
    found = _LABEL.fullmatch(label) if isinstance(label, str) else None
    return found and (found["tag"] or "O", found["type"] or "")


def marks_entities(labels: Iterable[object]) -> bool:
    """Tell whether each label is `O`, or `B`, `I`, `E`, `S`, `L` or `U` with or without a type.

    >>> marks_entities(["O", "B-PER"]), marks_entities(["NOUN", "O"])
    (True, False)
    """
    return all(_taken_apart(label) is not None for label in labels)


def entities(labels: Sequence[str]) -> list[Entity]:
    """Find the entities in the labels of one sentence, as conlleval does.

    A step belongs to the entity of the step before if its label is `I`, `E` or `L`, the one before
    is `B` or `I`, and both have one type. Any other step that is not `O` starts an entity. So each
    sequence of labels has a meaning, in IOB1, IOB2, BIOES and BILOU, also one that breaks their
    rules: `O I-PER` is an entity, and in `B-PER I-LOC` there are two.

    Args:
        labels: the labels of the sentence, one a step.

    Returns:
        The entities in their order.

    Raises:
        DataError: a label is not of such a form.

    >>> entities(["B-PER", "I-PER", "O", "I-LOC", "B-LOC"])
    [Entity(type='PER', start=0, end=2), Entity(type='LOC', start=3, end=4),
     Entity(type='LOC', start=4, end=5)]

    Source: Tjong Kim Sang and Buchholz 2000, Introduction to the CoNLL-2000 shared task; the
    program conlleval, which counts `E` too. `S` is a `B` and `E` in one; `L` and `U` are BILOU's
    names of `E` and `S`.
    """
    parts = []
    for step, label in enumerate(labels):
        part = _taken_apart(label)
        if part is None:
            raise DataError(
                f"step {step}: {label!r} is no label of entities; expected O, or B, I, E or S "
                "(in BILOU: L or U), a dash and a type, such as B-PER"
            )
        parts.append(part)
    outside = ("O", "")
    joined = [_joined(*each) for each in pairwise([outside, *parts])]
    starts = [n for n, part in enumerate(parts) if part != outside and not joined[n]]
    return [Entity(parts[start][1], start, _end(start, joined)) for start in starts]


def _joined(before: tuple[str, str], here: tuple[str, str]) -> bool:
    return before[0] in _OPEN and here[0] in _CONTINUING and before[1] == here[1]


def _end(start: int, joined: Sequence[bool]) -> int:
    end = start + 1
    while end < len(joined) and joined[end]:
        end += 1
    return end


class EntityCounts:
    """Counts entities over sentences: right is one with the right type, start and end.

    >>> counts = EntityCounts()
    >>> counts.add(["B-PER", "O", "B-LOC"], ["B-PER", "I-PER", "B-LOC"])
    EntityMatches(correct=1, predicted=2, support=2)
    >>> counts.by_type()["LOC"]["f1"], counts.overall()["f1"]
    (1.0, 0.5)
    """

    def __init__(self) -> None:
        self._correct: Counter[str] = Counter()
        self._predicted: Counter[str] = Counter()
        self._support: Counter[str] = Counter()

    def add(self, gold: Sequence[str], predicted: Sequence[str]) -> EntityMatches:
        """Count the entities of one sentence.

        Args:
            gold: the right labels, one a step.
            predicted: as many labels that were predicted.

        Returns:
            What was counted.

        Raises:
            DataError: a label is none of entities, or there are more of the one than of the other.
        """
        if len(gold) != len(predicted):
            raise DataError(
                f"expected as many predicted labels as right ones, {len(gold)}, got "
                f"{len(predicted)}"
            )
        there, found = entities(gold), entities(predicted)
        right = set(there) & set(found)
        for counter, each in (
            (self._correct, right),
            (self._predicted, found),
            (self._support, there),
        ):
            counter.update(entity.type for entity in each)
        return EntityMatches(len(right), len(found), len(there))

    def by_type(self) -> dict[str, CountedRates]:
        """Return the rates of each type that is there or was predicted, in alphabetical order."""
        return {
            name: counted_rates(self._correct[name], self._predicted[name], self._support[name])
            for name in sorted(self._predicted | self._support)
        }

    def overall(self) -> CountedRates:
        """Return the rates of all types counted together."""
        return counted_rates(self._correct.total(), self._predicted.total(), self._support.total())
