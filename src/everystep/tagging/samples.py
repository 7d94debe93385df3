"""What people hand to a tagger, made into sentences; what cannot be used is named."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from everystep.core.warning import warn_user
from everystep.corpora.sentences import Sentence
from everystep.errors import DataError
from everystep.kinds import shown

_SHOWN = 20
"""How many labels a message names."""


def labelled(given: Iterable[Any], what: str) -> list[Sentence]:
    """Return sentences with labels, from `Sentence`s or pairs of tokens and labels.

    Args:
        given: the sentences.
        what: what they are, for messages.

    Raises:
        DataError: one has no labels, another number of them than tokens, or is no sentence; or
            there is none with a token.

    Example:
        >>> labelled([(["a", "cat"], ["DET", "NOUN"])], "train")[0].labels
        ('DET', 'NOUN')
    """
    found = [_labelled(each, f"{what}, sentence {number}") for number, each in enumerate(given, 1)]
    if not any(map(len, found)):
        raise DataError(f"{what}: holds no token at all; give at least one sentence with labels")
    return found


def _labelled(given: Any, name: str) -> Sentence:
    if isinstance(given, tuple | list) and len(given) == 2 and not isinstance(given[0], str):
        tokens, labels = given
        given = Sentence(_texts(tokens, name), _texts(labels, name), place=name)
    if not isinstance(given, Sentence):
        raise DataError(f"{name}: expected a Sentence, or tokens and labels, got {shown(given)}")
    if given.labels is None:
        raise DataError(f"{given.place or name}: has no labels to learn from or to compare with")
    return given


def unlabelled(given: Iterable[Any]) -> Iterator[tuple[str, ...]]:
    """Yield the tokens of sentences, from `Sentence`s or lists of tokens.

    Raises:
        DataError: one is neither.
    """
    for number, each in enumerate(given, 1):
        yield each.tokens if isinstance(each, Sentence) else _texts(each, f"sentence {number}")


def _texts(given: Any, name: str) -> tuple[str, ...]:
    if isinstance(given, str) or not isinstance(given, Iterable):
        raise DataError(f"{name}: expected a list of tokens, got {given!r:.80}; split it first")
    texts = tuple(given)
    for each in texts:
        if not isinstance(each, str):
            raise DataError(f"{name}: expected text, got {each!r:.80} ({type(each).__name__})")
    return texts


def check_labels(what: str, sentences: Sequence[Sentence], known: Iterable[str]) -> None:
    """Warn of labels that training never saw, each with the place of the first one.

    Args:
        what: what the sentences are, for messages.
        sentences: sentences with labels.
        known: the labels that training saw.

    Raises:
        DataError: there are no others.
    """
    known, unseen, seen = set(known), dict[str, str](), False
    for number, sentence in enumerate(sentences, 1):
        labels = set(sentence.labels or ())
        seen = seen or not labels.isdisjoint(known)
        for label in labels - known:
            unseen.setdefault(label, sentence.place or f"sentence {number}")
    if not unseen:
        return
    places = ", ".join(f"{label!r} ({place})" for label, place in sorted(unseen.items())[:_SHOWN])
    if not seen:
        expected = ", ".join(map(repr, sorted(known)[:_SHOWN]))
        raise DataError(
            f"{what} has no label that training saw: expected some of {expected}, got {places}; "
            "is another column or --label meant?"
        )
    warn_user(
        f"{what} has {len(unseen)} label(s) that training never saw, which count as wrong: {places}"
    )
