"""Normalization within a row: by layer, by root mean square, to unit length, by group."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from everystep import kinds
from everystep.constraints import CONSTRAINT
from everystep.core.settings import setting
from everystep.errors import SegmentsError, SettingError
from everystep.initializers import INITIALIZER
from everystep.kinds import Kind
from everystep.layers.axes import (
    AXES,
    AXIS,
    Axes,
    axes_within,
    refuse_packed,
    spec_of,
    within_steps,
)
from everystep.layers.layer import Layer
from everystep.layers.spec import InputSpec
from everystep.regularizers import REGULARIZER


class Normalization(Layer):
    """The base of layers that normalize, and then scale by `gamma` and move by `beta`."""

    center: bool
    scale: bool
    beta_initializer: Any
    gamma_initializer: Any
    beta_regularizer: Any
    gamma_regularizer: Any
    beta_constraint: Any
    gamma_constraint: Any

    def add_gamma(self, shape: tuple[int | None, ...]) -> Any:
        """Create the factor."""
        return self.add_weight(
            shape,
            self.gamma_initializer,
            autocast=False,
            regularizer=self.gamma_regularizer,
            constraint=self.gamma_constraint,
            name="gamma",
        )

    def add_beta(self, shape: tuple[int | None, ...]) -> Any:
        """Create the offset."""
        return self.add_weight(
            shape,
            self.beta_initializer,
            autocast=False,
            regularizer=self.beta_regularizer,
            constraint=self.beta_constraint,
            name="beta",
        )


def in_full(inputs: Any) -> Any:
    """Return values in float32 at least: sums of squares overflow in 16 bits."""
    return inputs.astype(jnp.promote_types(inputs.dtype, "float32"))


def along(weight: Any, inputs: Any, places: tuple[int, ...]) -> Any:
    """Return a weight that has the axes at `places` in a shape that fits the inputs."""
    shape = [size if axis in places else 1 for axis, size in enumerate(inputs.shape)]
    return jnp.asarray(weight).astype(inputs.dtype).reshape(shape)


class LayerNormalization(Normalization):
    """Values with mean 0 and variance 1 along the last axis, then scaled and moved.

    Equation: `y = gamma * (x - mean) / sqrt(variance + epsilon) + beta`, with mean and variance
    along `axis`, and a `gamma` and `beta` for each place of it.

    Shapes: the output has the input's shape; `gamma` and `beta` have the sizes of `axis`.

    Along the steps, which `axis` may name too, it takes in the real steps of each sequence; its
    weights then fix the number of steps.

    Args:
        axis: the axis, or axes, along which to normalize.
        epsilon: what is added to the variance.
        center: whether there is a `beta`.
        scale: whether there is a `gamma`.
        beta_initializer: how `beta` is first drawn.
        gamma_initializer: how `gamma` is first drawn.
        beta_regularizer: a function of `beta` that is added to the loss.
        gamma_regularizer: a function of `gamma` that is added to the loss.
        beta_constraint: a function applied to `beta` after each update.
        gamma_constraint: a function applied to `gamma` after each update.
        rms_scaling: Keras's older variant, which keeps the mean and has no `beta`.

    Raises:
        ShapeError: the input does not have that axis, or its size is not known.
        PackedRowsError: rows are packed, and there is a weight for each step of a row.

    Example:
        >>> import everystep as es, numpy as np
        >>> y = es.layers.LayerNormalization()(np.array([[[1.0, 2.0, 6.0]]]))
        >>> round(float(y.mean()), 4), round(float(y.std()), 4)
        (0.0, 0.9999)

    Source: Ba, Kiros and Hinton 2016, arXiv:1607.06450, equation 4.
    """

    axis: Any = setting(AXES, default=-1)
    epsilon: float = setting(kinds.NOT_NEGATIVE, default=1e-3)
    center: bool = setting(kinds.BOOLEAN, default=True)
    scale: bool = setting(kinds.BOOLEAN, default=True)
    beta_initializer: Any = setting(INITIALIZER, default="zeros")
    gamma_initializer: Any = setting(INITIALIZER, default="ones")
    beta_regularizer: Any = setting(REGULARIZER, default=None)
    gamma_regularizer: Any = setting(REGULARIZER, default=None)
    beta_constraint: Any = setting(CONSTRAINT, default=None)
    gamma_constraint: Any = setting(CONSTRAINT, default=None)
    rms_scaling: bool = setting(kinds.BOOLEAN, default=False, kw_only=True)
    # The input is taken in the precision in which it comes.
    autocast: bool = setting(kinds.BOOLEAN, default=False, kw_only=True, in_config=False)

    @property
    def stepwise(self) -> bool:  # type: ignore[override]
        """Whether the axes are within a step."""
        return within_steps(self.axis)

    def build(self, input_shape: Any) -> None:
        """Create `gamma` and `beta`."""
        places = axes_within(self, self.axis, len(input_shape))
        shape = tuple(input_shape[place] for place in places)
        if self.scale or self.rms_scaling:
            self.gamma = self.add_gamma(shape)
        if self.center and not self.rms_scaling:
            self.beta = self.add_beta(shape)
        self.input_spec = spec_of(self.axis, input_shape if self.weights else None)

    def call(self, inputs: Any, segments: Any = None, packed: bool = False) -> Any:
        """Return the inputs, normalized along the axes."""
        axes = Axes(self, self.axis, inputs.ndim, segments, packed)
        refuse_packed(self, packed and 1 in axes.places and bool(self.weights))
        x = in_full(inputs)
        centred = x - axes.mean(x)
        factor = jax.lax.rsqrt(axes.mean(jnp.square(centred)) + self.epsilon)
        if self.scale or self.rms_scaling:
            factor = factor * along(self.gamma, x, axes.places)
        if self.rms_scaling:
            return (x * factor).astype(self.compute_dtype)
        outputs = centred * factor
        if self.center:
            outputs = outputs + along(self.beta, x, axes.places)
        return outputs.astype(self.compute_dtype)


class RMSNormalization(Layer):
    """Values with mean square 1 along the last axis, then scaled.

    Equation: `y = scale * x / sqrt(mean(x ** 2) + epsilon)`.

    Shapes: the output has the input's shape; `scale` has the sizes of `axis`.

    Args:
        axis: the axis, or axes, along which to normalize.
        epsilon: what is added to the mean square.

    Raises:
        ShapeError: the input does not have that axis, or its size is not known.
        PackedRowsError: rows are packed, and there is a weight for each step of a row.

    Example:
        >>> import everystep as es, numpy as np
        >>> y = es.layers.RMSNormalization()(np.array([[3.0, -3.0, 3.0]]))
        >>> [[round(float(value), 4) for value in row] for row in y]
        [[1.0, -1.0, 1.0]]

    Source: Zhang and Sennrich 2019, arXiv:1910.07467, equation 4.
    """

    axis: Any = setting(AXES, default=-1)
    epsilon: float = setting(kinds.NOT_NEGATIVE, default=1e-6)

    @property
    def stepwise(self) -> bool:  # type: ignore[override]
        """Whether the axes are within a step."""
        return within_steps(self.axis)

    def build(self, input_shape: Any) -> None:
        """Create `scale`."""
        places = axes_within(self, self.axis, len(input_shape))
        shape = tuple(input_shape[place] for place in places)
        self.scale = self.add_weight(shape, "ones", name="scale")
        self.input_spec = spec_of(self.axis, input_shape)

    def call(self, inputs: Any, segments: Any = None, packed: bool = False) -> Any:
        """Return the inputs, divided by the root of their mean square."""
        axes = Axes(self, self.axis, inputs.ndim, segments, packed)
        refuse_packed(self, packed and 1 in axes.places)
        x = in_full(inputs)
        factor = jax.lax.rsqrt(axes.mean(jnp.square(x)) + self.epsilon)
        outputs = x * factor * along(self.scale, x, axes.places)
        return outputs.astype(self.compute_dtype)


class UnitNormalization(Layer):
    """Vectors of length 1 along the last axis; a vector of zeros stays one.

    Equation: `y = x / sqrt(sum(x ** 2))`.

    Shapes: the output has the input's shape. Along the steps, which `axis` may name too, each
    sequence is a vector of its own.

    Args:
        axis: the axis, or axes, along which a vector lies.

    Raises:
        ShapeError: the input does not have that axis.

    Example:
        >>> import everystep as es, numpy as np
        >>> y = es.layers.UnitNormalization()(np.array([[3.0, 4.0], [0.0, 0.0]]))
        >>> [[round(float(value), 4) for value in row] for row in y]
        [[0.6, 0.8], [0.0, 0.0]]
    """

    axis: Any = setting(AXES, default=-1)

    @property
    def stepwise(self) -> bool:  # type: ignore[override]
        """Whether the axes are within a step."""
        return within_steps(self.axis)

    def call(self, inputs: Any, segments: Any = None, packed: bool = False) -> Any:
        """Return the inputs, divided by their length."""
        axes = Axes(self, self.axis, inputs.ndim, segments, packed)
        x = in_full(inputs)
        # Never 0 under the root, so that a vector of zeros has a gradient.
        squares = jnp.maximum(axes.sum(jnp.square(x)), 1e-24)
        return (x * jax.lax.rsqrt(squares)).astype(self.compute_dtype)


_GROUPS = Kind(
    "a positive integer, or -1 for a group of each channel",
    lambda value: -1 if value == -1 else kinds.POSITIVE.parse(value),
    refused=(0, -2, 2.5, "3"),
)


class GroupNormalization(Normalization):
    """Values with mean 0 and variance 1 within groups of channels, then scaled and moved.

    Equation: `y = gamma * (x - mean) / sqrt(variance + epsilon) + beta`, with mean and variance
    over all values of a row that belong to a group, and a `gamma` and `beta` for each channel.
    Of a row of steps it takes in the real ones; in packed rows each sequence is on its own.

    Shapes: the output has the input's shape; `gamma` and `beta` are `(channels,)`.

    Args:
        groups: the number of groups of channels that are next to each other; -1 for as many as
            there are channels.
        axis: the axis of the channels.
        epsilon: what is added to the variance.
        center: whether there is a `beta`.
        scale: whether there is a `gamma`.
        beta_initializer: how `beta` is first drawn.
        gamma_initializer: how `gamma` is first drawn.
        beta_regularizer: a function of `beta` that is added to the loss.
        gamma_regularizer: a function of `gamma` that is added to the loss.
        beta_constraint: a function applied to `beta` after each update.
        gamma_constraint: a function applied to `gamma` after each update.

    Raises:
        SettingError: the channels cannot be shared out among so many groups.
        SegmentsError: the input carries a mask, which says that its channels are steps.

    Example:
        >>> import everystep as es, numpy as np
        >>> y = es.layers.GroupNormalization(groups=2)(np.array([[1.0, 3.0, 50.0, 70.0]]))
        >>> [[round(float(value), 2) for value in row] for row in y]
        [[-1.0, 1.0, -1.0, 1.0]]

    Source: Wu and He 2018, arXiv:1803.08494, equations 1 to 7.
    """

    groups: int = setting(_GROUPS, default=32)
    axis: int = setting(AXIS, default=-1)
    epsilon: float = setting(kinds.NOT_NEGATIVE, default=1e-3)
    center: bool = setting(kinds.BOOLEAN, default=True)
    scale: bool = setting(kinds.BOOLEAN, default=True)
    beta_initializer: Any = setting(INITIALIZER, default="zeros")
    gamma_initializer: Any = setting(INITIALIZER, default="ones")
    beta_regularizer: Any = setting(REGULARIZER, default=None)
    gamma_regularizer: Any = setting(REGULARIZER, default=None)
    beta_constraint: Any = setting(CONSTRAINT, default=None)
    gamma_constraint: Any = setting(CONSTRAINT, default=None)
    # The input is taken in the precision in which it comes.
    autocast: bool = setting(kinds.BOOLEAN, default=False, kw_only=True, in_config=False)

    input_spec = InputSpec(min_ndim=2, axis_names="(batch, ..., channels)")

    def build(self, input_shape: Any) -> None:
        """Create `gamma` and `beta`, and see to it that the groups are of one size."""
        (place,) = axes_within(self, self.axis, len(input_shape))
        channels = input_shape[place]
        if self.scale:
            self.gamma = self.add_gamma((channels,))
        if self.center:
            self.beta = self.add_beta((channels,))
        if channels is not None and self.groups > 0 and channels % self.groups:
            raise SettingError(
                f"layer '{self.path}' (GroupNormalization) cannot share out {channels} channels "
                f"among groups={self.groups}: the number of channels must be a multiple of it, or "
                "groups=-1"
            )
        self.input_spec = InputSpec(ndim=len(input_shape), axes={place: channels})

    def call(self, inputs: Any, segments: Any = None, packed: bool = False) -> Any:
        """Return the inputs, normalized within groups."""
        (place,) = axes_within(self, self.axis, inputs.ndim)
        if segments is not None and place < segments.ndim:
            raise SegmentsError(
                f"layer '{self.path}' (GroupNormalization) has its channels in axis {place}, where "
                "the mask of its input says that there are steps: take the mask off, or choose "
                "another axis"
            )
        x = in_full(inputs)
        grouped = self._grouped(x, place)
        others = tuple(axis for axis in range(1, grouped.ndim) if axis != place)
        axes = Axes(self, others, grouped.ndim, segments, packed)
        centred = grouped - axes.mean(grouped)
        factor = jax.lax.rsqrt(axes.mean(jnp.square(centred)) + self.epsilon)
        if self.scale:
            factor = factor * self._grouped(along(self.gamma, x, (place,)), place)
        outputs = centred * factor
        if self.center:
            outputs = outputs + self._grouped(along(self.beta, x, (place,)), place)
        return outputs.reshape(x.shape).astype(self.compute_dtype)

    def _grouped(self, array: Any, place: int) -> Any:
        """Return an array with its channels as two axes, of groups and of channels in each."""
        channels = array.shape[place]
        groups = channels if self.groups == -1 else self.groups
        sizes = (groups, channels // groups)
        return array.reshape(*array.shape[:place], *sizes, *array.shape[place + 1 :])
