"""Convolutions of each channel by itself: DepthwiseConv1D, and SeparableConv1D that then mixes.

They are written as a sum over the places of the window, which on CPUs is many times faster than
JAX's convolution in as many groups as channels.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import jax
import jax.core
import jax.numpy as jnp
from jax import lax

from everystep import kinds
from everystep.activations import ACTIVATION
from everystep.constraints import CONSTRAINT
from everystep.core.settings import setting
from everystep.initializers import INITIALIZER
from everystep.kernels import product
from everystep.layers.convolution import Convolution
from everystep.layers.spatial import DATA_FORMAT, PADDING, PER_AXIS
from everystep.layers.windows import total
from everystep.regularizers import REGULARIZER


class ChannelwiseConvolution(Convolution):
    """The base of convolutions that give each channel `depth_multiplier` channels of its own."""

    depth_multiplier: int
    depthwise_initializer: Any
    depthwise_regularizer: Any
    depthwise_constraint: Any

    def add_channelwise_kernel(self, channels: Any, name: str) -> Any:
        """Create the weight `(kernel_size, channels, depth_multiplier)`."""
        return self.add_weight(
            (*self.kernel_size, channels, self.depth_multiplier),
            self.depthwise_initializer,
            regularizer=self.depthwise_regularizer,
            constraint=self.depthwise_constraint,
            name=name,
        )

    def channelwise_kernel(self) -> Any:
        """Return the weight that slides."""
        raise NotImplementedError

    def convolved(self, inputs: Any, segments: Any, packed: bool) -> Any:
        """Slide over the inputs with channels last."""
        return self.turned(self.mixed(super().convolved(inputs, segments, packed)))

    def mixed(self, outputs: Any) -> Any:
        """Return what becomes of the channels after the window."""
        return outputs

    def slide(self, inputs: Any, padding: str) -> Any:
        """Sum over the places of the window, each with a slice of the inputs."""
        inputs = self.turned(inputs)
        window, steps = self.window, inputs.shape[1]
        stride, reach = window.stride, window.extent - 1
        before, last = 0, jax.core.max_dim(steps - reach, 0)
        if padding == "same":
            pads = lax.padtype_to_pads((steps,), (window.extent,), (stride,), "SAME")
            before, last = pads[0][0], steps
        inputs = jnp.pad(inputs, ((0, 0), (before, reach - before), (0, 0)))

        def read(place: int) -> Any:
            start = place * window.dilation
            return lax.slice_in_dim(inputs, start, start + last, stride, axis=1)

        return self.joined(map(read, range(window.size)))

    def joined(self, reads: Iterable[Any]) -> Any:
        """Sum the products of each channel with its own numbers at each place of the window."""
        kernel = jnp.asarray(self.channelwise_kernel())

        def given(read: Any, weights: Any) -> Any:
            outputs = read[..., None] * weights
            return outputs.reshape(*read.shape[:-1], weights.size)

        return total(map(given, reads, kernel), kernel.dtype)


class DepthwiseConv1D(ChannelwiseConvolution):
    """A convolution over steps of each channel by itself, which mixes no channels.

    Equation: `y_(t,c*m+j) = activation(sum_i x_(t*strides + i*dilation_rate - before, c) W_(i,c,j)
    + b)`, with `m` for `depth_multiplier` and `j` from 0 to `m - 1`; `before` as in `Conv1D`.

    Padding and packed rows are taken as in `Conv1D`.

    Shapes: `(batch, steps, channels)` -> `(batch, new steps, channels * depth_multiplier)`, with
    new steps as in `Conv1D`; `W` is `(kernel_size, channels, depth_multiplier)` and `b` is
    `(channels * depth_multiplier,)`.

    Args:
        kernel_size: the number of steps in a window.
        strides: the steps from one window to the next.
        padding: `"valid"` for windows within the input alone, `"same"` for windows around each
            step.
        depth_multiplier: the number of output channels for each input channel.
        data_format: `"channels_first"` for inputs `(batch, channels, steps)`, which carry no mask.
        dilation_rate: the steps from one step in a window to the next.
        activation: a function, or its name; none by default.
        use_bias: whether there is a `b`.
        depthwise_initializer: how `W` is first drawn.
        bias_initializer: how `b` is first drawn.
        depthwise_regularizer: a function of `W` that is added to the loss.
        bias_regularizer: a function of `b` that is added to the loss.
        activity_regularizer: a function of the output that is added to the loss.
        depthwise_constraint: a function applied to `W` after each update.
        bias_constraint: a function applied to `b` after each update.

    Raises:
        ShapeError: the input is shorter than a window with `"valid"`, or it has not rank 3 or not
            the channels that the layer was built for.
        PackedRowsError: strides are above 1 on rows that hold several sequences.
        SegmentsError: the input carries a mask with `"channels_first"`.

    Example:
        >>> import everystep as es, numpy as np
        >>> layer = es.layers.DepthwiseConv1D(3, padding="same", depth_multiplier=2)
        >>> layer(np.zeros((2, 50, 10), "float32")).shape, layer.count_params()
        ((2, 50, 20), 80)

    Source: Sifre and Mallat 2014, "Rigid-motion scattering for texture classification"; the
    variant with a multiplier.
    """

    rank = 1
    kernel_size: Any = setting(PER_AXIS)
    strides: Any = setting(PER_AXIS, default=1)
    padding: str = setting(PADDING, default="valid")
    depth_multiplier: int = setting(kinds.POSITIVE, default=1)
    data_format: str = setting(DATA_FORMAT, default=None)
    dilation_rate: Any = setting(PER_AXIS, default=1)
    activation: Any = setting(ACTIVATION, default=None)
    use_bias: bool = setting(kinds.BOOLEAN, default=True)
    depthwise_initializer: Any = setting(INITIALIZER, default="glorot_uniform")
    bias_initializer: Any = setting(INITIALIZER, default="zeros")
    depthwise_regularizer: Any = setting(REGULARIZER, default=None)
    bias_regularizer: Any = setting(REGULARIZER, default=None)
    activity_regularizer: Any = setting(REGULARIZER, default=None)
    depthwise_constraint: Any = setting(CONSTRAINT, default=None)
    bias_constraint: Any = setting(CONSTRAINT, default=None)

    def add_kernels(self, channels: Any) -> int:
        """Create `kernel`."""
        self.kernel = self.add_channelwise_kernel(channels, "kernel")
        return int(channels * self.depth_multiplier)

    def channelwise_kernel(self) -> Any:
        """Return `kernel`."""
        return self.kernel


class SeparableConv1D(ChannelwiseConvolution):
    """A convolution over steps of each channel by itself, and then a mixture of the channels.

    Equation: `y_t = activation(h_t P + b)`, where `h` is what a `DepthwiseConv1D` with the kernel
    `D` gives, without bias and activation.

    Padding and packed rows are taken as in `Conv1D`.

    Shapes: `(batch, steps, channels)` -> `(batch, new steps, filters)`, with new steps as in
    `Conv1D`; `D` is `(kernel_size, channels, depth_multiplier)`, `P` is
    `(1, channels * depth_multiplier, filters)` and `b` is `(filters,)`.

    Args:
        filters: the number of output channels.
        kernel_size: the number of steps in a window.
        strides: the steps from one window to the next.
        padding: `"valid"` for windows within the input alone, `"same"` for windows around each
            step.
        data_format: `"channels_first"` for inputs `(batch, channels, steps)`, which carry no mask.
        dilation_rate: the steps from one step in a window to the next.
        depth_multiplier: the number of channels in between for each input channel.
        activation: a function, or its name; none by default.
        use_bias: whether there is a `b`.
        depthwise_initializer: how `D` is first drawn.
        pointwise_initializer: how `P` is first drawn.
        bias_initializer: how `b` is first drawn.
        depthwise_regularizer: a function of `D` that is added to the loss.
        pointwise_regularizer: a function of `P` that is added to the loss.
        bias_regularizer: a function of `b` that is added to the loss.
        activity_regularizer: a function of the output that is added to the loss.
        depthwise_constraint: a function applied to `D` after each update.
        pointwise_constraint: a function applied to `P` after each update.
        bias_constraint: a function applied to `b` after each update.

    Raises:
        ShapeError: the input is shorter than a window with `"valid"`, or it has not rank 3 or not
            the channels that the layer was built for.
        PackedRowsError: strides are above 1 on rows that hold several sequences.
        SegmentsError: the input carries a mask with `"channels_first"`.

    Example:
        >>> import everystep as es, numpy as np
        >>> layer = es.layers.SeparableConv1D(4, 3, padding="same")
        >>> layer(np.zeros((2, 50, 10), "float32")).shape, layer.count_params()
        ((2, 50, 4), 74)

    Source: Chollet 2017, "Xception: deep learning with depthwise separable convolutions"; without
    an activation in between.
    """

    rank = 1
    filters: int = setting(kinds.POSITIVE)
    kernel_size: Any = setting(PER_AXIS)
    strides: Any = setting(PER_AXIS, default=1)
    padding: str = setting(PADDING, default="valid")
    data_format: str = setting(DATA_FORMAT, default=None)
    dilation_rate: Any = setting(PER_AXIS, default=1)
    depth_multiplier: int = setting(kinds.POSITIVE, default=1)
    activation: Any = setting(ACTIVATION, default=None)
    use_bias: bool = setting(kinds.BOOLEAN, default=True)
    depthwise_initializer: Any = setting(INITIALIZER, default="glorot_uniform")
    pointwise_initializer: Any = setting(INITIALIZER, default="glorot_uniform")
    bias_initializer: Any = setting(INITIALIZER, default="zeros")
    depthwise_regularizer: Any = setting(REGULARIZER, default=None)
    pointwise_regularizer: Any = setting(REGULARIZER, default=None)
    bias_regularizer: Any = setting(REGULARIZER, default=None)
    activity_regularizer: Any = setting(REGULARIZER, default=None)
    depthwise_constraint: Any = setting(CONSTRAINT, default=None)
    pointwise_constraint: Any = setting(CONSTRAINT, default=None)
    bias_constraint: Any = setting(CONSTRAINT, default=None)

    def add_kernels(self, channels: Any) -> int:
        """Create `depthwise_kernel` and `pointwise_kernel`."""
        self.depthwise_kernel = self.add_channelwise_kernel(channels, "depthwise_kernel")
        self.pointwise_kernel = self.add_weight(
            (1, channels * self.depth_multiplier, self.filters),
            self.pointwise_initializer,
            regularizer=self.pointwise_regularizer,
            constraint=self.pointwise_constraint,
            name="pointwise_kernel",
        )
        return self.filters

    def channelwise_kernel(self) -> Any:
        """Return `depthwise_kernel`."""
        return self.depthwise_kernel

    def mixed(self, outputs: Any) -> Any:
        """Mix the channels of each step."""
        return product(outputs, jnp.asarray(self.pointwise_kernel)[0])
