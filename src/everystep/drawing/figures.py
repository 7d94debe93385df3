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
    where the labels are those of entities.
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
