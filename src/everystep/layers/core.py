"""The layers that read each step alone: Dense, Embedding, Activation, Dropout."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from everystep import kinds
from everystep.activations import ACTIVATION, linear
from everystep.constraints import CONSTRAINT
from everystep.core.scope import padding_is_given
from everystep.core.settings import setting
from everystep.errors import DataError, SettingError, ShapeError
from everystep.initializers import INITIALIZER
from everystep.kernels import product
from everystep.kernels.pointwise import is_pointwise
from everystep.kernels.stepper import Activate, Embed, Multiply, Operation
from everystep.layers import arguments
from everystep.layers.layer import Layer
from everystep.layers.spec import InputSpec
from everystep.regularizers import REGULARIZER


class PlainWeights(Layer):
    """The base of layers whose weights Keras can adapt or quantize, which everystep does not do."""

    lora_rank: None = setting(kinds.only(None), default=None, kw_only=True, in_config=False)
    lora_alpha: None = setting(kinds.only(None), default=None, kw_only=True, in_config=False)
    quantization_config: None = setting(
        kinds.only(None), default=None, kw_only=True, in_config=False
    )


class Dense(PlainWeights):
    """A dense layer on the last axis, the same one at every step.

    Equation: `y = activation(x W + b)`. Every axis but the last is treated like a batch axis.

    Shapes: `(batch, ..., features)` -> `(batch, ..., units)`; `W` is `(features, units)` and `b` is
    `(units,)`, whatever the number of steps.

    Args:
        units: the size of the output's last axis.
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
        ShapeError: the input has rank 1, another number of features than before, or an unknown one.
        SegmentsError: the steps of a mask are the last axis.

    Example:
        >>> import everystep as es, numpy as np
        >>> layer = es.layers.Dense(5)
        >>> layer(np.zeros((2, 50, 10), "float32")).shape, layer.count_params()
        ((2, 50, 5), 55)
    """

    units: int = setting(kinds.POSITIVE)
    activation: Any = setting(ACTIVATION, default=None)
    use_bias: bool = setting(kinds.BOOLEAN, default=True)
    kernel_initializer: Any = setting(INITIALIZER, default="glorot_uniform")
    bias_initializer: Any = setting(INITIALIZER, default="zeros")
    kernel_regularizer: Any = setting(REGULARIZER, default=None)
    bias_regularizer: Any = setting(REGULARIZER, default=None)
    activity_regularizer: Any = setting(REGULARIZER, default=None)
    kernel_constraint: Any = setting(CONSTRAINT, default=None)
    bias_constraint: Any = setting(CONSTRAINT, default=None)

    stepwise = True
    input_spec = InputSpec(min_ndim=2, axis_names="(batch, ..., features)")

    def build(self, input_shape: Any) -> None:
        """Create `kernel` and `bias`."""
        features = input_shape[-1]
        self.kernel = self.add_weight(
            (features, self.units),
            self.kernel_initializer,
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
            name="kernel",
        )
        if self.use_bias:
            self.bias = self.add_weight(
                (self.units,),
                self.bias_initializer,
                regularizer=self.bias_regularizer,
                constraint=self.bias_constraint,
                name="bias",
            )
        self.input_spec = InputSpec(
            min_ndim=2, axes={-1: features}, axis_names=f"(batch, ..., {features})"
        )

    def compute_segments(self, inputs: Any, segments: Any) -> Any:
        """Keep the segments, where the steps are not what the layer sums over."""
        return arguments.beside_features(self, inputs, segments)

    def call(self, inputs: Any) -> Any:
        """Return `activation(inputs @ kernel + bias)`."""
        outputs = product(inputs, jnp.asarray(self.kernel))
        if self.use_bias:
            outputs = outputs + self.bias
        return self.activation(outputs)

    def step_operations(self) -> list[Operation] | None:
        """Return the product and the activation."""
        bias = self.bias.value if self.use_bias else None
        return [Multiply(self.kernel.value, bias), *_activated(self.activation)]


class Embedding(PlainWeights):
    """A table that gives each id its vector.

    Equation: `y[..., :] = embeddings[id]`.

    Shapes: ids `(batch, steps)` or of any rank -> `(..., output_dim)`; `embeddings` is
    `(input_dim, output_dim)`.

    Args:
        input_dim: the size of the vocabulary; ids go from 0 to `input_dim - 1`.
        output_dim: the size of a vector.
        embeddings_initializer: how the table is first drawn.
        embeddings_regularizer: a function of the table that is added to the loss.
        embeddings_constraint: a function applied to the table after each update.
        mask_zero: whether id 0 is padding, which the layers that follow then leave out.
        weights: values of the table to start from, alone or in a list.

    A step of training reads few rows of a large table. Optimizers whose rule leaves the other rows
    alone, `SGD` without momentum and `Adagrad`, then change those rows only, at a cost that does
    not grow with the table. `Adam` and the others move every row at every step, which takes longer
    the larger the table is, and so does everything that looks at the table as a whole: decay,
    clipping by a norm, averages of weights, regularizers and constraints.

    Raises:
        DataError: ids are not integers, or one is negative or not below `input_dim`. Where ids are
            not known before the program runs, such an id gives NaN, never another word's vector.

    Example:
        >>> import everystep as es, numpy as np
        >>> steps = es.layers.Embedding(7, 3, mask_zero=True)(np.array([[4, 6, 0]]))
        >>> steps.shape, steps.mask.tolist()
        ((1, 3, 3), [[True, True, False]])
    """

    input_dim: int = setting(kinds.POSITIVE)
    output_dim: int = setting(kinds.POSITIVE)
    embeddings_initializer: Any = setting(INITIALIZER, default="uniform")
    embeddings_regularizer: Any = setting(REGULARIZER, default=None)
    embeddings_constraint: Any = setting(CONSTRAINT, default=None)
    mask_zero: bool = setting(kinds.BOOLEAN, default=False)
    weights: Any = setting(
        kinds.optional(kinds.ARRAY), default=None, in_config=False, attribute="_first_weights"
    )

    stepwise = True
    _first_weights: Any

    @property
    def input_dtype(self) -> str:
        """Ids are integers."""
        return "int32"

    def build(self, input_shape: Any) -> None:
        """Create the table."""
        self.embeddings = self.add_weight(
            (self.input_dim, self.output_dim),
            self.embeddings_initializer if self._first_weights is None else self._given_table,
            regularizer=self.embeddings_regularizer,
            constraint=self.embeddings_constraint,
            name="embeddings",
        )

    def _given_table(self, shape: tuple[int, ...], dtype: Any = None) -> Any:
        given = self._first_weights
        table = np.asarray(given[0] if isinstance(given, list) and len(given) == 1 else given)
        if table.shape != shape:
            raise ShapeError(
                f"layer '{self.path}' (Embedding) has a table of shape {shape}, but was given "
                f"weights of shape {table.shape}: they need one row for each id"
            )
        return table.astype(dtype)

    def check_values(self, inputs: Any) -> None:
        """Refuse ids that the table does not have."""
        ids = np.asarray(inputs)
        self._refuse_floats(ids)
        if ids.size and (ids.min() < 0 or ids.max() >= self.input_dim):
            wrong = np.argwhere((ids < 0) | (ids >= self.input_dim))[0]
            raise DataError(
                f"layer '{self.path}' (Embedding) was given id {ids[tuple(wrong)]} at position "
                f"{tuple(int(i) for i in wrong)}, but has ids 0 to {self.input_dim - 1}: set "
                "input_dim to the size of the vocabulary, which is the largest id + 1"
            )

    def _refuse_floats(self, ids: Any) -> None:
        if not jnp.issubdtype(ids.dtype, jnp.integer):
            raise DataError(
                f"layer '{self.path}' (Embedding) takes integer ids, not {ids.dtype}: convert them "
                "with ids.astype('int32')"
            )

    def call(self, inputs: Any) -> Any:
        """Return the vectors of the ids."""
        self._refuse_floats(inputs)
        return self.embeddings.rows(inputs).astype(self.compute_dtype)

    def step_operations(self) -> list[Operation] | None:
        """Return the look into the table, where no id is padding."""
        return None if self.mask_zero else [Embed(self.embeddings.value)]

    def compute_segments(self, inputs: Any, segments: Any) -> Any:
        """Make id 0 padding, where `mask_zero` asks for it."""
        if not self.mask_zero or (segments is not None and padding_is_given()):
            return segments
        ids: Any = 1
        if segments is not None:
            ids = jnp.expand_dims(segments, tuple(range(segments.ndim, inputs.ndim)))
        return jnp.where(inputs != 0, ids, 0).astype("int32")


class Activation(Layer):
    """An activation function as a layer.

    Equation: `y = f(x)`, elementwise, or over the last axis for softmax.

    Shapes: the output has the input's shape.

    Args:
        activation: a function, or its name.

    Raises:
        SegmentsError: the function looks along the last axis, where the steps of a mask are.

    Example:
        >>> import everystep as es, numpy as np
        >>> es.layers.Activation("relu")(np.array([[-1.0, 2.0]])).tolist()
        [[0.0, 2.0]]
    """

    activation: Any = setting(ACTIVATION)

    stepwise = True

    def compute_segments(self, inputs: Any, segments: Any) -> Any:
        """Keep the segments, where the steps are not what the function looks along."""
        if segments is None or is_pointwise(self.activation):
            return segments
        return arguments.beside_features(self, inputs, segments)

    def call(self, inputs: Any) -> Any:
        """Return `activation(inputs)`."""
        return self.activation(inputs)

    def step_operations(self) -> list[Operation] | None:
        """Return the activation."""
        return _activated(self.activation)


def _activated(function: Any) -> list[Operation]:
    return [] if function is linear else [Activate(function)]


class Dropout(Layer):
    """In training, zeros for a random share of the values, and the rest scaled up.

    Equation: `y = x * m / (1 - rate)` with `m` 1 with probability `1 - rate`, else 0; outside of
    training `y = x`.

    Shapes: the output has the input's shape.

    Args:
        rate: the share that is dropped, from 0 to less than 1.
        noise_shape: the shape of `m`, None or 1 where one draw serves a whole axis; `(None, 1,
            None)` drops the same features at every step.
        seed: fixes the draws of this layer, whatever the model's seed.

    Example:
        >>> import everystep as es, numpy as np
        >>> es.layers.Dropout(0.5)(np.ones((1, 3))).tolist()
        [[1.0, 1.0, 1.0]]

    Source: Srivastava et al. 2014, "Dropout: a simple way to prevent neural networks from
    overfitting"; the variant that scales in training.
    """

    rate: float = setting(kinds.FRACTION)
    noise_shape: Any = setting(kinds.optional(kinds.SHAPE), default=None)
    seed: int | None = setting(kinds.SEED, default=None)

    stepwise = True

    def call(self, inputs: Any, training: bool = False) -> Any:
        """Return the inputs, in training with some values dropped."""
        if not training or self.rate == 0:
            return inputs
        shape = drawn_shape(self, self.noise_shape, inputs)
        return inputs * dropout_multiplier(self, self.rate, shape, inputs.dtype)

    def step_operations(self) -> list[Operation] | None:
        """Return nothing to do."""
        return []


def drawn_shape(layer: Layer, noise_shape: Any, inputs: Any) -> tuple[Any, ...]:
    """Return the shape of the noise: that of the inputs, with the sizes that were given for it."""
    if noise_shape is None:
        return tuple(inputs.shape)
    if len(noise_shape) != inputs.ndim:
        raise SettingError(
            f"layer '{layer.path}' ({type(layer).__name__}): noise_shape {noise_shape} must have "
            f"one entry for each axis of the input of shape {tuple(inputs.shape)}"
        )
    given = zip(noise_shape, inputs.shape, strict=True)
    return tuple(size if own is None else own for own, size in given)


def dropout_multiplier(layer: Layer, rate: float, shape: Any, dtype: Any) -> Any:
    """Return zeros with probability `rate`, and `1 / (1 - rate)` elsewhere."""
    kept = jax.random.bernoulli(layer.random_key(getattr(layer, "seed", None)), 1 - rate, shape)
    return kept.astype(dtype) / (1 - rate)
