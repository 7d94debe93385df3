"""Cross-entropies as functions: one value for each sample or step.

Numbers follow Keras: probabilities are normalised and kept `1e-7` away from 0 and 1.
"""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from everystep.errors import DataError
from everystep.kinds import ARRAY, POSITIVE, checked
from everystep.losses.arrays import NO_CLASS, as_arrays, axis_last, class_ids, paired

EPSILON = 1e-7


def _log_sum_exp(scores: Any) -> tuple[Any, Any]:
    """Return the largest score of each row, and `log(sum(exp(scores - largest)))`."""
    # The shift cancels, so no gradient goes through it.
    largest = jax.lax.stop_gradient(jnp.max(scores, axis=-1))
    return largest, jnp.log(jnp.sum(jnp.exp(scores - largest[..., None]), axis=-1))


def away_from_ends(probabilities: Any) -> Any:
    """Return probabilities of which none is so near 0 or 1 that a logarithm is infinite."""
    return jnp.clip(probabilities, EPSILON, 1 - EPSILON)


def normalised(y_pred: Any) -> Any:
    """Return scores of classes that sum to 1, none of them 0 or 1."""
    return away_from_ends(y_pred / jnp.sum(y_pred, axis=-1, keepdims=True))


@checked(ids=ARRAY, classes=POSITIVE)
def check_class_ids(owner: str, ids: Any, classes: int) -> None:
    """Check that all class numbers exist, where they are known and not traced.

    Raises:
        DataError: a number is negative, not below the number of classes, or no whole number.
    """
    if isinstance(ids, jax.core.Tracer) or np.size(ids) == 0:
        return
    numbers = np.asarray(ids)
    whole = numbers != NO_CLASS
    if jnp.issubdtype(numbers.dtype, jnp.floating):
        whole = np.isfinite(numbers) & (numbers == np.floor(numbers))
    low, high = numbers.min(), numbers.max()
    if not whole.all() or low < 0 or high >= classes:
        found = f"go from {int(low)} to {int(high)}" if whole.all() else "are not all whole numbers"
        raise DataError(
            f"{owner}: labels must be class numbers from 0 to {classes - 1}, because the "
            f"predictions have {classes} classes; these {found}"
        )


@checked(axis_of="y_pred")
def sparse_categorical_crossentropy(
    y_true: Any,
    y_pred: Any,
    from_logits: bool = False,
    ignore_class: int | None = None,
    axis: int = -1,
) -> Any:
    """Cross-entropy of class numbers: `-log(p[y])`.

    Args:
        y_true: class numbers, of shape `(...)` or `(..., 1)`.
        y_pred: scores of shape `(..., classes)`.
        from_logits: whether the scores are logits; otherwise they are probabilities.
        ignore_class: a class number that costs nothing.
        axis: the axis of the classes in `y_pred`.

    Returns:
        An array of shape `(...)`. Under a JAX transformation, where labels cannot be looked at, a
        class number that does not exist gives NaN.

    Raises:
        ShapeError: there is not one label for each row of scores.
        DataError: a class number does not exist.

    Example:
        >>> probabilities = jnp.array([[0.5, 0.5, 0.0], [0.1, 0.8, 0.1]])
        >>> [round(float(x), 3) for x in sparse_categorical_crossentropy([0, 1], probabilities)]
        [0.693, 0.223]
    """
    owner = "sparse_categorical_crossentropy"
    y_true, y_pred = as_arrays(y_true, y_pred)
    if y_true.ndim == y_pred.ndim and y_true.shape[axis] == 1:
        y_true = jnp.squeeze(y_true, axis)
    scores = axis_last(y_pred, axis)
    ids, classes = class_ids(owner, y_true, scores), scores.shape[-1]
    if ignore_class is not None:
        ignored = ids == ignore_class
        ids = jnp.where(ignored, 0, ids)
        scores = jnp.where(ignored[..., None], 1, scores)
    check_class_ids(owner, ids, classes)
    exists = (ids >= 0) & (ids < classes)
    # A gather reads one score a row; a one-hot product would read and write all of them.
    found = jnp.where(exists, ids, 0)[..., None]
    score = jnp.take_along_axis(scores, found, axis=-1, mode="promise_in_bounds")[..., 0]
    if from_logits:
        largest, log_sum = _log_sum_exp(scores)
        loss = log_sum - (score - largest)
    else:
        loss = -jnp.log(away_from_ends(score / jnp.sum(scores, axis=-1)))
    loss = jnp.where(exists, loss, jnp.nan)
    return loss if ignore_class is None else jnp.where(ignored, 0, loss)


@checked(axis_of="y_pred")
def categorical_crossentropy(
    y_true: Any,
    y_pred: Any,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Any:
    """Cross-entropy of distributions over classes: `-sum(y * log(p))`.

    Args:
        y_true: one-hot labels or other distributions, of shape `(..., classes)`.
        y_pred: scores of the same shape.
        from_logits: whether the scores are logits; otherwise they are probabilities.
        label_smoothing: the share of each label that is spread evenly over all classes.
        axis: the axis of the classes.

    Returns:
        An array of shape `(...)`.

    Raises:
        ShapeError: the two shapes differ.

    Example:
        >>> loss = categorical_crossentropy([[0.0, 1.0]], [[0.2, 0.8]])
        >>> [round(float(x), 3) for x in loss]
        [0.223]
    """
    y_true, y_pred = paired("categorical_crossentropy", y_true, y_pred)
    y_true, scores = axis_last(y_true, axis), axis_last(y_pred, axis)
    if label_smoothing:
        y_true = y_true * (1 - label_smoothing) + label_smoothing / scores.shape[-1]
    if not from_logits:
        return -jnp.sum(y_true * jnp.log(normalised(scores)), axis=-1)
    return -jnp.sum(y_true * jax.nn.log_softmax(scores), axis=-1)


@checked(axis_of="y_pred")
def binary_crossentropy(
    y_true: Any,
    y_pred: Any,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Any:
    """Cross-entropy of yes-no labels: the mean over an axis of `-y log(p) - (1 - y) log(1 - p)`.

    Args:
        y_true: labels from 0 to 1, of the shape of `y_pred`; a last axis of size 1 may lack.
        y_pred: scores of shape `(..., n)`.
        from_logits: whether the scores are logits; otherwise they are probabilities.
        label_smoothing: how far labels are moved towards one half.
        axis: the axis of the mean.

    Returns:
        An array of shape `(...)`.

    Raises:
        ShapeError: the two shapes do not fit.

    Example:
        >>> [round(float(x), 3) for x in binary_crossentropy([[1.0], [0.0]], [[0.5], [0.2]])]
        [0.693, 0.223]
    """
    y_true, y_pred = paired("binary_crossentropy", y_true, y_pred)
    if label_smoothing:
        y_true = y_true * (1 - label_smoothing) + 0.5 * label_smoothing
    if from_logits:
        yes, no = jax.nn.log_sigmoid(y_pred), jax.nn.log_sigmoid(-y_pred)
    else:
        probability = away_from_ends(y_pred)
        yes, no = jnp.log(probability), jnp.log(1 - probability)
    return jnp.mean(-y_true * yes - (1 - y_true) * no, axis=axis)
