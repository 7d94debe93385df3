"""Batches that come from a generator, a data loader or a data set of people's own."""

from __future__ import annotations

import warnings
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sized
from itertools import chain, islice
from typing import Any

import jax
import numpy as np

from everystep.errors import DataError
from everystep.layers import Layer
from everystep.sequences import Ragged, Steps
from everystep.training.feeding import Array, Epoch, MiniBatch, Source

ARRAYS = (np.ndarray, jax.Array, Steps, Ragged, list, tuple, dict, str, bytes)


def gives_batches(x: Any) -> bool:
    """Whether something is gone through batch by batch, and is not itself the data."""
    if isinstance(x, ARRAYS) or callable(getattr(x, "__array__", None)):
        return False
    return isinstance(x, Iterable) or _is_numbered(x)


def _is_numbered(x: Any) -> bool:
    return isinstance(x, Sized) and callable(getattr(type(x), "__getitem__", None))


class StreamSource(Source):
    """Batches `(x, y, sample_weight)`, `(x, y)` or `x`, as they come.

    Args:
        batches: what has a length and gives a batch for each number, such as Keras's `PyDataset`;
            or what can be iterated over, once or for each epoch.
        converted: turns what one batch is made of into a source of that batch alone.
    """

    def __init__(self, batches: Any, converted: Callable[..., Source]) -> None:
        self._batches = batches
        self._converted = converted

    def epoch(
        self, shuffle: np.random.Generator | None = None, complete: bool = False
    ) -> StreamEpoch:
        """Return the batches; shuffled, those that have numbers come in another order."""
        count, order = None, None
        if _is_numbered(self._batches):
            count = len(self._batches)
            order = range(count) if shuffle is None else shuffle.permutation(count)
        return StreamEpoch(self, count, order)

    def peek(self, complete: bool = False) -> tuple[MiniBatch, int | None]:
        """Return the first batch and the number of batches, where that is known."""
        epoch = self.epoch(complete=complete)
        if isinstance(self._batches, Iterator):
            # What can be gone through only once must not lose the batch that was looked at.
            items = list(islice(self._batches, 1))
            self._batches = chain(items, self._batches)
        else:
            items = list(islice(self.raw(epoch.order), 1))
        if not items:
            raise DataError("x gives no batch at all")
        return self.source_for(items[0]).peek(complete)[0], epoch.count

    def raw(self, order: Any) -> Iterator[Any]:
        """Return the batches of one epoch as they were given."""
        if order is None:
            yield from self._batches
            return
        yield from (self._batches[int(number)] for number in order)
        self._end_epoch()

    def _end_epoch(self) -> None:
        ended = getattr(self._batches, "on_epoch_end", None)
        if callable(ended):
            ended()

    def pass_over(self, shuffle: np.random.Generator | None = None, complete: bool = False) -> None:
        """Let the data know that an epoch has ended; what has no numbers is gone through."""
        if _is_numbered(self._batches):
            self._end_epoch()
        else:
            deque(self._batches, maxlen=0)

    def source_for(self, item: Any) -> Source:
        """Return the source of one batch."""
        item = tuple(item) if isinstance(item, list) else item
        parts = item if isinstance(item, tuple) else (item,)
        if not 1 <= len(parts) <= 3:
            raise DataError(
                f"a batch must be x, (x, y) or (x, y, sample_weight), not a tuple of {len(parts)}"
            )
        return self._converted(*parts)

    def check(self, model: Layer) -> None:
        """Leave the values to the source of each batch."""

    def real_targets(self, output: int, masked: bool) -> Array | None:
        """Return None, because the targets are not there yet."""
        return None

    def collect(self, epoch: Epoch, outputs: list[Any]) -> Any:
        """Return the outputs of all batches one after the other."""

        def join(*parts: Any) -> Any:
            if isinstance(parts[0], list):
                return [item for part in parts for item in part]
            return np.concatenate(parts)

        return jax.tree.map(join, *outputs, is_leaf=_is_samples)


def _is_samples(value: Any) -> bool:
    """Whether a value is a list with the output of each sequence."""
    return isinstance(value, list) and bool(value) and isinstance(value[0], np.ndarray)


class StreamEpoch(Epoch):
    """The batches of one pass over a stream.

    Args:
        source: where they come from.
        count: how many there are, or None where that is not known.
        order: the numbers of the batches, where they have some.
    """

    def __init__(self, source: StreamSource, count: int | None, order: Any) -> None:
        super().__init__(None, count)
        self.order = order
        self._source = source
        self._latest: tuple[Source, Epoch] | None = None

    def __iter__(self) -> Iterator[MiniBatch]:
        for item in self._source.raw(self.order):
            source = self._source.source_for(item)
            epoch = source.epoch()
            self._latest = source, epoch
            yield from epoch

    def after(self, done: int) -> Iterator[MiniBatch]:
        """Return the batches behind the first ones, which are drawn and thrown away."""
        return islice(self, done, None)

    def taken(self, outputs: Any) -> Any:
        """Return the outputs of the latest batch in the form in which its inputs came."""
        if self._latest is None:
            return outputs
        source, epoch = self._latest
        return source.collect(epoch, [outputs])


class Portion(Source):
    """So many batches of a source for an epoch; the next epoch goes on where this one ended.

    Args:
        source: where the batches come from; it starts again when it has ended.
        steps: how many batches an epoch has.
    """

    def __init__(self, source: Source, steps: int) -> None:
        self._source, self._steps = source, steps
        self._running: Iterator[MiniBatch] = iter(())
        self._epoch = Epoch(None, 0)

    def epoch(self, shuffle: np.random.Generator | None = None, complete: bool = False) -> Epoch:
        """Return the next batches."""
        return PortionEpoch(self, self._steps, shuffle, complete)

    def peek(self, complete: bool = False) -> tuple[MiniBatch, int | None]:
        """Return the first batch and the number of batches."""
        return self._source.peek(complete)[0], self._steps

    def pass_over(self, shuffle: np.random.Generator | None = None, complete: bool = False) -> None:
        """Draw the batches of an epoch and throw them away."""
        deque(self.epoch(shuffle, complete), maxlen=0)

    def next(self, shuffle: Any, complete: bool) -> MiniBatch | None:
        """Return the next batch, from the start again where the source has ended; or None."""
        batch = next(self._running, None)
        if batch is None:
            self._epoch = self._source.epoch(shuffle, complete)
            self._running = iter(self._epoch)
            batch = next(self._running, None)
        return batch

    def taken(self, outputs: Any) -> Any:
        """Return the outputs of the latest batch in the form in which its inputs came."""
        return self._epoch.taken(outputs)

    def check(self, model: Layer) -> None:
        """Let the model refuse values that are out of range."""
        self._source.check(model)

    def real_targets(self, output: int, masked: bool) -> Array | None:
        """Return the targets of which it is known that they count, or None."""
        return self._source.real_targets(output, masked)

    def collect(self, epoch: Epoch, outputs: list[Any]) -> Any:
        """Return the outputs of the batches one after the other."""
        return self._source.collect(self._epoch, outputs)


class PortionEpoch(Epoch):
    """So many batches of a source that goes on.

    Args:
        portion: where they come from.
        count: how many.
        shuffle: where the order comes from when the source starts again.
        complete: whether last batches are completed.
    """

    def __init__(self, portion: Portion, count: int, shuffle: Any, complete: bool) -> None:
        super().__init__(None, count)
        self._portion, self._how = portion, (shuffle, complete)

    def __iter__(self) -> Iterator[MiniBatch]:
        for number in range(self.count or 0):
            batch = self._portion.next(*self._how)
            if batch is None:
                warnings.warn(
                    f"Your input ran out of data after {number} of {self.count} batches: give a "
                    "data set that can be gone through again, or fewer steps",
                    stacklevel=2,
                )
                return
            yield batch

    def after(self, done: int) -> Iterator[MiniBatch]:
        """Return the batches behind the first ones, which are drawn and thrown away."""
        return islice(self, done, None)

    def taken(self, outputs: Any) -> Any:
        """Return the outputs of the latest batch in the form in which its inputs came."""
        return self._portion.taken(outputs)
