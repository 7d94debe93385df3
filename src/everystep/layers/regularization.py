"""Noise in training, and penalties on what flows through a model."""

from __future__ import annotations

import math
from typing import Any

import jax
import jax.numpy as jnp

from everystep import kinds
from everystep.core.settings import setting
from everystep.kinds import Kind
from everystep.layers.core import drawn_shape, dropout_multiplier
from everystep.layers.layer import Layer
from everystep.layers.spec import InputSpec
from everystep.regularizers import L1L2, REGULARIZER
from everystep.sequences import first_steps

_SHARE = Kind(
    "a number from 0 to 1",
    lambda value: kinds.FRACTION.parse(value) if value != 1 else 1.0,
    refused=(-0.1, 1.5, "0.5"),
)


class SpatialDropout(Layer):
    """The base of layers that drop whole features.

    Args:
        rate: the share of the features that is dropped, from 0 to less than 1.
        seed: fixes the draws of this layer, whatever the model's seed.
    """

    rate: float = setting(kinds.FRACTION)
    seed: int | None = setting(kinds.SEED, default=None)
    # Keras's classes do not take it.
    trainable: bool = setting(
        kinds.BOOLEAN, default=True, kw_only=True, in_config=False, attribute="_trainable"
    )

    def multiplier(self, shape: tuple[Any, ...], inputs: Any) -> Any:
        """Return 0 for what is dropped, and more than 1 for the rest."""
        return dropout_multiplier(self, self.rate, shape, inputs.dtype)


class SpatialDropout1D(SpatialDropout):
    """In training, zeros for a random share of the features, the same ones at every step.

    Equation: `y = x * m / (1 - rate)` with one `m` for all steps of a sequence, each feature's 1
    with probability `1 - rate`, else 0; outside of training `y = x`.

    Shapes: the output has the input's shape, `(batch, steps, features)`.

    Args:
        rate: the share of the features that is dropped, from 0 to less than 1.
        seed: fixes the draws of this layer, whatever the model's seed.

    Example:
        >>> import everystep as es, numpy as np
        >>> y = es.layers.SpatialDropout1D(0.5)(np.ones((2, 4, 3)), training=True)
        >>> bool((y == y[:, :1]).all())
        True

    Source: Tompson and others 2015, arXiv:1411.4280, section 3.2.
    """

    stepwise = True
    input_spec = InputSpec(ndim=3, axis_names="(batch, steps, features)")

    def call(
        self, inputs: Any, training: bool = False, segments: Any = None, packed: bool = False
    ) -> Any:
        """Return the inputs, in training with some features dropped."""
        if not training or self.rate == 0:
            return inputs
        batch, steps, features = inputs.shape
        multiplier = self.multiplier((batch, steps if packed else 1, features), inputs)
        if packed:
            first = first_steps(segments)[:, :, None]
            multiplier = jnp.take_along_axis(multiplier, first, axis=1)
        return inputs * multiplier


class SpatialDropout2D(SpatialDropout):
    """In training, zeros for a random share of the channels of a picture, all over it.

    Equation: `y = x * m / (1 - rate)` with one `m` for all rows and columns, each channel's 1 with
    probability `1 - rate`, else 0; outside of training `y = x`.

    Shapes: the output has the input's shape, `(batch, rows, columns, channels)`, or `(batch,
    channels, rows, columns)` where the channels come first.

    Args:
        rate: the share of the channels that is dropped, from 0 to less than 1.
        data_format: `"channels_last"`, `"channels_first"`, or None for the first of these.
        seed: fixes the draws of this layer, whatever the model's seed.

    Example:
        >>> import everystep as es, numpy as np
        >>> y = es.layers.SpatialDropout2D(0.5)(np.ones((2, 4, 5, 3)), training=True)
        >>> bool((y == y[:, :1, :1]).all())
        True

    Source: Tompson and others 2015, arXiv:1411.4280, section 3.2.
    """

    rate: float = setting(kinds.FRACTION)
    data_format: str | None = setting(
        kinds.one_of("channels_last", "channels_first", None), default=None
    )
    seed: int | None = setting(kinds.SEED, default=None)

    stepwise = True
    input_spec = InputSpec(ndim=4, axis_names="(batch, rows, columns, channels)")

    def call(self, inputs: Any, training: bool = False) -> Any:
        """Return the inputs, in training with some channels dropped."""
        if not training or self.rate == 0:
            return inputs
        own = 1 if self.data_format == "channels_first" else 3
        shape = tuple(size if axis in (0, own) else 1 for axis, size in enumerate(inputs.shape))
        return inputs * self.multiplier(shape, inputs)


class GaussianNoise(Layer):
    """In training, normal noise added to every value.

    Equation: `y = x + n` with `n` of mean 0 and deviation `stddev`; outside of training `y = x`.

    Shapes: the output has the input's shape.

    Args:
        stddev: the deviation of the noise, from 0 to 1.
        seed: fixes the draws of this layer, whatever the model's seed.

    Example:
        >>> import everystep as es, numpy as np
        >>> es.layers.GaussianNoise(0.5)(np.ones((1, 3))).tolist()
        [[1.0, 1.0, 1.0]]
    """

    stddev: float = setting(_SHARE)
    seed: int | None = setting(kinds.SEED, default=None)

    stepwise = True

    def call(self, inputs: Any, training: bool = False) -> Any:
        """Return the inputs, in training with noise."""
        if not training or self.stddev == 0:
            return inputs
        return inputs + self.stddev * _normal(self, inputs)


class GaussianDropout(Layer):
    """In training, every value times normal noise around 1.

    Equation: `y = x * (1 + n)` with `n` of mean 0 and deviation `sqrt(rate / (1 - rate))`, which is
    that of Dropout's multiplier; outside of training `y = x`.

    Shapes: the output has the input's shape.

    Args:
        rate: the rate of the Dropout that makes noise of the same deviation, from 0 to less than 1.
        seed: fixes the draws of this layer, whatever the model's seed.

    Example:
        >>> import everystep as es, numpy as np
        >>> es.layers.GaussianDropout(0.5)(np.ones((1, 3))).tolist()
        [[1.0, 1.0, 1.0]]

    Source: Srivastava and others 2014, "Dropout: a simple way to prevent neural networks from
    overfitting", section 10.
    """

    rate: float = setting(kinds.FRACTION)
    seed: int | None = setting(kinds.SEED, default=None)

    stepwise = True

    def call(self, inputs: Any, training: bool = False) -> Any:
        """Return the inputs, in training times noise."""
        if not training or self.rate == 0:
            return inputs
        deviation = math.sqrt(self.rate / (1 - self.rate))
        return inputs * (1 + deviation * _normal(self, inputs))


class AlphaDropout(Layer):
    """In training, the lowest value of `selu` for a random share of the values.

    Equation: `y = a * (x * m - s * (1 - m)) + b` with `m` 1 with probability `1 - rate`, else 0,
    `s = 1.7581` where `selu` ends on the left, and `a` and `b` such that inputs of mean 0 and
    variance 1 keep them; outside of training `y = x`.

    Shapes: the output has the input's shape.

    Args:
        rate: the share that is replaced, from 0 to less than 1.
        noise_shape: the shape of `m`, None or 1 where one draw serves a whole axis.
        seed: fixes the draws of this layer, whatever the model's seed.

    Example:
        >>> import everystep as es, numpy as np
        >>> es.layers.AlphaDropout(0.5)(np.ones((1, 3))).tolist()
        [[1.0, 1.0, 1.0]]

    Source: Klambauer and others 2017, arXiv:1706.02515, section "New dropout technique".
    """

    rate: float = setting(kinds.FRACTION)
    noise_shape: Any = setting(kinds.optional(kinds.SHAPE), default=None)
    seed: int | None = setting(kinds.SEED, default=None)

    stepwise = True

    def call(self, inputs: Any, training: bool = False) -> Any:
        """Return the inputs, in training with some values replaced."""
        if not training or self.rate == 0:
            return inputs
        shape = drawn_shape(self, self.noise_shape, inputs)
        kept = jax.random.bernoulli(self.random_key(self.seed), 1 - self.rate, shape)
        factor = 1 / math.sqrt((1 - self.rate) * (1 + self.rate * _SELU_END**2))
        return factor * jnp.where(kept, inputs, _SELU_END) - factor * self.rate * _SELU_END


# What selu goes to, far below zero: minus its scale times its alpha.
_SELU_END = -1.0507009873554805 * 1.6732632423543772


class ActivityRegularization(Layer):
    """The inputs unchanged, and a penalty on them that is added to the loss.

    Equation: `loss += (l1 * sum(|x|) + l2 * sum(x ** 2)) / batch` over real steps, with the number
    of rows as `batch`, or of sequences where rows are packed.

    Shapes: the output is the input.

    Args:
        l1: the factor of the absolute values.
        l2: the factor of the squares.

    Example:
        >>> import everystep as es, numpy as np
        >>> es.layers.ActivityRegularization(l2=0.1)(np.array([[3.0]])).tolist()
        [[3.0]]
    """

    l1: float = setting(kinds.NUMBER, default=0.0)
    l2: float = setting(kinds.NUMBER, default=0.0)
    # It follows from the two.
    activity_regularizer: Any = setting(REGULARIZER, default=None, kw_only=True, in_config=False)

    stepwise = True

    def after_settings(self) -> None:
        """Make the regularizer."""
        self.activity_regularizer = L1L2(self.l1, self.l2)

    def call(self, inputs: Any) -> Any:
        """Return the inputs."""
        return inputs


def _normal(layer: Any, inputs: Any) -> Any:
    """Return noise of mean 0 and deviation 1 in the shape of the inputs."""
    return jax.random.normal(layer.random_key(layer.seed), inputs.shape, inputs.dtype)
