"""The training of a tagger of signals: from labelled signals to weights and a record."""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike
from typing import Any

import numpy as np

from everystep import losses
from everystep.callbacks import Callback
from everystep.core.randomness import seeded
from everystep.corpora.signals import Signal
from everystep.errors import DataError
from everystep.tagging.fitting import Lesson, compile_network
from everystep.tagging.resuming import identity_of
from everystep.tagging.signals.batches import TrainingBatches
from everystep.tagging.signals.features import Scale
from everystep.tagging.signals.measuring import measure
from everystep.tagging.signals.model import SignalModel
from everystep.tagging.signals.samples import marks_of
from everystep.tagging.signals.settings import SignalSettings


def train(
    signals: Sequence[Signal],
    dev: Sequence[Signal] | None,
    names: tuple[str, ...],
    settings: SignalSettings,
    verbose: str | int,
    further: Sequence[Callback] = (),
    resume: str | PathLike[str] | None = None,
) -> tuple[SignalModel, dict[str, Any]]:
    """Train a tagger of signals; see `SignalTagger.train`.

    Returns:
        The model with the best weights, and the record of the training.
    """
    with seeded(settings.seed):
        scale = Scale.of([signal.values for signal in signals])
        batches = TrainingBatches(signals, settings, scale)
        model = SignalModel(settings, scale, names)
        loss = losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=settings.ignore)
        compile_network(model.network, settings, len(batches), loss)
        lesson = Lesson(
            settings,
            model.network,
            batches,
            (lambda: measure(model, dev).figures) if dev else None,
            "accuracy",
            identity_of(settings, map(_plain, signals), map(_plain, dev or ())),
        )
        record = lesson.learn(verbose, further, resume)
    steps = sum(int((marks_of(one) != settings.ignore).sum()) for one in signals)
    return model, {"signals": len(signals), "steps": steps} | record


def names_of(signals: Sequence[Signal], settings: SignalSettings) -> tuple[str, ...]:
    """Return the names of labels 0, 1 and so on: those of the settings, or numbers.

    Raises:
        DataError: there are no names, and the only label is 0.
    """
    if settings.names:
        return tuple(settings.names)
    seen = np.concatenate([marks_of(signal) for signal in signals])
    largest = int(seen[seen != settings.ignore].max())
    if not largest:
        raise DataError("train: all labels are 0, so that there is nothing to tell apart")
    return tuple(map(str, range(largest + 1)))


def _plain(signal: Signal) -> bytes:
    """Return what a signal holds, as bytes for a digest."""
    arrays = signal.values, marks_of(signal)
    return b"".join(f"{each.dtype.str}{each.shape}".encode() + each.tobytes() for each in arrays)
