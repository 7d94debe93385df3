"""The few names that Keras 3 kept of its backend module."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp

from everystep.config import (
    backend,
    epsilon,
    floatx,
    image_data_format,
    set_epsilon,
    set_floatx,
    set_image_data_format,
)
from everystep.core.dtypes import ARRAY_DTYPE
from everystep.kinds import checked
from everystep.utils import clear_session, is_keras_tensor, standardize_dtype

__all__ = [
    "backend",
    "clear_session",
    "epsilon",
    "floatx",
    "image_data_format",
    "is_float_dtype",
    "is_int_dtype",
    "is_keras_tensor",
    "result_type",
    "set_epsilon",
    "set_floatx",
    "set_image_data_format",
    "standardize_dtype",
]


@checked(dtype=ARRAY_DTYPE)
def is_float_dtype(dtype: Any) -> bool:
    """Whether a dtype is one of floats.

    Example:
        >>> is_float_dtype("bfloat16"), is_float_dtype("int32")
        (True, False)
    """
    return bool(jnp.issubdtype(jnp.dtype(dtype), jnp.floating))


@checked(dtype=ARRAY_DTYPE)
def is_int_dtype(dtype: Any) -> bool:
    """Whether a dtype is one of integers, signed or not."""
    return bool(jnp.issubdtype(jnp.dtype(dtype), jnp.integer))


def result_type(*dtypes: Any) -> str:
    """Return the dtype of the result of arithmetic on these dtypes, by JAX's rules.

    Example:
        >>> result_type("int32", "bfloat16")
        'bfloat16'
    """
    given = [jnp.dtype(dtype) if isinstance(dtype, str) else dtype for dtype in dtypes]
    return str(jnp.result_type(*given or [floatx()]))
