"""Entities are found and counted as conlleval does."""

import pytest
from hypothesis import given
from seqeval.metrics.sequence_labeling import get_entities, precision_recall_fscore_support

from everystep.errors import DataError
from everystep.tagging import Entity, EntityCounts, entities
from everystep.tagging.entities import marks_entities
from tests.tagging.labels import ENTITY_LABELS, corpora_of, pairs_of, sides


@pytest.mark.parametrize(
    ("labels", "wanted"),
    [
        ("", []),
        ("O O", []),
        ("B-a", [("a", 0, 1)]),
        ("B-a I-a I-a O", [("a", 0, 3)]),
        ("I-a I-a O I-a", [("a", 0, 2), ("a", 3, 4)]),
        ("I-a B-a", [("a", 0, 1), ("a", 1, 2)]),
        ("B-a I-b", [("a", 0, 1), ("b", 1, 2)]),
        ("S-a B-a E-a", [("a", 0, 1), ("a", 1, 3)]),
        ("S-a I-a", [("a", 0, 1), ("a", 1, 2)]),
        ("B-a E-a E-a", [("a", 0, 2), ("a", 2, 3)]),
        ("B-a O E-a", [("a", 0, 1), ("a", 2, 3)]),
        ("U-a B-a L-a L-a", [("a", 0, 1), ("a", 1, 3), ("a", 3, 4)]),
        ("B-a I-a-b", [("a", 0, 1), ("a-b", 1, 2)]),
        ("B I O I", [("", 0, 2), ("", 3, 4)]),
    ],
)
def test_entities_found_by_hand(labels: str, wanted: list[tuple[str, int, int]]) -> None:
    assert entities(labels.split()) == [Entity(*each) for each in wanted]


@given(pairs_of(ENTITY_LABELS, longest=14))
def test_any_labels_have_the_entities_that_seqeval_finds(pairs: list[tuple[str, str]]) -> None:
    labels, _ = sides(pairs)
    wanted = [Entity(kind, start, last + 1) for kind, start, last in get_entities(labels)]
    assert entities(labels) == wanted


@given(corpora_of(ENTITY_LABELS))
def test_rates_are_those_of_seqeval(corpus: list[list[tuple[str, str]]]) -> None:
    counts = EntityCounts()
    gold, predicted = zip(*map(sides, corpus), strict=True)
    for one in zip(gold, predicted, strict=True):
        counts.add(*one)
    by_type = counts.by_type()
    if not by_type:
        assert counts.overall()["f1"] is None
        return
    each = precision_recall_fscore_support(list(gold), list(predicted), zero_division=0)
    for key, values in zip(("precision", "recall", "f1", "support"), each, strict=True):
        assert [dict(one)[key] or 0 for one in by_type.values()] == pytest.approx(values)
    total = precision_recall_fscore_support(
        list(gold), list(predicted), average="micro", zero_division=0
    )
    overall = counts.overall()
    ours = [overall["precision"] or 0, overall["recall"] or 0, overall["f1"]]
    assert ours == pytest.approx(total[:3])


def test_an_entity_with_another_end_or_type_is_wrong() -> None:
    counts = EntityCounts()
    gold = ["B-a", "I-a", "O", "B-b", "O", "B-a"]
    assert counts.add(gold, ["B-a", "O", "O", "B-a", "O", "B-a"]) == (1, 3, 3)
    assert counts.by_type()["b"] == {
        "precision": None,
        "recall": 0.0,
        "f1": 0.0,
        "support": 1,
        "predicted": 0,
        "correct": 0,
    }
    assert counts.overall()["f1"] == pytest.approx(1 / 3)


@pytest.mark.parametrize("label", ["NOUN", "B_a", "X-a", "b-a", "", "O-a", "Bx", 3])
def test_a_label_that_is_none_of_entities_is_refused_by_step(label: str) -> None:
    assert not marks_entities(["O", label])
    with pytest.raises(DataError, match=r"^step 1: .* is no label of entities; expected O, or B"):
        entities(["O", label])


def test_both_sides_have_the_same_number_of_steps() -> None:
    with pytest.raises(DataError, match="as many predicted labels as right ones, 2, got 1"):
        EntityCounts().add(["O", "O"], ["O"])
