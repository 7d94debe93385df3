"""What every loss is: one value for each sample or step, and how these become one number."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import jax.numpy as jnp

from everystep.core import Configurable, DTypePolicy, auto_name, deserialize, serialize, setting
from everystep.kinds import TEXT, Kind, one_of, optional, reject
from everystep.losses.arrays import as_arrays, filled, fitted, kept, named, ratio
from everystep.sequences import numbers

_REDUCTION = one_of("sum_over_batch_size", "sum", "mean", "mean_with_sample_weight", "none", None)
REDUCTION = Kind(_REDUCTION.wanted, _REDUCTION.parse, refused=("average", 3))
NAME = optional(TEXT)


def _dtype(value: Any) -> str | None:
    return None if value is None else DTypePolicy.parse(value).compute_dtype


AXIS = Kind("an integer", operator.index, refused=("last", 1.5, None))
CLASS = optional(Kind("an integer", operator.index, refused=("last", 1.5)))
DTYPE = Kind("a dtype, or None for that of the predictions", _dtype, refused=("float7", 3.5))


class Loss(Configurable, fills_settings=True):
    """Base of all losses; a subclass of your own defines `call`, one value a sample or step.

    The default reduction is `sum(values * weights * mask) / sum(mask)`: the mean over real steps,
    in which weights do not enter the denominator. Without any real step it is 0.

    Args:
        name: the loss's name; by default the class's own in snake case.
        reduction: how the values become one number: `"sum_over_batch_size"` or `"mean"` as above,
            `"sum"` without the division, `"mean_with_sample_weight"` divided by the sum of the
            weights of real steps, `"none"` or None for no reduction.
        dtype: the dtype of the values; by default that of the predictions, at least float32.

    Example:
        >>> class Cubic(Loss):
        ...     def call(self, y_true, y_pred):
        ...         return jnp.mean(jnp.abs(y_true - y_pred) ** 3, axis=-1)
        >>> labels, predictions = jnp.zeros((1, 3, 1)), jnp.array([[[1.0], [2.0], [9.0]]])
        >>> float(Cubic()(labels, predictions, mask=jnp.array([[True, True, False]])))
        4.5
    """

    # Not annotated, so that type checkers do not put them before a subclass's own settings.
    name = setting(NAME, default=None)
    reduction = setting(REDUCTION, default="sum_over_batch_size")
    dtype = setting(DTYPE, default=None)
    # Whether the last axis holds values that are compared one by one, not the scores of classes.
    by_value: ClassVar[bool] = True

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.name is None:
            self.name = self.default_name()

    def default_name(self) -> str:
        """Return the name of a loss that was given none."""
        return auto_name(type(self).__name__)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return one value for each sample or step."""
        raise NotImplementedError(f"{type(self).__name__} must define call(y_true, y_pred)")

    def arranged(self, y_true: Any, y_pred: Any) -> tuple[Any, Any, Any]:
        """Return labels and predictions with classes last, and which labels count (None: all)."""
        return y_true, y_pred, None

    def check_labels(self, y_true: Any, classes: int) -> None:
        """Check labels before training, where the training step cannot look at them.

        Args:
            y_true: labels of real samples or steps, as a NumPy array.
            classes: the size of the last axis of the predictions.

        Raises:
            DataError: a label is a class number that does not exist.
        """

    def compared(self, y_pred: Any, left: Sequence[tuple[str, Any]]) -> Any:
        """Return what the loss compares with the labels: what the model gives.

        Args:
            y_pred: what the model gives.
            left: what layers left for losses in this run, each with the layer's name.
        """
        return y_pred

    def __call__(
        self, y_true: Any, y_pred: Any, sample_weight: Any = None, mask: Any = None
    ) -> Any:
        """Return the loss.

        Args:
            y_true: labels.
            y_pred: predictions.
            sample_weight: weights, one for each sample `(batch,)` or step `(batch, steps)`.
            mask: which samples or steps are real; what stands in the others reaches neither the
                loss nor its gradient.

        Raises:
            ShapeError: labels, predictions, weights and mask do not fit each other.
            DataError: a label is a class number that does not exist, or something is no array of
                numbers.
        """
        with named(f"loss '{self.name}'"):
            return self._compared(y_true, y_pred, sample_weight, mask)

    def _compared(self, y_true: Any, y_pred: Any, sample_weight: Any, mask: Any) -> Any:
        y_true, y_pred = as_arrays(y_true, y_pred, self.dtype)
        mask = None if mask is None else numbers("mask", mask).astype(bool)
        weight = None
        if sample_weight is not None:
            weight = numbers("sample_weight", sample_weight).astype(y_pred.dtype)
        y_true, y_pred, counted = self.arranged(y_true, y_pred)
        if counted is not None:
            mask = counted if mask is None else counted & fitted("mask", mask, counted.shape)
        if self.by_value and _step_is_last(y_true, y_pred, mask, weight):
            y_true, y_pred = y_true[..., None], y_pred[..., None]
        keep = kept(weight, mask)
        if keep is not None:
            y_true, y_pred = filled(y_true, keep), filled(y_pred, keep)
        values = jnp.asarray(self.call(y_true, y_pred), self.dtype)
        return reduced(values, weight, mask, self.reduction)


def reduced(values: Any, sample_weight: Any, mask: Any, reduction: str | None) -> Any:
    """Return one number for the values of all samples or steps; see `Loss` for the reductions."""
    if mask is not None:
        mask = fitted("mask", mask, values.shape)
        values = jnp.where(mask, values, 0)
    if sample_weight is not None:
        sample_weight = fitted("sample_weight", sample_weight, values.shape)
        values = values * sample_weight
    if reduction in (None, "none"):
        return values
    total = jnp.sum(values)
    if reduction == "sum":
        return total
    counted = jnp.ones(values.shape, values.dtype) if mask is None else mask.astype(values.dtype)
    if reduction == "mean_with_sample_weight" and sample_weight is not None:
        counted = counted * sample_weight
    return ratio(total, jnp.sum(jnp.broadcast_to(counted, values.shape)))


def _step_is_last(y_true: Any, y_pred: Any, *per_step: Any) -> bool:
    """Whether steps are the last axis, one number each: then each step is an entry for itself."""
    shape = y_pred.shape
    if y_true.shape != shape or shape[-1:] in ((), (1,)):
        return False
    return any(array is not None and array.shape == shape for array in per_step)


def _function(value: Any) -> Any:
    if not callable(value):
        reject(value)
    return value


FUNCTION = Kind(
    "a function (y_true, y_pred) -> values",
    lambda value: _function(deserialize(value)),
    serialize,
    refused=(3, "mean", None),
)


class FunctionLoss(Loss):
    """A function of your own `(y_true, y_pred) -> values` as a loss.

    Args:
        fn: gives one value for each sample or step.
        reduction: see `Loss`.
        name: the loss's name; by default the function's.
        dtype: see `Loss`.
    """

    fn: Callable[..., Any] = setting(FUNCTION)
    reduction: str | None = setting(REDUCTION, default="sum_over_batch_size")
    name: str | None = setting(NAME, default=None)
    dtype: str | None = setting(DTYPE, default=None)

    def default_name(self) -> str:
        """Return the function's name."""
        return str(getattr(self.fn, "__name__", type(self.fn).__name__))

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return what the function returns."""
        return self.fn(y_true, y_pred)


class FixedLoss(Loss):
    """Base of the losses that come with the library: a function of theirs does the arithmetic."""

    function: ClassVar[Callable[..., Any]]

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return one value for each sample or step."""
        return type(self).function(y_true, y_pred)
