"""The layers that change the shape, and with it what a step is: Flatten, Reshape and the like."""

from __future__ import annotations

import math
from typing import Any

import jax.numpy as jnp

from everystep import kinds
from everystep.core.settings import setting
from everystep.errors import SegmentsError, ShapeError
from everystep.kinds import Kind
from everystep.layers import symbolic
from everystep.layers.layer import Layer, Masking
from everystep.layers.spatial import DATA_FORMAT
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

    data_format: str = setting(DATA_FORMAT, default=None)

    input_spec = InputSpec(min_ndim=1, axis_names="(batch, ...)")

    def call(self, inputs: Any) -> Any:
        """Return the inputs with one axis behind the batch axis."""
        if self.data_format == "channels_first" and inputs.ndim > 2:
            inputs = inputs.transpose(0, *range(2, inputs.ndim), 1)
        return inputs.reshape(inputs.shape[0], math.prod(inputs.shape[1:]))


def _target(value: Any) -> tuple[int, ...]:
    sizes: tuple[int, ...] = kinds.INTEGERS.parse(value)
    if sizes.count(-1) > 1 or any(size < -1 for size in sizes):
        kinds.reject(value)
    return sizes


_TARGET = Kind(
    "a tuple of sizes, of which one may be -1",
    _target,
    list,
    refused=("3", 2.5, (-1, 3, -1), (-2,)),
)


class Reshape(Layer):
    """Another shape for the same values, batch axis apart.

    Where the first size of the new shape is the number of steps, steps stay what they are, in
    packed rows too, and each one's features get another shape.

    Shapes: `(batch, ...)` -> `(batch, *target_shape)`.

    Args:
        target_shape: the new shape without the batch axis; one size may be -1 and is worked out.

    Raises:
        ShapeError: the input does not have as many values as the new shape, whatever the sizes
            that are not known.
        SegmentsError: the input carries a mask, which would be lost because steps are mixed.

    Example:
        >>> import everystep as es, numpy as np
        >>> es.layers.Reshape((4, -1))(np.zeros((2, 20), "float32")).shape
        (2, 4, 5)
    """

    target_shape: Any = setting(_TARGET)

    declared_masking = "packed"

    def call(self, inputs: Any) -> Any:
        """Return the inputs in their new shape."""
        return inputs.reshape(inputs.shape[0], *self._sizes(inputs))

    def compute_segments(self, inputs: Any, segments: Any) -> Any:
        """Keep the segments where the steps stay."""
        if segments is not None and self._sizes(inputs)[:1] != inputs.shape[1:2]:
            raise SegmentsError(
                f"layer '{self.path}' (Reshape) mixes steps and would lose the mask that its input "
                f"carries: it makes {self.target_shape} of an input of shape "
                f"{symbolic.written(symbolic.shape_of(inputs))}. Put it where there is no mask, or "
                "keep the steps as the first size of target_shape"
            )
        return segments

    def _sizes(self, inputs: Any) -> tuple[Any, ...]:
        """Return the target shape with its free size worked out."""
        own = inputs.shape[1:]
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
        return target


def _permutation(value: Any) -> tuple[int, ...]:
    axes: tuple[int, ...] = kinds.INTEGERS.parse(value)
    if sorted(axes) != list(range(1, len(axes) + 1)):
        kinds.reject(value)
    return axes


class Permute(Layer):
    """The axes of the input in another order, batch axis apart.

    Equation: `y[b] = x[b].transpose(...)`: axis `i` of the output is axis `dims[i - 1]` of the
    input. Where that leaves the steps in place, it takes packed rows.

    Shapes: `(batch, ...)` -> `(batch, ...)`, sizes in the order of `dims`.

    Args:
        dims: the axes of the input in the order of the output, counted from 1.

    Raises:
        ShapeError: the input does not have as many axes as `dims`, besides the batch axis.
        SegmentsError: the input carries a mask, and its steps go to another axis.

    Example:
        >>> import everystep as es, numpy as np
        >>> es.layers.Permute((2, 1))(np.zeros((2, 50, 10), "float32")).shape
        (2, 10, 50)
    """

    dims: Any = setting(
        Kind(
            "each of the axes once, counted from 1, such as (2, 1)",
            _permutation,
            list,
            refused=("3", 2, (0, 1), (1, 3), (1, 1)),
        )
    )

    def after_settings(self) -> None:
        """Say which inputs the layer takes."""
        self.input_spec = InputSpec(ndim=len(self.dims) + 1)

    @property
    def masking(self) -> Masking:
        """Packed rows where the steps stay in place."""
        return "packed" if self.dims[0] == 1 else "refused"

    def call(self, inputs: Any) -> Any:
        """Return the inputs with their axes in the new order."""
        return inputs.transpose(0, *self.dims)


class RepeatVector(Layer):
    """One vector as every step of a sequence.

    Equation: `y_t = x` for each of `n` steps.

    Shapes: `(batch, features)` -> `(batch, n, features)`.

    Args:
        n: the number of steps.

    Raises:
        ShapeError: the input has not rank 2.
        SegmentsError: the input carries a mask, which would be lost.

    Example:
        >>> import everystep as es, numpy as np
        >>> es.layers.RepeatVector(2)(np.array([[1.0, 5.0]])).tolist()
        [[[1.0, 5.0], [1.0, 5.0]]]
    """

    n: int = setting(kinds.POSITIVE)

    input_spec = InputSpec(ndim=2, axis_names="(batch, features)")

    def call(self, inputs: Any) -> Any:
        """Return the inputs at every step."""
        return jnp.repeat(inputs[:, None], self.n, axis=1)
