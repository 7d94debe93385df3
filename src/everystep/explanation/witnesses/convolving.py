"""Convolutions in double precision, for which XLA has no fast program on a processor."""

from __future__ import annotations

import math
from itertools import product
from typing import Any

import numpy as np
from jax import lax
from jax.extend.core import JaxprEqn

# Windows of more places than these are left to XLA.
_MOST_PLACES = 64


def fits(equation: JaxprEqn) -> bool:
    """Whether a convolution is one that `convolved` can make: one group, and a small window."""
    params, result = equation.params, _shape(equation.outvars[0])
    window = [_shape(equation.invars[1])[axis] for axis in params["dimension_numbers"].rhs_spec[2:]]
    groups = params["feature_group_count"], params["batch_group_count"]
    return groups == (1, 1) and 0 not in result and 0 < math.prod(window) <= _MOST_PLACES


def convolved(equation: JaxprEqn, values: Any, kernel: Any) -> Any:
    """Return a convolution: one product for each place of the window, added up.

    Args:
        equation: the convolution.
        values: what the window moves over.
        kernel: what stands in the window.
    """
    params = equation.params
    at_values, at_kernel, at_result = params["dimension_numbers"]
    sizes = [_shape(equation.outvars[0])[axis] for axis in at_result[2:]]
    # Batch, then places, then features; places, then features in, then features out.
    values = lax.transpose(values, (at_values[0], *at_values[2:], at_values[1]))
    kernel = lax.transpose(kernel, (*at_kernel[2:], at_kernel[1], at_kernel[0]))
    margins = zip(params["padding"], params["lhs_dilation"], strict=True)
    edges = [(0, 0, 0), *((low, high, gap - 1) for (low, high), gap in margins), (0, 0, 0)]
    padded = lax.pad(values, np.zeros((), values.dtype), edges)
    total: Any = 0
    for place in product(*map(range, kernel.shape[:-2])):
        starts = [at * gap for at, gap in zip(place, params["rhs_dilation"], strict=True)]
        strides = params["window_strides"]
        ends = [
            start + (size - 1) * stride + 1
            for start, size, stride in zip(starts, sizes, strides, strict=True)
        ]
        seen = lax.slice(
            padded,
            (0, *starts, 0),
            (padded.shape[0], *ends, padded.shape[-1]),
            (1, *strides, 1),
        )
        total = total + lax.dot_general(seen, kernel[place], (((seen.ndim - 1,), (0,)), ((), ())))
    order = (at_result[0], *at_result[2:], at_result[1])
    return lax.transpose(total, tuple(np.argsort(order)))


def _shape(variable: Any) -> tuple[int, ...]:
    shape: tuple[int, ...] = variable.aval.shape
    return shape
