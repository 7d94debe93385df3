"""Attention of several heads: MultiHeadAttention and GroupedQueryAttention."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp

from everystep import kinds
from everystep.constraints import CONSTRAINT
from everystep.core.settings import setting
from everystep.errors import SettingError
from everystep.initializers import INITIALIZER
from everystep.layers.combining import named
from everystep.layers.einsum import EinsumDense
from everystep.layers.headed import HeadedAttention, Sizes
from everystep.layers.spec import InputSpec
from everystep.regularizers import REGULARIZER

FLASH = kinds.optional(kinds.BOOLEAN)


class MultiHeadAttention(HeadedAttention):
    """Each step of a query reads the steps of a value, several heads each in its own way.

    Equation: for each head `y = softmax(q k^T / sqrt(key_dim)) v` with `q = query W_q + b_q`,
    `k = key W_k + b_k` and `v = value W_v + b_v`; the heads side by side, times `W_o`, plus `b_o`,
    are the output. The softmax is over the steps that may be read: real ones, in packed rows those
    of the same sequence, with `use_causal_mask` no later ones. A step that may read none, such as
    padding, reads zeros.

    Shapes: `(batch, steps, features)` and `(batch, value steps, ...)` -> `(batch, steps, features)`
    or `(batch, steps, *output_shape)`. `W_q` and `W_k` are `(features, num_heads, key_dim)`, `W_v`
    is `(features, num_heads, value_dim)`, `W_o` is `(num_heads, value_dim, features)`.

    Args:
        num_heads: how many heads there are.
        key_dim: the size of a head's query and key.
        value_dim: the size of a head's value; `key_dim` by default.
        dropout: the share of what is read that is dropped in training.
        use_bias: whether there are `b_q`, `b_k`, `b_v` and `b_o`.
        output_shape: the size or sizes of the output's last axes; the query's by default.
        attention_axes: the axes along which steps attend to each other; by default all but the
            first and the last.
        sliding_window: a step reads those less than so many places away; all by default.
        flash_attention: asks Keras for another kernel; the values here are the same either way.
        kernel_initializer: how the `W` are first drawn.
        bias_initializer: how the `b` are first drawn.
        kernel_regularizer: a function of each `W` that is added to the loss.
        bias_regularizer: a function of each `b` that is added to the loss.
        activity_regularizer: a function of each projection that is added to the loss.
        kernel_constraint: a function applied to each `W` after each update.
        bias_constraint: a function applied to each `b` after each update.
        use_gate: whether what is read is multiplied by `sigmoid(query W_g + b_g)`.
        seed: fixes what is dropped.

    Raises:
        DataError: there is no value.
        ShapeError: the shapes of query, value and key do not go together.
        SegmentsError: one is packed and another does not say which sequences it holds.

    Example:
        >>> import everystep as es, numpy as np
        >>> x = np.zeros((2, 5, 6), "float32")
        >>> layer = es.layers.MultiHeadAttention(num_heads=2, key_dim=3)
        >>> layer(x, x, use_causal_mask=True).shape, layer.count_params()
        ((2, 5, 6), 168)

    Source: Vaswani and others 2017, arXiv:1706.03762, section 3.2.2.
    """

    num_heads: int = setting(kinds.POSITIVE)
    key_dim: int = setting(kinds.POSITIVE)
    value_dim: int | None = setting(kinds.optional(kinds.POSITIVE), default=None)
    dropout: float = setting(kinds.FRACTION, default=0.0)
    use_bias: bool = setting(kinds.BOOLEAN, default=True)
    output_shape: Any = setting(
        kinds.optional(kinds.INTEGERS), default=None, attribute="_output_shape"
    )
    attention_axes: Any = setting(kinds.optional(kinds.INTEGERS), default=None)
    sliding_window: int | None = setting(kinds.optional(kinds.POSITIVE), default=None)
    flash_attention: bool | None = setting(FLASH, default=None, in_config=False)
    kernel_initializer: Any = setting(INITIALIZER, default="glorot_uniform")
    bias_initializer: Any = setting(INITIALIZER, default="zeros")
    kernel_regularizer: Any = setting(REGULARIZER, default=None)
    bias_regularizer: Any = setting(REGULARIZER, default=None)
    activity_regularizer: Any = setting(
        REGULARIZER, default=None, attribute="_activity_regularizer"
    )
    kernel_constraint: Any = setting(CONSTRAINT, default=None)
    bias_constraint: Any = setting(CONSTRAINT, default=None)
    use_gate: bool = setting(kinds.BOOLEAN, default=False)
    seed: int | None = setting(kinds.SEED, default=None)

    _output_shape: Sizes | None

    def after_settings(self) -> None:
        """Let values be as large as keys where no size is given."""
        super().after_settings()
        self.value_dim = self.value_dim or self.key_dim
        # Where axes are counted from the end, the rank will tell.
        self.stepwise = all(axis > 1 for axis in self.attention_axes or (1,))

    def build(self, query_shape: Any, value_shape: Any = None, key_shape: Any = None) -> None:
        """Build the projections."""
        key_shape = value_shape if key_shape is None else key_shape
        self._check_shapes(query_shape, value_shape, key_shape)
        rank = len(query_shape)
        self.attended = self._own_axes(rank)
        self.stepwise = 1 not in self.attended
        values: Sizes = (self.num_heads, self.value_dim or self.key_dim)
        keys: Sizes = (self.num_heads, self.key_dim)
        self._query_dense = self._projection("query", query_shape, 1, keys)
        self._key_dense = self._projection("key", key_shape, 1, keys)
        if self.use_gate:
            self._gate_dense = self._projection("gate", query_shape, 1, values, "sigmoid")
        self._value_dense = self._projection("value", value_shape, 1, values)
        self._output_dense = self._projection(
            "attention_output",
            (*query_shape[:-1], *values),
            2,
            self._output_shape or (query_shape[-1],),
        )
        self.input_spec = InputSpec(
            ndim=rank, axes={-1: query_shape[-1]}, axis_names="(batch, steps, ..., features)"
        )

    @property
    def query_dense(self) -> EinsumDense:
        """The projection of the query to heads."""
        return self._query_dense

    @property
    def key_dense(self) -> EinsumDense:
        """The projection of the key to heads."""
        return self._key_dense

    @property
    def value_dense(self) -> EinsumDense:
        """The projection of the value to heads."""
        return self._value_dense

    @property
    def output_dense(self) -> EinsumDense:
        """The projection of what all heads read to the output."""
        return self._output_dense

    def _own_axes(self, rank: int) -> Sizes:
        if self.attention_axes is None:
            return tuple(range(1, rank - 1))
        axes = tuple(axis if axis >= 0 else axis + rank for axis in self.attention_axes)
        if any(not 0 < axis < rank - 1 for axis in axes) or len(set(axes)) < len(axes):
            raise SettingError(
                f"{named(self)}: attention_axes must be axes between the first and the last of a "
                f"query of rank {rank}, each once, not {self.attention_axes}"
            )
        return axes


class GroupedQueryAttention(HeadedAttention):
    """Attention of several heads of the query to fewer heads of key and value.

    Equation: that of `MultiHeadAttention`, where `num_query_heads / num_key_value_heads` heads of
    the query in a row share one head of key and value.

    Shapes: `(batch, steps, features)` and `(batch, value steps, ...)` -> `(batch, steps,
    features)`. `W_q` is `(features, num_query_heads, head_dim)`, `W_k` and `W_v` are `(features,
    num_key_value_heads, head_dim)`, `W_o` is `(num_query_heads, head_dim, features)`.

    Args:
        head_dim: the size of a head's query, key and value.
        num_query_heads: how many heads the query has.
        num_key_value_heads: how many heads key and value have; divides that of the query.
        dropout: the share of what is read that is dropped in training.
        use_bias: whether there are `b_q`, `b_k`, `b_v` and `b_o`.
        sliding_window: a step reads those less than so many places away; all by default.
        flash_attention: asks Keras for another kernel; the values here are the same either way.
        kernel_initializer: how the `W` are first drawn.
        bias_initializer: how the `b` are first drawn.
        kernel_regularizer: a function of each `W` that is added to the loss.
        bias_regularizer: a function of each `b` that is added to the loss.
        activity_regularizer: a function of each projection that is added to the loss.
        kernel_constraint: a function applied to each `W` after each update.
        bias_constraint: a function applied to each `b` after each update.
        use_gate: whether what is read is multiplied by `sigmoid(query W_g + b_g)`.
        seed: fixes what is dropped.

    Raises:
        SettingError: the numbers of heads do not go together.
        DataError: there is no value.
        ShapeError: the shapes of query, value and key do not go together.
        SegmentsError: one is packed and another does not say which sequences it holds.

    Example:
        >>> import everystep as es, numpy as np
        >>> x = np.zeros((2, 5, 6), "float32")
        >>> es.layers.GroupQueryAttention(3, num_query_heads=4, num_key_value_heads=2)(x, x).shape
        (2, 5, 6)

    Source: Ainslie and others 2023, arXiv:2305.13245, section 2.2.
    """

    head_dim: int = setting(kinds.POSITIVE)
    num_query_heads: int = setting(kinds.POSITIVE)
    num_key_value_heads: int = setting(kinds.POSITIVE)
    dropout: float = setting(kinds.FRACTION, default=0.0)
    use_bias: bool = setting(kinds.BOOLEAN, default=True)
    sliding_window: int | None = setting(kinds.optional(kinds.POSITIVE), default=None)
    flash_attention: bool | None = setting(FLASH, default=None, in_config=False)
    kernel_initializer: Any = setting(INITIALIZER, default="glorot_uniform")
    bias_initializer: Any = setting(INITIALIZER, default="zeros")
    kernel_regularizer: Any = setting(REGULARIZER, default=None)
    bias_regularizer: Any = setting(REGULARIZER, default=None)
    activity_regularizer: Any = setting(
        REGULARIZER, default=None, attribute="_activity_regularizer"
    )
    kernel_constraint: Any = setting(CONSTRAINT, default=None)
    bias_constraint: Any = setting(CONSTRAINT, default=None)
    use_gate: bool = setting(kinds.BOOLEAN, default=False)
    seed: int | None = setting(kinds.SEED, default=None)

    attended = (1,)
    input_spec = InputSpec(ndim=3, axis_names="(batch, steps, features)")

    def after_settings(self) -> None:
        """Refuse numbers of heads that do not go together."""
        super().after_settings()
        if self.num_query_heads % self.num_key_value_heads:
            raise SettingError(
                "GroupedQueryAttention: `num_query_heads` must be divisible by "
                f"`num_key_value_heads`, but they are {self.num_query_heads} and "
                f"{self.num_key_value_heads}"
            )

    def build(self, query_shape: Any, value_shape: Any = None, key_shape: Any = None) -> None:
        """Build the projections."""
        key_shape = value_shape if key_shape is None else key_shape
        self._check_shapes(query_shape, value_shape, key_shape)
        many: Sizes = (self.num_query_heads, self.head_dim)
        few: Sizes = (self.num_key_value_heads, self.head_dim)
        self._query_dense = self._projection("query", query_shape, 1, many)
        self._key_dense = self._projection("key", key_shape, 1, few)
        if self.use_gate:
            self._gate_dense = self._projection("gate", query_shape, 1, many, "sigmoid")
        self._value_dense = self._projection("value", value_shape, 1, few)
        self._output_dense = self._projection(
            "attention_output", (*query_shape[:-1], *many), 2, (query_shape[-1],)
        )

    def _for_each_head(self, few: Any) -> Any:
        return jnp.repeat(few, self.num_query_heads // self.num_key_value_heads, axis=2)
