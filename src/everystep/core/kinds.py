"""The kinds of settings that several families share, with those that know JAX's dtypes."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp

from everystep.core.dtypes import DTypePolicy
from everystep.kinds import (
    ANYTHING,
    ARRAY,
    BOOLEAN,
    FRACTION,
    FUNCTION,
    INTEGER,
    INTEGERS,
    LISTED,
    NAME,
    NOT_NEGATIVE,
    NUMBER,
    NUMBERS,
    PATH,
    POSITIVE,
    SEED,
    SEVERAL,
    SHAPE,
    SHARE,
    TEXT,
    WHOLE,
    Kind,
    checked,
    one_of,
    only,
    optional,
    reject,
    shown,
)


def _array_dtype(value: Any) -> str:
    dtype = jnp.dtype(value)
    numeric = any(jnp.issubdtype(dtype, each) for each in (jnp.bool_, jnp.number))
    return str(dtype.name) if numeric else reject(value)


DTYPE = Kind(
    "a dtype or a dtype policy",
    DTypePolicy.parse,
    lambda policy: policy.to_config(),
    refused=("float7", 3.5),
)
ARRAY_DTYPE = Kind(
    "the dtype of an array",
    _array_dtype,
    refused=("float7", 3.5, [], dict),
)

__all__ = [
    "ANYTHING",
    "ARRAY",
    "ARRAY_DTYPE",
    "BOOLEAN",
    "DTYPE",
    "FRACTION",
    "FUNCTION",
    "INTEGER",
    "INTEGERS",
    "LISTED",
    "NAME",
    "NOT_NEGATIVE",
    "NUMBER",
    "NUMBERS",
    "PATH",
    "POSITIVE",
    "SEED",
    "SEVERAL",
    "SHAPE",
    "SHARE",
    "TEXT",
    "WHOLE",
    "Kind",
    "checked",
    "one_of",
    "only",
    "optional",
    "reject",
    "shown",
]
