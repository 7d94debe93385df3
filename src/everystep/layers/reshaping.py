"""The layers that change the shape and with it what a step is: Flatten and Reshape."""

from __future__ import annotations

import math
from typing import Any

from everystep.core import kinds
from everystep.core.settings import setting
from everystep.errors import ShapeError
from everystep.layers import symbolic
from everystep.layers.layer import Layer
from everystep.layers.spec import InputSpec


class Flatten(Layer):
    """All axes but the batch axis in one: every step's features side by side.

    Equation: `y[b] = x[b].ravel()`. A dense layer after it reads all steps at once, so the number
    of steps is fixed.

    Shapes: `(batch, steps, features)` -> `(batch, steps * features)`, and so for any rank.

    Args:
        data_format: `"channels_first"` moves axis 1 to the end before flattening.

    Raises:
        SegmentsError: the input carries a mask, which would be lost.

    Example:
        >>> import everystep as es, numpy as np
        >>> es.layers.Flatten()(np.zeros((1000, 50, 10), "float32")).shape
        (1000, 500)
    """

    data_format: str | None = setting(
        kinds.one_of("channels_last", "channels_first", None), default=None
    )

    input_spec = InputSpec(min_ndim=1, axis_names="(batch, ...)")

    def call(self, inputs: Any) -> Any:
        """Return the inputs with one axis behind the batch axis."""
        if self.data_format == "channels_first" and inputs.ndim > 2:
            inputs = inputs.transpose(0, *range(2, inputs.ndim), 1)
        return inputs.reshape(inputs.shape[0], math.prod(inputs.shape[1:]))


class Reshape(Layer):
    """Another shape for the same values, batch axis apart.

    Shapes: `(batch, ...)` -> `(batch, *target_shape)`.

    Args:
        target_shape: the new shape without the batch axis; one size may be -1 and is worked out.

    Raises:
        ShapeError: the input does not have as many values as the new shape.
        SegmentsError: the input carries a mask, which would be lost.

    Example:
        >>> import everystep as es, numpy as np
        >>> es.layers.Reshape((4, -1))(np.zeros((2, 20), "float32")).shape
        (2, 4, 5)
    """

    target_shape: Any = setting(kinds.INTEGERS)

    def call(self, inputs: Any) -> Any:
        """Return the inputs in their new shape."""
        own = inputs.shape[1:]
        known = all(isinstance(size, int) for size in own)
        free = self.target_shape.count(-1)
        wanted = -math.prod(self.target_shape) if free else math.prod(self.target_shape)
        if known and (free > 1 or not _fits(math.prod(own), wanted, bool(free))):
            raise ShapeError(
                f"layer '{self.path}' (Reshape) cannot make {self.target_shape} of an input of "
                f"shape {symbolic.written(symbolic.shape_of(inputs))}: "
                f"{math.prod(own)} values a row do not fill it"
            )
        return inputs.reshape(inputs.shape[0], *self.target_shape)


def _fits(size: int, wanted: int, free: bool) -> bool:
    return size % wanted == 0 if free and wanted else size == wanted
