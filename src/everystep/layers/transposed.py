"""The convolution that spreads each step over several: Conv1DTranspose."""

from __future__ import annotations

from typing import Any

import jax
import jax.core
import jax.numpy as jnp
from jax import lax

from everystep import kinds
from everystep.activations import ACTIVATION
from everystep.constraints import CONSTRAINT
from everystep.core.settings import setting
from everystep.errors import SettingError
from everystep.initializers import INITIALIZER
from everystep.kernels import contract
from everystep.layers.convolution import BiasedConvolution
from everystep.layers.spatial import DATA_FORMAT, PADDING, PER_AXIS, sizes
from everystep.layers.windows import aligned, at_the_front, lengths_of, total
from everystep.regularizers import REGULARIZER


class Conv1DTranspose(BiasedConvolution):
    """A convolution over steps turned round: every input step gives to a window of output steps.

    Equation: `y_(t*strides + i*dilation_rate - cut) += W_i x_t` for each `t` and each `i` from 0 to
    `kernel_size - 1`, starting from zeros, and then `y = activation(y + b)`. `"same"` cuts off
    what is given before the first place and after the last.

    The layer takes one sequence a row. What it gives stands at the front of the output's row,
    without padding and gaps, as it would for the sequence alone.

    Shapes: `(batch, steps, channels)` -> `(batch, (steps - 1) * strides + last, filters)`. With
    `extent = (kernel_size - 1) * dilation_rate + 1`, `last` is `max(extent, strides)` for
    `"valid"` and `strides` for `"same"`; with `output_padding` it is `extent + output_padding` for
    `"valid"` and `extent % 2 + output_padding` for `"same"`. `W` is
    `(kernel_size, filters, channels)` and `b` is `(filters,)`.

    Args:
        filters: the number of output channels.
        kernel_size: the number of output steps that an input step gives to.
        strides: the output steps from one input step to the next.
        padding: `"valid"` for all that is given to, `"same"` for `steps * strides` of it.
        output_padding: changes the number of output steps, as above; less than `strides`.
        data_format: `"channels_first"` for inputs `(batch, channels, steps)`, which carry no mask.
        dilation_rate: the steps from one step in a window to the next.
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
        SettingError: strides and dilation are both above 1, or `output_padding` is not less than
            `strides`.
        ShapeError: the input has not rank 3 or not the channels that the layer was built for.
        PackedRowsError: rows hold several sequences.
        SegmentsError: the input carries a mask with `"channels_first"`.

    Example:
        >>> import everystep as es, numpy as np
        >>> layer = es.layers.Conv1DTranspose(4, 3, strides=2, padding="same")
        >>> layer(np.zeros((2, 50, 10), "float32")).shape, layer.count_params()
        ((2, 100, 4), 124)

    Source: Zeiler et al. 2010, "Deconvolutional networks"; sizes as Keras has them.
    """

    rank = 1
    filters: int = setting(kinds.POSITIVE)
    kernel_size: Any = setting(PER_AXIS)
    strides: Any = setting(PER_AXIS, default=1)
    padding: str = setting(PADDING, default="valid")
    output_padding: Any = setting(kinds.optional(sizes(1, lowest=0)), default=None)
    data_format: str = setting(DATA_FORMAT, default=None)
    dilation_rate: Any = setting(PER_AXIS, default=1)
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
        if self.output_padding is not None and self.output_padding >= self.strides:
            raise SettingError(
                "Conv1DTranspose: output_padding: `output_padding` must be strictly less than "
                f"`strides`, but came as {self.output_padding[0]} and {self.strides[0]}"
            )

    def add_kernels(self, channels: Any) -> int:
        """Create `kernel`."""
        self.kernel = self.add_weight(
            (*self.kernel_size, self.filters, channels),
            self.kernel_initializer,
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
            name="kernel",
        )
        return self.filters

    def convolved(self, inputs: Any, segments: Any, packed: bool) -> Any:
        """Spread the inputs, or the sequence of each row moved to its front.

        What each place of the window gives is put where it belongs, and added up: on CPUs the
        derivative takes a fraction of the time of that of JAX's transposed convolution.
        """
        inputs = self.turned(inputs.astype(self.compute_dtype))
        if segments is not None:
            inputs = aligned(inputs, segments, 0, segments.shape[1])
        zero = jnp.zeros((), inputs.dtype)
        spread = contract(inputs, "btc", jnp.asarray(self.kernel), "kfc", "btkf")
        cut = self._extent - 1 - min((self._extent + self._last - 1) // 2, self._extent - 1)

        def given(place: int) -> Any:
            first = place * self.dilation_rate[0] - cut
            sides = (first, self._last - 1 - first, self.strides[0] - 1)
            return lax.pad(spread[:, :, place], zero, ((0, 0, 0), sides, (0, 0, 0)))

        outputs = total(map(given, range(spread.shape[2])), inputs.dtype)
        # More than there should be only where there is no step at all.
        return self.turned(outputs[:, : self._steps_after(inputs.shape[1])])

    def compute_segments(self, inputs: Any, segments: Any) -> Any:
        """Return the segments of the output steps that the sequence alone would have."""
        if segments is None:
            return None
        lengths = lengths_of(segments)
        counts = jnp.where(lengths > 0, self._steps_after(lengths), 0)
        return at_the_front(segments, counts, self._steps_after(segments.shape[1]))

    def _steps_after(self, steps: Any) -> Any:
        after = (steps - 1) * self.strides[0] + self._last
        return after if isinstance(steps, jax.Array) else jax.core.max_dim(after, 0)

    @property
    def _extent(self) -> int:
        return int((self.kernel_size[0] - 1) * self.dilation_rate[0] + 1)

    @property
    def _last(self) -> int:
        """The output steps from the last input step's place on."""
        extent, stride = self._extent, int(self.strides[0])
        if self.output_padding is None:
            return max(extent, stride) if self.padding == "valid" else stride
        return int(self.output_padding[0]) + (extent if self.padding == "valid" else extent % 2)
