"""Between text and ids."""

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from everystep.corpora import PADDING, ROLES, UNKNOWN, Vocabulary
from everystep.errors import DataError, FormatError, SettingError

_CORPUS = [["b", "a", "ü"], [], ["a", "b", "c"], ["a"]]


def test_entries_are_in_order_of_count_then_alphabet() -> None:
    vocabulary = Vocabulary.from_sequences(_CORPUS)
    assert vocabulary.entries == ("a", "b", "c", "ü")
    assert vocabulary.counts == (3, 2, 1, 1)
    assert len(vocabulary) == 6
    assert "ü" in vocabulary
    assert UNKNOWN not in vocabulary


def test_the_cut_is_by_count_and_by_size() -> None:
    assert Vocabulary.from_sequences(_CORPUS, minimum_count=2).entries == ("a", "b")
    assert Vocabulary.from_sequences(_CORPUS, maximum_size=5).entries == ("a", "b", "c")
    assert Vocabulary.from_sequences(_CORPUS, maximum_size=2).entries == ()
    assert Vocabulary.from_sequences([]).encode(["x"]).tolist() == [1]


def test_ids_are_int32_with_padding_and_unknown_in_front() -> None:
    ids = Vocabulary(["x", "y"]).encode(["y", "z", "x"])
    assert ids.dtype == np.int32
    assert ids.tolist() == [3, 1, 2]
    assert Vocabulary(["x", "y"]).decode([0, 1, 2]) == [PADDING, UNKNOWN, "x"]


def test_labels_start_at_zero_and_refuse_others() -> None:
    labels = Vocabulary(ROLES, reserved=False)
    assert labels.encode(list(ROLES)).tolist() == list(range(len(ROLES)))
    with pytest.raises(DataError, match="'verb' is none of the 20 labels, which are keyword"):
        labels.encode(["keyword", "verb"])


def test_a_token_spelled_like_a_reserved_name_is_unknown_never_padding() -> None:
    vocabulary = Vocabulary.from_sequences([[PADDING, UNKNOWN, "", "a"]])
    assert vocabulary.entries == ("a",)
    assert vocabulary.encode([PADDING, UNKNOWN, ""]).tolist() == [1, 1, 1]


@given(st.lists(st.lists(st.text(max_size=3), max_size=5), max_size=5), st.booleans())
def test_data_and_text_survive_the_round_trip(corpus: list[list[str]], reserved: bool) -> None:
    made = Vocabulary.from_sequences(corpus)
    vocabulary = Vocabulary(made.entries, made.counts, reserved=reserved)
    read = Vocabulary.from_dict(json.loads(json.dumps(vocabulary.to_dict())))
    assert read == vocabulary
    assert hash(read) == hash(vocabulary)
    assert read.decode(read.encode(made.entries)) == list(made.entries)


def test_vocabularies_that_differ_are_not_equal() -> None:
    assert Vocabulary(["a"]) != Vocabulary(["a"], reserved=False)
    assert Vocabulary(["a"]) != Vocabulary(["a"], [1])
    assert Vocabulary(["a"]) != "a"
    assert repr(Vocabulary(["a"])) == "Vocabulary(3 ids, reserved=True)"


@pytest.mark.parametrize(
    ("entries", "counts", "message"),
    [
        (["a", "a"], None, "'a' is there twice"),
        ([UNKNOWN], None, "reserved name"),
        ([""], None, "expected text that is not empty"),
        ([1], None, "expected text that is not empty, got 1"),
        (["a"], [], "expected one for each of 1 entries, got 0"),
        (["a"], [-1], "expected whole numbers from 0, got -1"),
        (["a"], [True], "expected whole numbers from 0, got True"),
    ],
)
def test_entries_that_cannot_be_used_are_errors(
    entries: list[Any], counts: list[int] | None, message: str
) -> None:
    with pytest.raises(DataError, match=message):
        Vocabulary(entries, counts)


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"minimum_count": 0}, "minimum_count: expected 1 or more, got 0"),
        ({"maximum_size": 1}, "maximum_size: expected 2 or more"),
    ],
)
def test_settings_that_cannot_be_used_are_errors(setting: dict[str, int], message: str) -> None:
    with pytest.raises(SettingError, match=message):
        Vocabulary.from_sequences(_CORPUS, **setting)


_GOOD: dict[str, Any] = {"entries": ["a"], "counts": [1], "reserved": True}


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ([], "expected a mapping with keys"),
        ({}, "got \\[\\]"),
        (_GOOD | {"more": 1}, "more"),
        (_GOOD | {"reserved": 1}, "reserved: expected true or false, got 1"),
        (_GOOD | {"entries": "a"}, "entries: expected a list"),
        (_GOOD | {"counts": None}, "counts: expected a list"),
        (_GOOD | {"counts": [1.5]}, "expected whole numbers"),
        (_GOOD | {"entries": [["a"]]}, "expected text"),
        (_GOOD | {"entries": [PADDING]}, "reserved name"),
        (_GOOD | {"entries": ["a", "b"]}, "expected one for each of 2"),
    ],
)
def test_hostile_data_is_refused(data: Any, message: str) -> None:
    with pytest.raises(FormatError, match=message):
        Vocabulary.from_dict(data)


@pytest.mark.parametrize("ids", [[3], [-1], [0.0], [[0]], 0, ["a"]])
def test_ids_that_name_nothing_are_errors(ids: Any) -> None:
    with pytest.raises(DataError, match="ids: expected"):
        Vocabulary(["a"]).decode(ids)


def test_no_ids_are_no_text() -> None:
    assert Vocabulary(["a"]).decode([]) == []
    assert Vocabulary(["a"]).encode([]).dtype == np.int32
