"""What people hand to a tagger of signals, made into signals; what cannot be used is named."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from everystep.corpora.signals import Signal
from everystep.errors import DataError
from everystep.kinds import shown

Values = NDArray[Any]
MOST_LABELS = 1000
"""A label above this is taken for a value that stands for none, which was not named."""


def labelled(
    given: Iterable[Any],
    what: str,
    ignore: int,
    most: int = MOST_LABELS,
    channels: int | None = None,
) -> list[Signal]:
    """Return signals with labels, from `Signal`s or pairs of values and labels.

    Args:
        given: the signals.
        what: what they are, for messages.
        ignore: the label of steps that have none.
        most: how many labels there may be; 0 is the first.
        channels: how many channels each has; those of the first if None.

    Raises:
        DataError: one has no labels, another number of them than steps, other channels, or a label
            that does not exist; or no step at all has a label.

    Example:
        >>> labelled([([0.5, 1.5], [0, 255])], "train", ignore=255)[0].values.shape
        (2, 1)
    """
    found = []
    for number, each in enumerate(given, 1):
        signal = _labelled(each, f"{what}, signal {number}")
        channels = signal.values.shape[1] if channels is None else channels
        check_channels(signal, channels)
        _check_labels(signal, ignore, most)
        found.append(signal)
    if not any((marks_of(signal) != ignore).any() for signal in found):
        raise DataError(
            f"{what}: no step has a label but {ignore}, which stands for none; give labels, or "
            "another value for ignore"
        )
    return found


def marks_of(signal: Signal) -> Values:
    """Return the labels of a signal that has some."""
    return np.empty(0, np.int64) if signal.labels is None else signal.labels


def _labelled(given: Any, name: str) -> Signal:
    if isinstance(given, tuple | list) and len(given) == 2:
        values, labels = given
        given = Signal(_of_channels(values, name), np.asarray(labels), name)
    if not isinstance(given, Signal):
        raise DataError(f"{name}: expected a Signal, or values and labels, got {shown(given)}")
    if given.labels is None:
        raise DataError(f"{given.place or name}: has no labels to learn from or to compare with")
    return given if given.place else Signal(given.values, given.labels, name, given.source)


def _check_labels(signal: Signal, ignore: int, most: int) -> None:
    marks = marks_of(signal)
    wrong = np.flatnonzero((marks != ignore) & ((marks < 0) | (marks >= most)))
    if len(wrong):
        raise DataError(
            f"{signal.place}: expected labels from 0 to {most - 1}, or {ignore} for none, got "
            f"{marks[wrong[0]]} at step {wrong[0]}"
        )


def check_channels(signal: Signal, channels: int) -> None:
    """Refuse a signal of other channels than a tagger, or the first signal, has.

    Raises:
        DataError: there are more or fewer.
    """
    if signal.values.shape[1] != channels:
        raise DataError(
            f"{signal.place or 'the signal'}: expected {channels} channels, got "
            f"{signal.values.shape[1]}"
        )


def unlabelled(given: Iterable[Any], channels: int) -> Iterator[Values]:
    """Yield the values of signals; see `values_of`."""
    for number, each in enumerate(given, 1):
        yield values_of(each, channels, f"signal {number}")


def values_of(given: Any, channels: int, name: str) -> Values:
    """Return the values of a `Signal`, or an array of them, (steps, channels).

    Args:
        given: the signal.
        channels: how many channels it has.
        name: what it is, for messages.

    Raises:
        DataError: it is neither, has other channels, or a number that is not finite.
    """
    signal = given if isinstance(given, Signal) else Signal(_of_channels(given, name), None, name)
    check_channels(signal, channels)
    return signal.values


def _of_channels(given: Any, name: str) -> Values:
    """Return an array of shape (steps, channels); without the second axis there is one channel."""
    try:
        values = np.asarray(given)
    except ValueError as error:
        raise DataError(f"{name}: is no array: {error}") from error
    return values[:, None] if values.ndim == 1 else values
