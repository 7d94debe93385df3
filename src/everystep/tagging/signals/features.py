"""What a network reads of a signal: channels of one scale, several steps folded into one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from everystep.errors import DataError, FormatError

Values = NDArray[Any]


@dataclass(frozen=True, eq=False)
class Scale:
    r"""Brings each channel to mean 0 and deviation 1, as it was in training.

    Equation: $y = (x - \mu) / \sigma$; a channel that never changed has $\sigma = 1$.

    Shapes: both (channels,)

    Args:
        means: in the units of the data.
        deviations: in the same units.

    Raises:
        FormatError: they are not such numbers.

    Example:
        >>> scale = Scale.of([np.array([[1.0, 7.0], [3.0, 7.0]])])
        >>> scale.apply(np.array([[4.0, 8.0]])).tolist()
        [[2.0, 1.0]]
    """

    means: NDArray[np.float64]
    deviations: NDArray[np.float64]

    def __post_init__(self) -> None:
        both = np.stack([self.means, self.deviations])
        if both.ndim != 2 or not both.size or both.dtype != np.float64:
            raise FormatError(f"scale: expected float64 of shape (2, channels), got {both.shape}")
        if not np.isfinite(both).all() or (self.deviations <= 0).any():
            raise FormatError("scale: expected finite means, and deviations above 0")

    @classmethod
    def of(cls, signals: Sequence[Values]) -> Self:
        """Measure the channels of signals, (steps, channels) each.

        Raises:
            DataError: numbers are too large to have a mean.
        """
        steps = sum(map(len, signals))
        with np.errstate(over="ignore", invalid="ignore"):
            means = sum(values.sum(0, np.float64) for values in signals) / steps
            squares = sum(((values - means) ** 2).sum(0) for values in signals)
            deviations = np.sqrt(squares / steps)
        if not np.isfinite(deviations).all():
            raise DataError("the values are too large to have a mean; divide them before")
        return cls(means, np.where(deviations > 0, deviations, 1.0))

    def apply(self, values: Values) -> NDArray[np.float32]:
        """Return values of shape (steps, channels) on the scale of training.

        Raises:
            DataError: a value is too far from those of training for a number of 32 bits.
        """
        with np.errstate(over="ignore"):
            scaled: NDArray[np.float32] = ((values - self.means) / self.deviations).astype(
                "float32"
            )
        if not np.isfinite(scaled).all():
            raise DataError(
                f"the values go up to {np.abs(values).max():g}, too far from training's"
            )
        return scaled


def folded(values: Values, fold: int, filling: int | None = None) -> Values:
    """Put so many steps into one each, filling up the last one.

    Shapes: (steps, features) -> (steps / fold, fold * features)

    Args:
        values: the steps.
        fold: how many of them make one.
        filling: what fills up; the last step if None.

    Example:
        >>> folded(np.array([[1], [2], [3]]), 2).tolist()
        [[1, 2], [3, 3]]
        >>> folded(np.array([[1], [2], [3]]), 2, filling=255).tolist()
        [[1, 2], [3, 255]]
    """
    missing = -len(values) % fold
    if missing:
        last = values[-1:] if filling is None else np.full_like(values[-1:], filling)
        values = np.concatenate([values, *[last] * missing])
    return values.reshape(-1, fold * values.shape[1])
