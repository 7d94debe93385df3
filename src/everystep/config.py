"""Keras's global settings: precision, small numbers, the place of channels in an image.

`finite_inputs` and `xla_threads` are of everystep alone.
"""

from everystep.core.defaults import (
    epsilon,
    finite_inputs,
    floatx,
    image_data_format,
    set_epsilon,
    set_finite_inputs,
    set_floatx,
    set_image_data_format,
)
from everystep.core.dtypes import dtype_policy, set_dtype_policy
from everystep.core.threads import set_xla_threads, xla_threads

__all__ = [
    "backend",
    "dtype_policy",
    "epsilon",
    "finite_inputs",
    "floatx",
    "image_data_format",
    "set_dtype_policy",
    "set_epsilon",
    "set_finite_inputs",
    "set_floatx",
    "set_image_data_format",
    "set_xla_threads",
    "xla_threads",
]


def backend() -> str:
    """Return what computes: always JAX.

    Example:
        >>> backend()
        'jax'
    """
    return "jax"
