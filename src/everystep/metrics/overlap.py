"""Intersection over union: how far the steps of a class and those predicted as it overlap."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp

from everystep.core import setting
from everystep.core.defaults import epsilon
from everystep.kinds import BOOLEAN, INTEGERS, NUMBER, POSITIVE
from everystep.losses.arrays import of_one_shape, ratio
from everystep.losses.base import AXIS, CLASS, DTYPE, NAME
from everystep.metrics.base import Metric, spread_weights
from everystep.sequences import numbers


class Overlap(Metric):
    """Base of the metrics that are made from a table of labels and predicted classes."""

    num_classes: int
    target_class_ids: Any
    ignore_class: int | None = None
    sparse_y_true: bool = True
    sparse_y_pred: bool = True
    axis: int = -1

    @property
    def targets(self) -> tuple[int, ...]:
        """The classes whose mean is the result."""
        return tuple(self.target_class_ids)

    def add_variables(self) -> None:
        """Add the table."""
        shape = (self.num_classes, self.num_classes)
        self.total_cm = self.add_variable(shape, name="total_confusion_matrix")

    def classes(self, y_true: Any, y_pred: Any) -> tuple[Any, Any]:
        """Return labels and predictions as class numbers."""
        y_true, y_pred = numbers("labels", y_true), numbers("predictions", y_pred)
        if not self.sparse_y_true:
            y_true = jnp.argmax(y_true, axis=self.axis)
        if not self.sparse_y_pred:
            y_pred = jnp.argmax(y_pred, axis=self.axis)
        return y_true, y_pred

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Take a batch into account; class numbers that do not exist do not count.

        Args:
            y_true: labels.
            y_pred: predictions.
            sample_weight: weights, one for each sample or step; 0 means not counted.

        Raises:
            ShapeError: labels, predictions and weights do not fit each other.
        """
        owner = f"metric '{self.name}'"
        y_true, y_pred = of_one_shape(owner, *self.classes(y_true, y_pred))
        weight = spread_weights(sample_weight, y_pred.shape, self.dtype).ravel()
        labels, found = y_true.ravel().astype("int32"), y_pred.ravel().astype("int32")
        size = self.num_classes
        exists = (labels >= 0) & (labels < size) & (found >= 0) & (found < size)
        if self.ignore_class is not None:
            exists &= labels != self.ignore_class
        places = jnp.where(exists, labels * size + found, 0)
        cells = jnp.zeros(size * size, self.dtype).at[places].add(jnp.where(exists, weight, 0))
        self.total_cm.assign_add(cells.reshape(size, size))

    def result(self) -> Any:
        """Return the mean over the classes that occurred, 0 before any."""
        table = self.total_cm.value
        both = jnp.diagonal(table)
        either = jnp.sum(table, axis=0) + jnp.sum(table, axis=1) - both
        targets = jnp.asarray(self.targets)
        both, either = both[targets], either[targets]
        return ratio(jnp.sum(ratio(both, either)), jnp.sum(either > epsilon()))


class IoU(Overlap):
    """Mean over chosen classes of `tp / (tp + fp + fn)`.

    Args:
        num_classes: how many classes there are.
        target_class_ids: the classes to take the mean over.
        name: the metric's name.
        dtype: the dtype of the sums.
        ignore_class: a label whose samples or steps do not count.
        sparse_y_true: whether labels are class numbers; otherwise one-hot.
        sparse_y_pred: whether predictions are class numbers; otherwise scores.
        axis: the axis of the classes, where there is one.

    Example:
        >>> round(float(IoU(2, [0])([0, 0, 1, 1], [0, 1, 0, 1])), 4)
        0.3333
    """

    num_classes: int = setting(POSITIVE)
    target_class_ids: Any = setting(INTEGERS)
    name: str | None = setting(NAME, default=None)
    dtype: str | None = setting(DTYPE, default=None)
    ignore_class: int | None = setting(CLASS, default=None)
    sparse_y_true: bool = setting(BOOLEAN, default=True)
    sparse_y_pred: bool = setting(BOOLEAN, default=True)
    axis: int = setting(AXIS, default=-1)


class BinaryIoU(Overlap):
    """Mean of `tp / (tp + fp + fn)` over no (0) and yes (1), for predictions from 0 to 1.

    Args:
        target_class_ids: which of the two to take the mean over.
        threshold: predictions of at least this say yes.
        name: the metric's name.
        dtype: the dtype of the sums.
    """

    target_class_ids: Any = setting(INTEGERS, default=(0, 1))
    threshold: float = setting(NUMBER, default=0.5)
    name: str | None = setting(NAME, default=None)
    dtype: str | None = setting(DTYPE, default=None)
    num_classes = 2

    def classes(self, y_true: Any, y_pred: Any) -> tuple[Any, Any]:
        """Return labels and predictions as 0 and 1."""
        return numbers("labels", y_true), numbers("predictions", y_pred) >= self.threshold


class MeanIoU(Overlap):
    """Mean over all classes of `tp / (tp + fp + fn)`.

    Args:
        num_classes: how many classes there are.
        name: the metric's name.
        dtype: the dtype of the sums.
        ignore_class: a label whose samples or steps do not count.
        sparse_y_true: whether labels are class numbers; otherwise one-hot.
        sparse_y_pred: whether predictions are class numbers; otherwise scores.
        axis: the axis of the classes, where there is one.
    """

    num_classes: int = setting(POSITIVE)
    name: str | None = setting(NAME, default=None)
    dtype: str | None = setting(DTYPE, default=None)
    ignore_class: int | None = setting(CLASS, default=None)
    sparse_y_true: bool = setting(BOOLEAN, default=True)
    sparse_y_pred: bool = setting(BOOLEAN, default=True)
    axis: int = setting(AXIS, default=-1)

    @property
    def targets(self) -> tuple[int, ...]:
        """All classes."""
        return tuple(range(self.num_classes))


class OneHotIoU(Overlap):
    """Mean over chosen classes of `tp / (tp + fp + fn)`, labels being one-hot.

    Args:
        num_classes: how many classes there are.
        target_class_ids: the classes to take the mean over.
        name: the metric's name.
        dtype: the dtype of the sums.
        ignore_class: a label whose samples or steps do not count.
        sparse_y_pred: whether predictions are class numbers; otherwise scores.
        axis: the axis of the classes.
    """

    num_classes: int = setting(POSITIVE)
    target_class_ids: Any = setting(INTEGERS)
    name: str | None = setting(NAME, default=None)
    dtype: str | None = setting(DTYPE, default=None)
    ignore_class: int | None = setting(CLASS, default=None)
    sparse_y_pred: bool = setting(BOOLEAN, default=False)
    axis: int = setting(AXIS, default=-1)
    sparse_y_true = False


class OneHotMeanIoU(Overlap):
    """Mean over all classes of `tp / (tp + fp + fn)`, labels being one-hot.

    Args:
        num_classes: how many classes there are.
        name: the metric's name.
        dtype: the dtype of the sums.
        ignore_class: a label whose samples or steps do not count.
        sparse_y_pred: whether predictions are class numbers; otherwise scores.
        axis: the axis of the classes.
    """

    num_classes: int = setting(POSITIVE)
    name: str | None = setting(NAME, default=None)
    dtype: str | None = setting(DTYPE, default=None)
    ignore_class: int | None = setting(CLASS, default=None)
    sparse_y_pred: bool = setting(BOOLEAN, default=False)
    axis: int = setting(AXIS, default=-1)
    sparse_y_true = False

    @property
    def targets(self) -> tuple[int, ...]:
        """All classes."""
        return tuple(range(self.num_classes))
