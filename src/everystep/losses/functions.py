"""Losses on pairs of values as functions: one value for each sample or step.

Each takes labels and predictions of shape `(..., n)` and gives an array of shape `(...)`, by a mean
or sum over the last axis; where one of the two lacks a last axis of size 1, it gets one. Each
raises ShapeError where the shapes differ otherwise. Small constants are Keras's.
"""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from everystep.kinds import checked
from everystep.losses.arrays import paired

EPSILON = 1e-7


def mean_squared_error(y_true: Any, y_pred: Any) -> Any:
    """Return `mean((y - p) ** 2)`.

    Example:
        >>> mean_squared_error([[0.0, 1.0]], [[1.0, 3.0]]).tolist()
        [2.5]
    """
    y_true, y_pred = paired("mean_squared_error", y_true, y_pred)
    return jnp.mean(jnp.square(y_true - y_pred), axis=-1)


def mean_absolute_error(y_true: Any, y_pred: Any) -> Any:
    """Return `mean(|y - p|)`.

    Example:
        >>> mean_absolute_error([[0.0, 1.0]], [[1.0, 3.0]]).tolist()
        [1.5]
    """
    y_true, y_pred = paired("mean_absolute_error", y_true, y_pred)
    return jnp.mean(jnp.abs(y_true - y_pred), axis=-1)


def mean_absolute_percentage_error(y_true: Any, y_pred: Any) -> Any:
    """Return `100 * mean(|y - p| / max(|y|, 1e-7))`, in percent."""
    y_true, y_pred = paired("mean_absolute_percentage_error", y_true, y_pred)
    share = jnp.abs((y_true - y_pred) / jnp.maximum(jnp.abs(y_true), EPSILON))
    return 100 * jnp.mean(share, axis=-1)


def mean_squared_logarithmic_error(y_true: Any, y_pred: Any) -> Any:
    """Return `mean((log(1 + y) - log(1 + p)) ** 2)`, values below 1e-7 raised to it."""
    y_true, y_pred = paired("mean_squared_logarithmic_error", y_true, y_pred)
    true_log = jnp.log(jnp.maximum(y_true, EPSILON) + 1)
    pred_log = jnp.log(jnp.maximum(y_pred, EPSILON) + 1)
    return jnp.mean(jnp.square(true_log - pred_log), axis=-1)


@checked
def huber(y_true: Any, y_pred: Any, delta: float = 1.0) -> Any:
    """Return the mean of `e ** 2 / 2` where `|e| <= delta`, else `delta * (|e| - delta / 2)`.

    Source: Huber 1964, "Robust estimation of a location parameter", section 4.
    """
    y_true, y_pred = paired("huber", y_true, y_pred)
    error = jnp.abs(y_pred - y_true)
    small = 0.5 * jnp.square(error)
    return jnp.mean(jnp.where(error <= delta, small, delta * error - 0.5 * delta**2), axis=-1)


def log_cosh(y_true: Any, y_pred: Any) -> Any:
    """Return `mean(log(cosh(p - y)))`, without overflow."""
    y_true, y_pred = paired("log_cosh", y_true, y_pred)
    error = y_pred - y_true
    return jnp.mean(error + jax.nn.softplus(-2 * error) - jnp.log(2.0).astype(error.dtype), axis=-1)


def kl_divergence(y_true: Any, y_pred: Any) -> Any:
    """Return `sum(y * log(y / p))`, both kept between 1e-7 and 1."""
    y_true, y_pred = paired("kl_divergence", y_true, y_pred)
    y_true, y_pred = jnp.clip(y_true, EPSILON, 1), jnp.clip(y_pred, EPSILON, 1)
    return jnp.sum(y_true * jnp.log(y_true / y_pred), axis=-1)


def poisson(y_true: Any, y_pred: Any) -> Any:
    """Return `mean(p - y * log(p + 1e-7))`."""
    y_true, y_pred = paired("poisson", y_true, y_pred)
    return jnp.mean(y_pred - y_true * jnp.log(y_pred + EPSILON), axis=-1)


def _unit(values: Any, axis: int) -> Any:
    squares = jnp.sum(jnp.square(values), axis=axis, keepdims=True)
    return values * jax.lax.rsqrt(jnp.maximum(squares, 1e-12))


@checked(axis_of="y_pred")
def cosine_similarity(y_true: Any, y_pred: Any, axis: int = -1) -> Any:
    """Return minus the cosine of the angle between the two along an axis: -1 where they agree."""
    y_true, y_pred = paired("cosine_similarity", y_true, y_pred)
    return -jnp.sum(_unit(y_true, axis) * _unit(y_pred, axis), axis=axis)


def _signs(y_true: Any) -> Any:
    """Return labels of -1 and 1; labels of 0 and 1 are turned into those."""
    binary = jnp.all((y_true == 0) | (y_true == 1))
    return jnp.where(binary, 2 * y_true - 1, y_true)


def hinge(y_true: Any, y_pred: Any) -> Any:
    """Return `mean(max(1 - y * p, 0))`, `y` being -1 or 1 (0 and 1 are turned into those)."""
    y_true, y_pred = paired("hinge", y_true, y_pred)
    return jnp.mean(jnp.maximum(1 - _signs(y_true) * y_pred, 0), axis=-1)


def squared_hinge(y_true: Any, y_pred: Any) -> Any:
    """Return `mean(max(1 - y * p, 0) ** 2)`, `y` being -1 or 1 (0 and 1 are turned into those)."""
    y_true, y_pred = paired("squared_hinge", y_true, y_pred)
    return jnp.mean(jnp.square(jnp.maximum(1 - _signs(y_true) * y_pred, 0)), axis=-1)


def categorical_hinge(y_true: Any, y_pred: Any) -> Any:
    """Return `max(1 + max((1 - y) * p) - sum(y * p), 0)`, `y` being one-hot."""
    y_true, y_pred = paired("categorical_hinge", y_true, y_pred)
    right = jnp.sum(y_true * y_pred, axis=-1)
    wrong = jnp.max((1 - y_true) * y_pred, axis=-1)
    return jnp.maximum(wrong - right + 1, 0)
