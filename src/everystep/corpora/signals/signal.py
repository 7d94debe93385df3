"""A signal: numbers at equal distances in time, with a label for each step where there are any."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from everystep.errors import DataError

Values = NDArray[Any]


@dataclass(frozen=True, slots=True, eq=False)
class Signal:
    """Numbers of one or more channels at equal distances in time.

    Args:
        values: real numbers, shape (steps, channels), in the units of the file.
        labels: whole numbers, shape (steps,), the ignore value where a step has no label; None
            where the data has none.
        place: where the signal stands, such as `beats.csv:2`, for messages.
        source: what a writer needs to give it back with other labels.

    Raises:
        DataError: shapes or kinds of numbers are others, or a number is not finite.

    >>> len(Signal(np.zeros((5, 2)), np.zeros(5, int)))
    5
    """

    values: Values
    labels: Values | None = None
    place: str = ""
    source: Any = field(default=None, repr=False)

    def __post_init__(self) -> None:
        where = f"{self.place}: " if self.place else ""
        shape, kind = self.values.shape, self.values.dtype.kind
        if len(shape) != 2 or kind not in "iuf":
            raise DataError(
                f"{where}expected real numbers of shape (steps, channels), "
                f"got {self.values.dtype} of shape {shape}"
            )
        if kind == "f" and not np.isfinite(self.values).all():
            step, channel = np.argwhere(~np.isfinite(self.values))[0]
            raise DataError(
                f"{where}expected finite numbers, got {self.values[step, channel]} at step {step} "
                f"of channel {channel}; fill in or cut out what was not measured"
            )
        if self.labels is None:
            return
        if self.labels.shape != shape[:1] or self.labels.dtype.kind not in "iu":
            raise DataError(
                f"{where}expected whole numbers as labels, one for each of {shape[0]} steps, "
                f"got {self.labels.dtype} of shape {self.labels.shape}"
            )

    def __len__(self) -> int:
        return len(self.values)
