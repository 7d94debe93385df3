"""Signals that have no end: labelled as they come, in memory that does not grow."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np

from everystep.tagging.signals.batches import windows_of
from everystep.tagging.signals.features import Values, folded
from everystep.tagging.signals.model import SignalModel, unfolded
from everystep.tagging.signals.samples import values_of


class _Reader(Protocol):
    """Gives scores of folded steps as soon as they are final."""

    def push(self, values: Values) -> Values:
        """Take more folded steps, and return scores, in order, of as many as are final."""
        ...

    def finish(self) -> Values:
        """Return the scores of all steps that are left."""
        ...


class LiveSignal:
    """One signal that is labelled while it comes: `SignalTagger.live` opens one.

    A network that reads forward gives the scores of a step at once, or when as many steps have
    come as are folded into one. One that reads in both directions gives them when no window can
    change them any more: `delay` steps later at most, or at the end.

    Args:
        model: the model.

    Example:
        >>> import everystep as es
        >>> settings = {"epochs": 1, "units": 2, "filters": 2, "window": 8, "overlap": 4, "fold": 2}
        >>> tagger = es.SignalTagger.train([(range(9), [0, 1, 1] * 3)], None, settings, verbose=0)
        >>> live = tagger.live()
        >>> sum(len(live.push([[value]])) for value in range(99)), len(live.finish())
        (90, 9)
    """

    def __init__(self, model: SignalModel) -> None:
        self._model = model
        self._waiting = np.empty((0, model.channels), np.float32)
        self._come = 0
        forward = model.settings.direction == "forward"
        self._reader: _Reader = _InOrder(model) if forward else _InWindows(model)
        settings = model.settings
        step = settings.window - settings.overlap
        self.delay = settings.fold - 1 if forward else settings.window + step

    def push(self, values: Any) -> Values:
        """Take more steps, (steps, channels), and return scores, (steps, labels), that are final.

        Raises:
            DataError: there are other channels than in training, or a value is not finite or too
                far from those of training.
        """
        fold = self._model.settings.fold
        steps = values_of(values, self._model.channels, f"what came after {self._come} steps")
        come = np.concatenate([self._waiting, self._model.scale.apply(steps)])
        self._come += len(steps)
        whole = len(come) // fold * fold
        self._waiting = come[whole:]
        return unfolded(self._reader.push(folded(come[:whole], fold)))

    def finish(self) -> Values:
        """Return the scores of all steps that are left, at the end of the signal."""
        missing = -len(self._waiting) % self._model.settings.fold
        filled = folded(self._waiting, self._model.settings.fold)
        self._waiting = self._waiting[:0]
        scores = unfolded(np.concatenate([self._reader.push(filled), self._reader.finish()]))
        return scores[: len(scores) - missing]


class _InOrder:
    """What a network that reads forward says, step by step."""

    def __init__(self, model: SignalModel) -> None:
        self._stream = model.network.stream()
        self._nothing = np.zeros((0, model.settings.fold, len(model.names)), np.float32)

    def push(self, values: Values) -> Values:
        found: Values = self._stream.push(values[None])[0] if len(values) else self._nothing
        return found

    def finish(self) -> Values:
        return self._nothing


class _InWindows:
    """What a network that reads both ways says window by window: `Windows.join` by the middle."""

    def __init__(self, model: SignalModel) -> None:
        self._model = model
        self._length = windows_of(model.settings).length
        self._step = self._length - windows_of(model.settings).overlap
        self._held = np.empty((0, model.settings.fold * model.channels), np.float32)
        # Steps are counted from the first of the signal: of what is held, of the next window, of
        # the last one that was read, and of what it says that is not given yet.
        self._first = self._next = self._given = 0
        self._last: int | None = None
        self._said = np.zeros((0, model.settings.fold, len(model.names)), np.float32)

    def push(self, values: Values) -> Values:
        self._held = np.concatenate([self._held, values])
        end = self._first + len(self._held)
        starts = range(self._next, end - self._length + 1, self._step)
        found = self._read(starts)
        self._next += len(starts) * self._step
        # The last window of all may start anywhere from here on.
        keep = max(min(self._next, end - self._length), self._first)
        self._held, self._first = self._held[keep - self._first :], keep
        return found

    def finish(self) -> Values:
        end = self._first + len(self._held)
        start = max(end - self._length, 0)
        found = self._read([start] if end and start != self._last else [])
        return np.concatenate([found, self._said])

    def _read(self, starts: range | list[int]) -> Values:
        """Read the windows that start there, and return what the ones before them settle."""
        places = [start - self._first for start in starts]
        pieces = [self._held[place : place + self._length] for place in places]
        settled = [self._said[:0]]
        for start, scores in zip(
            starts, self._model.of_windows(pieces) if pieces else (), strict=True
        ):
            change = 0 if self._last is None else (self._last + self._length + start) // 2
            settled.append(self._said[: change - self._given])
            self._said, self._given, self._last = scores[change - start :], change, start
        return np.concatenate(settled)
