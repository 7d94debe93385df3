"""How well a tagger labels signals: by steps, and by segments and their edges."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from everystep.corpora.signals import Signal
from everystep.tagging.measuring import Measured
from everystep.tagging.scores import Scores
from everystep.tagging.segments import SegmentScores
from everystep.tagging.signals.model import SignalModel
from everystep.tagging.signals.samples import marks_of


def measure(model: SignalModel, signals: Sequence[Signal]) -> Measured:
    """Return how well a model labels signals, in all and one by one.

    Figures are those of `Scores`, and where a rate is known those of `SegmentScores`.
    """
    settings, names = model.settings, np.array(model.names, dtype=object)
    scores, counts, segments = Scores(), [], None
    if settings.rate is not None and len(names) > 1:
        classes = {number: str(name) for number, name in enumerate(names) if number}
        segments = SegmentScores(settings.rate, classes, ignore=settings.ignore)
    found = model.scores(signal.values for signal in signals)
    for signal, each in zip(signals, found, strict=True):
        marks, said = marks_of(signal).astype(np.int64), each.argmax(-1)
        counted = marks != settings.ignore
        counts.append(scores.add(list(names[marks[counted]]), list(names[said[counted]])))
        if segments is not None:
            segments.add(marks, said)
    more = {} if segments is None else {"segments": segments.figures()}
    return Measured({**scores.figures(), "unit": "signal", **more}, counts)
