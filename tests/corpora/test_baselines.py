"""What counting alone achieves."""

import pytest

from everystep.corpora import MajorityBaseline, majority_baseline, score_baseline
from everystep.errors import DataError

_SYMBOLS = [["f", "(", "x", ")"], ["x", "=", "x"], ["g", "h"]]
_LABELS = [["call", "op", "read", "op"], ["write", "op", "read"], ["call", "write"]]


def test_majorities_are_those_counted_by_hand() -> None:
    found = majority_baseline(_SYMBOLS, _LABELS)
    assert found.overall == "op"
    assert found.by_symbol == {
        "f": "call", "(": "op", "x": "read", ")": "op", "=": "op", "g": "call", "h": "write",
    }  # fmt: skip
    # Seen once: f call, ( op, ) op, = op, g call, h write.
    assert found.unseen == "op"


def test_unseen_symbols_get_the_label_of_rare_ones() -> None:
    found = majority_baseline([["(", "(", "(", "a", "b"]], [["op", "op", "op", "read", "read"]])
    assert (found.overall, found.unseen) == ("op", "read")
    assert found.label(["new", "(", "a"]) == ["read", "op", "read"]


def test_without_rare_symbols_the_most_frequent_label_stands_in() -> None:
    assert majority_baseline([["a", "a"]], [["x", "x"]]).unseen == "x"


def test_ties_go_to_the_alphabet() -> None:
    found = majority_baseline([["a", "a"]], [["y", "x"]])
    assert (found.overall, found.by_symbol) == ("x", {"a": "x"})


def test_scores_are_shares_of_all_steps() -> None:
    found = MajorityBaseline("op", {"x": "read", "(": "op"}, "call")
    score = score_baseline(
        found, [["f", "(", "x"], ["x"], []], [["call", "op", "read"], ["write"], []]
    )
    assert (score.overall, score.by_symbol) == (0.25, 0.75)


@pytest.mark.parametrize("labels", [[["x"]], [["x", "y"], ["x"]], []])
def test_labels_must_fit_the_symbols(labels: list[list[str]]) -> None:
    with pytest.raises(DataError, match="one label a symbol"):
        majority_baseline([["a", "b"]], labels)
    with pytest.raises(DataError, match="one label a symbol"):
        score_baseline(MajorityBaseline("x", {}, "x"), [["a", "b"]], labels)


def test_nothing_to_count_is_an_error() -> None:
    with pytest.raises(DataError, match="at least 1 step"):
        majority_baseline([[]], [[]])
    with pytest.raises(DataError, match="at least 1 step"):
        score_baseline(MajorityBaseline("x", {}, "x"), [], [])
