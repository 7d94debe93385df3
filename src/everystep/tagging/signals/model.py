"""What a tagger of signals is once it is trained: scale, names of labels, and the network."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from everystep.tagging.signals.batches import PREDICTED_ROWS, scored, windows_of
from everystep.tagging.signals.features import Scale, Values, folded
from everystep.tagging.signals.network import Network
from everystep.tagging.signals.settings import SignalSettings

CHUNK = 64
"""How many signals are read at once, so that memory does not grow with their number."""
PUSHED = 256
"""How many folded steps go through a stream at once, always as many: each number is compiled."""


@dataclass(frozen=True)
class SignalModel:
    """Scale, names of labels and the network, which labels signals.

    Args:
        settings: the sizes.
        scale: the channels.
        names: the names of labels 0, 1 and so on.
    """

    settings: SignalSettings
    scale: Scale
    names: tuple[str, ...]
    network: Network = field(init=False)

    def __post_init__(self) -> None:
        network = Network(self.settings, self.channels, len(self.names))
        object.__setattr__(self, "network", network)

    @property
    def channels(self) -> int:
        """How many channels a signal has."""
        return len(self.scale.means)

    def scores(self, signals: Iterable[Values]) -> Iterator[Values]:
        """Yield the score of each label at each step of each signal, (steps, labels)."""
        of_folds = self._in_windows if self.settings.direction == "both" else self._in_order
        waiting = iter(signals)
        while some := list(islice(waiting, CHUNK)):
            for values, found in zip(some, of_folds(list(map(self.read, some))), strict=True):
                yield unfolded(found)[: len(values)]

    def read(self, values: Values) -> Values:
        """Return values, scaled and folded, as the network reads them."""
        return folded(self.scale.apply(values), self.settings.fold)

    def of_windows(self, pieces: Sequence[Values]) -> list[Values]:
        """Return what the network gives for each window of folded steps."""
        return scored(self.network, pieces, windows_of(self.settings).length)

    def _in_windows(self, signals: Sequence[Values]) -> Iterator[Values]:
        """Yield what the network gives for signals in windows, joined."""
        windows = windows_of(self.settings)
        cut = [windows.cut(values) for values in signals]
        found = iter(self.of_windows([piece for pieces in cut for piece in pieces]))
        for values, pieces in zip(signals, cut, strict=True):
            joined = list(islice(found, len(pieces)))
            yield windows.join(joined, len(values), "middle") if joined else self._nothing

    def _in_order(self, signals: Sequence[Values]) -> Iterator[Values]:
        """Yield what the network gives for signals from the first step to the last."""
        waiting = iter(signals)
        rows = min(PREDICTED_ROWS, len(signals))
        stream = self.network.stream(rows)
        while some := list(islice(waiting, rows)):
            longest = max(map(len, some))
            shape = rows, -(-longest // PUSHED) * PUSHED
            block = np.zeros((*shape, some[0].shape[1]), np.float32)
            real = np.zeros(shape, bool)
            for row, values in enumerate(some):
                block[row, : len(values)], real[row, : len(values)] = values, True
            outputs = [
                stream.push(block[:, start : start + PUSHED], real[:, start : start + PUSHED])
                for start in range(0, shape[1], PUSHED)
            ]
            whole = np.concatenate(outputs, axis=1) if outputs else self._nothing[None]
            yield from (row[: len(values)] for row, values in zip(whole, some, strict=False))
            stream.reset()

    @property
    def _nothing(self) -> NDArray[np.float32]:
        return np.zeros((0, self.settings.fold, len(self.names)), np.float32)


def unfolded(scores: Values) -> Values:
    """Put each of the steps that were folded on its own again.

    Shapes: (folds, fold, labels) -> (steps, labels)
    """
    found: NDArray[Any] = scores.reshape(-1, scores.shape[-1])
    return found


def likely(scores: Values) -> NDArray[np.float32]:
    """Return the probability of each label, which stands last: the softmax of scores."""
    shares = np.exp(scores - scores.max(-1, keepdims=True))
    found: NDArray[np.float32] = shares / shares.sum(-1, keepdims=True)
    return found
