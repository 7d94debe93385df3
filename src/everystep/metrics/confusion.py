"""Metrics of yes and no: true and false positives and negatives, precision, recall, at thresholds.

A prediction above a threshold says yes. Steps count like samples; those of weight 0 do not count.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import numpy as np

from everystep.core import setting
from everystep.errors import ShapeError
from everystep.kinds import POSITIVE, WHOLE, Kind, optional, reject
from everystep.losses.arrays import of_one_shape, ratio
from everystep.losses.base import DTYPE, NAME
from everystep.metrics.base import Metric, spread_weights

# Below every prediction: what is not among the k highest ones gets it.
LOWEST = -1e10


def _share(value: Any) -> float:
    number = float(value)
    if isinstance(value, bool | str) or not 0 <= number <= 1:
        reject(value)
    return number


def _thresholds(value: Any) -> Any:
    if isinstance(value, Sequence | np.ndarray) and not isinstance(value, str) and len(value):
        return [_share(item) for item in value]
    return _share(value)


SHARE = Kind("a number from 0 to 1", _share, refused=(-0.1, 1.5, "half"))
THRESHOLDS = optional(
    Kind("a number from 0 to 1, or a list of them", _thresholds, refused=(2.0, [0.5, -1.0], "half"))
)


def counts(
    y_true: Any, y_pred: Any, thresholds: Any, weight: Any, by_label: bool = False
) -> dict[str, Any]:
    """Return the weights of true and false positives and negatives at each threshold.

    Each prediction is sorted in between the thresholds once, so the cost does not grow with them.

    Shapes: labels, predictions and weights alike; each count `(thresholds,)`, and
    `(thresholds, labels)` where labels of the last axis are counted by themselves.
    """
    values, back = np.unique(np.asarray(thresholds), return_inverse=True)
    below = jnp.searchsorted(jnp.asarray(values, y_pred.dtype), y_pred, side="left")
    yes = y_true.astype(bool)

    def above(weights: Any) -> Any:
        """Sum the weights above each threshold."""
        if by_label:
            labels = y_pred.shape[-1]
            weights, places = weights.reshape(-1, labels), below.reshape(-1, labels)
            return jax.vmap(_above, (1, 1, None), 1)(weights, places, len(values))[back]
        return _above(weights.ravel(), below.ravel(), len(values))[back]

    axes = tuple(range(y_pred.ndim - 1)) if by_label else None
    right, wrong = above(weight * yes), above(weight * ~yes)
    return {
        "true_positives": right,
        "false_negatives": jnp.sum(weight * yes, axis=axes) - right,
        "false_positives": wrong,
        "true_negatives": jnp.sum(weight * ~yes, axis=axes) - wrong,
    }


def _above(weights: Any, places: Any, count: int) -> Any:
    sums = jax.ops.segment_sum(weights, places, count + 1)
    return jnp.cumsum(sums[::-1])[::-1][1:]


def highest(y_pred: Any, k: int) -> Any:
    """Return the predictions with all but the k highest of each row lowered out of reach."""
    places = jax.lax.top_k(y_pred, k)[1]
    among = jnp.any(places[..., None] == jnp.arange(y_pred.shape[-1]), axis=-2)
    return jnp.where(among, y_pred, LOWEST)


class Confusion(Metric):
    """Base of the metrics that are made from counts at thresholds."""

    counted: ClassVar[tuple[str, ...]]
    # Settings of those of the family that have them.
    top_k: int | None = None
    class_id: int | None = None

    @property
    def limits(self) -> list[float]:
        """The thresholds."""
        raise NotImplementedError

    def add_variables(self) -> None:
        """Add one sum for each kind and threshold."""
        self.sums = {
            name: self.add_variable((len(self.limits),), name=name) for name in self.counted
        }

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Take a batch into account.

        Args:
            y_true: labels of 0 and 1.
            y_pred: predictions from 0 to 1, of the same shape.
            sample_weight: weights, one for each sample or step; 0 means not counted.

        Raises:
            ShapeError: labels, predictions and weights do not fit each other.
        """
        y_true, y_pred, weight = self.prepared(y_true, y_pred, sample_weight)
        found = counts(y_true, y_pred, self.limits, weight)
        for name, variable in self.sums.items():
            variable.assign_add(found[name])

    def prepared(self, y_true: Any, y_pred: Any, sample_weight: Any) -> tuple[Any, Any, Any]:
        """Return labels, predictions and weights of one shape, of the class that is asked for."""
        owner = f"metric '{self.name}'"
        y_true, y_pred = of_one_shape(owner, y_true, y_pred)
        y_pred = y_pred.astype(self.dtype)
        weight = spread_weights(sample_weight, y_pred.shape, self.dtype)
        if self.top_k is not None:
            y_pred = highest(y_pred, self.top_k)
        if self.class_id is None:
            return y_true, y_pred, weight
        if y_pred.ndim == 1:
            raise ShapeError(
                f"{owner}: When class_id is provided, y_pred must have an axis of classes, but its "
                f"shape is {y_pred.shape}"
            )
        return y_true[..., self.class_id], y_pred[..., self.class_id], weight[..., self.class_id]

    def single(self, values: Any) -> Any:
        """Return one number where there is one threshold."""
        return values[0] if len(self.limits) == 1 else values


class Count(Confusion):
    """Base of the four counts.

    Args:
        thresholds: one or several numbers from 0 to 1; one half by default.
        name: the metric's name.
        dtype: the dtype of the sums.
    """

    thresholds: Any = setting(THRESHOLDS, default=None)
    name: str | None = setting(NAME, default=None)
    dtype: str | None = setting(DTYPE, default=None)

    @property
    def limits(self) -> list[float]:
        """The thresholds."""
        return _listed(self.thresholds, 0.5)

    def add_variables(self) -> None:
        """Add the one sum, under the name that Keras gives it."""
        sums = self.add_variable((len(self.limits),), name="accumulator")
        self.sums = {self.counted[0]: sums}

    def result(self) -> Any:
        """Return the count for each threshold, or one number for one."""
        return self.single(self.sums[self.counted[0]].value)


def _listed(thresholds: Any, usual: float) -> list[float]:
    thresholds = usual if thresholds is None else thresholds
    return thresholds if isinstance(thresholds, list) else [thresholds]


class TruePositives(Count):
    """Number of predictions of yes where yes is right; see `FalsePositives` for the arguments.

    Example:
        >>> float(TruePositives()([0, 1, 1], [0.9, 0.9, 0.1]))
        1.0
    """

    counted = ("true_positives",)


class TrueNegatives(Count):
    """Number of predictions of no where no is right; see `FalsePositives` for the arguments."""

    counted = ("true_negatives",)


class FalsePositives(Count):
    """Number of predictions of yes where no is right.

    Args:
        thresholds: one or several numbers from 0 to 1; one half by default.
        name: the metric's name.
        dtype: the dtype of the sums.
    """

    counted = ("false_positives",)


class FalseNegatives(Count):
    """Number of predictions of no where yes is right; see `FalsePositives` for the arguments."""

    counted = ("false_negatives",)


class Share(Confusion):
    """Base of precision and recall."""

    thresholds: Any = setting(THRESHOLDS, default=None)
    top_k: int | None = setting(optional(POSITIVE), default=None)
    class_id: int | None = setting(optional(WHOLE), default=None)
    name: str | None = setting(NAME, default=None)
    dtype: str | None = setting(DTYPE, default=None)

    @property
    def limits(self) -> list[float]:
        """The thresholds."""
        return _listed(self.thresholds, 0.5 if self.top_k is None else LOWEST)

    def result(self) -> Any:
        """Return the share for each threshold, or one number for one."""
        right, wrong = (self.sums[name].value for name in self.counted)
        return self.single(ratio(right, right + wrong))


class Precision(Share):
    """Share of the predictions of yes that are right: `tp / (tp + fp)`.

    Args:
        thresholds: one or several numbers from 0 to 1; one half by default.
        top_k: only the k highest predictions of each row say yes.
        class_id: only this class of the last axis counts.
        name: the metric's name.
        dtype: the dtype of the sums.

    Example:
        >>> round(float(Precision()([0, 1, 1, 1], [1, 0, 1, 1])), 4)
        0.6667
    """

    counted = ("true_positives", "false_positives")


class Recall(Share):
    """Share of the labels of yes that are found: `tp / (tp + fn)`.

    Args:
        thresholds: one or several numbers from 0 to 1; one half by default.
        top_k: only the k highest predictions of each row say yes.
        class_id: only this class of the last axis counts.
        name: the metric's name.
        dtype: the dtype of the sums.
    """

    counted = ("true_positives", "false_negatives")
