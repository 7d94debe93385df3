"""What every metric is: a few variables that collect sums over batches, and a result from them."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
import numpy as np

from everystep.core import Configurable, Variable, auto_name, serialize, setting
from everystep.core.dtypes import ARRAY_DTYPE
from everystep.core.variables import VariableHolder
from everystep.initializers import INITIALIZER
from everystep.kinds import SIZES, checked, optional
from everystep.losses.arrays import fitted, named, ratio
from everystep.losses.base import DTYPE, FUNCTION, NAME
from everystep.sequences import numbers


def _naming(update: Callable[..., None]) -> Callable[..., None]:
    """Return an `update_state` whose errors name the metric."""

    @functools.wraps(update)
    def named_update(self: Metric, *args: Any, **kwargs: Any) -> None:
        with named(f"metric '{self.name}'"):
            update(self, *args, **kwargs)

    return named_update


class Metric(VariableHolder, Configurable, fills_settings=True):
    """Base of all metrics; one of your own adds variables and defines `update_state` and `result`.

    Everything that a metric remembers goes through its variables, so that it works inside a
    compiled training step as well as by hand.

    Args:
        dtype: the dtype of the sums; float32 by default.
        name: the metric's name; by default the class's own in snake case.

    Example:
        >>> class Largest(Metric):
        ...     def __init__(self, name="largest", **kwargs):
        ...         super().__init__(name=name, **kwargs)
        ...         self.top = self.add_variable((), "zeros", name="top")
        ...     def update_state(self, y_true, y_pred, sample_weight=None):
        ...         self.top.assign(jnp.maximum(self.top.value, jnp.max(y_pred)))
        ...     def result(self):
        ...         return self.top.value
        >>> metric = Largest()
        >>> metric.update_state(None, jnp.array([3.0, 5.0]))
        >>> float(metric.result())
        5.0
    """

    measures = True
    # Not annotated, so that type checkers do not put them before a subclass's own settings.
    dtype = setting(DTYPE, default=None)
    name = setting(NAME, default=None)

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "update_state" in vars(cls):
            cls.update_state = _naming(vars(cls)["update_state"])  # type: ignore[method-assign]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.name is None:
            self.name = self.default_name()
        self.dtype = self.dtype or "float32"
        self._variables: list[tuple[Variable, Any]] = []
        self.add_variables()

    def default_name(self) -> str:
        """Return the name of a metric that was given none."""
        return auto_name(type(self).__name__)

    def add_variables(self) -> None:
        """Add the variables that the class needs; one with an `__init__` can add them there."""

    def build(self, y_true_shape: Any, y_pred_shape: Any) -> None:
        """Add the variables whose shape depends on the data; training calls it before it starts.

        Args:
            y_true_shape: the shape of the labels; None for unknown sizes.
            y_pred_shape: the shape of the predictions.
        """

    @checked(shape=SIZES, dtype=optional(ARRAY_DTYPE))
    def add_variable(
        self,
        shape: tuple[int, ...] = (),
        initializer: Any = "zeros",
        dtype: Any = None,
        aggregation: str = "sum",
        name: str | None = None,
    ) -> Variable:
        """Return a new variable that the metric keeps from batch to batch.

        Args:
            shape: its shape.
            initializer: its first value, to which `reset_state` returns it.
            dtype: its dtype; the metric's own by default.
            aggregation: how the values of several devices are put together.
            name: its own name.

        Raises:
            SettingError: no initializer has that name.
        """
        del aggregation  # One process sees all values; the argument is Keras's.
        own = name or f"variable_{len(self._variables)}"
        path = f"{self.name}/{own}"
        value = INITIALIZER.parse(initializer).values(path, tuple(shape))
        first = np.asarray(value, dtype or self.dtype)
        variable = Variable(first, name=own, path=path, trainable=False)
        variable.temporary = True
        self._variables.append((variable, first))
        return variable

    add_weight = add_variable

    @property
    def variables(self) -> list[Variable]:
        """The metric's variables, and those of metrics that it holds."""
        inner = [value for value in vars(self).values() if isinstance(value, Metric)]
        own = [variable for variable, _ in self._variables]
        return own + [variable for metric in inner for variable in metric.variables]

    def reset_state(self) -> None:
        """Start again: every variable gets its first value."""
        for variable, first in self._variables:
            variable.assign(first)
        for value in vars(self).values():
            if isinstance(value, Metric):
                value.reset_state()

    def update_state(self, *args: Any, **kwargs: Any) -> None:
        """Take one batch into account."""
        raise NotImplementedError(f"{type(self).__name__} must define update_state")

    def result(self) -> Any:
        """Return the value over all batches since the last reset."""
        raise NotImplementedError(f"{type(self).__name__} must define result")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Take one batch into account and return the value so far."""
        self.update_state(*args, **kwargs)
        return self.result()


def spread_weights(sample_weight: Any, shape: tuple[int, ...], dtype: Any) -> Any:
    """Return a weight for each value of an array of this shape: 1 where none are given.

    Raises:
        ShapeError: the weights do not fit the shape's first axes.
    """
    if sample_weight is None:
        return jnp.ones(shape, dtype)
    weight = fitted("sample_weight", numbers("sample_weight", sample_weight).astype(dtype), shape)
    return jnp.broadcast_to(weight, shape)


def _weighted(values: Any, sample_weight: Any, dtype: Any) -> tuple[Any, Any]:
    """Return values and weights of one shape; a value of weight 0 is 0, whatever it was."""
    values = numbers("values", values).astype(dtype)
    weight = spread_weights(sample_weight, values.shape, dtype)
    return jnp.where(weight == 0, 0, values), weight


class Sum(Metric):
    """Weighted sum of values over all batches.

    Args:
        name: the metric's name.
        dtype: the dtype of the sum.

    Example:
        >>> metric = Sum()
        >>> float(metric([1.0, 2.0])), float(metric([3.0, 4.0], sample_weight=[1.0, 0.5]))
        (3.0, 8.0)
    """

    name: str | None = setting(NAME, default="sum")
    dtype: str | None = setting(DTYPE, default=None)

    def add_variables(self) -> None:
        """Add the sum."""
        self.total = self.add_variable((), "zeros", name="total")

    def update_state(self, values: Any, sample_weight: Any = None) -> None:
        """Add a batch of values; see `Mean.update_state`."""
        values, weight = _weighted(values, sample_weight, self.dtype)
        self.total.assign(self.total.value + jnp.sum(values * weight))

    def result(self) -> Any:
        """Return the sum."""
        return self.total.value


class Average(Metric):
    """Base of the metrics that are a weighted mean: `sum(values * weights) / sum(weights)`.

    Every value counts by its weight, so a long sequence counts more than a short one.
    """

    def add_variables(self) -> None:
        """Add the two sums."""
        self.total = self.add_variable((), "zeros", name="total")
        self.count = self.add_variable((), "zeros", name="count")

    def add(self, values: Any, sample_weight: Any) -> None:
        """Take a batch of values into account."""
        values, weight = _weighted(values, sample_weight, self.dtype)
        self.total.assign(self.total.value + jnp.sum(values * weight))
        self.count.assign(self.count.value + jnp.sum(weight))

    def result(self) -> Any:
        """Return the mean, 0 before any value."""
        return ratio(self.total.value, self.count.value)


class Mean(Average):
    """Weighted mean of values over all batches: `sum(values * weights) / sum(weights)`.

    Args:
        name: the metric's name.
        dtype: the dtype of the sums.

    Example:
        >>> metric = Mean()
        >>> float(metric([1.0, 3.0])), float(metric([8.0, 100.0], sample_weight=[1, 0]))
        (2.0, 4.0)
    """

    name: str | None = setting(NAME, default="mean")
    dtype: str | None = setting(DTYPE, default=None)

    def update_state(self, values: Any, sample_weight: Any = None) -> None:
        """Take a batch of values into account.

        Args:
            values: values of any shape.
            sample_weight: weights that fit the values' first axes; 0 means not counted.

        Raises:
            ShapeError: the weights do not fit the values.
        """
        self.add(values, sample_weight)


class PairMean(Average):
    """Base of the metrics that are the mean of one number for each label and prediction."""

    def values(self, y_true: Any, y_pred: Any) -> Any:
        """Return one value for each sample or step."""
        raise NotImplementedError(f"{type(self).__name__} must define values(y_true, y_pred)")

    def counted(self, y_true: Any) -> Any:
        """Return which labels count, in the shape of the labels, or None for all."""

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Take a batch of labels and predictions into account.

        Args:
            y_true: labels.
            y_pred: predictions.
            sample_weight: weights, one for each sample or step; 0 means not counted.

        Raises:
            ShapeError: labels, predictions and weights do not fit each other.
        """
        values, counted = self.values(y_true, y_pred), self.counted(y_true)
        if counted is not None:
            weight = 1 if sample_weight is None else numbers("sample_weight", sample_weight)
            fitting = fitted("sample_weight", jnp.asarray(weight), values.shape)
            sample_weight = counted.reshape(values.shape) * fitting
        self.add(values, sample_weight)


class MeanMetricWrapper(PairMean, fills_settings=True):
    """Mean of a function of labels and predictions.

    Args:
        fn: gives one value for each sample or step.
        name: the metric's name; by default the function's.
        dtype: the dtype of the sums.
        **kwargs: further arguments for the function.

    Example:
        >>> def gap(y_true, y_pred, power=1):
        ...     return jnp.abs(y_true - y_pred) ** power
        >>> metric = MeanMetricWrapper(gap, power=2)
        >>> metric.name, float(metric(jnp.array([1.0, 2.0]), jnp.array([1.0, 4.0])))
        ('gap', 2.0)
    """

    fn: Callable[..., Any] = setting(FUNCTION)
    name: str | None = setting(NAME, default=None)
    dtype: str | None = setting(DTYPE, default=None)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.further = {name: kwargs.pop(name) for name in [*kwargs] if name not in self.settings}
        super().__init__(*args, **kwargs)

    def default_name(self) -> str:
        """Return the function's name."""
        return str(getattr(self.fn, "__name__", type(self.fn).__name__))

    def values(self, y_true: Any, y_pred: Any) -> Any:
        """Return what the function returns."""
        return self.fn(y_true, y_pred, **self.further)

    def get_config(self) -> dict[str, Any]:
        """Return the settings and the function's further arguments as plain data."""
        return {**super().get_config(), **serialize(self.further)}
