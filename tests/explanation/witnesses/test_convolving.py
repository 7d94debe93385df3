"""Convolutions made of products against XLA's own."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

from everystep.explanation.witnesses import convolving, widened

RANDOM = np.random.default_rng(0)
ROWS = RANDOM.normal(size=(2, 9, 3)).astype(np.float32)
MAPS = RANDOM.normal(size=(2, 3, 7, 6)).astype(np.float32)
WINDOW = RANDOM.normal(size=(3, 3, 4)).astype(np.float32)
WINDOWS = RANDOM.normal(size=(5, 3, 2, 3)).astype(np.float32)
IN_ROWS = ("NWC", "WIO", "NWC")
IN_MAPS = ("NCHW", "OIHW", "CNHW")


@pytest.mark.parametrize(
    ("values", "window", "layout", "options"),
    [
        (ROWS, WINDOW, IN_ROWS, {"padding": "SAME"}),
        (ROWS, WINDOW, IN_ROWS, {"padding": "VALID", "window_strides": (2,)}),
        (ROWS, WINDOW, IN_ROWS, {"padding": [(4, 0)], "rhs_dilation": (2,)}),
        (ROWS, WINDOW, IN_ROWS, {"padding": [(3, -1)], "lhs_dilation": (3,)}),
        (MAPS, WINDOWS, IN_MAPS, {"padding": [(1, 0), (2, 1)], "window_strides": (2, 1)}),
        (ROWS[..., :2], WINDOW[:, :1], IN_ROWS, {"padding": "SAME", "feature_group_count": 2}),
    ],
)
def test_products_give_what_the_convolution_gives(
    values: Any, window: Any, layout: Any, options: Any
) -> None:
    def function(values: Any, window: Any) -> Any:
        settings = {"window_strides": (1,) * (values.ndim - 2), **options}
        return lax.conv_general_dilated(values, window, dimension_numbers=layout, **settings)

    jaxpr = jax.make_jaxpr(function)(values, window)
    [equation] = jaxpr.eqns
    assert convolving.fits(equation) == ("feature_group_count" not in options)
    with jax.enable_x64():
        expected = function(jnp.float64(values), jnp.float64(window))
        [found] = widened(jaxpr)(values, window)
        assert found.dtype == jnp.float64
        np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-13)
