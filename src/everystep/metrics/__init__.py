"""Metrics by Keras's names: what to report over all batches of an epoch.

A step or sample of weight 0 is not counted, so padding and packed rows do not change a metric.
"""

from __future__ import annotations

from typing import Any

from everystep import losses as _losses
from everystep.core import Catalogue, serialize
from everystep.core.registry import deserializer
from everystep.errors import SettingError
from everystep.kinds import SHAPE, checked
from everystep.losses import (
    binary_crossentropy,
    binary_focal_crossentropy,
    categorical_crossentropy,
    categorical_focal_crossentropy,
    categorical_hinge,
    hinge,
    huber,
    kl_divergence,
    log_cosh,
    mean_absolute_error,
    mean_absolute_percentage_error,
    mean_squared_error,
    mean_squared_logarithmic_error,
    poisson,
    sparse_categorical_crossentropy,
    squared_hinge,
)
from everystep.metrics.accuracy import (
    Accuracy,
    BinaryAccuracy,
    CategoricalAccuracy,
    SparseCategoricalAccuracy,
    SparseTopKCategoricalAccuracy,
    TopKCategoricalAccuracy,
    accuracy,
    binary_accuracy,
    categorical_accuracy,
    sparse_categorical_accuracy,
    sparse_top_k_categorical_accuracy,
    top_k_categorical_accuracy,
)
from everystep.metrics.base import Mean, MeanMetricWrapper, Metric, Sum
from everystep.metrics.confusion import (
    FalseNegatives,
    FalsePositives,
    Precision,
    Recall,
    TrueNegatives,
    TruePositives,
)
from everystep.metrics.correlation import (
    ConcordanceCorrelation,
    PearsonCorrelation,
    concordance_correlation,
    pearson_correlation,
)
from everystep.metrics.curves import (
    AUC,
    PrecisionAtRecall,
    RecallAtPrecision,
    SensitivityAtSpecificity,
    SpecificityAtSensitivity,
)
from everystep.metrics.losses import (
    BinaryCrossentropy,
    CategoricalCrossentropy,
    CategoricalHinge,
    CosineSimilarity,
    Hinge,
    KLDivergence,
    LogCoshError,
    MeanAbsoluteError,
    MeanAbsolutePercentageError,
    MeanSquaredError,
    MeanSquaredLogarithmicError,
    Poisson,
    RootMeanSquaredError,
    SparseCategoricalCrossentropy,
    SquaredHinge,
)
from everystep.metrics.overlap import BinaryIoU, IoU, MeanIoU, OneHotIoU, OneHotMeanIoU
from everystep.metrics.scores import F1Score, FBetaScore, R2Score

_SHORT = {
    "bce": BinaryCrossentropy,
    "mae": MeanAbsoluteError,
    "mape": MeanAbsolutePercentageError,
    "mse": MeanSquaredError,
    "msle": MeanSquaredLogarithmicError,
}
CATALOGUE = Catalogue(
    "metric",
    "keras.metrics",
    (
        AUC,
        Accuracy,
        BinaryAccuracy,
        BinaryCrossentropy,
        BinaryIoU,
        CategoricalAccuracy,
        CategoricalCrossentropy,
        CategoricalHinge,
        ConcordanceCorrelation,
        CosineSimilarity,
        F1Score,
        FBetaScore,
        FalseNegatives,
        FalsePositives,
        Hinge,
        IoU,
        KLDivergence,
        LogCoshError,
        Mean,
        MeanAbsoluteError,
        MeanAbsolutePercentageError,
        MeanIoU,
        MeanMetricWrapper,
        MeanSquaredError,
        MeanSquaredLogarithmicError,
        OneHotIoU,
        OneHotMeanIoU,
        PearsonCorrelation,
        Poisson,
        Precision,
        PrecisionAtRecall,
        R2Score,
        Recall,
        RecallAtPrecision,
        RootMeanSquaredError,
        SensitivityAtSpecificity,
        SparseCategoricalAccuracy,
        SparseCategoricalCrossentropy,
        SparseTopKCategoricalAccuracy,
        SpecificityAtSensitivity,
        SquaredHinge,
        Sum,
        TopKCategoricalAccuracy,
        TrueNegatives,
        TruePositives,
    ),
    {**_SHORT, **{name.upper(): cls for name, cls in _SHORT.items()}},
)
# What these names stand for depends on the labels; see `everystep.losses.by_shapes`.
_BY_SHAPES = {
    "accuracy": "accuracy",
    "acc": "accuracy",
    "crossentropy": "crossentropy",
    "ce": "crossentropy",
}


def get(identifier: Any) -> Any:
    """Return the metric for a name, a class, a configuration, an object, a function or None.

    Raises:
        SettingError: no metric has that name.
        IdentifierError: it is none of these.

    Example:
        >>> type(get("mae")).__name__, get("sparse_categorical_accuracy").name
        ('MeanAbsoluteError', 'sparse_categorical_accuracy')
    """
    return None if identifier is None else CATALOGUE.get(identifier)


deserialize = deserializer(get)


@checked(y_true_shape=SHAPE, y_pred_shape=SHAPE)
def resolve(
    identifier: Any, y_true_shape: tuple[Any, ...], y_pred_shape: tuple[Any, ...]
) -> Metric:
    """Return the metric object that `compile` uses for what the user gave.

    `"accuracy"`, `"acc"`, `"crossentropy"` and `"ce"` choose by the shapes, as Keras does.

    Args:
        identifier: whatever `get` takes; a loss reports its mean.
        y_true_shape: the shape of the labels; None for unknown sizes.
        y_pred_shape: the shape of the predictions.

    Returns:
        A metric; one that was given by name has that name.

    Raises:
        SettingError: no metric has that name, or it is nothing that stands for a metric.

    Example:
        >>> type(resolve("accuracy", (None, 7), (None, 7, 17))).__name__
        'SparseCategoricalAccuracy'
    """
    name = identifier if isinstance(identifier, str) else None
    if name is not None and name.lower() in _BY_SHAPES:
        labels = _losses.by_shapes(y_true_shape, y_pred_shape)
        identifier = f"{labels}_{_BY_SHAPES[name.lower()]}"
    try:
        found = get(identifier)
    except TypeError as error:
        raise SettingError(str(error)) from None
    if found is None:
        raise SettingError("a metric is needed: give a name such as 'accuracy', or a Metric")
    if isinstance(found, _losses.Loss):
        name, found = found.name, type(found).from_config({**found.get_config(), "reduction": None})
    metric: Metric = found if isinstance(found, Metric) else MeanMetricWrapper(found)
    metric.name = name or metric.name
    if y_pred_shape and y_pred_shape[-1] is not None:
        metric.build(y_true_shape, y_pred_shape)
    return metric


__all__ = [
    "AUC",
    "CATALOGUE",
    "Accuracy",
    "BinaryAccuracy",
    "BinaryCrossentropy",
    "BinaryIoU",
    "CategoricalAccuracy",
    "CategoricalCrossentropy",
    "CategoricalHinge",
    "ConcordanceCorrelation",
    "CosineSimilarity",
    "F1Score",
    "FBetaScore",
    "FalseNegatives",
    "FalsePositives",
    "Hinge",
    "IoU",
    "KLDivergence",
    "LogCoshError",
    "Mean",
    "MeanAbsoluteError",
    "MeanAbsolutePercentageError",
    "MeanIoU",
    "MeanMetricWrapper",
    "MeanSquaredError",
    "MeanSquaredLogarithmicError",
    "Metric",
    "OneHotIoU",
    "OneHotMeanIoU",
    "PearsonCorrelation",
    "Poisson",
    "Precision",
    "PrecisionAtRecall",
    "R2Score",
    "Recall",
    "RecallAtPrecision",
    "RootMeanSquaredError",
    "SensitivityAtSpecificity",
    "SparseCategoricalAccuracy",
    "SparseCategoricalCrossentropy",
    "SparseTopKCategoricalAccuracy",
    "SpecificityAtSensitivity",
    "SquaredHinge",
    "Sum",
    "TopKCategoricalAccuracy",
    "TrueNegatives",
    "TruePositives",
    "accuracy",
    "binary_accuracy",
    "binary_crossentropy",
    "binary_focal_crossentropy",
    "categorical_accuracy",
    "categorical_crossentropy",
    "categorical_focal_crossentropy",
    "categorical_hinge",
    "concordance_correlation",
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
    "pearson_correlation",
    "poisson",
    "resolve",
    "serialize",
    "sparse_categorical_accuracy",
    "sparse_categorical_crossentropy",
    "sparse_top_k_categorical_accuracy",
    "squared_hinge",
    "top_k_categorical_accuracy",
]
