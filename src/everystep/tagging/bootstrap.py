"""How sure a figure is: intervals and comparisons by drawing the sentences again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from everystep.errors import DataError, SettingError
from everystep.kinds import shown
from everystep.tagging.scores import SentenceCounts

Floats = NDArray[np.float64]


def _sum(**factors: int) -> SentenceCounts:
    return SentenceCounts(**{"correct": 0, "steps": 0, **factors})


_PARTS: Final[Mapping[str, tuple[SentenceCounts, SentenceCounts]]] = {
    "accuracy": (_sum(correct=1), _sum(steps=1)),
    "accuracy_known": (
        _sum(correct=1, unknown_correct=-1),
        _sum(steps=1, unknown_steps=-1),
    ),
    "accuracy_unknown": (_sum(unknown_correct=1), _sum(unknown_steps=1)),
    "entity_precision": (_sum(entities_correct=1), _sum(entities_predicted=1)),
    "entity_recall": (_sum(entities_correct=1), _sum(entities_support=1)),
    "entity_f1": (
        _sum(entities_correct=2),
        _sum(entities_predicted=1, entities_support=1),
    ),
}
"""What is summed above and below the line of each figure, as factors of the counts."""

FIGURES: Final = tuple(_PARTS)
"""The figures that have an interval."""

_DRAWN_AT_ONCE: Final = 2_000_000
# What is equal but for rounding is equal: a difference, and twice that of the half of it.
_ROUNDING: Final = 1e-12


class Interval(NamedTuple):
    """A figure and the interval that it is sure to be in.

    Args:
        value: the figure.
        low: the lower end.
        high: the upper end.
    """

    value: float
    low: float
    high: float


class Difference(NamedTuple):
    """How much better one system is than another on the same sentences.

    Args:
        value: the figure of the first less that of the second.
        low: the lower end of its interval.
        high: the upper end.
        p_value: how often a difference as large comes about by chance where there is none.
    """

    value: float
    low: float
    high: float
    p_value: float


def confidence_interval(
    counts: Sequence[SentenceCounts],
    figure: str = "accuracy",
    *,
    level: float = 0.95,
    samples: int = 10_000,
    seed: int = 0,
) -> Interval:
    r"""Say between which values a figure lies, given that other sentences might have come.

    As many sentences as there are are drawn from them, each perhaps several times, and the figure
    is computed anew; the interval holds the middle share `level` of what comes out (the percentile
    interval). Sentences are drawn whole, since the steps of one depend on each other. Draws in
    which the figure is undefined are left out.

    Args:
        counts: what `Scores.add` returned for each sentence.
        figure: "accuracy", "accuracy_known", "accuracy_unknown", "entity_precision",
            "entity_recall" or "entity_f1".
        level: the share of draws in the interval, between 0 and 1.
        samples: how many times sentences are drawn.
        seed: the seed of the draws.

    Returns:
        The figure with its interval.

    Raises:
        SettingError: there is no such figure, level or number of samples.
        DataError: the figure is undefined for these sentences.

    >>> counts = [SentenceCounts(9, 10), SentenceCounts(3, 5), SentenceCounts(5, 5)] * 20
    >>> value, low, high = confidence_interval(counts)
    >>> f"{value:.3f}, from {low:.1f} to {high:.1f}"
    '0.850, from 0.8 to 0.9'

    Source: Efron 1979, Bootstrap methods: another look at the jackknife; Efron and Tibshirani 1993,
    An introduction to the bootstrap, chapter 13.
    """
    parts = _parts(counts, figure)
    value = _value(parts, figure)
    return Interval(value, *_middle(_ratios(_draws(parts, samples, seed)), level))


def paired_bootstrap(
    first: Sequence[SentenceCounts],
    second: Sequence[SentenceCounts],
    figure: str = "accuracy",
    *,
    level: float = 0.95,
    samples: int = 10_000,
    seed: int = 0,
) -> Difference:
    r"""Say whether one system is better than another, both on the same sentences.

    With $\delta$ the difference of the figures and $\delta_i$ that of the $i$-th of $n$ draws of
    the sentences, which are the same for both systems,

    $$p = \frac{1 + |\{i : \delta_i \ge 2\,\delta\}|}{1 + n}$$

    is how often chance alone makes the first system better by as much: draws vary around $\delta$
    as they would around 0 if there were no difference. It is never 0, as no number of draws shows
    that, and about 1 for two systems that are the same.

    Args:
        first: what `Scores.add` returned for each sentence of the first system.
        second: the same of the second system, in the same order.
        figure: as in `confidence_interval`.
        level: the share of draws in the interval of the difference, between 0 and 1.
        samples: how many times sentences are drawn.
        seed: the seed of the draws.

    Returns:
        The difference with its interval and p-value.

    Raises:
        SettingError: there is no such figure, level or number of samples.
        DataError: the systems have different sentences, or a figure is undefined for them.

    >>> better = [SentenceCounts(5, 5), SentenceCounts(4, 5), SentenceCounts(5, 5)] * 20
    >>> worse = [SentenceCounts(4, 5), SentenceCounts(4, 5), SentenceCounts(5, 5)] * 20
    >>> found = paired_bootstrap(better, worse)
    >>> round(found.value, 3), found.low > 0, found.p_value < 0.01
    (0.067, True, True)

    Source: Berg-Kirkpatrick, Burkett and Klein 2012, An empirical investigation of statistical
    significance in NLP, section 2; that one is added to both counts: Davison and Hinkley 1997,
    Bootstrap methods and their application, section 4.2.
    """
    if len(first) != len(second):
        raise DataError(
            f"expected both systems on the same sentences, got {len(first)} and {len(second)}"
        )
    for place, (one, other) in enumerate(zip(first, second, strict=True), 1):
        if one.steps != other.steps:
            raise DataError(
                f"sentence {place}: expected the same for both systems, got {one.steps} steps, and "
                f"{other.steps}"
            )
    parts = np.concatenate([_parts(first, figure), _parts(second, figure)], axis=1)
    value = _value(parts[:, :2], figure) - _value(parts[:, 2:], figure)
    draws = _draws(parts, samples, seed)
    differences = _ratios(draws[:, :2]) - _ratios(draws[:, 2:])
    low, high = _middle(differences, level)
    as_large = int(np.count_nonzero(differences >= 2 * value - _ROUNDING))
    drawn = int(np.count_nonzero(~np.isnan(differences)))
    return Difference(value, low, high, (1 + as_large) / (1 + drawn))


def _parts(counts: Sequence[SentenceCounts], figure: str) -> Floats:
    """Return what each sentence adds above and below the line, shape (sentences, 2)."""
    if figure not in _PARTS:
        raise SettingError(f"figure: expected one of {', '.join(_PARTS)}, got {shown(figure)}")
    table = np.asarray(counts, np.float64).reshape(-1, len(SentenceCounts._fields))
    return table @ np.asarray(_PARTS[figure], np.float64).T


def _value(parts: Floats, figure: str) -> float:
    above, below = parts.sum(axis=0)
    if not below:
        raise DataError(
            f"{figure}: undefined for {len(parts)} sentences in which there is nothing to count"
        )
    return float(above / below)


def _draws(parts: Floats, samples: int, seed: int) -> Floats:
    """Return the sums over the sentences of each draw, shape (samples, parts)."""
    if samples < 1:
        raise SettingError(f"samples: expected 1 or more, got {samples}")
    return np.concatenate(list(_in_chunks(parts, samples, np.random.default_rng(seed))))


def _in_chunks(parts: Floats, samples: int, random: np.random.Generator) -> Iterator[Floats]:
    sentences = len(parts)
    chunk = max(1, _DRAWN_AT_ONCE // sentences)
    for first in range(0, samples, chunk):
        size = (min(chunk, samples - first), sentences)
        drawn = random.integers(0, sentences, size)
        yield np.stack([part[drawn].sum(axis=1) for part in parts.T], axis=1)


def _ratios(sums: Floats) -> Floats:
    ratios = np.full(len(sums), np.nan)
    np.divide(sums[:, 0], sums[:, 1], out=ratios, where=sums[:, 1] > 0)
    return ratios


def _middle(values: Floats, level: float) -> tuple[float, float]:
    if not 0 < level < 1:
        raise SettingError(f"level: expected a share between 0 and 1, got {level}")
    defined = values[~np.isnan(values)]
    if not defined.size:
        raise DataError(f"the figure is undefined in all {values.size} draws; take more samples")
    low, high = np.quantile(defined, [(1 - level) / 2, (1 + level) / 2]).tolist()
    return low, high
