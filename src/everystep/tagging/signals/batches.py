"""Signals in windows for training, packed into rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from everystep.corpora.signals import Signal, Windows
from everystep.sequences import (
    Batches,
    Ragged,
    Steps,
    gather_back,
    packed_batches,
    plan_rows,
    row_shape,
)
from everystep.tagging.signals.features import Scale, Values, folded
from everystep.tagging.signals.samples import marks_of
from everystep.tagging.signals.settings import SignalSettings

PREDICTED_ROWS = 16
"""How many rows a batch has that is to be labelled; more of them are no faster."""


def windows_of(settings: SignalSettings) -> Windows:
    """Return the windows of folded steps."""
    return Windows(settings.window // settings.fold, settings.overlap // settings.fold)


class TrainingBatches:
    """The batches of an epoch by number: windows that start elsewhere in each epoch.

    Of each signal what is too far from any label to be read with it is left out.

    Args:
        signals: the signals.
        settings: the sizes, and the seed.
        scale: the scale of channels.
    """

    def __init__(self, signals: Sequence[Signal], settings: SignalSettings, scale: Scale) -> None:
        self._windows = Windows(settings.window // settings.fold)
        self._seed, self.epoch = settings.seed, 0
        self._pairs = [
            (
                folded(scale.apply(signal.values[part]), settings.fold),
                folded(
                    marks_of(signal)[part, None].astype(np.int32), settings.fold, settings.ignore
                ),
            )
            for signal in signals
            if (part := _labelled_part(signal, settings)) is not None
        ]
        lengths = np.array([len(piece) for piece, _ in self._pieces()])
        self._rows, self._length = row_shape(lengths, min(settings.batch_size, len(lengths)))
        self._batches = self._packed()

    def _pieces(self) -> Iterator[tuple[Values, Values]]:
        """Yield values and labels of each window, as many in each epoch."""
        random = np.random.default_rng([self._seed, self.epoch])
        length = self._windows.length
        for values, labels in self._pairs:
            last = max(len(values) - length, 0)
            for start in self._windows.starts(len(values)):
                moved = start + int(random.integers(length)) - length // 2
                part = slice(first := min(max(moved, 0), last), first + length)
                yield values[part], labels[part]

    def _packed(self) -> Batches:
        values, labels = (Ragged.of(list(each)) for each in zip(*self._pieces(), strict=True))
        order = np.random.default_rng([self._seed, self.epoch, 1]).permutation(len(values))
        plan = plan_rows(values.lengths, self._length, order)
        return packed_batches(values, plan, self._rows, {"labels": labels})

    @property
    def fill(self) -> float:
        """The share of cells that are real steps."""
        return self._batches.fill

    def __len__(self) -> int:
        return len(self._batches)

    def __getitem__(self, number: int) -> tuple[Steps, Any]:
        batch = self._batches[number]
        return batch.steps, batch.aligned["labels"]

    def on_epoch_end(self) -> None:
        """Cut the windows of the next epoch."""
        self.epoch += 1
        self._batches = self._packed()


def _labelled_part(signal: Signal, settings: SignalSettings) -> slice | None:
    """Return where labels are, and half the overlap on both sides; None without any."""
    places = np.flatnonzero(marks_of(signal) != settings.ignore)
    if not len(places):
        return None
    context = settings.overlap // 2
    return slice(max(int(places[0]) - context, 0), int(places[-1]) + 1 + context)


def scored(network: Any, pieces: Sequence[Values], length: int) -> list[Values]:
    """Return what a network gives for each window, packed into rows of so many steps."""
    if not pieces:
        return []
    windows = Ragged.of(list(pieces))
    plan = plan_rows(windows.lengths, length)
    rows = min(PREDICTED_ROWS, 1 << (max(len(plan), 1) - 1).bit_length())
    outputs, segments = [], []
    for batch in packed_batches(windows, plan, rows):
        outputs.append(np.asarray(network.predict_on_batch(batch.steps).values))
        segments.append(batch.steps.segments)
    return gather_back(outputs, segments, windows.lengths).split()
