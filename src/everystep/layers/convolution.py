"""Convolutions over steps and frames: what all of them share, Conv1D and Conv2D."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import jax.numpy as jnp
from jax import lax

from everystep import kinds
from everystep.activations import ACTIVATION
from everystep.constraints import CONSTRAINT
from everystep.core.settings import setting
from everystep.errors import SettingError, ShapeError
from everystep.initializers import INITIALIZER
from everystep.kernels import contract, convolution
from everystep.layers import symbolic
from everystep.layers.layer import Masking
from everystep.layers.spatial import CAUSAL_PADDING, DATA_FORMAT, PER_AXIS, Spatial
from everystep.layers.windows import Window, shifted
from everystep.regularizers import REGULARIZER


class BiasedConvolution(Spatial):
    """The base of all convolutions: an equation of its own, then bias and activation."""

    kernel_size: tuple[int, ...]
    strides: tuple[int, ...]
    padding: str
    dilation_rate: tuple[int, ...]
    activation: Any
    use_bias: bool
    bias_initializer: Any
    bias_regularizer: Any
    bias_constraint: Any

    def build(self, input_shape: Any) -> None:
        """Create the kernel and `bias`."""
        channels = input_shape[self.channel_axis]
        filters = self.add_kernels(channels)
        if self.use_bias:
            self.bias = self.add_weight(
                (filters,),
                self.bias_initializer,
                regularizer=self.bias_regularizer,
                constraint=self.bias_constraint,
                name="bias",
            )
        self.input_spec = self.spec_for(channels)

    def add_kernels(self, channels: Any) -> int:
        """Create the weights besides the bias; return the number of channels that they give."""
        raise NotImplementedError

    def call(self, inputs: Any, segments: Any = None, packed: bool = False) -> Any:
        """Return `activation(convolved inputs + bias)`."""
        return self._finished(self.convolved(inputs, segments, packed))

    def _finished(self, outputs: Any) -> Any:
        if self.use_bias:
            bias = jnp.asarray(self.bias)
            outputs += bias if self.channels_last else bias.reshape(-1, *[1] * self.rank)
        return self.activation(outputs)

    def convolved(self, inputs: Any, segments: Any, packed: bool) -> Any:
        """Return the sums that bias and activation go onto."""
        raise NotImplementedError

    def refuse_strides_with_dilation(self) -> None:
        """Refuse both at once, which Keras does not define."""
        if max(self.strides) > 1 and max(self.dilation_rate) > 1:
            raise SettingError(
                f"{type(self).__name__}: strides: `strides > 1` not supported in conjunction with "
                f"`dilation_rate > 1`, but came as {self.strides} and {self.dilation_rate}: leave "
                "one of them at 1"
            )


class Convolution(BiasedConvolution):
    """The base of convolutions whose windows slide over the input.

    Over the steps of sequences, padding reads as zero, and a window never reaches into another
    sequence of its row.
    """

    @property
    def window(self) -> Window:
        """The window over steps."""
        return Window(self.kernel_size[0], self.strides[0], self.dilation_rate[0], self.padding)

    @property
    def masking(self) -> Masking:
        """Packed rows where windows stand at every step; else one sequence a row."""
        return "packed" if super().masking == "rows" and self.strides == (1,) else super().masking

    def compute_segments(self, inputs: Any, segments: Any) -> Any:
        """Return the segments of the windows."""
        if segments is None or self.window.keeps_steps:
            return segments
        if self.window.stride == 1:
            return self.window.segments_within(segments)
        return self.window.segments_after(segments)

    def convolved(self, inputs: Any, segments: Any, packed: bool) -> Any:
        """Slide the kernel over the inputs, or over each sequence of them."""
        inputs = inputs.astype(self.compute_dtype)
        if self.padding == "valid":
            extents = zip(self.kernel_size, self.dilation_rate, strict=True)
            self.refuse_small(inputs, tuple((size - 1) * step + 1 for size, step in extents))
        if segments is None:
            return self.slide(inputs, self.padding)
        if self.window.stride > 1:
            return self.slide(self.window.laid_out(inputs, segments), "valid")
        inputs = jnp.where(segments[..., None] != 0, inputs, 0)
        if packed and self.window.keeps_steps and self.window.size > 1:
            return self._slide_within_sequences(inputs, segments)
        return self.slide(inputs, self.padding)

    def _slide_within_sequences(self, inputs: Any, segments: Any) -> Any:
        def read(offset: int) -> Any:
            own = shifted(segments, offset) == segments
            return jnp.where(own[..., None], shifted(inputs, offset), 0)

        return self.joined(map(read, self.window.offsets))

    def slide(self, inputs: Any, padding: str) -> Any:
        """Return the sum over the places of the window, at every window."""
        raise NotImplementedError

    def joined(self, reads: Iterable[Any]) -> Any:
        """Return the same sum of what all windows read at each place, (batch, steps, channels)."""
        raise NotImplementedError


class GroupedConvolution(Convolution):
    """The base of the convolutions with one kernel over all channels, or over each group of them.

    Shapes: `kernel` is `(*kernel_size, channels / groups, filters)`, `bias` is `(filters,)`.
    """

    filters: int = setting(kinds.POSITIVE)
    kernel_size: Any = setting(PER_AXIS)
    strides: Any = setting(PER_AXIS, default=1)
    padding: str = setting(CAUSAL_PADDING, default="valid")
    data_format: str = setting(DATA_FORMAT, default=None)
    dilation_rate: Any = setting(PER_AXIS, default=1)
    groups: int = setting(kinds.POSITIVE, default=1)
    activation: Any = setting(ACTIVATION, default=None)
    use_bias: bool = setting(kinds.BOOLEAN, default=True)
    kernel_initializer: Any = setting(INITIALIZER, default="glorot_uniform")
    bias_initializer: Any = setting(INITIALIZER, default="zeros")
    kernel_regularizer: Any = setting(REGULARIZER, default=None)
    bias_regularizer: Any = setting(REGULARIZER, default=None)
    activity_regularizer: Any = setting(REGULARIZER, default=None)
    kernel_constraint: Any = setting(CONSTRAINT, default=None)
    bias_constraint: Any = setting(CONSTRAINT, default=None)

    def after_settings(self) -> None:
        """Refuse settings that do not go together."""
        super().after_settings()
        self.refuse_strides_with_dilation()
        if self.padding == "causal" and self.rank > 1:
            raise SettingError(
                f"{type(self).__name__}: padding: 'causal' is for steps, which have an order, but "
                "the layer reads pixels: choose 'valid' or 'same'"
            )
        if self.filters % self.groups:
            raise SettingError(
                f"{type(self).__name__}: groups: The number of filters must be evenly divisible by "
                f"the number of groups, but filters is {self.filters} and groups is {self.groups}"
            )

    def add_kernels(self, channels: Any) -> int:
        """Create `kernel`."""
        if channels is not None and channels % self.groups:
            shape = symbolic.written(symbolic.known(self._built_for))
            raise ShapeError(
                "The number of input channels must be evenly divisible by the number of groups: "
                f"layer '{self.path}' ({type(self).__name__}) has {self.groups} groups, but its "
                f"input of shape {shape} has {channels} channels"
            )
        self.kernel = self.add_weight(
            (*self.kernel_size, channels and channels // self.groups, self.filters),
            self.kernel_initializer,
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
            name="kernel",
        )
        return self.filters

    def slide(self, inputs: Any, padding: str) -> Any:
        """Slide the kernel over the input."""
        if not self.channels_last:
            inputs = jnp.moveaxis(inputs, 1, -1)
        outputs = convolution(
            inputs,
            jnp.asarray(self.kernel),
            self.strides,
            ((self.window.extent - 1, 0),) if padding == "causal" else padding.upper(),
            self.dilation_rate,
            self.groups,
        )
        return outputs if self.channels_last else jnp.moveaxis(outputs, -1, 1)

    def joined(self, reads: Iterable[Any]) -> Any:
        """Multiply what was read, side by side, by the kernel, or by that of each group."""
        beside, kernel = jnp.stack(list(reads), axis=2), jnp.asarray(self.kernel)
        if self.groups == 1:
            return contract(beside, "btkc", kernel, "kcf", "btf")
        beside, kernel = (
            array.reshape(*array.shape[:-1], self.groups, -1) for array in (beside, kernel)
        )
        outputs = contract(beside, "btkgc", kernel, "kcgf", "btgf")
        return outputs.reshape(*outputs.shape[:2], self.filters)

    def why_not_stream(self, *args: Any, **kwargs: Any) -> str:
        """Why the layer does not stream: it does where windows end at their own step."""
        if self.rank > 1 or not self.channels_last:
            return super().why_not_stream(*args, **kwargs)
        if self.padding != "causal":
            return (
                f"has padding={self.padding!r}, so that a window does not end at the step that it "
                "is for: give it padding='causal'"
            )
        if self.strides != (1,):
            return "gives fewer steps than it reads: give it strides=1"
        return ""

    def first_memory(self, inputs: Any) -> Any:
        """Return the steps before the first one that its window reads: zeros."""
        batch, _, channels = inputs.shape
        return jnp.zeros((batch, self.window.extent - 1, channels), self.compute_dtype)

    def call_on(
        self, memory: Any, inputs: Any, segments: Any = None, packed: bool = False
    ) -> tuple[Any, Any]:
        """Slide the kernel over the steps that it has kept and the next ones."""
        inputs = inputs.astype(self.compute_dtype)
        if segments is not None:
            inputs = jnp.where(segments[..., None] != 0, inputs, 0)
        joined = jnp.concatenate([memory, inputs], axis=1)
        kept = lax.slice_in_dim(joined, inputs.shape[1], joined.shape[1], axis=1)
        return self._finished(self.slide(joined, "valid")), kept


class Conv1D(GroupedConvolution):
    """A convolution over steps: every output step reads a window of input steps.

    Equation: `y_t = activation(sum_i x_(t*strides + i*dilation_rate - before) W_i + b)`, with `i`
    from 0 to `kernel_size - 1`; `before` steps of zeros stand before the first step. With groups,
    each group of channels has filters of its own.

    Padded steps read as zero, in a gap too, where Keras reads what they hold. With strides of 1 the
    layer takes packed rows: no window reaches into another sequence, and with `"valid"` a window
    that is not within one sequence is padding. With larger strides it takes one sequence a row,
    which stands at the front of the output's row, without padding and gaps, as it would alone.

    Shapes: `(batch, steps, channels)` -> `(batch, new steps, filters)`; with
    `extent = (kernel_size - 1) * dilation_rate + 1` there are `(steps - extent) // strides + 1` new
    steps for `"valid"`, and `ceil(steps / strides)` for `"same"` and `"causal"`; `W` is
    `(kernel_size, channels / groups, filters)` and `b` is `(filters,)`.

    Args:
        filters: the number of output channels.
        kernel_size: the number of steps in a window.
        strides: the steps from one window to the next.
        padding: `"valid"` for windows within the input alone, `"same"` for windows around each
            step, `"causal"` for windows that end at each step.
        data_format: `"channels_first"` for inputs `(batch, channels, steps)`, which carry no mask.
        dilation_rate: the steps from one step in a window to the next.
        groups: how many groups the channels are split into.
        activation: a function, or its name; none by default.
        use_bias: whether there is a `b`.
        kernel_initializer: how `W` is first drawn.
        bias_initializer: how `b` is first drawn.
        kernel_regularizer: a function of `W` that is added to the loss.
        bias_regularizer: a function of `b` that is added to the loss.
        activity_regularizer: a function of the output that is added to the loss.
        kernel_constraint: a function applied to `W` after each update.
        bias_constraint: a function applied to `b` after each update.

    Raises:
        SettingError: strides and dilation are both above 1, or groups do not divide the filters.
        ShapeError: groups do not divide the channels, the input is shorter than a window with
            `"valid"`, or it has not rank 3 or not the channels that the layer was built for.
        PackedRowsError: strides are above 1 on rows that hold several sequences.
        SegmentsError: the input carries a mask with `"channels_first"`.

    Example:
        >>> import everystep as es, numpy as np
        >>> layer = es.layers.Conv1D(4, 3, padding="causal", dilation_rate=2)
        >>> layer(np.zeros((2, 50, 10), "float32")).shape, layer.count_params()
        ((2, 50, 4), 124)

    Source: Waibel et al. 1989, "Phoneme recognition using time-delay neural networks"; dilated and
    causal as in van den Oord et al. 2016, "WaveNet: a generative model for raw audio".
    """

    rank = 1


class Conv2D(GroupedConvolution):
    """A convolution over the pixels of frames; `TimeDistributed(Conv2D(...))` takes sequences.

    Equation: `y_(r,c) = activation(sum_(i,j) x_(r*strides + i*dilation_rate, ...) W_(i,j) + b)`.

    Shapes: `(batch, height, width, channels)` -> `(batch, new height, new width, filters)`; `W` is
    `(*kernel_size, channels / groups, filters)` and `b` is `(filters,)`. New sizes are as in
    `Conv1D`.

    Args:
        filters: the number of output channels.
        kernel_size: height and width of a window, or one number for both.
        strides: the pixels from one window to the next.
        padding: `"valid"` for windows within the input alone, `"same"` for windows around each
            pixel.
        data_format: `"channels_first"` for inputs `(batch, channels, height, width)`.
        dilation_rate: the pixels from one pixel in a window to the next.
        groups: how many groups the channels are split into.
        activation: a function, or its name; none by default.
        use_bias: whether there is a `b`.
        kernel_initializer: how `W` is first drawn.
        bias_initializer: how `b` is first drawn.
        kernel_regularizer: a function of `W` that is added to the loss.
        bias_regularizer: a function of `b` that is added to the loss.
        activity_regularizer: a function of the output that is added to the loss.
        kernel_constraint: a function applied to `W` after each update.
        bias_constraint: a function applied to `b` after each update.

    Raises:
        SettingError: strides and dilation are both above 1, or groups do not divide the filters.
        ShapeError: groups do not divide the channels, the input is smaller than a window with
            `"valid"`, or it has not rank 4 or not the channels that the layer was built for.
        SegmentsError: the input carries a mask, which pixels do not have.

    Example:
        >>> import everystep as es, numpy as np
        >>> layer = es.layers.TimeDistributed(es.layers.Conv2D(4, 3, padding="same"))
        >>> layer(np.zeros((2, 5, 8, 6, 3), "float32")).shape, layer.count_params()
        ((2, 5, 8, 6, 4), 112)

    Source: LeCun et al. 1989, "Backpropagation applied to handwritten zip code recognition".
    """

    rank = 2
