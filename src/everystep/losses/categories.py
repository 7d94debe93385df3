"""Cross-entropies as classes; see `everystep.losses.crossentropy` for their equations."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp

from everystep.core import setting
from everystep.kinds import BOOLEAN, FRACTION
from everystep.losses import crossentropy
from everystep.losses.arrays import axis_last, class_ids, paired
from everystep.losses.base import AXIS, CLASS, DTYPE, NAME, REDUCTION, FixedLoss


class SparseCategoricalCrossentropy(FixedLoss):
    """Cross-entropy of class numbers: `-log(p[y])`.

    Shapes: labels `(...)` or `(..., 1)`, predictions `(..., classes)`.

    Args:
        from_logits: whether predictions are logits; otherwise they are probabilities.
        ignore_class: a class number whose samples or steps do not count.
        reduction: see `Loss`.
        axis: the axis of the classes in the predictions.
        name: the loss's name.
        dtype: see `Loss`.

    Raises:
        ShapeError: there is not one label for each prediction.
        DataError: a class number does not exist; under a JAX transformation, where labels cannot
            be looked at, the loss is then NaN.

    Example:
        >>> loss = SparseCategoricalCrossentropy(ignore_class=-1)
        >>> round(float(loss([[1, -1]], [[[0.2, 0.8], [0.5, 0.5]]])), 3)
        0.223
    """

    from_logits: bool = setting(BOOLEAN, default=False)
    ignore_class: int | None = setting(CLASS, default=None)
    reduction: str | None = setting(REDUCTION, default="sum_over_batch_size")
    axis: int = setting(AXIS, default=-1)
    name: str | None = setting(NAME, default="sparse_categorical_crossentropy")
    dtype: str | None = setting(DTYPE, default=None)
    function = staticmethod(crossentropy.sparse_categorical_crossentropy)
    by_value = False

    def arranged(self, y_true: Any, y_pred: Any) -> tuple[Any, Any, Any]:
        """Return class numbers, predictions with classes last, and which class numbers count."""
        if y_true.ndim == y_pred.ndim and y_true.shape[self.axis] == 1:
            y_true = jnp.squeeze(y_true, self.axis)
        y_pred = axis_last(y_pred, self.axis)
        ids = class_ids(f"loss '{self.name}'", y_true, y_pred)
        return ids, y_pred, None if self.ignore_class is None else ids != self.ignore_class

    def check_labels(self, y_true: Any, classes: int) -> None:
        """Check that every class number exists, apart from the one to ignore."""
        if self.ignore_class is not None:
            y_true = y_true[y_true != self.ignore_class]
        crossentropy.check_class_ids(f"loss '{self.name}'", y_true, classes)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return one value for each sample or step."""
        return crossentropy.sparse_categorical_crossentropy(y_true, y_pred, self.from_logits)


class CategoricalCrossentropy(FixedLoss):
    """Cross-entropy of distributions over classes: `-sum(y * log(p))`.

    Shapes: labels and predictions `(..., classes)`.

    Args:
        from_logits: whether predictions are logits; otherwise they are probabilities.
        label_smoothing: the share of each label that is spread evenly over all classes.
        axis: the axis of the classes.
        reduction: see `Loss`.
        name: the loss's name.
        dtype: see `Loss`.

    Raises:
        ShapeError: the two shapes differ.

    Example:
        >>> round(float(CategoricalCrossentropy()([[0.0, 1.0]], [[0.2, 0.8]])), 3)
        0.223
    """

    from_logits: bool = setting(BOOLEAN, default=False)
    label_smoothing: float = setting(FRACTION, default=0.0)
    axis: int = setting(AXIS, default=-1)
    reduction: str | None = setting(REDUCTION, default="sum_over_batch_size")
    name: str | None = setting(NAME, default="categorical_crossentropy")
    dtype: str | None = setting(DTYPE, default=None)
    function = staticmethod(crossentropy.categorical_crossentropy)
    by_value = False

    def arranged(self, y_true: Any, y_pred: Any) -> tuple[Any, Any, Any]:
        """Return labels and predictions with classes last."""
        y_true, y_pred = paired(f"loss '{self.name}'", y_true, y_pred)
        return axis_last(y_true, self.axis), axis_last(y_pred, self.axis), None

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return one value for each sample or step."""
        return crossentropy.categorical_crossentropy(
            y_true, y_pred, self.from_logits, self.label_smoothing
        )


class BinaryCrossentropy(FixedLoss):
    """Cross-entropy of yes-no labels: the mean of `-y log(p) - (1 - y) log(1 - p)`.

    Shapes: labels and predictions `(..., n)`; one of them may lack a last axis of size 1.

    Args:
        from_logits: whether predictions are logits; otherwise they are probabilities.
        label_smoothing: how far labels are moved towards one half.
        axis: the axis of the mean.
        reduction: see `Loss`.
        name: the loss's name.
        dtype: see `Loss`.

    Raises:
        ShapeError: the two shapes do not fit.

    Example:
        >>> round(float(BinaryCrossentropy()([[1.0], [0.0]], [[0.5], [0.2]])), 3)
        0.458
    """

    from_logits: bool = setting(BOOLEAN, default=False)
    label_smoothing: float = setting(FRACTION, default=0.0)
    axis: int = setting(AXIS, default=-1)
    reduction: str | None = setting(REDUCTION, default="sum_over_batch_size")
    name: str | None = setting(NAME, default="binary_crossentropy")
    dtype: str | None = setting(DTYPE, default=None)
    function = staticmethod(crossentropy.binary_crossentropy)

    def arranged(self, y_true: Any, y_pred: Any) -> tuple[Any, Any, Any]:
        """Return labels and predictions with the axis of the mean last."""
        y_true, y_pred = paired(f"loss '{self.name}'", y_true, y_pred)
        return axis_last(y_true, self.axis), axis_last(y_pred, self.axis), None

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return one value for each sample or step."""
        return crossentropy.binary_crossentropy(
            y_true, y_pred, self.from_logits, self.label_smoothing
        )
