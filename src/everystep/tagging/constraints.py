"""Which labels may follow which, found out from the sentences to learn from."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any

from everystep.errors import SettingError
from everystep.layers import forbidden_transitions
from everystep.tagging.entities import marks_entities

SCHEMES = ("BIO", "BIOES")


def has_entities(names: Iterable[str]) -> bool:
    """Whether labels are those of entities: BIO, BIOES or BILOU.

    >>> has_entities(["B-PER", "I-PER", "O"]), has_entities(["DET", "O"])
    (True, False)
    """
    names = list(names)
    return marks_entities(names) and any(name != "O" for name in names)


def scheme_of(sequences: Iterable[Sequence[str]], names: Sequence[str]) -> str | None:
    """Return the scheme whose rules all label sequences keep, or None.

    A corpus that breaks the rules, such as one of IOB1, is learned as it is.

    Args:
        sequences: the labels of each sentence.
        names: all labels.

    Example:
        >>> scheme_of([["B-x", "I-x", "O"]], ["B-x", "I-x", "O"])
        'BIO'
        >>> scheme_of([["O", "I-x"]], ["I-x", "O"]) is None
        True
    """
    if not has_entities(names):
        return None
    seen = {move for labels in sequences for move in pairwise([None, *labels, None])}
    for scheme in SCHEMES:
        places: dict[Any, int] = {name: number for number, name in enumerate(names)}
        places[None] = len(names)
        try:
            forbidden = forbidden_transitions(names, scheme)
        except SettingError:
            continue
        if not any(forbidden[places[one], places[other]] for one, other in seen):
            return scheme
    return None
