"""Losses by Keras's names, as classes and as functions.

A class gives one number, over real steps only; a function gives one value for each sample or step.
"""

from __future__ import annotations

from typing import Any

from everystep.core import Catalogue
from everystep.core import serialize as serialize_value
from everystep.core.registry import deserializer
from everystep.errors import SettingError, ShapeError
from everystep.kinds import SHAPE, checked, optional
from everystep.losses.base import FixedLoss, FunctionLoss, Loss
from everystep.losses.categories import (
    BinaryCrossentropy,
    CategoricalCrossentropy,
    SparseCategoricalCrossentropy,
)
from everystep.losses.chain import CRFLoss
from everystep.losses.crossentropy import (
    binary_crossentropy,
    categorical_crossentropy,
    check_class_ids,
    sparse_categorical_crossentropy,
)
from everystep.losses.focal import (
    BinaryFocalCrossentropy,
    CategoricalFocalCrossentropy,
    binary_focal_crossentropy,
    categorical_focal_crossentropy,
)
from everystep.losses.functions import (
    categorical_hinge,
    cosine_similarity,
    hinge,
    huber,
    kl_divergence,
    log_cosh,
    mean_absolute_error,
    mean_absolute_percentage_error,
    mean_squared_error,
    mean_squared_logarithmic_error,
    poisson,
    squared_hinge,
)
from everystep.losses.values import (
    CategoricalHinge,
    CosineSimilarity,
    Hinge,
    Huber,
    KLDivergence,
    LogCosh,
    MeanAbsoluteError,
    MeanAbsolutePercentageError,
    MeanSquaredError,
    MeanSquaredLogarithmicError,
    Poisson,
    SquaredHinge,
)

CLASSES: tuple[type[FixedLoss], ...] = (
    BinaryCrossentropy,
    BinaryFocalCrossentropy,
    CategoricalCrossentropy,
    CategoricalFocalCrossentropy,
    CategoricalHinge,
    CosineSimilarity,
    Hinge,
    Huber,
    KLDivergence,
    LogCosh,
    MeanAbsoluteError,
    MeanAbsolutePercentageError,
    MeanSquaredError,
    MeanSquaredLogarithmicError,
    Poisson,
    SparseCategoricalCrossentropy,
    SquaredHinge,
)
_CLASS_OF = {cls.function: cls for cls in CLASSES}
_SHORT = {
    "bce": binary_crossentropy,
    "kld": kl_divergence,
    "mae": mean_absolute_error,
    "mape": mean_absolute_percentage_error,
    "mse": mean_squared_error,
    "msle": mean_squared_logarithmic_error,
}
CATALOGUE = Catalogue(
    "loss",
    "keras.losses",
    (*CLASSES, CRFLoss, *_CLASS_OF),
    {**_SHORT, **{name.upper(): function for name, function in _SHORT.items()}},
)


def get(identifier: Any) -> Any:
    """Return the loss for a name, a class, a configuration, an object, a function or None.

    As in Keras, the name of a class gives an object, and the name of a function that function; see
    `resolve` for always getting an object.

    Raises:
        SettingError: no loss has that name.
        IdentifierError: it is none of these.

    Example:
        >>> get("mse") is mean_squared_error, type(get("MeanSquaredError")).__name__
        (True, 'MeanSquaredError')
    """
    return None if identifier is None else CATALOGUE.get(identifier)


deserialize = deserializer(get)


def serialize(loss: Any) -> Any:
    """Return the configuration of a loss as plain data.

    Raises:
        SettingError: it is a function or class of your own that is not registered.
    """
    return serialize_value(loss.fn if isinstance(loss, FunctionLoss) else loss)


@checked(y_true_shape=SHAPE, y_pred_shape=SHAPE)
def by_shapes(y_true_shape: tuple[Any, ...], y_pred_shape: tuple[Any, ...]) -> str:
    """Return what kind of labels these are: `"binary"`, `"sparse_categorical"`, `"categorical"`.

    Keras's rule: binary where predictions end in an axis of size 1; else sparse where labels have
    fewer axes than predictions or end in an axis of size 1; else categorical.

    Args:
        y_true_shape: the shape of the labels; None for unknown sizes.
        y_pred_shape: the shape of the predictions.

    Example:
        >>> by_shapes((None, 7), (None, 7, 17)), by_shapes((None, 7), (None, 7, 1))
        ('sparse_categorical', 'binary')
    """
    if not y_true_shape or not y_pred_shape:
        raise ShapeError(
            f"labels and predictions of y_true_shape={y_true_shape} and y_pred_shape="
            f"{y_pred_shape} must both have an axis of samples"
        )
    if y_pred_shape[-1] == 1:
        return "binary"
    fewer = len(y_true_shape) < len(y_pred_shape)
    return "sparse_categorical" if fewer or y_true_shape[-1] == 1 else "categorical"


@checked(y_true_shape=optional(SHAPE), y_pred_shape=optional(SHAPE))
def resolve(
    identifier: Any,
    y_true_shape: tuple[Any, ...] | None = None,
    y_pred_shape: tuple[Any, ...] | None = None,
) -> Loss:
    """Return the loss object that `compile` uses for what the user gave.

    Args:
        identifier: whatever `get` takes; `"crossentropy"` and `"ce"` choose by the shapes.
        y_true_shape: the shape of the labels, where known.
        y_pred_shape: the shape of the predictions, where known.

    Returns:
        A loss; one that was given by name has that name.

    Raises:
        SettingError: no loss has that name, or it is nothing that stands for a loss.

    Example:
        >>> resolve("crossentropy", (None, 7), (None, 7, 17))
        SparseCategoricalCrossentropy(name='crossentropy')
    """
    name = identifier if isinstance(identifier, str) else None
    if name in ("crossentropy", "ce") and y_true_shape is not None and y_pred_shape is not None:
        identifier = f"{by_shapes(y_true_shape, y_pred_shape)}_crossentropy"
    try:
        found = get(identifier)
    except TypeError as error:
        raise SettingError(str(error)) from None
    if isinstance(found, Loss):
        return found
    if found is None:
        raise SettingError("a loss is needed: give a name such as 'mse', or a Loss")
    if found in _CLASS_OF:
        return _CLASS_OF[found](name=name or found.__name__)
    return FunctionLoss(found, name=name)


__all__ = [
    "CATALOGUE",
    "BinaryCrossentropy",
    "BinaryFocalCrossentropy",
    "CRFLoss",
    "CategoricalCrossentropy",
    "CategoricalFocalCrossentropy",
    "CategoricalHinge",
    "CosineSimilarity",
    "FunctionLoss",
    "Hinge",
    "Huber",
    "KLDivergence",
    "LogCosh",
    "Loss",
    "MeanAbsoluteError",
    "MeanAbsolutePercentageError",
    "MeanSquaredError",
    "MeanSquaredLogarithmicError",
    "Poisson",
    "SparseCategoricalCrossentropy",
    "SquaredHinge",
    "binary_crossentropy",
    "binary_focal_crossentropy",
    "by_shapes",
    "categorical_crossentropy",
    "categorical_focal_crossentropy",
    "categorical_hinge",
    "check_class_ids",
    "cosine_similarity",
    "deserialize",
    "get",
    "hinge",
    "huber",
    "kl_divergence",
    "log_cosh",
    "mean_absolute_error",
    "mean_absolute_percentage_error",
    "mean_squared_error",
    "mean_squared_logarithmic_error",
    "poisson",
    "resolve",
    "serialize",
    "sparse_categorical_crossentropy",
    "squared_hinge",
]
