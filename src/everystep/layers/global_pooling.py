"""Pooling over all steps or pixels at once: the largest value, or the mean."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp

from everystep import kinds
from everystep.core.settings import setting
from everystep.layers.pooling import least
from everystep.layers.spatial import DATA_FORMAT, Spatial


class GlobalPooling(Spatial):
    """The base of pooling over all steps or pixels."""

    data_format: str = setting(DATA_FORMAT, default=None)
    keepdims: bool = setting(kinds.BOOLEAN, default=False)

    def call(self, inputs: Any, mask: Any = None) -> Any:
        """Pool all steps or pixels, or the real steps; where there are none, return 0."""
        axes: dict[str, Any] = {"axis": self.window_axes, "keepdims": self.keepdims}
        sizes = self.on_all_axes(tuple(inputs.shape[axis] for axis in self.window_axes), 1)
        if mask is None and 0 not in sizes:
            return self.pooled(inputs, axes)
        real = jnp.ones(sizes, bool) if mask is None else mask[..., None]
        return jnp.where(jnp.any(real, **axes), self.pooled_of(inputs, real, axes), 0)

    def compute_segments(self, inputs: Any, segments: Any) -> None:
        """Return nothing: one value a row is left."""
        return

    def pooled(self, inputs: Any, axes: dict[str, Any]) -> Any:
        """Return the one value of each row and channel."""
        raise NotImplementedError

    def pooled_of(self, inputs: Any, real: Any, axes: dict[str, Any]) -> Any:
        """Return the same of what is real, and anything finite where nothing is."""
        raise NotImplementedError


class GlobalAveragePooling(GlobalPooling):
    """The base of pooling by the mean."""

    def pooled(self, inputs: Any, axes: dict[str, Any]) -> Any:
        """Return the mean."""
        return jnp.mean(inputs.astype(self.compute_dtype), **axes)

    def pooled_of(self, inputs: Any, real: Any, axes: dict[str, Any]) -> Any:
        """Return the mean of what is real."""
        inputs = inputs.astype(self.compute_dtype)
        # A sum in half precision would lose steps, or exceed what it can hold.
        wide = jnp.promote_types(inputs.dtype, "float32")
        sums = jnp.sum(jnp.where(real, inputs, 0), dtype=wide, **axes)
        counts = jnp.sum(real, dtype=wide, **axes)
        return (sums / jnp.maximum(counts, 1)).astype(inputs.dtype)


class GlobalMaxPooling(GlobalPooling):
    """The base of pooling by the largest value."""

    def pooled(self, inputs: Any, axes: dict[str, Any]) -> Any:
        """Return the largest value."""
        return jnp.max(inputs, **axes)

    def pooled_of(self, inputs: Any, real: Any, axes: dict[str, Any]) -> Any:
        """Return the largest value of what is real."""
        lowest = least(inputs.dtype)
        return jnp.max(jnp.where(real, inputs, lowest), initial=lowest, **axes)


class GlobalAveragePooling1D(GlobalAveragePooling):
    """The mean over all steps of a sequence.

    Equation: `y_c = mean_t x_(t,c)` over the real steps; 0 where there is none.

    Shapes: `(batch, steps, channels)` -> `(batch, channels)`, or `(batch, 1, channels)` with
    `keepdims`.

    Args:
        data_format: `"channels_first"` for inputs `(batch, channels, steps)`, which carry no mask.
        keepdims: whether the axis of the steps stays, with size 1.

    Raises:
        ShapeError: the input has not rank 3.
        PackedRowsError: rows hold several sequences.
        SegmentsError: the input carries a mask with `"channels_first"`.

    Example:
        >>> import everystep as es, numpy as np
        >>> x, mask = np.array([[[1.0], [5.0], [9.0]]]), np.array([[True, True, False]])
        >>> es.layers.GlobalAveragePooling1D()(x, mask=mask).tolist()
        [[3.0]]
    """

    rank = 1


class GlobalMaxPooling1D(GlobalMaxPooling):
    """The largest value over all steps of a sequence.

    Equation: `y_c = max_t x_(t,c)` over the real steps; 0 where there is none. Keras drops the
    mask here, and takes the largest value of padding too.

    Shapes: `(batch, steps, channels)` -> `(batch, channels)`, or `(batch, 1, channels)` with
    `keepdims`.

    Args:
        data_format: `"channels_first"` for inputs `(batch, channels, steps)`, which carry no mask.
        keepdims: whether the axis of the steps stays, with size 1.

    Raises:
        ShapeError: the input has not rank 3.
        PackedRowsError: rows hold several sequences.
        SegmentsError: the input carries a mask with `"channels_first"`.

    Example:
        >>> import everystep as es, numpy as np
        >>> x, mask = np.array([[[1.0], [5.0], [9.0]]]), np.array([[True, True, False]])
        >>> es.layers.GlobalMaxPooling1D()(x, mask=mask).tolist()
        [[5.0]]
    """

    rank = 1


class GlobalAveragePooling2D(GlobalAveragePooling):
    """The mean over all pixels of a frame.

    Equation: `y_c = mean_(r,q) x_(r,q,c)`.

    Shapes: `(batch, height, width, channels)` -> `(batch, channels)`, or
    `(batch, 1, 1, channels)` with `keepdims`.

    Args:
        data_format: `"channels_first"` for inputs `(batch, channels, height, width)`.
        keepdims: whether the axes of the pixels stay, with size 1.

    Raises:
        ShapeError: the input has not rank 4.
        SegmentsError: the input carries a mask, which pixels do not have.

    Example:
        >>> import everystep as es, numpy as np
        >>> es.layers.GlobalAveragePooling2D()(np.arange(8.0).reshape(1, 2, 2, 2)).tolist()
        [[3.0, 4.0]]
    """

    rank = 2


class GlobalMaxPooling2D(GlobalMaxPooling):
    """The largest value over all pixels of a frame.

    Equation: `y_c = max_(r,q) x_(r,q,c)`.

    Shapes: `(batch, height, width, channels)` -> `(batch, channels)`, or
    `(batch, 1, 1, channels)` with `keepdims`.

    Args:
        data_format: `"channels_first"` for inputs `(batch, channels, height, width)`.
        keepdims: whether the axes of the pixels stay, with size 1.

    Raises:
        ShapeError: the input has not rank 4.
        SegmentsError: the input carries a mask, which pixels do not have.

    Example:
        >>> import everystep as es, numpy as np
        >>> es.layers.GlobalMaxPooling2D()(np.arange(8.0).reshape(1, 2, 2, 2)).tolist()
        [[6.0, 7.0]]
    """

    rank = 2
