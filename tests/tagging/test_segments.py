"""Segments are matched, and their errors summed up, as a plain loop does."""

import json
from collections.abc import Sequence
from itertools import groupby
from statistics import fmean, stdev
from typing import Any

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given

from everystep.drawing.figures import MatchFigures
from everystep.errors import DataError, SettingError
from everystep.tagging import SegmentScores

IGNORE = 9
CLASSES = {1: "P", 2: "QRS"}
RATE, TOLERANCE = 250.0, 8.0
TOLERANCE_STEPS = 2


@st.composite
def signals(draw: st.DrawFn) -> tuple[list[int], list[int]]:
    """Right labels in runs, and predicted ones that mostly agree."""
    runs = st.lists(st.tuples(st.sampled_from([0, 1, 2, IGNORE]), st.integers(1, 6)), max_size=8)
    gold = [label for label, steps in draw(runs) for _ in range(steps)]
    shift = draw(st.integers(-2, 2))
    moved = [gold[min(max(n - shift, 0), len(gold) - 1)] for n in range(len(gold))]
    other = st.lists(st.sampled_from([None, None, None, 0, 1, 2]), min_size=len(gold))
    predicted = [
        (0 if label == IGNORE else label) if said is None else said
        for label, said in zip(moved, draw(other)[: len(gold)], strict=True)
    ]
    return gold, predicted


def runs_of(labels: Sequence[int], wanted: int) -> list[tuple[int, int]]:
    found, start = [], 0
    for label, run in groupby(labels):
        end = start + len(list(run))
        if label == wanted:
            found.append((start, end - 1))
        start = end
    return found


def slow_match(
    there: list[tuple[int, ...]], found: list[tuple[int, ...]]
) -> list[tuple[tuple[int, ...], tuple[int, ...]]]:
    """The nearest pair of all that are left, again and again."""
    there, found = list(there), list(found)
    pairs: list[tuple[tuple[int, ...], tuple[int, ...]]] = []
    while True:
        near = [
            (sum(abs(a - b) for a, b in zip(one, other, strict=True)), one, other)
            for one in there
            for other in found
            if all(abs(a - b) <= TOLERANCE_STEPS for a, b in zip(one, other, strict=True))
        ]
        if not near:
            return pairs
        _, one, other = min(near)
        there.remove(one)
        found.remove(other)
        pairs.append((one, other))


@given(st.lists(signals(), min_size=1, max_size=4))
def test_figures_are_those_of_a_plain_loop(corpus: list[tuple[list[int], list[int]]]) -> None:
    scores = SegmentScores(RATE, CLASSES, TOLERANCE, ignore=IGNORE)
    for gold, predicted in corpus:
        scores.add(gold, predicted)
    figures = scores.figures()
    assert figures["signals"] == len(corpus)
    for label, name in CLASSES.items():
        for kind, edges in (("onset", (0,)), ("offset", (1,)), ("segment", (0, 1))):
            matched = missed = spurious = 0
            errors = []
            for gold, predicted in corpus:
                there = [tuple(run[e] for e in edges) for run in runs_of(gold, label)]
                found = [tuple(run[e] for e in edges) for run in runs_of(predicted, label)]
                pairs = slow_match(there, found)
                left = set(found) - {other for _, other in pairs}
                matched += len(pairs)
                missed += len(there) - len(pairs)
                spurious += sum(all(gold[n] != IGNORE for n in places) for places in left)
                errors += [(other[0] - one[0]) * 1000 / RATE for one, other in pairs]
            ours: dict[str, Any] = dict(dict(figures["classes"][name])[kind])  # type: ignore[call-overload]
            assert (ours["matched"], ours["missed"], ours["spurious"]) == (
                matched,
                missed,
                spurious,
            )
            if kind != "segment":
                assert ours["mean_ms"] == (pytest.approx(fmean(errors)) if errors else None)
                wanted = pytest.approx(stdev(errors), abs=1e-9) if len(errors) > 1 else None
                assert ours["deviation_ms"] == wanted


def found_in(gold: str, predicted: str, **settings: Any) -> dict[str, Any]:
    scores = SegmentScores(1000, {"P": "P"}, background=".", **settings)
    scores.add(list(gold), list(predicted))
    figures = scores.figures()
    assert json.loads(json.dumps(figures, allow_nan=False)) == figures
    return dict(figures["classes"]["P"])


def counted(found: MatchFigures) -> tuple[int, int, int]:
    return found["matched"], found["missed"], found["spurious"]


def test_errors_are_positive_where_an_edge_is_late() -> None:
    found = found_in("..PPPP....PPP", ".PPPPPP...PPP", tolerance_ms=3)
    assert (found["onset"]["mean_ms"], found["offset"]["mean_ms"]) == (-0.5, 0.5)
    assert found["onset"]["deviation_ms"] == pytest.approx(0.5**0.5)
    assert counted(found["segment"]) == (2, 0, 0)
    assert found["segment"]["f1"] == 1.0


def test_an_edge_matches_up_to_the_tolerance() -> None:
    for late, wanted in ((3, (1, 0, 0)), (4, (0, 1, 1))):
        gold, predicted = "P" + "." * 9, "." * late + "P" + "." * (9 - late)
        assert counted(found_in(gold, predicted, tolerance_ms=3)["onset"]) == wanted


def test_a_segment_matches_by_both_edges() -> None:
    found = found_in("PPPPPPPPP.", "PPPP......", tolerance_ms=2)
    assert counted(found["onset"]) == (1, 0, 0)
    assert counted(found["offset"]) == counted(found["segment"]) == (0, 1, 1)
    assert found["segment"]["sensitivity"] == found["segment"]["f1"] == 0.0


def test_each_is_matched_once_and_with_the_nearest() -> None:
    found = found_in("..P.......", ".P.P.P....", tolerance_ms=5)
    assert counted(found["onset"]) == (1, 0, 2)
    assert abs(found["onset"]["mean_ms"]) == 1


def test_what_is_predicted_where_nothing_is_known_is_not_spurious_but_may_match() -> None:
    ignored = found_in("____PP..PP____", "..PPPP..PPPPP.", ignore="_", tolerance_ms=2)
    assert counted(ignored["onset"]) == (2, 0, 0)
    assert ignored["onset"]["mean_ms"] == -1.0
    assert counted(ignored["segment"]) == (1, 1, 0)
    assert counted(found_in("____....____", ".PP....P.PP.", ignore="_")["onset"]) == (0, 0, 1)


def test_what_was_never_there_or_found_has_no_figures() -> None:
    found = found_in("", "")
    assert counted(found["onset"]) == (0, 0, 0)
    assert found["onset"]["mean_ms"] is found["onset"]["deviation_ms"] is None
    assert found["segment"]["sensitivity"] is found["segment"]["positive_predictive_value"] is None


def test_long_signals_have_many_matches() -> None:
    gold = np.tile(np.repeat(np.array([0, 1, 2, 0], np.uint8), [7, 3, 4, 1]), 2000)
    scores = SegmentScores(RATE, CLASSES, 4)
    scores.add(gold, np.roll(gold, 1))
    onset = scores.figures()["classes"]["QRS"]["onset"]
    assert (onset["matched"], onset["mean_ms"], onset["deviation_ms"]) == (2000, 4.0, 0.0)


@pytest.mark.parametrize(
    ("gold", "predicted", "message"),
    [
        ([0, 1], [0], "signal 2: expected as many predicted labels as right ones, 2, got 1"),
        ([0, 3], [0, 1], "signal 2: 3 is none of the right labels, which are 0, 1, 2, 9"),
        ([0, 1], [0, 9], "signal 2: 9 is none of the predicted labels, which are 0, 1, 2"),
        ([0.0, 1.0], [0, 1], "signal 2: .* text or whole numbers, got float64 of shape"),
        ([[0, 1]], [[0, 1]], r"labels of shape \(steps,\), .* got int64 of shape \(1, 2\)"),
        (["1"], ["1"], "'1' is none of the right labels"),
    ],
)
def test_wrong_labels_are_refused_and_not_counted(gold: Any, predicted: Any, message: str) -> None:
    scores = SegmentScores(RATE, CLASSES, ignore=IGNORE)
    scores.add([0, 1], [0, 1])
    before = scores.figures()
    with pytest.raises(DataError, match=message):
        scores.add(gold, predicted)
    assert scores.figures() == before


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"rate": 0}, "rate: expected a finite number above 0, got 0"),
        ({"rate": float("nan")}, "rate: .* got nan"),
        ({"tolerance_ms": -1}, "tolerance_ms: expected a finite number from 0, got -1"),
        ({"classes": {}}, r"classes: expected one or more labels"),
        ({"classes": {0: "P"}}, r"besides background and ignore, \[0\], got \[0\]"),
        ({"ignore": 1}, r"besides background and ignore, \[0, 1\], got \[1, 2\]"),
    ],
)
def test_wrong_settings_are_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingError, match=message):
        SegmentScores(**{"rate": RATE, "classes": CLASSES, **settings})
