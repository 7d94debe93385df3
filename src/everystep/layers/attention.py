"""Attention of steps to steps without heads: Attention and AdditiveAttention."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp

from everystep import kinds
from everystep.core.settings import setting
from everystep.errors import DataError, ShapeError
from everystep.kernels import contract, product
from everystep.layers import symbolic
from everystep.layers.combining import named
from everystep.layers.core import dropout_multiplier
from everystep.layers.layer import Layer
from everystep.layers.reach import Side, common_ids, reach, shares, without_padding


class ListAttention(Layer):
    """The base of attention over a list `[query, value]` or `[query, value, key]`.

    A step of the query reads the real steps of the value, in packed rows those of its own sequence.
    The output has the query's steps and their mask, and zeros at its padding.
    """

    dropout: float
    seed: int | None

    def score(self, query: Any, key: Any) -> Any:
        """Return a score for each step of the query and each of the key, (batch, steps, steps)."""
        raise NotImplementedError(f"{type(self).__name__} does not define score")

    def compute_segments(
        self, inputs: Any, segments: Any, return_attention_scores: bool = False
    ) -> Any:
        """Return the query's; the scores have none."""
        query = None if segments is None else segments[0]
        return [query, None] if return_attention_scores else query

    def call(
        self,
        inputs: Any,
        mask: Any = None,
        training: bool = False,
        return_attention_scores: bool = False,
        use_causal_mask: bool = False,
        segments: Any = None,
        packed: bool = False,
    ) -> Any:
        """Return what each step of the query reads, and, if asked for, its shares.

        Args:
            inputs: `[query, value]` or `[query, value, key]`; the key is the value by default.
            mask: which steps of each are real, where they do not say so themselves.
            training: whether shares are dropped.
            return_attention_scores: whether the shares come too, `(batch, steps, value steps)`.
            use_causal_mask: whether a step reads no later one.
            segments: the sequence of each step of each input.
            packed: whether rows may hold several sequences.
        """
        query, value, *keys = listed_sides(self, inputs)
        key = keys[0] if keys else value
        ids, value_ids, *key_ids = [None] * len(inputs) if segments is None else segments
        held = common_ids(value_ids, key_ids[0] if key_ids else None)
        allowed = reach(
            named(self),
            Side(query.shape[1], ids, packed and ids is not None),
            Side(value.shape[1], held, packed and held is not None),
            causal=use_causal_mask,
        )
        scores = shares(self.score(query, key), allowed).astype(value.dtype)
        kept = scores
        if training and self.dropout > 0:
            kept = scores * dropout_multiplier(self, self.dropout, scores.shape, scores.dtype)
        outputs = product(kept, without_padding(value, held))
        return (outputs, scores) if return_attention_scores else outputs


def listed_sides(layer: Layer, inputs: Any) -> list[Any]:
    """Return query, value and perhaps key as a list, or raise an error if they are none."""
    shapes = symbolic.shape_of(inputs)
    _check_list(layer, shapes)
    if any(len(shape) != 3 for shape in shapes) or shapes[-1][1] != shapes[1][1]:
        raise ShapeError(
            f"{named(layer)} was given query, value and key of shapes "
            f"{', '.join(map(symbolic.written, shapes))}: it expects (batch, steps, features), and "
            "as many steps of the key as of the value"
        )
    return list(inputs)


def _check_list(layer: Layer, shapes: Any) -> None:
    if symbolic.is_shape(shapes) or isinstance(shapes, dict) or len(shapes) not in (2, 3):
        raise DataError(
            f"{type(layer).__name__} layer must be called on a list of inputs, namely [query, "
            f"value] or [query, value, key]: {named(layer)} was given what has shape "
            f"{symbolic.written(shapes)}"
        )


def _wide(array: Any) -> Any:
    """Return the dtype in which the scores of an array are summed: float32 at least."""
    return jnp.promote_types(array.dtype, "float32")


class Attention(ListAttention):
    """Each step of a query reads the steps of a value, by how its vector fits their keys.

    Equation: `y = softmax(s) v` with scores `s = scale (q k^T)`, or, for `score_mode="concat"`,
    `s = w sum(tanh(scale (q + k)))`, over the features of each pair of steps. The softmax is over
    the steps that may be read; a step that may read none gives zeros.

    Shapes: a list of `(batch, steps, features)`, `(batch, value steps, values)` and, if given,
    `(batch, value steps, features)` -> `(batch, steps, values)`; `scale` and
    `concat_score_weight` are `()`.

    Args:
        use_scale: whether there is a `scale`; else it is 1.
        score_mode: `"dot"` or `"concat"`.
        dropout: the share of what is read that is dropped in training.
        seed: fixes what is dropped.

    Raises:
        DataError: the inputs are no list of two or three.
        ShapeError: their shapes do not go together.
        SegmentsError: one is packed and another does not say which sequences it holds.

    Example:
        >>> import everystep as es, numpy as np
        >>> query, value = np.zeros((2, 3, 5), "float32"), np.ones((2, 4, 5), "float32")
        >>> es.layers.Attention()([query, value]).shape
        (2, 3, 5)

    Source: Luong, Pham, Manning 2015, arXiv:1508.04025, section 3.1, the scores `dot` and, without
    a matrix, `concat`.
    """

    use_scale: bool = setting(kinds.BOOLEAN, default=False)
    score_mode: str = setting(kinds.one_of("dot", "concat"), default="dot")
    dropout: float = setting(kinds.FRACTION, default=0.0)
    seed: int | None = setting(kinds.SEED, default=None)

    def build(self, input_shape: Any) -> None:
        """Create `scale` and `concat_score_weight` where they are used."""
        _check_list(self, input_shape)
        self.scale = self.add_weight((), "ones", name="scale") if self.use_scale else None
        self.concat_score_weight = None
        if self.score_mode == "concat":
            self.concat_score_weight = self.add_weight((), "ones", name="concat_score_weight")

    def score(self, query: Any, key: Any) -> Any:
        """Return the scores."""
        scale = 1 if self.scale is None else self.scale.value
        if self.concat_score_weight is not None:
            pairs = jnp.tanh(scale * (query[:, :, None] + key[:, None]))
            return self.concat_score_weight.value * jnp.sum(pairs, -1, dtype=_wide(query))
        return scale * contract(query, "bqd", key, "bkd", "bqk", _wide(query))


class AdditiveAttention(ListAttention):
    """Each step of a query reads the steps of a value, by a learnt sum over query and key.

    Equation: `y = softmax(s) v` with scores `s = sum(scale tanh(q + k))` over the features of each
    pair of steps. The softmax is over the steps that may be read; a step that may read none gives
    zeros.

    Shapes: a list of `(batch, steps, features)`, `(batch, value steps, values)` and, if given,
    `(batch, value steps, features)` -> `(batch, steps, values)`; `scale` is `(features,)`.

    Args:
        use_scale: whether there is a `scale`; else it is 1.
        dropout: the share of what is read that is dropped in training.
        seed: fixes what is dropped.

    Raises:
        DataError: the inputs are no list of two or three.
        ShapeError: their shapes do not go together.
        SegmentsError: one is packed and another does not say which sequences it holds.

    Example:
        >>> import everystep as es, numpy as np
        >>> query, value = np.zeros((2, 3, 5), "float32"), np.ones((2, 4, 5), "float32")
        >>> es.layers.AdditiveAttention()([query, value]).shape
        (2, 3, 5)

    Source: Bahdanau, Cho, Bengio 2015, arXiv:1409.0473, section 3.1, without its matrices.
    """

    use_scale: bool = setting(kinds.BOOLEAN, default=True)
    dropout: float = setting(kinds.FRACTION, default=0.0)
    seed: int | None = setting(kinds.SEED, default=None)

    def build(self, input_shape: Any) -> None:
        """Create `scale` where it is used."""
        _check_list(self, input_shape)
        self.scale = None
        if self.use_scale:
            self.scale = self.add_weight((input_shape[0][-1],), "glorot_uniform", name="scale")

    def score(self, query: Any, key: Any) -> Any:
        """Return the scores."""
        pairs = jnp.tanh(query[:, :, None] + key[:, None])
        # Not a product of matrices, for which all pairs would have to be stored.
        scaled = pairs if self.scale is None else self.scale.value * pairs
        return jnp.sum(scaled, -1, dtype=_wide(query))
