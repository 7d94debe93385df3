"""Scores of steps are what scikit-learn and counting by hand say."""

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from seqeval.metrics import f1_score
from sklearn.metrics import accuracy_score, confusion_matrix, precision_recall_fscore_support

from everystep.errors import DataError
from everystep.tagging import Scores, SentenceCounts
from tests.tagging.labels import corpora_of, sides

LABELS = ["NOUN", "VERB", "X"]
BIO = ["O", "B-PER", "I-PER", "I-LOC"]
KEYS = ("precision", "recall", "f1", "support")


def scored(corpus: list[list[tuple[str, str]]], **settings: Any) -> Scores:
    scores = Scores(**settings)
    for pairs in corpus:
        scores.add(*sides(pairs))
    return scores


@given(corpora_of(LABELS))
def test_figures_are_those_of_scikit_learn(corpus: list[list[tuple[str, str]]]) -> None:
    figures = scored(corpus).figures()
    gold, predicted = sides([step for pairs in corpus for step in pairs])
    assert (figures["steps"], figures["sentences"]) == (len(gold), len(corpus))
    if not gold:
        assert figures["accuracy"] is figures["macro"]["f1"] is None
        assert figures["labels"] == {}
        return
    labels = sorted({*gold, *predicted})
    assert figures["accuracy"] == pytest.approx(accuracy_score(gold, predicted))
    assert figures["confusion"]["labels"] == list(figures["labels"]) == labels
    there = [LABELS.index(label) for label in labels]
    wanted = confusion_matrix(gold, predicted, labels=LABELS)[np.ix_(there, there)]
    assert figures["confusion"]["counts"] == wanted.tolist()
    each = precision_recall_fscore_support(gold, predicted, zero_division=0)
    for key, values in zip(KEYS, each, strict=True):
        found = [dict(figures["labels"][label])[key] or 0 for label in labels]
        assert found == pytest.approx(values.tolist())
    for name in ("macro", "micro"):
        means = precision_recall_fscore_support(gold, predicted, average=name, zero_division=0)
        assert [*figures[name].values()] == pytest.approx(means[:3])


@given(corpora_of(BIO))
def test_entities_are_counted_where_labels_are_theirs(corpus: list[list[tuple[str, str]]]) -> None:
    figures = scored(corpus).figures()
    there = any(label != "O" for pairs in corpus for step in pairs for label in step)
    assert ("entity_f1" in figures) == there
    if there:
        gold, predicted = zip(*map(sides, corpus), strict=True)
        wanted = f1_score(list(gold), list(predicted), zero_division=0)
        assert figures["entity_f1"] == pytest.approx(wanted)
        assert set(figures["entities"]) <= {"PER", "LOC"}


def test_one_label_of_another_kind_and_there_are_no_entities() -> None:
    scores = Scores()
    assert scores.add(["B-a"], ["B-a"]) == SentenceCounts(1, 1, 1, 1, 1)
    assert scores.add(["NOUN"], ["B-a"]) == SentenceCounts(0, 1)
    assert "entity_f1" not in scores.figures()


def test_known_and_unknown_words() -> None:
    scores = Scores(known={"a", "b"})
    counts = scores.add(["x", "x", "y"], ["x", "y", "y"], ["a", "b", "new"])
    assert (counts.unknown_correct, counts.unknown_steps) == (1, 1)
    scores.add(["x", "y", "y"], ["y", "y", "y"], ["a", "new", "newer"])
    figures = scores.figures()
    assert figures["accuracy"] == 4 / 6
    assert (figures["accuracy_known"], figures["steps_known"]) == (1 / 3, 3)
    assert (figures["accuracy_unknown"], figures["steps_unknown"]) == (1.0, 3)


def test_no_unknown_word_has_no_accuracy() -> None:
    scores = Scores(known={"a"})
    scores.add(["x"], ["x"], ["a"])
    figures = scores.figures()
    assert (figures["accuracy_known"], figures["accuracy_unknown"]) == (1.0, None)
    assert figures["steps_unknown"] == 0


def test_steps_with_the_ignored_label_count_nowhere() -> None:
    ignoring, plain = Scores(known={"a"}, ignore="_"), Scores(known={"a"})
    found = ignoring.add(
        ["B-a", "_", "I-a", "_"], ["B-a", "O", "I-a", "I-a"], ["a", "a", "new", "a"]
    )
    assert found == plain.add(["B-a", "I-a"], ["B-a", "I-a"], ["a", "new"])
    assert found == SentenceCounts(2, 2, 1, 1, 1, unknown_correct=1, unknown_steps=1)
    assert ignoring.figures() == plain.figures()


def test_labels_may_be_arrays_of_numbers() -> None:
    gold, predicted = np.array([0, 10, 9, 255], np.uint8), np.array([0, 9, 9, 1])
    scores = Scores(ignore=255)
    assert scores.add(gold, predicted)[:2] == (2, 3)
    numbers: list[Any] = [np.int64(0), 10, 2, 2]
    scores.add(list(gold), numbers)
    figures = scores.figures()
    assert figures["confusion"]["labels"] == ["0", "2", "9", "10"]
    assert figures["confusion"]["counts"] == [
        [2, 0, 0, 0],
        [0, 0, 0, 0],
        [0, 1, 1, 0],
        [0, 0, 1, 1],
    ]


def test_figures_are_plain_json() -> None:
    scores = Scores(known=set())
    scores.add(np.array(["B-a", "O"]), ["O", "O"], ["one", "two"])
    figures = scores.figures()
    assert json.loads(json.dumps(figures, allow_nan=False)) == figures


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((["x"], ["x", "y"]), "sentence 2: expected as many predicted labels as right .* 1, got 2"),
        (
            (["x"], ["x"], ["a", "b"]),
            "sentence 2: expected as many words as right labels, 1, got 2",
        ),
        ((["x"], [1]), "sentence 2: .* all labels as text, or all as whole numbers, got int, str"),
        (([1], [1]), "got int, str"),
        (([None], ["x"]), "got NoneType, str"),
        (([True], [True]), "got bool, str"),
        ((np.zeros((1, 2), int), np.zeros((1, 2), int)), r"shape \(steps,\), got shape \(1, 2\)"),
    ],
)
def test_wrong_labels_are_refused_and_not_counted(arguments: Any, message: str) -> None:
    scores = Scores()
    scores.add(["x", "y"], ["x", "x"])
    before = scores.figures()
    with pytest.raises(DataError, match=message):
        scores.add(*arguments)
    assert scores.figures() == before


def test_words_are_needed_where_known_ones_are() -> None:
    with pytest.raises(DataError, match="sentence 1: expected its words too"):
        Scores(known={"a"}).add(["x"], ["x"])
