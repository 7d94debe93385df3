"""Long signals in pieces of one length that overlap, and what was made of the pieces as a whole."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from everystep.errors import DataError, SettingError
from everystep.kinds import ARRAY, INTEGER, LISTED, WHOLE, checked, shown

JOINS: Final = ("fade", "mean", "middle")
"""How several windows agree on the steps that they share."""


@dataclass(frozen=True, slots=True)
class Windows:
    r"""Windows of one length, each sharing some steps with the next.

    Windows start every `length - overlap` steps; the last one ends where the signal does, so it may
    share more. A signal that is no longer than a window is one window.

    At its ends a model knows less of what surrounds a step than in the middle. So where windows
    $i$ share step $t$, `join` gives it $\sum_i w_i(t)\, y_i(t) / \sum_i w_i(t)$ of what was made of
    each, with the weights

    - `fade`: how many steps $t$ is from the nearer end of the window, so that one window passes
      into the next without a jump;
    - `mean`: 1;
    - `middle`: 1 for the one window up to half way through what two share, then for the next. This
      keeps labels, of which there is no mean.

    Args:
        length: steps of a window.
        overlap: steps that a window shares with the next, less than `length`.

    Raises:
        SettingError: the length is below 1, or the overlap is not from 0 to less than that.

    >>> windows = Windows(length=4, overlap=2)
    >>> windows.starts(7)
    [0, 2, 3]
    >>> signal = np.arange(7)
    >>> windows.join(windows.cut(signal), 7, "mean")
    array([0., 1., 2., 3., 4., 5., 6.])
    """

    length: int
    overlap: int = 0

    def __post_init__(self) -> None:
        for name in ("length", "overlap"):
            INTEGER.taken(f"Windows: {name}", getattr(self, name))
        if self.length < 1:
            raise SettingError(f"length: expected 1 step or more, got {self.length}")
        if not 0 <= self.overlap < self.length:
            raise SettingError(
                f"overlap: expected 0 to {self.length - 1} steps, less than a window, "
                f"got {self.overlap}"
            )

    @checked(steps=WHOLE)
    def starts(self, steps: int) -> list[int]:
        """Return the first step of each window of a signal; none of a signal without steps."""
        last = max(steps - self.length, 0)
        return [*range(0, last, self.length - self.overlap), last] if steps else []

    @checked(values=ARRAY)
    def cut(self, values: NDArray[Any]) -> list[NDArray[Any]]:
        """Return the windows of a signal, as views of it.

        Args:
            values: numbers or labels, shape (steps, ...).

        Returns:
            Arrays of shape (length, ...), or one of all steps where there are no more than that.
        """
        return [values[start : start + self.length] for start in self.starts(len(values))]

    @checked(pieces=LISTED, steps=WHOLE)
    def join(self, pieces: Sequence[NDArray[Any]], steps: int, how: str = "fade") -> NDArray[Any]:
        """Put together what was made of each window.

        Args:
            pieces: an array for each window, of as many steps, shape (steps of the window, ...).
            steps: how many steps the whole has.
            how: one of `JOINS`.

        Returns:
            The whole, shape (steps, ...), in the dtype of the pieces where the middle is taken,
            else in double precision.

        Raises:
            SettingError: `how` is none of `JOINS`.
            DataError: there are more pieces or fewer than windows, or of other lengths.
        """
        if how not in JOINS:
            raise SettingError(f"how: expected one of {', '.join(JOINS)}, got {shown(how)}")
        starts = self.starts(steps)
        size = min(self.length, steps)
        if [len(piece) for piece in pieces] != [size] * len(starts) or not starts:
            raise DataError(
                f"expected {len(starts)} windows of {size} steps for a signal of {steps}, "
                f"got windows of {[len(piece) for piece in pieces][:10]} steps"
            )
        if how == "middle":
            return _middles(pieces, starts, size)
        place = np.arange(size)
        weights = np.minimum(place + 1, size - place) if how == "fade" else np.ones(size)
        weights = weights.reshape(-1, *[1] * (pieces[0].ndim - 1))
        total = np.zeros((steps, *pieces[0].shape[1:]))
        weight = np.zeros((steps, *weights.shape[1:]))
        for start, piece in zip(starts, pieces, strict=True):
            total[start : start + size] += weights * piece
            weight[start : start + size] += weights
        return total / weight


def _middles(pieces: Sequence[NDArray[Any]], starts: Sequence[int], size: int) -> NDArray[Any]:
    """Take each step from one window, changing to the next half way through what they share."""
    changes = [(start + size + after) // 2 for start, after in pairwise(starts)]
    edges = [0, *changes, starts[-1] + size]
    return np.concatenate(
        [
            piece[first - start : end - start]
            for piece, start, (first, end) in zip(pieces, starts, pairwise(edges), strict=True)
        ]
    )
