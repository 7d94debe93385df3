"""Focal cross-entropies: easy samples and steps count less. As functions and as classes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from everystep.core import setting
from everystep.kinds import ARRAY, BOOLEAN, FRACTION, NOT_NEGATIVE, NUMBER, Kind, checked
from everystep.losses.arrays import axis_last, paired
from everystep.losses.base import AXIS, DTYPE, NAME, REDUCTION, FixedLoss
from everystep.losses.crossentropy import away_from_ends, binary_crossentropy, normalised


def _numbers(value: Any) -> Any:
    if isinstance(value, Sequence | np.ndarray) and not isinstance(value, str):
        return [NUMBER.parse(item) for item in value]
    return NUMBER.parse(value)


ALPHA = Kind("a number, or a list of one for each class", _numbers, refused=("many", [None]))


@checked(axis_of="y_pred")
def binary_focal_crossentropy(
    y_true: Any,
    y_pred: Any,
    apply_class_balancing: bool = False,
    alpha: float = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Any:
    """Cross-entropy of yes-no labels times `(1 - q) ** gamma`, `q` the chance of what is right.

    Args:
        y_true: labels from 0 to 1, of the shape of `y_pred`; a last axis of size 1 may lack.
        y_pred: scores of shape `(..., n)`.
        apply_class_balancing: whether yes counts `alpha` and no `1 - alpha`.
        alpha: how much yes counts.
        gamma: how much less easy ones count; 0 for plain cross-entropy.
        from_logits: whether the scores are logits; otherwise they are probabilities.
        label_smoothing: how far labels are moved towards one half.
        axis: the axis of the mean.

    Returns:
        An array of shape `(...)`.

    Raises:
        ShapeError: the two shapes do not fit.

    Example:
        >>> loss = binary_focal_crossentropy([[0.0, 1.0]], [[0.6, 0.4]])
        >>> [round(float(x), 3) for x in loss]
        [0.33]

    Source: Lin et al. 2018, arXiv:1708.02002, equations 4 and 5.
    """
    y_true, y_pred = paired("binary_focal_crossentropy", y_true, y_pred)
    if label_smoothing:
        y_true = y_true * (1 - label_smoothing) + 0.5 * label_smoothing
    chance = jax.nn.sigmoid(y_pred) if from_logits else y_pred
    # One value for each label: the mean comes after the factors.
    costs = binary_crossentropy(y_true[..., None], chance[..., None])
    right = y_true * chance + (1 - y_true) * (1 - chance)
    costs = (1 - right) ** gamma * costs
    if apply_class_balancing:
        costs = (y_true * alpha + (1 - y_true) * (1 - alpha)) * costs
    return jnp.mean(costs, axis=axis)


@checked(axis_of="y_pred", alpha=ARRAY)
def categorical_focal_crossentropy(
    y_true: Any,
    y_pred: Any,
    alpha: Any = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Any:
    """Cross-entropy of classes, each term times `alpha * (1 - p) ** gamma`.

    Args:
        y_true: one-hot labels or other distributions, of shape `(..., classes)`.
        y_pred: scores of the same shape.
        alpha: a factor, or one for each class.
        gamma: how much less easy ones count.
        from_logits: whether the scores are logits; otherwise they are probabilities.
        label_smoothing: the share of each label that is spread evenly over all classes.
        axis: the axis of the classes.

    Returns:
        An array of shape `(...)`.

    Raises:
        ShapeError: the two shapes differ.

    Source: Lin et al. 2018, arXiv:1708.02002, for several classes.
    """
    y_true, y_pred = paired("categorical_focal_crossentropy", y_true, y_pred)
    y_true, scores = axis_last(y_true, axis), axis_last(y_pred, axis)
    if label_smoothing:
        y_true = y_true * (1 - label_smoothing) + label_smoothing / scores.shape[-1]
    chance = away_from_ends(jax.nn.softmax(scores)) if from_logits else normalised(scores)
    factors = jnp.asarray(alpha, chance.dtype) * (1 - chance) ** gamma
    return -jnp.sum(factors * y_true * jnp.log(chance), axis=-1)


class BinaryFocalCrossentropy(FixedLoss):
    """Cross-entropy of yes-no labels in which easy ones count less.

    Shapes: labels and predictions `(..., n)`; one of them may lack a last axis of size 1.

    Args:
        apply_class_balancing: whether yes counts `alpha` and no `1 - alpha`.
        alpha: how much yes counts.
        gamma: how much less easy ones count.
        from_logits: whether predictions are logits; otherwise they are probabilities.
        label_smoothing: how far labels are moved towards one half.
        axis: the axis of the mean.
        reduction: see `Loss`.
        name: the loss's name.
        dtype: see `Loss`.

    Raises:
        ShapeError: the two shapes do not fit.
    """

    apply_class_balancing: bool = setting(BOOLEAN, default=False)
    alpha: float = setting(NUMBER, default=0.25)
    gamma: float = setting(NOT_NEGATIVE, default=2.0)
    from_logits: bool = setting(BOOLEAN, default=False)
    label_smoothing: float = setting(FRACTION, default=0.0)
    axis: int = setting(AXIS, default=-1)
    reduction: str | None = setting(REDUCTION, default="sum_over_batch_size")
    name: str | None = setting(NAME, default="binary_focal_crossentropy")
    dtype: str | None = setting(DTYPE, default=None)
    function = staticmethod(binary_focal_crossentropy)

    def arranged(self, y_true: Any, y_pred: Any) -> tuple[Any, Any, Any]:
        """Return labels and predictions with the axis of the mean last."""
        y_true, y_pred = paired(f"loss '{self.name}'", y_true, y_pred)
        return axis_last(y_true, self.axis), axis_last(y_pred, self.axis), None

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return one value for each sample or step."""
        return binary_focal_crossentropy(
            y_true,
            y_pred,
            self.apply_class_balancing,
            self.alpha,
            self.gamma,
            self.from_logits,
            self.label_smoothing,
        )


class CategoricalFocalCrossentropy(FixedLoss):
    """Cross-entropy of classes in which easy samples and steps count less.

    Shapes: labels and predictions `(..., classes)`.

    Args:
        alpha: a factor, or one for each class.
        gamma: how much less easy ones count.
        from_logits: whether predictions are logits; otherwise they are probabilities.
        label_smoothing: the share of each label that is spread evenly over all classes.
        axis: the axis of the classes.
        reduction: see `Loss`.
        name: the loss's name.
        dtype: see `Loss`.

    Raises:
        ShapeError: the two shapes differ.
    """

    alpha: Any = setting(ALPHA, default=0.25)
    gamma: float = setting(NOT_NEGATIVE, default=2.0)
    from_logits: bool = setting(BOOLEAN, default=False)
    label_smoothing: float = setting(FRACTION, default=0.0)
    axis: int = setting(AXIS, default=-1)
    reduction: str | None = setting(REDUCTION, default="sum_over_batch_size")
    name: str | None = setting(NAME, default="categorical_focal_crossentropy")
    dtype: str | None = setting(DTYPE, default=None)
    function = staticmethod(categorical_focal_crossentropy)
    by_value = False

    def arranged(self, y_true: Any, y_pred: Any) -> tuple[Any, Any, Any]:
        """Return labels and predictions with classes last."""
        y_true, y_pred = paired(f"loss '{self.name}'", y_true, y_pred)
        return axis_last(y_true, self.axis), axis_last(y_pred, self.axis), None

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return one value for each sample or step."""
        return categorical_focal_crossentropy(
            y_true, y_pred, self.alpha, self.gamma, self.from_logits, self.label_smoothing
        )
