"""Pooling over windows of steps and frames: the largest value, or the mean."""

from __future__ import annotations

import math
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import lax

from everystep.core.settings import setting
from everystep.layers.spatial import DATA_FORMAT, OPTIONAL_PER_AXIS, PADDING, PER_AXIS, Spatial
from everystep.layers.windows import Window


class Pooling(Spatial):
    """The base of pooling over windows."""

    pool_size: tuple[int, ...]
    strides: Any
    padding: str

    def after_settings(self) -> None:
        """Let windows stand side by side where no strides are given."""
        super().after_settings()
        self.strides = self.strides or self.pool_size

    @property
    def window(self) -> Window:
        """The window over steps."""
        return Window(self.pool_size[0], self.strides[0], padding=self.padding)

    def call(self, inputs: Any, mask: Any = None) -> Any:
        """Pool each window, or each window over the sequence of each row."""
        if self.padding == "valid":
            self.refuse_small(inputs, self.pool_size)
        if mask is None:
            return self.pooled(inputs, self.padding.upper())
        laid = self.window.laid_out(inputs, mask)
        real = self.window.laid_out(jnp.ones((*mask.shape, 1), bool), mask)
        outputs = self.pooled(laid, "VALID", real)
        after = self.window.segments_after(mask.astype("int32"))
        return jnp.where(after[..., None] != 0, outputs, 0)

    def compute_segments(self, inputs: Any, segments: Any) -> Any:
        """Return the segments of the windows."""
        return None if segments is None else self.window.segments_after(segments)

    def pooled(self, inputs: Any, padding: str, real: Any = None) -> Any:
        """Return one value for each window; `real` says which steps count, all by default."""
        raise NotImplementedError

    def over_windows(self, inputs: Any, start: Any, join: Any, padding: str) -> Any:
        """Return the values of each window joined two by two."""
        sizes, strides = (self.on_all_axes(one, 1) for one in (self.pool_size, self.strides))
        return lax.reduce_window(inputs, start, join, sizes, strides, padding)


class MaxPooling(Pooling):
    """The base of pooling by the largest value."""

    pool_size: Any = setting(PER_AXIS, default=2)
    strides: Any = setting(OPTIONAL_PER_AXIS, default=None)
    padding: str = setting(PADDING, default="valid")
    data_format: str = setting(DATA_FORMAT, default=None)

    def pooled(self, inputs: Any, padding: str, real: Any = None) -> Any:
        """Return the largest value of each window."""
        lowest = least(inputs.dtype)
        if real is not None:
            inputs = jnp.where(real, inputs, lowest)
        return self.over_windows(inputs, lowest, lax.max, padding)


class AveragePooling(Pooling):
    """The base of pooling by the mean."""

    pool_size: Any = setting(PER_AXIS)
    strides: Any = setting(OPTIONAL_PER_AXIS, default=None)
    padding: str = setting(PADDING, default="valid")
    data_format: str = setting(DATA_FORMAT, default=None)

    def pooled(self, inputs: Any, padding: str, real: Any = None) -> Any:
        """Return the mean of what each window reads; the padding around the input is left out."""
        inputs = inputs.astype(self.compute_dtype)
        zero = np.zeros((), inputs.dtype)
        sums = self.over_windows(inputs, zero, lax.add, padding)
        if real is None and padding == "VALID":
            return sums / math.prod(self.pool_size)
        if real is None:
            sizes = tuple(inputs.shape[axis] for axis in self.window_axes)
            real = jnp.ones(self.on_all_axes(sizes, 1))
        counts = self.over_windows(real.astype(inputs.dtype), zero, lax.add, padding)
        return sums / jnp.maximum(counts, 1)


def least(dtype: Any) -> Any:
    """Return the value of a dtype below which there is none."""
    # Of NumPy, because JAX has to see the value to know the derivative.
    if jnp.issubdtype(dtype, jnp.floating):
        return np.array(-np.inf, dtype)
    return np.array(np.iinfo(dtype).min, dtype)


class MaxPooling1D(MaxPooling):
    """The largest value in each window of steps.

    Equation: `y_(t,c) = max(x_(t*strides + i - before, c))` over `i` from 0 to `pool_size - 1`;
    with `"same"`, `before` places before the first step are left out.

    The layer takes one sequence a row. What it gives stands at the front of the output's row,
    without padding and gaps, as it would for the sequence alone.

    Shapes: `(batch, steps, channels)` -> `(batch, new steps, channels)`, with
    `(steps - pool_size) // strides + 1` new steps for `"valid"` and `ceil(steps / strides)` for
    `"same"`.

    Args:
        pool_size: the number of steps in a window.
        strides: the steps from one window to the next; by default windows stand side by side.
        padding: `"valid"` for windows within the input alone, `"same"` for one at every
            `strides`-th step.
        data_format: `"channels_first"` for inputs `(batch, channels, steps)`, which carry no mask.

    Raises:
        ShapeError: the input has not rank 3, or is shorter than a window with `"valid"`.
        PackedRowsError: rows hold several sequences.
        SegmentsError: the input carries a mask with `"channels_first"`.

    Example:
        >>> import everystep as es, numpy as np
        >>> x = np.array([[[1.0], [5.0], [2.0], [3.0], [4.0]]])
        >>> es.layers.MaxPooling1D(2)(x).ravel().tolist()
        [5.0, 3.0]
        >>> es.layers.MaxPooling1D(2, padding="same")(x).ravel().tolist()
        [5.0, 3.0, 4.0]
    """

    rank = 1


class AveragePooling1D(AveragePooling):
    """The mean of each window of steps.

    Equation: `y_(t,c) = mean(x_(t*strides + i - before, c))` over `i` from 0 to `pool_size - 1`;
    with `"same"`, `before` places before the first step are left out.

    The layer takes one sequence a row. What it gives stands at the front of the output's row,
    without padding and gaps, as it would for the sequence alone.

    Shapes: `(batch, steps, channels)` -> `(batch, new steps, channels)`, with
    `(steps - pool_size) // strides + 1` new steps for `"valid"` and `ceil(steps / strides)` for
    `"same"`.

    Args:
        pool_size: the number of steps in a window.
        strides: the steps from one window to the next; by default windows stand side by side.
        padding: `"valid"` for windows within the input alone, `"same"` for one at every
            `strides`-th step.
        data_format: `"channels_first"` for inputs `(batch, channels, steps)`, which carry no mask.

    Raises:
        ShapeError: the input has not rank 3, or is shorter than a window with `"valid"`.
        PackedRowsError: rows hold several sequences.
        SegmentsError: the input carries a mask with `"channels_first"`.

    Example:
        >>> import everystep as es, numpy as np
        >>> x = np.array([[[1.0], [5.0], [2.0], [3.0], [4.0]]])
        >>> es.layers.AveragePooling1D(2, padding="same")(x).ravel().tolist()
        [3.0, 2.5, 4.0]
    """

    rank = 1


class MaxPooling2D(MaxPooling):
    """The largest value in each window of pixels; see `MaxPooling1D`.

    Shapes: `(batch, height, width, channels)` -> `(batch, new height, new width, channels)`, with
    new sizes as in `MaxPooling1D`.

    Args:
        pool_size: height and width of a window, or one number for both.
        strides: the pixels from one window to the next; by default windows stand side by side.
        padding: `"valid"` for windows within the input alone, or `"same"`.
        data_format: `"channels_first"` for inputs `(batch, channels, height, width)`.

    Raises:
        ShapeError: the input has not rank 4, or is smaller than a window with `"valid"`.
        SegmentsError: the input carries a mask, which pixels do not have.

    Example:
        >>> import everystep as es, numpy as np
        >>> es.layers.MaxPooling2D()(np.arange(16.0).reshape(1, 4, 4, 1)).ravel().tolist()
        [5.0, 7.0, 13.0, 15.0]
    """

    rank = 2


class AveragePooling2D(AveragePooling):
    """The mean of each window of pixels; see `AveragePooling1D`.

    Shapes: `(batch, height, width, channels)` -> `(batch, new height, new width, channels)`, with
    new sizes as in `AveragePooling1D`.

    Args:
        pool_size: height and width of a window, or one number for both.
        strides: the pixels from one window to the next; by default windows stand side by side.
        padding: `"valid"` for windows within the input alone, or `"same"`.
        data_format: `"channels_first"` for inputs `(batch, channels, height, width)`.

    Raises:
        ShapeError: the input has not rank 4, or is smaller than a window with `"valid"`.
        SegmentsError: the input carries a mask, which pixels do not have.

    Example:
        >>> import everystep as es, numpy as np
        >>> es.layers.AveragePooling2D(2)(np.arange(16.0).reshape(1, 4, 4, 1)).ravel().tolist()
        [2.5, 4.5, 10.5, 12.5]
    """

    rank = 2
