"""How far two results of the same arithmetic may lie apart: one table, by type."""

from typing import Any

import jax.numpy as jnp
import numpy as np

# Relative to the larger of 1 and the value. A few hundred roundings of sums over tens of terms.
VALUES = {"bfloat16": 3e-2, "float16": 4e-3, "float32": 2e-5, "float64": 1e-12}
# Gradients add up over batch and steps, and finite differences lose half of the digits.
GRADIENTS = {"bfloat16": 1e-1, "float16": 2e-2, "float32": 2e-4, "float64": 1e-10}
DIFFERENCES = {"float64": 1e-6}


def assert_close(found: Any, wanted: Any, table: dict[str, float] = VALUES) -> None:
    """Asserts equal shapes and values within the tolerance of the coarser of the two types."""
    assert np.shape(found) == np.shape(wanted)
    names = [str(jnp.asarray(value).dtype) for value in (found, wanted)]
    within = max(table.get(name, 0.0) for name in names)
    left, right = np.asarray(found, np.float64), np.asarray(wanted, np.float64)
    np.testing.assert_allclose(left, right, rtol=within, atol=within)
