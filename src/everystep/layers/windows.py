"""A window that goes over the steps of sequences, also of sequences that fill only part of a row.

What a window gives for a padded row has to be what it gives for the sequence alone. Where windows
are more than one step apart, or stand on a grid that begins at the sequence's own start, the
sequence is first moved to where the windows expect it.
"""

from __future__ import annotations

import functools
import operator
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import jax
import jax.core
import jax.numpy as jnp
import numpy as np
from jax import lax


@dataclass(frozen=True)
class Window:
    """How a window lies over steps.

    Args:
        size: the steps that it reads.
        stride: the steps from one window to the next.
        dilation: the steps from one step that it reads to the next.
        padding: `"valid"` for windows wholly within the sequence; `"same"` for one at every
            `stride`-th step, with that step in the middle; `"causal"` with that step at the end.

    Example:
        >>> Window(3, dilation=2).extent, Window(2, 2, padding="same").counts(jnp.array([4, 5]))
        (5, Array([2, 3], dtype=int32))
    """

    size: int
    stride: int = 1
    dilation: int = 1
    padding: str = "valid"

    @property
    def extent(self) -> int:
        """The steps from the first that it reads to the last, both counted."""
        return (self.size - 1) * self.dilation + 1

    @property
    def keeps_steps(self) -> bool:
        """Whether there is one window for each step."""
        return self.stride == 1 and self.padding != "valid"

    @property
    def offsets(self) -> range:
        """Where the steps that it reads stand from its own step, where it keeps the steps."""
        before = self.extent - 1 if self.padding == "causal" else (self.extent - 1) // 2
        return range(-before, self.extent - before, self.dilation)

    def counts(self, lengths: Any) -> Any:
        """Return how many windows there are for sequences of these lengths."""
        if self.padding == "valid":
            return jnp.maximum((lengths - self.extent) // self.stride + 1, 0)
        return -(-lengths // self.stride)

    def before(self, lengths: Any) -> Any:
        """Return how many empty steps the first window reads before a sequence's first one."""
        if self.padding == "same":
            read = (self.counts(lengths) - 1) * self.stride + self.extent
            return jnp.maximum(read - lengths, 0) // 2
        return jnp.full_like(lengths, self.extent - 1 if self.padding == "causal" else 0)

    def laid_out(self, values: Any, segments: Any) -> Any:
        """Return the sequence of each row where windows from the row's start on meet it.

        Shapes:
            values (batch, steps, ...), segments (batch, steps) -> (batch, room, ...)
        """
        return aligned(values, segments, self.before(lengths_of(segments)), self._room(segments))

    def segments_after(self, segments: Any) -> Any:
        """Return the segments of the windows over what `laid_out` gives.

        Shapes:
            segments (batch, steps) -> (batch, windows)
        """
        row = (1, self._room(segments))
        # JAX says how many windows there are, so that it is one count, of a symbol too.
        windows = jax.eval_shape(lambda: self._reduced(jnp.zeros(row, "int32"), lax.max)).shape[1]
        return at_the_front(segments, self.counts(lengths_of(segments)), windows)

    def segments_within(self, segments: Any) -> Any:
        """Return the segments of all windows of stride 1: 0 where one is not in one sequence.

        Shapes:
            segments (batch, steps) -> (batch, windows)
        """
        highest, lowest = (self._reduced(segments, choose) for choose in (lax.max, lax.min))
        return jnp.where(highest == lowest, highest, 0)

    def _room(self, segments: Any) -> Any:
        steps = segments.shape[1]
        if self.padding == "valid":
            return steps
        windows = -(-steps // self.stride)
        return jax.core.max_dim((windows - 1) * self.stride + self.extent, 0)

    def _reduced(self, segments: Any, choose: Any) -> Any:
        limits = np.iinfo(segments.dtype)
        start = np.array(limits.min if choose is lax.max else limits.max, segments.dtype)
        return lax.reduce_window(
            segments,
            start,
            choose,
            (1, self.size),
            (1, self.stride),
            "VALID",
            window_dilation=(1, self.dilation),
        )


def lengths_of(segments: Any) -> Any:
    """Return the number of real steps of each row, (batch,)."""
    return jnp.sum(segments != 0, axis=1, dtype="int32")


def aligned(values: Any, segments: Any, before: Any, size: Any) -> Any:
    """Move the real steps of each row together, so many places from the front, zeros around them.

    Shapes:
        values (batch, steps, ...), segments (batch, steps), before () or (batch,)
        -> (batch, size, ...)

    Example:
        >>> aligned(jnp.array([[7, 0, 8, 9]]), jnp.array([[0, 0, 1, 1]]), 1, 4).tolist()
        [[0, 8, 9, 0]]
    """
    batch, steps = segments.shape
    places = lax.broadcasted_iota(jnp.int32, (batch, steps), 1)
    # Places of real steps in order; what is beyond them reads past the end, which gives zeros.
    real = jnp.sort(jnp.where(segments != 0, places, steps), axis=1)
    wanted = lax.broadcasted_iota(jnp.int32, (batch, size), 1) - jnp.reshape(before, (-1, 1))
    wanted = jnp.where(wanted < 0, steps, wanted)
    source = jnp.take_along_axis(real, wanted, axis=1, mode="fill", fill_value=steps)
    source = source.reshape(*source.shape, *[1] * (values.ndim - 2))
    return jnp.take_along_axis(values, source, axis=1, mode="fill", fill_value=0)


def at_the_front(segments: Any, counts: Any, size: Any) -> Any:
    """Return segments of so many steps a row, from its front on, with the row's id.

    Shapes:
        segments (batch, steps), counts (batch,) -> (batch, size)

    Example:
        >>> at_the_front(jnp.array([[0, 3, 3]]), jnp.array([1]), 2).tolist()
        [[3, 0]]
    """
    ids = jnp.max(segments, axis=1, initial=0, keepdims=True)
    places = lax.broadcasted_iota(jnp.int32, (segments.shape[0], size), 1)
    return jnp.where(places < counts[:, None], ids, 0)


def shifted(array: Any, offset: int) -> Any:
    """Return what stands so many steps further on at each step; 0 beyond the row's ends.

    Example:
        >>> row = jnp.array([[1, 2, 3]])
        >>> shifted(row, 1).tolist(), shifted(row, -2).tolist()
        ([[2, 3, 0]], [[0, 0, 1]])
    """
    steps = array.shape[1]
    sides = [(0, 0), (max(-offset, 0), max(offset, 0)), *[(0, 0)] * (array.ndim - 2)]
    start = max(offset, 0)
    return lax.slice_in_dim(jnp.pad(array, sides), start, start + steps, axis=1)


def total(parts: Iterable[Any], dtype: Any) -> Any:
    """Return the sum of arrays, taken in single precision at least, as one JAX operation would.

    Example:
        >>> total([jnp.array([256.0], "bfloat16"), *[jnp.array([1.0], "bfloat16")] * 2], "bfloat16")
        Array([258], dtype=bfloat16)
    """
    wide = jnp.promote_types(dtype, "float32")
    return functools.reduce(operator.add, (part.astype(wide) for part in parts)).astype(dtype)
