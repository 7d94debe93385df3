"""Losses on pairs of values as classes; see `everystep.losses.functions` for their equations.

All take `reduction`, `name` and `dtype` as `Loss` does, and raise ShapeError where labels and
predictions do not have the same shape.
"""

from __future__ import annotations

from typing import Any

from everystep.core import setting
from everystep.kinds import NUMBER
from everystep.losses import functions
from everystep.losses.arrays import axis_last, paired
from everystep.losses.base import AXIS, DTYPE, NAME, REDUCTION, FixedLoss


class MeanSquaredError(FixedLoss):
    """Mean of squares: `mean((y - p) ** 2)`.

    Example:
        >>> float(MeanSquaredError()([[0.0, 1.0]], [[1.0, 3.0]]))
        2.5
    """

    reduction: str | None = setting(REDUCTION, default="sum_over_batch_size")
    name: str | None = setting(NAME, default="mean_squared_error")
    dtype: str | None = setting(DTYPE, default=None)
    function = staticmethod(functions.mean_squared_error)


class MeanAbsoluteError(FixedLoss):
    """Mean of distances: `mean(|y - p|)`."""

    reduction: str | None = setting(REDUCTION, default="sum_over_batch_size")
    name: str | None = setting(NAME, default="mean_absolute_error")
    dtype: str | None = setting(DTYPE, default=None)
    function = staticmethod(functions.mean_absolute_error)


class MeanAbsolutePercentageError(FixedLoss):
    """Mean of distances in percent of the labels: `100 * mean(|y - p| / |y|)`."""

    reduction: str | None = setting(REDUCTION, default="sum_over_batch_size")
    name: str | None = setting(NAME, default="mean_absolute_percentage_error")
    dtype: str | None = setting(DTYPE, default=None)
    function = staticmethod(functions.mean_absolute_percentage_error)


class MeanSquaredLogarithmicError(FixedLoss):
    """Mean of squares of logarithms: `mean((log(1 + y) - log(1 + p)) ** 2)`."""

    reduction: str | None = setting(REDUCTION, default="sum_over_batch_size")
    name: str | None = setting(NAME, default="mean_squared_logarithmic_error")
    dtype: str | None = setting(DTYPE, default=None)
    function = staticmethod(functions.mean_squared_logarithmic_error)


class LogCosh(FixedLoss):
    """Mean of `log(cosh(p - y))`: squares near 0, distances far away."""

    reduction: str | None = setting(REDUCTION, default="sum_over_batch_size")
    name: str | None = setting(NAME, default="log_cosh")
    dtype: str | None = setting(DTYPE, default=None)
    function = staticmethod(functions.log_cosh)


class Poisson(FixedLoss):
    """Mean of `p - y * log(p)`: the likelihood of counts."""

    reduction: str | None = setting(REDUCTION, default="sum_over_batch_size")
    name: str | None = setting(NAME, default="poisson")
    dtype: str | None = setting(DTYPE, default=None)
    function = staticmethod(functions.poisson)


class Hinge(FixedLoss):
    """Mean of `max(1 - y * p, 0)`, labels -1 and 1 or 0 and 1."""

    reduction: str | None = setting(REDUCTION, default="sum_over_batch_size")
    name: str | None = setting(NAME, default="hinge")
    dtype: str | None = setting(DTYPE, default=None)
    function = staticmethod(functions.hinge)


class SquaredHinge(FixedLoss):
    """Mean of `max(1 - y * p, 0) ** 2`, labels -1 and 1 or 0 and 1."""

    reduction: str | None = setting(REDUCTION, default="sum_over_batch_size")
    name: str | None = setting(NAME, default="squared_hinge")
    dtype: str | None = setting(DTYPE, default=None)
    function = staticmethod(functions.squared_hinge)


class CategoricalHinge(FixedLoss):
    """`max(1 + max((1 - y) * p) - sum(y * p), 0)`, labels one-hot."""

    reduction: str | None = setting(REDUCTION, default="sum_over_batch_size")
    name: str | None = setting(NAME, default="categorical_hinge")
    dtype: str | None = setting(DTYPE, default=None)
    function = staticmethod(functions.categorical_hinge)
    by_value = False


class KLDivergence(FixedLoss):
    """Divergence of distributions: `sum(y * log(y / p))`."""

    reduction: str | None = setting(REDUCTION, default="sum_over_batch_size")
    name: str | None = setting(NAME, default="kl_divergence")
    dtype: str | None = setting(DTYPE, default=None)
    function = staticmethod(functions.kl_divergence)
    by_value = False


class Huber(FixedLoss):
    """Squares up to `delta`, distances beyond: `e ** 2 / 2`, else `delta * (|e| - delta / 2)`.

    Args:
        delta: where the one turns into the other.
    """

    delta: float = setting(NUMBER, default=1.0)
    reduction: str | None = setting(REDUCTION, default="sum_over_batch_size")
    name: str | None = setting(NAME, default="huber_loss")
    dtype: str | None = setting(DTYPE, default=None)
    function = staticmethod(functions.huber)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return one value for each sample or step."""
        return functions.huber(y_true, y_pred, self.delta)


class CosineSimilarity(FixedLoss):
    """Minus the cosine of the angle between labels and predictions: -1 where they agree.

    Args:
        axis: the axis that holds the vectors.
    """

    axis: int = setting(AXIS, default=-1)
    reduction: str | None = setting(REDUCTION, default="sum_over_batch_size")
    name: str | None = setting(NAME, default="cosine_similarity")
    dtype: str | None = setting(DTYPE, default=None)
    function = staticmethod(functions.cosine_similarity)
    by_value = False

    def arranged(self, y_true: Any, y_pred: Any) -> tuple[Any, Any, Any]:
        """Return labels and predictions with the axis of the vectors last."""
        y_true, y_pred = paired(str(self.name), y_true, y_pred)
        return axis_last(y_true, self.axis), axis_last(y_pred, self.axis), None
