"""Scores as text say what was counted."""

from everystep.drawing import figures_text, signals_text, spread_text
from everystep.tagging import Scores, SegmentScores, over_runs


def words_of(text: str) -> list[list[str]]:
    return [line.replace(" %", "%").split() for line in text.splitlines()]


def test_entities_have_a_table_of_their_own() -> None:
    scores = Scores(known={"a"})
    scores.add(
        ["B-PER", "I-PER", "O", "B-LOC"], ["B-PER", "I-PER", "B-LOC", "B-LOC"], ["a", "a", "a", "b"]
    )
    lines = words_of(figures_text(scores.figures(), 90, {"entity_f1": (0.5, 1.0)}))
    assert ["accuracy", "75.00%", "4", "steps", "in", "1", "sentence"] in lines
    assert ["on", "known", "words", "66.67%", "3", "steps"] in lines
    assert ["on", "unknown", "words", "100.00%", "1", "step"] in lines
    assert ["entity", "F1", "80.00%", "50.00", "to", "100.00%", "2", "entities"] in lines
    assert ["O", "1", "-", "0.00%", "0.00%", "B-LOC", "1"] in lines
    assert ["LOC", "1", "50.00%", "100.00%", "66.67%"] in lines
    assert ["PER", "1", "100.00%", "100.00%", "100.00%"] in lines


def test_labels_come_most_frequent_first_and_lines_keep_their_width() -> None:
    scores = Scores()
    gold = ["rare", *["frequent"] * 5, *["middling"] * 3]
    scores.add(gold, ["frequent", *["rare"] * 2, *["middling"] * 2, *["frequent"] * 4])
    text = figures_text(scores.figures(), 64)
    first = [line.split()[0] for line in text.splitlines()[-3:]]
    assert first == ["frequent", "middling", "rare"]
    assert "middling 2, rare 2" in text
    assert max(map(len, text.splitlines())) <= 64


def test_nothing_counted_has_lines_without_a_table() -> None:
    assert words_of(figures_text(Scores().figures(), 80)) == [
        ["accuracy", "-", "0", "steps", "in", "0", "sentences"],
        ["macro", "F1", "-", "0", "labels"],
    ]


def test_one_run_has_no_deviation_and_counts_are_not_shown() -> None:
    scores = Scores()
    scores.add(["x", "y"], ["x", "x"])
    lines = words_of(spread_text(over_runs([scores.figures()]), 80))
    assert lines[2:] == [["accuracy", "50.00%", "-", "50.00%", "50.00%", "1"]]


def test_signals_say_edges_and_segments() -> None:
    scores = SegmentScores(250, {1: "P", 2: "T"}, tolerance_ms=40)
    scores.add([0, 1, 1, 0, 0, 1, 1, 0], [1, 1, 1, 0, 0, 0, 1, 1])
    lines = words_of(signals_text(scores.figures(), 100))
    counts = ["2", "0", "0", "100.00%", "100.00%", "100.00%"]
    assert lines[0][:2] == ["1", "signal,"]
    assert ["P", "onset", *counts, "0.0", "±", "5.7"] in lines
    assert ["P", "offset", *counts, "2.0", "±", "2.8"] in lines
    assert ["T", "onset", "0", "0", "0", "-", "-", "-", "-"] in lines
    assert lines[-1] == ["T", "segment", "0", "0", "0", "-", "-", "-"]
