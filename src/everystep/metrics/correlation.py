"""Correlations of labels and predictions along an axis, as functions and as metrics."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp

from everystep.core import setting
from everystep.core.defaults import epsilon
from everystep.kinds import checked
from everystep.losses.arrays import paired
from everystep.losses.base import AXIS, DTYPE, NAME
from everystep.metrics.base import PairMean


def _centred(values: Any, axis: int) -> Any:
    return values - jnp.mean(values, axis=axis, keepdims=True)


@checked(axis_of="y_pred")
def pearson_correlation(y_true: Any, y_pred: Any, axis: int = -1) -> Any:
    """Return the correlation coefficient along an axis: 1 where one is a line of the other.

    Args:
        y_true: labels.
        y_pred: predictions of the same shape.
        axis: the axis.

    Raises:
        ShapeError: the shapes differ.

    Example:
        >>> pearson_correlation([[1.0, 2.0, 3.0]], [[2.0, 4.0, 6.0]]).round(4).tolist()
        [1.0]
    """
    y_true, y_pred = paired("pearson_correlation", y_true, y_pred)
    left, right = _centred(y_true, axis), _centred(y_pred, axis)
    spread = jnp.std(left, axis=axis) * jnp.std(right, axis=axis)
    return jnp.mean(left * right, axis=axis) / spread


@checked(axis_of="y_pred")
def concordance_correlation(y_true: Any, y_pred: Any, axis: int = -1) -> Any:
    """Return how far labels and predictions agree along an axis: 1 where they are the same.

    Twice their covariance, divided by both variances and the square of the distance of the means.

    Args:
        y_true: labels.
        y_pred: predictions of the same shape.
        axis: the axis.

    Raises:
        ShapeError: the shapes differ.

    Source: Lin 1989, "A concordance correlation coefficient to evaluate reproducibility".
    """
    y_true, y_pred = paired("concordance_correlation", y_true, y_pred)
    left, right = _centred(y_true, axis), _centred(y_pred, axis)
    apart = jnp.mean(y_true, axis=axis) - jnp.mean(y_pred, axis=axis)
    spread = jnp.mean(left**2, axis=axis) + jnp.mean(right**2, axis=axis) + apart**2
    return 2 * jnp.mean(left * right, axis=axis) / (spread + epsilon())


class PearsonCorrelation(PairMean):
    """Mean correlation coefficient of labels and predictions along an axis.

    Args:
        name: the metric's name.
        dtype: the dtype of the sums.
        axis: the axis.
    """

    name: str | None = setting(NAME, default="pearson_correlation")
    dtype: str | None = setting(DTYPE, default=None)
    axis: int = setting(AXIS, default=-1)

    def values(self, y_true: Any, y_pred: Any) -> Any:
        """Return one value for each row."""
        return pearson_correlation(y_true, y_pred, self.axis)


class ConcordanceCorrelation(PairMean):
    """Mean agreement of labels and predictions along an axis.

    Args:
        name: the metric's name.
        dtype: the dtype of the sums.
        axis: the axis.
    """

    name: str | None = setting(NAME, default="concordance_correlation")
    dtype: str | None = setting(DTYPE, default=None)
    axis: int = setting(AXIS, default=-1)

    def values(self, y_true: Any, y_pred: Any) -> Any:
        """Return one value for each row."""
        return concordance_correlation(y_true, y_pred, self.axis)
