"""How well a tagger labels signals: by steps, and by segments and their edges."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from everystep.corpora.signals import Signal
from everystep.tagging.scores import Scores
from everystep.tagging.segments import SegmentScores
from everystep.tagging.signals.model import SignalModel
from everystep.tagging.signals.samples import marks_of


def evaluate(model: SignalModel, signals: Sequence[Signal]) -> dict[str, Any]:
    """Return the figures of `Scores`, and where a rate is known those of `SegmentScores`."""
    found = (scores.argmax(-1) for scores in model.scores(one.values for one in signals))
    return compared(model, signals, found)


def compared(
    model: SignalModel, signals: Iterable[Signal], predicted: Iterable[Any]
) -> dict[str, Any]:
    """Return how well labels were predicted, which come as numbers, (steps,) for each signal."""
    settings, names = model.settings, np.array(model.names, dtype=object)
    scores, segments = Scores(), None
    if settings.rate is not None and len(names) > 1:
        classes = {number: str(name) for number, name in enumerate(names) if number}
        segments = SegmentScores(settings.rate, classes, ignore=settings.ignore)
    for signal, said in zip(signals, predicted, strict=True):
        marks = marks_of(signal).astype(np.int64)
        counts = marks != settings.ignore
        scores.add(list(names[marks[counts]]), list(names[said[counts]]))
        if segments is not None:
            segments.add(marks, said)
    return {**scores.figures(), **({} if segments is None else {"segments": segments.figures()})}
