"""The layers that cut off, add or repeat steps and pixels: cropping, zero padding, upsampling."""

from __future__ import annotations

from typing import Any, ClassVar

import jax
import jax.core
import jax.numpy as jnp

from everystep import kinds
from everystep.core.settings import setting
from everystep.kinds import Kind
from everystep.layers.layer import Masking
from everystep.layers.spatial import DATA_FORMAT, PER_AXIS, Spatial, sizes
from everystep.layers.windows import aligned, at_the_front, lengths_of

_PAIR = sizes(2, lowest=0)
STEP_SIDES = Kind(
    "an integer of 0 or more, or one for each end",
    _PAIR.parse,
    list,
    refused=(-1, (1, 2, 3), 2.5, "3"),
)


def _pixel_sides(value: Any) -> tuple[tuple[int, ...], ...]:
    if isinstance(value, str):
        kinds.reject(value)
    given = value if isinstance(value, list | tuple) else (value, value)
    height, width = (_PAIR.parse(one) for one in given)
    return height, width


PIXEL_SIDES = Kind(
    "an integer of 0 or more, one for height and width, or two for each",
    _pixel_sides,
    lambda value: [list(pair) for pair in value],
    refused=(-1, (1, 2, 3), 2.5, "3", ((1, 2, 3), 1)),
)


class Framing(Spatial):
    """The base of layers that cut off or add at the ends of the input."""

    sign: ClassVar[int]

    @property
    def sides(self) -> tuple[tuple[int, int], ...]:
        """How much goes off or on before and after, along each axis of steps or pixels."""
        raise NotImplementedError

    def framed(self, inputs: Any, sides: Any) -> Any:
        """Return the input, changed at the ends of each axis."""
        raise NotImplementedError

    def call(self, inputs: Any, mask: Any = None) -> Any:
        """Change the ends of the input, or of the sequence of each row."""
        self.refuse_framing(inputs)
        if mask is None:
            return self.framed(inputs, self.on_all_axes(self.sides, (0, 0)))
        size = jax.core.max_dim(self._steps_after(mask.shape[1]), 0)
        return aligned(inputs, mask, self.sign * self.sides[0][0], size)

    def refuse_framing(self, inputs: Any) -> None:
        """Refuse input that is too small; adding takes any."""

    def compute_segments(self, inputs: Any, segments: Any) -> Any:
        """Return the segments of the changed sequences."""
        if segments is None:
            return None
        lengths = lengths_of(segments)
        counts = jnp.where(lengths > 0, self._steps_after(lengths), 0)
        size = jax.core.max_dim(self._steps_after(segments.shape[1]), 0)
        return at_the_front(segments, counts, size)

    def _steps_after(self, steps: Any) -> Any:
        return steps + self.sign * sum(self.sides[0])


class Cropping(Framing):
    """The base of layers that cut off."""

    sign = -1

    def refuse_framing(self, inputs: Any) -> None:
        """Refuse input of which nothing would be left."""
        extents = [sum(pair) + 1 for pair in self.sides]
        self.refuse_small(inputs, extents, "smaller `cropping`, of which the sum is less than that")

    def framed(self, inputs: Any, sides: Any) -> Any:
        """Return what is between the ends."""
        # Counted from the end, because JAX does not know whether a symbol is large enough.
        return inputs[tuple(slice(before, -after or None) for before, after in sides)]


class ZeroPadding(Framing):
    """The base of layers that add zeros."""

    sign = 1

    def framed(self, inputs: Any, sides: Any) -> Any:
        """Return the input between zeros."""
        return jnp.pad(inputs, sides)


class Cropping1D(Cropping):
    """The steps of a sequence without its first and last ones.

    Equation: `y_t = x_(t + first)`, with `cropping = (first, last)`.

    The layer takes one sequence a row and cuts that sequence, not the padding around it. What it
    gives stands at the front of the output's row, without padding and gaps.

    Shapes: `(batch, steps, channels)` -> `(batch, steps - first - last, channels)`.

    Args:
        cropping: how many steps go at both ends, or at the start and the end.

    Raises:
        ShapeError: the input has not rank 3, or not more steps than are cut off.
        PackedRowsError: rows hold several sequences.

    Example:
        >>> import everystep as es, numpy as np
        >>> es.layers.Cropping1D((1, 2))(np.arange(5.0).reshape(1, 5, 1)).ravel().tolist()
        [1.0, 2.0]
    """

    rank = 1
    data_format = "channels_last"
    cropping: Any = setting(STEP_SIDES, default=(1, 1))

    @property
    def sides(self) -> tuple[tuple[int, int], ...]:
        """How many steps go."""
        return (self.cropping,)


class Cropping2D(Cropping):
    """The pixels of a frame without those at its sides.

    Shapes: `(batch, height, width, channels)` -> the same with height and width cut.

    Args:
        cropping: how many pixels go at all sides, or a number for top and bottom and one for left
            and right, or `((top, bottom), (left, right))`.
        data_format: `"channels_first"` for inputs `(batch, channels, height, width)`.

    Raises:
        ShapeError: the input has not rank 4, or not more pixels than are cut off.
        SegmentsError: the input carries a mask, which pixels do not have.

    Example:
        >>> import everystep as es, numpy as np
        >>> es.layers.Cropping2D(((1, 0), (2, 1)))(np.zeros((2, 5, 6, 3))).shape
        (2, 4, 3, 3)
    """

    rank = 2
    cropping: Any = setting(PIXEL_SIDES, default=((0, 0), (0, 0)))
    data_format: str = setting(DATA_FORMAT, default=None)

    @property
    def sides(self) -> tuple[tuple[int, int], ...]:
        """How many pixels go."""
        return self.cropping  # type: ignore[no-any-return]


class ZeroPadding1D(ZeroPadding):
    """The steps of a sequence between steps of zeros.

    Equation: `y_t = x_(t - first)`, and 0 where there is no such step, with
    `padding = (first, last)`.

    The layer takes one sequence a row. The zeros are steps of that sequence, as they are where it
    stands alone; it stands at the front of the output's row, without other padding and gaps.

    Shapes: `(batch, steps, channels)` -> `(batch, first + steps + last, channels)`.

    Args:
        padding: how many steps come at both ends, or at the start and the end.
        data_format: `"channels_first"` for inputs `(batch, channels, steps)`, which carry no mask.

    Raises:
        ShapeError: the input has not rank 3.
        PackedRowsError: rows hold several sequences.
        SegmentsError: the input carries a mask with `"channels_first"`.

    Example:
        >>> import everystep as es, numpy as np
        >>> es.layers.ZeroPadding1D((1, 2))(np.ones((1, 2, 1))).ravel().tolist()
        [0.0, 1.0, 1.0, 0.0, 0.0]
    """

    rank = 1
    padding: Any = setting(STEP_SIDES, default=1)
    data_format: str = setting(DATA_FORMAT, default=None)

    @property
    def sides(self) -> tuple[tuple[int, int], ...]:
        """How many steps come."""
        return (self.padding,)


class ZeroPadding2D(ZeroPadding):
    """The pixels of a frame between zeros.

    Shapes: `(batch, height, width, channels)` -> the same with larger height and width.

    Args:
        padding: how many pixels come at all sides, or a number for top and bottom and one for left
            and right, or `((top, bottom), (left, right))`.
        data_format: `"channels_first"` for inputs `(batch, channels, height, width)`.

    Raises:
        ShapeError: the input has not rank 4.
        SegmentsError: the input carries a mask, which pixels do not have.

    Example:
        >>> import everystep as es, numpy as np
        >>> es.layers.ZeroPadding2D(((1, 0), (2, 1)))(np.zeros((2, 5, 6, 3))).shape
        (2, 6, 9, 3)
    """

    rank = 2
    padding: Any = setting(PIXEL_SIDES, default=(1, 1))
    data_format: str = setting(DATA_FORMAT, default=None)

    @property
    def sides(self) -> tuple[tuple[int, int], ...]:
        """How many pixels come."""
        return self.padding  # type: ignore[no-any-return]


class UpSampling1D(Spatial):
    """Every step several times, one after the other.

    Equation: `y_t = x_(t // size)`. What comes of a padded step is padding, and of a sequence in a
    packed row that sequence.

    Shapes: `(batch, steps, channels)` -> `(batch, steps * size, channels)`.

    Args:
        size: how many times.

    Raises:
        ShapeError: the input has not rank 3.

    Example:
        >>> import everystep as es, numpy as np
        >>> es.layers.UpSampling1D(2)(np.array([[[1.0], [2.0]]])).ravel().tolist()
        [1.0, 1.0, 2.0, 2.0]
    """

    rank = 1
    data_format = "channels_last"
    size: int = setting(kinds.POSITIVE, default=2)

    @property
    def masking(self) -> Masking:
        """Packed rows: steps stay with their sequence."""
        return "packed"

    def call(self, inputs: Any) -> Any:
        """Repeat each step."""
        return jnp.repeat(inputs, self.size, axis=1)

    def compute_segments(self, inputs: Any, segments: Any) -> Any:
        """Repeat each step's segment."""
        return None if segments is None else jnp.repeat(segments, self.size, axis=1)


class UpSampling2D(Spatial):
    """A frame with more pixels: each several times, or interpolated.

    Equation: for `"nearest"`, `y_(r,c) = x_(r // size_0, c // size_1)`.

    Shapes: `(batch, height, width, channels)` ->
    `(batch, height * size_0, width * size_1, channels)`.

    Args:
        size: how many times, for height and width or for both.
        data_format: `"channels_first"` for inputs `(batch, channels, height, width)`.
        interpolation: where the values between pixels come from: `"nearest"`, `"bilinear"`,
            `"bicubic"`, `"lanczos3"` or `"lanczos5"`.

    Raises:
        ShapeError: the input has not rank 4.
        SegmentsError: the input carries a mask, which pixels do not have.

    Example:
        >>> import everystep as es, numpy as np
        >>> es.layers.UpSampling2D((1, 2))(np.array([[[[1.0], [2.0]]]])).ravel().tolist()
        [1.0, 1.0, 2.0, 2.0]
    """

    rank = 2
    size: Any = setting(PER_AXIS, default=2)
    data_format: str = setting(DATA_FORMAT, default=None)
    interpolation: str = setting(
        kinds.one_of("nearest", "bilinear", "bicubic", "lanczos3", "lanczos5"), default="nearest"
    )

    def call(self, inputs: Any) -> Any:
        """Repeat or interpolate the pixels."""
        times = self.on_all_axes(self.size, 1)
        if self.interpolation == "nearest":
            for axis in self.window_axes:
                inputs = jnp.repeat(inputs, times[axis], axis=axis)
            return inputs
        shape = [size * by for size, by in zip(inputs.shape, times, strict=True)]
        inputs = inputs.astype(self.compute_dtype)
        return jax.image.resize(inputs, shape, self.interpolation, antialias=False)
