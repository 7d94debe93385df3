"""Accuracies: the share of labels that predictions hit, as functions and as metrics.

The functions give 1.0 where a prediction hits its label and 0.0 where not.
"""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp

from everystep.core import setting
from everystep.kinds import BOOLEAN, NUMBER, POSITIVE, checked
from everystep.losses.arrays import as_arrays, class_ids, of_one_shape, paired
from everystep.losses.base import DTYPE, NAME
from everystep.metrics.base import PairMean


def _hits(condition: Any) -> Any:
    return condition.astype(jnp.float32)


def accuracy(y_true: Any, y_pred: Any) -> Any:
    """Return where predictions equal labels.

    Args:
        y_true: labels.
        y_pred: predictions of the same shape; a last axis of size 1 may lack in one of the two.

    Raises:
        ShapeError: the shapes do not fit.

    Example:
        >>> accuracy([1, 2, 3], [1, 2, 4]).tolist()
        [1.0, 1.0, 0.0]
    """
    y_true, y_pred = of_one_shape("accuracy", y_true, y_pred)
    return _hits(y_true == y_pred)


@checked
def binary_accuracy(y_true: Any, y_pred: Any, threshold: float = 0.5) -> Any:
    """Return where predictions lie on the label's side of the threshold.

    Args:
        y_true: labels of 0 and 1.
        y_pred: predictions of the same shape; a last axis of size 1 may lack in one of the two.
        threshold: predictions above it stand for 1.

    Raises:
        ShapeError: the shapes do not fit.

    Example:
        >>> binary_accuracy([1, 0, 1], [0.9, 0.6, 0.6]).tolist()
        [1.0, 0.0, 1.0]
    """
    y_true, y_pred = paired("binary_accuracy", y_true, y_pred)
    return _hits(y_true == (y_pred > threshold))


def categorical_accuracy(y_true: Any, y_pred: Any) -> Any:
    """Return where the highest score is that of the label's class.

    Args:
        y_true: one-hot labels of shape `(..., classes)`.
        y_pred: scores of the same shape.

    Raises:
        ShapeError: the shapes differ.

    Example:
        >>> categorical_accuracy([[0, 1], [1, 0]], [[0.1, 0.9], [0.2, 0.8]]).tolist()
        [1.0, 0.0]
    """
    y_true, y_pred = paired("categorical_accuracy", y_true, y_pred)
    return _hits(jnp.argmax(y_true, axis=-1) == jnp.argmax(y_pred, axis=-1))


def sparse_categorical_accuracy(y_true: Any, y_pred: Any) -> Any:
    """Return where the highest score is that of the label's class.

    Args:
        y_true: class numbers, of shape `(...)` or `(..., 1)`.
        y_pred: scores of shape `(..., classes)`.

    Raises:
        ShapeError: there is not one label for each row of scores.

    Example:
        >>> sparse_categorical_accuracy([1, 0], [[0.1, 0.9], [0.2, 0.8]]).tolist()
        [1.0, 0.0]
    """
    y_true, y_pred = as_arrays(y_true, y_pred)
    ids = class_ids("sparse_categorical_accuracy", y_true, y_pred)
    return _hits(ids == jnp.argmax(y_pred, axis=-1))


@checked
def sparse_top_k_categorical_accuracy(
    y_true: Any, y_pred: Any, k: int = 5, from_sorted_ids: bool = False
) -> Any:
    """Return where fewer than `k` classes have a higher score than the label's class.

    Args:
        y_true: class numbers, of shape `(...)` or `(..., 1)`.
        y_pred: scores of shape `(..., classes)`.
        k: how many classes may be named.
        from_sorted_ids: whether `y_pred` holds class numbers, best first, instead of scores.

    Raises:
        ShapeError: there is not one label for each row of scores.

    Example:
        >>> scores = [[0.1, 0.2, 0.7], [0.5, 0.3, 0.2]]
        >>> sparse_top_k_categorical_accuracy([1, 2], scores, k=2).tolist()
        [1.0, 0.0]
    """
    y_true, y_pred = as_arrays(y_true, y_pred)
    ids = class_ids("sparse_top_k_categorical_accuracy", y_true, y_pred)[..., None]
    if from_sorted_ids:
        return _hits(jnp.any(y_pred[..., :k] == ids, axis=-1))
    exists = (ids >= 0) & (ids < y_pred.shape[-1])
    score = jnp.take_along_axis(y_pred, jnp.where(exists, ids, 0), axis=-1)
    score = jnp.where(exists & ~jnp.isnan(score), score, -jnp.inf)
    return _hits(exists[..., 0] & (jnp.sum(y_pred > score, axis=-1) < k))


@checked
def top_k_categorical_accuracy(y_true: Any, y_pred: Any, k: int = 5) -> Any:
    """Return where fewer than `k` classes have a higher score than the label's class.

    Args:
        y_true: one-hot labels of shape `(..., classes)`.
        y_pred: scores of the same shape.
        k: how many classes may be named.

    Raises:
        ShapeError: the shapes differ.
    """
    y_true, y_pred = paired("top_k_categorical_accuracy", y_true, y_pred)
    return sparse_top_k_categorical_accuracy(jnp.argmax(y_true, axis=-1), y_pred, k)


class Accuracy(PairMean):
    """Share of predictions that equal their label.

    Example:
        >>> round(float(Accuracy()([1, 2, 3], [1, 2, 4])), 3)
        0.667
    """

    name: str | None = setting(NAME, default="accuracy")
    dtype: str | None = setting(DTYPE, default=None)

    def values(self, y_true: Any, y_pred: Any) -> Any:
        """Return one value for each sample or step."""
        return accuracy(y_true, y_pred)


class BinaryAccuracy(PairMean):
    """Share of predictions on the label's side of a threshold.

    Args:
        name: the metric's name.
        dtype: the dtype of the sums.
        threshold: predictions above it stand for 1.
    """

    name: str | None = setting(NAME, default="binary_accuracy")
    dtype: str | None = setting(DTYPE, default=None)
    threshold: float = setting(NUMBER, default=0.5)

    def values(self, y_true: Any, y_pred: Any) -> Any:
        """Return one value for each prediction."""
        return binary_accuracy(y_true, y_pred, self.threshold)


class CategoricalAccuracy(PairMean):
    """Share of steps or samples whose highest score is that of the one-hot label's class."""

    name: str | None = setting(NAME, default="categorical_accuracy")
    dtype: str | None = setting(DTYPE, default=None)

    def values(self, y_true: Any, y_pred: Any) -> Any:
        """Return one value for each sample or step."""
        return categorical_accuracy(y_true, y_pred)


class SparseCategoricalAccuracy(PairMean):
    """Share of steps or samples whose highest score is that of the label's class number.

    Example:
        >>> metric = SparseCategoricalAccuracy()
        >>> scores = jnp.array([[[0.1, 0.9], [0.2, 0.8], [0.0, 0.0]]])
        >>> float(metric([[1, 0, 0]], scores, sample_weight=[[1, 1, 0]]))
        0.5
    """

    name: str | None = setting(NAME, default="sparse_categorical_accuracy")
    dtype: str | None = setting(DTYPE, default=None)

    def values(self, y_true: Any, y_pred: Any) -> Any:
        """Return one value for each sample or step."""
        return sparse_categorical_accuracy(y_true, y_pred)


class TopKCategoricalAccuracy(PairMean):
    """Share of steps or samples whose one-hot label's class has one of the `k` highest scores.

    Args:
        k: how many classes may be named.
        name: the metric's name.
        dtype: the dtype of the sums.
    """

    k: int = setting(POSITIVE, default=5)
    name: str | None = setting(NAME, default="top_k_categorical_accuracy")
    dtype: str | None = setting(DTYPE, default=None)

    def values(self, y_true: Any, y_pred: Any) -> Any:
        """Return one value for each sample or step."""
        return top_k_categorical_accuracy(y_true, y_pred, self.k)


class SparseTopKCategoricalAccuracy(PairMean):
    """Share of steps or samples whose label's class number has one of the `k` highest scores.

    Args:
        k: how many classes may be named.
        name: the metric's name.
        dtype: the dtype of the sums.
        from_sorted_ids: whether predictions are class numbers, best first, instead of scores.
    """

    k: int = setting(POSITIVE, default=5)
    name: str | None = setting(NAME, default="sparse_top_k_categorical_accuracy")
    dtype: str | None = setting(DTYPE, default=None)
    from_sorted_ids: bool = setting(BOOLEAN, default=False)

    def values(self, y_true: Any, y_pred: Any) -> Any:
        """Return one value for each sample or step."""
        return sparse_top_k_categorical_accuracy(y_true, y_pred, self.k, self.from_sorted_ids)
