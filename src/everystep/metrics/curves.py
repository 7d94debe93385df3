"""Metrics over all thresholds: the area under a curve, and the best of one share given another."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from everystep.core import deserialize, setting
from everystep.core.defaults import epsilon
from everystep.errors import SettingError
from everystep.kinds import BOOLEAN, POSITIVE, WHOLE, Kind, one_of, optional
from everystep.losses.arrays import ratio
from everystep.losses.base import DTYPE, NAME
from everystep.metrics.confusion import SHARE, THRESHOLDS, Confusion, counts
from everystep.sequences import numbers

ALL = ("true_positives", "false_positives", "true_negatives", "false_negatives")


def _numbers(value: Any) -> list[float]:
    # Keras writes an array to a configuration as a serialized tensor.
    return [float(item) for item in np.asarray(deserialize(value), np.float64)]


LABEL_WEIGHTS = optional(Kind("a list of numbers", _numbers, refused=("many", 3)))


class BestAt(Confusion):
    """Base of the metrics that give the best of one share where another is high enough.

    The share to hold and the share to raise are named by their counts: `right / (right + wrong)`.
    """

    counted = ALL
    held: tuple[str, str]
    raised: tuple[str, str]
    num_thresholds: int

    @property
    def least(self) -> float:
        """The value that the held share must reach."""
        raise NotImplementedError

    @property
    def limits(self) -> list[float]:
        """The thresholds, spread evenly from 0 to 1."""
        return (
            [0.5] if self.num_thresholds == 1 else np.linspace(0, 1, self.num_thresholds).tolist()
        )

    def result(self) -> Any:
        """Return the highest value, 0 where none will do."""
        held, raised = (
            ratio(right, right + wrong)
            for right, wrong in (
                [self.sums[name].value for name in names] for names in (self.held, self.raised)
            )
        )
        return jnp.max(jnp.where(held >= self.least, raised, 0), initial=0)


class SensitivityAtSpecificity(BestAt):
    """Highest sensitivity `tp / (tp + fn)` where the specificity `tn / (tn + fp)` is high enough.

    Args:
        specificity: how high, from 0 to 1.
        num_thresholds: how many thresholds to try.
        class_id: only this class of the last axis counts.
        name: the metric's name.
        dtype: the dtype of the sums.

    Example:
        >>> metric = SensitivityAtSpecificity(0.5)
        >>> float(metric([0, 0, 0, 1, 1], [0.0, 0.3, 0.8, 0.3, 0.8]))
        0.5
    """

    specificity: float = setting(SHARE)
    num_thresholds: int = setting(POSITIVE, default=200)
    class_id: int | None = setting(optional(WHOLE), default=None)
    name: str | None = setting(NAME, default=None)
    dtype: str | None = setting(DTYPE, default=None)
    held = ("true_negatives", "false_positives")
    raised = ("true_positives", "false_negatives")

    @property
    def least(self) -> float:
        """The specificity."""
        return self.specificity


class SpecificityAtSensitivity(BestAt):
    """Highest specificity `tn / (tn + fp)` where the sensitivity `tp / (tp + fn)` is high enough.

    Args:
        sensitivity: how high, from 0 to 1.
        num_thresholds: how many thresholds to try.
        class_id: only this class of the last axis counts.
        name: the metric's name.
        dtype: the dtype of the sums.
    """

    sensitivity: float = setting(SHARE)
    num_thresholds: int = setting(POSITIVE, default=200)
    class_id: int | None = setting(optional(WHOLE), default=None)
    name: str | None = setting(NAME, default=None)
    dtype: str | None = setting(DTYPE, default=None)
    held = ("true_positives", "false_negatives")
    raised = ("true_negatives", "false_positives")

    @property
    def least(self) -> float:
        """The sensitivity."""
        return self.sensitivity


class PrecisionAtRecall(BestAt):
    """Highest precision `tp / (tp + fp)` where the recall `tp / (tp + fn)` is high enough.

    Args:
        recall: how high, from 0 to 1.
        num_thresholds: how many thresholds to try.
        class_id: only this class of the last axis counts.
        name: the metric's name.
        dtype: the dtype of the sums.
    """

    recall: float = setting(SHARE)
    num_thresholds: int = setting(POSITIVE, default=200)
    class_id: int | None = setting(optional(WHOLE), default=None)
    name: str | None = setting(NAME, default=None)
    dtype: str | None = setting(DTYPE, default=None)
    held = ("true_positives", "false_negatives")
    raised = ("true_positives", "false_positives")

    @property
    def least(self) -> float:
        """The recall."""
        return self.recall


class RecallAtPrecision(BestAt):
    """Highest recall `tp / (tp + fn)` where the precision `tp / (tp + fp)` is high enough.

    Args:
        precision: how high, from 0 to 1.
        num_thresholds: how many thresholds to try.
        class_id: only this class of the last axis counts.
        name: the metric's name.
        dtype: the dtype of the sums.
    """

    precision: float = setting(SHARE)
    num_thresholds: int = setting(POSITIVE, default=200)
    class_id: int | None = setting(optional(WHOLE), default=None)
    name: str | None = setting(NAME, default=None)
    dtype: str | None = setting(DTYPE, default=None)
    held = ("true_positives", "false_positives")
    raised = ("true_positives", "false_negatives")

    @property
    def least(self) -> float:
        """The precision."""
        return self.precision


class AUC(Confusion):
    """Area under a curve of two shares, over all thresholds.

    `"ROC"`: the true positive rate over the false positive rate, the chance that a yes is
    predicted higher than a no. `"PR"`: precision over recall. `"PRGAIN"`: their gains over always
    saying yes.

    Args:
        num_thresholds: how many thresholds, spread evenly; the more, the more exact.
        curve: the curve.
        summation_method: how the curve goes between two thresholds: `"interpolation"`, or below
            or above it with `"minoring"` and `"majoring"`.
        name: the metric's name.
        dtype: the dtype of the sums.
        thresholds: thresholds of your own between 0 and 1.
        multi_label: whether each label of the last axis has an area of its own; the result is
            their mean.
        num_labels: how many labels there are; by default what the predictions have.
        label_weights: weights of the labels.
        from_logits: whether predictions are logits.

    Raises:
        SettingError: `num_labels` is given without `multi_label`.

    Example:
        >>> float(AUC(num_thresholds=3)([0, 0, 1, 1], [0, 0.5, 0.3, 0.9]))
        0.75

    Source: Davis, Goadrich 2006, "The relationship between precision-recall and ROC curves",
    section 4, for the area under precision and recall; Flach, Kull 2015 for the gains.
    """

    num_thresholds: int = setting(POSITIVE, default=200)
    curve: str = setting(one_of("ROC", "PR", "PRGAIN"), default="ROC")
    summation_method: str = setting(
        one_of("interpolation", "minoring", "majoring"), default="interpolation"
    )
    name: str | None = setting(NAME, default=None)
    dtype: str | None = setting(DTYPE, default=None)
    thresholds: Any = setting(THRESHOLDS, default=None)
    multi_label: bool = setting(BOOLEAN, default=False)
    num_labels: int | None = setting(optional(POSITIVE), default=None)
    label_weights: Any = setting(LABEL_WEIGHTS, default=None)
    from_logits: bool = setting(BOOLEAN, default=False)
    counted = ALL

    @property
    def limits(self) -> list[float]:
        """The thresholds, with one below and one above every prediction."""
        inner = self.thresholds
        if inner is None:
            inner = np.linspace(0, 1, self.num_thresholds)[1:-1].tolist()
        return [-epsilon(), *sorted(np.ravel(inner).tolist()), 1 + epsilon()]

    def add_variables(self) -> None:
        """Add the counts, where their shape is known."""
        if self.num_labels is not None and not self.multi_label:
            raise SettingError("AUC: `num_labels` is needed only when `multi_label` is True")
        if self.num_labels is not None or not self.multi_label:
            self._add(self.num_labels)

    def _add(self, labels: int | None) -> None:
        shape = (len(self.limits),) if labels is None else (len(self.limits), labels)
        self.sums = {name: self.add_variable(shape, name=name) for name in self.counted}

    def build(self, y_true_shape: Any, y_pred_shape: Any) -> None:
        """Add the counts for each label, if that has not been done."""
        if not self._variables:
            self._add(y_pred_shape[-1])

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Take a batch into account; see `Confusion.update_state`."""
        y_true, y_pred = numbers("labels", y_true), numbers("predictions", y_pred)
        self.build(y_true.shape, y_pred.shape)
        y_true, y_pred, weight = self.prepared(y_true, y_pred, sample_weight)
        if self.from_logits:
            y_pred = jax.nn.sigmoid(y_pred)
        if self.label_weights is not None and not self.multi_label:
            weight = weight * jnp.asarray(self.label_weights, weight.dtype)
        found = counts(y_true, y_pred, self.limits, weight, by_label=self.multi_label)
        for name, variable in self.sums.items():
            variable.assign_add(found[name])

    def result(self) -> Any:
        """Return the area, for several labels the mean of theirs."""
        right, false, no, missed = (self.sums[name].value for name in self.counted)
        if self.curve == "PR" and self.summation_method == "interpolation":
            areas = _interpolated_precision(right, false, missed)
        else:
            x, y = self._curve(right, false, no, missed)
            areas = (x[:-1] - x[1:]) * _heights(y, self.summation_method)
        areas = jnp.sum(areas, axis=0)
        if not self.multi_label:
            return areas
        weights = jnp.ones_like(areas)
        if self.label_weights is not None:
            weights = jnp.asarray(self.label_weights, areas.dtype)
        return ratio(jnp.sum(areas * weights), jnp.sum(weights))

    def _curve(self, right: Any, false: Any, no: Any, missed: Any) -> tuple[Any, Any]:
        recall = ratio(right, right + missed)
        if self.curve == "ROC":
            return ratio(false, false + no), recall
        if self.curve == "PR":
            return recall, ratio(right, right + false)
        odds = ratio(right + missed, no + false)
        recall_gain = jnp.where(right == 0, 0, 1 - odds * ratio(missed, right))
        precision_gain = jnp.where(right == 0, 1, 1 - odds * ratio(false, right))
        return jnp.maximum(recall_gain, 0), precision_gain


def _heights(y: Any, method: str) -> Any:
    if method == "interpolation":
        return (y[:-1] + y[1:]) / 2
    return jnp.minimum(y[:-1], y[1:]) if method == "minoring" else jnp.maximum(y[:-1], y[1:])


def _interpolated_precision(right: Any, false: Any, missed: Any) -> Any:
    """Return the area under precision and recall between each two thresholds.

    Between thresholds the true positives grow in proportion to all positives, so precision is
    `slope + intercept / positives`, and its integral has a logarithm.
    """
    said_yes = right + false
    gained = right[:-1] - right[1:]
    slope = ratio(gained, jnp.maximum(said_yes[:-1] - said_yes[1:], 0))
    intercept = right[1:] - slope * said_yes[1:]
    both = (said_yes[:-1] > 0) & (said_yes[1:] > 0)
    growth = jnp.where(both, ratio(said_yes[:-1], jnp.maximum(said_yes[1:], 0)), 1)
    return ratio(
        slope * (gained + intercept * jnp.log(growth)), jnp.maximum(right[1:] + missed[1:], 0)
    )
