"""The form of scores: plain data, as `--json` prints them and tables and pictures draw them.

Shares are from 0 to 1. What is undefined, such as the precision of a label that was never
predicted, is None, never NaN, so that all of it can be written as JSON.
"""

from __future__ import annotations

from typing import NotRequired, TypedDict


class Rates(TypedDict):
    """Precision, recall, and F1, their harmonic mean."""

    precision: float | None
    recall: float | None
    f1: float | None


class CountedRates(Rates):
    """The rates of one label or one type of entity, and the counts that they come from.

    `support` is how many there are, `predicted` how many were predicted, and `correct` how many of
    these are right.
    """

    support: int
    predicted: int
    correct: int


class ConfusionMatrix(TypedDict):
    """How often each label, by row, was given each label, by column, in the order of `labels`."""

    labels: list[str]
    counts: list[list[int]]


class Figures(TypedDict):
    """How well the steps of some sentences were labelled.

    Known steps are those of words that training saw; their figures are None where that is not
    known. `macro` is the mean over all labels that are there or were predicted, where an undefined
    rate counts as 0; `micro` counts all steps together. What begins with `entit` is there only
    where the labels are those of entities, and `segments` where steps are those of signals of a
    known rate. `unit` is what `sentences` counts, if it is something else.
    """

    accuracy: float | None
    accuracy_known: float | None
    accuracy_unknown: float | None
    steps: int
    steps_known: int | None
    steps_unknown: int | None
    sentences: int
    labels: dict[str, CountedRates]
    macro: Rates
    micro: Rates
    confusion: ConfusionMatrix
    entities: NotRequired[dict[str, CountedRates]]
    entity_precision: NotRequired[float | None]
    entity_recall: NotRequired[float | None]
    entity_f1: NotRequired[float | None]
    segments: NotRequired[SignalFigures]
    unit: NotRequired[str]


class Difference(TypedDict):
    """By how much one system is better than another in one figure, on the same sentences.

    `low` and `high` are the ends of its interval; `p_value` is how often chance alone makes it as
    much better.
    """

    value: float
    low: float
    high: float
    p_value: float


class Spread(TypedDict):
    """One figure of several runs.

    `deviation` is the sample standard deviation, None for a single run; `runs` is how many runs
    the figure is defined in.
    """

    mean: float
    deviation: float | None
    smallest: float
    largest: float
    runs: int


class MatchFigures(TypedDict):
    """How many of what is there were found, and how many were found where there is none.

    `sensitivity` is the share of what is there that was found, `positive_predictive_value` the
    share of what was found that is there, and `f1` their harmonic mean.
    """

    matched: int
    missed: int
    spurious: int
    sensitivity: float | None
    positive_predictive_value: float | None
    f1: float | None


class EdgeFigures(MatchFigures):
    """The onsets or offsets of one class, and how far the matched ones are off.

    Errors are in milliseconds, positive where the predicted edge is late. `deviation_ms` is the
    sample standard deviation, None for fewer than 2.
    """

    mean_ms: float | None
    deviation_ms: float | None


class ClassFigures(TypedDict):
    """The edges of one class, and its segments, of which both edges have to match."""

    onset: EdgeFigures
    offset: EdgeFigures
    segment: MatchFigures


class SignalFigures(TypedDict):
    """How well the segments of signals were found.

    `rate` is in steps a second, `tolerance_ms` how far off an edge may be and still match.
    """

    rate: float
    tolerance_ms: float
    signals: int
    classes: dict[str, ClassFigures]
