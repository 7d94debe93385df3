"""Windows that slide along an axis, and the union of what stands in each of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from everystep.explanation.reading.bits import Array


@dataclass(frozen=True)
class Window:
    """A window, and how it slides along an axis.

    Args:
        size: how many places it looks at.
        stride: how far it moves from one result to the next.
        padding: how many empty places stand before and behind the axis; fewer than 0 cut it.
        spread: how far elements of the axis stand apart, with empty places between them.
        dilation: how far the places stand apart that it looks at.
    """

    size: int
    stride: int = 1
    padding: tuple[int, int] = (0, 0)
    spread: int = 1
    dilation: int = 1

    @property
    def reach(self) -> int:
        """How far its last place stands behind its first."""
        return (self.size - 1) * self.dilation

    def held(self, count: int, results: int) -> Array:
        """Return at which of its places the window meets an element, wherever it stands.

        Shapes: `(results, size)`

        Args:
            count: how many elements the axis has.
            results: how many results there are.

        Example:
            >>> Window(2, padding=(1, 0)).held(3, 3).tolist()
            [[False, True], [True, True], [True, True]]
        """
        starts = np.arange(results)[:, None] * self.stride - self.padding[0]
        places = starts + np.arange(self.size) * self.dilation
        inside = (places >= 0) & (places <= (count - 1) * self.spread)
        held: Array = inside & (places % self.spread == 0)
        return held

    def backwards(self, count: int) -> Window:
        """Return the window through which elements of the axis are seen from the results.

        Args:
            count: how many elements the axis has.

        Example:
            >>> forwards = Window(2, padding=(1, 0))
            >>> sums = unions(np.array([True, False, False]), 0, 3, forwards)
            >>> sums.tolist(), unions(sums, 0, 3, forwards.backwards(3)).tolist()
            ([True, True, False], [True, True, False])
        """
        before, after = self.padding
        room = (count - 1) * self.spread + 1
        results = max(0, (room + before + after - self.reach - 1) // self.stride + 1)
        first = self.reach - before
        last = room + self.reach - first - ((results - 1) * self.stride + 1)
        return Window(self.size, self.spread, (first, last), self.stride, self.dilation)


def unions(array: Array, axis: int, count: int, window: Window) -> Array:
    """Return, for each place of the window, the union of what it holds; empty places hold nothing.

    A union of so many elements is one of two unions of half as many, so wide windows cost little.

    Args:
        array: flags or words of bits; the axis may have size 1 where all its elements are alike.
        axis: the axis along which the window slides.
        count: how many elements the axis stands for.
        window: the window.

    Example:
        >>> unions(np.array([1, 2, 4, 8]), 0, 4, Window(3, padding=(1, 0))).tolist()
        [3, 7, 14]
    """
    if window == Window(1):
        return array
    front = np.moveaxis(array, axis, 0)
    whole = window.spread == 1 and max(window.padding) <= 0
    if len(front) == 1 < count and whole:
        return array
    front = _placed(np.broadcast_to(front, (count, *front.shape[1:])), window)
    done = 1
    while done < window.size:
        shift = min(done, window.size - done)
        front = _both(front, shift * window.dilation)
        done += shift
    return np.moveaxis(front[:: window.stride], 0, axis)


def _both(array: Array, shift: int) -> Array:
    """Return the union of each element with the one that stands so many places behind it."""
    kept = max(0, len(array) - shift)
    result: Array = array[:kept] | array[shift : shift + kept]
    return result


def _placed(array: Array, window: Window) -> Array:
    """Return the elements with the empty places before, between and behind them."""
    before, after = window.padding
    room = max(0, (len(array) - 1) * window.spread + 1)
    placed = np.zeros((room, *array.shape[1:]), array.dtype)
    placed[:: window.spread] = array
    placed = placed[max(0, -before) : room - max(0, -after)]
    widths = [(max(0, before), max(0, after)), *[(0, 0)] * (array.ndim - 1)]
    return np.pad(placed, widths)
