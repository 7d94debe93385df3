"""What all losses and metrics do with labels, predictions, weights and masks before any sum."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import jax.numpy as jnp

from everystep.errors import DataError, ShapeError
from everystep.sequences import numbers


@contextmanager
def named(owner: str) -> Iterator[None]:
    """Say in an error of ours who compares labels and predictions, if it does not say so."""
    try:
        yield
    except (DataError, ShapeError) as error:
        if owner in str(error):
            raise
        raise type(error)(f"{owner}: {error}") from None


NO_CLASS = -(2**31)
"""The class number of a label that is none, such as 0.5 or NaN."""


def as_arrays(y_true: Any, y_pred: Any, dtype: Any = None) -> tuple[Any, Any]:
    """Return labels and predictions as arrays, the predictions as floats of at least 32 bits."""
    y_true, y_pred = numbers("labels", y_true), numbers("predictions", y_pred)
    if dtype is None:
        narrow = not jnp.issubdtype(y_pred.dtype, jnp.floating) or y_pred.dtype.itemsize < 4
        dtype = jnp.float32 if narrow else y_pred.dtype
    return y_true, y_pred.astype(dtype)


def paired(owner: str, y_true: Any, y_pred: Any) -> tuple[Any, Any]:
    """Return labels and predictions as floats of one shape.

    Where one of them lacks a last axis of size 1 that the other has, it gets one, so that
    `(batch, steps)` labels fit `(batch, steps, 1)` predictions.

    Raises:
        ShapeError: the shapes do not fit; nothing is broadcast, because that would compare every
            label with every prediction.
    """
    y_true, y_pred = of_one_shape(owner, *as_arrays(y_true, y_pred))
    if y_true.ndim > 1 and y_true.shape[-1] == 0:
        raise ShapeError(
            f"{owner} has nothing to compare: labels and predictions of shape {y_true.shape} hold "
            "no value on the last axis"
        )
    return y_true.astype(y_pred.dtype), y_pred


def of_one_shape(owner: str, y_true: Any, y_pred: Any) -> tuple[Any, Any]:
    """Return labels and predictions of one shape, as `paired` does, in their own dtypes."""
    y_true, y_pred = numbers("labels", y_true), numbers("predictions", y_pred)
    if y_true.ndim + 1 == y_pred.ndim and y_pred.shape[-1] == 1:
        y_true = y_true[..., None]
    elif y_pred.ndim + 1 == y_true.ndim and y_true.shape[-1] == 1:
        y_pred = y_pred[..., None]
    if y_true.shape != y_pred.shape:
        raise ShapeError(
            f"{owner} compares value by value: labels of shape {y_true.shape} do not fit "
            f"predictions of shape {y_pred.shape}; both must have the same shape"
        )
    return y_true, y_pred


def class_ids(owner: str, y_true: Any, y_pred: Any) -> Any:
    """Return labels that are class numbers, one for each row of scores, as integers.

    What is no whole number is `NO_CLASS`, as padding may hold anything.

    Args:
        owner: who asks, for the error message.
        y_true: class numbers, of shape `(...)` or `(..., 1)`.
        y_pred: scores of shape `(..., classes)`.

    Raises:
        ShapeError: there is not one label for each row of scores.
    """
    if not y_pred.ndim:
        raise ShapeError(f"{owner} takes y_pred with classes on its last axis, not one number")
    if y_true.ndim == y_pred.ndim and y_true.shape[-1] == 1:
        y_true = y_true[..., 0]
    if y_true.shape != y_pred.shape[:-1]:
        cure = ""
        if y_true.shape == y_pred.shape:
            cure = "; for one-hot labels take the categorical form without 'sparse'"
        raise ShapeError(
            f"{owner} takes one class number for each of the {y_pred.shape[:-1]} predictions over "
            f"{y_pred.shape[-1]} classes, not labels of shape {y_true.shape}{cure}"
        )
    if jnp.issubdtype(y_true.dtype, jnp.floating):
        y_true = jnp.where(y_true == jnp.floor(y_true), y_true, NO_CLASS)
    return y_true.astype(jnp.int32)


def _prefixed(array: Any, shape: tuple[int, ...]) -> Any:
    """Return the array with axes of size 1 added or taken at its end to fit `shape`, or None."""
    while array.ndim > len(shape) and array.shape[-1] == 1:
        array = array[..., 0]
    own = tuple(array.shape)
    if len(own) > len(shape) or any(
        size not in (1, wanted) for size, wanted in zip(own, shape, strict=False)
    ):
        return None
    return array.reshape(own + (1,) * (len(shape) - len(own)))


def fitted(what: str, array: Any, shape: tuple[int, ...]) -> Any:
    """Return weights or a mask with axes of size 1 added, so that they broadcast to `shape`.

    Axes are matched from the first on: `(batch,)` and `(batch, steps)` fit `(batch, steps)`.

    Raises:
        ShapeError: the axes do not fit.
    """
    result = _prefixed(array, tuple(shape))
    if result is None:
        raise ShapeError(
            f"{what} of shape {tuple(array.shape)} does not fit values of shape {tuple(shape)}: "
            "give one for each sample, or one for each step"
        )
    return result


def filled(array: Any, keep: Any) -> Any:
    """Return the array with a harmless value wherever `keep` is False.

    Class 0 for integers, 1 for floats: neither a logarithm nor a division of it can go wrong. So
    what stands in padding reaches neither the value nor the gradient.
    """
    keep = _prefixed(keep, tuple(array.shape))
    if keep is None:
        return array
    harmless = jnp.asarray(jnp.issubdtype(array.dtype, jnp.inexact), array.dtype)
    return jnp.where(keep, array, harmless)


def kept(sample_weight: Any, mask: Any) -> Any:
    """Return which samples or steps count at all: not masked, weight not 0; None for all."""
    if sample_weight is None:
        return mask
    weighted = sample_weight != 0
    if mask is None:
        return weighted
    longer, shorter = (mask, weighted) if mask.ndim >= weighted.ndim else (weighted, mask)
    return longer & fitted("sample_weight", shorter, longer.shape)


def ratio(total: Any, count: Any) -> Any:
    """Return `total / count`, 0 where the count is 0, with a gradient there as well."""
    empty = count == 0
    return jnp.where(empty, 0, total / jnp.where(empty, 1, count))


def axis_last(array: Any, axis: int) -> Any:
    """Return the array with an axis moved to the end."""
    return array if axis in (-1, array.ndim - 1) else jnp.moveaxis(array, axis, -1)
