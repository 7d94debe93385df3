"""Optimizers by Keras's names, with Keras's numbers and Keras's state.

`get(...)` finds one; a training step calls its `stateless_apply`, people's own loops its `apply`;
`transform()` gives an optax transformation, and `get` takes optax's as they are.
"""

from __future__ import annotations

import sys
from typing import Any

from everystep.core import Catalogue, serialize
from everystep.core.registry import deserializer
from everystep.errors import SettingError
from everystep.kinds import Kind, shown
from everystep.optimizers import schedules
from everystep.optimizers.adam import Adam, Adamax, AdamW, Lamb, Nadam, ScheduleFreeAdamW
from everystep.optimizers.applying import Applies
from everystep.optimizers.base import Optimizer
from everystep.optimizers.foreign import OptaxOptimizer
from everystep.optimizers.loss_scale import LossScaleOptimizer
from everystep.optimizers.matrices import Adafactor, Muon
from everystep.optimizers.rules import SGD, Adadelta, Adagrad, Ftrl, Lion, RMSprop
from everystep.optimizers.state import Moment, Slot, State

_CLASSES = (
    SGD,
    Adadelta,
    Adafactor,
    Adagrad,
    Adam,
    AdamW,
    Adamax,
    Ftrl,
    Lamb,
    Lion,
    LossScaleOptimizer,
    Muon,
    Nadam,
    RMSprop,
    ScheduleFreeAdamW,
)
CATALOGUE = Catalogue(
    "optimizer",
    "keras.optimizers",
    _CLASSES,
    {cls.__name__.lower(): cls for cls in _CLASSES},
)


def get(identifier: Any) -> Any:
    """Return the optimizer for a name, a class, a configuration, an object or optax's.

    Args:
        identifier: a name such as `"adam"` or `"Adam"`; a class; a configuration; an optimizer; an
            `optax.GradientTransformation`, which is taken as it is.

    Raises:
        SettingError: no optimizer has that name, or it is none of these.

    Example:
        >>> get("adamw").weight_decay, float(get(Adam(0.5)).learning_rate)
        (0.004, 0.5)
    """
    found = CATALOGUE.make(identifier)
    if isinstance(found, Applies):
        return found
    # Whoever made a transformation has imported optax; nobody else needs to.
    optax = sys.modules.get("optax")
    if optax is not None and isinstance(found, optax.GradientTransformation):
        return OptaxOptimizer(found)
    raise SettingError(
        "an optimizer must be a name such as 'adam', an optimizer of everystep.optimizers, or an "
        f"optax transformation, not {shown(identifier)}"
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
    "Adafactor",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adamax",
    "Ftrl",
    "Lamb",
    "Lion",
    "LossScaleOptimizer",
    "Moment",
    "Muon",
    "Nadam",
    "OptaxOptimizer",
    "Optimizer",
    "RMSprop",
    "ScheduleFreeAdamW",
    "Slot",
    "State",
    "deserialize",
    "get",
    "schedules",
    "serialize",
]
