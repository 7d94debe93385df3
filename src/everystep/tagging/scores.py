"""Scores of labels, counted sentence by sentence in constant memory."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from everystep.drawing.figures import CountedRates, Figures
from everystep.errors import DataError
from everystep.tagging.entities import EntityCounts, EntityMatches, marks_entities
from everystep.tagging.rates import counted_rates, macro, micro, share

Label = str | int
Labels = Sequence[Label] | NDArray[Any]


class SentenceCounts(NamedTuple):
    """What is counted of one sentence: all that its figures, and a bootstrap, are made of.

    Args:
        correct: steps with the right label.
        steps: steps that count.
        entities_correct: entities that were predicted rightly.
        entities_predicted: entities that were predicted.
        entities_support: entities that are there.
        unknown_correct: steps of words that training never saw with the right label.
        unknown_steps: steps of such words.
    """

    correct: int
    steps: int
    entities_correct: int = 0
    entities_predicted: int = 0
    entities_support: int = 0
    unknown_correct: int = 0
    unknown_steps: int = 0


class Scores:
    """Counts how well sentences are labelled.

    Only counts are kept, so that any number of sentences takes the same memory.

    Args:
        known: the words that training saw, as anything that answers `word in known`; None if they
            are not known, or steps are no words.
        ignore: the right label of steps that count nowhere; None if all count.

    >>> scores = Scores(known={"the", "cat"})
    >>> scores.add(["DET", "NOUN"], ["DET", "VERB"], ["the", "dog"])
    SentenceCounts(correct=1, steps=2, entities_correct=0, entities_predicted=0,
     entities_support=0, unknown_correct=0, unknown_steps=1)
    >>> found = scores.figures()
    >>> found["accuracy"], found["accuracy_known"], found["accuracy_unknown"]
    (0.5, 1.0, 0.0)
    >>> found["labels"]["VERB"]
    {'precision': 0.0, 'recall': None, 'f1': 0.0, 'support': 0, 'predicted': 1, 'correct': 0}
    """

    def __init__(self, known: Container[str] | None = None, ignore: Label | None = None) -> None:
        self._known = known
        self._ignore = ignore
        self._sentences = 0
        self._pairs: Counter[tuple[Label, Label]] = Counter()
        self._by_word: Counter[tuple[bool, bool]] = Counter()
        self._entities: EntityCounts | None = EntityCounts()
        self._kinds: set[type] = set()

    def add(
        self, gold: Labels, predicted: Labels, tokens: Sequence[str] | None = None
    ) -> SentenceCounts:
        """Count one sentence.

        Args:
            gold: the right labels, one a step: text or whole numbers.
            predicted: as many labels of the same kind.
            tokens: as many words; needed where the words of training are known.

        Returns:
            What was counted of this sentence.

        Raises:
            DataError: the lengths differ, a label is neither text nor a whole number, or labels of
                both kinds meet. Nothing of the sentence is counted then.
        """
        steps = self._steps(_listed(gold), _listed(predicted), tokens)
        pairs = [(right, said) for right, said, _ in steps]
        self._check_kinds(pairs)
        self._sentences += 1
        self._pairs.update(pairs)
        by_word: Counter[tuple[bool, bool]] = Counter()
        if self._known is not None:
            by_word.update((word in self._known, right == said) for right, said, word in steps)
            self._by_word += by_word
        unknown = by_word[False, True]
        return SentenceCounts(
            sum(right == said for right, said in pairs),
            len(pairs),
            *self._count_entities(pairs),
            unknown,
            unknown + by_word[False, False],
        )

    def _steps(
        self, gold: list[Any], predicted: list[Any], tokens: Sequence[str] | None
    ) -> list[tuple[Any, Any, Any]]:
        """Return right label, predicted label and word of each step that counts."""
        if tokens is None and self._known is not None:
            raise DataError(f"{self._place()}: expected its words too, to tell known from unknown")
        words = [None] * len(gold) if tokens is None else tokens
        for name, values in (("predicted labels", predicted), ("words", words)):
            if len(values) != len(gold):
                raise DataError(
                    f"{self._place()}: expected as many {name} as right labels, {len(gold)}, got "
                    f"{len(values)}"
                )
        steps = zip(gold, predicted, words, strict=True)
        return [step for step in steps if self._ignore is None or step[0] != self._ignore]

    def _check_kinds(self, pairs: Iterable[tuple[object, object]]) -> None:
        kinds = self._kinds | {type(label) for pair in pairs for label in pair}
        if not kinds <= {str} and not kinds <= {int}:
            names = ", ".join(sorted(kind.__name__ for kind in kinds))
            raise DataError(
                f"{self._place()}: expected all labels as text, or all as whole numbers, got "
                f"{names}"
            )
        self._kinds = kinds

    def _place(self) -> str:
        return f"sentence {self._sentences + 1}"

    def _count_entities(self, pairs: list[tuple[Any, Any]]) -> EntityMatches:
        if self._entities is None or not marks_entities(label for pair in pairs for label in pair):
            # One label of another kind, and the labels of this data are not those of entities.
            self._entities = None
            return EntityMatches(0, 0, 0)
        return self._entities.add([right for right, _ in pairs], [said for _, said in pairs])

    def figures(self) -> Figures:
        """Return what was found so far, as plain data.

        Returns:
            The figures, fit for JSON; `everystep.drawing.figures` says what each is.
        """
        labels = sorted({label for pair in self._pairs for label in pair})
        counts = [[self._pairs[right, said] for said in labels] for right in labels]
        by_label = _by_label([str(label) for label in labels], counts)
        steps, each = self._pairs.total(), by_label.values()
        known, unknown = (self._of_words(is_known) for is_known in (True, False))
        found: Figures = {
            "accuracy": share(sum(one["correct"] for one in each), steps),
            "accuracy_known": known[0],
            "accuracy_unknown": unknown[0],
            "steps": steps,
            "steps_known": known[1],
            "steps_unknown": unknown[1],
            "sentences": self._sentences,
            "labels": by_label,
            "macro": macro(each),
            "micro": micro(each),
            "confusion": {"labels": list(by_label), "counts": counts},
        }
        by_type = self._entities.by_type() if self._entities else {}
        if self._entities and by_type:
            overall = self._entities.overall()
            found["entities"] = by_type
            found["entity_precision"] = overall["precision"]
            found["entity_recall"] = overall["recall"]
            found["entity_f1"] = overall["f1"]
        return found

    def _of_words(self, known: bool) -> tuple[float | None, int | None]:
        """Return accuracy and number of the steps of known or of unknown words."""
        if self._known is None:
            return None, None
        correct = self._by_word[known, True]
        steps = correct + self._by_word[known, False]
        return share(correct, steps), steps


def _by_label(labels: list[str], counts: list[list[int]]) -> dict[str, CountedRates]:
    predicted = [sum(column) for column in zip(*counts, strict=True)]
    return {
        label: counted_rates(counts[n][n], predicted[n], sum(counts[n]))
        for n, label in enumerate(labels)
    }


def _listed(labels: Labels) -> list[Any]:
    """Return labels as Python's own text and numbers."""
    if isinstance(labels, list | tuple):
        return [each.item() if isinstance(each, np.generic) else each for each in labels]
    found = np.asarray(labels)
    if found.ndim != 1:
        raise DataError(f"expected labels of shape (steps,), got shape {found.shape}")
    return list(found.tolist())
