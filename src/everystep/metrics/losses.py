"""Means of losses as metrics; see `everystep.losses` for their equations."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp

from everystep import losses
from everystep.core import setting
from everystep.kinds import BOOLEAN, FRACTION
from everystep.losses.arrays import paired
from everystep.losses.base import AXIS, CLASS, DTYPE, NAME
from everystep.metrics.base import PairMean
from everystep.sequences import numbers


class MeanSquaredError(PairMean):
    """Mean of squares: `mean((y - p) ** 2)`.

    Example:
        >>> float(MeanSquaredError()([[0.0, 1.0]], [[1.0, 3.0]]))
        2.5
    """

    name: str | None = setting(NAME, default="mean_squared_error")
    dtype: str | None = setting(DTYPE, default=None)

    def values(self, y_true: Any, y_pred: Any) -> Any:
        """Return one value for each sample or step."""
        return losses.mean_squared_error(y_true, y_pred)


class RootMeanSquaredError(PairMean):
    """Root of the mean of squares: `sqrt(mean((y - p) ** 2))`.

    Args:
        name: the metric's name.
        dtype: the dtype of the sums.

    Example:
        >>> float(RootMeanSquaredError()([[0.0, 1.0]], [[3.0, 4.0]]))
        3.0
    """

    name: str | None = setting(NAME, default="root_mean_squared_error")
    dtype: str | None = setting(DTYPE, default=None)

    def values(self, y_true: Any, y_pred: Any) -> Any:
        """Return one square for each value."""
        y_true, y_pred = paired("root_mean_squared_error", y_true, y_pred)
        return jnp.square(y_true - y_pred)

    def result(self) -> Any:
        """Return the root of the mean."""
        return jnp.sqrt(super().result())


class MeanAbsoluteError(PairMean):
    """Mean of distances: `mean(|y - p|)`."""

    name: str | None = setting(NAME, default="mean_absolute_error")
    dtype: str | None = setting(DTYPE, default=None)

    def values(self, y_true: Any, y_pred: Any) -> Any:
        """Return one value for each sample or step."""
        return losses.mean_absolute_error(y_true, y_pred)


class MeanAbsolutePercentageError(PairMean):
    """Mean of distances in percent of the labels: `100 * mean(|y - p| / |y|)`."""

    name: str | None = setting(NAME, default="mean_absolute_percentage_error")
    dtype: str | None = setting(DTYPE, default=None)

    def values(self, y_true: Any, y_pred: Any) -> Any:
        """Return one value for each sample or step."""
        return losses.mean_absolute_percentage_error(y_true, y_pred)


class MeanSquaredLogarithmicError(PairMean):
    """Mean of squares of logarithms: `mean((log(1 + y) - log(1 + p)) ** 2)`."""

    name: str | None = setting(NAME, default="mean_squared_logarithmic_error")
    dtype: str | None = setting(DTYPE, default=None)

    def values(self, y_true: Any, y_pred: Any) -> Any:
        """Return one value for each sample or step."""
        return losses.mean_squared_logarithmic_error(y_true, y_pred)


class LogCoshError(PairMean):
    """Mean of `log(cosh(p - y))`."""

    name: str | None = setting(NAME, default="logcosh")
    dtype: str | None = setting(DTYPE, default=None)

    def values(self, y_true: Any, y_pred: Any) -> Any:
        """Return one value for each sample or step."""
        return losses.log_cosh(y_true, y_pred)


class KLDivergence(PairMean):
    """Mean divergence of distributions: `sum(y * log(y / p))`."""

    name: str | None = setting(NAME, default="kl_divergence")
    dtype: str | None = setting(DTYPE, default=None)

    def values(self, y_true: Any, y_pred: Any) -> Any:
        """Return one value for each sample or step."""
        return losses.kl_divergence(y_true, y_pred)


class Poisson(PairMean):
    """Mean of `p - y * log(p)`."""

    name: str | None = setting(NAME, default="poisson")
    dtype: str | None = setting(DTYPE, default=None)

    def values(self, y_true: Any, y_pred: Any) -> Any:
        """Return one value for each sample or step."""
        return losses.poisson(y_true, y_pred)


class Hinge(PairMean):
    """Mean of `max(1 - y * p, 0)`, labels -1 and 1 or 0 and 1."""

    name: str | None = setting(NAME, default="hinge")
    dtype: str | None = setting(DTYPE, default=None)

    def values(self, y_true: Any, y_pred: Any) -> Any:
        """Return one value for each sample or step."""
        return losses.hinge(y_true, y_pred)


class SquaredHinge(PairMean):
    """Mean of `max(1 - y * p, 0) ** 2`, labels -1 and 1 or 0 and 1."""

    name: str | None = setting(NAME, default="squared_hinge")
    dtype: str | None = setting(DTYPE, default=None)

    def values(self, y_true: Any, y_pred: Any) -> Any:
        """Return one value for each sample or step."""
        return losses.squared_hinge(y_true, y_pred)


class CategoricalHinge(PairMean):
    """Mean of `max(1 + max((1 - y) * p) - sum(y * p), 0)`, labels one-hot."""

    name: str | None = setting(NAME, default="categorical_hinge")
    dtype: str | None = setting(DTYPE, default=None)

    def values(self, y_true: Any, y_pred: Any) -> Any:
        """Return one value for each sample or step."""
        return losses.categorical_hinge(y_true, y_pred)


class CosineSimilarity(PairMean):
    """Mean cosine of the angle between labels and predictions: 1 where they agree.

    Args:
        name: the metric's name.
        dtype: the dtype of the sums.
        axis: the axis that holds the vectors.
    """

    name: str | None = setting(NAME, default="cosine_similarity")
    dtype: str | None = setting(DTYPE, default=None)
    axis: int = setting(AXIS, default=-1)

    def values(self, y_true: Any, y_pred: Any) -> Any:
        """Return one value for each vector."""
        return -losses.cosine_similarity(y_true, y_pred, self.axis)


class BinaryCrossentropy(PairMean):
    """Mean cross-entropy of yes-no labels.

    Args:
        name: the metric's name.
        dtype: the dtype of the sums.
        from_logits: whether predictions are logits; otherwise they are probabilities.
        label_smoothing: how far labels are moved towards one half.
    """

    name: str | None = setting(NAME, default="binary_crossentropy")
    dtype: str | None = setting(DTYPE, default=None)
    from_logits: bool = setting(BOOLEAN, default=False)
    label_smoothing: float = setting(FRACTION, default=0.0)

    def values(self, y_true: Any, y_pred: Any) -> Any:
        """Return one value for each sample or step."""
        return losses.binary_crossentropy(y_true, y_pred, self.from_logits, self.label_smoothing)


class CategoricalCrossentropy(PairMean):
    """Mean cross-entropy of one-hot labels.

    Args:
        name: the metric's name.
        dtype: the dtype of the sums.
        from_logits: whether predictions are logits; otherwise they are probabilities.
        label_smoothing: the share of each label that is spread evenly over all classes.
        axis: the axis of the classes.
    """

    name: str | None = setting(NAME, default="categorical_crossentropy")
    dtype: str | None = setting(DTYPE, default=None)
    from_logits: bool = setting(BOOLEAN, default=False)
    label_smoothing: float = setting(FRACTION, default=0.0)
    axis: int = setting(AXIS, default=-1)

    def values(self, y_true: Any, y_pred: Any) -> Any:
        """Return one value for each sample or step."""
        return losses.categorical_crossentropy(
            y_true, y_pred, self.from_logits, self.label_smoothing, self.axis
        )


class SparseCategoricalCrossentropy(PairMean):
    """Mean cross-entropy of class numbers.

    Args:
        name: the metric's name.
        dtype: the dtype of the sums.
        from_logits: whether predictions are logits; otherwise they are probabilities.
        ignore_class: a class number whose samples or steps do not count. Keras counts them as 0
            where no weights are given.
        axis: the axis of the classes in the predictions.

    Example:
        >>> metric = SparseCategoricalCrossentropy()
        >>> round(float(metric([0, 1], [[0.5, 0.5, 0.0], [0.1, 0.8, 0.1]])), 3)
        0.458
    """

    name: str | None = setting(NAME, default="sparse_categorical_crossentropy")
    dtype: str | None = setting(DTYPE, default=None)
    from_logits: bool = setting(BOOLEAN, default=False)
    ignore_class: int | None = setting(CLASS, default=None)
    axis: int = setting(AXIS, default=-1)

    def values(self, y_true: Any, y_pred: Any) -> Any:
        """Return one value for each sample or step."""
        return losses.sparse_categorical_crossentropy(
            y_true, y_pred, self.from_logits, self.ignore_class, self.axis
        )

    def counted(self, y_true: Any) -> Any:
        """Return which labels are not the class to ignore."""
        return None if self.ignore_class is None else numbers("labels", y_true) != self.ignore_class
