"""A sentence is as long as its tokens, and has a label for each or none at all."""

import pytest

import everystep as es
from everystep.corpora import Sentence
from everystep.errors import DataError


def test_labels_are_as_many_as_tokens() -> None:
    with pytest.raises(DataError, match=r"a.txt:3: .* got 1 labels for 2 tokens"):
        Sentence(("a", "b"), ("X",), place="a.txt:3")
    assert len(Sentence(("a", "b"))) == 2
    assert len(es.corpora.Sentence((), ())) == 0


def test_pairs_need_labels() -> None:
    assert list(Sentence(("a",), ("X",)).pairs()) == [("a", "X")]
    with pytest.raises(DataError, match="has no labels"):
        list(Sentence(("a",)).pairs())


def test_where_a_sentence_stood_does_not_make_it_another() -> None:
    assert Sentence(("a",), source="x") == Sentence(("a",), source="y")
