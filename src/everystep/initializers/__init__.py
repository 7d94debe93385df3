"""Initializers by Keras's names: how a weight's first values are drawn.

A weight asks for its values with `initializer.values(path, shape)`: they follow from the seed and
the weight's path. NumPy draws them, so that building a model compiles nothing.
"""

from __future__ import annotations

from typing import Any

from everystep.core import Catalogue
from everystep.core import serialize as serialize_value
from everystep.core.registry import deserializer
from everystep.initializers.base import FromFunction, Initializer
from everystep.initializers.constant import Constant, Identity, Ones, Zeros
from everystep.initializers.random import (
    Orthogonal,
    RandomNormal,
    RandomUniform,
    TruncatedNormal,
)
from everystep.initializers.scaling import (
    GlorotNormal,
    GlorotUniform,
    HeNormal,
    HeUniform,
    LecunNormal,
    LecunUniform,
    VarianceScaling,
    fans,
)
from everystep.kinds import Kind

CATALOGUE = Catalogue(
    "initializer",
    "keras.initializers",
    (
        Constant,
        GlorotNormal,
        GlorotUniform,
        HeNormal,
        HeUniform,
        Identity,
        LecunNormal,
        LecunUniform,
        Ones,
        Orthogonal,
        RandomNormal,
        RandomUniform,
        TruncatedNormal,
        VarianceScaling,
        Zeros,
    ),
    {
        "IdentityInitializer": Identity,
        "OrthogonalInitializer": Orthogonal,
        "normal": RandomNormal,
        "one": Ones,
        "uniform": RandomUniform,
        "zero": Zeros,
    },
)


def get(identifier: Any) -> Initializer:
    """Return the initializer for a name, a class, a configuration, an object or a function.

    Args:
        identifier: a name such as `"glorot_uniform"` or `"GlorotUniform"`; a class; a
            configuration; an initializer; a function `(shape, dtype=None) -> array`.

    Raises:
        SettingError: no initializer has that name.
        IdentifierError: it is none of these.

    Example:
        >>> get("he_normal"), get("zeros"), get(Orthogonal)
        (HeNormal(), Zeros(), Orthogonal())
    """
    found = CATALOGUE.get(identifier)
    return found if isinstance(found, Initializer) else FromFunction(found)


def serialize(initializer: Initializer) -> Any:
    """Return the configuration of an initializer as plain data.

    Raises:
        SettingError: it is a function of your own that is not registered.
    """
    if isinstance(initializer, FromFunction):
        return serialize_value(initializer.function)
    return serialize_value(initializer)


deserialize = deserializer(get)
INITIALIZER = Kind(
    "the name of an initializer, such as 'glorot_uniform', or an initializer",
    get,
    serialize,
    refused=("no_such_initializer", 3, None, {"class_name": "NoSuchInitializer", "config": {}}),
)

# Keras has every class under its name in snake case as well, and two of them under a longer one.
IdentityInitializer = Identity
OrthogonalInitializer = Orthogonal
constant = Constant
glorot_normal = GlorotNormal
glorot_uniform = GlorotUniform
he_normal = HeNormal
he_uniform = HeUniform
identity = Identity
lecun_normal = LecunNormal
lecun_uniform = LecunUniform
ones = Ones
orthogonal = Orthogonal
random_normal = RandomNormal
random_uniform = RandomUniform
truncated_normal = TruncatedNormal
variance_scaling = VarianceScaling
zeros = Zeros

__all__ = [
    "CATALOGUE",
    "INITIALIZER",
    "Constant",
    "GlorotNormal",
    "GlorotUniform",
    "HeNormal",
    "HeUniform",
    "Identity",
    "IdentityInitializer",
    "Initializer",
    "LecunNormal",
    "LecunUniform",
    "Ones",
    "Orthogonal",
    "OrthogonalInitializer",
    "RandomNormal",
    "RandomUniform",
    "TruncatedNormal",
    "VarianceScaling",
    "Zeros",
    "constant",
    "deserialize",
    "fans",
    "get",
    "glorot_normal",
    "glorot_uniform",
    "he_normal",
    "he_uniform",
    "identity",
    "lecun_normal",
    "lecun_uniform",
    "ones",
    "orthogonal",
    "random_normal",
    "random_uniform",
    "serialize",
    "truncated_normal",
    "variance_scaling",
    "zeros",
]
