"""What attention of several heads shares: projections to heads, what each reads, and back."""

from __future__ import annotations

import math
import string
from typing import Any

import jax.numpy as jnp

from everystep.errors import DataError, SettingError, ShapeError
from everystep.kernels import contract
from everystep.layers.combining import named
from everystep.layers.core import dropout_multiplier
from everystep.layers.einsum import EinsumDense
from everystep.layers.layer import Layer
from everystep.layers.reach import Side, common_ids, ids_of, reach, shares, without_padding

Sizes = tuple[int, ...]


class HeadedAttention(Layer):
    """The base of attention with heads: projections to heads, shares for each, and back.

    What differs is how many heads there are on each side and along which axes they attend.
    """

    dropout: float
    use_bias: bool
    sliding_window: int | None
    flash_attention: bool | None
    use_gate: bool
    seed: int | None
    attended: Sizes
    """The axes along which steps attend to each other."""

    _activity_regularizer: Any
    _query_dense: EinsumDense
    _key_dense: EinsumDense
    _value_dense: EinsumDense
    _output_dense: EinsumDense
    _gate_dense: EinsumDense

    def after_settings(self) -> None:
        """Refuse settings that Keras's other kernel does not take."""
        # The projections have it.
        self.activity_regularizer = None
        if self.flash_attention and self.dropout > 0:
            raise SettingError(
                f"{type(self).__name__}: Dropout is not supported when flash attention is enabled: "
                "set dropout to 0 or leave flash_attention out"
            )

    def _projection(
        self, name: str, shape: Any, inner: int, sizes: Sizes, activation: Any = None
    ) -> EinsumDense:
        """Build a dense layer from the last `inner` axes of an input to axes of these sizes."""
        free = string.ascii_lowercase[: len(shape) - inner]
        summed = "XYZ"[:inner]
        made = string.ascii_uppercase[: len(sizes)]
        layer = EinsumDense(
            f"{free}{summed},{summed}{made}->{free}{made}",
            (*[None] * (len(free) - 1), *sizes),
            activation,
            bias_axes=made if self.use_bias else None,
            name=name,
            dtype=self.dtype_policy,
            **{setting: getattr(self, setting) for setting in _SHARED},
            activity_regularizer=self._activity_regularizer,
        )
        layer.build(shape)
        return layer

    def compute_segments(
        self,
        inputs: Any,
        segments: Any,
        query_mask: Any = None,
        return_attention_scores: bool = False,
    ) -> Any:
        """Return the query's; the scores have none."""
        query = ids_of(segments, query_mask) if segments is None else segments
        return [query, None] if return_attention_scores else query

    def call(
        self,
        query: Any,
        value: Any,
        key: Any = None,
        query_mask: Any = None,
        value_mask: Any = None,
        key_mask: Any = None,
        attention_mask: Any = None,
        return_attention_scores: bool = False,
        training: bool = False,
        use_causal_mask: bool = False,
        segments: Any = None,
        packed: bool = False,
        value_segments: Any = None,
        value_packed: bool = False,
        key_segments: Any = None,
        key_packed: bool = False,
    ) -> Any:
        """Return what each step of the query reads, and, if asked for, the shares of each head.

        Args:
            query: the steps that read.
            value: the steps that are read.
            key: what the query is held against; the value by default.
            query_mask: which steps of the query are real, where it does not say so itself.
            value_mask: the same of the value.
            key_mask: the same of the key.
            attention_mask: True where a step may read another, `(batch, steps, value steps)`, or
                with an axis of heads before the steps, or without the batch axis.
            return_attention_scores: whether the shares come too, `(batch, heads, steps, value
                steps)`.
            training: whether shares are dropped.
            use_causal_mask: whether a step reads no later one.
            segments: the sequence of each step of the query.
            packed: whether rows of the query may hold several sequences.
            value_segments: the sequence of each step of the value.
            value_packed: whether rows of the value may hold several sequences.
            key_segments: the sequence of each step of the key.
            key_packed: whether rows of the key may hold several sequences.
        """
        if self.flash_attention and return_attention_scores:
            raise SettingError(
                f"{named(self)}: Returning attention scores is not supported when flash attention "
                "is enabled: leave flash_attention out"
            )
        key = value if key is None else key
        order = self.attended.index(1) if 1 in self.attended else 0
        timed = 1 in self.attended
        held = common_ids(ids_of(value_segments, value_mask), ids_of(key_segments, key_mask))
        allowed = reach(
            named(self),
            _side(query, self.attended[order], ids_of(segments, query_mask), packed, timed),
            _side(value, self.attended[order], held, value_packed or key_packed, timed),
            causal=use_causal_mask,
            window=self.sliding_window,
        )
        allowed = self._laid_out(allowed, attention_mask, order, query.ndim)
        value = without_padding(value, held)
        outputs, scores = self._read(query, key, value, allowed, training)
        return (outputs, scores) if return_attention_scores else outputs

    def _laid_out(self, allowed: Any, attention_mask: Any, order: int, rank: int) -> Any:
        """Return one condition with the axes of the scores, or None."""
        attended, batch = len(self.attended), rank - len(self.attended)
        if allowed is not None:
            sides = [1] * (2 * attended)
            sides[order], sides[attended + order] = allowed.shape[1:]
            allowed = allowed.reshape(allowed.shape[0], *[1] * (batch - 1), *sides)
        if attention_mask is None:
            return allowed
        given = jnp.asarray(attention_mask) != 0
        leading = given.shape[: given.ndim - 2 * attended]
        missing = [1] * (batch + 2 * attended - given.ndim)
        given = given.reshape(*leading, *missing, *given.shape[len(leading) :])
        return given if allowed is None else given & allowed

    def _read(self, query: Any, key: Any, value: Any, allowed: Any, training: bool) -> Any:
        heads = self._query_dense(query)
        keys = self._for_each_head(self._key_dense(key))
        values = self._for_each_head(self._value_dense(value))
        scores = self._scores(heads * (1 / math.sqrt(heads.shape[-1])), keys)
        scores = shares(scores, allowed, len(self.attended)).astype(values.dtype)
        kept = scores
        if training and self.dropout > 0:
            kept = scores * dropout_multiplier(self, self.dropout, scores.shape, scores.dtype)
        read = self._combined(kept, values)
        if self.use_gate:
            read = read * self._gate_dense(query)
        return self._output_dense(read), scores

    def _for_each_head(self, projected: Any) -> Any:
        """Return keys or values for each head of the query."""
        return projected

    def _axes(self, rank: int) -> tuple[str, str, str]:
        """Return a letter for each axis of the query, the value and the scores."""
        query = [*string.ascii_lowercase[: rank - 2], "y", "z"]
        value = [name.upper() if axis in self.attended else name for axis, name in enumerate(query)]
        alike = [name for axis, name in enumerate(query[:-1]) if axis not in self.attended]
        pairs = [side[axis] for side in (query, value) for axis in self.attended]
        return "".join(query), "".join(value), "".join([*alike, *pairs])

    def _scores(self, heads: Any, keys: Any) -> Any:
        query, value, scores = self._axes(heads.ndim)
        # Summed in float32 at least.
        dtype = jnp.promote_types(heads.dtype, "float32")
        return contract(heads, query, keys, value, scores, dtype)

    def _combined(self, kept: Any, values: Any) -> Any:
        query, value, scores = self._axes(values.ndim)
        return contract(kept, scores, values, value, query)

    def _check_shapes(self, query: Any, value: Any, key: Any) -> None:
        if value is None:
            raise DataError(
                f"{named(self)} was called without its value: attention of a sequence to itself "
                "is layer(x, x)"
            )
        if len(query) != len(value) or value[1:-1] != key[1:-1] or len(query) < 3:
            raise ShapeError(
                f"{named(self)} was given query, value and key of shapes {query}, {value} and "
                f"{key}: all dimensions of value and key except the last one must be equal, and "
                "the query must have as many axes, (batch, steps, ..., features)"
            )


_SHARED = (
    "kernel_initializer",
    "bias_initializer",
    "kernel_regularizer",
    "bias_regularizer",
    "kernel_constraint",
    "bias_constraint",
)


def _side(array: Any, axis: int, ids: Any, packed: bool, timed: bool) -> Side:
    # Where steps do not attend to each other, which sequence they belong to does not matter.
    return Side(array.shape[axis], ids, packed) if timed else Side(array.shape[axis])
