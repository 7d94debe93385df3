"""Metrics with a number for each class or output: F-scores, and the share of explained variance."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp

from everystep.core import setting
from everystep.core.defaults import epsilon
from everystep.kinds import WHOLE, Kind, one_of, optional, reject
from everystep.losses.arrays import of_one_shape, ratio
from everystep.losses.base import DTYPE, NAME
from everystep.metrics.base import Metric, spread_weights


def _positive(value: Any) -> float:
    if not isinstance(value, float) or value <= 0:
        reject(value)
    return value


def _threshold(value: Any) -> float:
    if _positive(value) > 1:
        reject(value)
    return float(value)


BETA = Kind("a float above 0", _positive, refused=(0.0, -1.0, "1", 1))
THRESHOLD = optional(Kind("a float above 0, at most 1", _threshold, refused=(0.0, 1.5, "half", 1)))


class ByOutput(Metric):
    """Base of the metrics that keep sums for each number of the last axis."""

    def build(self, y_true_shape: Any, y_pred_shape: Any) -> None:
        """Add the sums, if that has not been done."""
        if not self._variables:
            self.add_sums(y_pred_shape[-1])

    def add_sums(self, outputs: int) -> None:
        """Add the sums for so many outputs."""
        raise NotImplementedError

    def rows(self, y_true: Any, y_pred: Any, sample_weight: Any) -> tuple[Any, Any, Any]:
        """Return labels, predictions and weights `(samples and steps, outputs)`."""
        owner = f"metric '{self.name}'"
        y_true, y_pred = of_one_shape(owner, y_true, y_pred)
        self.build(y_true.shape, y_pred.shape)
        weight = spread_weights(sample_weight, y_pred.shape, self.dtype)
        # What has no weight may be anything, also NaN.
        y_true, y_pred = (
            jnp.where(weight == 0, 0, each).astype(self.dtype) for each in (y_true, y_pred)
        )
        outputs = y_pred.shape[-1]
        return (
            y_true.reshape(-1, outputs),
            y_pred.reshape(-1, outputs),
            weight.reshape(-1, outputs),
        )


class FScore(ByOutput):
    """Base of the weighted means of precision and recall."""

    average: str | None
    beta: float
    threshold: float | None

    def add_sums(self, outputs: int) -> None:
        """Add the counts."""
        shape = () if self.average == "micro" else (outputs,)
        names = ("true_positives", "false_positives", "false_negatives", "intermediate_weights")
        self.sums = [self.add_variable(shape, name=name) for name in names]

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Take a batch into account.

        Args:
            y_true: labels of 0 and 1 for each class.
            y_pred: predictions of the same shape.
            sample_weight: weights, one for each sample or step; 0 means not counted.

        Raises:
            ShapeError: labels, predictions and weights do not fit each other.
        """
        y_true, y_pred, weight = self.rows(y_true, y_pred, sample_weight)
        if self.threshold is None:
            # A row of zeros says no to every class.
            highest = jnp.max(y_pred, axis=-1, keepdims=True)
            said = (y_pred >= highest) & (jnp.abs(y_pred) > 1e-9)
        else:
            said = y_pred > self.threshold
        yes = said.astype(self.dtype)
        parts = (yes * y_true, yes * (1 - y_true), (1 - yes) * y_true, y_true)
        axis = None if self.average == "micro" else 0
        for variable, part in zip(self.sums, parts, strict=True):
            variable.assign_add(jnp.sum(part * weight, axis=axis))

    def result(self) -> Any:
        """Return the score, or one for each class; 0 before any label."""
        if not self._variables:
            return jnp.zeros((), self.dtype)
        right, false, missed, labels = (variable.value for variable in self.sums)
        precision = right / (right + false + epsilon())
        recall = right / (right + missed + epsilon())
        square = self.beta**2
        mean = precision * recall / (square * precision + recall + epsilon())
        score = (1 + square) * mean
        if self.average == "weighted":
            return jnp.sum(score * labels / (jnp.sum(labels) + epsilon()))
        return score if self.average is None else jnp.mean(score)


class FBetaScore(FScore):
    """Mean of precision and recall, recall counting `beta` times as much.

    `(1 + beta ** 2) * precision * recall / (beta ** 2 * precision + recall)` for each class.

    Args:
        average: None for a score for each class, `"macro"` for their mean, `"weighted"` for their
            mean by how often a class is right, `"micro"` for one score over all classes.
        beta: how much recall counts.
        threshold: predictions above it say yes; without one, the highest of each row does.
        name: the metric's name.
        dtype: the dtype of the sums.

    Example:
        >>> labels = [[1, 1, 1], [1, 0, 0], [1, 1, 0]]
        >>> scores = [[0.2, 0.6, 0.7], [0.2, 0.6, 0.6], [0.6, 0.8, 0.0]]
        >>> [round(float(x), 4) for x in FBetaScore(beta=2.0, threshold=0.5)(labels, scores)]
        [0.3846, 0.9091, 0.8333]
    """

    average: str | None = setting(one_of(None, "micro", "macro", "weighted"), default=None)
    beta: float = setting(BETA, default=1.0)
    threshold: float | None = setting(THRESHOLD, default=None)
    name: str | None = setting(NAME, default="fbeta_score")
    dtype: str | None = setting(DTYPE, default=None)


class F1Score(FScore):
    """Mean of precision and recall: `2 * precision * recall / (precision + recall)`.

    Args:
        average: None for a score for each class, `"macro"` for their mean, `"weighted"` for their
            mean by how often a class is right, `"micro"` for one score over all classes.
        threshold: predictions above it say yes; without one, the highest of each row does.
        name: the metric's name.
        dtype: the dtype of the sums.
    """

    average: str | None = setting(one_of(None, "micro", "macro", "weighted"), default=None)
    threshold: float | None = setting(THRESHOLD, default=None)
    name: str | None = setting(NAME, default="f1_score")
    dtype: str | None = setting(DTYPE, default=None)
    beta = 1.0


class R2Score(ByOutput):
    """Share of the labels' variance that predictions explain: `1 - sum(e ** 2) / sum(d ** 2)`.

    `e` is a prediction's error, `d` the distance of a label from the mean of labels.

    Args:
        class_aggregation: None for a score for each output, `"uniform_average"` for their mean,
            `"variance_weighted_average"` for their mean by the labels' variance.
        num_regressors: how many numbers the predictions are made from, for the adjusted score.
        name: the metric's name.
        dtype: the dtype of the sums.

    Example:
        >>> round(float(R2Score()([[1.0], [4.0], [3.0]], [[2.0], [4.0], [4.0]])), 4)
        0.5714
    """

    class_aggregation: str | None = setting(
        one_of(None, "uniform_average", "variance_weighted_average"), default="uniform_average"
    )
    num_regressors: int = setting(WHOLE, default=0)
    name: str | None = setting(NAME, default="r2_score")
    dtype: str | None = setting(DTYPE, default=None)

    def add_sums(self, outputs: int) -> None:
        """Add the sums."""
        names = ("squared_sum", "sum", "residual", "count")
        self.sums = [self.add_variable((outputs,), name=name) for name in names]
        self.num_samples = self.add_variable((), name="num_samples")

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Take a batch of labels, predictions and weights into account."""
        y_true, y_pred, weight = self.rows(y_true, y_pred, sample_weight)
        parts = (y_true**2 * weight, y_true * weight, (y_true - y_pred) ** 2 * weight, weight)
        for variable, part in zip(self.sums, parts, strict=True):
            variable.assign_add(jnp.sum(part, axis=0))
        self.num_samples.assign_add(jnp.sum(weight != 0))

    def result(self) -> Any:
        """Return the score, or one for each output; 0 before any label."""
        if not self._variables:
            return jnp.zeros((), self.dtype)
        squares, total, residual, count = (variable.value for variable in self.sums)
        spread = squares - total * ratio(total, count)
        scores = jnp.where(spread == 0, 0, 1 - ratio(residual, spread))
        if self.class_aggregation == "uniform_average":
            scores = jnp.mean(scores)
        elif self.class_aggregation is not None:
            scores = ratio(jnp.sum(spread * scores), jnp.sum(spread))
        left = self.num_samples.value - self.num_regressors - 1
        if not self.num_regressors:
            return scores
        # With too few samples there is nothing to adjust by.
        adjusted = 1 - (1 - scores) * (self.num_samples.value - 1) / jnp.where(left == 0, 1, left)
        return jnp.where(left > 0, adjusted, scores)
