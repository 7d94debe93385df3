"""The layers that change the shape and with it what a step is: Flatten and Reshape."""

from __future__ import annotations

import math
from typing import Any

from everystep.core import kinds
from everystep.core.settings import Kind, setting
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


def _target(value: Any) -> tuple[int, ...]:
    sizes: tuple[int, ...] = kinds.INTEGERS.parse(value)
    if sizes.count(-1) > 1 or any(size < -1 for size in sizes):
        raise ValueError(value)
    return sizes


_TARGET = Kind(
    "a tuple of sizes, of which one may be -1",
    _target,
    list,
    refused=("3", 2.5, (-1, 3, -1), (-2,)),
)


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

    target_shape: Any = setting(_TARGET)

    def call(self, inputs: Any) -> Any:
        """Return the inputs in their new shape."""
        batch, *own = inputs.shape
        # Worked out here, because JAX cannot where the batch is empty.
        fixed = math.prod(size for size in self.target_shape if size != -1)
        free = math.prod(own) // fixed if fixed else 0
        target = tuple(free if size == -1 else size for size in self.target_shape)
        if math.prod(target) != math.prod(own):
            raise ShapeError(
                f"layer '{self.path}' (Reshape) cannot make {self.target_shape} of an input of "
                f"shape {symbolic.written(symbolic.shape_of(inputs))}: its {math.prod(own)} values "
                "a row do not fill that shape. Choose sizes of which the product is that number"
            )
        return inputs.reshape(batch, *target)
