"""Which elements of a kernel the results of a convolution read, held to kernels of a single 1."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

from everystep.explanation.reading import Facts, reads_of
from tests.explanation.reading.maps import abstract

CASES: dict[str, tuple[tuple[int, ...], tuple[int, ...], dict[str, Any]]] = {
    "padded": ((1, 3, 2), (3, 2, 2), {"padding": ((2, 0),)}),
    "spread out, with strides and dilated": (
        (1, 4, 1),
        (3, 1, 2),
        {"padding": ((1, 2),), "window_strides": (2,), "lhs_dilation": (3,), "rhs_dilation": (2,)},
    ),
    "in groups, over an area": (
        (1, 2, 3, 4),
        (2, 2, 2, 2),
        {"padding": ((1, 0), (-1, 1)), "feature_group_count": 2},
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_results_read_what_their_windows_meet(name: str) -> None:
    shape, size, options = CASES[name]
    places = ("NWC", "WIO", "NWC") if len(shape) == 3 else ("NHWC", "HWIO", "NHWC")
    settings = {"window_strides": (1,) * (len(shape) - 2), **options}
    count = int(np.prod(size))

    def convolve(x: Any, kernel: Any) -> Any:
        flat = jnp.reshape(kernel, size)
        return lax.conv_general_dilated(x, flat, **settings, dimension_numbers=places)

    program = jax.make_jaxpr(convolve)(abstract(shape, np.float32), abstract((count,), np.float32))
    x = Facts.unread(shape, np.dtype(np.float32))
    kernel = Facts.with_bits((count,), np.dtype(np.float32), 0, 0)
    [result] = reads_of(program, [x, kernel]).outputs
    ones = jax.jit(jax.vmap(convolve, (None, 0)))(jnp.ones(shape), jnp.eye(count))
    for axis in range(result.rank):
        others = tuple(each for each in range(1, ones.ndim) if each != axis + 1)
        truth = (np.asarray(ones) > 0).any(others).T
        assert np.array_equal(result.reads_along(axis, count), truth)
