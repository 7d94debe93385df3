"""Optimizers by Keras's names and arguments, as optax transformations.

`get(...).transform()` is what a training step uses; `refreshed(state)` brings a learning rate that
was set in between into its state.
"""

from __future__ import annotations

import sys
from typing import Any

from everystep.core import Catalogue, Kind, serialize
from everystep.core.registry import deserializer
from everystep.errors import SettingError
from everystep.optimizers.base import Optimizer, State
from everystep.optimizers.foreign import OptaxOptimizer
from everystep.optimizers.rules import (
    SGD,
    Adadelta,
    Adagrad,
    Adam,
    Adamax,
    AdamW,
    Lion,
    Nadam,
    RMSprop,
)

_CLASSES = (SGD, Adadelta, Adagrad, Adam, AdamW, Adamax, Lion, Nadam, RMSprop)
CATALOGUE = Catalogue(
    "optimizer",
    "keras.optimizers",
    _CLASSES,
    {cls.__name__.lower(): cls for cls in _CLASSES},
)


def get(identifier: Any) -> Optimizer | OptaxOptimizer:
    """Return the optimizer for a name, a class, a configuration, an object or optax's.

    Args:
        identifier: a name such as `"adam"` or `"Adam"`; a class; a configuration; an optimizer; an
            `optax.GradientTransformation`, which is taken as it is.

    Raises:
        SettingError: no optimizer has that name, or it is none of these.

    Example:
        >>> get("adamw").weight_decay, get(Adam(0.01)).learning_rate
        (0.004, 0.01)
    """
    found = CATALOGUE.make(identifier)
    if isinstance(found, Optimizer | OptaxOptimizer):
        return found
    # Whoever made a transformation has imported optax; nobody else needs to.
    optax = sys.modules.get("optax")
    if optax is not None and isinstance(found, optax.GradientTransformation):
        return OptaxOptimizer(found)
    raise SettingError(
        "an optimizer must be a name such as 'adam', an optimizer of everystep.optimizers, or an "
        f"optax transformation, not {identifier!r}"
    )


deserialize = deserializer(get)
OPTIMIZER = Kind(
    "the name of an optimizer, such as 'adam', or an optimizer",
    get,
    serialize,
    refused=("no_such_optimizer", 3, None),
)

__all__ = [
    "CATALOGUE",
    "OPTIMIZER",
    "SGD",
    "Adadelta",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adamax",
    "Lion",
    "Nadam",
    "OptaxOptimizer",
    "Optimizer",
    "RMSprop",
    "State",
    "deserialize",
    "get",
    "serialize",
]
