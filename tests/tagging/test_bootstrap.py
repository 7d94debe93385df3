"""Intervals and comparisons by drawing sentences agree with all draws that there are."""

from collections.abc import Callable
from itertools import product

import numpy as np
import pytest

from everystep.errors import DataError, SettingError
from everystep.tagging import (
    Scores,
    SentenceCounts,
    bootstrap,
    confidence_interval,
    paired_bootstrap,
)

FIRST = [
    SentenceCounts(3, 4, 1, 1, 2, 1, 2),
    SentenceCounts(7, 7, 0, 2, 1, 3, 3),
    SentenceCounts(1, 5, 0, 0, 0, 0, 3),
    SentenceCounts(2, 2, 3, 3, 4),
    SentenceCounts(0, 1, 1, 2, 1),
]
SECOND = [
    SentenceCounts(2, 4, 1, 3, 2, 0, 2),
    SentenceCounts(7, 7, 1, 2, 1, 3, 3),
    SentenceCounts(1, 5, 0, 1, 0, 1, 3),
    SentenceCounts(1, 2, 2, 3, 4),
    SentenceCounts(1, 1, 0, 2, 1),
]
FIGURES: dict[str, Callable[[list[SentenceCounts]], tuple[int, int]]] = {
    "accuracy": lambda all_: (sum(s.correct for s in all_), sum(s.steps for s in all_)),
    "accuracy_known": lambda all_: (
        sum(s.correct - s.unknown_correct for s in all_),
        sum(s.steps - s.unknown_steps for s in all_),
    ),
    "accuracy_unknown": lambda all_: (
        sum(s.unknown_correct for s in all_),
        sum(s.unknown_steps for s in all_),
    ),
    "entity_precision": lambda all_: (
        sum(s.entities_correct for s in all_),
        sum(s.entities_predicted for s in all_),
    ),
    "entity_recall": lambda all_: (
        sum(s.entities_correct for s in all_),
        sum(s.entities_support for s in all_),
    ),
    "entity_f1": lambda all_: (
        2 * sum(s.entities_correct for s in all_),
        sum(s.entities_predicted + s.entities_support for s in all_),
    ),
}


def every_draw(counts: list[SentenceCounts], figure: str) -> np.ndarray:
    """The figure of each of the n ** n draws, NaN where it is undefined."""
    pairs = [FIGURES[figure](list(drawn)) for drawn in product(counts, repeat=len(counts))]
    return np.array([above / below if below else np.nan for above, below in pairs])


@pytest.mark.parametrize("figure", FIGURES)
def test_the_interval_is_that_of_all_draws(figure: str) -> None:
    draws = every_draw(FIRST, figure)
    draws = draws[~np.isnan(draws)]
    found = confidence_interval(FIRST, figure, level=0.8, samples=40_000)
    assert found.value == pytest.approx(np.divide(*FIGURES[figure](FIRST)))
    # The share of all draws below each end, as the draws are few and many of them are equal.
    assert np.mean(draws < found.low) - 0.01 <= 0.1 <= np.mean(draws <= found.low) + 0.01
    assert np.mean(draws > found.high) - 0.01 <= 0.1 <= np.mean(draws >= found.high) + 0.01


@pytest.mark.parametrize("figure", FIGURES)
@pytest.mark.parametrize("systems", [(FIRST, SECOND), (SECOND, FIRST)])
def test_a_comparison_is_that_of_all_draws(
    figure: str, systems: tuple[list[SentenceCounts], list[SentenceCounts]]
) -> None:
    each = [every_draw(system, figure) for system in systems]
    differences = each[0] - each[1]
    differences = differences[~np.isnan(differences)]
    value = np.divide(*FIGURES[figure](systems[0])) - np.divide(*FIGURES[figure](systems[1]))
    found = paired_bootstrap(*systems, figure, samples=40_000)
    assert found.value == pytest.approx(value)
    assert found.p_value == pytest.approx(np.mean(differences >= 2 * value - 1e-9), abs=0.01)
    low, high = np.quantile(differences, [0.025, 0.975])
    assert (found.low, found.high) == pytest.approx((low, high), abs=0.03)


def test_an_interval_holds_the_truth_about_as_often_as_it_says() -> None:
    random = np.random.default_rng(3)
    held = 0
    for trial in range(300):
        steps = random.integers(1, 30, 60)
        # Sentences are of different difficulty, so that steps of one depend on each other.
        correct = random.binomial(steps, random.beta(8, 2, 60))
        counts = [SentenceCounts(*each) for each in zip(correct, steps, strict=True)]
        found = confidence_interval(counts, level=0.9, samples=300, seed=trial)
        held += found.low <= 0.8 <= found.high
    # Three standard deviations of the count around 90 %, and 2 % as percentiles are a bit narrow.
    assert 0.83 <= held / 300 <= 0.95


def test_two_systems_without_a_difference_rarely_seem_to_have_one() -> None:
    random = np.random.default_rng(4)
    seeming = 0
    for trial in range(300):
        steps = random.integers(1, 30, 60)
        difficulty = random.beta(8, 2, 60)
        first, second = (
            [SentenceCounts(*each) for each in zip(correct, steps, strict=True)]
            for correct in random.binomial(steps, difficulty, (2, 60))
        )
        seeming += paired_bootstrap(first, second, samples=300, seed=trial).p_value < 0.1
    assert 0.05 <= seeming / 300 <= 0.16


def test_a_system_is_not_better_than_itself() -> None:
    assert paired_bootstrap(FIRST, FIRST) == (0.0, 0.0, 0.0, 1.0)


def test_draws_follow_from_the_seed() -> None:
    found = confidence_interval(FIRST, seed=1)
    assert found == confidence_interval(FIRST, seed=1)
    assert found != confidence_interval(FIRST, seed=2)


def test_draws_in_chunks_are_the_same_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = confidence_interval(FIRST, samples=103)
    monkeypatch.setattr(bootstrap, "_DRAWN_AT_ONCE", 20)
    assert confidence_interval(FIRST, samples=103) == whole


def test_one_sentence_leaves_no_doubt() -> None:
    assert confidence_interval([SentenceCounts(3, 4)]) == (0.75, 0.75, 0.75)


def test_what_scores_count_is_enough() -> None:
    scores = Scores()
    counts = [scores.add(["B-a", "O"], ["B-a", said]) for said in ("O", "B-a", "I-a")]
    found = confidence_interval(counts, "entity_f1")
    assert found.value == scores.figures()["entity_f1"]


@pytest.mark.parametrize("counts", [[], [SentenceCounts(0, 0)], [SentenceCounts(1, 1)]])
def test_an_undefined_figure_is_refused(counts: list[SentenceCounts]) -> None:
    with pytest.raises(DataError, match=f"entity_f1: undefined for {len(counts)} sentences"):
        confidence_interval(counts, "entity_f1")


def test_a_figure_that_no_draw_defines_is_refused() -> None:
    counts = [SentenceCounts(1, 1)] * 200 + [SentenceCounts(1, 1, 1, 1, 1)]
    with pytest.raises(DataError, match="undefined in all 1 draws; take more samples"):
        confidence_interval(counts, "entity_f1", samples=1, seed=3)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"figure": "f1"}, "figure: expected one of accuracy, .* got 'f1'"),
        ({"level": 1.0}, "level: expected a share between 0 and 1, got 1.0"),
        ({"level": 95}, "level: .* got 95"),
        ({"samples": 0}, "samples: expected 1 or more, got 0"),
    ],
)
def test_wrong_settings_are_refused(settings: dict[str, object], message: str) -> None:
    with pytest.raises(SettingError, match=message):
        confidence_interval(FIRST, **settings)  # type: ignore[arg-type]
    with pytest.raises(SettingError, match=message):
        paired_bootstrap(FIRST, SECOND, **settings)  # type: ignore[arg-type]


def test_systems_on_other_sentences_are_refused() -> None:
    with pytest.raises(DataError, match="both systems on the same sentences, got 5 and 4"):
        paired_bootstrap(FIRST, SECOND[:4])
    with pytest.raises(DataError, match=r"sentence 1: .* got 4 steps, and 7"):
        paired_bootstrap(FIRST, SECOND[1::-1] + SECOND[2:])
