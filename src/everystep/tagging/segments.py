"""Segments in the labels of signals: how many are found, and how far their edges are off."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from everystep.drawing.figures import ClassFigures, EdgeFigures, MatchFigures, SignalFigures
from everystep.errors import DataError, SettingError
from everystep.tagging.rates import counted_rates
from everystep.tagging.scores import Label

Places = NDArray[np.int64]

# What is within the tolerance but for rounding is within it.
_ROUNDING = 1e-9


class SegmentScores:
    r"""Counts how well the segments of signals are found, and how far their edges are off.

    A segment is a run of steps with one label; its onset is its first step and its offset its last.
    Onsets, offsets and segments are each matched one to one, nearest first, where they are no
    further apart than the tolerance, a segment where both of its edges are not. What is not matched
    is missed, or spurious. For those matched, with $e_i$ the time of the predicted edge less that
    of the right one in milliseconds, mean and standard deviation of $e$ are given.

    Steps whose right label is `ignore` count for nothing: what is predicted there may match an edge
    beside them, but is never spurious. Only counts and sums are kept, so that any number of signals
    takes the same memory.

    Args:
        rate: steps a second.
        classes: the name of each label whose segments count.
        tolerance_ms: how far off an edge may be, in milliseconds.
        background: the label of steps that belong to no segment.
        ignore: the right label of steps that are not known; None if all are.

    Raises:
        SettingError: rate or tolerance are out of range, or labels stand for two things.

    >>> scores = SegmentScores(rate=100, classes={1: "P"}, tolerance_ms=20)
    >>> scores.add([0, 1, 1, 1, 0, 0, 0, 0], [0, 0, 1, 1, 0, 0, 1, 0])
    >>> found = scores.figures()["classes"]["P"]
    >>> found["onset"]["mean_ms"], found["offset"]["mean_ms"], found["segment"]["spurious"]
    (10.0, 0.0, 1)

    Source: Martínez, Almeida, Olmos, Rocha and Laguna 2004, A wavelet-based ECG delineator, section
    III, for the measures; ANSI/AAMI EC57 for the tolerance of 150 ms.
    """

    def __init__(
        self,
        rate: float,
        classes: Mapping[Any, str],
        tolerance_ms: float = 150.0,
        background: Label = 0,
        ignore: Label | None = None,
    ) -> None:
        if not 0 < rate < math.inf:
            raise SettingError(f"rate: expected a finite number above 0, got {rate}")
        if not 0 <= tolerance_ms < math.inf:
            raise SettingError(f"tolerance_ms: expected a finite number from 0, got {tolerance_ms}")
        others = [background] if ignore is None else [background, ignore]
        if not classes or len({*classes, *others}) != len(classes) + len(others):
            raise SettingError(
                f"classes: expected one or more labels besides background and ignore, {others}, "
                f"got {list(classes)}"
            )
        self._rate = rate
        self._tolerance_ms = tolerance_ms
        self._classes = dict(classes)
        self._background = background
        self._ignore = ignore
        self._signals = 0
        self._tallies = {label: _Tallies() for label in classes}

    def add(self, gold: ArrayLike, predicted: ArrayLike) -> None:
        """Count one signal.

        Args:
            gold: the right labels, shape (steps,): text or whole numbers.
            predicted: the predicted labels, of the same shape and kind.

        Raises:
            DataError: the shapes differ, or a label is none of those that were declared. Nothing of
                the signal is counted then.
        """
        known = [self._background, *self._classes]
        right = self._checked("right", gold, [*known, self._ignore])
        said = self._checked("predicted", predicted, known)
        if right.shape != said.shape:
            raise DataError(
                f"{self._place()}: expected as many predicted labels as right ones, {right.size}, "
                f"got {said.size}"
            )
        self._signals += 1
        counts = np.ones(right.shape, bool) if self._ignore is None else right != self._ignore
        within = self._tolerance_ms * self._rate / 1000 + _ROUNDING
        for label, tallies in self._tallies.items():
            tallies.add(_runs(right == label), _runs(said == label), within, counts)

    def _checked(self, name: str, labels: ArrayLike, known: list[Any]) -> NDArray[Any]:
        found = np.asarray(labels)
        if found.ndim != 1 or (found.size and found.dtype.kind not in "iuU"):
            raise DataError(
                f"{self._place()}: expected {name} labels of shape (steps,), text or whole "
                f"numbers, got {found.dtype} of shape {found.shape}"
            )
        strange = [label for label in np.unique(found).tolist() if label not in known]
        if strange:
            raise DataError(
                f"{self._place()}: {strange[0]!r} is none of the {name} labels, which are "
                f"{', '.join(repr(label) for label in known if label is not None)}"
            )
        return found

    def _place(self) -> str:
        return f"signal {self._signals + 1}"

    def figures(self) -> SignalFigures:
        """Return what was found so far, as plain data.

        Returns:
            The figures, fit for JSON; `everystep.drawing.figures` says what each is.
        """
        return {
            "rate": self._rate,
            "tolerance_ms": self._tolerance_ms,
            "signals": self._signals,
            "classes": {
                name: self._tallies[label].figures(1000 / self._rate)
                for label, name in self._classes.items()
            },
        }


@dataclass
class _Tally:
    """Counts, and sums of errors in steps, which are whole numbers and so are exact."""

    matched: int = 0
    missed: int = 0
    spurious: int = 0
    errors: int = 0
    squares: int = 0

    def add(self, there: Places, found: Places, within: float, counts: NDArray[np.bool_]) -> None:
        """Match what is there with what was found, each by one place or more."""
        ours, theirs = _matched(there, found, within)
        errors = (found[theirs] - there[ours])[:, 0]
        alone = np.setdiff1d(np.arange(len(found)), theirs)
        self.matched += len(ours)
        self.missed += len(there) - len(ours)
        self.spurious += int(counts[found[alone]].all(axis=1).sum())
        self.errors += int(errors.sum())
        self.squares += int((errors**2).sum())

    def matches(self) -> MatchFigures:
        rates = counted_rates(
            self.matched, self.matched + self.spurious, self.matched + self.missed
        )
        return {
            "matched": self.matched,
            "missed": self.missed,
            "spurious": self.spurious,
            "sensitivity": rates["recall"],
            "positive_predictive_value": rates["precision"],
            "f1": rates["f1"],
        }

    def edges(self, step_ms: float) -> EdgeFigures:
        n = self.matched
        spread = n * self.squares - self.errors**2
        return {
            **self.matches(),
            "mean_ms": self.errors / n * step_ms if n else None,
            "deviation_ms": math.sqrt(spread / (n * (n - 1))) * step_ms if n > 1 else None,
        }


@dataclass
class _Tallies:
    """What is counted of one class."""

    onset: _Tally = field(default_factory=_Tally)
    offset: _Tally = field(default_factory=_Tally)
    segment: _Tally = field(default_factory=_Tally)

    def add(self, there: Places, found: Places, within: float, counts: NDArray[np.bool_]) -> None:
        for tally, edges in ((self.onset, [0]), (self.offset, [1]), (self.segment, [0, 1])):
            tally.add(there[:, edges], found[:, edges], within, counts)

    def figures(self, step_ms: float) -> ClassFigures:
        return {
            "onset": self.onset.edges(step_ms),
            "offset": self.offset.edges(step_ms),
            "segment": self.segment.matches(),
        }


def _runs(inside: NDArray[np.bool_]) -> Places:
    """Return first and last step of each run, shape (runs, 2).

    >>> _runs(np.array([True, True, False, True])).tolist()
    [[0, 1], [3, 3]]
    """
    changes = np.flatnonzero(np.diff(inside, prepend=False, append=False))
    return np.stack([changes[::2], changes[1::2] - 1], axis=1)


def _matched(there: Places, found: Places, within: float) -> tuple[Places, Places]:
    """Return which of those that are there go with which of those found, nearest first.

    Both are in order, so that those near enough to one stand side by side.
    """
    first = np.searchsorted(found[:, 0], there[:, 0] - within)
    many = np.searchsorted(found[:, 0], there[:, 0] + within, "right") - first
    ours = np.repeat(np.arange(len(there)), many)
    theirs = np.arange(many.sum()) + np.repeat(first - (np.cumsum(many) - many), many)
    apart = np.abs(there[ours] - found[theirs])
    near = (apart <= within).all(axis=1)
    order = np.argsort(apart.sum(axis=1)[near], kind="stable")
    taken: dict[int, int] = {}
    used: set[int] = set()
    for one, other in zip(ours[near][order].tolist(), theirs[near][order].tolist(), strict=True):
        if one not in taken and other not in used:
            taken[one] = other
            used.add(other)
    return np.array([*taken], np.int64), np.array([*taken.values()], np.int64)
