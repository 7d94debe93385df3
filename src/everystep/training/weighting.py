"""Weights of classes, turned into weights of samples or steps."""

from __future__ import annotations

from typing import Any

import numpy as np

from everystep.errors import DataError
from everystep.sequences import Ragged

Array = np.ndarray[Any, Any]


def class_weighted(targets: Any, weights: Any, class_weight: Any) -> Any:
    """Return weights multiplied by those of the targets' classes.

    Args:
        targets: classes, as ids or one-hot, for each sample or step.
        weights: what they weigh otherwise, or None.
        class_weight: the weight of each class; one that is not there counts 1.

    Raises:
        DataError: there are no targets, or a class is negative.
    """
    if targets is None:
        raise DataError("class_weight needs targets: give y")
    if isinstance(targets, Ragged):
        own: Any = Ragged(_of_classes(targets.values, class_weight), targets.offsets)
        if isinstance(weights, Ragged):
            return Ragged(own.values * weights.values, own.offsets)
        if weights is not None:
            return Ragged(own.values * np.repeat(weights, targets.lengths), own.offsets)
        return own
    own = _of_classes(np.asarray(targets), class_weight)
    if weights is None:
        return own
    weights = np.asarray(weights)
    return own * weights.reshape(weights.shape + (1,) * (own.ndim - weights.ndim))


def _of_classes(targets: Array, class_weight: Any) -> Array:
    """Return the weight of each target's class; a class that has no weight counts 1."""
    classes = targets
    if targets.dtype.kind == "f":
        classes = targets.argmax(-1) if targets.shape[-1] > 1 else targets[..., 0].astype(int)
    elif targets.ndim > 2 and targets.shape[-1] == 1:
        classes = targets[..., 0]
    if classes.size and classes.min() < 0:
        raise DataError(f"class_weight needs classes from 0 on, but y holds {classes.min()}")
    table = np.ones(max(int(classes.max(initial=0)), *class_weight, 0) + 1, "float32")
    for label, weight in dict(class_weight).items():
        table[label] = weight
    return table[classes]
